#include "bench/open.h"

#include "bench/clock.h"
#include "bench/open_progress.h"
#include "bench/open_thread.h"
#include "bench/schedule.h"
#include "gate/decimal.h"
#include "gate/quantile.h"
#include "proto/wire.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define START_AFTER_NS UINT64_C(20000000) /* threads are up by then */

/* A thread that is busy, or waits for a processor, for more than this part of the time cannot keep
 * a schedule: what comes due meanwhile waits for it. */
#define BUSY_SHARE_MAX 0.8

/* A thread with little to do may wait for a processor as it likes: its lag tells whether that
 * mattered. One with so much to do may have no free connection to lag on. */
#define STARVING_SHARE 0.5

struct open_load {
    const struct open_options *options;
    struct open_result *result;
    uint8_t *frame;
    size_t frame_bytes;
    uint64_t begin_ns; /* of the warm-up */
    _Atomic bool stop;
    int done_fd;
    int signal_fd;
    uint32_t n_threads;
    struct open_thread threads[OPEN_THREADS_MAX];
};

const char *open_status_name(unsigned status)
{
    switch (status) {
    case OPEN_OK:
        return "ok";
    case OPEN_PENDING:
        return "pending";
    case OPEN_WRONG:
        return "wrong";
    case OPEN_LOST:
        return "lost";
    case OPEN_TIMEOUT:
        return "timeout";
    case OPEN_UNSENT:
        return "unsent";
    default:
        return wire_status_name(status);
    }
}

static int cannot(struct open_result *result, const char *what, int rc)
{
    if (result->failure[0] == '\0')
        snprintf(result->failure, sizeof result->failure, "%s: %s", what, strerror(-rc));
    return rc;
}

/* ---- before --------------------------------------------------------------------------------- */

static int make_frame(struct open_load *load, const struct document *document)
{
    load->frame_bytes = WIRE_HEADER_BYTES + (size_t)document->n_bytes;
    load->frame = malloc(load->frame_bytes);
    if (load->frame == NULL)
        return cannot(load->result, "memory for the request", -ENOMEM);
    wire_put_u32(load->frame, document->n_bytes);
    memcpy(load->frame + WIRE_HEADER_BYTES, document->bytes, document->n_bytes);
    return 0;
}

/* The thread's rows, written to, so that no page is touched first while it runs. due_ns is from the
 * beginning of the warm-up until the run begins. */
static int make_rows(struct open_load *load, struct open_thread *thread)
{
    const struct open_options *o = load->options;
    const struct schedule schedule = {
        .rate = o->rate,
        .duration_ns = o->warmup_ns + o->duration_ns,
        .poisson = o->poisson,
        .seed = o->seed,
        .n_threads = load->n_threads,
    };
    uint64_t *due_ns = malloc(schedule_cap(&schedule) * sizeof *due_ns);
    if (due_ns == NULL)
        return cannot(load->result, "memory for the schedule", -ENOMEM);
    thread->n_rows = schedule_fill(&schedule, thread->index, due_ns);
    thread->rows = malloc((thread->n_rows + 1) * sizeof *thread->rows);
    for (size_t i = 0; thread->rows != NULL && i < thread->n_rows; i++)
        thread->rows[i] = (struct open_row){.due_ns = due_ns[i], .status = OPEN_PENDING};
    free(due_ns);
    return thread->rows == NULL ? cannot(load->result, "memory for the rows", -ENOMEM) : 0;
}

static int prepare_thread(struct open_load *load, unsigned index)
{
    const struct open_options *o = load->options;
    struct open_thread *thread = &load->threads[index];
    *thread = (struct open_thread){
        .options = o,
        .frame = load->frame,
        .frame_bytes = load->frame_bytes,
        .index = index,
        .n_conns = o->n_conns / load->n_threads + (index < o->n_conns % load->n_threads),
        .stop = &load->stop,
        .done_fd = load->done_fd,
        .epoll = -1,
        .timer = -1,
        .meter = calloc(1, sizeof *thread->meter),
    };
    if (thread->meter == NULL)
        return cannot(load->result, "memory for a meter", -ENOMEM);
    int rc = make_rows(load, thread);
    if (rc == 0)
        rc = open_thread_connect(thread);
    if (rc != 0 && thread->failure[0] != '\0')
        memcpy(load->result->failure, thread->failure, sizeof thread->failure);
    return rc;
}

/* ---- during --------------------------------------------------------------------------------- */

/* SIGINT and SIGTERM end the run early, with what there is. */
static int block_signals(struct open_load *load, sigset_t *before)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, before);
    load->signal_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    return load->signal_fd < 0 ? cannot(load->result, "signalfd", -errno) : 0;
}

static void wait_for_end(struct open_load *load)
{
    struct open_progress progress;
    struct pollfd events[2] = {{.fd = load->done_fd, .events = POLLIN},
                               {.fd = load->signal_fd, .events = POLLIN}};
    uint32_t n_done = 0;
    open_progress_begin(&progress, load->options, load->threads, load->n_threads);
    while (n_done < load->n_threads) {
        poll(events, 2, open_progress_wait_ms(&progress));
        uint64_t done = 0;
        struct signalfd_siginfo info;
        if ((events[0].revents & POLLIN) != 0 &&
            read(load->done_fd, &done, sizeof done) == (ssize_t)sizeof done)
            n_done += (uint32_t)done;
        if ((events[1].revents & POLLIN) != 0 &&
            read(load->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
            load->result->interrupted = true;
            atomic_store(&load->stop, true);
        }
        open_progress_tick(&progress);
    }
    open_progress_end(&progress);
}

/* From here on the schedule is absolute. */
static void set_start(struct open_load *load)
{
    load->begin_ns = bench_now_ns() + START_AFTER_NS;
    load->result->start_ns = load->begin_ns + load->options->warmup_ns;
    for (uint32_t i = 0; i < load->n_threads; i++)
        for (size_t j = 0; j < load->threads[i].n_rows; j++)
            load->threads[i].rows[j].due_ns += load->begin_ns;
}

static int run_threads(struct open_load *load)
{
    uint32_t n = 0;
    int rc = 0;
    while (n < load->n_threads && rc == 0) {
        rc = -pthread_create(&load->threads[n].thread, NULL, open_thread_work, &load->threads[n]);
        n += rc == 0;
    }
    if (rc == 0)
        wait_for_end(load);
    else
        atomic_store(&load->stop, true);
    while (n > 0)
        pthread_join(load->threads[--n].thread, NULL);
    load->result->end_ns = bench_now_ns();
    return rc == 0 ? 0 : cannot(load->result, "threads", rc);
}

/* ---- after ---------------------------------------------------------------------------------- */

static int compare_due(const void *left, const void *right)
{
    const struct open_row *a = left;
    const struct open_row *b = right;
    return (a->due_ns > b->due_ns) - (a->due_ns < b->due_ns);
}

/* The recorded rows of all threads, by due_ns. When the run was cut short, those that had come
 * due. */
static int gather_rows(const struct open_load *load, struct open_result *result)
{
    size_t cap = 1;
    for (uint32_t i = 0; i < load->n_threads; i++)
        cap += load->threads[i].n_rows;
    result->rows = malloc(cap * sizeof *result->rows);
    if (result->rows == NULL)
        return cannot(result, "memory for the rows", -ENOMEM);
    for (uint32_t i = 0; i < load->n_threads; i++) {
        const struct open_thread *thread = &load->threads[i];
        for (size_t j = 0; j < thread->n_rows; j++) {
            struct open_row row = thread->rows[j];
            if (row.due_ns < result->start_ns || row.due_ns > result->end_ns)
                continue;
            if (row.status == OPEN_PENDING)
                row.status = row.sent_ns != 0 ? OPEN_TIMEOUT : OPEN_UNSENT;
            result->rows[result->n_rows++] = row;
        }
    }
    qsort(result->rows, result->n_rows, sizeof *result->rows, compare_due);
    return 0;
}

static double part_of(uint64_t ns, uint64_t of_ns)
{
    return of_ns == 0 ? 0 : (double)ns / (double)of_ns;
}

static void add_up(const struct open_load *load, struct open_result *result)
{
    for (uint32_t i = 0; i < load->n_threads; i++) {
        const struct open_thread *thread = &load->threads[i];
        uint64_t length_ns = thread->end_ns - thread->begin_ns;
        double share = part_of(thread->busy_ns, length_ns);
        if (share > STARVING_SHARE)
            share = part_of(thread->busy_ns + thread->starved_ns, length_ns);
        result->n_sent += thread->n_sent;
        result->n_errors += thread->n_errors;
        result->n_reconnects += thread->n_reconnects;
        result->busy_share = share > result->busy_share ? share : result->busy_share;
        if (result->failure[0] == '\0' && thread->failure[0] != '\0')
            memcpy(result->failure, thread->failure, sizeof result->failure);
        if (thread->rc < 0)
            snprintf(result->why_invalid, sizeof result->why_invalid,
                     "thread %u lost all its connections: %s", i, strerror(-thread->rc));
    }
}

/* The P99.9 of the lag of all rows that were sent, and of the latency of those that are right. 0
 * where there is none. */
static int lag_and_latency(const struct open_result *result, uint64_t *lag_ns, uint64_t *latency_ns)
{
    struct sample lags = {0}, latencies = {0};
    int rc = 0;
    for (size_t i = 0; i < result->n_rows && rc == 0; i++) {
        const struct open_row *row = &result->rows[i];
        if (row->sent_ns != 0)
            rc = sample_add(&lags, row->lag_ns * GATE_PS_PER_NS, i);
        if (rc == 0 && row->status == OPEN_OK)
            rc = sample_add(&latencies, (row->done_ns - row->due_ns) * GATE_PS_PER_NS, i);
    }
    sample_sort(&lags);
    sample_sort(&latencies);
    *lag_ns = lags.n == 0 ? 0 : quantile_of(&lags, QUANTILE_P999_PPM).value_ps / GATE_PS_PER_NS;
    *latency_ns =
        latencies.n == 0 ? 0 : quantile_of(&latencies, QUANTILE_P999_PPM).value_ps / GATE_PS_PER_NS;
    sample_free(&lags);
    sample_free(&latencies);
    return rc;
}

static double jitter_p999_ms(const struct jitter_result *jitter)
{
    if (jitter->stalls.n == 0)
        return 0;
    return (double)quantile_of(&jitter->stalls, QUANTILE_P999_PPM).value_ps / GATE_PS_PER_MS;
}

/* Was it the client that was measured? */
static int judge_validity(const struct open_options *o, struct open_result *result)
{
    uint64_t latency_ns;
    int rc = lag_and_latency(result, &result->lag_p999_ns, &latency_ns);
    char *why = result->why_invalid;
    size_t room = sizeof result->why_invalid;
    if (rc != 0 || why[0] != '\0')
        return rc;
    if (result->interrupted)
        snprintf(why, room, "interrupted by a signal");
    else if (result->n_rows == 0)
        snprintf(why, room, "no request was due: a longer --duration or a higher --rate");
    else if (result->busy_share > BUSY_SHARE_MAX)
        snprintf(why, room,
                 "the load generator was the bottleneck: a thread of it was busy, or waited for a "
                 "processor, %.0f %% of the time (more --threads, cores of its own, or a lower "
                 "--rate)",
                 fmin(result->busy_share, 1) * 100);
    else if (result->lag_p999_ns > o->max_lag_ns && result->lag_p999_ns > latency_ns / 10)
        snprintf(why, room,
                 "the load generator was the bottleneck: P99.9 of its lag is %.3f ms, more than "
                 "--max-lag-ms and a tenth of the latency (cores of its own, --busy-poll, or a "
                 "lower --rate); P99.9 of the machine's own stalls is %.3f ms",
                 (double)result->lag_p999_ns / 1e6, jitter_p999_ms(&result->jitter));
    return 0;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run_prepared(struct open_load *load, struct open_result *result)
{
    const struct open_options *o = load->options;
    sigset_t before;
    int rc = block_signals(load, &before);
    struct jitter *jitter = NULL;
    if (rc == 0) {
        jitter = jitter_start(o->warmup_ns + o->duration_ns + (uint64_t)o->timeout_ms * 1000000u +
                              START_AFTER_NS);
        set_start(load);
        rc = run_threads(load);
    }
    jitter_stop(jitter, &result->jitter);
    if (load->signal_fd >= 0)
        close(load->signal_fd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        rc = gather_rows(load, result);
    if (rc == 0) {
        add_up(load, result);
        rc = judge_validity(o, result);
    }
    return rc;
}

int open_run(const struct open_options *o, const struct document *document,
             struct open_result *result)
{
    assert(o->n_threads >= 1 && o->n_threads <= OPEN_THREADS_MAX && o->n_conns >= o->n_threads);
    assert(o->rate >= 1 && o->rate <= OPEN_RATE_MAX);
    *result = (struct open_result){0};
    struct open_load *load = calloc(1, sizeof *load);
    if (load == NULL)
        return cannot(result, "memory", -ENOMEM);
    load->options = o;
    load->result = result;
    load->n_threads = o->n_threads;
    load->signal_fd = -1;
    load->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    raise_descriptor_limit();
    int rc = load->done_fd < 0 ? cannot(result, "eventfd", -errno) : make_frame(load, document);
    for (unsigned i = 0; i < load->n_threads && rc == 0; i++)
        rc = prepare_thread(load, i);
    if (rc == 0)
        rc = run_prepared(load, result);
    for (unsigned i = 0; i < load->n_threads && load->threads[i].options != NULL; i++) {
        open_thread_close(&load->threads[i]);
        free(load->threads[i].rows);
        free(load->threads[i].meter);
    }
    if (load->done_fd >= 0)
        close(load->done_fd);
    free(load->frame);
    free(load);
    return rc;
}

void open_free(struct open_result *result)
{
    free(result->rows);
    result->rows = NULL;
    jitter_result_free(&result->jitter);
}

int open_to_run(const struct open_result *result, struct run *run)
{
    *run = (struct run){.valid = result->why_invalid[0] == '\0', .path = strdup("this run")};
    if (run->path == NULL)
        return -ENOMEM;
    snprintf(run->why_invalid, sizeof run->why_invalid, "%s", result->why_invalid);
    int rc = 0;
    for (size_t i = 0; i < result->n_rows && rc == 0; i++) {
        const struct open_row *row = &result->rows[i];
        bool ok = row->status == OPEN_OK;
        uint64_t ps = ok ? (row->done_ns - row->due_ns) * GATE_PS_PER_NS : RUN_UNANSWERED_PS;
        run->n_unanswered += !ok;
        run->hedge_wins.value += ok && row->origin == WIRE_ORIGIN_HEDGE;
        rc = sample_add(&run->latency, ps, i + 1);
    }
    run->hedge_wins.known = true;
    run->counters.requests = (struct counter){true, result->n_rows};
    run->counters.errors = (struct counter){true, run->n_unanswered};
    sample_sort(&run->latency);
    return rc;
}
