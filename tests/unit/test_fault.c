/* Injected stalls: how often, in which phase, and the same for the same seed. The sleep itself is
 * replaced by a counter here. */
#include "engine/fault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static unsigned sleeps, interruptions;
static struct timespec last_sleep;

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                    struct timespec *remain)
{
    cr_assert_eq(clock, CLOCK_MONOTONIC);
    cr_assert_eq(flags, 0);
    last_sleep = *request;
    if (interruptions > 0) {
        interruptions--;
        remain->tv_sec = 0;
        remain->tv_nsec = 7;
        return EINTR;
    }
    sleeps++;
    return 0;
}

static struct fault make(uint64_t fault_ns, uint32_t rate_ppm, uint64_t seed, uint32_t shard)
{
    static struct options options;
    struct fault f;
    options.fault_ns = fault_ns;
    options.fault_rate_ppm = rate_ppm;
    options.fault_phase = OPTIONS_FAULT_POST;
    options.fault_seed = seed;
    fault_init(&f, &options, shard);
    return f;
}

/* How many of n requests are stalled. */
static unsigned stalls(struct fault *f, unsigned n)
{
    sleeps = 0;
    for (unsigned i = 0; i < n; i++) {
        fault_maybe_stall(f, OPTIONS_FAULT_PRE);
        fault_maybe_stall(f, OPTIONS_FAULT_POST);
    }
    return sleeps;
}

Test(fault, off)
{
    struct fault no_time = make(0, 1000000, 1, 0);
    struct fault no_rate = make(1, 0, 1, 0);
    cr_expect_eq(stalls(&no_time, 1000), 0);
    cr_expect_eq(stalls(&no_rate, 1000), 0);
}

Test(fault, always_means_always)
{
    struct fault f = make(UINT64_C(2500000000), 1000000, 1, 0);
    cr_expect_eq(stalls(&f, 10000), 10000);
    cr_expect_eq(last_sleep.tv_sec, 2);
    cr_expect_eq(last_sleep.tv_nsec, 500000000);
}

/* Binomial: six standard deviations around the mean, and a fixed seed besides. */
Test(fault, rate)
{
    static const uint32_t rates_ppm[] = {1500, 20000, 500000, 999000};
    static const unsigned low[] = {1267, 19159, 497000, 998810};
    static const unsigned high[] = {1733, 20841, 503000, 999190};
    for (size_t i = 0; i < 4; i++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct fault f = make(1, rates_ppm[i], seed, (uint32_t)i);
            unsigned n = stalls(&f, 1000000);
            cr_expect(n >= low[i] && n <= high[i], "%u of a million at %u ppm", n, rates_ppm[i]);
        }
}

/* Which of 64 requests are stalled, as bits. */
static uint64_t pattern(uint64_t seed, uint32_t shard)
{
    struct fault f = make(1, 500000, seed, shard);
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++)
        bits = bits << 1 | stalls(&f, 1);
    return bits;
}

Test(fault, deterministic_and_different_for_each_shard)
{
    cr_expect_eq(pattern(1, 0), pattern(1, 0));
    cr_expect_neq(pattern(1, 0), pattern(1, 1));
    cr_expect_neq(pattern(1, 0), pattern(2, 0));
}

Test(fault, a_seed_that_would_stop_the_generator)
{
    struct fault f = make(1, 500000, UINT64_MAX, 0); /* seed + shard + 1 wraps to 0 */
    unsigned n = stalls(&f, 10000);
    cr_expect(n > 4000 && n < 6000, "%u of 10000", n);
}

Test(fault, an_interrupted_sleep_goes_on)
{
    struct fault f = make(1000, 1000000, 1, 0);
    interruptions = 3;
    cr_expect_eq(stalls(&f, 1), 1);
    cr_expect_eq(last_sleep.tv_nsec, 7, "with what was left");
}
