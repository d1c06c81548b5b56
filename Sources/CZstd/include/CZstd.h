// zstd with another file as the beginning of the window, which makes a delta of a compressed file.
#ifndef CZSTD_H
#define CZSTD_H
#include <stddef.h>
#include <stdint.h>

/// Where pieces of output go; returns 0 to stop.
typedef int (*CZstd_sink)(void *context, const uint8_t *bytes, size_t count);

#define CZSTD_OK 0
/// The input is damaged, or ends too early.
#define CZSTD_DAMAGED 1
#define CZSTD_NO_MEMORY 2
/// More came out than was allowed.
#define CZSTD_TOO_LARGE 3
/// The sink stopped it.
#define CZSTD_STOPPED 4

/// Compresses `bytes` as what follows on `prefix`. `window_log`: 2^n bytes are looked back, 10 to 31.
int CZstd_compress(
    const uint8_t *prefix, size_t prefix_count, const uint8_t *bytes, size_t count, int level, int window_log,
    CZstd_sink sink, void *context);
/// Makes exactly `expected` bytes of it again.
int CZstd_decompress(
    const uint8_t *prefix, size_t prefix_count, const uint8_t *bytes, size_t count, int window_log, uint64_t expected,
    CZstd_sink sink, void *context);
#endif
