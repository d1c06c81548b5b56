#include "em_module.h"

EM_MANIFEST("id=em005.antispam\n"
            "file=em005\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "offers=em.analyse/1 em.selftest/1\n"
            "description=Antispam engine\n");
