#include "engine/fault.h"

#include "engine/clock.h"

#include <errno.h>

void fault_init(struct fault *fault, const struct options *options, uint32_t shard)
{
    /* Any odd multiplier spreads the shards' seeds; the generator only needs a state that is not 0.
     */
    uint64_t seed = (options->fault_seed + shard + 1) * UINT64_C(0x9e3779b97f4a7c15);
    *fault = (struct fault){.stall_ns = options->fault_ns,
                            .rate_ppm = options->fault_rate_ppm,
                            .error_rate_ppm = options->fault_error_rate_ppm,
                            .phase = options->fault_phase,
                            .random = seed == 0 ? 1 : seed};
}

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016). */
static uint64_t fault_random(struct fault *fault)
{
    uint64_t x = fault->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    fault->random = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

void fault_count(struct fault *fault, struct metrics_shard *metrics, const struct fault *sibling,
                 const struct fault *ward)
{
    fault->stalled_ns = &metrics->fault_stalled_ns;
    fault->both_stalled_ns = &metrics->fault_both_stalled_ns;
    fault->siblings[0] = sibling;
    fault->siblings[1] = ward != sibling ? ward : NULL;
}

/* Each overlap is counted once, by the stall that ends first. */
static void fault_account(const struct fault *fault, uint64_t begin_ns)
{
    uint64_t end_ns = clock_now_ns();
    metric_add(fault->stalled_ns, end_ns - begin_ns);
    for (int i = 0; i < 2; i++) {
        const struct fault *sibling = fault->siblings[i];
        uint64_t since_ns =
            sibling != NULL ? atomic_load_explicit(&sibling->since_ns, memory_order_relaxed) : 0;
        if (since_ns != 0 && since_ns < end_ns)
            metric_add(fault->both_stalled_ns,
                       end_ns - (since_ns > begin_ns ? since_ns : begin_ns));
    }
}

static void fault_sleep(struct fault *fault)
{
    uint64_t begin_ns = clock_now_ns();
    struct timespec left = {.tv_sec = (time_t)(fault->stall_ns / CLOCK_NS_PER_S),
                            .tv_nsec = (long)(fault->stall_ns % CLOCK_NS_PER_S)};
    atomic_store_explicit(&fault->since_ns, begin_ns, memory_order_relaxed);
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        ;
    if (fault->stalled_ns != NULL)
        fault_account(fault, begin_ns);
    atomic_store_explicit(&fault->since_ns, 0, memory_order_relaxed);
}

static bool fault_hits(struct fault *fault, uint32_t rate_ppm)
{
    return (fault_random(fault) >> 32) * UINT64_C(1000000) >> 32 < rate_ppm;
}

bool fault_maybe_fail(struct fault *fault)
{
    return fault->error_rate_ppm != 0 && fault_hits(fault, fault->error_rate_ppm);
}

void fault_maybe_stall(struct fault *fault, enum options_fault_phase phase)
{
    if (fault->stall_ns == 0 || fault->rate_ppm == 0 || phase != fault->phase)
        return;
    if (!fault_hits(fault, fault->rate_ppm))
        return;
    fault_sleep(fault);
}
