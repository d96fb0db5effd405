/* What the subcommands of l0-bench have in common. */
#ifndef L0_BENCH_BENCH_H
#define L0_BENCH_BENCH_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Exit codes of l0-bench. */
enum {
    BENCH_OK = 0,
    BENCH_WRONG = 1,   /* a reply was wrong or missing */
    BENCH_INPUT = 2,   /* a file could not be read or written, or the service not be reached */
    BENCH_INVALID = 3, /* the run measured the load generator rather than the service */
    BENCH_USAGE = 64,  /* as in sysexits.h */
};

/* One line on stderr, "l0-bench: …"; returns exit_code, for `return`. */
int bench_complain(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The subcommands; argv[0] is "l0-bench NAME". They return the exit code. */
int bench_load_main(int argc, char **argv, bool oneshot);
int bench_open_main(int argc, char **argv);
int bench_find_max_main(int argc, char **argv);
int bench_calibrate_main(int argc, char **argv);
int bench_ab_main(int argc, char **argv);
int bench_micro_main(int argc, char **argv);
int bench_side_main(int argc, char **argv);

/* How every program of this layer prints JSON: doubles with as many digits as times have. */
#define BENCH_JSON_FLAGS (JSON_INDENT(2) | JSON_REAL_PRECISION(12))

/* Flushes standard output; BENCH_OK, or an exit code after a message. */
int bench_flush(void);

/* Prints the document on standard output, flushes it, and drops the reference; NULL stands for a
 * document that memory was too short for. BENCH_OK, or an exit code after a message. */
int bench_print_json(json_t *json);

/* Writes the document to a file, whole or not at all, and drops the reference; NULL stands for a
 * document that memory was too short for. 0 or negative errno. */
int bench_write_json(json_t *json, const char *path);

/* A whole number within [min, max] from an argument; else a usage error that names `what`. */
uint64_t bench_number(struct argp_state *state, const char *what, const char *text, uint64_t min,
                      uint64_t max);

#endif
