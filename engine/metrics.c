#include "engine/metrics.h"

#include "engine/clock.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* One upper bound, and how the label le writes it. */
struct bound {
    uint64_t ns;
    const char *le;
};

static const struct bound duration_bounds[METRICS_DURATION_BUCKETS] = {
    {UINT64_C(50000), "0.00005"}, {UINT64_C(100000), "0.0001"},  {UINT64_C(200000), "0.0002"},
    {UINT64_C(500000), "0.0005"}, {UINT64_C(1000000), "0.001"},  {UINT64_C(2000000), "0.002"},
    {UINT64_C(5000000), "0.005"}, {UINT64_C(10000000), "0.01"},  {UINT64_C(20000000), "0.02"},
    {UINT64_C(50000000), "0.05"}, {UINT64_C(100000000), "0.1"},  {UINT64_C(200000000), "0.2"},
    {UINT64_C(500000000), "0.5"}, {UINT64_C(1000000000), "1"},   {UINT64_C(2000000000), "2"},
    {UINT64_C(5000000000), "5"},  {UINT64_C(10000000000), "10"}, {UINT64_MAX, "+Inf"},
};

static const struct bound classic_bounds[METRICS_CLASSIC_BUCKETS] = {
    {5 * CLOCK_NS_PER_MS, "5"},   {10 * CLOCK_NS_PER_MS, "10"}, {15 * CLOCK_NS_PER_MS, "15"},
    {20 * CLOCK_NS_PER_MS, "20"}, {30 * CLOCK_NS_PER_MS, "30"}, {50 * CLOCK_NS_PER_MS, "50"},
    {UINT64_MAX, "+Inf"},
};

/* One series, or one sample of a family with a label. A row without help continues the family of
 * the row before it. */
struct series {
    const char *name, *help, *type;
    const char *label; /* fixed label such as cause="budget", or NULL */
    size_t offset;
};

#define COUNTER(n, f, h)                                                                           \
    {                                                                                              \
        n, h, "counter", NULL, offsetof(struct metrics_shard, f)                                   \
    }
#define GAUGE(n, f, h)                                                                             \
    {                                                                                              \
        n, h, "gauge", NULL, offsetof(struct metrics_shard, f)                                     \
    }
#define LABELLED(n, f, l, h)                                                                       \
    {                                                                                              \
        n, h, "counter", l, offsetof(struct metrics_shard, f)                                      \
    }

/* Sums over all shards. */
static const struct series totals[] = {
    COUNTER("l0_requests_accepted_total", requests_accepted, "Requests whose first byte arrived."),
    COUNTER("l0_requests_aborted_total", requests_aborted,
            "Requests whose client left before the reply was out."),
    COUNTER("l0_hedge_fired_total", hedge_fired, "Duplicates begun on a sibling shard."),
    COUNTER("l0_hedge_wins_total", hedge_wins, "Duplicates that answered first."),
    COUNTER("l0_hedge_lost_total", hedge_lost, "Duplicates that finished second."),
    COUNTER("l0_hedge_abandoned_total", hedge_abandoned, "Duplicates given up half way."),
    LABELLED("l0_hedge_denied_total", hedge_denied_budget, "cause=\"budget\"",
             "Hedges that were due but not begun."),
    LABELLED("l0_hedge_denied_total", hedge_denied_load, "cause=\"load\"", NULL),
    LABELLED("l0_hedge_denied_total", hedge_denied_full, "cause=\"full\"", NULL),
    COUNTER("l0_hedge_claimed_first_total", hedge_claimed_first,
            "Requests that a sibling took over before any work was done on them."),
    COUNTER("l0_hedge_taken_over_total", hedge_taken_over,
            "Requests that a sibling took over half received."),
    COUNTER("l0_hedge_adopted_total", hedge_adopted,
            "New connections taken from a shard that stood still."),
    COUNTER("l0_hedge_unwatched_total", hedge_unwatched,
            "Connections that a sibling cannot watch, for want of kernel memory."),
    COUNTER("l0_stalls_total", watch_stalls, "Shards found standing still by their sibling."),
    COUNTER("l0_rotations_total", rotations, "Arena rotations."),
    COUNTER("l0_backpressure_waits_total", backpressure_waits,
            "Requests that had to wait for memory or for their turn."),
    COUNTER("l0_connections_refused_total", conns_refused, "Connections above max-conns."),
    COUNTER("l0_accept_errors_total", accept_errors, "Failed accepts, mostly for want of files."),
    COUNTER("l0_peer_resets_total", peer_resets, "Connections reset by their client."),
    LABELLED("l0_timeouts_total", timeouts_idle, "kind=\"idle\"",
             "Connections closed because a deadline passed."),
    LABELLED("l0_timeouts_total", timeouts_frame, "kind=\"frame\"", NULL),
    LABELLED("l0_timeouts_total", timeouts_reply, "kind=\"reply\"", NULL),
    COUNTER("l0_lexed_bytes_total", bytes_lexed, "Bytes of documents lexed."),
    COUNTER("l0_tokens_total", tokens, "Tokens found."),
    COUNTER("l0_issues_total", issues, "Diagnostics found."),
};

/* One sample a shard. */
static const struct series per_shard[] = {
    COUNTER("l0_connections_accepted_total", conns_accepted, "Connections accepted."),
    COUNTER("l0_connections_closed_total", conns_closed, "Connections closed."),
    COUNTER("l0_connections_handed_off_total", conns_handed_off,
            "Connections accepted here whose home is another shard."),
    GAUGE("l0_connections", conns_live, "Open connections."),
    COUNTER("l0_received_bytes_total", bytes_received, "Bytes received."),
    COUNTER("l0_sent_bytes_total", bytes_sent, "Bytes sent."),
    GAUGE("l0_arena_used_bytes", arena_used_bytes, "Bytes in use in both arenas."),
    GAUGE("l0_arena_size_bytes", arena_size_bytes, "Size of both arenas."),
    GAUGE("l0_arena_locked_bytes", arena_locked_bytes, "Bytes of the arenas locked in memory."),
    COUNTER("l0_loop_turns_total", loop_turns, "Turns of the event loop."),
    COUNTER("l0_ring_cq_overflows_total", ring_cq_overflows, "Completion queue overflows."),
    COUNTER("l0_ring_rearms_total", ring_rearms, "Multishot operations armed again."),
    COUNTER("l0_ring_stale_events_total", ring_stale_events,
            "Completions for a slot that was used again."),
};

/* One sample a shard, kept in ns and shown in seconds. */
static const struct series per_shard_ns[] = {
    COUNTER("l0_busy_seconds_total", busy_ns, "Time spent on events."),
    COUNTER("l0_idle_seconds_total", idle_ns, "Time spent waiting for events."),
    COUNTER("l0_fault_stalled_seconds_total", fault_stalled_ns, "Injected stalls."),
    COUNTER("l0_fault_both_stalled_seconds_total", fault_both_stalled_ns,
            "Injected stalls of this shard while its sibling was stalled, too."),
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- recording ---- */

void metrics_observe(struct metrics_shard *m, uint64_t total_ns)
{
    uint32_t i = 0;
    while (total_ns > duration_bounds[i].ns)
        i++;
    metric_add(&m->duration_bucket[i], 1);
    for (i = 0; total_ns > classic_bounds[i].ns;)
        i++;
    metric_add(&m->classic_bucket[i], 1);
    metric_add(&m->duration_sum_ns, total_ns);
}

static uint64_t read_at(const struct metrics_shard *shard, size_t offset)
{
    assert(offset % sizeof(metric_u64) == 0 && offset < sizeof *shard);
    return metric_get((const metric_u64 *)(const void *)((const char *)shard + offset));
}

uint64_t metrics_sum(const struct metrics_shard *const *shards, uint32_t n_shards, size_t offset)
{
    uint64_t sum = 0;
    for (uint32_t s = 0; s < n_shards; s++)
        sum += read_at(shards[s], offset);
    return sum;
}

/* ---- text ---- */

/* What is being written, and from what. */
struct page {
    FILE *out;
    const struct metrics_shard *const *shards;
    uint32_t n_shards;
};

static void put_head(FILE *out, const char *name, const char *help, const char *type)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_seconds(FILE *out, uint64_t ns)
{
    fprintf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / CLOCK_NS_PER_S, ns % CLOCK_NS_PER_S);
}

static void put_u64(FILE *out, const char *name, const char *help, const char *type, uint64_t value)
{
    put_head(out, name, help, type);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_total(const struct page *p, const struct series *s)
{
    if (s->help != NULL)
        put_head(p->out, s->name, s->help, s->type);
    uint64_t sum = metrics_sum(p->shards, p->n_shards, s->offset);
    if (s->label != NULL)
        fprintf(p->out, "%s{%s} %" PRIu64 "\n", s->name, s->label, sum);
    else
        fprintf(p->out, "%s %" PRIu64 "\n", s->name, sum);
}

static void put_per_shard(const struct page *p, const struct series *s, bool seconds)
{
    put_head(p->out, s->name, s->help, s->type);
    for (uint32_t i = 0; i < p->n_shards; i++) {
        uint64_t value = read_at(p->shards[i], s->offset);
        fprintf(p->out, "%s{shard=\"%u\"} ", s->name, i);
        if (seconds)
            put_seconds(p->out, value);
        else
            fprintf(p->out, "%" PRIu64 "\n", value);
    }
}

static uint64_t replies_of(const struct metrics_shard *shard)
{
    uint64_t sum = 0;
    for (uint32_t status = 0; status < WIRE_STATUS_COUNT; status++)
        sum += metric_get(&shard->replied[status]);
    return sum;
}

/* Replies by outcome. Each counter is read once, so that requests, errors and shards of one page
 * are each consistent in themselves. */
static void put_replies(const struct page *p)
{
    uint64_t all = 0, by_status[WIRE_STATUS_COUNT] = {0};
    for (uint32_t status = 0; status < WIRE_STATUS_COUNT; status++) {
        size_t offset = offsetof(struct metrics_shard, replied) + status * sizeof(metric_u64);
        by_status[status] = metrics_sum(p->shards, p->n_shards, offset);
        all += by_status[status];
    }
    put_u64(p->out, "l0_requests_total", "Replies sent, whatever their status.", "counter", all);
    put_head(p->out, "l0_errors_total", "Replies sent whose status is not ok.", "counter");
    for (uint32_t status = WIRE_OK + 1; status < WIRE_STATUS_COUNT; status++)
        fprintf(p->out, "l0_errors_total{status=\"%s\"} %" PRIu64 "\n", wire_status_name(status),
                by_status[status]);
    put_head(p->out, "l0_shard_requests_total", "Replies sent by each shard.", "counter");
    for (uint32_t i = 0; i < p->n_shards; i++)
        fprintf(p->out, "l0_shard_requests_total{shard=\"%u\"} %" PRIu64 "\n", i,
                replies_of(p->shards[i]));
}

/* Buckets become cumulative here. The count is the last bucket, so that the two always agree.
 * Returns it. */
static uint64_t put_buckets(const struct page *p, const char *name, const struct bound *bounds,
                            uint32_t n_bounds, size_t offset)
{
    uint64_t cumulative = 0;
    for (uint32_t i = 0; i < n_bounds; i++) {
        cumulative += metrics_sum(p->shards, p->n_shards, offset + i * sizeof(metric_u64));
        fprintf(p->out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, bounds[i].le, cumulative);
    }
    return cumulative;
}

static void put_histograms(const struct page *p)
{
    static const char name[] = "l0_request_duration_seconds", classic[] = "l0_latency_ms";
    uint64_t sum_ns =
        metrics_sum(p->shards, p->n_shards, offsetof(struct metrics_shard, duration_sum_ns));
    put_head(p->out, name, "First byte in to reply ready, requests answered ok.", "histogram");
    uint64_t count = put_buckets(p, name, duration_bounds, METRICS_DURATION_BUCKETS,
                                 offsetof(struct metrics_shard, duration_bucket));
    fprintf(p->out, "%s_sum ", name);
    put_seconds(p->out, sum_ns);
    fprintf(p->out, "%s_count %" PRIu64 "\n", name, count);

    put_head(p->out, classic, "The same in milliseconds.", "histogram");
    count = put_buckets(p, classic, classic_bounds, METRICS_CLASSIC_BUCKETS,
                        offsetof(struct metrics_shard, classic_bucket));
    fprintf(p->out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n%s_count %" PRIu64 "\n", classic,
            sum_ns / CLOCK_NS_PER_MS, sum_ns % CLOCK_NS_PER_MS, classic, count);
}

/* A label value: backslash, quote and newline are escaped. */
static void put_label(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', out);
        if (*value == '\n')
            fputs("\\n", out);
        else
            fputc(*value, out);
    }
    fputc('"', out);
}

static void put_build(FILE *out, const struct metrics_build *build)
{
    put_head(out, "l0_build_info", "Always 1; what is running is in the labels.", "gauge");
    fputs("l0_build_info{", out);
    put_label(out, "version", build->version);
    fputc(',', out);
    put_label(out, "kernel", build->kernel);
    fputc(',', out);
    put_label(out, "regime", build->regime);
    fputs("} 1\n", out);
}

/* ---- the process ---- */

/* Fields of /proc/self/stat behind the command's name, which may itself hold blanks and
 * parentheses (proc(5)): [0] is the state, field 3 of the manual. */
enum { STAT_START_TICKS = 22 - 3, STAT_VIRTUAL_BYTES = 23 - 3, STAT_RSS_PAGES = 24 - 3 };

static bool read_stat(uint64_t *start_ticks, uint64_t *virtual_bytes, uint64_t *rss_bytes)
{
    char text[2048];
    FILE *f = fopen("/proc/self/stat", "re");
    if (f == NULL)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    char *p = strrchr(text, ')'), *rest = NULL;
    if (p == NULL)
        return false;
    int field = 0;
    for (p = strtok_r(p + 1, " ", &rest); p != NULL; p = strtok_r(NULL, " ", &rest), field++) {
        uint64_t value = strtoull(p, NULL, 10);
        if (field == STAT_START_TICKS)
            *start_ticks = value;
        else if (field == STAT_VIRTUAL_BYTES)
            *virtual_bytes = value;
        else if (field == STAT_RSS_PAGES)
            *rss_bytes = value * (uint64_t)sysconf(_SC_PAGESIZE);
    }
    return field > STAT_RSS_PAGES;
}

/* The boot's time of day in seconds, 0 if not to be had. A difference of two clocks would do, but
 * would give each scrape another start time. */
static uint64_t read_boot_s(void)
{
    uint64_t boot_s = 0;
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen("/proc/stat", "re");
    if (f == NULL)
        return 0;
    while (getline(&line, &room, f) > 0 && sscanf(line, "btime %" SCNu64, &boot_s) != 1)
        ;
    free(line);
    fclose(f);
    return boot_s;
}

/* Open descriptors, without the one that looks. */
static uint64_t count_fds(void)
{
    uint64_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n - 1;
}

/* Names and meaning as every Prometheus client library has them. */
static void put_process(FILE *out)
{
    uint64_t start_ticks = 0, virtual_bytes = 0, rss_bytes = 0;
    struct rusage usage = {0};
    struct rlimit files = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    uint64_t cpu_ns = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * CLOCK_NS_PER_S +
                      (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * CLOCK_NS_PER_US;

    put_head(out, "process_cpu_seconds_total", "User and system time.", "counter");
    fputs("process_cpu_seconds_total ", out);
    put_seconds(out, cpu_ns);
    put_u64(out, "process_open_fds", "Open file descriptors.", "gauge", count_fds());
    put_u64(out, "process_max_fds", "Limit of open file descriptors.", "gauge", files.rlim_cur);
    if (!read_stat(&start_ticks, &virtual_bytes, &rss_bytes))
        return;
    put_u64(out, "process_resident_memory_bytes", "Resident memory.", "gauge", rss_bytes);
    put_u64(out, "process_virtual_memory_bytes", "Virtual memory.", "gauge", virtual_bytes);
    uint64_t tick_ns = CLOCK_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
    put_head(out, "process_start_time_seconds", "Start, since the Unix epoch.", "gauge");
    fputs("process_start_time_seconds ", out);
    put_seconds(out, read_boot_s() * CLOCK_NS_PER_S + start_ticks * tick_ns);
}

char *metrics_format(const struct metrics_shard *const *shards, uint32_t n_shards,
                     const struct metrics_build *build, size_t *bytes)
{
    char *text = NULL;
    struct page page = {open_memstream(&text, bytes), shards, n_shards};
    if (page.out == NULL)
        return NULL;
    put_build(page.out, build);
    put_u64(page.out, "l0_shards", "Shards, one thread each.", "gauge", n_shards);
    put_replies(&page);
    for (size_t i = 0; i < COUNT(totals); i++)
        put_total(&page, &totals[i]);
    put_histograms(&page);
    for (size_t i = 0; i < COUNT(per_shard); i++)
        put_per_shard(&page, &per_shard[i], false);
    for (size_t i = 0; i < COUNT(per_shard_ns); i++)
        put_per_shard(&page, &per_shard_ns[i], true);
    put_process(page.out);
    bool failed = ferror(page.out) != 0;
    if (fclose(page.out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
