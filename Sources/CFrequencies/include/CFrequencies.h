// How often fragments are in ordinary files: programs, pages, texts, messages; ASCII capitals count as small letters.
//
// A level is -4 x log2 of the frequency: of places in a file, the share where the fragment begins. It is that of the kind of
// file that has most of it; 88 is "hardly ever".
#ifndef CFREQUENCIES_H
#define CFREQUENCIES_H
#include <stdint.h>

// By pair, and by the upper 16 bits of a gram's product with each factor: the character # is level 0.
extern const char CFrequencies_pairs[];
extern const char CFrequencies_grams0[];
extern const char CFrequencies_grams1[];

/// The level of two bytes, little-endian, without capitals.
static inline int CFrequencies_pair(uint16_t pair) { return CFrequencies_pairs[pair] - '#'; }

/// The level of four bytes likewise. Grams share places in two tables; the rarer of both is nearer to the truth.
static inline int CFrequencies_gram(uint32_t gram) {
    const int first = CFrequencies_grams0[(uint32_t)(gram * 0x9e3779b1u) >> 16];
    const int second = CFrequencies_grams1[(uint32_t)(gram * 0x85ebca77u) >> 16];
    return (first > second ? first : second) - '#';
}
#endif
