#ifndef CEsets_H
#define CEsets_H
#endif
