// Base64 (RFC 4648 §4), sixteen characters at once where the processor can.
#ifndef CBASE64_H
#define CBASE64_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>

/// The lanes that are at most `last`.
static inline __m128i CBase64_among(__m128i bytes, char last) {
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(last)), bytes);
}
#else
/// The six bits of a character; -1 when it is not in the alphabet.
static inline int CBase64_value(uint8_t byte) {
    if ((uint8_t)(byte - 'A') < 26) return byte - 'A';
    if ((uint8_t)(byte - 'a') < 26) return byte - 'a' + 26;
    if ((uint8_t)(byte - '0') < 10) return byte - '0' + 52;
    return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}
#endif

/// Decodes the groups of four at the beginning of sixteen characters, up to the first that is not in the alphabet.
/// Returns how many there are; each makes three bytes. `to` has room for twelve, all of which may be written.
static inline int CBase64_decode16(const uint8_t *from, uint8_t *to) {
#if defined(__SSE2__)
    const __m128i text = _mm_loadu_si128((const __m128i *)(const void *)from);
    const __m128i large = _mm_sub_epi8(text, _mm_set1_epi8('A'));
    const __m128i small = _mm_sub_epi8(text, _mm_set1_epi8('a'));
    const __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    const __m128i isLarge = CBase64_among(large, 25), isSmall = CBase64_among(small, 25);
    const __m128i isDigit = CBase64_among(digit, 9);
    const __m128i isPlus = _mm_cmpeq_epi8(text, _mm_set1_epi8('+')), isSlash = _mm_cmpeq_epi8(text, _mm_set1_epi8('/'));
    __m128i values = _mm_and_si128(isLarge, large);
    values = _mm_or_si128(values, _mm_and_si128(isSmall, _mm_add_epi8(small, _mm_set1_epi8(26))));
    values = _mm_or_si128(values, _mm_and_si128(isDigit, _mm_add_epi8(digit, _mm_set1_epi8(52))));
    values = _mm_or_si128(values, _mm_and_si128(isPlus, _mm_set1_epi8(62)));
    values = _mm_or_si128(values, _mm_and_si128(isSlash, _mm_set1_epi8(63)));
    const __m128i isSign = _mm_or_si128(isPlus, isSlash);
    const __m128i known = _mm_or_si128(_mm_or_si128(isLarge, isSmall), _mm_or_si128(isDigit, isSign));
    const unsigned unknown = ~(unsigned)_mm_movemask_epi8(known) & 0xffffu;
    // Lanes of four sextets, the first lowest, become 24 bits each, whose first byte is the lowest as well.
    const __m128i first = _mm_or_si128(
        _mm_and_si128(_mm_slli_epi32(values, 2), _mm_set1_epi32(0xfc)),
        _mm_and_si128(_mm_srli_epi32(values, 12), _mm_set1_epi32(0x03)));
    const __m128i second = _mm_or_si128(
        _mm_and_si128(_mm_slli_epi32(values, 4), _mm_set1_epi32(0xf000)),
        _mm_and_si128(_mm_srli_epi32(values, 10), _mm_set1_epi32(0x0f00)));
    const __m128i third = _mm_or_si128(
        _mm_and_si128(_mm_slli_epi32(values, 6), _mm_set1_epi32(0xc00000)),
        _mm_and_si128(_mm_srli_epi32(values, 8), _mm_set1_epi32(0x3f0000)));
    uint32_t lanes[4];
    _mm_storeu_si128((__m128i *)(void *)lanes, _mm_or_si128(first, _mm_or_si128(second, third)));
    memcpy(to, &lanes[0], 4);
    memcpy(to + 3, &lanes[1], 4);
    memcpy(to + 6, &lanes[2], 4);
    memcpy(to + 9, &lanes[3], 3);
    return unknown == 0 ? 4 : __builtin_ctz(unknown) / 4;
#else
    int groups = 0;
    for (; groups < 4; groups++, from += 4, to += 3) {
        uint32_t bits = 0;
        for (int i = 0; i < 4; i++) {
            const int value = CBase64_value(from[i]);
            if (value < 0) return groups;
            bits = bits << 6 | (uint32_t)value;
        }
        to[0] = (uint8_t)(bits >> 16);
        to[1] = (uint8_t)(bits >> 8);
        to[2] = (uint8_t)bits;
    }
    return groups;
#endif
}

/// Decodes lines: groups of four, and the line ends (CR, LF) between them. Stops at anything else, within the last 31
/// characters, and when there is room for fewer than 32 more bytes; those are for `CBase64_decode16`. Returns how many
/// characters it used and tells how many bytes it wrote; beyond these, up to 32 bytes of `to` may be changed.
size_t CBase64_decodeLines(const uint8_t *from, size_t count, uint8_t *to, size_t room, size_t *written);
#endif
