/*
 * em100: an example of a module in C. It notes every text object that says "CONFIDENTIAL".
 *
 * It offers em.analyse/1, so the scanner shows it each object of a scan, and em.selftest/1, which the
 * canary runs before a generation with this module is used. docs/module-abi.md explains every step.
 */
#include "em_module.h"

#include <stdlib.h>
#include <string.h>

EM_MANIFEST("id=em100.note\n"
            "file=em100\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "needs=em.host.log/1 em.host.budget/1 em.host.report/1\n"
            "offers=em.analyse/1 em.selftest/1\n"
            "description=Notes texts that call themselves confidential\n");

static const char mark[] = "CONFIDENTIAL";
enum { MARK = sizeof mark - 1, WINDOW = 64 * 1024 };

/* One for each loaded module: what it needs of the host, looked up once. Read-only after `init`. */
struct em_instance {
    const em_host *host;
    const em_host_log_v1 *log;
    const em_host_budget_v1 *budget;
    const em_host_report_v1 *report;
};

/* One for each scan. */
struct em_analysis {
    const em_instance *instance;
    em_scan *scan;
};

static em_slice text(const char *literal) {
    return (em_slice){(const uint8_t *)literal, strlen(literal)};
}

/* Where the mark begins in [0, len), or len. */
static uint64_t find(const uint8_t *bytes, uint64_t len) {
    for (uint64_t i = 0; i + MARK <= len; i++)
        if (bytes[i] == mark[0] && memcmp(bytes + i, mark, MARK) == 0) return i;
    return len;
}

/* ------------------------------------------------------------------ em.analyse/1 */

static em_status analysis_begin(em_instance *instance, em_scan *scan, em_analysis **out) {
    em_analysis *analysis = malloc(sizeof *analysis);
    if (analysis == NULL) return EM_E_MEMORY;
    *analysis = (em_analysis){instance, scan};
    *out = analysis;
    return EM_OK;
}

static em_status analysis_object(em_analysis *analysis, const em_object *object, const em_object *parent,
                                 uint32_t phase) {
    (void)parent;
    const em_instance *module = analysis->instance;
    /* Each object comes twice; its data is the same both times. */
    if (phase != EM_PHASE_ENTER || object->type != EM_TYPE_TEXT) return EM_OK;

    for (uint64_t start = 0; start < object->data.len; start += WINDOW) {
        /* At least once for each 64 KiB: may the scan go on? */
        em_status status = module->budget->check(analysis->scan);
        if (status != EM_OK) return status;

        /* Windows overlap, so that a mark across their border is seen. */
        uint64_t rest = object->data.len - start;
        uint64_t len = rest < WINDOW + MARK - 1 ? rest : WINDOW + MARK - 1;
        uint64_t at = find(object->data.ptr + start, len);
        if (at == len) continue;

        em_finding finding = {
            .struct_size = sizeof finding,
            .kind = EM_FINDING_NOTE,
            .object = object->id,
            .name = text("Note.Confidential"),
            .source = text("em100"),
            .offset = start + at,
        };
        module->log->write(module->host, EM_LOG_INFO, text("an object says CONFIDENTIAL"));
        return module->report->finding(analysis->scan, &finding);
    }
    return EM_OK;
}

static void analysis_end(em_analysis *analysis) { free(analysis); }

static const em_analyse_v1 analyse = {analysis_begin, analysis_object, analysis_end};

/* ------------------------------------------------------------------ em.selftest/1 */

static em_status selftest_run(em_instance *instance, uint8_t *buffer, uint64_t capacity, uint64_t *length) {
    (void)instance;
    static const char sample[] = "This is CONFIDENTIAL.";
    if (find((const uint8_t *)sample, sizeof sample - 1) == 8) return EM_OK;
    em_slice why = text("the mark was not found where it is");
    *length = why.len < capacity ? why.len : capacity;
    memcpy(buffer, why.ptr, *length);
    return EM_E_INTERNAL;
}

static const em_selftest_v1 selftest = {selftest_run};

/* ------------------------------------------------------------------ the module */

static em_status init(const em_host *host, em_slice config, em_instance **out) {
    (void)config;
    em_instance *instance = malloc(sizeof *instance);
    if (instance == NULL) return EM_E_MEMORY;
    /* None of these is NULL: the host checked `services` below. */
    *instance = (em_instance){host, host->service(host, "em.host.log/1"), host->service(host, "em.host.budget/1"),
                              host->service(host, "em.host.report/1")};
    *out = instance;
    return EM_OK;
}

static void deinit(em_instance *instance) { free(instance); }

static const void *interface(em_instance *instance, const char *id) {
    (void)instance;
    if (strcmp(id, "em.analyse/1") == 0) return &analyse;
    if (strcmp(id, "em.selftest/1") == 0) return &selftest;
    return NULL;
}

static const char *const services[] = {"em.host.log/1", "em.host.budget/1", "em.host.report/1", NULL};

static const em_module module = {
    .magic = EM_MODULE_MAGIC,
    .struct_size = sizeof(em_module),
    .abi_major = EM_ABI_MAJOR,
    .abi_minor = EM_ABI_MINOR,
    .min_host_minor = 0,
    .flags = 0,
    .id = "em100.note",
    .version = "1.0.0",
    .requires_services = services,
    .init = init,
    .deinit = deinit,
    .interface = interface,
};

const em_module *em_module_entry(void) { return &module; }
