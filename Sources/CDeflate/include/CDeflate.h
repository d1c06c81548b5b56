// libdeflate: inflates a stream at one go, twice as fast as zlib does.
#ifndef CDEFLATE_H
#define CDEFLATE_H
#include <libdeflate.h>
#endif
