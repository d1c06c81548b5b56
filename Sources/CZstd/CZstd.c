// refPrefix belongs to zstd's interface that is stable in shared libraries only since 1.5: see zstd.h.
#define ZSTD_STATIC_LINKING_ONLY
#include "CZstd.h"
#include <stdlib.h>
#include <zstd.h>

int CZstd_compress(
    const uint8_t *prefix, size_t prefix_count, const uint8_t *bytes, size_t count, int level, int window_log,
    CZstd_sink sink, void *context) {
    ZSTD_CCtx *state = ZSTD_createCCtx();
    size_t capacity = ZSTD_CStreamOutSize();
    uint8_t *piece = malloc(capacity);
    int result = CZSTD_NO_MEMORY;
    if (!state || !piece) goto done;
    if (ZSTD_isError(ZSTD_CCtx_setParameter(state, ZSTD_c_compressionLevel, level))
        || ZSTD_isError(ZSTD_CCtx_setParameter(state, ZSTD_c_windowLog, window_log))
        || ZSTD_isError(ZSTD_CCtx_setParameter(state, ZSTD_c_enableLongDistanceMatching, 1))
        || ZSTD_isError(ZSTD_CCtx_setParameter(state, ZSTD_c_checksumFlag, 1))
        || ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(state, count))
        || ZSTD_isError(ZSTD_CCtx_refPrefix(state, prefix, prefix_count)))
        goto done;
    ZSTD_inBuffer in = {bytes, count, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {piece, capacity, 0};
        left = ZSTD_compressStream2(state, &out, &in, ZSTD_e_end);
        if (ZSTD_isError(left)) goto done;
        if (out.pos && !sink(context, piece, out.pos)) {
            result = CZSTD_STOPPED;
            goto done;
        }
    } while (left);
    result = CZSTD_OK;
done:
    free(piece);
    ZSTD_freeCCtx(state);
    return result;
}

int CZstd_decompress(
    const uint8_t *prefix, size_t prefix_count, const uint8_t *bytes, size_t count, int window_log, uint64_t expected,
    CZstd_sink sink, void *context) {
    ZSTD_DCtx *state = ZSTD_createDCtx();
    size_t capacity = ZSTD_DStreamOutSize();
    uint8_t *piece = malloc(capacity);
    int result = CZSTD_NO_MEMORY;
    if (!state || !piece) goto done;
    if (ZSTD_isError(ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, window_log))
        || ZSTD_isError(ZSTD_DCtx_refPrefix(state, prefix, prefix_count)))
        goto done;
    ZSTD_inBuffer in = {bytes, count, 0};
    uint64_t made = 0;
    size_t left = 1;
    result = CZSTD_DAMAGED;
    while (left) {
        ZSTD_outBuffer out = {piece, capacity, 0};
        size_t before = in.pos;
        left = ZSTD_decompressStream(state, &out, &in);
        if (ZSTD_isError(left)) goto done;
        made += out.pos;
        if (made > expected) {
            result = CZSTD_TOO_LARGE;
            goto done;
        }
        if (out.pos && !sink(context, piece, out.pos)) {
            result = CZSTD_STOPPED;
            goto done;
        }
        // It needs more than there is.
        if (left && out.pos == 0 && in.pos == before && in.pos == in.size) goto done;
    }
    if (made == expected && in.pos == in.size) result = CZSTD_OK;
done:
    free(piece);
    ZSTD_freeDCtx(state);
    return result;
}
