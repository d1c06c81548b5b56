#include "em_module.h"

EM_MANIFEST("id=em004.heuristics\n"
            "file=em004\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "offers=em.analyse/1 em.selftest/1\n"
            "description=Advanced heuristics\n");
