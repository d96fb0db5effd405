/* The closed loop: every thread has one connection and one request under way. */
#ifndef L0_BENCH_LOAD_H
#define L0_BENCH_LOAD_H

#include "bench/document.h"
#include "bench/progress.h"
#include "proto/wire.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LOAD_THREADS_MAX 1024
#define LOAD_IDLE_MAX    100000

struct load_options {
    const char *target; /* as l0_connect takes it */
    bool oneshot;       /* a fresh connection for every request, its connect timed with it */
    uint64_t n_requests;
    uint64_t n_warmup; /* sent and checked before those, not recorded */
    uint32_t n_threads;
    uint32_t n_idle; /* connections that stay silent all the while */
    unsigned timeout_ms;
    const cpu_set_t *cores; /* threads are pinned to these in turn, all allowed; NULL: no pinning */
    uint32_t n_tokens;      /* what every reply must say */
    uint32_t issues_len;
    FILE *progress; /* NULL: silent */
};

/* Owns its arrays. A latency is the round trip from before the send (oneshot: before the connect)
 * to after the whole reply, CLOCK_MONOTONIC; 0 where no right reply came. In the order in which the
 * requests began. */
struct load_result {
    progress_ns *latency_ns; /* n_requests of them */
    uint64_t *connect_ns;    /* oneshot: the part of each that was connect; else NULL */
    uint64_t n_right;        /* right replies among the recorded requests */
    uint64_t n_errors;       /* wrong or missing replies, warm-up included */
    uint64_t origins[WIRE_ORIGIN_HEDGE + 1];
    uint64_t elapsed_ns; /* from the first recorded request to the last reply */
    char failure[512];   /* the first error: which request, what was expected, what came */
};

/* Runs until all requests are answered or one fails. 0 when the run took place, whatever the
 * replies were; negative errno when it could not begin: failure then says what failed. load_free is
 * due either way. */
int load_run(const struct load_options *options, const struct document *document,
             struct load_result *result);
void load_free(struct load_result *result);

#endif
