/* The open loop: requests are sent when their schedule says so, whether or not the ones before them
 * are answered, and a latency counts from the time at which its request was due. A server that
 * pauses thereby shows every request that the pause would have met, which a closed loop, waiting
 * for the reply, never sends.
 *
 * Every thread has its share of the connections and of the schedule and one epoll loop. A request
 * that is due while all connections wait for replies is sent when the first one is free: that wait
 * is the service's, and counts. What the client adds itself is its lag: from when a request was due
 * and a connection free to when it was sent. */
#ifndef L0_BENCH_OPEN_H
#define L0_BENCH_OPEN_H

#include "bench/document.h"
#include "bench/jitter.h"
#include "gate/run.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OPEN_THREADS_MAX  64
#define OPEN_CONNS_MAX    16384
#define OPEN_RATE_MAX     10000000u /* requests a second */
#define OPEN_REQUESTS_MAX 50000000u

/* What became of a request; the wire's statuses come first. */
enum open_status {
    OPEN_OK = 0,
    OPEN_PENDING = 100, /* not yet known, only while it runs */
    OPEN_WRONG,         /* a reply that says something else than the lexer in this program */
    OPEN_LOST,          /* the connection ended, or what came is no reply */
    OPEN_TIMEOUT,
    OPEN_UNSENT, /* no connection became free in time */
};

struct open_options {
    const char *target;
    uint32_t rate;        /* requests a second, all threads together */
    uint64_t duration_ns; /* of the recorded part */
    uint64_t warmup_ns;   /* before it, sent and checked, not recorded */
    uint32_t n_conns;
    uint32_t n_threads; /* at most n_conns */
    bool poisson;       /* exponential distances; else equal ones */
    uint64_t seed;
    const cpu_set_t *cores; /* threads are pinned to these in turn; NULL: no pinning */
    bool busy_poll;         /* never sleep */
    uint64_t spin_ns;       /* how long before a request is due sleeping ends */
    unsigned timeout_ms;    /* from when it was due; then it is an error */
    uint64_t max_lag_ns;
    bool any_reply; /* any frame with a 32-bit length is a right reply */
    uint32_t n_tokens;
    uint32_t issues_len;
    FILE *progress; /* NULL: silent */
};

struct open_row {
    uint64_t due_ns; /* CLOCK_MONOTONIC, as the others; 0: it did not come to that */
    uint64_t sent_ns;
    uint64_t first_ns;
    uint64_t done_ns;
    uint64_t lag_ns;
    uint8_t status; /* enum open_status, or enum wire_status */
    uint8_t origin; /* enum wire_origin */
};

/* Owns its arrays. */
struct open_result {
    struct open_row *rows; /* by due_ns; warm-up left out */
    size_t n_rows;
    uint64_t n_sent;   /* warm-up included */
    uint64_t n_errors; /* the same */
    uint64_t n_reconnects;
    uint64_t start_ns; /* the beginning of the recorded part */
    uint64_t end_ns;   /* when the last thread ended */
    uint64_t lag_p999_ns;
    double busy_share;     /* the busiest thread's part of the time in which it was not waiting */
    bool interrupted;      /* by SIGINT or SIGTERM */
    char failure[512];     /* the first error */
    char why_invalid[384]; /* empty: the run is valid */
    struct jitter_result jitter;
};

/* Runs it. 0 when it took place, whatever the replies were; negative errno when it could not begin,
 * with the reason in failure. open_free is due either way. */
int open_run(const struct open_options *options, const struct document *document,
             struct open_result *result);
void open_free(struct open_result *result);

/* The latencies as a run that rules can be applied to. 0 or -ENOMEM; run_free is due either way. */
int open_to_run(const struct open_result *result, struct run *run);

/* "ok", "timeout", "wrong", "busy", ... */
const char *open_status_name(unsigned status);

#endif
