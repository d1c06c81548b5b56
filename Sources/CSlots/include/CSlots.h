// Places of a table that threads take and give back without waiting.
#ifndef CSLOTS_H
#define CSLOTS_H
#include <stddef.h>

typedef struct CSlots_slot {
    void *owner; // NULL while it is free
    void *value; // only its owner reads and writes it
} CSlots_slot;

/// Takes a free slot for an owner; 0 when it is taken.
static inline int CSlots_claim(CSlots_slot *slot, void *owner) {
    void *none = NULL;
    return __atomic_compare_exchange_n(&slot->owner, &none, owner, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/// Whose it is at this moment.
static inline void *CSlots_owner(CSlots_slot *slot) {
    return __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE);
}

/// Gives it back.
static inline void CSlots_release(CSlots_slot *slot) {
    slot->value = NULL;
    __atomic_store_n(&slot->owner, NULL, __ATOMIC_RELEASE);
}

/// Takes what is in a place that threads share, so that nobody else has it; NULL when there is nothing.
static inline void *CSlots_take(void **place) {
    return __atomic_exchange_n(place, NULL, __ATOMIC_ACQ_REL);
}

/// Puts something into an empty place; 0 when it is not empty.
static inline int CSlots_put(void **place, void *value) {
    void *none = NULL;
    return __atomic_compare_exchange_n(place, &none, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
#endif
