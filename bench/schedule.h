/* When requests are due: an absolute schedule in ns, made before the run, so that nothing that
 * happens during it can move it. */
#ifndef L0_BENCH_SCHEDULE_H
#define L0_BENCH_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule {
    uint32_t rate; /* requests a second, of all threads together */
    uint64_t duration_ns;
    bool poisson; /* else the k-th is due at k / rate */
    uint64_t seed;
    unsigned n_threads;
};

/* The most requests that the thread can get. */
size_t schedule_cap(const struct schedule *schedule);

/* Writes when the thread's requests are due, from 0, in order, each below duration_ns; due[] has
 * room for schedule_cap. How many there are. A fixed schedule gives the threads the requests in
 * turn; a Poisson one gives each an independent process of rate / n_threads, whose sum is one of
 * `rate`. */
size_t schedule_fill(const struct schedule *schedule, unsigned thread, uint64_t *due_ns);

#endif
