#include "CDigests.h"

#include <string.h>

// MD5 is a chain of operations that wait for each other, and leaves most of a processor idle; so SHA-256 by the processor's
// own instructions costs nothing where both go through the same bytes, four steps of one after four rounds of the other.

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#define SHA __attribute__((target("sse4.1,ssse3,sha")))

int CDigests_pair_works(void) {
    // Asking again is harmless.
    static atomic_int known;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        unsigned a, b, c, d;
        answer = 1;
        if (__get_cpuid(1, &a, &b, &c, &d) && c & bit_SSSE3 && c & bit_SSE4_1 && __get_cpuid_count(7, 0, &a, &b, &c, &d)
            && b & bit_SHA)
            answer = 2;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 2;
}

/// RFC 1321: floor(2^32 × |sin(n + 1)|).
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

/// FIPS 180-4: the first 32 bits of the fractions of the cube roots of the first 64 primes.
static const uint32_t roots[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define TURN(x, by) ((x) << (by) | (x) >> (32 - (by)))
// The term that is known last is added last, whatever a compiler thinks of it.
#define STEP(early, late, a, b, by)                                                                                 \
    do {                                                                                                            \
        uint32_t sum = early;                                                                                       \
        __asm__("" : "+r"(sum));                                                                                    \
        sum += late;                                                                                                \
        a = b + TURN(sum, by);                                                                                      \
    } while (0)
#define WORD(n, k) (sines[n] + words[k])
#define F(n, k, a, b, c, d, by) STEP(a + WORD(n, k), (d ^ (b & (c ^ d))), a, b, by)
#define G(n, k, a, b, c, d, by) STEP(a + WORD(n, k) + (c & ~d), (b & d), a, b, by)
#define H(n, k, a, b, c, d, by) STEP(a + WORD(n, k), (c ^ d ^ b), a, b, by)
#define I(n, k, a, b, c, d, by) STEP(a + WORD(n, k), (c ^ (b | ~d)), a, b, by)
#define FOUR(f, n, k0, k1, k2, k3, s0, s1, s2, s3)                                                                  \
    f(n, k0, a, b, c, d, s0);                                                                                       \
    f(n + 1, k1, d, a, b, c, s1);                                                                                   \
    f(n + 2, k2, c, d, a, b, s2);                                                                                   \
    f(n + 3, k3, b, c, d, a, s3)
// Four rounds, and the four words that are wanted sixteen rounds later.
#define ROUNDS(n)                                                                                                   \
    do {                                                                                                            \
        __m128i message = _mm_add_epi32(w[n], _mm_load_si128((const __m128i *)(const void *)(roots + 4 * (n))));    \
        upper = _mm_sha256rnds2_epu32(upper, lower, message);                                                       \
        lower = _mm_sha256rnds2_epu32(lower, upper, _mm_shuffle_epi32(message, 0x0e));                              \
        if ((n) < 12)                                                                                               \
            w[(n) + 4] = _mm_sha256msg2_epu32(                                                                      \
                _mm_add_epi32(                                                                                      \
                    _mm_sha256msg1_epu32(w[n], w[(n) + 1]), _mm_alignr_epi8(w[(n) + 3], w[(n) + 2], 4)),            \
                w[(n) + 3]);                                                                                        \
    } while (0)

SHA static void addBlocks(CDigests_pair *pair, const uint8_t *bytes, size_t blocks) {
    const __m128i turned = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
    uint32_t a = pair->md5[0], b = pair->md5[1], c = pair->md5[2], d = pair->md5[3];
    // The instructions want a, b, e, f in one register, and c, d, g, h in the other.
    const __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)pair->sha256);
    const __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(pair->sha256 + 4));
    const __m128i first = _mm_shuffle_epi32(dcba, 0xb1), second = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i lower = _mm_alignr_epi8(first, second, 8), upper = _mm_blend_epi16(second, first, 0xf0);
    for (; blocks > 0; blocks--, bytes += 64) {
        uint32_t words[16];
        memcpy(words, bytes, sizeof words);
        __m128i w[16];
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i)), turned);
        const uint32_t a0 = a, b0 = b, c0 = c, d0 = d;
        const __m128i lower0 = lower, upper0 = upper;
        ROUNDS(0); FOUR(F, 0, 0, 1, 2, 3, 7, 12, 17, 22);
        ROUNDS(1); FOUR(F, 4, 4, 5, 6, 7, 7, 12, 17, 22);
        ROUNDS(2); FOUR(F, 8, 8, 9, 10, 11, 7, 12, 17, 22);
        ROUNDS(3); FOUR(F, 12, 12, 13, 14, 15, 7, 12, 17, 22);
        ROUNDS(4); FOUR(G, 16, 1, 6, 11, 0, 5, 9, 14, 20);
        ROUNDS(5); FOUR(G, 20, 5, 10, 15, 4, 5, 9, 14, 20);
        ROUNDS(6); FOUR(G, 24, 9, 14, 3, 8, 5, 9, 14, 20);
        ROUNDS(7); FOUR(G, 28, 13, 2, 7, 12, 5, 9, 14, 20);
        ROUNDS(8); FOUR(H, 32, 5, 8, 11, 14, 4, 11, 16, 23);
        ROUNDS(9); FOUR(H, 36, 1, 4, 7, 10, 4, 11, 16, 23);
        ROUNDS(10); FOUR(H, 40, 13, 0, 3, 6, 4, 11, 16, 23);
        ROUNDS(11); FOUR(H, 44, 9, 12, 15, 2, 4, 11, 16, 23);
        ROUNDS(12); FOUR(I, 48, 0, 7, 14, 5, 6, 10, 15, 21);
        ROUNDS(13); FOUR(I, 52, 12, 3, 10, 1, 6, 10, 15, 21);
        ROUNDS(14); FOUR(I, 56, 8, 15, 6, 13, 6, 10, 15, 21);
        ROUNDS(15); FOUR(I, 60, 4, 11, 2, 9, 6, 10, 15, 21);
        a += a0; b += b0; c += c0; d += d0;
        lower = _mm_add_epi32(lower, lower0);
        upper = _mm_add_epi32(upper, upper0);
    }
    pair->md5[0] = a; pair->md5[1] = b; pair->md5[2] = c; pair->md5[3] = d;
    const __m128i third = _mm_shuffle_epi32(lower, 0x1b), fourth = _mm_shuffle_epi32(upper, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)pair->sha256, _mm_blend_epi16(third, fourth, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(pair->sha256 + 4), _mm_alignr_epi8(fourth, third, 8));
}
#else
int CDigests_pair_works(void) { return 0; }
static void addBlocks(CDigests_pair *pair, const uint8_t *bytes, size_t blocks) { (void)pair, (void)bytes, (void)blocks; }
#endif

void CDigests_pair_begin(CDigests_pair *pair) {
    static const CDigests_pair first = {
        {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476},
        {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
        0,
        {0},
    };
    *pair = first;
}

void CDigests_pair_add(CDigests_pair *pair, const uint8_t *bytes, size_t length) {
    if (length == 0) return;
    const size_t there = pair->length % 64;
    pair->length += length;
    if (there > 0) {
        const size_t more = length < 64 - there ? length : 64 - there;
        memcpy(pair->rest + there, bytes, more);
        if (there + more < 64) return;
        addBlocks(pair, pair->rest, 1);
        bytes += more;
        length -= more;
    }
    addBlocks(pair, bytes, length / 64);
    if (length % 64 > 0) memcpy(pair->rest, bytes + (length & ~(size_t)63), length % 64);
}

void CDigests_pair_finish(CDigests_pair *pair, void *md5, void *sha256) {
    // A bit of one, zeros, and the number of bits: little-endian in MD5, big-endian in SHA-256.
    const uint64_t bits = pair->length * 8;
    const size_t there = pair->length % 64, size = there < 56 ? 64 : 128;
    uint8_t last[128] = {0};
    memcpy(last, pair->rest, there);
    last[there] = 0x80;
    CDigests_pair other = *pair;
    for (int i = 0; i < 8; i++) last[size - 8 + (size_t)i] = (uint8_t)(bits >> 8 * i);
    addBlocks(pair, last, size / 64);
    for (int i = 0; i < 8; i++) last[size - 8 + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    addBlocks(&other, last, size / 64);
    memcpy(md5, pair->md5, 16);
    uint8_t digest[32];
    for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(other.sha256[i / 4] >> (24 - i % 4 * 8));
    memcpy(sha256, digest, sizeof digest);
}
