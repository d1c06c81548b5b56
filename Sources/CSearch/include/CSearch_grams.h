// Looking all places of an object up: where may one of many fragments begin?
#ifndef CSEARCH_GRAMS_H
#define CSEARCH_GRAMS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Places that are looked at in one call, at most: what is noted of them stays in a processor's first cache.
#define CSEARCH_CHUNK 2048

/// What grams are multiplied with: for the word of a filter, and for the three bits in it.
#define CSEARCH_FACTOR 0x9e3779b1u
#define CSEARCH_BITS_FACTOR 0x85ebca77u

/// A filter of em_gram_table: words of 32 bits, of which the upper bits of a hash choose one; no words: no filter.
typedef struct CSearch_filter {
    const void *words;
    /// 32 less the bits.
    uint32_t shift;
} CSearch_filter;

/// A sieve: for each byte, in which of sixteen groups it may be the first byte of a fragment, and the second, third and
/// fourth. A place passes when its four bytes have a group in common; beyond the object's end they are 0.
///
/// First 256 words of 64 bits, of which the lowest 16 are for the first byte, then eight tables of 256 bytes: their lowest
/// bytes, their second ones, and so on.
#define CSEARCH_SIEVE_SIZE 4096

typedef struct CSearch_index {
    /// CSEARCH_SIEVE_SIZE bytes.
    const void *sieve;
    /// Of the first four bytes of fragments.
    CSearch_filter grams;
    /// Of the first two bytes of short fragments: 65,536 bits; NULL: none.
    const void *pairs;
    /// ASCII capitals count as small letters. The sieve treats them alike.
    int folds;
} CSearch_index;

/// What may begin at a place.
#define CSEARCH_GRAM 1u
#define CSEARCH_PAIR 2u

/// Whether a gram may be in a filter, which has words.
static inline uint32_t CSearch_may_have(const CSearch_filter *filter, uint32_t gram) {
    const uint32_t bits = gram * CSEARCH_BITS_FACTOR;
    uint32_t word;
    memcpy(&word, (const uint8_t *)filter->words + 4 * ((uint64_t)(gram * CSEARCH_FACTOR) >> filter->shift), sizeof word);
    return word >> (bits >> 27) & word >> (bits >> 22 & 31) & word >> (bits >> 17 & 31) & 1;
}

/// Asks for memory that is read soon.
static inline void CSearch_prefetch(const void *address) { __builtin_prefetch(address); }

/// The places `from ..< to` at which something may begin, in their order.
///
/// @param count bytes of the object; `to` is below.
/// @param to CSEARCH_CHUNK behind `from` at most.
/// @param places room for as many as there are places: gets each times four, and CSEARCH_GRAM, CSEARCH_PAIR.
/// @return how many.
size_t CSearch_places(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const CSearch_index *index, size_t *places);

/// The places `from ..< to` that pass a sieve of CSEARCH_SIEVE_SIZE bytes, in their order; the same otherwise.
size_t CSearch_sift(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const void *sieve, size_t *places);

/// Both on any processor.
size_t CSearch_sift_plain(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const void *sieve, size_t *places);
size_t CSearch_places_plain(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const CSearch_index *index, size_t *places);

/// Sets the bit of each gram that begins at the places `from ..< to`, ASCII capitals as small letters: of its hash
/// (CSEARCH_FACTOR) without the lowest `shift` bits. Four bytes must be readable at each place.
///
/// @param words 2^(32 - shift) bits, 5 of which choose one in a word.
void CSearch_note_grams(const uint8_t *bytes, size_t from, size_t to, uint32_t *words, uint32_t shift);

/// The same on any processor.
void CSearch_note_grams_plain(const uint8_t *bytes, size_t from, size_t to, uint32_t *words, uint32_t shift);
#endif
