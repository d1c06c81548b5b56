/*
 * em110: a module for tests that misbehaves on command. Only text objects are looked at.
 *
 *   ESETS-TEST-TRAP    ends the process by a signal of its own making
 *   ESETS-TEST-PAUSE   computes for half a second, during which the scanning process can be killed
 *
 * Compiled with -DSELFTEST_FAILS its self-test fails; with -DSLOW=SECONDS each text takes so long, computing; with
 * -DBLIND it fails for texts with ESETS-TEST-BLIND, so that they are not scanned.
 */
#include "em_module.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

EM_MANIFEST("id=em110.trap\n"
            "file=em110\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "needs=em.host.budget/1\n"
            "offers=em.analyse/1 em.selftest/1\n"
            "description=Misbehaves on command\n");

struct em_instance {
    const em_host_budget_v1 *budget;
};

struct em_analysis {
    const em_instance *instance;
    em_scan *scan;
};

static int contains(em_slice data, const char *mark) {
    size_t length = strlen(mark);
    for (uint64_t i = 0; i + length <= data.len && i < 65536; i++)
        if (data.ptr[i] == (uint8_t)mark[0] && memcmp(data.ptr + i, mark, length) == 0) return 1;
    return 0;
}

static em_status begin(em_instance *instance, em_scan *scan, em_analysis **out) {
    em_analysis *analysis = malloc(sizeof *analysis);
    if (analysis == NULL) return EM_E_MEMORY;
    *analysis = (em_analysis){instance, scan};
    *out = analysis;
    return EM_OK;
}

/* What this thread has computed: the canary compares that, too, however busy the machine is. */
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static em_status object(em_analysis *analysis, const em_object *object, const em_object *parent, uint32_t phase) {
    (void)parent;
    if (phase != EM_PHASE_ENTER || object->type != EM_TYPE_TEXT) return EM_OK;
    if (contains(object->data, "ESETS-TEST-PAUSE")) {
        for (double end = now() + 0.5; now() < end;) {
            em_status status = analysis->instance->budget->check(analysis->scan);
            if (status != EM_OK) return status;
        }
    }
    if (contains(object->data, "ESETS-TEST-TRAP")) __builtin_trap();
#ifdef SLOW
    for (double end = now() + SLOW; now() < end;) continue;
#endif
#ifdef BLIND
    if (contains(object->data, "ESETS-TEST-BLIND")) return EM_E_INTERNAL;
#endif
    return EM_OK;
}

static void end(em_analysis *analysis) { free(analysis); }

static const em_analyse_v1 analyse = {begin, object, end};

static em_status selftest_run(em_instance *instance, uint8_t *buffer, uint64_t capacity, uint64_t *length) {
    (void)instance;
#ifdef SELFTEST_FAILS
    static const char why[] = "two and two are five";
    *length = sizeof why - 1 < capacity ? sizeof why - 1 : capacity;
    memcpy(buffer, why, *length);
    return EM_E_INTERNAL;
#else
    (void)buffer, (void)capacity, (void)length;
    return EM_OK;
#endif
}

static const em_selftest_v1 selftest = {selftest_run};

static em_status init(const em_host *host, em_slice config, em_instance **out) {
    (void)config;
    em_instance *instance = malloc(sizeof *instance);
    if (instance == NULL) return EM_E_MEMORY;
    instance->budget = host->service(host, "em.host.budget/1");
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

static const char *const services[] = {"em.host.budget/1", NULL};

static const em_module module = {
    .magic = EM_MODULE_MAGIC,
    .struct_size = sizeof(em_module),
    .abi_major = EM_ABI_MAJOR,
    .abi_minor = EM_ABI_MINOR,
    .id = "em110.trap",
    .version = "1.0.0",
    .requires_services = services,
    .init = init,
    .deinit = deinit,
    .interface = interface,
};

const em_module *em_module_entry(void) { return &module; }
