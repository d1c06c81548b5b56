// The ABI is headers only; this file proves that they stand alone in C11, and pins their layouts.
#include "em_antispam_database.h"
#include "em_database.h"
#include "em_module.h"

_Static_assert(sizeof(em_slice) == 16, "em_slice");
_Static_assert(sizeof(em_host) == 24, "em_host");
_Static_assert(sizeof(em_module) == 64, "em_module");
_Static_assert(sizeof(em_object) == 112, "em_object");
_Static_assert(sizeof(em_finding) == 64, "em_finding");
_Static_assert(sizeof(em_file) == 80, "em_file");
_Static_assert(sizeof(em_database_header) == 48, "em_database_header");
_Static_assert(sizeof(em_database_section) == 32, "em_database_section");
_Static_assert(sizeof(em_antispam_rule) == 32, "em_antispam_rule");
_Static_assert(sizeof(em_antispam_predicate) == 32, "em_antispam_predicate");
_Static_assert(sizeof(em_antispam_literal) == 16, "em_antispam_literal");
_Static_assert(sizeof(em_antispam_bucket) == 64, "em_antispam_bucket");
_Static_assert(sizeof(em_antispam_learned) == 24, "em_antispam_learned");
