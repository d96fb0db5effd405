#include "bench/open_progress.h"

#include "bench/clock.h"
#include "gate/sample.h"

#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

void open_progress_begin(struct open_progress *p, const struct open_options *options,
                         const struct open_thread *threads, uint32_t n_threads)
{
    uint64_t now_ns = bench_now_ns();
    *p = (struct open_progress){
        .options = options,
        .threads = threads,
        .n_threads = n_threads,
        .shown = options->progress != NULL && isatty(fileno(options->progress)) == 1,
        .begin_ns = now_ns,
        .last_ns = now_ns,
    };
}

int open_progress_wait_ms(const struct open_progress *p)
{
    if (!p->shown)
        return -1;
    uint64_t past_ns = bench_now_ns() - p->last_ns;
    return past_ns >= SECOND_NS ? 0 : (int)((SECOND_NS - past_ns) / 1000000) + 1;
}

void open_progress_tick(struct open_progress *p)
{
    uint64_t now_ns = bench_now_ns();
    if (!p->shown || now_ns - p->last_ns < SECOND_NS)
        return;
    struct meter_count now = {.n = 0};
    for (uint32_t i = 0; i < p->n_threads; i++)
        meter_read(p->threads[i].meter, &now);
    struct meter_count last = meter_since(&now, &p->before);
    double total_s = (double)(p->options->warmup_ns + p->options->duration_ns) / 1e9;
    fprintf(p->options->progress,
            "\r\033[K%.0f/%.0f s  %.0f of %u requests/s  P50 %.3f  P99 %.3f  max %.3f ms  %llu "
            "errors  %llu hedges",
            (double)(now_ns - p->begin_ns) / 1e9, total_s,
            (double)last.n * 1e9 / (double)(now_ns - p->last_ns), p->options->rate,
            (double)meter_quantile_ns(&last, 500000) / 1e6,
            (double)meter_quantile_ns(&last, 990000) / 1e6,
            (double)meter_quantile_ns(&last, GATE_PPM) / 1e6, (unsigned long long)now.n_errors,
            (unsigned long long)now.n_hedges);
    fflush(p->options->progress);
    p->before = now;
    p->last_ns = now_ns;
}

void open_progress_end(struct open_progress *p)
{
    if (!p->shown)
        return;
    fputs("\r\033[K", p->options->progress);
    fflush(p->options->progress);
}
