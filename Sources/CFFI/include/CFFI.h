// libffi: calls of functions that are described by a type string.
#ifndef CFFI_H
#define CFFI_H
#include <ffi.h>
#endif
