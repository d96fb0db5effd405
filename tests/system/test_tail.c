/* The tail file: the slowest requests, their brackets, and what the client saw of them. */
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAIL_REQUESTS = 120, TAIL_ROWS = 40, TAIL_COLUMNS = 9, TAIL_ROWS_MAX = 256 };

struct tail_line {
    uint64_t total_ns;
    uint64_t in_start, in_done, proc_start, hedge_fire, first_reply, reply_ready;
    unsigned hedged;
    char origin;
};

struct round_trip {
    uint64_t begin_ns, end_ns;
    bool taken; /* a row of the tail lies in it */
};

/* ---- reading ------------------------------------------------------------------------------- */

static void tail_parse(const char *text, struct tail_line *line)
{
    uint64_t whole_ms, millionths;
    int end = 0;
    int n = sscanf(text,
                   "%" SCNu64 ".%6" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64
                   ",%" SCNu64 ",%" SCNu64 ",%u,%c%n",
                   &whole_ms, &millionths, &line->in_start, &line->in_done, &line->proc_start,
                   &line->hedge_fire, &line->first_reply, &line->reply_ready, &line->hedged,
                   &line->origin, &end);
    cr_assert_eq(n, TAIL_COLUMNS + 1, "%s", text);
    cr_assert_str_eq(text + end, "\n");
    cr_assert_eq(strchr(text, ',') - strchr(text, '.'), 7, "not six decimals: %s", text);
    line->total_ns = whole_ms * 1000000 + millionths;
}

/* The rows of the file, which is written anew first. */
static unsigned tail_read(const struct daemon *d, int signal_number, struct tail_line *lines)
{
    char text[512];
    unsigned n = 0;
    (void)unlink(d->tail_csv);
    cr_assert_eq(kill(d->pid, signal_number), 0);
    FILE *f = NULL;
    for (int i = 0; i < 2000 && (f = fopen(d->tail_csv, "re")) == NULL; i++)
        traffic_sleep_ms(10);
    cr_assert_not_null(f, "no tail file");
    cr_assert_not_null(fgets(text, sizeof text, f));
    cr_assert_str_eq(text, "ms_total,t_in_start,t_in_done,t_proc_start,t_hedge_fire,t_first_reply,"
                           "t_reply_ready,hedged,origin\n");
    for (; fgets(text, sizeof text, f) != NULL; n++) {
        cr_assert_lt(n, TAIL_ROWS_MAX);
        tail_parse(text, &lines[n]);
    }
    (void)fclose(f);
    return n;
}

/* ---- requests ------------------------------------------------------------------------------ */

/* Documents of many lengths, over two connections (on different shards, where there are two), one
 * after the other; returns when all are in the books. */
static void tail_make_requests(const struct daemon *d, struct round_trip *trips)
{
    uint64_t before = daemon_metric(d, "l0_latency_ms_count");
    int fds[2] = {daemon_connect(d), daemon_connect(d)};
    for (uint32_t i = 0; i < TAIL_REQUESTS; i++) {
        struct traffic_doc doc;
        traffic_doc_make(&doc, 100 + i * 37 % TAIL_REQUESTS * 1500, i);
        trips[i] = (struct round_trip){.begin_ns = traffic_now_ns()};
        traffic_expect_answer(fds[i % 2], &doc);
        trips[i].end_ns = traffic_now_ns();
        traffic_doc_free(&doc);
    }
    (void)close(fds[0]);
    (void)close(fds[1]);
    uint64_t after = before + TAIL_REQUESTS;
    cr_assert_eq(daemon_await_metric_sum(d, "l0_latency_ms_count", after, 20000), after);
    traffic_expect_settled(d, 0);
}

static int tail_compare_slower(const void *left, const void *right)
{
    const struct round_trip *a = left, *b = right;
    uint64_t a_ns = a->end_ns - a->begin_ns, b_ns = b->end_ns - b->begin_ns;
    return (a_ns < b_ns) - (a_ns > b_ns);
}

static void tail_expect_ordered(const struct tail_line *l)
{
    cr_assert_leq(l->in_start, l->in_done);
    cr_assert_leq(l->in_done, l->proc_start);
    cr_assert_leq(l->proc_start, l->first_reply);
    cr_assert_leq(l->first_reply, l->reply_ready);
    cr_assert_eq(l->total_ns, l->reply_ready - l->in_start);
    cr_assert_eq(l->hedged, l->hedge_fire != 0);
    cr_assert(l->hedged == 0 ||
              (l->hedge_fire >= l->proc_start && l->hedge_fire <= l->reply_ready));
    cr_assert(l->origin == 'P' || l->origin == 'H');
}

/* Round trips do not overlap, so a bracket lies in at most one; no two lie in the same. */
static void tail_expect_inside(const struct tail_line *l, struct round_trip *trips)
{
    unsigned i = 0;
    while (i < TAIL_REQUESTS &&
           (l->in_start < trips[i].begin_ns || l->reply_ready > trips[i].end_ns))
        i++;
    cr_assert_lt(i, TAIL_REQUESTS, "a bracket of %" PRIu64 " ns in no round trip", l->total_ns);
    cr_assert(!trips[i].taken, "two brackets in one round trip");
    trips[i].taken = true;
}

static void tail_expect_consistent(const struct tail_line *lines, unsigned n,
                                   struct round_trip *trips)
{
    for (unsigned i = 0; i < n; i++) {
        tail_expect_ordered(&lines[i]);
        tail_expect_inside(&lines[i], trips);
        cr_assert(i == 0 || lines[i].total_ns <= lines[i - 1].total_ns, "not slowest first");
    }
    qsort(trips, TAIL_REQUESTS, sizeof *trips, tail_compare_slower);
    for (unsigned i = 0; i < n; i++)
        cr_assert_leq(lines[i].total_ns, trips[i].end_ns - trips[i].begin_ns,
                      "the slowest but %u took longer inside than outside", i);
}

static void tail_start(struct daemon *d, const char *rows)
{
    const char *args[] = {"--admin", "127.0.0.1:0", "--tail-k", rows, NULL};
    daemon_start(d, args, NULL);
}

/* ---- tests --------------------------------------------------------------------------------- */

Test(tail, every_bracket_lies_inside_its_round_trip)
{
    struct round_trip trips[TAIL_REQUESTS];
    struct tail_line lines[TAIL_ROWS_MAX];
    struct daemon d;
    tail_start(&d, "128");
    cr_assert_eq(tail_read(&d, SIGUSR1, lines), 0);
    tail_make_requests(&d, trips);
    cr_assert_eq(tail_read(&d, SIGUSR1, lines), TAIL_REQUESTS);
    tail_expect_consistent(lines, TAIL_REQUESTS, trips);
    daemon_stop(&d);
}

Test(tail, only_the_slowest_are_kept_until_a_reset)
{
    struct round_trip trips[TAIL_REQUESTS];
    struct tail_line first[TAIL_ROWS_MAX], again[TAIL_ROWS_MAX];
    struct daemon d;
    tail_start(&d, "40");
    tail_make_requests(&d, trips);
    cr_assert_eq(tail_read(&d, SIGUSR2, first), TAIL_ROWS);
    tail_expect_consistent(first, TAIL_ROWS, trips);
    cr_assert_eq(tail_read(&d, SIGUSR1, again), 0, "SIGUSR2 did not begin anew");
    tail_make_requests(&d, trips);
    cr_assert_eq(tail_read(&d, SIGUSR1, again), TAIL_ROWS);
    tail_expect_consistent(again, TAIL_ROWS, trips);
    daemon_stop(&d);
}

/* With a stall before lexing, the bracket holds it, and the stages tell where it was. */
Test(tail, a_stall_is_seen_where_it_happened)
{
    static const char *const stalled[] = {"L0_FAULT_MS=20", "L0_FAULT_RATE_PPM=1000000",
                                          "L0_FAULT_PHASE=post", NULL};
    const char *args[] = {"--admin", "127.0.0.1:0", "--hedge-ms", "0", NULL};
    struct tail_line lines[TAIL_ROWS_MAX];
    struct daemon d;
    daemon_start(&d, args, stalled);
    for (int i = 0; i < 3; i++)
        daemon_expect_well(&d);
    traffic_expect_settled(&d, 0);
    cr_assert_eq(tail_read(&d, SIGUSR1, lines), 3);
    for (int i = 0; i < 3; i++) {
        tail_expect_ordered(&lines[i]);
        cr_assert_eq(lines[i].origin, 'P');
        cr_assert_geq(lines[i].first_reply - lines[i].proc_start, 20000000);
    }
    daemon_stop(&d);
}
