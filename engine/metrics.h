/* Plain counters of one shard and how they become Prometheus text.
 *
 * One writer a word (the shard, relaxed load + relaxed store: no locked instruction on the hot
 * path); any reader, relaxed: a scrape may see one counter a moment older than another. */
#ifndef L0_ENGINE_METRICS_H
#define L0_ENGINE_METRICS_H

#include "engine/bracket.h"
#include "proto/wire.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Buckets of l0_request_duration_seconds (50 us to 10 s in steps of 1-2-5, so one is exactly 20 ms)
 * and of l0_latency_ms; both counts include the last bucket, +Inf. */
enum { METRICS_DURATION_BUCKETS = 18, METRICS_CLASSIC_BUCKETS = 7 };

typedef _Atomic uint64_t metric_u64;

struct metrics_shard {
    /* requests: accepted == replied (all statuses) + aborted + in hand */
    metric_u64 requests_accepted;          /* first byte seen */
    metric_u64 replied[WIRE_STATUS_COUNT]; /* sent whole, by status */
    metric_u64 requests_aborted;           /* the peer left before the reply was out */
    metric_u64 hedge_fired, hedge_wins, hedge_lost, hedge_abandoned;
    metric_u64 hedge_denied_budget, hedge_denied_load, hedge_denied_full;
    metric_u64 hedge_claimed_first, hedge_taken_over, hedge_adopted;
    metric_u64 hedge_unwatched, watch_stalls;
    metric_u64 fault_stalled_ns, fault_both_stalled_ns; /* injected */
    metric_u64 rotations;
    metric_u64 backpressure_waits; /* a request had to wait for memory or for its turn */

    /* connections */
    metric_u64 conns_accepted, conns_closed;
    metric_u64 conns_handed_off; /* accepted here, at home on another shard */
    metric_u64 conns_refused;    /* above max-conns */
    metric_u64 conns_live;       /* gauge */
    metric_u64 accept_errors;    /* EMFILE and its like */
    metric_u64 peer_resets;      /* ECONNRESET, EPIPE */
    metric_u64 timeouts_idle, timeouts_frame, timeouts_reply;

    /* bytes */
    metric_u64 bytes_received, bytes_sent, bytes_lexed, tokens, issues;

    /* memory */
    metric_u64 arena_used_bytes;   /* gauge, both arenas */
    metric_u64 arena_size_bytes;   /* gauge, both arenas */
    metric_u64 arena_locked_bytes; /* gauge */

    /* the loop */
    metric_u64 busy_ns, idle_ns;
    metric_u64 loop_turns;
    metric_u64 ring_cq_overflows, ring_rearms, ring_stale_events;

    /* durations of answered requests (status ok), bracket totals */
    metric_u64 duration_bucket[METRICS_DURATION_BUCKETS]; /* not cumulative here */
    metric_u64 classic_bucket[METRICS_CLASSIC_BUCKETS];
    metric_u64 duration_sum_ns;
};

static inline void metric_add(metric_u64 *m, uint64_t n)
{
    atomic_store_explicit(m, atomic_load_explicit(m, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline void metric_set(metric_u64 *m, uint64_t n)
{
    atomic_store_explicit(m, n, memory_order_relaxed);
}

static inline uint64_t metric_get(const metric_u64 *m)
{
    return atomic_load_explicit(m, memory_order_relaxed);
}

/* Shard only: one answered request of this duration into both histograms. */
void metrics_observe(struct metrics_shard *m, uint64_t total_ns);

struct metrics_build {
    const char *version, *kernel, *regime;
};

/* Prometheus text (version 0.0.4) of n shards, label shard="i" on per-shard series, plus process
 * values (RSS, start time). malloc; the caller frees. NULL when memory is short. */
char *metrics_format(const struct metrics_shard *const *shards, uint32_t n_shards,
                     const struct metrics_build *build, size_t *bytes);

/* Sum of one counter over shards: metrics_sum(shards, n, offsetof(struct metrics_shard, x)). */
uint64_t metrics_sum(const struct metrics_shard *const *shards, uint32_t n_shards, size_t offset);

#endif
