#include "CFuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* compiler-rt, "Using libFuzzer as a library"; it has no header of its own. */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

static int (*wrapped)(const uint8_t *data, size_t size);

static double used(void) {
    struct timespec time;
    return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 ? (double)time.tv_sec + (double)time.tv_nsec / 1e9 : 0;
}

/* libFuzzer's own limit is one of the clock on the wall, which also counts while others have the processor. */
static int measured(const uint8_t *data, size_t size) {
    double began = used();
    int result = wrapped(data, size);
    double took = used() - began;
    if (took > CFUZZ_SECONDS) {
        fprintf(stderr, "CFuzz: the input of %zu bytes took %.1f seconds of the processor\n", size, took);
        abort();
    }
    return result;
}

int CFuzz_run(int argc, char **argv, int (*one_input)(const uint8_t *data, size_t size)) {
    wrapped = one_input;
    return LLVMFuzzerRunDriver(&argc, &argv, measured);
}
