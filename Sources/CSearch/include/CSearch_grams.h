// Looking many places of an object up in filters: where may one of many fragments begin?
#ifndef CSEARCH_GRAMS_H
#define CSEARCH_GRAMS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Places that are looked at together.
#define CSEARCH_BLOCK 32
/// Bytes behind the beginning of a block that must be readable.
#define CSEARCH_REACH 36

/// What grams are multiplied with: for the word of a filter, and for the three bits in it.
#define CSEARCH_FACTOR 0x9e3779b1u
#define CSEARCH_BITS_FACTOR 0x85ebca77u

/// A filter of em_gram_table: words of 32 bits, of which the upper bits of a hash choose one; no words: no filter.
typedef struct CSearch_filter {
    const void *words;
    /// 32 less the bits.
    uint32_t shift;
} CSearch_filter;

typedef struct CSearch_filters {
    /// Of four bytes that begin at every fourth place, at every second one, and at every place.
    CSearch_filter windows, spans, grams;
    /// 65,536 bits, by two bytes; NULL: none.
    const void *pairs;
    /// CSEARCH_SIEVE_SIZE bytes, by which grams and pairs are looked for where CSearch_sifts; NULL: none. They are looked up
    /// in their filters only where it lets them pass.
    const uint8_t *sieve;
    /// ASCII capitals count as small letters.
    int folds;
} CSearch_filters;

/// What may begin in a block: bit n at place n.
typedef struct CSearch_hits {
    uint32_t windows, spans, grams, pairs;
} CSearch_hits;

/// Whether a gram may be in a filter, which has words.
static inline uint32_t CSearch_may_have(const CSearch_filter *filter, uint32_t gram) {
    const uint32_t bits = gram * CSEARCH_BITS_FACTOR;
    uint32_t word;
    memcpy(&word, (const uint8_t *)filter->words + 4 * ((uint64_t)(gram * CSEARCH_FACTOR) >> filter->shift), sizeof word);
    return word >> (bits >> 27) & word >> (bits >> 22 & 31) & word >> (bits >> 17 & 31) & 1;
}

/// Asks for memory that is read soon.
static inline void CSearch_prefetch(const void *address) { __builtin_prefetch(address); }

/// A sieve: for each of four numbers that are made of four bytes in a row, 128 bytes of which each bit stands for a few
/// fragments. A place passes when the four have a bit in common.
#define CSEARCH_SIEVE_SIZE 512

/// The numbers: of the first two bytes, of the same two, and likewise of the others.
static inline unsigned CSearch_sieve_index(unsigned number, const uint8_t bytes[4]) {
    const unsigned first = bytes[number / 2 * 2], second = bytes[number / 2 * 2 + 1];
    return (number % 2 == 0 ? first + 2 * second : second + 2 * first) & 127;
}

/// Whether this processor sifts: 64 places cost about as much as eight looks into a filter.
int CSearch_sifts(void);

/// The first block from `from` on, in steps of a block, and before `to`, in which something may begin; a place from `to` on
/// when there is none.
size_t CSearch_blocks(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits);

/// The same on any processor.
size_t CSearch_blocks_plain(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits);
#endif
