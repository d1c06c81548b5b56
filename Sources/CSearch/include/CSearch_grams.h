// Looking many places of an object up in filters: where may one of many fragments begin?
#ifndef CSEARCH_GRAMS_H
#define CSEARCH_GRAMS_H
#include <stddef.h>
#include <stdint.h>

/// Places that are looked at together.
#define CSEARCH_BLOCK 32
/// Bytes behind the beginning of a block that must be readable.
#define CSEARCH_REACH 48

/// A filter of em_pattern_index: words of 32 bits, of which the upper bits of a hash choose one; no words: no filter.
typedef struct CSearch_filter {
    const void *words;
    /// 32 less the bits.
    uint32_t shift;
} CSearch_filter;

typedef struct CSearch_filters {
    /// Of four bytes that begin at every fourth place, and at every place.
    CSearch_filter windows, grams;
    /// 65,536 bits, by two bytes; NULL: none.
    const void *pairs;
    /// ASCII capitals count as small letters.
    int folds;
} CSearch_filters;

/// What may begin in a block: bit n of `windows` at place 4 n, bit n of the others at place n.
typedef struct CSearch_hits {
    uint32_t windows, grams, pairs;
} CSearch_hits;

/// The first block from `from` on, in steps of a block, and before `to`, in which something may begin; a place from `to` on
/// when there is none.
size_t CSearch_blocks(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits);

/// The same on any processor.
size_t CSearch_blocks_plain(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits);
#endif
