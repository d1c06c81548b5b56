// zlib, for modules and host alike.
#ifndef CZLIB_H
#define CZLIB_H
#include <stddef.h>
#include <zlib.h>

// `inflateInit2` is a macro that Swift cannot see.
static inline int CZlib_inflateInit(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

// `deflateInit2` likewise: gzip format.
static inline int CZlib_deflateInit(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
}
#endif
