#include "bench/schedule.h"

#include "gate/random.h"

#include <math.h>

#define NS_PER_S 1000000000u

/* When the k-th of all is due: the nearest ns below k / rate, without adding up errors. */
static uint64_t fixed_due(const struct schedule *s, uint64_t k)
{
    return (uint64_t)((unsigned __int128)k * NS_PER_S / s->rate);
}

size_t schedule_cap(const struct schedule *s)
{
    double mean = (double)s->rate * (double)s->duration_ns / NS_PER_S / s->n_threads;
    /* A Poisson number exceeds its mean by ten standard deviations in no run that anybody makes. */
    return (size_t)(mean + 10 * sqrt(mean)) + 16;
}

static size_t fill_fixed(const struct schedule *s, unsigned thread, size_t cap, uint64_t *due_ns)
{
    size_t n = 0;
    for (uint64_t k = thread; n < cap; k += s->n_threads) {
        uint64_t due = fixed_due(s, k);
        if (due >= s->duration_ns)
            break;
        due_ns[n++] = due;
    }
    return n;
}

static size_t fill_poisson(const struct schedule *s, unsigned thread, size_t cap, uint64_t *due_ns)
{
    struct random random = {.state = s->seed * 64 + thread};
    double mean_ns = (double)NS_PER_S * s->n_threads / s->rate;
    double at_ns = 0;
    size_t n = 0;
    while (n < cap) {
        at_ns -= mean_ns * log(random_unit(&random));
        if (at_ns >= (double)s->duration_ns)
            break;
        due_ns[n++] = (uint64_t)at_ns;
    }
    return n;
}

size_t schedule_fill(const struct schedule *s, unsigned thread, uint64_t *due_ns)
{
    size_t cap = schedule_cap(s);
    return s->poisson ? fill_poisson(s, thread, cap, due_ns) : fill_fixed(s, thread, cap, due_ns);
}
