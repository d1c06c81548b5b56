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
#endif
