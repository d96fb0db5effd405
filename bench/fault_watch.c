#include "bench/fault_watch.h"

#include "bench/clock.h"
#include "bench/service_metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define CALM_NS    UINT64_C(1000000000)
#define EXCITED_NS UINT64_C(100000000)
#define SPANS_MAX  36000 /* an hour of them */

struct fault_watch {
    const char *address;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under the lock */
    bool excited;
    int64_t last_ns; /* the counter */
    uint64_t last_at_ns;
    struct fault_spans found;
};

int64_t fault_watch_parse(const char *text)
{
    double seconds;
    return service_metrics_sum(text, "l0_fault_stalled_seconds_total", &seconds) && seconds < 1e9
               ? llround(seconds * 1e9)
               : -1;
}

/* One reading. One that fails is made up for by the next. */
static void look(struct fault_watch *watch)
{
    char *text = service_metrics_text(watch->address);
    int64_t counter_ns = text == NULL ? -1 : fault_watch_parse(text);
    uint64_t now_ns = bench_now_ns();
    free(text);
    if (counter_ns < watch->last_ns)
        return;
    if (counter_ns > watch->last_ns && watch->found.n < SPANS_MAX) {
        watch->found.spans[watch->found.n++] =
            (struct fault_span){watch->last_at_ns, now_ns, (uint64_t)(counter_ns - watch->last_ns)};
        watch->excited = true;
    }
    watch->last_ns = counter_ns;
    watch->last_at_ns = now_ns;
}

static void *work(void *argument)
{
    struct fault_watch *watch = argument;
    pthread_mutex_lock(&watch->lock);
    while (!watch->stop) {
        uint64_t until_ns = watch->last_at_ns + (watch->excited ? EXCITED_NS : CALM_NS);
        uint64_t soonest_ns = bench_now_ns() + EXCITED_NS; /* a service that does not answer */
        until_ns = until_ns > soonest_ns ? until_ns : soonest_ns;
        const struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u),
                                       .tv_nsec = (long)(until_ns % 1000000000u)};
        if (pthread_cond_timedwait(&watch->wake, &watch->lock, &until) == 0)
            continue;
        pthread_mutex_unlock(&watch->lock);
        look(watch);
        pthread_mutex_lock(&watch->lock);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

static void destroy(struct fault_watch *watch)
{
    free(watch->found.spans);
    free(watch);
}

struct fault_watch *fault_watch_start(const char *address, const char *before)
{
    int64_t counter_ns = fault_watch_parse(before);
    struct fault_watch *watch = counter_ns < 0 ? NULL : calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    watch->address = address;
    watch->last_ns = counter_ns;
    watch->last_at_ns = bench_now_ns();
    watch->found.spans = calloc(SPANS_MAX, sizeof *watch->found.spans);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (watch->found.spans == NULL || pthread_create(&watch->thread, NULL, work, watch) != 0) {
        destroy(watch);
        return NULL;
    }
    return watch;
}

void fault_watch_stop(struct fault_watch *watch, struct fault_spans *spans)
{
    *spans = (struct fault_spans){.n = 0};
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stop = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    look(watch);
    *spans = watch->found;
    watch->found.spans = NULL;
    destroy(watch);
}

void fault_spans_free(struct fault_spans *spans)
{
    free(spans->spans);
    *spans = (struct fault_spans){.n = 0};
}
