#include "em_module.h"

EM_MANIFEST("id=em001.scanner\n"
            "file=em001\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n");
