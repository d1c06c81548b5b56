#include "CSearch.h"

#include <stdatomic.h>
#include <string.h>

#define FACTOR 0x9e3779b1u /* EM_GRAM_FACTOR */

// MARK: - Any processor

static inline uint64_t load(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/// Eight bytes with ASCII capitals as small letters.
static inline uint64_t folded(uint64_t bytes) {
    const uint64_t low = bytes & 0x7f7f7f7f7f7f7f7full;
    const uint64_t capital = (low + 0x3f3f3f3f3f3f3f3full) & ~(low + 0x2525252525252525ull) & ~bytes & 0x8080808080808080ull;
    return bytes | capital >> 2;
}

static inline uint32_t has(const CSearch_filter *filter, uint32_t gram) {
    const uint32_t hash = gram * FACTOR;
    uint32_t word;
    memcpy(&word, (const uint8_t *)filter->words + 4 * ((uint64_t)hash >> filter->shift), sizeof word);
    return word >> (hash & 31) & word >> (hash >> 5 & 31) & 1;
}

static inline uint32_t hasPair(const uint8_t *pairs, uint32_t pair) { return pairs[pair >> 3] >> (pair & 7) & 1; }

size_t CSearch_blocks_plain(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {
    for (size_t at = from; at < to; at += CSEARCH_BLOCK) {
        CSearch_hits found = {0, 0, 0};
        for (unsigned place = 0; place < CSEARCH_BLOCK; place += 4) {
            uint64_t eight = load(bytes + at + place);
            if (filters->folds) eight = folded(eight);
            if (filters->windows.words) found.windows |= has(&filters->windows, (uint32_t)eight) << place / 4;
            for (unsigned next = 0; filters->grams.words && next < 4; next++)
                found.grams |= has(&filters->grams, (uint32_t)(eight >> 8 * next)) << (place + next);
            for (unsigned next = 0; filters->pairs && next < 4; next++)
                found.pairs |= hasPair(filters->pairs, (uint16_t)(eight >> 8 * next)) << (place + next);
        }
        if (found.windows | found.grams | found.pairs) {
            *hits = found;
            return at;
        }
    }
    return to;
}

// MARK: - AVX2

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i foldedMany(__m256i bytes) {
    const __m256i capital = _mm256_cmpgt_epi8(_mm256_add_epi8(bytes, _mm256_set1_epi8(0x25)), _mm256_set1_epi8(0x65));
    return _mm256_or_si256(bytes, _mm256_and_si256(capital, _mm256_set1_epi8(0x20)));
}

/// The lowest bit of each says whether the gram may be there.
AVX2 static inline __m256i haveGrams(const void *words, __m128i shift, __m256i grams) {
    const __m256i five = _mm256_set1_epi32(31);
    const __m256i hash = _mm256_mullo_epi32(grams, _mm256_set1_epi32((int)FACTOR));
    const __m256i word = _mm256_i32gather_epi32((const int *)words, _mm256_srl_epi32(hash, shift), 4);
    return _mm256_and_si256(
        _mm256_srlv_epi32(word, _mm256_and_si256(hash, five)),
        _mm256_srlv_epi32(word, _mm256_and_si256(_mm256_srli_epi32(hash, 5), five)));
}

AVX2 static inline __m256i havePairs(const void *words, __m256i pairs) {
    const __m256i word = _mm256_i32gather_epi32((const int *)words, _mm256_srli_epi32(pairs, 5), 4);
    return _mm256_srlv_epi32(word, _mm256_and_si256(pairs, _mm256_set1_epi32(31)));
}

AVX2 static inline uint32_t lowest(__m256i values) {
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(values, 31)));
}

/// Constants are passed for the last four: each case has a loop of its own.
AVX2 static inline __attribute__((always_inline)) size_t blocksMany(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits, int folds,
    int hasWindows, int hasGrams, int hasPairs) {
    // Four bytes from each of eight places.
    const __m256i spread = _mm256_setr_epi8(
        0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10);
    const __m256i twoBytes = _mm256_set1_epi32(0xffff);
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
    const __m128i windowShift = _mm_cvtsi32_si128((int)filters->windows.shift);
    const __m128i gramShift = _mm_cvtsi32_si128((int)filters->grams.shift);
    for (size_t at = from; at < to; at += CSEARCH_BLOCK) {
        __m256i windows = zero, grams[4] = {zero, zero, zero, zero}, pairs[4] = {zero, zero, zero, zero};
        __m256i any = zero;
        if (hasWindows) {
            __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at));
            if (folds) block = foldedMany(block);
            any = windows = haveGrams(filters->windows.words, windowShift, block);
        }
        if (hasGrams || hasPairs) {
            for (int part = 0; part < 4; part++) {
                __m256i block = _mm256_broadcastsi128_si256(
                    _mm_loadu_si128((const __m128i *)(const void *)(bytes + at + 8 * part)));
                if (folds) block = foldedMany(block);
                const __m256i eight = _mm256_shuffle_epi8(block, spread);
                if (hasGrams) {
                    grams[part] = haveGrams(filters->grams.words, gramShift, eight);
                    any = _mm256_or_si256(any, grams[part]);
                }
                if (hasPairs) {
                    pairs[part] = havePairs(filters->pairs, _mm256_and_si256(eight, twoBytes));
                    any = _mm256_or_si256(any, pairs[part]);
                }
            }
        }
        if (_mm256_testz_si256(any, one)) continue;
        hits->windows = lowest(windows);
        hits->grams = lowest(grams[0]) | lowest(grams[1]) << 8 | lowest(grams[2]) << 16 | lowest(grams[3]) << 24;
        hits->pairs = lowest(pairs[0]) | lowest(pairs[1]) << 8 | lowest(pairs[2]) << 16 | lowest(pairs[3]) << 24;
        return at;
    }
    return to;
}

#define CASE(name, folds, hasWindows, hasGrams, hasPairs)                                                            \
    AVX2 static size_t name(                                                                                         \
        const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {          \
        return blocksMany(bytes, from, to, filters, hits, folds, hasWindows, hasGrams, hasPairs);                    \
    }
CASE(windowsOnly, 0, 1, 0, 0)
CASE(gramsOnly, 0, 0, 1, 0)
CASE(windowsAndGrams, 0, 1, 1, 0)
CASE(all, 0, 1, 1, 1)
CASE(foldedWindowsOnly, 1, 1, 0, 0)
CASE(foldedGramsOnly, 1, 0, 1, 0)
CASE(foldedWindowsAndGrams, 1, 1, 1, 0)
CASE(foldedAll, 1, 1, 1, 1)

static int hasAVX2(void) {
    // 0: not asked yet. Asking again is harmless.
    static atomic_int known;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        unsigned a, b, c, d, low, high;
        answer = -1;
        if (__get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_AVX2) {
            __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
            // The system saves the registers of both sizes.
            if ((low & 6) == 6) answer = 1;
        }
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer > 0;
}

size_t CSearch_blocks(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {
    typedef size_t (*Loop)(const uint8_t *, size_t, size_t, const CSearch_filters *, CSearch_hits *);
    static const Loop loops[2][4] = {
        {NULL, windowsOnly, gramsOnly, windowsAndGrams}, {NULL, foldedWindowsOnly, foldedGramsOnly, foldedWindowsAndGrams}};
    const int folds = filters->folds != 0;
    const int kind = (filters->windows.words != NULL) + 2 * (filters->grams.words != NULL);
    if (!hasAVX2()) return CSearch_blocks_plain(bytes, from, to, filters, hits);
    if (filters->pairs == NULL) return kind == 0 ? to : loops[folds][kind](bytes, from, to, filters, hits);
    // Pairs without the others are rare: empty filters take their places.
    static const uint32_t empty;
    CSearch_filters whole = *filters;
    if (whole.windows.words == NULL) whole.windows = (CSearch_filter){&empty, 32};
    if (whole.grams.words == NULL) whole.grams = (CSearch_filter){&empty, 32};
    return (folds ? foldedAll : all)(bytes, from, to, &whole, hits);
}
#else
size_t CSearch_blocks(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {
    return CSearch_blocks_plain(bytes, from, to, filters, hits);
}
#endif
