/*
 * em102: an example of a module that opens a container format, in C. docs/module-abi.md explains every step.
 *
 * A crate is a file of files:
 *
 *     "CRATE 1\n"
 *     for each file, numbers little-endian:
 *         1 byte    method: 0 stored, 1 packed with PackBits
 *         1 byte    length of the name
 *         4 bytes   size of the content as it lies here
 *         the name, UTF-8, and the content
 *
 * It offers em.container/1, so the scanner asks it about each object of a scan, and em.selftest/1, which the canary
 * runs before a generation with this module is used.
 */
#include "em_module.h"

#include <stdlib.h>
#include <string.h>

EM_MANIFEST("id=em102.crate\n"
            "file=em102\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "needs=em.host.memory/1 em.host.budget/1 em.host.submit/1 em.host.report/1\n"
            "offers=em.container/1 em.selftest/1\n"
            "description=Opens crates\n");

static const uint8_t magic[] = {'C', 'R', 'A', 'T', 'E', ' ', '1', '\n'};
enum { MAGIC = sizeof magic, HEADER = 6, STORED = 0, PACKBITS = 1, STEP = 64 * 1024, RUN = 128 };

/* One for each loaded module: what it needs of the host, looked up once. Read-only after `init`. */
struct em_instance {
    const em_host_memory_v1 *memory;
    const em_host_budget_v1 *budget;
    const em_host_submit_v1 *submit;
    const em_host_report_v1 *report;
};

/* One for each crate that is being opened. */
struct em_cursor {
    const em_instance *instance;
    em_scan *scan;
    const em_object *object; /* valid until `close`, its data too */
    uint64_t position;       /* where the next file begins */
    uint32_t number;         /* of the next file, from 1 */
};

/* ------------------------------------------------------------------ reading a crate */

/* A file in a crate. */
typedef struct file {
    uint8_t method;
    em_slice name, content;
    uint64_t offset; /* of the content */
    int truncated;   /* the crate ends before the content does */
} file;

/* The file that begins at *position, which then goes on behind it; 0 when there is none. Nothing that a crate says
 * is believed: whoever made it may mean harm. */
static int read_file(em_slice crate, uint64_t *position, file *out) {
    if (*position > crate.len || crate.len - *position < HEADER) return 0;
    const uint8_t *header = crate.ptr + *position;
    uint64_t rest = crate.len - *position - HEADER;
    uint64_t name = header[1];
    uint64_t size = header[2] | (uint64_t)header[3] << 8 | (uint64_t)header[4] << 16 | (uint64_t)header[5] << 24;
    if (name > rest) return 0;
    out->method = header[0];
    out->name = (em_slice){header + HEADER, name};
    out->truncated = size > rest - name;
    if (out->truncated) size = rest - name;
    out->content = (em_slice){header + HEADER + name, size};
    out->offset = *position + HEADER + name;
    *position = out->offset + size;
    return 1;
}

/* Unpacks one run of PackBits: n < 128 stands before n + 1 bytes, n > 128 before a byte that comes 257 - n times.
 * Returns the bytes made, at most RUN; *at goes on behind the run. */
static uint32_t unpack_run(em_slice packed, uint64_t *at, uint8_t *out) {
    uint8_t control = packed.ptr[(*at)++];
    if (control == 128) return 0;
    if (control > 128) {
        if (*at == packed.len) return 0;
        memset(out, packed.ptr[(*at)++], 257u - control);
        return 257u - control;
    }
    uint64_t rest = packed.len - *at;
    uint32_t count = rest < control + 1u ? (uint32_t)rest : control + 1u;
    memcpy(out, packed.ptr + *at, count);
    *at += count;
    return count;
}

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Unpacks a file into the scan's arena, as far as the limits allow: what came out is scanned in any case. */
static em_status unpack(em_cursor *cursor, const file *file, em_object *child) {
    const em_instance *host = cursor->instance;
    /* The smaller of two budgets cuts the object; the verdict names the one that did. */
    uint64_t size = host->budget->left(cursor->scan, cursor->object, EM_BUDGET_SIZE);
    uint64_t total = host->budget->left(cursor->scan, cursor->object, EM_BUDGET_TOTAL);
    uint64_t most = smaller(size, total), room = STEP, count = 0, at = 0;
    uint32_t stopped = 0;

    uint8_t *bytes = host->memory->alloc(cursor->scan, room);
    if (bytes == NULL) return EM_E_MEMORY;
    while (at < file->content.len) {
        if (count >= most) {
            stopped = size <= total ? EM_BUDGET_SIZE : EM_BUDGET_TOTAL;
            break;
        }
        if (room - count < RUN) {
            /* At least once for each 64 KiB: may the scan go on? Then the memory grows, where it is. */
            em_status status = host->budget->check(cursor->scan);
            if (status != EM_OK) return status;
            if (host->memory->resize(cursor->scan, bytes, room + STEP) != EM_OK) {
                stopped = EM_BUDGET_MEMORY;
                break;
            }
            room += STEP;
        }
        count += unpack_run(file->content, &at, bytes + count);
    }
    if (count > most) count = most;
    if (stopped != 0) {
        host->budget->exceeded(cursor->scan, cursor->object, stopped);
        child->flags |= EM_OBJECT_OVER_LIMIT;
    }
    child->data = (em_slice){bytes, count};
    return EM_OK;
}

/* ------------------------------------------------------------------ em.container/1 */

static uint32_t container_identify(em_instance *instance, em_scan *scan, const em_object *object, uint32_t *type) {
    (void)instance;
    (void)scan;
    /* Called for every object of every scan: it looks at few bytes. */
    if (object->data.len < MAGIC || memcmp(object->data.ptr, magic, MAGIC) != 0) return 0;
    *type = EM_TYPE_ARCHIVE;
    return 100;
}

static em_status container_open(em_instance *instance, em_scan *scan, const em_object *object, em_cursor **out) {
    em_cursor *cursor = malloc(sizeof *cursor);
    if (cursor == NULL) return EM_E_MEMORY;
    *cursor = (em_cursor){instance, scan, object, MAGIC, 1};
    *out = cursor;
    return EM_OK;
}

static em_status container_next(em_cursor *cursor) {
    const em_instance *host = cursor->instance;
    /* A crate may hold millions of files of no size. */
    em_status status = host->budget->check(cursor->scan);
    if (status != EM_OK) return status;

    uint64_t start = cursor->position;
    file file;
    if (!read_file(cursor->object->data, &cursor->position, &file)) {
        if (start < cursor->object->data.len)
            host->report->object(cursor->scan, cursor->object->id, EM_TYPE_UNKNOWN, EM_OBJECT_TRUNCATED);
        return EM_END;
    }
    em_object child = {
        .struct_size = sizeof child,
        .type = EM_TYPE_UNKNOWN, /* the scanner identifies it */
        .name = file.name,
        .format = {(const uint8_t *)"CRATE", 5},
        .offset = file.offset,
        .extent = file.content.len,
        .packed_size = file.content.len,
        .position = cursor->number++,
        .flags = file.truncated ? EM_OBJECT_TRUNCATED : 0,
    };
    if (file.method == PACKBITS) {
        status = unpack(cursor, &file, &child);
        if (status != EM_OK) return status;
    } else {
        /* It lies unencoded in the crate: no copy. A method that we do not know makes "not scanned". */
        child.data = file.content;
        child.flags |= file.method == STORED ? EM_OBJECT_IN_PLACE : EM_OBJECT_UNSUPPORTED;
    }
    child.stated_size = child.data.len;
    status = host->submit->submit(cursor->scan, cursor->object, &child);
    /* A limit refuses this child, which the host has noted; the next one may still pass. */
    return status == EM_E_LIMIT ? EM_OK : status;
}

static void container_close(em_cursor *cursor) { free(cursor); }

static const char *const formats[] = {"CRATE", NULL};
static const em_container_v1 container = {
    sizeof(em_container_v1), 0, formats, container_identify, container_open, container_next, container_close,
};

/* ------------------------------------------------------------------ em.selftest/1 */

/* Reads a crate that it knows. */
static int works(void) {
    static const uint8_t sample[] = "CRATE 1\n\1\1\6\0\0\0a\2xyz\376-";
    em_slice crate = {sample, sizeof sample - 1};
    uint64_t position = MAGIC, at = 0;
    uint8_t out[2 * RUN];
    file file;
    if (!read_file(crate, &position, &file) || file.truncated || file.name.ptr[0] != 'a') return 0;
    uint32_t count = unpack_run(file.content, &at, out);
    count += unpack_run(file.content, &at, out + count);
    return count == 6 && memcmp(out, "xyz---", 6) == 0 && !read_file(crate, &position, &file);
}

static em_status selftest_run(em_instance *instance, uint8_t *buffer, uint64_t capacity, uint64_t *length) {
    (void)instance;
    if (works()) return EM_OK;
    static const char why[] = "a known crate was not read as it should be";
    *length = smaller(sizeof why - 1, capacity);
    memcpy(buffer, why, *length);
    return EM_E_INTERNAL;
}

static const em_selftest_v1 selftest = {selftest_run};

/* ------------------------------------------------------------------ the module */

static em_status init(const em_host *host, em_slice config, em_instance **out) {
    (void)config;
    em_instance *instance = malloc(sizeof *instance);
    if (instance == NULL) return EM_E_MEMORY;
    /* None of these is NULL: the host checked `services` below. */
    *instance = (em_instance){host->service(host, "em.host.memory/1"), host->service(host, "em.host.budget/1"),
                              host->service(host, "em.host.submit/1"), host->service(host, "em.host.report/1")};
    *out = instance;
    return EM_OK;
}

static void deinit(em_instance *instance) { free(instance); }

static const void *interface(em_instance *instance, const char *id) {
    (void)instance;
    if (strcmp(id, "em.container/1") == 0) return &container;
    if (strcmp(id, "em.selftest/1") == 0) return &selftest;
    return NULL;
}

static const char *const services[] = {"em.host.memory/1", "em.host.budget/1", "em.host.submit/1",
                                       "em.host.report/1", NULL};
static const em_module module = {
    .magic = EM_MODULE_MAGIC,
    .struct_size = sizeof(em_module),
    .abi_major = EM_ABI_MAJOR,
    .abi_minor = EM_ABI_MINOR,
    .min_host_minor = 0,
    .flags = 0,
    .id = "em102.crate",
    .version = "1.0.0",
    .requires_services = services,
    .init = init,
    .deinit = deinit,
    .interface = interface,
};

const em_module *em_module_entry(void) { return &module; }
