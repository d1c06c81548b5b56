// PCRE2 with 8-bit code units, for regular expressions of signatures.
#ifndef CPCRE2_H
#define CPCRE2_H
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/// A place for one pointer that threads hand to each other: Embedded Swift has no atomics of its own.
typedef struct CPCRE2_slot {
    void *content;
} CPCRE2_slot;

/// Takes the pointer out; NULL when there is none.
static inline void *CPCRE2_take(CPCRE2_slot *slot) {
    return __atomic_exchange_n(&slot->content, (void *)0, __ATOMIC_ACQ_REL);
}

/// Puts a pointer into an empty slot; 0 when it is not empty.
static inline int CPCRE2_put(CPCRE2_slot *slot, void *content) {
    void *empty = (void *)0;
    return __atomic_compare_exchange_n(&slot->content, &empty, content, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
#endif
