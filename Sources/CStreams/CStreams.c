#include "CStreams.h"
#include <bzlib.h>
#include <limits.h>
#include <lzma.h>
#include <stdlib.h>
// For a parameter that libzstd counts as experimental: without it, sums are checked.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

/// The libraries keep pointers to their streams, so that one stays where it is.
struct decoder {
    int kind;
    lzma_stream lzma;
    bz_stream bzip2;
    ZSTD_DCtx *zstd;
    /// What libzstd said it wants next, in bytes; more is not given to it.
    size_t zstd_wants;
};

static int begin(struct decoder *decoder) {
    // Windows are not limited here: they cost memory only as far as something comes out, which the caller counts.
    switch (decoder->kind) {
    case CSTREAMS_BZIP2: return BZ2_bzDecompressInit(&decoder->bzip2, 0, 0) == BZ_OK;
    // A wrong sum must not hide what comes behind it.
    case CSTREAMS_XZ: return lzma_stream_decoder(&decoder->lzma, UINT64_MAX, LZMA_IGNORE_CHECK) == LZMA_OK;
    case CSTREAMS_LZMA: return lzma_alone_decoder(&decoder->lzma, UINT64_MAX) == LZMA_OK;
    case CSTREAMS_LZIP: return lzma_lzip_decoder(&decoder->lzma, UINT64_MAX, LZMA_IGNORE_CHECK) == LZMA_OK;
    case CSTREAMS_ZSTD:
        decoder->zstd = ZSTD_createDCtx();
        decoder->zstd_wants = 1;
        if (!decoder->zstd) return 0;
        ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_forceIgnoreChecksum, ZSTD_d_ignoreChecksum);
        return !ZSTD_isError(ZSTD_DCtx_setParameter(
            decoder->zstd, ZSTD_d_windowLogMax, ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound));
    default: return 0;
    }
}

int CStreams_again(void *pointer) {
    struct decoder *decoder = pointer;
    switch (decoder->kind) {
    case CSTREAMS_ZSTD:
        decoder->zstd_wants = 1;
        return !ZSTD_isError(ZSTD_DCtx_reset(decoder->zstd, ZSTD_reset_session_only));
    case CSTREAMS_BZIP2:
        BZ2_bzDecompressEnd(&decoder->bzip2);
        return begin(decoder);
    // liblzma keeps what it has.
    default: return begin(decoder);
    }
}

void *CStreams_new(int kind) {
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    decoder->kind = kind;
    if (begin(decoder)) return decoder;
    CStreams_free(decoder);
    return NULL;
}

void *CStreams_new_lzma(uint8_t properties, uint32_t window) {
    void *decoder = CStreams_new(CSTREAMS_LZMA);
    if (!decoder) return NULL;
    uint8_t head[13] = {properties};
    for (int index = 0; index < 4; index++) head[1 + index] = (uint8_t)(window >> 8 * index);
    // The size is not known.
    for (int index = 5; index < 13; index++) head[index] = 0xff;
    const uint8_t *in = head;
    // Without room liblzma reads nothing; nothing comes out of a head.
    uint8_t none;
    size_t in_left = sizeof head, out_left = 1;
    uint8_t *out = &none;
    // Properties that are none make every further step fail.
    if (CStreams_expand(decoder, &in_left, &in, &out_left, &out) != CSTREAMS_NO_MEMORY) return decoder;
    CStreams_free(decoder);
    return NULL;
}

void CStreams_free(void *pointer) {
    struct decoder *decoder = pointer;
    if (!decoder) return;
    switch (decoder->kind) {
    case CSTREAMS_BZIP2: BZ2_bzDecompressEnd(&decoder->bzip2); break;
    case CSTREAMS_ZSTD: ZSTD_freeDCtx(decoder->zstd); break;
    default: lzma_end(&decoder->lzma);
    }
    free(decoder);
}

static int expand_bzip2(bz_stream *stream, size_t *in_left, const uint8_t **in, size_t *out_left, uint8_t **out) {
    stream->next_in = (char *)(uintptr_t)*in;
    stream->avail_in = *in_left > UINT_MAX ? UINT_MAX : (unsigned)*in_left;
    stream->next_out = (char *)*out;
    stream->avail_out = *out_left > UINT_MAX ? UINT_MAX : (unsigned)*out_left;
    unsigned given = stream->avail_in, room = stream->avail_out;
    int result = BZ2_bzDecompress(stream);
    *in += given - stream->avail_in;
    *in_left -= given - stream->avail_in;
    *out += room - stream->avail_out;
    *out_left -= room - stream->avail_out;
    switch (result) {
    case BZ_OK: return CSTREAMS_MORE;
    case BZ_STREAM_END: return CSTREAMS_END;
    case BZ_MEM_ERROR: return CSTREAMS_NO_MEMORY;
    default: return CSTREAMS_DAMAGED;
    }
}

/// When libzstd meets damage it does not tell what came out in the same call. So it gets what it wants to make one block, and
/// the head of the next one, which it would like to have along with it, later.
static int expand_zstd(
    struct decoder *decoder, size_t *in_left, const uint8_t **in, size_t *out_left, uint8_t **out) {
    const size_t block_head = 3;
    size_t wants = decoder->zstd_wants > block_head ? decoder->zstd_wants - block_head : decoder->zstd_wants;
    ZSTD_inBuffer input = {*in, *in_left < wants ? *in_left : wants, 0};
    ZSTD_outBuffer output = {*out, *out_left, 0};
    size_t result = ZSTD_decompressStream(decoder->zstd, &output, &input);
    *in += input.pos;
    *in_left -= input.pos;
    *out += output.pos;
    *out_left -= output.pos;
    if (result == 0) return CSTREAMS_END;
    if (!ZSTD_isError(result)) {
        decoder->zstd_wants = result;
        return CSTREAMS_MORE;
    }
    return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? CSTREAMS_NO_MEMORY : CSTREAMS_DAMAGED;
}

static int expand_lzma(lzma_stream *stream, size_t *in_left, const uint8_t **in, size_t *out_left, uint8_t **out) {
    stream->next_in = *in;
    stream->avail_in = *in_left;
    stream->next_out = *out;
    stream->avail_out = *out_left;
    lzma_ret result = lzma_code(stream, LZMA_RUN);
    *in = stream->next_in;
    *in_left = stream->avail_in;
    *out = stream->next_out;
    *out_left = stream->avail_out;
    switch (result) {
    case LZMA_OK:
    // Neither input nor room: the caller sees that nothing moved.
    case LZMA_BUF_ERROR: return CSTREAMS_MORE;
    case LZMA_STREAM_END: return CSTREAMS_END;
    case LZMA_MEM_ERROR: return CSTREAMS_NO_MEMORY;
    default: return CSTREAMS_DAMAGED;
    }
}

int CStreams_expand(void *pointer, size_t *in_left, const uint8_t **in, size_t *out_left, uint8_t **out) {
    struct decoder *decoder = pointer;
    switch (decoder->kind) {
    case CSTREAMS_BZIP2: return expand_bzip2(&decoder->bzip2, in_left, in, out_left, out);
    case CSTREAMS_ZSTD: return expand_zstd(decoder, in_left, in, out_left, out);
    default: return expand_lzma(&decoder->lzma, in_left, in, out_left, out);
    }
}

/// liblzma has filters only before LZMA2, so they get it as chunks that are stored: a byte of control, the size less one in two
/// bytes, and the bytes.
static int unfilter(lzma_stream *lzma, const uint8_t *in, size_t count) {
    for (size_t at = 0; at < count;) {
        const size_t size = count - at < 65536 ? count - at : 65536;
        const uint8_t head[3] = {at == 0 ? 1 : 2, (uint8_t)((size - 1) >> 8), (uint8_t)(size - 1)};
        lzma->next_in = head;
        lzma->avail_in = sizeof head;
        if (lzma_code(lzma, LZMA_RUN) != LZMA_OK) return 0;
        lzma->next_in = in + at;
        lzma->avail_in = size;
        if (lzma_code(lzma, LZMA_RUN) != LZMA_OK || lzma->avail_in > 0) return 0;
        at += size;
    }
    const uint8_t end = 0;
    lzma->next_in = &end;
    lzma->avail_in = 1;
    lzma_ret result;
    do result = lzma_code(lzma, LZMA_FINISH);
    while (result == LZMA_OK && lzma->avail_out > 0);
    return lzma->avail_out == 0;
}

int CStreams_unfilter(
    uint32_t filter, const uint8_t *properties, size_t properties_size, const uint8_t *in, size_t count, uint8_t *out) {
    if (count == 0) return 1;
    lzma_options_lzma window = {.dict_size = LZMA_DICT_SIZE_MIN};
    lzma_filter filters[] = {{filter, NULL}, {LZMA_FILTER_LZMA2, &window}, {LZMA_VLI_UNKNOWN, NULL}};
    if (filter < LZMA_FILTER_DELTA || filter > LZMA_FILTER_SPARC) return 0;
    if (lzma_properties_decode(filters, NULL, properties, properties_size) != LZMA_OK) return 0;
    lzma_stream lzma = LZMA_STREAM_INIT;
    lzma.next_out = out;
    lzma.avail_out = count;
    const int done = lzma_raw_decoder(&lzma, filters) == LZMA_OK && unfilter(&lzma, in, count);
    lzma_end(&lzma);
    free(filters[0].options);
    return done;
}
