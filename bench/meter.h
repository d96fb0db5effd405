/* What a thread has measured lately, for another thread to look at: counts in log-linear buckets
 * (16 to an octave: within 6 %). For progress only; verdicts are made from exact values. */
#ifndef L0_BENCH_METER_H
#define L0_BENCH_METER_H

#include <stdint.h>

#define METER_BUCKETS 976 /* the last one holds 2^64 - 1 ns */

/* One writer, any readers. */
struct meter {
    _Atomic uint64_t buckets[METER_BUCKETS];
    _Atomic uint64_t n_errors;
    _Atomic uint64_t n_hedges; /* replies that came from a hedge */
};

/* A copy, or a difference of copies. */
struct meter_count {
    uint64_t buckets[METER_BUCKETS];
    uint64_t n;
    uint64_t n_errors;
    uint64_t n_hedges;
};

void meter_add(struct meter *meter, uint64_t latency_ns);
void meter_add_error(struct meter *meter);
void meter_add_hedge(struct meter *meter);

/* Adds the meter's counts to *count. */
void meter_read(struct meter *meter, struct meter_count *count);

/* What came after `before`. */
struct meter_count meter_since(const struct meter_count *now, const struct meter_count *before);

/* The upper end of the bucket that the q-quantile lies in, 0 when there is none; q_ppm = 10^6: the
 * largest. */
uint64_t meter_quantile_ns(const struct meter_count *count, uint32_t q_ppm);

#endif
