#include "em_module.h"

EM_MANIFEST("id=em000.loader\n"
            "file=em000\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "offers=em.loader/1 em.selftest/1\n"
            "description=Verifies modules and puts them in order\n");
