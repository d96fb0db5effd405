/* The one clock of the benchmarks. */
#ifndef L0_BENCH_CLOCK_H
#define L0_BENCH_CLOCK_H

#include <errno.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Sleeps until that time; a signal does not end it. */
static inline void bench_sleep_until(uint64_t until_ns)
{
    struct timespec until = {
        .tv_sec = (time_t)(until_ns / 1000000000u),
        .tv_nsec = (long)(until_ns % 1000000000u),
    };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

#endif
