/* For the tests of what reads stored runs: runs made up in the directory of gate_files. */
#ifndef L0_TESTS_UNIT_RUN_FILES_H
#define L0_TESTS_UNIT_RUN_FILES_H

#include <stddef.h>
#include <stdint.h>

struct run_file {
    const char *name; /* below the test's directory; folders are made */
    size_t n;
    uint64_t fast_ns, slow_ns; /* n - n_slow rows of the one, then n_slow of the other */
    size_t n_slow;
    size_t n_hedged;     /* of the last rows, replied by a hedge */
    size_t n_lost;       /* of the first rows, never answered */
    const char *summary; /* members of run.json beside "rows", such as "\"valid\":true" */
};

void run_files_write(const struct run_file *run);

/* DIR/a and DIR/b of n_runs interleaved runs each, all of b's latencies `percent` higher; runs
 * differ among themselves by a few per cent, the same on both sides. */
void run_files_write_sides(const char *dir, size_t n_runs, unsigned percent);

#endif
