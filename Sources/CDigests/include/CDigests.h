// MD5 and SHA-256 of the same bytes in one pass.
#ifndef CDIGESTS_H
#define CDIGESTS_H
#include <stddef.h>
#include <stdint.h>

typedef struct CDigests_pair {
    uint32_t md5[4], sha256[8];
    /// Bytes so far.
    uint64_t length;
    /// Those behind the last whole block.
    uint8_t rest[64];
} CDigests_pair;

/// Whether this processor has instructions for SHA-256; without, one digest after the other is as fast, and nothing below
/// may be called.
int CDigests_pair_works(void);
void CDigests_pair_begin(CDigests_pair *pair);
void CDigests_pair_add(CDigests_pair *pair, const uint8_t *bytes, size_t length);
/// Writes both digests, 16 and 32 bytes; the pair can only begin again afterwards.
void CDigests_pair_finish(CDigests_pair *pair, void *md5, void *sha256);
#endif
