// libffi: calls of functions that are described by a type string.
#ifndef CFFI_H
#define CFFI_H
#include <ffi.h>
#include <stdint.h>

// ffi_type_… are macros or data of the library, which Embedded Swift does not take the address of.
static inline ffi_type *CFFI_pointer(void) { return &ffi_type_pointer; }
static inline ffi_type *CFFI_int64(void) { return &ffi_type_sint64; }
static inline ffi_type *CFFI_double(void) { return &ffi_type_double; }

/// Calls a function that returns int32_t. Returns 1, or 0 when its type cannot be called.
static inline int CFFI_call(void *function, unsigned count, ffi_type **types, void **arguments, int64_t *result) {
    ffi_cif cif;
    ffi_arg value = 0;
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, count, &ffi_type_sint32, types) != FFI_OK) return 0;
    ffi_call(&cif, FFI_FN(function), &value, arguments);
    *result = (int64_t)(int32_t)value;
    return 1;
}
#endif
