// Looking for bytes, and for two bytes at a fixed distance, as many places at once as a register holds.
#ifndef CSEARCH_H
#define CSEARCH_H
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include "CSearch_grams.h"
#include "CSearch_text.h"

/// A byte that is looked for: `byte | mask == value`. With mask 0x20 and a small letter as value, its capital matches
/// too.
typedef struct CSearch_byte {
    uint8_t value, mask;
} CSearch_byte;

/// Two bytes at a distance.
typedef struct CSearch_words {
    CSearch_byte first, second;
    size_t distance;
} CSearch_words;

/// From so many places on, more of them are looked at together, where the processor can. The three functions tell where to go
/// on: at the place that is looked for, or at one before which it is not.
#define CSEARCH_MANY 256
size_t CSearch_pair_many(
    const uint8_t *bytes, size_t from, size_t to, size_t distance, CSearch_byte first, CSearch_byte second);
size_t CSearch_any_pair_many(const uint8_t *bytes, size_t from, size_t to, const CSearch_words pairs[4]);
size_t CSearch_either_many(const uint8_t *bytes, size_t from, size_t to, uint8_t one, uint8_t other);

/// The first of the places `from ..< to` where `first` lies, with `second` so many bytes (`distance`) behind it; `to`
/// when there is none. Bytes up to `to - 1 + distance` must be readable.
static inline size_t CSearch_pair(
    const uint8_t *bytes, size_t from, size_t to, size_t distance, CSearch_byte first, CSearch_byte second) {
    size_t at = from;
    if (at < to && to - at >= CSEARCH_MANY) at = CSearch_pair_many(bytes, at, to, distance, first, second);
#if defined(__SSE2__)
    const __m128i firstMask = _mm_set1_epi8((char)first.mask), firstValue = _mm_set1_epi8((char)first.value);
    const __m128i secondMask = _mm_set1_epi8((char)second.mask), secondValue = _mm_set1_epi8((char)second.value);
    while (at < to && to - at >= 16) {
        const __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at + distance));
        const __m128i both = _mm_and_si128(
            _mm_cmpeq_epi8(_mm_or_si128(a, firstMask), firstValue),
            _mm_cmpeq_epi8(_mm_or_si128(b, secondMask), secondValue));
        const unsigned found = (unsigned)_mm_movemask_epi8(both);
        if (found != 0) return at + (size_t)__builtin_ctz(found);
        at += 16;
    }
#endif
    for (; at < to; at++) {
        if ((bytes[at] | first.mask) == first.value && (bytes[at + distance] | second.mask) == second.value) return at;
    }
    return to;
}

/// The first of the places `from ..< to` where one of four pairs lies; `to` when there is none. Bytes up to `to - 1` and
/// the greatest distance must be readable.
static inline size_t CSearch_any_pair(const uint8_t *bytes, size_t from, size_t to, const CSearch_words pairs[4]) {
    size_t at = from;
    if (at < to && to - at >= CSEARCH_MANY) at = CSearch_any_pair_many(bytes, at, to, pairs);
#if defined(__SSE2__)
    __m128i masks[8], values[8];
    for (int i = 0; i < 4; i++) {
        masks[2 * i] = _mm_set1_epi8((char)pairs[i].first.mask);
        values[2 * i] = _mm_set1_epi8((char)pairs[i].first.value);
        masks[2 * i + 1] = _mm_set1_epi8((char)pairs[i].second.mask);
        values[2 * i + 1] = _mm_set1_epi8((char)pairs[i].second.value);
    }
    while (at < to && to - at >= 16) {
        const __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        __m128i any = _mm_setzero_si128();
        for (int i = 0; i < 4; i++) {
            const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at + pairs[i].distance));
            any = _mm_or_si128(
                any, _mm_and_si128(
                         _mm_cmpeq_epi8(_mm_or_si128(a, masks[2 * i]), values[2 * i]),
                         _mm_cmpeq_epi8(_mm_or_si128(b, masks[2 * i + 1]), values[2 * i + 1])));
        }
        const unsigned found = (unsigned)_mm_movemask_epi8(any);
        if (found != 0) return at + (size_t)__builtin_ctz(found);
        at += 16;
    }
#endif
    for (; at < to; at++) {
        for (int i = 0; i < 4; i++) {
            if ((bytes[at] | pairs[i].first.mask) == pairs[i].first.value
                && (bytes[at + pairs[i].distance] | pairs[i].second.mask) == pairs[i].second.value)
                return at;
        }
    }
    return to;
}

/// The first of the places `from ..< to` where `one` or `other` lies; `to` when there is none.
static inline size_t CSearch_either(const uint8_t *bytes, size_t from, size_t to, uint8_t one, uint8_t other) {
    size_t at = from;
    if (at < to && to - at >= CSEARCH_MANY) at = CSearch_either_many(bytes, at, to, one, other);
#if defined(__SSE2__)
    const __m128i ones = _mm_set1_epi8((char)one), others = _mm_set1_epi8((char)other);
    while (at < to && to - at >= 16) {
        const __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        const __m128i either = _mm_or_si128(_mm_cmpeq_epi8(block, ones), _mm_cmpeq_epi8(block, others));
        const unsigned found = (unsigned)_mm_movemask_epi8(either);
        if (found != 0) return at + (size_t)__builtin_ctz(found);
        at += 16;
    }
#endif
    while (at < to && bytes[at] != one && bytes[at] != other) at++;
    return at;
}

/// The first of the places `from ..< to` of a byte below `limit`, which is not 0; `to` when there is none.
static inline size_t CSearch_below(const uint8_t *bytes, size_t from, size_t to, uint8_t limit) {
    size_t at = from;
#if defined(__SSE2__)
    const __m128i most = _mm_set1_epi8((char)(limit - 1));
    while (at < to && to - at >= 16) {
        const __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        const unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(block, most), block));
        if (found != 0) return at + (size_t)__builtin_ctz(found);
        at += 16;
    }
#endif
    while (at < to && bytes[at] >= limit) at++;
    return at;
}

/// The last such place of two bytes; `to` when there is none.
static inline size_t CSearch_last_pair(
    const uint8_t *bytes, size_t from, size_t to, size_t distance, CSearch_byte first, CSearch_byte second) {
    size_t at = to;
#if defined(__SSE2__)
    const __m128i firstMask = _mm_set1_epi8((char)first.mask), firstValue = _mm_set1_epi8((char)first.value);
    const __m128i secondMask = _mm_set1_epi8((char)second.mask), secondValue = _mm_set1_epi8((char)second.value);
    while (at > from && at - from >= 16) {
        at -= 16;
        const __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at + distance));
        const __m128i both = _mm_and_si128(
            _mm_cmpeq_epi8(_mm_or_si128(a, firstMask), firstValue),
            _mm_cmpeq_epi8(_mm_or_si128(b, secondMask), secondValue));
        const unsigned found = (unsigned)_mm_movemask_epi8(both);
        if (found != 0) return at + 31 - (size_t)__builtin_clz(found);
    }
#endif
    while (at > from) {
        at--;
        if ((bytes[at] | first.mask) == first.value && (bytes[at + distance] | second.mask) == second.value) return at;
    }
    return to;
}
#endif
