/*
 * CFuzz.h: libFuzzer as a library. Only in the builds of tools/fuzz: the code comes from the compiler's
 * fuzzer runtime, which they link.
 */
#ifndef CFUZZ_H
#define CFUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Seconds of the processor that an input may take. */
#define CFUZZ_SECONDS 2

/* Runs the fuzzer on a function until it is told to end; the result is the program's exit status. `argv` must
 * stay as long as the program runs. An input that takes more than CFUZZ_SECONDS is a crash. */
int CFuzz_run(int argc, char **argv, int (*one_input)(const uint8_t *data, size_t size));

#endif
