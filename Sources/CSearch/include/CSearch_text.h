// Plain text: small letters, one space for white space.
#ifndef CSEARCH_TEXT_H
#define CSEARCH_TEXT_H
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Copies text with capitals as small letters and white space as spaces, up to the first byte that is left out: white space
/// behind white space, a control character, or a byte above 127. Works sixteen bytes at a time; the last few are left to the
/// caller. `to` has room for `count` bytes.
///
/// @param afterSpace whether white space precedes the text; then, whether what was copied ends with some.
/// @return how many bytes were copied.
static inline size_t CSearch_copy_plain(const uint8_t *from, size_t count, uint8_t *to, int *afterSpace) {
    size_t at = 0;
#if defined(__SSE2__)
    unsigned after = *afterSpace != 0;
    while (count - at >= 16) {
        const __m128i text = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
        const __m128i control = _mm_sub_epi8(text, _mm_set1_epi8(9));
        const __m128i space = _mm_or_si128(
            _mm_cmpeq_epi8(text, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(_mm_min_epu8(control, _mm_set1_epi8(4)), control));
        const __m128i shown = _mm_sub_epi8(text, _mm_set1_epi8(0x21));
        const __m128i isShown = _mm_cmpeq_epi8(_mm_min_epu8(shown, _mm_set1_epi8(0x5e)), shown);
        const __m128i letter = _mm_sub_epi8(text, _mm_set1_epi8(0x41));
        const __m128i capital = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
        const __m128i small = _mm_or_si128(text, _mm_and_si128(capital, _mm_set1_epi8(0x20)));
        _mm_storeu_si128(
            (__m128i *)(void *)(to + at),
            _mm_or_si128(_mm_andnot_si128(space, small), _mm_and_si128(space, _mm_set1_epi8(0x20))));
        const unsigned spaces = (unsigned)_mm_movemask_epi8(space);
        const unsigned kept = (unsigned)_mm_movemask_epi8(_mm_or_si128(space, isShown));
        const unsigned bad = (~kept | (spaces & (spaces << 1 | after))) & 0xffff;
        if (bad != 0) {
            const unsigned good = (unsigned)__builtin_ctz(bad);
            if (good > 0) after = spaces >> (good - 1) & 1;
            at += good;
            break;
        }
        after = spaces >> 15;
        at += 16;
    }
    *afterSpace = (int)after;
#else
    (void)from, (void)count, (void)to, (void)afterSpace;
#endif
    return at;
}

/// Whether a byte is visible ASCII, and none of four.
static inline int CSearch_is_shown(uint8_t byte, const uint8_t stops[4]) {
    return (uint8_t)(byte - 0x21) < 0x5e && byte != stops[0] && byte != stops[1] && byte != stops[2] && byte != stops[3];
}

/// Copies visible ASCII with capitals as small letters, up to the first byte that is one of four, or is not visible, and single
/// spaces between what is copied, when `keepsSpaces`. `to` has room for `count` bytes; what is in it behind those that count as
/// copied means nothing.
///
/// @return how many bytes were copied.
static inline size_t CSearch_copy_shown(
    const uint8_t *from, size_t count, uint8_t *to, const uint8_t stops[4], int keepsSpaces) {
    size_t at = 0;
#if defined(__SSE2__)
    const __m128i first = _mm_set1_epi8((char)stops[0]), second = _mm_set1_epi8((char)stops[1]);
    const __m128i third = _mm_set1_epi8((char)stops[2]), fourth = _mm_set1_epi8((char)stops[3]);
    // A space at the beginning is not between two.
    unsigned after = 1;
    while (count - at >= 16) {
        const __m128i text = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
        const __m128i shown = _mm_sub_epi8(text, _mm_set1_epi8(0x21));
        const __m128i isShown = _mm_cmpeq_epi8(_mm_min_epu8(shown, _mm_set1_epi8(0x5d)), shown);
        const __m128i isStop = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(text, first), _mm_cmpeq_epi8(text, second)),
            _mm_or_si128(_mm_cmpeq_epi8(text, third), _mm_cmpeq_epi8(text, fourth)));
        const __m128i letter = _mm_sub_epi8(text, _mm_set1_epi8(0x41));
        const __m128i capital = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
        _mm_storeu_si128(
            (__m128i *)(void *)(to + at), _mm_or_si128(text, _mm_and_si128(capital, _mm_set1_epi8(0x20))));
        const unsigned spaces =
            keepsSpaces ? (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8(0x20))) : 0;
        const unsigned kept = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(isStop, isShown)) | spaces;
        const unsigned bad = (~kept | (spaces & (spaces << 1 | after))) & 0xffff;
        if (bad != 0) {
            at += (size_t)__builtin_ctz(bad);
            // The last one may be a space with nothing to show behind.
            return at > 0 && from[at - 1] == 0x20 ? at - 1 : at;
        }
        after = spaces >> 15;
        at += 16;
    }
#endif
    for (; at < count; at++) {
        const uint8_t byte = from[at];
        if (!CSearch_is_shown(byte, stops) && !(keepsSpaces && byte == 0x20 && at > 0 && from[at - 1] != 0x20)) break;
        to[at] = (uint8_t)(byte - 0x41) < 26 ? byte | 0x20 : byte;
    }
    return at > 0 && from[at - 1] == 0x20 ? at - 1 : at;
}
#endif
