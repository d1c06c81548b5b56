#include "CSearch.h"

#include <stdatomic.h>
#include <string.h>

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

static inline uint32_t hasPair(const uint8_t *pairs, uint32_t pair) { return pairs[pair >> 3] >> (pair & 7) & 1; }

size_t CSearch_blocks_plain(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {
    for (size_t at = from; at < to; at += CSEARCH_BLOCK) {
        CSearch_hits found = {0, 0, 0, 0};
        for (unsigned place = 0; place < CSEARCH_BLOCK; place += 4) {
            uint64_t eight = load(bytes + at + place);
            if (filters->folds) eight = folded(eight);
            if (filters->windows.words) found.windows |= CSearch_may_have(&filters->windows, (uint32_t)eight) << place;
            for (unsigned next = 0; filters->spans.words && next < 4; next += 2)
                found.spans |= CSearch_may_have(&filters->spans, (uint32_t)(eight >> 8 * next)) << (place + next);
            for (unsigned next = 0; filters->grams.words && next < 4; next++)
                found.grams |= CSearch_may_have(&filters->grams, (uint32_t)(eight >> 8 * next)) << (place + next);
            for (unsigned next = 0; filters->pairs && next < 4; next++)
                found.pairs |= hasPair(filters->pairs, (uint16_t)(eight >> 8 * next)) << (place + next);
        }
        if (found.windows | found.spans | found.grams | found.pairs) {
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

/// What a filter is asked with, of eight grams.
typedef struct Hashes {
    __m256i words, bits[3];
} Hashes;

AVX2 static inline Hashes hashesOf(__m256i grams) {
    const __m256i five = _mm256_set1_epi32(31);
    const __m256i bits = _mm256_mullo_epi32(grams, _mm256_set1_epi32((int)CSEARCH_BITS_FACTOR));
    return (Hashes){
        _mm256_mullo_epi32(grams, _mm256_set1_epi32((int)CSEARCH_FACTOR)),
        {_mm256_srli_epi32(bits, 27), _mm256_and_si256(_mm256_srli_epi32(bits, 22), five),
         _mm256_and_si256(_mm256_srli_epi32(bits, 17), five)}};
}

/// The lowest bit of each says whether the gram may be there.
AVX2 static inline __m256i haveGrams(const void *words, __m128i shift, Hashes hashes) {
    const __m256i word = _mm256_i32gather_epi32((const int *)words, _mm256_srl_epi32(hashes.words, shift), 4);
    return _mm256_and_si256(
        _mm256_srlv_epi32(word, hashes.bits[0]),
        _mm256_and_si256(_mm256_srlv_epi32(word, hashes.bits[1]), _mm256_srlv_epi32(word, hashes.bits[2])));
}

AVX2 static inline __m256i havePairs(const void *words, __m256i pairs) {
    const __m256i word = _mm256_i32gather_epi32((const int *)words, _mm256_srli_epi32(pairs, 5), 4);
    return _mm256_srlv_epi32(word, _mm256_and_si256(pairs, _mm256_set1_epi32(31)));
}

/// The lowest bit of each of eight values, as bits 0, 4, 8 and so on.
AVX2 static inline uint32_t lowest(__m256i values) {
    uint32_t bits = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(values, 31)));
    bits = (bits | bits << 12) & 0x000f000f;
    bits = (bits | bits << 6) & 0x03030303;
    return (bits | bits << 3) & 0x11111111;
}

/// Constants are passed for the last four: each case has a loop of its own.
AVX2 static inline __attribute__((always_inline)) size_t blocksMany(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits, int folds,
    int hasSpans, int hasGrams, int hasPairs) {
    const __m256i twoBytes = _mm256_set1_epi32(0xffff);
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
    const __m128i windowShift = _mm_cvtsi32_si128((int)filters->windows.shift);
    const __m128i spanShift = _mm_cvtsi32_si128((int)filters->spans.shift);
    const __m128i gramShift = _mm_cvtsi32_si128((int)filters->grams.shift);
    for (size_t at = from; at < to; at += CSEARCH_BLOCK) {
        __m256i windows = zero, spans[4] = {zero, zero, zero, zero}, grams[4] = {zero, zero, zero, zero};
        __m256i pairs[4] = {zero, zero, zero, zero}, any = zero;
        // First the places 0, 4, 8 and so on, then those one behind them, and so on.
        for (int next = 0; next < 4; next++) {
            if (next % 2 != 0 && !hasGrams && !hasPairs) continue;
            if (next == 2 && !hasSpans && !hasGrams && !hasPairs) continue;
            __m256i eight = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at + next));
            if (folds) eight = foldedMany(eight);
            const Hashes hashes = hashesOf(eight);
            if (next == 0) any = windows = haveGrams(filters->windows.words, windowShift, hashes);
            if (next % 2 == 0 && hasSpans) {
                spans[next] = haveGrams(filters->spans.words, spanShift, hashes);
                any = _mm256_or_si256(any, spans[next]);
            }
            if (hasGrams) {
                grams[next] = haveGrams(filters->grams.words, gramShift, hashes);
                any = _mm256_or_si256(any, grams[next]);
            }
            if (hasPairs) {
                pairs[next] = havePairs(filters->pairs, _mm256_and_si256(eight, twoBytes));
                any = _mm256_or_si256(any, pairs[next]);
            }
        }
        if (_mm256_testz_si256(any, one)) continue;
        hits->windows = lowest(windows);
        hits->spans = lowest(spans[0]) | lowest(spans[2]) << 2;
        hits->grams = lowest(grams[0]) | lowest(grams[1]) << 1 | lowest(grams[2]) << 2 | lowest(grams[3]) << 3;
        hits->pairs = lowest(pairs[0]) | lowest(pairs[1]) << 1 | lowest(pairs[2]) << 2 | lowest(pairs[3]) << 3;
        return at;
    }
    return to;
}

#define CASE(name, folds, hasSpans, hasGrams, hasPairs)                                                              \
    AVX2 static size_t name(                                                                                         \
        const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {          \
        return blocksMany(bytes, from, to, filters, hits, folds, hasSpans, hasGrams, hasPairs);                      \
    }
CASE(windows, 0, 0, 0, 0)
CASE(windowsAndSpans, 0, 1, 0, 0)
CASE(windowsAndGrams, 0, 0, 1, 0)
CASE(withoutPairs, 0, 1, 1, 0)
CASE(all, 0, 1, 1, 1)
CASE(foldedWindows, 1, 0, 0, 0)
CASE(foldedWindowsAndSpans, 1, 1, 0, 0)
CASE(foldedWindowsAndGrams, 1, 0, 1, 0)
CASE(foldedWithoutPairs, 1, 1, 1, 0)
CASE(foldedAll, 1, 1, 1, 1)

// MARK: - AVX-512

#define AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi")))

AVX512 static inline __m512i foldedBytes(__m512i bytes) {
    const __mmask64 capital = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(0x41)), _mm512_set1_epi8(26));
    return _mm512_mask_add_epi8(bytes, capital, bytes, _mm512_set1_epi8(0x20));
}

/// The places of 64 that pass a sieve. Only those of `wanted` are read, and three bytes behind them.
AVX512 static inline uint64_t sift(const uint8_t *bytes, const __m512i tables[8], __mmask64 wanted, int folds) {
    __m512i next[4];
    for (int i = 0; i < 4; i++) {
        next[i] = _mm512_maskz_loadu_epi8(wanted, bytes + i);
        if (folds) next[i] = foldedBytes(next[i]);
    }
    __m512i all = _mm512_set1_epi8(-1);
    for (int i = 0; i < 4; i += 2) {
        // As in CSearch_sieve_index.
        const __m512i one = _mm512_add_epi8(next[i], _mm512_add_epi8(next[i + 1], next[i + 1]));
        const __m512i other = _mm512_add_epi8(next[i + 1], _mm512_add_epi8(next[i], next[i]));
        all = _mm512_and_si512(all, _mm512_permutex2var_epi8(tables[2 * i], one, tables[2 * i + 1]));
        all = _mm512_and_si512(all, _mm512_permutex2var_epi8(tables[2 * i + 2], other, tables[2 * i + 3]));
    }
    return _mm512_mask_test_epi8_mask(wanted, all, all);
}

/// Grams and pairs at the places that passed.
static inline void look(
    const uint8_t *bytes, uint32_t passed, const CSearch_filters *filters, int folds, CSearch_hits *hits) {
    for (; passed != 0; passed &= passed - 1) {
        const unsigned place = (unsigned)__builtin_ctz(passed);
        uint32_t gram;
        memcpy(&gram, bytes + place, sizeof gram);
        if (folds) gram = (uint32_t)folded(gram);
        if (filters->grams.words) hits->grams |= CSearch_may_have(&filters->grams, gram) << place;
        if (filters->pairs) hits->pairs |= hasPair(filters->pairs, gram & 0xffff) << place;
    }
}

AVX512 static inline __attribute__((always_inline)) size_t blocksSifted(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits, int folds,
    int hasWindows, int hasSpans) {
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
    const __m128i windowShift = _mm_cvtsi32_si128((int)filters->windows.shift);
    const __m128i spanShift = _mm_cvtsi32_si128((int)filters->spans.shift);
    __m512i tables[8];
    for (int i = 0; i < 8; i++) tables[i] = _mm512_loadu_si512(filters->sieve + 64 * i);
    uint64_t sifted = 0;
    size_t siftedTo = from;
    for (size_t at = from; at < to; at += CSEARCH_BLOCK) {
        __m256i windows = zero, spans[2] = {zero, zero}, any = zero;
        if (hasWindows) {
            __m256i eight = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at));
            if (folds) eight = foldedMany(eight);
            const Hashes hashes = hashesOf(eight);
            any = windows = haveGrams(filters->windows.words, windowShift, hashes);
            if (hasSpans) {
                spans[0] = haveGrams(filters->spans.words, spanShift, hashes);
                eight = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at + 2));
                if (folds) eight = foldedMany(eight);
                spans[1] = haveGrams(filters->spans.words, spanShift, hashesOf(eight));
                any = _mm256_or_si256(any, _mm256_or_si256(spans[0], spans[1]));
            }
        }
        // Two blocks at once, when there is another.
        if (at < siftedTo) {
            sifted >>= 32;
        } else {
            sifted = sift(bytes + at, tables, to - at > CSEARCH_BLOCK ? ~0ull : 0xffffffffull, folds);
            siftedTo = at + 64;
        }
        *hits = (CSearch_hits){0, 0, 0, 0};
        if ((uint32_t)sifted != 0) look(bytes + at, (uint32_t)sifted, filters, folds, hits);
        if ((hits->grams | hits->pairs) == 0 && _mm256_testz_si256(any, one)) continue;
        hits->windows = lowest(windows);
        hits->spans = lowest(spans[0]) | lowest(spans[1]) << 2;
        return at;
    }
    return to;
}

#define SIFTED(name, folds, hasWindows, hasSpans)                                                                    \
    AVX512 static size_t name(                                                                                       \
        const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {          \
        return blocksSifted(bytes, from, to, filters, hits, folds, hasWindows, hasSpans);                            \
    }
SIFTED(siftedAlone, 0, 0, 0)
SIFTED(siftedWindows, 0, 1, 0)
SIFTED(siftedSpans, 0, 1, 1)
SIFTED(foldedSiftedAlone, 1, 0, 0)
SIFTED(foldedSiftedWindows, 1, 1, 0)
SIFTED(foldedSiftedSpans, 1, 1, 1)

// MARK: - Which

typedef enum Processor { notAsked, anyProcessor, hasAVX2, hasVBMI } Processor;

/// What the processor has that the loops use.
static Processor processor(void) {
    // Asking again is harmless.
    static atomic_int known;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == notAsked) {
        unsigned a, b, c, d, low = 0, high;
        answer = anyProcessor;
        if (__get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE) __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        // The system saves the registers of all sizes that are used.
        if ((low & 6) == 6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_AVX2) {
            answer = hasAVX2;
            const unsigned needed = bit_AVX512F | bit_AVX512BW | bit_AVX512VL;
            if ((low & 0xe6) == 0xe6 && (b & needed) == needed && c & bit_AVX512VBMI) answer = hasVBMI;
        }
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return (Processor)answer;
}

int CSearch_sifts(void) { return processor() == hasVBMI; }

size_t CSearch_blocks(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {
    typedef size_t (*Loop)(const uint8_t *, size_t, size_t, const CSearch_filters *, CSearch_hits *);
    static const Loop loops[2][4] = {
        {windows, windowsAndSpans, windowsAndGrams, withoutPairs},
        {foldedWindows, foldedWindowsAndSpans, foldedWindowsAndGrams, foldedWithoutPairs}};
    static const Loop sifting[2][3] = {
        {siftedAlone, siftedWindows, siftedSpans}, {foldedSiftedAlone, foldedSiftedWindows, foldedSiftedSpans}};
    if (processor() < hasAVX2) return CSearch_blocks_plain(bytes, from, to, filters, hits);
    const int folds = filters->folds != 0, hasSpans = filters->spans.words != NULL;
    const int hasOthers = filters->grams.words != NULL || filters->pairs != NULL;
    if (filters->windows.words == NULL && !hasSpans && !hasOthers) return to;
    // Few lack what the loop looks up: empty filters take the places of what is not there.
    static const uint32_t empty;
    CSearch_filters whole = *filters;
    if (whole.windows.words == NULL) whole.windows = (CSearch_filter){&empty, 32};
    if (hasOthers && filters->sieve != NULL && processor() == hasVBMI) {
        const int kind = hasSpans ? 2 : filters->windows.words != NULL;
        return sifting[folds][kind](bytes, from, to, &whole, hits);
    }
    const int kind = hasSpans + 2 * (filters->grams.words != NULL);
    if (whole.spans.words == NULL) whole.spans = (CSearch_filter){&empty, 32};
    if (whole.grams.words == NULL) whole.grams = (CSearch_filter){&empty, 32};
    const Loop loop = filters->pairs == NULL ? loops[folds][kind] : folds ? foldedAll : all;
    return loop(bytes, from, to, &whole, hits);
}
#else
int CSearch_sifts(void) { return 0; }

size_t CSearch_blocks(
    const uint8_t *bytes, size_t from, size_t to, const CSearch_filters *filters, CSearch_hits *hits) {
    return CSearch_blocks_plain(bytes, from, to, filters, hits);
}
#endif
