/*
 * em101: an example of a module that adds functions to the rules of signature databases. A YARA rule says
 *
 *     import "acme"
 *     rule many_lines { condition: acme.lines() > 1000 and acme.share("\n", 1.0) > 2.5 and acme.kind() == "text" }
 *
 * It offers em.function/1. docs/module-abi.md explains it.
 */
#include "em_module.h"

#include <stddef.h>
#include <string.h>

EM_MANIFEST("id=em101.acme\n"
            "file=em101\n"
            "version=1.0.0\n"
            "kind=code\n"
            "abi=1.0\n"
            "offers=em.function/1\n"
            "description=Functions for rules: lines, share of a text, kind\n");

/* acme.lines(): how many lines the object has. */
static em_status lines(const em_function_call *call, int64_t *result) {
    *result = 0;
    for (uint64_t i = 0; i < call->data.len; i++) *result += call->data.ptr[i] == '\n';
    return EM_OK;
}

/* acme.share(text, scale): how often a text is in the object, for each byte, times scale. */
static em_status share(const em_function_call *call, double *result, const em_slice *text, double scale) {
    if (text->len == 0 || call->data.len == 0) return EM_E_UNSUPPORTED; /* undefined */
    uint64_t count = 0;
    for (uint64_t i = 0; i + text->len <= call->data.len; i++)
        count += memcmp(call->data.ptr + i, text->ptr, text->len) == 0;
    *result = (double)count * scale / (double)call->data.len;
    return EM_OK;
}

/* acme.kind(): a text. What a result points to is copied when the function returns. */
static em_status kind(const em_function_call *call, em_slice *result) {
    static const char text[] = "text", binary[] = "binary";
    int is_binary = memchr(call->data.ptr, 0, call->data.len) != NULL;
    *result = is_binary ? (em_slice){(const uint8_t *)binary, sizeof binary - 1}
                        : (em_slice){(const uint8_t *)text, sizeof text - 1};
    return EM_OK;
}

static const em_function functions[] = {
    {"acme.lines", "i()", (void *)lines},
    {"acme.share", "f(sf)", (void *)share},
    {"acme.kind", "s()", (void *)kind},
};
static const em_function_v1 table = {
    sizeof(em_function_v1), sizeof functions / sizeof functions[0], functions,
};

static em_status init(const em_host *host, em_slice config, em_instance **out) {
    (void)host;
    (void)config;
    *out = NULL; /* it has no state */
    return EM_OK;
}

static void deinit(em_instance *instance) {
    (void)instance;
}

static const void *interface(em_instance *instance, const char *id) {
    (void)instance;
    return strcmp(id, "em.function/1") == 0 ? &table : NULL;
}

static const char *const services[] = {NULL};
static const em_module module = {
    EM_MODULE_MAGIC, sizeof(em_module), EM_ABI_MAJOR, EM_ABI_MINOR, 0, 0,
    "em101.acme", "1.0.0", services, init, deinit, interface,
};

const em_module *em_module_entry(void) {
    return &module;
}
