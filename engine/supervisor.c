#include "engine/supervisor.h"

#include "engine/arena.h"
#include "engine/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { SUPERVISOR_TICK_MS = 100, SUPERVISOR_DRAIN_TICK_MS = 5, SUPERVISOR_MEMORY_MS = 10000 };

int supervisor_block_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP); /* the terminal is gone: drains, too */
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGUSR2);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -errno;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

void supervisor_init(struct supervisor *sv, const struct options *options, struct shard_set *set)
{
    *sv = (struct supervisor){.options = options,
                              .set = set,
                              .next_log_requests = LIMIT_LOG_EVERY,
                              .next_tail_ns = clock_now_ns() + options->tail_interval_ns};
    for (uint32_t i = 0; i < set->n_shards; i++) {
        sv->metrics[i] = &set->shards[i].metrics;
        sv->tails[i] = set->shards[i].tail;
    }
}

static uint64_t supervisor_sum(const struct supervisor *sv, size_t offset)
{
    return metrics_sum(sv->metrics, sv->set->n_shards, offset);
}

static uint64_t supervisor_requests(const struct supervisor *sv)
{
    uint64_t requests = 0;
    for (size_t status = 0; status < WIRE_STATUS_COUNT; status++)
        requests += supervisor_sum(sv, offsetof(struct metrics_shard, replied) +
                                           status * sizeof(metric_u64));
    return requests;
}

/* Shares in percent with two decimals, computed in integers. */
static void supervisor_log(const struct supervisor *sv, uint64_t requests)
{
    uint64_t fired = supervisor_sum(sv, offsetof(struct metrics_shard, hedge_fired));
    uint64_t wins = supervisor_sum(sv, offsetof(struct metrics_shard, hedge_wins));
    uint64_t rotations = supervisor_sum(sv, offsetof(struct metrics_shard, rotations));
    uint64_t fired_bp = requests == 0 ? 0 : fired * 10000 / requests;
    uint64_t wins_bp = fired == 0 ? 0 : wins * 10000 / fired;
    fprintf(
        stderr,
        "[hedge] req=%llu fired=%llu (%llu.%02llu%%) wins=%llu (%llu.%02llu%%) rotations=%llu\n",
        (unsigned long long)requests, (unsigned long long)fired, (unsigned long long)fired_bp / 100,
        (unsigned long long)fired_bp % 100, (unsigned long long)wins,
        (unsigned long long)wins_bp / 100, (unsigned long long)wins_bp % 100,
        (unsigned long long)rotations);
}

static void supervisor_log_due(struct supervisor *sv)
{
    uint64_t requests = supervisor_requests(sv);
    for (; requests >= sv->next_log_requests; sv->next_log_requests += LIMIT_LOG_EVERY)
        supervisor_log(sv, sv->next_log_requests);
}

static void supervisor_write_tail(const struct supervisor *sv)
{
    if (sv->options->tail_csv[0] == '\0')
        return;
    int rc =
        tail_write_csv(sv->tails, sv->set->n_shards, sv->options->tail_k, sv->options->tail_csv);
    if (rc != 0)
        fprintf(stderr, "l0-lexd: tail file %s: %s (fix: --tail-csv)\n", sv->options->tail_csv,
                strerror(-rc));
}

static uint64_t supervisor_rss_bytes(void)
{
    unsigned long long total_pages = 0;
    unsigned long long resident_pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL)
        return 0;
    int n = fscanf(f, "%llu %llu", &total_pages, &resident_pages);
    (void)fclose(f);
    return n == 2 ? resident_pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void supervisor_watch_memory(struct supervisor *sv, uint64_t now_ns)
{
    uint64_t budget_bytes = sv->options->rss_budget_bytes;
    if (budget_bytes == 0 || now_ns < sv->next_memory_ns)
        return;
    sv->next_memory_ns = now_ns + SUPERVISOR_MEMORY_MS * CLOCK_NS_PER_MS;
    if (supervisor_rss_bytes() > budget_bytes)
        for (uint32_t i = 0; i < sv->set->n_shards; i++)
            shard_control(&sv->set->shards[i], SHARD_ROTATE);
}

static void supervisor_tick(struct supervisor *sv)
{
    const struct options *o = sv->options;
    const struct arena_config arena = arena_configure(o);
    uint64_t now_ns = clock_now_ns();
    supervisor_log_due(sv);
    for (uint32_t i = 0; i < sv->set->n_shards; i++)
        (void)arena_rebuild_empty(&sv->set->shards[i].arenas, &arena);
    supervisor_watch_memory(sv, now_ns);
    if (o->tail_interval_ns != 0 && now_ns >= sv->next_tail_ns) {
        supervisor_write_tail(sv);
        sv->next_tail_ns = now_ns + o->tail_interval_ns;
    }
}

/* Waits at most wait_ms for a signal and obeys the SIGUSRs; returns any other signal's number, or
 * 0. */
static int supervisor_wait_signal(struct supervisor *sv, int signal_fd, int wait_ms)
{
    struct pollfd readable = {.fd = signal_fd, .events = POLLIN};
    struct signalfd_siginfo info;
    (void)poll(&readable, 1, wait_ms);
    while (read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGUSR1 && info.ssi_signo != SIGUSR2)
            return (int)info.ssi_signo;
        supervisor_write_tail(sv);
        for (uint32_t i = 0; i < sv->set->n_shards && info.ssi_signo == SIGUSR2; i++)
            tail_reset(sv->tails[i]);
    }
    return 0;
}

void supervisor_run(struct supervisor *sv, int signal_fd)
{
    while (supervisor_wait_signal(sv, signal_fd, SUPERVISOR_TICK_MS) == 0)
        supervisor_tick(sv);
}

void supervisor_drain(struct supervisor *sv, int signal_fd)
{
    for (uint32_t i = 0; i < sv->set->n_shards;) {
        if (pthread_tryjoin_np(sv->set->shards[i].thread, NULL) == 0) {
            i++;
            continue;
        }
        int again = supervisor_wait_signal(sv, signal_fd, SUPERVISOR_DRAIN_TICK_MS);
        if (again != 0)
            _exit(128 + again);
        supervisor_log_due(sv);
    }
}

void supervisor_finish(struct supervisor *sv)
{
    supervisor_log_due(sv);
    supervisor_log(sv, supervisor_requests(sv));
    supervisor_write_tail(sv);
}
