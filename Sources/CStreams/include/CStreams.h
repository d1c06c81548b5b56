// Decoders of single compressed streams: liblzma, libbz2 and libzstd behind one interface. Directly, as libarchive, which
// has them too, loses what came out of a stream before it was found damaged or cut.
#ifndef CSTREAMS_H
#define CSTREAMS_H
#include <stddef.h>
#include <stdint.h>

#define CSTREAMS_BZIP2 0
#define CSTREAMS_XZ 1
#define CSTREAMS_LZMA 2
#define CSTREAMS_LZIP 3
#define CSTREAMS_ZSTD 4

#define CSTREAMS_DAMAGED 0
/// The stream is at its end; what follows was not touched.
#define CSTREAMS_END 1
#define CSTREAMS_MORE 2
#define CSTREAMS_NO_MEMORY 3

/// A decoder for one stream of a kind; NULL when there is no memory for it.
void *CStreams_new(int kind);
/// A decoder for LZMA without its head of 13 bytes: the properties' byte, and the window in bytes.
void *CStreams_new_lzma(uint8_t properties, uint32_t window);
void CStreams_free(void *decoder);
/// Makes it ready for another stream of its kind, in the memory that it has; 0 when there is not enough.
int CStreams_again(void *decoder);
/// Expands from *in to *out, each *in_left and *out_left bytes, and moves them. What came out counts whatever is returned.
int CStreams_expand(void *decoder, size_t *in_left, const uint8_t **in, size_t *out_left, uint8_t **out);

/// Takes a filter of 7z (delta, or the branches of a processor) out of so many bytes, for which `out` has room.
///
/// @param filter its number in the format xz: 3 delta, 4 x86, 5 PowerPC, 6 IA-64, 7 ARM, 8 Thumb, 9 SPARC.
/// @return 0 when there is no such filter with these properties, or no memory.
int CStreams_unfilter(
    uint32_t filter, const uint8_t *properties, size_t properties_size, const uint8_t *in, size_t count, uint8_t *out);
#endif
