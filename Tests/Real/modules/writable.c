/* em120: a data module that must be refused, because its data lies in a writable segment. */
#include "em_module.h"

EM_MANIFEST("id=em120.writable\n"
            "file=em120\n"
            "version=1\n"
            "kind=data\n"
            "abi=1.0\n"
            "description=Data that could be changed\n");

uint8_t em_module_data[4096] = {1};
