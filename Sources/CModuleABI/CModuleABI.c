// The ABI is headers only; this file proves that they stand alone in C11, and pins their layouts.
#include "em_antispam_database.h"
#include "em_database.h"
#include "em_module.h"

_Static_assert(sizeof(em_slice) == 16, "em_slice");
_Static_assert(sizeof(em_host) == 24, "em_host");
_Static_assert(sizeof(em_module) == 64, "em_module");
// 112 was its size before the first appended member.
_Static_assert(offsetof(em_object, packed_size) == 112 && sizeof(em_object) == 144, "em_object");
_Static_assert(sizeof(em_finding) == 64, "em_finding");
_Static_assert(sizeof(em_file) == 80, "em_file");
_Static_assert(sizeof(em_database_header) == 48, "em_database_header");
_Static_assert(sizeof(em_database_section) == 32, "em_database_section");
_Static_assert(sizeof(em_antispam_rule) == 32, "em_antispam_rule");
_Static_assert(sizeof(em_antispam_predicate) == 32, "em_antispam_predicate");
_Static_assert(sizeof(em_antispam_literal) == 16, "em_antispam_literal");
_Static_assert(sizeof(em_antispam_bucket) == 64, "em_antispam_bucket");
_Static_assert(sizeof(em_antispam_learned) == 24, "em_antispam_learned");
_Static_assert(sizeof(em_signature) == 16, "em_signature");
_Static_assert(sizeof(em_source) == 16, "em_source");
_Static_assert(sizeof(em_size_index) == 64, "em_size_index");
_Static_assert(sizeof(em_hash_table) == 56, "em_hash_table");
_Static_assert(sizeof(em_pattern) == 48, "em_pattern");
_Static_assert(sizeof(em_element) == 12, "em_element");
_Static_assert(sizeof(em_alternative) == 12, "em_alternative");
_Static_assert(sizeof(em_pattern_index) == 104, "em_pattern_index");
_Static_assert(sizeof(em_posting) == 12, "em_posting");
_Static_assert(sizeof(em_short_posting) == 24, "em_short_posting");
_Static_assert(sizeof(em_fixed_pattern) == 24, "em_fixed_pattern");
_Static_assert(sizeof(em_target_plan) == 32, "em_target_plan");
_Static_assert(sizeof(em_file_type) == 36, "em_file_type");
_Static_assert(sizeof(em_container_signature) == 80, "em_container_signature");
_Static_assert(sizeof(em_link_rule) == 24, "em_link_rule");
_Static_assert(sizeof(em_link_hash) == 40, "em_link_hash");
