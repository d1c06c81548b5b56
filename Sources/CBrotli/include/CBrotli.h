// Brotli's decoder (RFC 7932), without its types in sight.
#ifndef CBROTLI_H
#define CBROTLI_H
#include <brotli/decode.h>

static inline void *CBrotli_new(void) { return BrotliDecoderCreateInstance(NULL, NULL, NULL); }
static inline void CBrotli_free(void *decoder) { BrotliDecoderDestroyInstance((BrotliDecoderState *)decoder); }

/// Expands from *in to *out, each *in_left and *out_left bytes, and moves them. Returns 0 for damage, 1 at the end of the
/// stream, 2 when it wants more input, 3 when it wants more room.
static inline int CBrotli_expand(void *decoder, size_t *in_left, const uint8_t **in, size_t *out_left, uint8_t **out) {
    return (int)BrotliDecoderDecompressStream((BrotliDecoderState *)decoder, in_left, in, out_left, out, NULL);
}
#endif
