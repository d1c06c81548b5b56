// TXT records by the system's resolver.
#ifndef CRESOLVER_H
#define CRESOLVER_H
#include <stddef.h>

/// The first TXT record of a name, its strings joined, ended by a zero byte. Blocks, some seconds at most.
/// Returns its length, 0 when there is none, -1 when the question got no answer.
long CResolver_text(const char *name, char *text, size_t capacity);
#endif
