// zlib, for modules and host alike.
#ifndef CZLIB_H
#define CZLIB_H
#include <stddef.h>
#include <zlib.h>

// `inflateInit2` is a macro that Swift cannot see.
static inline int CZlib_inflateInit(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}
#endif
