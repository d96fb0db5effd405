/* How an open-loop run is getting on: a line a second on a terminal, silence elsewhere. */
#ifndef L0_BENCH_OPEN_PROGRESS_H
#define L0_BENCH_OPEN_PROGRESS_H

#include "bench/open_thread.h"

#include <stdbool.h>
#include <stdint.h>

struct open_progress {
    const struct open_options *options;
    const struct open_thread *threads;
    uint32_t n_threads;
    bool shown; /* there is a terminal to show it on */
    uint64_t begin_ns;
    uint64_t last_ns; /* when the last line was written */
    struct meter_count before;
};

void open_progress_begin(struct open_progress *progress, const struct open_options *options,
                         const struct open_thread *threads, uint32_t n_threads);

/* How long one may wait before the next tick; -1: for ever. */
int open_progress_wait_ms(const struct open_progress *progress);

/* Writes the line of the last second when it is over: rate, P50, P99 and maximum of the latency,
 * errors and hedges in all. */
void open_progress_tick(struct open_progress *progress);

/* Takes the line away. */
void open_progress_end(struct open_progress *progress);

#endif
