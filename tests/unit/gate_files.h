/* For the tests of the gate: files in a fresh directory, and runs of the built l0-gate. */
#ifndef L0_TESTS_UNIT_GATE_FILES_H
#define L0_TESTS_UNIT_GATE_FILES_H

#include <stddef.h>
#include <stdint.h>

/* Before and after each test: its own fresh directory. */
void gate_files_begin(void);
void gate_files_end(void);
const char *gate_files_dir(void);

/* The path of a file in the directory, valid until the next call that returns one. */
const char *gate_files_path(const char *name);

/* Writes a file and returns its path. */
const char *gate_files_write(const char *name, const char *text);
const char *gate_files_write_bytes(const char *name, const void *bytes, size_t n_bytes);

/* Raw latencies: n_slow lines of slow_ms after n - n_slow lines of fast_ms. Returns the path. */
const char *gate_files_write_raw(const char *name, size_t n, const char *fast_ms, size_t n_slow,
                                 const char *slow_ms);

/* A sane tail of n rows, all of bracket_ns. Returns the path. */
const char *gate_files_write_tail(const char *name, size_t n, uint64_t bracket_ns);

struct gate_files_run {
    int exit;
    char output[16384]; /* standard output and error, cut where it is longer */
};

/* Runs `l0-gate ARGUMENTS` with the shell, in the test's directory. */
struct gate_files_run gate_files_run(const char *arguments, ...)
    __attribute__((format(printf, 1, 2)));

/* The same for any command. */
struct gate_files_run gate_files_shell(const char *command);

/* Its exit code is that one, and this is in what it said. */
void gate_files_expect(struct gate_files_run run, int exit, const char *excerpt);

/* The directory of the built programs, absolute. */
const char *gate_files_bin(void);

#endif
