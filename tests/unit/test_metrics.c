#include "engine/metrics.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- a strict reader of the Prometheus text format 0.0.4 ---- */

enum { SERIES_MAX = 1024, FAMILIES_MAX = 128 };

struct series {
    char name[96];   /* with its labels, as written */
    char family[64]; /* the name HELP and TYPE gave */
    double value;
};

static struct series series[SERIES_MAX];
static size_t n_series;
static char families[FAMILIES_MAX][64];
static size_t n_families;

/* Copies the longest prefix of *p made of a metric or label name; moves *p behind it. */
static void take_name(const char **p, char *out, size_t room)
{
    size_t n = 0;
    cr_assert(isalpha((unsigned char)**p) || **p == '_', "no name at \"%.30s\"", *p);
    for (; isalnum((unsigned char)**p) || **p == '_'; ++*p) {
        cr_assert_lt(n + 1, room);
        out[n++] = **p;
    }
    out[n] = '\0';
}

static void take(const char **p, const char *text)
{
    cr_assert_eq(strncmp(*p, text, strlen(text)), 0, "\"%s\" expected at \"%.40s\"", text, *p);
    *p += strlen(text);
}

static void take_labels(const char **p)
{
    char label[64];
    take(p, "{");
    for (;;) {
        take_name(p, label, sizeof label);
        take(p, "=\"");
        for (; **p != '"'; ++*p) {
            cr_assert(**p != '\n' && **p != '\0', "an open label value");
            if (**p == '\\') {
                ++*p;
                cr_assert(strchr("\\\"n", **p) != NULL, "a bad escape");
            }
        }
        take(p, "\"");
        if (**p != ',')
            break;
        ++*p;
    }
    take(p, "}");
}

/* # HELP name text, then # TYPE name type; each family once. Returns the type's first letter. */
static char take_head(const char **p)
{
    char name[64], again[64];
    take(p, "# HELP ");
    take_name(p, name, sizeof name);
    take(p, " ");
    size_t help_bytes = strcspn(*p, "\n");
    cr_assert_gt(help_bytes, 0);
    cr_expect_eq((*p)[help_bytes - 1], '.', "%s: help is a sentence", name);
    *p += help_bytes;
    take(p, "\n# TYPE ");
    take_name(p, again, sizeof again);
    cr_assert_str_eq(name, again);
    take(p, " ");
    char type = **p;
    take(p, type == 'c' ? "counter\n" : type == 'g' ? "gauge\n" : "histogram\n");
    size_t n = strlen(name);
    bool total = n > 6 && strcmp(name + n - 6, "_total") == 0;
    cr_expect_eq(total, type == 'c', "%s: counters, and only they, end in _total", name);
    for (size_t i = 0; i < n_families; i++)
        cr_assert_str_neq(families[i], name, "one group of lines a family");
    cr_assert_lt(n_families, FAMILIES_MAX);
    strcpy(families[n_families++], name);
    return type;
}

static void take_sample(const char **p, char type)
{
    cr_assert_lt(n_series, SERIES_MAX);
    struct series *s = &series[n_series];
    const char *begin = *p;
    char name[64];
    strcpy(s->family, families[n_families - 1]);
    take_name(p, name, sizeof name);
    const char *suffix = name + strlen(s->family);
    cr_assert_eq(strncmp(name, s->family, strlen(s->family)), 0, "%s below %s", name, s->family);
    cr_assert(suffix[0] == '\0' ||
              (type == 'h' && (strcmp(suffix, "_bucket") == 0 || strcmp(suffix, "_sum") == 0 ||
                               strcmp(suffix, "_count") == 0)));
    if (**p == '{')
        take_labels(p);
    cr_assert_lt((size_t)(*p - begin), sizeof s->name);
    memcpy(s->name, begin, (size_t)(*p - begin));
    s->name[*p - begin] = '\0';
    for (size_t i = 0; i < n_series; i++)
        cr_assert_str_neq(series[i].name, s->name, "a series appears once");
    take(p, " ");
    char *end;
    s->value = strtod(*p, &end);
    cr_assert_neq(end, *p);
    cr_assert_eq(*end, '\n');
    cr_assert_geq(s->value, 0);
    *p = end + 1;
    n_series++;
}

static void parse(const char *text)
{
    n_series = n_families = 0;
    char type = '\0';
    for (const char *p = text; *p != '\0';) {
        if (*p == '#')
            type = take_head(&p);
        else
            take_sample(&p, type);
    }
}

static double value_of(const char *name)
{
    for (size_t i = 0; i < n_series; i++)
        if (strcmp(series[i].name, name) == 0)
            return series[i].value;
    cr_expect_fail("there is no %s", name);
    return NAN;
}

#define EXPECT(name, number) cr_expect_eq(value_of(name), (double)(number), "%s", name)

static struct metrics_shard shard_0, shard_1;
static const struct metrics_shard *const shards[] = {&shard_0, &shard_1};
static const struct metrics_build build = {"1.2.3", "portable", "lualatex"};

static void format_and_parse(const struct metrics_build *b)
{
    size_t bytes = 0;
    char *text = metrics_format(shards, 2, b, &bytes);
    cr_assert_not_null(text);
    cr_assert_eq(bytes, strlen(text));
    parse(text);
    free(text);
}

/* ---- tests ---- */

Test(metrics, every_family_from_the_start)
{
    static const char *const names[] = {
        "l0_requests_total",
        "l0_requests_accepted_total",
        "l0_requests_aborted_total",
        "l0_hedge_fired_total",
        "l0_hedge_wins_total",
        "l0_hedge_lost_total",
        "l0_hedge_abandoned_total",
        "l0_hedge_claimed_first_total",
        "l0_hedge_adopted_total",
        "l0_hedge_denied_total{cause=\"budget\"}",
        "l0_hedge_denied_total{cause=\"load\"}",
        "l0_rotations_total",
        "l0_backpressure_waits_total",
        "l0_errors_total{status=\"internal\"}",
        "l0_errors_total{status=\"bad_length\"}",
        "l0_errors_total{status=\"too_large\"}",
        "l0_errors_total{status=\"busy\"}",
        "l0_errors_total{status=\"shutting_down\"}",
        "l0_errors_total{status=\"timed_out\"}",
        "l0_timeouts_total{kind=\"frame\"}",
        "l0_request_duration_seconds_count",
        "l0_request_duration_seconds_sum",
        "l0_request_duration_seconds_bucket{le=\"0.02\"}",
        "l0_latency_ms_bucket{le=\"+Inf\"}",
        "l0_latency_ms_sum",
        "l0_latency_ms_count",
        "l0_busy_seconds_total{shard=\"1\"}",
        "l0_idle_seconds_total{shard=\"0\"}",
        "l0_connections{shard=\"0\"}",
        "l0_received_bytes_total{shard=\"0\"}",
        "l0_arena_used_bytes{shard=\"0\"}",
        "l0_arena_locked_bytes{shard=\"0\"}",
        "l0_ring_cq_overflows_total{shard=\"0\"}",
        "l0_ring_rearms_total{shard=\"0\"}",
    };
    format_and_parse(&build);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        EXPECT(names[i], 0);
    EXPECT("l0_shards", 2);
    EXPECT("l0_build_info{version=\"1.2.3\",kernel=\"portable\",regime=\"lualatex\"}", 1);
}

/* Every counter appears with the value it has: each word of the struct gets another number. */
Test(metrics, every_counter_is_shown)
{
    static const size_t hidden[] = {/* appear only in sums and buckets */
                                    offsetof(struct metrics_shard, replied),
                                    offsetof(struct metrics_shard, duration_bucket),
                                    offsetof(struct metrics_shard, classic_bucket)};
    static const size_t hidden_words[] = {WIRE_STATUS_COUNT, METRICS_DURATION_BUCKETS,
                                          METRICS_CLASSIC_BUCKETS};
    metric_u64 *words = (metric_u64 *)&shard_0;
    size_t n_words = sizeof shard_0 / sizeof *words;
    for (size_t i = 0; i < n_words; i++)
        metric_set(&words[i], 1000000 + i);
    format_and_parse(&build);
    for (size_t i = 0; i < n_words; i++) {
        bool skip = i * sizeof *words == offsetof(struct metrics_shard, duration_sum_ns) ||
                    i * sizeof *words == offsetof(struct metrics_shard, fault_stalled_ns) ||
                    i * sizeof *words == offsetof(struct metrics_shard, fault_both_stalled_ns) ||
                    i * sizeof *words == offsetof(struct metrics_shard, busy_ns) ||
                    i * sizeof *words == offsetof(struct metrics_shard, idle_ns);
        for (size_t j = 0; j < 3; j++)
            skip |= i * sizeof *words >= hidden[j] &&
                    i * sizeof *words < hidden[j] + hidden_words[j] * sizeof *words;
        size_t found = 0;
        for (size_t j = 0; j < n_series; j++)
            found += series[j].value == (double)(1000000 + i);
        cr_expect(skip || found == 1, "word %zu appears %zu times", i, found);
    }
}

Test(metrics, requests_are_replies_of_any_status)
{
    metric_add(&shard_0.replied[WIRE_OK], 5);
    metric_add(&shard_1.replied[WIRE_OK], 7);
    metric_add(&shard_1.replied[WIRE_BUSY], 2);
    metric_add(&shard_0.replied[WIRE_TOO_LARGE], 1);
    format_and_parse(&build);
    EXPECT("l0_requests_total", 15);
    EXPECT("l0_errors_total{status=\"busy\"}", 2);
    EXPECT("l0_errors_total{status=\"too_large\"}", 1);
    EXPECT("l0_shard_requests_total{shard=\"0\"}", 6);
    EXPECT("l0_shard_requests_total{shard=\"1\"}", 9);
    for (size_t i = 0; i < n_series; i++)
        cr_expect_null(strstr(series[i].name, "status=\"ok\""));
}

Test(metrics, sums_and_seconds)
{
    metric_set(&shard_0.rotations, 3);
    metric_set(&shard_1.rotations, 4);
    metric_set(&shard_1.busy_ns, UINT64_C(1500000000));
    metric_set(&shard_1.idle_ns, 1);
    cr_expect_eq(metrics_sum(shards, 2, offsetof(struct metrics_shard, rotations)), 7);
    cr_expect_eq(metrics_sum(shards, 0, offsetof(struct metrics_shard, rotations)), 0);
    format_and_parse(&build);
    EXPECT("l0_rotations_total", 7);
    EXPECT("l0_busy_seconds_total{shard=\"1\"}", 1.5);
    EXPECT("l0_idle_seconds_total{shard=\"1\"}", 1e-9);
}

Test(metrics, bounds_are_inclusive)
{
    static const uint64_t ns[] = {
        0, 50000, 50001, 20000000, 20000001, UINT64_C(10000000000), UINT64_C(10000000001)};
    for (size_t i = 0; i < sizeof ns / sizeof *ns; i++)
        metrics_observe(i % 2 == 0 ? &shard_0 : &shard_1, ns[i]);
    format_and_parse(&build);
    EXPECT("l0_request_duration_seconds_bucket{le=\"0.00005\"}", 2);
    EXPECT("l0_request_duration_seconds_bucket{le=\"0.0001\"}", 3);
    EXPECT("l0_request_duration_seconds_bucket{le=\"0.01\"}", 3);
    EXPECT("l0_request_duration_seconds_bucket{le=\"0.02\"}", 4);
    EXPECT("l0_request_duration_seconds_bucket{le=\"0.05\"}", 5);
    EXPECT("l0_request_duration_seconds_bucket{le=\"10\"}", 6);
    EXPECT("l0_request_duration_seconds_bucket{le=\"+Inf\"}", 7);
    EXPECT("l0_request_duration_seconds_count", 7);
    EXPECT("l0_request_duration_seconds_sum", 20.040100003);
    EXPECT("l0_latency_ms_bucket{le=\"5\"}", 3);
    EXPECT("l0_latency_ms_bucket{le=\"15\"}", 3);
    EXPECT("l0_latency_ms_bucket{le=\"20\"}", 4);
    EXPECT("l0_latency_ms_bucket{le=\"30\"}", 5);
    EXPECT("l0_latency_ms_bucket{le=\"50\"}", 5);
    EXPECT("l0_latency_ms_bucket{le=\"+Inf\"}", 7);
    EXPECT("l0_latency_ms_count", 7);
    EXPECT("l0_latency_ms_sum", 20040.100003);
}

/* Bounds rise, counts never fall, +Inf comes last and equals the count. */
Test(metrics, histograms_are_cumulative)
{
    static const char *const names[] = {"l0_request_duration_seconds", "l0_latency_ms"};
    static const size_t n_buckets[] = {METRICS_DURATION_BUCKETS, METRICS_CLASSIC_BUCKETS};
    for (uint64_t t_ns = 1; t_ns < UINT64_C(1) << 40; t_ns = t_ns * 3 / 2 + 1)
        metrics_observe(&shard_0, t_ns);
    metrics_observe(&shard_0, UINT64_MAX);
    format_and_parse(&build);
    for (size_t h = 0; h < 2; h++) {
        char prefix[96], count[96];
        double last_le = 0, last_value = 0;
        size_t n = 0;
        snprintf(prefix, sizeof prefix, "%s_bucket{le=\"", names[h]);
        for (size_t i = 0; i < n_series; i++) {
            if (strncmp(series[i].name, prefix, strlen(prefix)) != 0)
                continue;
            double le = strtod(series[i].name + strlen(prefix), NULL); /* reads +Inf too */
            cr_expect_gt(le, last_le);
            cr_expect_geq(series[i].value, last_value);
            last_le = le;
            last_value = series[i].value;
            n++;
        }
        cr_expect_eq(n, n_buckets[h]);
        cr_expect_gt(last_le, 1e300);
        snprintf(count, sizeof count, "%s_count", names[h]);
        EXPECT(count, last_value);
    }
}

Test(metrics, labels_are_escaped)
{
    const struct metrics_build odd = {"a\"b", "c\\d", "e\nf"};
    format_and_parse(&odd);
    EXPECT("l0_build_info{version=\"a\\\"b\",kernel=\"c\\\\d\",regime=\"e\\nf\"}", 1);
}

Test(metrics, the_process)
{
    format_and_parse(&build);
    double now_s = (double)time(NULL);
    cr_expect_gt(value_of("process_resident_memory_bytes"), 100 * 1024);
    cr_expect_geq(value_of("process_virtual_memory_bytes"),
                  value_of("process_resident_memory_bytes"));
    cr_expect_geq(value_of("process_open_fds"), 1);
    cr_expect_leq(value_of("process_open_fds"), value_of("process_max_fds"));
    cr_expect_leq(value_of("process_start_time_seconds"), now_s + 2);
    cr_expect_gt(value_of("process_start_time_seconds"), now_s - 86400);
}
