/* The line that shows how a run is getting on: in place on a terminal, else one every few seconds.
 * Called about once a second; cheap, so as not to disturb the run. */
#ifndef L0_BENCH_PROGRESS_H
#define L0_BENCH_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A round trip in ns; 0 while it is not known. */
typedef _Atomic uint64_t progress_ns;

struct progress {
    FILE *stream; /* NULL: silent */
    bool terminal;
    uint64_t n_total;
    uint64_t shown;   /* requests begun at the last line */
    uint64_t last_ns; /* when that was */
};

#define PROGRESS_PLAIN_SECONDS 5

void progress_begin(struct progress *p, FILE *stream, uint64_t n_total, uint64_t now_ns);

/* latency[0, n_begun) holds the requests begun so far. Shows rate, count, median and maximum since
 * the last line; the median is that of at most some hundred of them, evenly picked. */
void progress_tick(struct progress *p, const progress_ns *latency, uint64_t n_begun,
                   uint64_t now_ns);

/* Ends the line on a terminal. */
void progress_end(struct progress *p);

#endif
