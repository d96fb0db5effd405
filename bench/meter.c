#include "bench/meter.h"

#include "gate/sample.h"

#include <assert.h>
#include <stdatomic.h>

#define SUB_LOG2 4
#define SUB      (1u << SUB_LOG2)

/* Values below 16 have a bucket each; above, an octave has 16. */
static unsigned bucket_of(uint64_t ns)
{
    if (ns < SUB)
        return (unsigned)ns;
    unsigned octave = 63u - (unsigned)__builtin_clzll(ns);
    unsigned sub = (unsigned)(ns >> (octave - SUB_LOG2)) & (SUB - 1);
    return ((octave - SUB_LOG2 + 1) << SUB_LOG2) + sub;
}

/* The largest value of a bucket. */
static uint64_t end_of(unsigned bucket)
{
    if (bucket < SUB)
        return bucket;
    assert(bucket < METER_BUCKETS);
    unsigned shift = (bucket >> SUB_LOG2) - 1;
    return ((uint64_t)(SUB + (bucket & (SUB - 1)) + 1) << shift) - 1;
}

/* One writer: no read-modify-write is needed. */
static void increment(_Atomic uint64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

void meter_add(struct meter *meter, uint64_t latency_ns)
{
    increment(&meter->buckets[bucket_of(latency_ns)]);
}

void meter_add_error(struct meter *meter)
{
    increment(&meter->n_errors);
}

void meter_add_hedge(struct meter *meter)
{
    increment(&meter->n_hedges);
}

void meter_read(struct meter *meter, struct meter_count *count)
{
    for (unsigned i = 0; i < METER_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&meter->buckets[i], memory_order_relaxed);
        count->buckets[i] += n;
        count->n += n;
    }
    count->n_errors += atomic_load_explicit(&meter->n_errors, memory_order_relaxed);
    count->n_hedges += atomic_load_explicit(&meter->n_hedges, memory_order_relaxed);
}

struct meter_count meter_since(const struct meter_count *now, const struct meter_count *before)
{
    struct meter_count count = {
        .n = now->n - before->n,
        .n_errors = now->n_errors - before->n_errors,
        .n_hedges = now->n_hedges - before->n_hedges,
    };
    for (unsigned i = 0; i < METER_BUCKETS; i++)
        count.buckets[i] = now->buckets[i] - before->buckets[i];
    return count;
}

uint64_t meter_quantile_ns(const struct meter_count *count, uint32_t q_ppm)
{
    if (count->n == 0)
        return 0;
    uint64_t rank = sample_rank(count->n, q_ppm);
    uint64_t seen = 0;
    unsigned i = 0;
    while (seen < rank && i < METER_BUCKETS)
        seen += count->buckets[i++];
    return end_of(i - 1);
}
