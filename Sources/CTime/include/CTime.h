// The time of day, which Embedded Swift cannot ask for itself.
#ifndef CTIME_H
#define CTIME_H
#include <stdint.h>
#include <time.h>

/// Seconds since 1970.
static inline int64_t CTime_now(void) { return (int64_t)time((time_t *)0); }
#endif
