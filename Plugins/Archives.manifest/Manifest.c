#include "em_module.h"

EM_MANIFEST("id=em003.archives\n"
            "file=em003\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "offers=em.container/1 em.selftest/1\n"
            "description=Messages and archives: MIME, uuencode, ZIP, GZIP, TAR\n");
