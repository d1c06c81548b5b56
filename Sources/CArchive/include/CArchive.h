// libarchive, for formats that it reads well. Formats and filters are enabled one by one, never by the `_all`
// functions: those run programs from PATH.
#ifndef CARCHIVE_H
#define CARCHIVE_H
#include <archive.h>
#include <archive_entry.h>
#endif
