#include "em_module.h"

EM_MANIFEST("id=em001.scanner\n"
            "file=em001\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "offers=em.scan/1 em.selftest/1\n"
            "description=Object tree and signature matching\n");
