#include "CSearch.h"

#include <stdatomic.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/// Places that passed, and room for what is written beyond the last.
typedef struct Passed {
    /// Distances from the first place that was looked at.
    uint32_t distances[CSEARCH_CHUNK + 64];
    /// The four bytes there, if they were read; missing ones are 0.
    uint32_t grams[CSEARCH_CHUNK + 64];
} Passed;

// MARK: - Places that pass the sieve

static size_t siftPlain(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const uint8_t *sieve, Passed *passed) {
    uint64_t groups[256];
    memcpy(groups, sieve, sizeof groups);
    size_t passedCount = 0;
    // Groups that the bytes before allow: of one, two and three.
    uint64_t one = 0, two = 0, three = 0;
    for (size_t at = from; at < to + 3; at++) {
        const uint64_t here = groups[at < count ? bytes[at] : 0];
        // The place three bytes before.
        passed->distances[passedCount] = (uint32_t)(at - from - 3);
        passedCount += (three & here >> 48) != 0;
        three = two & here >> 32;
        two = one & here >> 16;
        one = here & 0xffff;
    }
    return passedCount;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define AVX512 __attribute__((target("avx2,bmi,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")))

/// Looks each byte up in a table of 256.
AVX512 INLINE __m512i lookUp(__m512i bytes, __mmask64 isUpper, const __m512i table[4]) {
    return _mm512_mask_blend_epi8(
        isUpper, _mm512_permutex2var_epi8(table[0], bytes, table[1]),
        _mm512_permutex2var_epi8(table[2], bytes, table[3]));
}

/// 64 places at once.
AVX512 static size_t siftMany(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const uint8_t *sieve, Passed *passed) {
    // For each byte of a place, the first eight groups and the others.
    __m512i tables[4][2][4];
    for (int i = 0; i < 32; i++)
        tables[i / 8][i / 4 % 2][i % 4] = _mm512_loadu_si512(sieve + CSEARCH_SIEVE_SIZE / 2 + 64 * i);
    uint8_t four[64];
    for (unsigned i = 0; i < 64; i++) four[i] = (uint8_t)(i / 4 + i % 4);
    const __m512i inFours = _mm512_loadu_si512(four);
    const __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t passedCount = 0;
    for (size_t at = from; at < to; at += 64) {
        // Nothing behind the object is read.
        const __mmask64 wanted = to - at < 64 ? (1ull << (to - at)) - 1 : ~0ull;
        const size_t rest = count - at;
        __m512i lower = _mm512_set1_epi8(-1), upper = lower;
        for (size_t next = 0; next < 4; next++) {
            const __mmask64 there = rest >= next + 64 ? ~0ull : rest > next ? (1ull << (rest - next)) - 1 : 0;
            const __m512i text = _mm512_maskz_loadu_epi8(there, bytes + at + next);
            const __mmask64 isUpper = _mm512_movepi8_mask(text);
            lower = _mm512_and_si512(lower, lookUp(text, isUpper, tables[next][0]));
            upper = _mm512_and_si512(upper, lookUp(text, isUpper, tables[next][1]));
        }
        const __m512i either = _mm512_or_si512(lower, upper);
        uint64_t pass = _mm512_mask_test_epi8_mask(wanted, either, either);
        if (pass == 0) continue;
        for (size_t next = at; next < at + 64; next += 16, pass >>= 16) {
            const __mmask16 these = (__mmask16)pass;
            // Sixteen places have nineteen bytes.
            const size_t left = next < count ? count - next : 0;
            const __mmask32 there = left < 19 ? (1u << left) - 1 : 0x7ffff;
            const __m512i text = _mm512_castsi256_si512(_mm256_maskz_loadu_epi8(there, bytes + next));
            _mm512_storeu_si512(
                passed->grams + passedCount, _mm512_maskz_compress_epi32(these, _mm512_permutexvar_epi8(inFours, text)));
            _mm512_storeu_si512(
                passed->distances + passedCount,
                _mm512_maskz_compress_epi32(these, _mm512_add_epi32(numbers, _mm512_set1_epi32((int)(next - from)))));
            passedCount += (size_t)__builtin_popcount(these);
        }
    }
    return passedCount;
}

/// Whether this processor looks 64 places up at once.
static int siftsMany(void) {
    // Asking again is harmless.
    static atomic_int known;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        unsigned a, b, c, d, low = 0, high;
        answer = 1;
        if (__get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE) __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        // The system saves the registers of all sizes that are used.
        if ((low & 0xe6) == 0xe6 && __get_cpuid_count(7, 0, &a, &b, &c, &d)) {
            const unsigned inB = bit_AVX2 | bit_AVX512F | bit_AVX512BW | bit_AVX512VL;
            const unsigned inC = bit_AVX512VBMI | bit_AVX512VBMI2;
            if ((b & inB) == inB && (c & inC) == inC) answer = 2;
        }
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 2;
}
#endif

// MARK: - Searches

// Each tells where to go on: at what was found, or a little before the end.

#if defined(__x86_64__)
AVX512 INLINE __mmask64 isThere(const uint8_t *bytes, __m512i mask, __m512i value) {
    return _mm512_cmpeq_epi8_mask(_mm512_or_si512(_mm512_loadu_si512(bytes), mask), value);
}

AVX512 static size_t pairOfMany(
    const uint8_t *bytes, size_t from, size_t to, size_t distance, CSearch_byte first, CSearch_byte second) {
    const __m512i firstMask = _mm512_set1_epi8((char)first.mask), firstValue = _mm512_set1_epi8((char)first.value);
    const __m512i secondMask = _mm512_set1_epi8((char)second.mask), secondValue = _mm512_set1_epi8((char)second.value);
    size_t at = from;
    for (; to - at >= 64; at += 64) {
        const __mmask64 found =
            isThere(bytes + at, firstMask, firstValue) & isThere(bytes + at + distance, secondMask, secondValue);
        if (found != 0) return at + (size_t)__builtin_ctzll(found);
    }
    return at;
}

AVX512 static size_t anyPairOfMany(const uint8_t *bytes, size_t from, size_t to, const CSearch_words pairs[4]) {
    __m512i masks[8], values[8];
    for (int i = 0; i < 4; i++) {
        masks[2 * i] = _mm512_set1_epi8((char)pairs[i].first.mask);
        values[2 * i] = _mm512_set1_epi8((char)pairs[i].first.value);
        masks[2 * i + 1] = _mm512_set1_epi8((char)pairs[i].second.mask);
        values[2 * i + 1] = _mm512_set1_epi8((char)pairs[i].second.value);
    }
    size_t at = from;
    for (; to - at >= 64; at += 64) {
        __mmask64 found = 0;
        for (int i = 0; i < 4; i++)
            found |= isThere(bytes + at, masks[2 * i], values[2 * i])
                & isThere(bytes + at + pairs[i].distance, masks[2 * i + 1], values[2 * i + 1]);
        if (found != 0) return at + (size_t)__builtin_ctzll(found);
    }
    return at;
}

AVX512 static size_t eitherOfMany(const uint8_t *bytes, size_t from, size_t to, uint8_t one, uint8_t other) {
    const __m512i ones = _mm512_set1_epi8((char)one), others = _mm512_set1_epi8((char)other);
    size_t at = from;
    for (; to - at >= 64; at += 64) {
        const __m512i block = _mm512_loadu_si512(bytes + at);
        const __mmask64 found = _mm512_cmpeq_epi8_mask(block, ones) | _mm512_cmpeq_epi8_mask(block, others);
        if (found != 0) return at + (size_t)__builtin_ctzll(found);
    }
    return at;
}
#endif

size_t CSearch_pair_many(
    const uint8_t *bytes, size_t from, size_t to, size_t distance, CSearch_byte first, CSearch_byte second) {
#if defined(__x86_64__)
    if (siftsMany()) return pairOfMany(bytes, from, to, distance, first, second);
#endif
    (void)bytes, (void)to, (void)distance, (void)first, (void)second;
    return from;
}

size_t CSearch_any_pair_many(const uint8_t *bytes, size_t from, size_t to, const CSearch_words pairs[4]) {
#if defined(__x86_64__)
    if (siftsMany()) return anyPairOfMany(bytes, from, to, pairs);
#endif
    (void)bytes, (void)to, (void)pairs;
    return from;
}

size_t CSearch_either_many(const uint8_t *bytes, size_t from, size_t to, uint8_t one, uint8_t other) {
#if defined(__x86_64__)
    if (siftsMany()) return eitherOfMany(bytes, from, to, one, other);
#endif
    (void)bytes, (void)to, (void)one, (void)other;
    return from;
}

// MARK: - What is at the places that passed

/// Four bytes with ASCII capitals as small letters.
INLINE uint32_t folded(uint32_t bytes) {
    const uint32_t low = bytes & 0x7f7f7f7fu;
    const uint32_t capital = (low + 0x3f3f3f3fu) & ~(low + 0x25252525u) & ~bytes & 0x80808080u;
    return bytes | capital >> 2;
}

INLINE uint32_t hasPair(const uint8_t *pairs, uint32_t pair) { return pairs[pair >> 3] >> (pair & 7) & 1; }

/// Constants are passed for the last two: each case has a loop of its own.
INLINE size_t lookPlain(
    const uint8_t *bytes, size_t from, const Passed *passed, size_t count, const CSearch_index *index, size_t *places,
    int folds, int hasPairs) {
    const CSearch_filter grams = index->grams;
    const uint8_t *pairs = index->pairs;
    size_t found = 0;
    // Without a branch for each place: what is looked up lies anywhere, and is asked for at many places at once.
    for (size_t i = 0; i < count; i++) {
        const size_t place = from + passed->distances[i];
        uint32_t gram;
        memcpy(&gram, bytes + place, sizeof gram);
        if (folds) gram = folded(gram);
        uint32_t kinds = CSearch_may_have(&grams, gram) * CSEARCH_GRAM;
        if (hasPairs) kinds |= hasPair(pairs, gram & 0xffff) * CSEARCH_PAIR;
        places[found] = place << 2 | kinds;
        found += kinds != 0;
    }
    return found;
}

#if defined(__x86_64__)
/// Which of sixteen grams are in a filter.
AVX512 INLINE __mmask16 haveGrams(__m512i grams, const void *words, __m128i shift) {
    const __m512i hashes = _mm512_mullo_epi32(grams, _mm512_set1_epi32((int)CSEARCH_FACTOR));
    const __m512i word = _mm512_i32gather_epi32(_mm512_srl_epi32(hashes, shift), words, 4);
    const __m512i bits = _mm512_mullo_epi32(grams, _mm512_set1_epi32((int)CSEARCH_BITS_FACTOR));
    const __m512i one = _mm512_set1_epi32(1);
    // Turning counts the lowest five bits.
    const __m512i all = _mm512_or_si512(
        _mm512_or_si512(
            _mm512_rolv_epi32(one, _mm512_srli_epi32(bits, 27)), _mm512_rolv_epi32(one, _mm512_srli_epi32(bits, 22))),
        _mm512_rolv_epi32(one, _mm512_srli_epi32(bits, 17)));
    const __m512i missing = _mm512_andnot_si512(word, all);
    return _mm512_testn_epi32_mask(missing, missing);
}

/// Which of the pairs that sixteen grams begin with are in a bitmap.
AVX512 INLINE __mmask16 havePairs(__m512i grams, const void *pairs) {
    const __m512i words = _mm512_srli_epi32(_mm512_and_si512(grams, _mm512_set1_epi32(0xffff)), 5);
    return _mm512_test_epi32_mask(
        _mm512_i32gather_epi32(words, pairs, 4), _mm512_rolv_epi32(_mm512_set1_epi32(1), grams));
}

/// Sixteen places at once. Constants are passed for the last two.
AVX512 INLINE size_t lookMany(
    size_t from, const Passed *passed, size_t count, const CSearch_index *index, size_t *places, int folds, int hasPairs) {
    const __m128i shift = _mm_cvtsi32_si128((int)index->grams.shift);
    size_t found = 0;
    for (size_t i = 0; i < count; i += 16) {
        const __mmask16 wanted = count - i < 16 ? (__mmask16)((1u << (count - i)) - 1) : 0xffff;
        __m512i grams = _mm512_maskz_loadu_epi32(wanted, passed->grams + i);
        if (folds) {
            const __mmask64 capital =
                _mm512_cmplt_epu8_mask(_mm512_sub_epi8(grams, _mm512_set1_epi8(0x41)), _mm512_set1_epi8(26));
            grams = _mm512_mask_add_epi8(grams, capital, grams, _mm512_set1_epi8(0x20));
        }
        const unsigned isGram = haveGrams(grams, index->grams.words, shift) & wanted;
        const unsigned isPair = hasPairs ? havePairs(grams, index->pairs) & wanted : 0;
        for (unsigned left = isGram | isPair; left != 0; left &= left - 1) {
            const unsigned number = (unsigned)__builtin_ctz(left);
            const size_t kinds = (isGram >> number & 1) * CSEARCH_GRAM | (isPair >> number & 1) * CSEARCH_PAIR;
            places[found++] = (from + passed->distances[i + number]) << 2 | kinds;
        }
    }
    return found;
}

#define CASE(name, folds, hasPairs)                                                                                  \
    AVX512 static size_t name(                                                                                       \
        size_t from, const Passed *passed, size_t count, const CSearch_index *index, size_t *places) {               \
        return lookMany(from, passed, count, index, places, folds, hasPairs);                                        \
    }
CASE(grams, 0, 0)
CASE(gramsAndPairs, 0, 1)
CASE(foldedGrams, 1, 0)
CASE(foldedGramsAndPairs, 1, 1)
#endif

INLINE size_t look(
    const uint8_t *bytes, size_t count, size_t from, const Passed *passed, size_t passedCount, const CSearch_index *given,
    size_t *places, int many) {
    // An empty filter takes the place of what is not there.
    static const uint32_t empty;
    CSearch_index index = *given;
    if (index.grams.words == NULL) index.grams = (CSearch_filter){&empty, 32};
    // The last two places have less than four bytes.
    size_t whole = passedCount;
    while (whole > 0 && count - from - passed->distances[whole - 1] < 4) whole--;
    size_t found = 0;
    if (!many) {
        if (index.folds)
            found = index.pairs ? lookPlain(bytes, from, passed, whole, &index, places, 1, 1)
                                : lookPlain(bytes, from, passed, whole, &index, places, 1, 0);
        else
            found = index.pairs ? lookPlain(bytes, from, passed, whole, &index, places, 0, 1)
                                : lookPlain(bytes, from, passed, whole, &index, places, 0, 0);
    }
#if defined(__x86_64__)
    else if (index.folds)
        found = (index.pairs ? foldedGramsAndPairs : foldedGrams)(from, passed, whole, &index, places);
    else
        found = (index.pairs ? gramsAndPairs : grams)(from, passed, whole, &index, places);
#endif
    for (; index.pairs && whole < passedCount; whole++) {
        const size_t place = from + passed->distances[whole];
        const uint32_t pair = bytes[place] | (uint32_t)bytes[place + 1] << 8;
        if (hasPair(index.pairs, index.folds ? folded(pair) : pair)) places[found++] = place << 2 | CSEARCH_PAIR;
    }
    return found;
}

size_t CSearch_places_plain(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const CSearch_index *index, size_t *places) {
    if (from >= to) return 0;
    Passed passed;
    const size_t passedCount = siftPlain(bytes, count, from, to, index->sieve, &passed);
    return look(bytes, count, from, &passed, passedCount, index, places, 0);
}

size_t CSearch_places(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const CSearch_index *index, size_t *places) {
#if defined(__x86_64__)
    if (from < to && siftsMany()) {
        Passed passed;
        const size_t passedCount = siftMany(bytes, count, from, to, index->sieve, &passed);
        return look(bytes, count, from, &passed, passedCount, index, places, 1);
    }
#endif
    return CSearch_places_plain(bytes, count, from, to, index, places);
}

static size_t placesOf(const Passed *passed, size_t count, size_t from, size_t *places) {
    for (size_t i = 0; i < count; i++) places[i] = from + passed->distances[i];
    return count;
}

size_t CSearch_sift_plain(
    const uint8_t *bytes, size_t count, size_t from, size_t to, const void *sieve, size_t *places) {
    if (from >= to) return 0;
    Passed passed;
    const size_t passedCount = siftPlain(bytes, count, from, to, sieve, &passed);
    return placesOf(&passed, passedCount, from, places);
}

size_t CSearch_sift(const uint8_t *bytes, size_t count, size_t from, size_t to, const void *sieve, size_t *places) {
#if defined(__x86_64__)
    if (from < to && siftsMany()) {
        Passed passed;
        const size_t passedCount = siftMany(bytes, count, from, to, sieve, &passed);
        return placesOf(&passed, passedCount, from, places);
    }
#endif
    return CSearch_sift_plain(bytes, count, from, to, sieve, places);
}

// MARK: - Which grams there are

void CSearch_note_grams_plain(const uint8_t *bytes, size_t from, size_t to, uint32_t *words, uint32_t shift) {
    for (size_t at = from; at < to; at++) {
        uint32_t gram;
        memcpy(&gram, bytes + at, sizeof gram);
        const uint32_t bit = (uint32_t)((uint64_t)(folded(gram) * CSEARCH_FACTOR) >> shift);
        words[bit >> 5] |= 1u << (bit & 31);
    }
}

#if defined(__x86_64__)
/// Sixty-four places at a time. Two of them may have their bits in one word, so that the bits are set one by one.
AVX512 static size_t noteMany(const uint8_t *bytes, size_t from, size_t to, uint32_t *words, uint32_t shift) {
    const __m512i factor = _mm512_set1_epi32((int)CSEARCH_FACTOR), one = _mm512_set1_epi32(1);
    const __m128i by = _mm_cvtsi32_si128((int)shift);
    size_t at = from;
    for (; to - at >= 64; at += 64) {
        uint32_t numbers[64], bits[64];
        for (size_t next = 0; next < 4; next++) {
            __m512i grams = _mm512_loadu_si512(bytes + at + next);
            const __mmask64 capital =
                _mm512_cmplt_epu8_mask(_mm512_sub_epi8(grams, _mm512_set1_epi8(0x41)), _mm512_set1_epi8(26));
            grams = _mm512_mask_add_epi8(grams, capital, grams, _mm512_set1_epi8(0x20));
            const __m512i bit = _mm512_srl_epi32(_mm512_mullo_epi32(grams, factor), by);
            _mm512_storeu_si512(numbers + 16 * next, _mm512_srli_epi32(bit, 5));
            _mm512_storeu_si512(bits + 16 * next, _mm512_rolv_epi32(one, bit));
        }
        for (int i = 0; i < 64; i++) words[numbers[i]] |= bits[i];
    }
    return at;
}
#endif

void CSearch_note_grams(const uint8_t *bytes, size_t from, size_t to, uint32_t *words, uint32_t shift) {
#if defined(__x86_64__)
    if (from < to && siftsMany()) from = noteMany(bytes, from, to, words, shift);
#endif
    CSearch_note_grams_plain(bytes, from, to, words, shift);
}
