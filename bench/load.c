#include "bench/load.h"

#include "bench/clock.h"
#include "bench/cores.h"
#include "proto/client.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* What all threads share. The requests are numbered by `ticket`; whoever takes a number sends that
 * request and alone writes its entries of the result. */
struct run {
    const struct load_options *options;
    const struct document *document;
    struct load_result *result;
    uint64_t n_total; /* warm-up and recorded */
    _Atomic uint64_t ticket;
    _Atomic bool stop;
    _Atomic uint64_t start_ns; /* when the first recorded request began */

    pthread_mutex_t lock; /* for what follows, and result->failure and the sums in result */
    pthread_cond_t changed;
    bool go;
    uint32_t n_running;
};

struct worker {
    struct run *run;
    pthread_t thread;
    uint32_t index;
    int fd; /* -1: none; keep-alive has one from the start */
    uint64_t origins[WIRE_ORIGIN_HEDGE + 1];
    uint64_t n_right, last_ns;
};

static const char *no_reply(int rc)
{
    switch (-rc) {
    case ENODATA:
        return "the server closed the connection";
    case EBADMSG:
        return "what came is not a reply of this protocol";
    case EPROTO:
        return "more bytes came than the replies that were due";
    case ETIMEDOUT:
        return "timed out";
    default:
        return strerror(-rc);
    }
}

/* Counts an error, keeps the first one's text, and stops the run. rc < 0: no reply. */
static void fail(struct worker *w, uint64_t ticket, int rc, const struct wire_reply *got)
{
    struct run *run = w->run;
    const struct load_options *o = run->options;
    pthread_mutex_lock(&run->lock);
    char *text = run->result->failure;
    size_t room = sizeof run->result->failure;
    if (run->result->n_errors++ == 0) {
        int n = snprintf(text, room,
                         "request %llu of %llu (thread %u): expected status 0 (ok), %u tokens, "
                         "%u issues, origin 1 or 2; got ",
                         (unsigned long long)ticket + 1, (unsigned long long)run->n_total, w->index,
                         o->n_tokens, o->issues_len);
        assert(n > 0 && (size_t)n < room);
        if (rc < 0)
            snprintf(text + n, room - (size_t)n, "no reply: %s", no_reply(rc));
        else
            snprintf(text + n, room - (size_t)n, "status %u (%s), %u tokens, %u issues, origin %u",
                     got->status, wire_status_name(got->status), got->n_tokens, got->issues_len,
                     got->origin);
    }
    pthread_mutex_unlock(&run->lock);
    atomic_store(&run->stop, true);
}

static bool is_right(const struct load_options *o, const struct wire_reply *reply)
{
    return reply->status == WIRE_OK && reply->n_tokens == o->n_tokens &&
           reply->issues_len == o->issues_len && reply->origin != WIRE_ORIGIN_ERROR;
}

/* Nothing has come that no request was sent for. */
static bool is_silent(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* Sends request number `ticket` and takes its times. Whether the right reply came. */
static bool one_request(struct worker *w, uint64_t ticket)
{
    struct run *run = w->run;
    const struct load_options *o = run->options;
    struct wire_reply reply;
    if (!o->oneshot && !is_silent(w->fd)) {
        fail(w, ticket, -EPROTO, &reply);
        return false;
    }
    uint64_t begin_ns = bench_now_ns(), connected_ns = begin_ns;
    if (ticket == o->n_warmup)
        atomic_store(&run->start_ns, begin_ns);
    int rc = 0;
    if (o->oneshot) {
        w->fd = l0_connect(o->target, o->timeout_ms);
        connected_ns = bench_now_ns();
        rc = w->fd < 0 ? w->fd : 0;
    }
    if (rc == 0)
        rc = l0_request(w->fd, run->document->bytes, run->document->n_bytes, &reply);
    uint64_t end_ns = bench_now_ns();
    if (rc == 0 && !is_silent(w->fd))
        rc = -EPROTO;
    if (o->oneshot && w->fd >= 0) {
        close(w->fd);
        w->fd = -1;
    }
    if (rc < 0 || !is_right(o, &reply)) {
        fail(w, ticket, rc, &reply);
        return false;
    }
    if (ticket >= o->n_warmup) {
        uint64_t i = ticket - o->n_warmup;
        atomic_store_explicit(&run->result->latency_ns[i], end_ns - begin_ns, memory_order_relaxed);
        if (run->result->connect_ns != NULL)
            run->result->connect_ns[i] = connected_ns - begin_ns;
        w->origins[reply.origin]++;
        w->n_right++;
        w->last_ns = end_ns;
    }
    return true;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct run *run = w->run;
    if (run->options->cores != NULL)
        cores_pin_one(run->options->cores,
                      w->index); /* the caller made sure that they may be used */
    pthread_mutex_lock(&run->lock);
    while (!run->go)
        pthread_cond_wait(&run->changed, &run->lock);
    pthread_mutex_unlock(&run->lock);

    while (!atomic_load_explicit(&run->stop, memory_order_relaxed)) {
        uint64_t ticket = atomic_fetch_add_explicit(&run->ticket, 1, memory_order_relaxed);
        if (ticket >= run->n_total || !one_request(w, ticket))
            break;
    }

    pthread_mutex_lock(&run->lock);
    run->n_running--;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* Shows progress once a second until all threads are done. */
static void watch(struct run *run)
{
    struct progress progress;
    uint64_t now_ns = bench_now_ns(), n_warmup = run->options->n_warmup;
    progress_begin(&progress, run->options->progress, run->options->n_requests, now_ns);
    pthread_mutex_lock(&run->lock);
    while (run->n_running > 0) {
        uint64_t until_ns = now_ns + 1000000000u;
        struct timespec until = {
            .tv_sec = (time_t)(until_ns / 1000000000u),
            .tv_nsec = (long)(until_ns % 1000000000u),
        };
        if (pthread_cond_timedwait(&run->changed, &run->lock, &until) != ETIMEDOUT)
            continue;
        now_ns = bench_now_ns();
        uint64_t begun = atomic_load_explicit(&run->ticket, memory_order_relaxed);
        begun = begun > run->n_total ? run->n_total : begun;
        begun = begun > n_warmup ? begun - n_warmup : 0;
        pthread_mutex_unlock(&run->lock);
        progress_tick(&progress, run->result->latency_ns, begun, now_ns);
        pthread_mutex_lock(&run->lock);
    }
    pthread_mutex_unlock(&run->lock);
    progress_end(&progress);
}

static int cannot(struct load_result *result, const char *what, int rc)
{
    snprintf(result->failure, sizeof result->failure, "%s: %s", what, strerror(-rc));
    return rc;
}

/* Many connections need many descriptors: as many as the hard limit allows. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int connect_all(const struct load_options *o, int *fds, uint32_t n,
                       struct load_result *result)
{
    for (uint32_t i = 0; i < n; i++) {
        fds[i] = l0_connect(o->target, o->timeout_ms);
        if (fds[i] < 0)
            return cannot(result, o->target, fds[i]);
    }
    return 0;
}

static int allocate(const struct load_options *o, struct load_result *result)
{
    result->latency_ns = calloc(o->n_requests, sizeof *result->latency_ns);
    if (o->oneshot)
        result->connect_ns = calloc(o->n_requests, sizeof *result->connect_ns);
    if (result->latency_ns == NULL || (o->oneshot && result->connect_ns == NULL))
        return cannot(result, "memory for the latencies", -ENOMEM);
    return 0;
}

static void collect(struct load_result *result, const struct worker *workers, uint32_t n,
                    uint64_t start_ns)
{
    uint64_t last_ns = start_ns;
    for (uint32_t i = 0; i < n; i++) {
        result->n_right += workers[i].n_right;
        for (size_t origin = 0; origin <= WIRE_ORIGIN_HEDGE; origin++)
            result->origins[origin] += workers[i].origins[origin];
        if (workers[i].last_ns > last_ns)
            last_ns = workers[i].last_ns;
    }
    result->elapsed_ns = last_ns - start_ns;
}

/* Starts the threads on their connections, lets them go together, and waits for all of them. */
static int run_threads(struct run *run, struct worker *workers, const int *fds)
{
    uint32_t n_started = 0;
    int rc = 0;
    for (uint32_t i = 0; i < run->options->n_threads && rc == 0; i++) {
        workers[i] = (struct worker){.run = run, .index = i, .fd = fds == NULL ? -1 : fds[i]};
        rc = -pthread_create(&workers[i].thread, NULL, work, &workers[i]);
        n_started += rc == 0;
    }
    pthread_mutex_lock(&run->lock);
    run->n_running = n_started;
    run->go = true;
    atomic_store(&run->stop, rc != 0);
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    watch(run);
    for (uint32_t i = 0; i < n_started; i++)
        pthread_join(workers[i].thread, NULL);
    if (rc != 0)
        return cannot(run->result, "threads", rc);
    collect(run->result, workers, n_started, atomic_load(&run->start_ns));
    return 0;
}

static int run_connected(const struct load_options *o, const struct document *document,
                         struct load_result *result, const int *fds)
{
    struct worker *workers = calloc(o->n_threads, sizeof *workers);
    if (workers == NULL)
        return cannot(result, "memory for the threads", -ENOMEM);
    struct run run = {
        .options = o,
        .document = document,
        .result = result,
        .n_total = o->n_warmup + o->n_requests,
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&run.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int rc = run_threads(&run, workers, fds);
    pthread_cond_destroy(&run.changed);
    free(workers);
    return rc;
}

int load_run(const struct load_options *options, const struct document *document,
             struct load_result *result)
{
    assert(options->n_threads >= 1 && options->n_threads <= LOAD_THREADS_MAX);
    assert(options->n_requests >= 1);
    *result = (struct load_result){0};
    uint32_t n_busy = options->oneshot ? 0 : options->n_threads;
    uint32_t n_fds = n_busy + options->n_idle;
    raise_descriptor_limit();
    int *fds = malloc((n_fds + 1) * sizeof *fds);
    if (fds == NULL)
        return cannot(result, "memory for the connections", -ENOMEM);
    for (uint32_t i = 0; i < n_fds; i++)
        fds[i] = -1;
    int rc = allocate(options, result);
    /* The idle ones first, so that the busy ones are spread over what they leave. */
    if (rc == 0)
        rc = connect_all(options, fds + n_busy, options->n_idle, result);
    if (rc == 0)
        rc = connect_all(options, fds, n_busy, result);
    if (rc == 0 && options->oneshot) {
        /* One try before the clock runs: a service that is not there is no failed request. */
        int fd = l0_connect(options->target, options->timeout_ms);
        rc = fd < 0 ? cannot(result, options->target, fd) : 0;
        if (fd >= 0)
            close(fd);
    }
    if (rc == 0)
        rc = run_connected(options, document, result, options->oneshot ? NULL : fds);
    for (uint32_t i = 0; i < n_fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(fds);
    return rc;
}

void load_free(struct load_result *result)
{
    free(result->latency_ns);
    free(result->connect_ns);
    result->latency_ns = NULL;
    result->connect_ns = NULL;
}
