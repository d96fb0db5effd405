#include "bench/progress.h"

#include <stdlib.h>
#include <unistd.h>

#define PICKED_MAX 512

void progress_begin(struct progress *p, FILE *stream, uint64_t n_total, uint64_t now_ns)
{
    *p = (struct progress){
        .stream = stream,
        .terminal = stream != NULL && isatty(fileno(stream)) == 1,
        .n_total = n_total,
        .last_ns = now_ns,
    };
}

static int compare_ns(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

struct glance {
    uint64_t median_ns, max_ns; /* 0: nothing was done */
};

static struct glance look(const progress_ns *latency, uint64_t from, uint64_t to)
{
    uint64_t picked[PICKED_MAX], max_ns = 0;
    size_t n = 0;
    uint64_t stride = (to - from) / PICKED_MAX + 1;
    for (uint64_t i = from; i < to; i++) {
        uint64_t ns = atomic_load_explicit(&latency[i], memory_order_relaxed);
        if (ns > max_ns)
            max_ns = ns;
        if (ns > 0 && (i - from) % stride == 0)
            picked[n++] = ns;
    }
    if (n == 0)
        return (struct glance){.max_ns = max_ns};
    qsort(picked, n, sizeof picked[0], compare_ns);
    return (struct glance){.median_ns = picked[(n - 1) / 2], .max_ns = max_ns};
}

void progress_tick(struct progress *p, const progress_ns *latency, uint64_t n_begun,
                   uint64_t now_ns)
{
    double seconds = (double)(now_ns - p->last_ns) / 1e9;
    if (p->stream == NULL || seconds <= 0 || (!p->terminal && seconds < PROGRESS_PLAIN_SECONDS))
        return;
    struct glance glance = look(latency, p->shown, n_begun);
    fprintf(p->stream, "%s%llu/%llu (%.0f %%)  %.0f requests/s  P50 %.3f ms  max %.3f ms%s",
            p->terminal ? "\r\033[K" : "l0-bench: ", (unsigned long long)n_begun,
            (unsigned long long)p->n_total, 100.0 * (double)n_begun / (double)p->n_total,
            (double)(n_begun - p->shown) / seconds, (double)glance.median_ns / 1e6,
            (double)glance.max_ns / 1e6, p->terminal ? "" : "\n");
    fflush(p->stream);
    p->shown = n_begun;
    p->last_ns = now_ns;
}

void progress_end(struct progress *p)
{
    if (p->stream == NULL || !p->terminal)
        return;
    fputs("\r\033[K", p->stream);
    fflush(p->stream);
}
