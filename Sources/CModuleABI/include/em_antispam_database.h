/*
 * em_antispam_database.h: the sections of em006, the antispam database. Version 1 of kind EM_DATABASE_ANTISPAM.
 *
 * Rules and learned token counts are data, so they are updated without code. docs/antispam.md explains the
 * rules' source format. Everything is little endian; offsets into the text section are in bytes from its
 * beginning; a reader checks every offset, index and count before it follows it.
 */
#ifndef EM_ANTISPAM_DATABASE_H
#define EM_ANTISPAM_DATABASE_H

#include <stdint.h>

#define EM_ANTISPAM_FORMAT 1u /* em_database_header.format */

/* Section ids; each has version 1. All must be there, any may be empty. */
#define EM_ANTISPAM_SECTION_TEXT 1u       /* bytes that others refer to, without separators */
#define EM_ANTISPAM_SECTION_RULES 2u      /* em_antispam_rule */
#define EM_ANTISPAM_SECTION_PREDICATES 3u /* em_antispam_predicate */
#define EM_ANTISPAM_SECTION_OPERANDS 4u   /* em_antispam_text */
#define EM_ANTISPAM_SECTION_LITERALS 5u   /* em_antispam_literal, by anchor hash */
#define EM_ANTISPAM_SECTION_ANCHORS 6u    /* uint32_t[EM_ANTISPAM_ANCHORS + 1]: first literal of each anchor hash */
#define EM_ANTISPAM_SECTION_TOKENS 7u     /* em_antispam_bucket, a power of two of them, or none */
#define EM_ANTISPAM_SECTION_LEARNED 8u    /* one em_antispam_learned */

/* A piece of the text section. */
typedef struct em_antispam_text {
    uint32_t offset, length;
} em_antispam_text;

/* A rule holds when all of its predicates do. */
#define EM_ANTISPAM_RULE_SILENT 1u /* only other rules refer to it: never reported */
typedef struct em_antispam_rule {
    em_antispam_text name;
    em_antispam_text description;
    int32_t points;           /* times 1000, on the scale 0 to 100 of as_score_spam; may be negative */
    uint32_t flags;           /* EM_ANTISPAM_RULE_… */
    uint32_t first_predicate; /* index */
    uint32_t predicate_count;
} em_antispam_rule;

/* What a predicate looks at. */
#define EM_ANTISPAM_HEADER 1u       /* the header fields with this name, decoded: one of them must fit */
#define EM_ANTISPAM_SUBJECT 2u      /* subject, decoded */
#define EM_ANTISPAM_FROM_NAME 3u    /* display name of From, decoded */
#define EM_ANTISPAM_FROM 4u         /* address of From */
#define EM_ANTISPAM_REPLY_TO 5u     /* address of Reply-To */
#define EM_ANTISPAM_LINK 6u         /* each link's target */
#define EM_ANTISPAM_LINK_HOST 7u    /* each link's host name */
#define EM_ANTISPAM_ATTACHMENT 8u   /* each attachment's file name */
#define EM_ANTISPAM_SENDER 9u       /* envelope sender; empty for bounces */
#define EM_ANTISPAM_HELO 10u        /* what the client called itself */
#define EM_ANTISPAM_CLIENT 11u      /* address of the client */
#define EM_ANTISPAM_BODY 12u        /* the words of all text parts; operands are literal indexes */
#define EM_ANTISPAM_FACT 13u        /* a number that the engine measured; `name` is its name */
#define EM_ANTISPAM_BAYES 14u       /* spam probability in 1/1000000; false when it is not known */
#define EM_ANTISPAM_RULE 15u        /* earlier rules: at least `number` of the operands (offset = index) hold */

/* How it is compared. Text is compared without regard to the case of ASCII letters. */
#define EM_ANTISPAM_PRESENT 1u
#define EM_ANTISPAM_CONTAINS 2u /* … any of the operands; likewise the next three */
#define EM_ANTISPAM_EQUALS 3u
#define EM_ANTISPAM_BEGINS 4u
#define EM_ANTISPAM_ENDS 5u
#define EM_ANTISPAM_CAPITALS 6u /* at least `number` per mille of at least 8 letters are capitals */
#define EM_ANTISPAM_LENGTH 7u   /* at least `number` bytes */
#define EM_ANTISPAM_REPEATED 8u /* more than `number` times there */
#define EM_ANTISPAM_AT_LEAST 9u /* number; for FACT, BAYES, RULE */
#define EM_ANTISPAM_AT_MOST 10u
#define EM_ANTISPAM_LISTED 11u /* one of the operands, which are in lower case and the order of their bytes; for LINK_HOST
                                  a domain above it suffices */

#define EM_ANTISPAM_NOT 1u /* flag: the predicate holds when the comparison does not */
typedef struct em_antispam_predicate {
    uint16_t subject;   /* what it looks at */
    uint16_t operation; /* how */
    uint32_t flags;
    em_antispam_text name; /* of a header field or fact, lower case */
    int64_t number;
    uint32_t first_operand; /* index */
    uint32_t operand_count;
} em_antispam_predicate;

/*
 * A text that BODY predicates look for, lower case, words separated by one space, at least 4 bytes. Its anchor
 * is the 4 bytes at `anchor`; their hash is (little-endian value * 0x9e3779b1) >> 16, and the literals are
 * sorted by it, so that ANCHORS finds those that can begin near a position with one access.
 */
#define EM_ANTISPAM_ANCHORS 65536u
typedef struct em_antispam_literal {
    em_antispam_text text;
    uint32_t anchor; /* offset of the anchor in the text */
    uint32_t id;     /* what BODY operands call it (offset = id); unique, below the number of literals */
} em_antispam_literal;

/*
 * Learned tokens: a hash table, one cache line a bucket. A token with hash h belongs to bucket
 * h & (buckets - 1), known there by h >> 32; when that bucket is full it lies in the next bucket, and
 * so on; `overflow` of each full bucket that was passed says so. A slot with both counts 0 is free.
 */
typedef struct em_antispam_token {
    uint32_t check; /* high half of the hash */
    uint32_t spam, ham; /* messages of each kind that had it */
} em_antispam_token;
#define EM_ANTISPAM_BUCKET_TOKENS 5u
typedef struct em_antispam_bucket {
    em_antispam_token tokens[EM_ANTISPAM_BUCKET_TOKENS];
    uint32_t overflow; /* 1: look into the next bucket too */
} em_antispam_bucket;

typedef struct em_antispam_learned {
    uint64_t spam, ham;   /* messages learned */
    uint32_t tokenizer;   /* version of the tokenizer: tables of another one are not used */
    uint32_t reserved;
} em_antispam_learned;

#endif
