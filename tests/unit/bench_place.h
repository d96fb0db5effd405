/* For the tests of the bench's programs: a place with a document, and runs of the built programs
 * from $L0_BIN or bin/. */
#ifndef L0_TESTS_UNIT_BENCH_PLACE_H
#define L0_TESTS_UNIT_BENCH_PLACE_H

#include "lexer/lexer.h"

#include "tests/unit/scratch.h"

#include <limits.h>

/* One test's place: a document, its counts, and room for what the programs write. */
struct bench_place {
    struct scratch scratch;
    char bin[PATH_MAX];
    char document[128], raw[128], socket[128];
    struct lexer_counts counts;
};

extern struct bench_place place;

void bench_place_open(void);
void bench_place_close(void);

struct bench_outcome {
    int code;
    char output[8192]; /* standard output and error */
};

/* Runs a command line of the shell with the programs' directory in front. */
struct bench_outcome bench_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

void bench_expect_said(const struct bench_outcome *outcome, const char *part);

#endif
