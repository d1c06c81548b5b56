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

#endif
