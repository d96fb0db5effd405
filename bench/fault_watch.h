/* When the service injected stalls into itself: its counter of them, read while a run lasts, so
 * that a timeline can mark them. Once a second as long as there are none, which disturbs nothing;
 * ten times a second after the first. */
#ifndef L0_BENCH_FAULT_WATCH_H
#define L0_BENCH_FAULT_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct fault_watch; /* a running one */

struct fault_span {
    uint64_t begin_ns, end_ns; /* CLOCK_MONOTONIC, between two readings */
    uint64_t stalled_ns;       /* in it, of all shards together */
};

/* Owns its spans, by time. */
struct fault_spans {
    struct fault_span *spans;
    size_t n;
};

/* Starts a thread that reads http://ADDRESS/metrics, whose text just now was `before`. NULL when
 * the service exports no such counter, or memory or threads are short: then nothing is watched. */
struct fault_watch *fault_watch_start(const char *address, const char *before);

/* Reads once more, stops and frees it; watch may be NULL. fault_spans_free is due. */
void fault_watch_stop(struct fault_watch *watch, struct fault_spans *spans);
void fault_spans_free(struct fault_spans *spans);

/* The counter in ns in a text of Prometheus' format, summed up over its series; -1 without one. */
int64_t fault_watch_parse(const char *text);

#endif
