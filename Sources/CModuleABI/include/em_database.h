/*
 * em_database.h: what data modules (em002, em006) look like inside. Version 1.
 *
 * A data module is an ELF shared object with one read-only segment and one symbol, `em_module_data`,
 * whose size is the size of the data. The data begins with an em_database_header. Everything is little
 * endian, addressed by offsets from the header's first byte, used in place; a reader checks every
 * offset and count before it follows it, because the data is only hashed by the canary.
 */
#ifndef EM_DATABASE_H
#define EM_DATABASE_H

#include <stdint.h>

#define EM_DATABASE_MAGIC 0x42444d45u /* "EMDB" in the file */
#define EM_DATABASE_ALIGNMENT 64u     /* sections begin at multiples of it */

typedef struct em_database_section {
    uint32_t id;       /* EM_SECTION_… of the database's kind */
    uint32_t version;  /* of the section's layout; readers refuse others */
    uint64_t offset, length; /* bytes */
    uint64_t count;    /* elements */
} em_database_section;

#define EM_DATABASE_SIGNATURES 1u /* em002 */
#define EM_DATABASE_ANTISPAM 2u   /* em006 */

typedef struct em_database_header {
    uint32_t magic;
    uint32_t header_size;   /* sizeof(em_database_header) */
    uint32_t kind;          /* EM_DATABASE_… */
    uint32_t format;        /* of the kind; readers refuse others */
    uint64_t size;          /* of the whole data, header included */
    uint64_t version;       /* of the content, rising, e.g. 2026112101 */
    uint64_t signatures;    /* number of signatures or rules */
    uint32_t section_count; /* em_database_section follow the header */
    uint32_t reserved;
} em_database_header;

/* ------------------------------------------------------------------ em002: virus signatures, format 1 */

/*
 * How it is read: docs/em002-format.md. Rules for every section of em002:
 *  - sections are found by id; a reader ignores ids that it does not know and treats a missing section as
 *    an empty one; it refuses a known id whose version is not the one it was written for;
 *  - "offset" without a remark means bytes from the first byte of the same section;
 *  - an index that points outside its section makes the database damaged: readers check when they follow.
 *
 * Section ids. Groups are kept apart so that new kinds of signatures get numbers beside their kin.
 */
#define EM_SIGNATURE_FORMAT 1u

#define EM_SECTION_CATALOGUE 1u /* em_signature, one for each signature: its index is the signature's number */
#define EM_SECTION_TEXT 2u      /* UTF-8 text without terminators, for names and sources */
#define EM_SECTION_SOURCES 3u   /* em_source, one for each signature file */

/* Hash sets: a size index, and a table for each algorithm. */
#define EM_SECTION_HASH_SIZES 16u   /* em_size_index: sizes of objects that any hash signature has */
#define EM_SECTION_HASH_MD5 17u     /* em_hash_table, likewise the next two: malware */
#define EM_SECTION_HASH_SHA1 18u
#define EM_SECTION_HASH_SHA256 19u
#define EM_SECTION_ALLOW_SIZES 20u  /* em_size_index and tables: objects that are never malware */
#define EM_SECTION_ALLOW_MD5 21u
#define EM_SECTION_ALLOW_SHA1 22u
#define EM_SECTION_ALLOW_SHA256 23u
#define EM_SECTION_PE_SIZES 24u     /* likewise: sections of PE files (.mdb, .msb), as ClamAV lays them out */
#define EM_SECTION_PE_MD5 25u
#define EM_SECTION_PE_SHA1 26u
#define EM_SECTION_PE_SHA256 27u
#define EM_SECTION_IMPORT_SIZES 28u /* likewise: the text of a PE file's imports (.imp) */
#define EM_SECTION_IMPORT_MD5 29u
#define EM_SECTION_IMPORT_SHA1 30u
#define EM_SECTION_IMPORT_SHA256 31u
#define EM_SECTION_CERTIFICATES 32u /* em_certificate: who may and who may not sign programs (.crb), by subject */
#define EM_SECTION_CERTIFICATE_KEYS 33u /* bytes of their keys */

/* Body patterns. */
#define EM_SECTION_PATTERNS 64u     /* em_pattern */
#define EM_SECTION_ELEMENTS 65u     /* em_element: the parts of patterns, in order */
#define EM_SECTION_ALTERNATIVES 66u /* em_alternative */
#define EM_SECTION_BYTES 67u        /* bytes of literals, values and masks */
#define EM_SECTION_INDEXES 68u      /* em_pattern_index */
#define EM_SECTION_INDEX_DATA 69u   /* what em_pattern_index points to */
#define EM_SECTION_TARGETS 70u      /* em_target_plan: EM_PLAN_COUNT */

/* Rules: logical signatures and YARA rules. See em_rule. */
#define EM_SECTION_LOGICAL 96u      /* em_rule: its index is the rule's number */
#define EM_SECTION_EXPRESSIONS 97u  /* em_operation */
#define EM_SECTION_REGEX 98u        /* em_regex */
#define EM_SECTION_SLOTS 99u        /* em_slot: one for each distinct part that an index finds */
#define EM_SECTION_TRIGGERS 100u    /* uint32: numbers of rules, in runs that em_slot and UNTRIGGERED name */
#define EM_SECTION_RULE_PARTS 101u  /* em_rule_part */
#define EM_SECTION_CONDITIONS 102u  /* em_condition */
#define EM_SECTION_UNTRIGGERED 103u /* em_rule_run, one for each target type from 0 */
#define EM_SECTION_COMPARES 104u    /* em_compare */

/* What is known about an object besides its bytes, and about links in mail. */
#define EM_SECTION_FILE_TYPES 112u    /* em_file_type */
#define EM_SECTION_CONTAINERS 113u    /* em_container_signature */
#define EM_SECTION_LINKS 116u         /* em_link_rule, sorted by kind */
#define EM_SECTION_LINK_HASHES 117u   /* em_link_hash, sorted by digest */
#define EM_SECTION_METADATA_TEXT 118u /* bytes that the sections above and PASSWORDS name */
#define EM_SECTION_PASSWORDS 119u     /* em_password: passwords of archives, in the order in which they are tried */
#define EM_SECTION_IMAGE_HASHES 120u  /* em_image_hash, sorted by hash */

/* YARA: see em_yara_rule. */
#define EM_SECTION_ICONS 114u /* em_icon */
#define EM_SECTION_YARA 128u              /* em_yara_rule: what em_rule.first_operation of an EM_RULE_YARA is an index of */
#define EM_SECTION_YARA_STRINGS 129u      /* em_yara_string */
#define EM_SECTION_YARA_VARIANTS 130u     /* em_yara_variant */
#define EM_SECTION_YARA_ATOMS 131u        /* em_yara_atom */
#define EM_SECTION_YARA_NODES 132u        /* em_yara_node */
#define EM_SECTION_YARA_LISTS 133u        /* uint32 */
#define EM_SECTION_YARA_INSTRUCTIONS 134u /* em_yara_instruction */
#define EM_SECTION_YARA_SETS 135u         /* em_yara_set */
#define EM_SECTION_YARA_NAMES 136u        /* em_yara_name */
#define EM_SECTION_YARA_BYTES 137u        /* bytes of texts and names */

#define EM_SECTION_VERSION 1u /* of all sections above but two: */
#define EM_INDEXES_VERSION 3u /* of INDEXES */
#define EM_REGEX_VERSION 2u   /* of REGEX */

/* What a signature says about an object that it matches. */
#define EM_SIGNATURE_UNWANTED 0x01u /* potentially unwanted: EM_FINDING_UNWANTED instead of INFECTED */
#define EM_SIGNATURE_TEST 0x02u     /* a test signature: harmless by definition */
#define EM_SIGNATURE_UNSAFE 0x04u   /* potentially unsafe: EM_FINDING_UNSAFE; never together with UNWANTED */
#define EM_SIGNATURE_OPTIONAL (EM_SIGNATURE_UNWANTED | EM_SIGNATURE_UNSAFE) /* only told where it was asked for */

typedef struct em_signature {
    uint32_t name;        /* offset in TEXT */
    uint16_t name_length; /* bytes */
    uint16_t source;      /* index in SOURCES */
    uint32_t line;        /* in the source file, from 1 */
    uint32_t flags;       /* EM_SIGNATURE_… */
} em_signature;

typedef struct em_source {
    uint32_t name;        /* offset in TEXT: the file's name */
    uint32_t name_length; /* bytes */
    uint32_t signatures;  /* how many came out of it */
    uint32_t reserved;    /* 0 */
} em_source;

/* Algorithms: bit 1 << n in masks. */
#define EM_HASH_MD5 0u
#define EM_HASH_SHA1 1u
#define EM_HASH_SHA256 2u
#define EM_HASH_COUNT 3u

/*
 * Which digests are worth computing for an object of some size. Buckets of eight slots (one cache line)
 * follow the structure. A slot is size << 8 | mask of algorithms; 0 is free. The bucket of a size is the
 * high bucket_bits bits of size * EM_SIZE_FACTOR (modulo 2^64; bucket 0 when bucket_bits is 0); a full
 * bucket goes on in the next one, after the last in the first. At least one slot is free.
 */
#define EM_SIZE_FACTOR 0x9e3779b97f4a7c15ull
#define EM_SIZE_SLOTS 8u
typedef struct em_size_index {
    uint32_t bucket_bits;
    uint32_t any_mask;     /* algorithms that have a signature for objects of any size */
    uint64_t sizes;        /* used slots */
    uint8_t reserved[48];  /* 0: buckets begin on a cache line */
} em_size_index;

/*
 * The digests of one algorithm. `key` is the digest's first eight bytes as a little-endian number.
 * filter: 2^filter_bits words of 64 bits. The word is the high bits of key * EM_SIZE_FACTOR; in it the
 * bits key & 63, key >> 6 & 63, key >> 12 & 63 and key >> 18 & 63 are set for each digest present.
 * directory: 2^bucket_bits + 1 uint32: the first entry of each bucket, whose number is the
 * high bucket_bits bits of the digest's first four bytes as a big-endian number.
 * entries: for each digest `uint32 signature`, `uint32 size` (EM_SIZE_ANY: any), the digest; sorted by bucket.
 */
#define EM_SIZE_ANY 0xffffffffu
typedef struct em_hash_table {
    uint32_t algorithm;    /* EM_HASH_… */
    uint32_t digest_size;  /* bytes */
    uint32_t entry_size;   /* bytes: 8 + digest_size */
    uint32_t bucket_bits;  /* 0…28 */
    uint32_t filter_bits;  /* 0…28 */
    uint32_t reserved;     /* 0 */
    uint64_t count;        /* entries */
    uint64_t filter;       /* offsets */
    uint64_t directory;
    uint64_t entries;
} em_hash_table;

/*
 * A certificate whose owner is trusted, or blocked. Digests are SHA-1 of the content (without tag and length) of the
 * DER fields. Sorted by subject, then key digest, then in the order of the source.
 */
#define EM_CERTIFICATE_BLOCKED 0x01u    /* a program that comes with it is malware */
#define EM_CERTIFICATE_ANY_SERIAL 0x02u /* whatever its number is */
#define EM_CERTIFICATE_CODE 0x04u       /* trusted to sign programs */
#define EM_CERTIFICATE_TIME 0x08u       /* trusted to sign the time */
#define EM_CERTIFICATE_CERT 0x10u       /* trusted to sign certificates */
typedef struct em_certificate {
    uint8_t subject[20];
    uint8_t serial[20];
    uint8_t key_digest[32]; /* SHA-256 of the RSA modulus, big endian without leading zeros */
    uint32_t signature;     /* index in the catalogue */
    uint32_t flags;         /* EM_CERTIFICATE_… */
    int64_t not_before;     /* seconds since 1970: trusted certificates are not older */
    uint64_t key;           /* offset of the modulus in CERTIFICATE_KEYS */
    uint32_t key_length;    /* bytes */
    uint32_t reserved;      /* 0 */
} em_certificate;

/* What an icon looks like: see IconMetrics. Groups are the FNV-1a hashes (32 bits) of their names. */
typedef struct em_icon {
    uint32_t first_group, second_group;
    uint8_t digits[124]; /* hex digits, as the signature has them */
} em_icon;

/* Types of object that a pattern is for: the target types of the ClamAV formats. */
#define EM_TARGET_ANY 0u
#define EM_TARGET_PE 1u
#define EM_TARGET_OLE2 2u
#define EM_TARGET_HTML 3u
#define EM_TARGET_MAIL 4u
#define EM_TARGET_GRAPHICS 5u
#define EM_TARGET_ELF 6u
#define EM_TARGET_TEXT 7u
#define EM_TARGET_MACHO 9u
#define EM_TARGET_PDF 10u
#define EM_TARGET_FLASH 11u
#define EM_TARGET_JAVA 12u
#define EM_TARGET_COUNT 13u

/*
 * Plans: one for each target type, at its number, and behind them this one, for objects that signatures see in
 * normalised forms only. Its indexes have the patterns of YARA rules, which are for objects as they are.
 */
#define EM_PLAN_RULES_ONLY 13u
#define EM_PLAN_COUNT 14u

/* Where a pattern may begin: at every place from the base plus `offset` to that plus `shift`. */
#define EM_BASE_NONE 0u         /* anywhere */
#define EM_BASE_START 1u        /* the object's first byte */
#define EM_BASE_END 2u          /* the object's end (offset is negative) */
#define EM_BASE_ENTRY 3u        /* the entry point of an executable */
#define EM_BASE_SECTION 4u      /* the beginning of section number `section` */
#define EM_BASE_IN_SECTION 5u   /* anywhere inside section number `section` */
#define EM_BASE_LAST_SECTION 6u /* the beginning of the last section */
#define EM_BASE_VERSION 7u      /* the key of an entry of a PE file's version information */

#define EM_PATTERN_NOCASE 0x01u /* ASCII letters match in either case */
#define EM_PATTERN_PART 0x02u   /* its matches go to slot `part`; no signature itself, `signature` is 0 */

/*
 * A pattern: elements one after another. Its anchor is a piece of a literal which the index found; the elements
 * after it are matched forwards, those before it backwards.
 */
typedef struct em_pattern {
    uint32_t signature;     /* index in the catalogue */
    uint32_t first_element; /* index in ELEMENTS */
    uint32_t element_count;
    uint32_t anchor;        /* which of the elements holds the anchor, from 0 */
    uint32_t anchor_skip;   /* bytes of that element before the anchor */
    int32_t offset;
    uint32_t shift;
    uint16_t section;
    uint8_t base;           /* EM_BASE_… */
    uint8_t target;         /* EM_TARGET_… */
    uint32_t flags;         /* EM_PATTERN_… */
    uint32_t part;          /* index in SLOTS */
    uint64_t reserved;      /* 0 */
} em_pattern;

#define EM_ELEMENT_LITERAL 1u      /* b bytes at a in BYTES */
#define EM_ELEMENT_MASKED 2u       /* b bytes of values at a in BYTES, then b bytes of masks: byte & mask == value */
#define EM_ELEMENT_GAP 3u          /* a to b bytes, any; b EM_GAP_UNBOUNDED: a or more */
#define EM_ELEMENT_ALTERNATIVES 4u /* one of b ALTERNATIVES from index a */
#define EM_ELEMENT_BOUNDARY 5u     /* no byte: the object's start or end, or beside space - / _, before also . < @ */
                                   /* and after also LF CR " ' = > */
#define EM_ELEMENT_LINE 6u         /* no byte: the object's start or end, or after LF, or before LF or CR LF */
#define EM_ELEMENT_NONWORD 7u      /* no byte: the object's start or end, or beside what is no letter or digit */
#define EM_ELEMENT_NONWORD_BYTE 8u /* one byte that is no letter or digit */
#define EM_ELEMENT_NOT 0x01u       /* flag: ALTERNATIVES, all of one length: none of them; 5…7: not so */
#define EM_ELEMENT_BEFORE 0x02u    /* flag of 5…7: beside means the byte before, otherwise the byte after */
#define EM_ELEMENT_WIDE 0x04u      /* flag of 7: letters and digits are those that a zero byte follows */
#define EM_GAP_UNBOUNDED 0xffffffffu
typedef struct em_element {
    uint8_t kind;      /* EM_ELEMENT_… */
    uint8_t flags;     /* EM_ELEMENT_NOT, _BEFORE, _WIDE */
    uint16_t length;   /* of each alternative; 0: they differ, or are longer than this can say */
    uint32_t a, b;
} em_element;

typedef struct em_alternative {
    uint32_t bytes;    /* offset in BYTES */
    uint32_t length;   /* bytes */
    uint32_t masked;   /* 1: as many bytes of masks follow */
} em_alternative;

/*
 * Which patterns may begin to match somewhere in an object. Offsets into INDEX_DATA, each a multiple of 64.
 *
 * Grams: patterns whose anchor has four bytes or more. For each gram g (the first four, little-endian), with
 * h = g * EM_GRAM_FACTOR and m = g * EM_GRAM_BITS_FACTOR modulo 2^32, the bits m >> 27, m >> 22 & 31 and m >> 17 & 31 of
 * filter word h >> (32 - filter_bits) are set, and a posting lies in bucket h >> (32 - bucket_bits); (a shift by 32 gives 0).
 *
 * Short path: patterns whose anchor has two or three bytes. Its first two bytes, little-endian, are a bit of
 * short_filter (65,536 bits) and, times EM_GRAM_FACTOR, choose the bucket. A posting has what is known of the bytes around.
 *
 * Sieve: which places are looked up in these filters at all. Anchors are in 16 groups, and each group has four sets of
 * bytes. A place is looked up when its four bytes (0 beyond the object's end) are in the four sets of one group, and it is
 * when an anchor begins there; what follows an anchor of two bytes is in the sets, whatever it is. Each byte has a uint64
 * of which the low 16 bits are the groups that have it in their first set, the next 16 those with it in the second, and so
 * on. First the 256 words, and then their lowest bytes, their second ones, and so on. In an index that ignores case,
 * capitals are where small letters are.
 *
 * Fixed path: patterns with one or few possible places, tested there. Sorted by base, section, offset, shift, length and
 * value, so that those for one place are found by halving.
 *
 * A directory is 2^bits + 1 uint32: the first posting of each bucket.
 */
#define EM_GRAM_FACTOR 0x9e3779b1u
#define EM_GRAM_BITS_FACTOR 0x85ebca77u
#define EM_INDEX_FOLD 0x01u /* ASCII letters of the object count as lower case, and so they do in anchors */
#define EM_SIEVE_SIZE 4096u
#define EM_SIEVE_GROUPS 16u

typedef struct em_gram_table {
    uint32_t filter_bits, bucket_bits; /* 0…28 */
    uint64_t filter, directory, postings, count; /* em_posting */
} em_gram_table;

typedef struct em_pattern_index {
    uint32_t flags; /* EM_INDEX_… */
    uint32_t short_bucket_bits; /* 0…28 */
    em_gram_table grams;
    uint64_t short_filter, short_directory, shorts, short_count; /* em_short_posting */
    uint64_t fixed, fixed_count;                                 /* em_fixed_pattern */
    uint64_t sieve; /* EM_SIEVE_SIZE bytes, unless there are neither grams nor shorts */
} em_pattern_index;

typedef struct em_posting {
    /* `low` has the anchor's first four bytes, the low 24 bits of `high` up to three that follow, and the high byte how many
     * of them count. */
    uint32_t low, high;
    uint32_t pattern;   /* index in PATTERNS */
} em_posting;

typedef struct em_short_posting {
    uint64_t value, mask; /* of eight bytes, little-endian: bytes & mask == value; missing ones are not in the mask */
    uint32_t pattern;
    uint32_t before;      /* so many of the eight lie before the anchor, 0…6 */
} em_short_posting;

typedef struct em_fixed_pattern {
    int32_t offset;   /* of the anchor, from base */
    uint8_t base;     /* EM_BASE_… other than NONE, IN_SECTION and VERSION */
    uint8_t length;   /* bytes of value that must lie in the object, 0…4 */
    uint16_t section;
    uint32_t value, mask; /* bytes & mask == value */
    uint32_t shift;       /* so many places behind the first one are possible too */
    uint32_t pattern;
} em_fixed_pattern;

/* The indexes to run for objects of one target type, see EM_PLAN_COUNT. */
typedef struct em_target_plan {
    uint32_t count;
    uint32_t index[7]; /* indexes in INDEXES */
} em_target_plan;

/*
 * Rules: true or not by which of their parts match, and by what the object is.
 *
 * Equal parts of all rules share one slot, so that an object that has a common string notes it once. A slot names
 * the rules that are worth evaluating when it matched: for each rule the compiler chooses slots of which at least one
 * matches whenever the rule is true, the rarest that will do. Rules that can be true without any part are in
 * UNTRIGGERED, by target type. So nothing is done for rules of which nothing matched.
 */
#define EM_RULE_LOGICAL 1u /* true when its operations leave true */
#define EM_RULE_YARA 2u    /* first_operation, operation_count: as section YARA has them */

#define EM_RULE_RETYPES 0x01u /* flag: tells no threat, but what the object is: see EM_CONDITION_RETYPE */

typedef struct em_rule {
    uint32_t signature;       /* index in the catalogue */
    uint8_t kind;             /* EM_RULE_… */
    uint8_t target;           /* EM_TARGET_…: other objects are not evaluated */
    uint16_t flags;           /* EM_RULE_… flags */
    uint32_t first_part, part_count;           /* in RULE_PARTS: parts are numbered from 0 within the rule */
    uint32_t first_operation, operation_count; /* in EXPRESSIONS */
    uint32_t first_condition, condition_count; /* in CONDITIONS: all must hold */
} em_rule;

/* What is noted of a part's matches. Matches at the same place count once. */
#define EM_SLOT_PLACES 0x01u  /* every place, with its length, as far as `limit` allows */
#define EM_SLOT_LAST_PART 0x02u /* one match for each place of what follows the last unbounded or varying gap */
#define EM_SLOT_DEFERRED 0x04u  /* in no index: looked for when a rule that other parts triggered asks for it */
#define EM_SLOT_YARA 0x08u      /* of YARA rules */
typedef struct em_slot {
    uint32_t first_trigger, trigger_count; /* in TRIGGERS */
    uint32_t limit;  /* matches that are counted at most, from 1; then the part is not looked for any more */
    uint32_t flags;  /* EM_SLOT_… */
    uint32_t first_pattern, pattern_count; /* in PATTERNS: any of them is the part */
} em_slot;

typedef struct em_rule_run {
    uint32_t first, count; /* in TRIGGERS */
} em_rule_run;

#define EM_PART_PATTERN 1u /* a: index in SLOTS */
#define EM_PART_REGEX 2u   /* a: index in REGEX */
#define EM_PART_COMPARE 3u /* a: index in COMPARES */
#define EM_PART_MACRO 4u   /* a: index in SLOTS, from b to c bytes behind the beginning of the part before */
#define EM_PART_NEVER 5u   /* known, but never true here */
typedef struct em_rule_part {
    uint32_t kind; /* EM_PART_… */
    uint32_t a, b, c;
} em_rule_part;

/*
 * An expression in postfix form. An operand on the stack is a truth value, a number of matches and a set of parts;
 * what is false has neither. At most EM_OPERAND_LIMIT operands.
 */
#define EM_OPERAND_LIMIT 256u
#define EM_PARTS_LIMIT 64u        /* parts of one logical signature */
#define EM_OPERATION_PART 1u      /* pushes part a: true when it has matches */
#define EM_OPERATION_EQUAL 2u     /* pushes part a: true when it has b matches; likewise the next two */
#define EM_OPERATION_BELOW 3u
#define EM_OPERATION_ABOVE 4u
#define EM_OPERATION_AND 5u       /* of two operands; matches and parts of both */
#define EM_OPERATION_OR 6u
#define EM_OPERATION_ALL_EQUAL 7u /* of one operand: true when it has a matches, of at least b different parts; */
#define EM_OPERATION_ALL_BELOW 8u /* leaves the matches, but no parts */
#define EM_OPERATION_ALL_ABOVE 9u
typedef struct em_operation {
    uint32_t kind; /* EM_OPERATION_… */
    uint32_t a, b;
} em_operation;

/* Facts about the object, besides its bytes. */
#define EM_CONDITION_SIZE 1u          /* a to b bytes */
#define EM_CONDITION_ENTRY 2u         /* the entry point's offset is a to b */
#define EM_CONDITION_SECTIONS 3u      /* a to b sections */
/* File types are told by the FNV-1a hash (32 bits) of ClamAV's name for them, "CL_TYPE_…". */
#define EM_CONDITION_CONTAINER 4u     /* the parent is of file type a; 0: there is no parent */
#define EM_CONDITION_INTERMEDIATES 5u /* the b-th parent upwards (from 1) is of file type a */
#define EM_CONDITION_ICON_GROUPS 6u   /* an icon is similar to one of groups a and b; 0: any */
#define EM_CONDITION_NEVER 7u         /* known, but not decided here: never holds */
#define EM_CONDITION_DEPTH 8u         /* the object has a parents or more */
#define EM_CONDITION_RETYPE 9u        /* always holds: an object that the rule is true of is matched as EM_TYPE_… a, too */
typedef struct em_condition {
    uint32_t kind; /* EM_CONDITION_… */
    uint32_t a, b;
} em_condition;

/* A regular expression (PCRE2), tried when its trigger is true. */
#define EM_REGEX_CASELESS 0x01u
#define EM_REGEX_DOTALL 0x02u
#define EM_REGEX_MULTILINE 0x04u
#define EM_REGEX_EXTENDED 0x08u
#define EM_REGEX_ANCHORED 0x10u
#define EM_REGEX_DOLLAR_END 0x20u
#define EM_REGEX_UNGREEDY 0x40u
#define EM_REGEX_GLOBAL 0x100u    /* every match counts */
#define EM_REGEX_ROLLING 0x200u   /* the offset is where the search begins, not the only place */
#define EM_REGEX_ENCOMPASS 0x400u /* nothing behind offset + shift is looked at */
typedef struct em_regex {
    uint32_t bytes, length; /* the expression's text in BYTES */
    uint32_t options;       /* EM_REGEX_… */
    int32_t offset;         /* as in em_pattern */
    uint32_t shift;
    uint16_t section;
    uint8_t base;
    uint8_t reserved;       /* 0 */
    uint32_t first_operation, operation_count; /* the trigger, over parts of the same rule that are no regexes */
    uint32_t literal, literal_length; /* bytes in BYTES that every match has, in whatever case; 0, 0: none are known */
    uint32_t sieve, sieve_length;     /* in BYTES, EM_SIEVE_SIZE bytes as in em_pattern_index: matches begin only at places that
                                         pass, and have four bytes or more; 0, 0: anywhere */
} em_regex;

/* What a picture looks like: a picture with that hash is a match of the slot. */
typedef struct em_image_hash {
    uint64_t hash;     /* the first byte is the highest */
    uint32_t slot;     /* index in SLOTS */
    uint32_t reserved; /* 0 */
} em_image_hash;

/* A number in the object, compared: see the byte compare subsignatures of ClamAV. */
#define EM_COMPARE_HEX 1u     /* digits as text */
#define EM_COMPARE_DECIMAL 2u
#define EM_COMPARE_AUTO 3u
#define EM_COMPARE_BINARY 4u
#define EM_COMPARE_LITTLE 0x01u /* flag: little-endian, otherwise big-endian */
#define EM_COMPARE_EXACT 0x02u  /* flag: all bytes must be there and take part */
typedef struct em_compare {
    uint32_t part;     /* of the same rule: counted from the beginning of its matches */
    int32_t offset;
    uint8_t kind;      /* EM_COMPARE_… */
    uint8_t flags;     /* EM_COMPARE_… */
    uint8_t length;    /* bytes */
    uint8_t count;     /* comparisons: 1 or 2, all must hold */
    uint8_t symbol[2]; /* '<', '>' or '=' */
    uint8_t reserved[2];
    uint64_t value[2];
} em_compare;

/*
 * YARA rules. A rule is an em_rule of kind YARA, whose parts are the slots of its strings' atoms; it is evaluated when
 * one of its triggers matched. Conditions are trees of nodes, shared where they are equal; a node's children may have
 * any index, so a reader limits the depth. See docs/yara.md.
 */
#define EM_YARA_PRIVATE 0x01u /* never reported */
typedef struct em_yara_rule {
    uint32_t condition;                  /* index in NODES */
    uint32_t first_string, string_count; /* in STRINGS */
    uint32_t variables;                  /* of loops, in use at once */
    uint32_t flags;                      /* EM_YARA_… */
    uint32_t reserved[3];                /* 0 */
} em_yara_rule;

typedef struct em_yara_string {
    uint32_t first_variant, variant_count; /* in VARIANTS: any of them is a match */
    uint32_t flags;                        /* EM_YARA_FULLWORD */
    uint32_t reserved;                     /* 0 */
} em_yara_string;
#define EM_YARA_FULLWORD 0x01u /* no letter or digit before and behind */

/* One form of a string. Chained variants are one form: pieces with wide gaps between them. */
#define EM_YARA_VARIANT_SLOT 1u    /* the matches of slot `a`, or with EM_NO_SLOT b bytes at c in BYTES, searched for */
#define EM_YARA_VARIANT_PROGRAM 2u /* b instructions at a; tried where the atoms say, without atoms everywhere */
#define EM_YARA_WIDE 0x01u         /* letters have two bytes */
#define EM_YARA_NOCASE 0x02u       /* of what is searched for */
#define EM_YARA_LONGEST 0x04u      /* of several matches at a place, the longest; otherwise the first choice */
#define EM_YARA_CHAINED 0x08u      /* gap_least to gap_most bytes behind the variant before */
#define EM_NO_SLOT 0xffffffffu
typedef struct em_yara_variant {
    uint16_t kind, flags;
    uint32_t a, b, c;
    uint32_t first_atom, atom_count; /* in ATOMS */
    uint32_t gap_least, gap_most;    /* EM_GAP_UNBOUNDED: no most */
} em_yara_variant;

/* A literal of which one lies in every match, `least` to `most` bytes behind its beginning. */
typedef struct em_yara_atom {
    uint32_t slot; /* in SLOTS */
    uint32_t least, most;
} em_yara_atom;

/*
 * Programs of regular expressions and hex strings: a machine that holds many instructions at once, in order of
 * preference, and reads each byte once.
 */
#define EM_YARA_BYTE 1u         /* the byte `value` */
#define EM_YARA_MASKED 2u       /* byte & mask == value */
#define EM_YARA_SET 3u          /* a byte of set `target` */
#define EM_YARA_ANY 4u          /* any byte */
#define EM_YARA_SPLIT 5u        /* goes on with the next instruction and with `target`; value 1: rather with `target` */
#define EM_YARA_JUMP 6u         /* goes on with `target` */
#define EM_YARA_ACCEPT 7u
#define EM_YARA_START 8u        /* no byte, likewise the next three: the data's first place */
#define EM_YARA_END 9u
#define EM_YARA_BOUNDARY 10u    /* value 1: of letters of two bytes */
#define EM_YARA_NOT_BOUNDARY 11u
typedef struct em_yara_instruction {
    uint8_t kind, value, mask, reserved;
    uint32_t target; /* from the program's first instruction */
} em_yara_instruction;

typedef struct em_yara_set {
    uint64_t words[4]; /* bit n of word n / 64: byte n */
} em_yara_set;

/* A field or function of a module. */
typedef struct em_yara_name {
    uint32_t path, path_length;           /* in BYTES: "pe.sections.name" */
    uint32_t signature, signature_length; /* in BYTES: "b(is)"; empty for fields */
} em_yara_name;

/* Nodes. Operands that are nodes are indexes in NODES; lists begin at an index in LISTS. */
#define EM_YARA_NODE_BOOLEAN 1u    /* a */
#define EM_YARA_NODE_INTEGER 2u    /* b << 32 | a */
#define EM_YARA_NODE_DOUBLE 3u     /* the bits of an IEEE double, likewise */
#define EM_YARA_NODE_TEXT 4u       /* b bytes at a in BYTES */
#define EM_YARA_NODE_REGEX 5u      /* b instructions at a; flags: EM_YARA_LONGEST */
#define EM_YARA_NODE_FILESIZE 6u
#define EM_YARA_NODE_ENTRYPOINT 7u
#define EM_YARA_NODE_EXTERNAL 8u   /* name: b bytes at a in BYTES */
#define EM_YARA_NODE_VARIABLE 9u   /* a */
#define EM_YARA_NODE_NEGATE 10u    /* of node a, likewise the next three */
#define EM_YARA_NODE_COMPLEMENT 11u
#define EM_YARA_NODE_NOT 12u
#define EM_YARA_NODE_DEFINED 13u
#define EM_YARA_NODE_AND 14u       /* b nodes in the list at a */
#define EM_YARA_NODE_OR 15u
#define EM_YARA_NODE_READ 16u      /* the integer at node a; b bytes; flags: EM_YARA_SIGNED, _BIG */
#define EM_YARA_NODE_FIELD 17u     /* name a, with c indexes (nodes) in the list at b */
#define EM_YARA_NODE_CALL 18u      /* name a, with c arguments likewise */
#define EM_YARA_NODE_RULE 19u      /* em_yara_rule a */
#define EM_YARA_NODE_FOUND 20u     /* string a (flag EM_YARA_CURRENT: of variable a), likewise all of the next */
#define EM_YARA_NODE_FOUND_AT 21u  /* at node b */
#define EM_YARA_NODE_FOUND_IN 22u  /* from node b to node c */
#define EM_YARA_NODE_COUNT 23u
#define EM_YARA_NODE_COUNT_IN 24u  /* from node b to node c */
#define EM_YARA_NODE_OFFSET 25u    /* of match number node b, from 1 */
#define EM_YARA_NODE_LENGTH 26u
/*
 * Sets and loops: b entries in the list at a. Flags: EM_YARA_QUANTITY_…. The list begins with the node of the number
 * that the quantifier has (0 without), then three entries that the kind explains, then the members.
 */
#define EM_YARA_NODE_STRINGS_OF 27u  /* 0 anywhere, 1 at, 2 from and to; node; node; strings */
#define EM_YARA_NODE_ANY_OF 28u      /* 0; 0; 0; nodes */
#define EM_YARA_NODE_FOR_STRINGS 29u /* variable; body; 0; strings */
#define EM_YARA_NODE_FOR_RANGE 30u   /* variable; body; 0; nodes of the first and last value */
#define EM_YARA_NODE_FOR_LIST 31u    /* variable; body; 0; nodes */
/* Operators of two nodes a and b. */
#define EM_YARA_NODE_ADD 40u
#define EM_YARA_NODE_SUBTRACT 41u
#define EM_YARA_NODE_MULTIPLY 42u
#define EM_YARA_NODE_DIVIDE 43u
#define EM_YARA_NODE_REMAINDER 44u
#define EM_YARA_NODE_BIT_AND 45u
#define EM_YARA_NODE_BIT_OR 46u
#define EM_YARA_NODE_BIT_XOR 47u
#define EM_YARA_NODE_SHIFT_LEFT 48u
#define EM_YARA_NODE_SHIFT_RIGHT 49u
#define EM_YARA_NODE_EQUAL 50u
#define EM_YARA_NODE_NOT_EQUAL 51u
#define EM_YARA_NODE_LESS 52u
#define EM_YARA_NODE_LESS_OR_EQUAL 53u
#define EM_YARA_NODE_GREATER 54u
#define EM_YARA_NODE_GREATER_OR_EQUAL 55u
#define EM_YARA_NODE_CONTAINS 56u
#define EM_YARA_NODE_ICONTAINS 57u
#define EM_YARA_NODE_STARTSWITH 58u
#define EM_YARA_NODE_ISTARTSWITH 59u
#define EM_YARA_NODE_ENDSWITH 60u
#define EM_YARA_NODE_IENDSWITH 61u
#define EM_YARA_NODE_IEQUALS 62u
#define EM_YARA_NODE_MATCHES 63u
#define EM_YARA_CURRENT 0x01u
#define EM_YARA_SIGNED 0x01u
#define EM_YARA_BIG 0x02u
#define EM_YARA_QUANTITY_ALL 1u
#define EM_YARA_QUANTITY_ANY 2u
#define EM_YARA_QUANTITY_NONE 3u
#define EM_YARA_QUANTITY_COUNT 4u
#define EM_YARA_QUANTITY_PERCENTAGE 5u
typedef struct em_yara_node {
    uint16_t kind, flags; /* EM_YARA_NODE_… */
    uint32_t a, b, c;
} em_yara_node;

/*
 * A file type by content (.ftm), asked before the scanner's own knowledge, in order; the first that fits counts. What it
 * looks at are the object's first EM_FILE_TYPE_WINDOW bytes.
 */
#define EM_FILE_TYPE_WINDOW 1024u
#define EM_FILE_TYPE_BYTES 1u /* literal lies at offset `first` */
#define EM_FILE_TYPE_REGEX 2u /* the regular expression matches, at a place between `first` and `last` */
typedef struct em_file_type {
    uint32_t kind;     /* EM_FILE_TYPE_… */
    uint32_t type;     /* EM_TYPE_… of em_module.h */
    uint32_t previous; /* EM_TYPE_… that it replaces; EM_FILE_TYPE_ANY */
    uint32_t first, last;
    uint32_t literal, literal_length; /* in METADATA_TEXT; of a regular expression: bytes that every match has */
    uint32_t regex, regex_length;     /* likewise: PCRE2's syntax, without case folding, `.` is any byte */
} em_file_type;
#define EM_FILE_TYPE_ANY 0xffffffffu

/* An object by what its container says about it (.cdb). */
#define EM_CONTAINER_ENCRYPTED 0x01u /* it must be encrypted */
#define EM_CONTAINER_PLAIN 0x02u     /* it must not be */
#define EM_CONTAINER_CRC32 0x04u     /* crc32 must be the stated one */
typedef struct em_container_signature {
    uint32_t signature;    /* index in the catalogue */
    uint32_t container;    /* FNV-1a hash of the type's name, as in em_condition; 0: any */
    uint32_t name, name_length; /* regular expression that the name must match, in METADATA_TEXT; length 0: any */
    uint64_t container_size[2]; /* lowest and highest of the container's size, likewise below */
    uint64_t packed_size[2];
    uint64_t stated_size[2];
    uint32_t position[2];
    uint32_t crc32;
    uint32_t flags;        /* EM_CONTAINER_… */
} em_container_signature;

/*
 * Which links of HTML mail are looked at, and which are right although they seem wrong (.pdb, .wdb). Expressions are
 * PCRE2's, to be matched with the whole of "real:shown/" (or "real/"), both without what follows the host.
 */
#define EM_LINK_PROTECTED_HOST 1u    /* text: a host that is shown, or a domain above it */
#define EM_LINK_PROTECTED_REGEX 2u   /* text: expression for "real:shown/" */
#define EM_LINK_ALLOWED_HOSTS 3u     /* text: "real:shown": hosts; the real one may be below it */
#define EM_LINK_ALLOWED_REGEX 4u     /* text: expression for "real:shown/" */
#define EM_LINK_ALLOWED_REAL 5u      /* text: expression for "real/" */
typedef struct em_link_rule {
    uint32_t kind;         /* EM_LINK_… */
    uint32_t text, length; /* in METADATA_TEXT */
    uint32_t literal, literal_length; /* likewise: of an expression, bytes that every match has */
    uint32_t signature;    /* index in the catalogue */
} em_link_rule;

/* SHA-256 of a canonical URL, or of a part of its host and path (.gdb). */
#define EM_LINK_HASH_ALLOWED 0u
#define EM_LINK_HASH_MALWARE 1u
#define EM_LINK_HASH_BLOCKED 2u
#define EM_LINK_HASH_PHISHING 3u
typedef struct em_link_hash {
    uint8_t digest[32];
    uint32_t kind;      /* EM_LINK_HASH_… */
    uint32_t signature; /* index in the catalogue */
} em_link_hash;

/* A password that is tried on encrypted archives. */
typedef struct em_password {
    uint32_t signature; /* index in the catalogue */
    uint32_t container; /* file type of the archive, told as in EM_CONDITION_CONTAINER; 0: any */
    uint32_t text;      /* offset in METADATA_TEXT */
    uint32_t length;    /* bytes, from 1 */
} em_password;

#endif
