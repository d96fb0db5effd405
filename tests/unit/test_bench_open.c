/* The open loop: its schedule, what it measures of servers that pause, lie or leave, and what it
 * stores. */
#include "bench/open.h"

#include "bench/bench.h"
#include "bench/clock.h"
#include "bench/fault_watch.h"
#include "bench/hedge_counters.h"
#include "bench/meter.h"
#include "bench/schedule.h"
#include "tests/unit/bench_place.h"
#include "tests/unit/fake_server.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

TestSuite(bench_open, .init = bench_place_open, .fini = bench_place_close);

/* ---- schedule and meter --------------------------------------------------------------------- */

Test(bench_open, a_fixed_schedule_does_not_drift)
{
    static uint64_t due[40000];
    uint64_t n = 0;
    const struct schedule s = {.rate = 7, .duration_ns = UINT64_C(3000000000000), .n_threads = 3};
    for (unsigned thread = 0; thread < 3; thread++) {
        size_t mine = schedule_fill(&s, thread, due);
        cr_assert_leq(mine, schedule_cap(&s));
        for (size_t i = 0; i < mine; i++)
            cr_assert_eq(due[i], (thread + 3 * i) * UINT64_C(1000000000) / 7);
        n += mine;
    }
    cr_expect_eq(n, 21000);
}

Test(bench_open, poisson_arrivals_are_exponential)
{
    static uint64_t due[200000];
    const struct schedule s = {
        .rate = 100000, .duration_ns = 1000000000, .poisson = true, .seed = 5, .n_threads = 1};
    size_t n = schedule_fill(&s, 0, due);
    cr_expect_float_eq((double)n, 100000, 5 * sqrt(100000));
    size_t n_longer = 0;
    for (size_t i = 1; i < n; i++) {
        cr_assert_leq(due[i - 1], due[i]);
        n_longer += due[i] - due[i - 1] > 20000; /* twice the mean: e^-2 of them */
    }
    cr_assert_lt(due[n - 1], s.duration_ns);
    cr_expect_float_eq((double)n_longer / (double)n, exp(-2), 0.006);
}

Test(bench_open, the_meter_is_near)
{
    static struct meter meter;
    for (unsigned shift = 0; shift < 64; shift++) {
        struct meter_count before = {.n = 0}, after = {.n = 0};
        uint64_t ns = (UINT64_C(1) << shift) + (shift > 3 ? UINT64_C(1) << (shift - 2) : 0);
        meter_read(&meter, &before);
        meter_add(&meter, ns);
        meter_read(&meter, &after);
        struct meter_count one = meter_since(&after, &before);
        uint64_t shown = meter_quantile_ns(&one, 500000);
        cr_expect(shown >= ns && shown - ns <= ns / 15, "%lu is shown as %lu", ns, shown);
    }
    struct meter_count all = {.n = 0};
    meter_add(&meter, 0);
    meter_add(&meter, UINT64_MAX);
    meter_read(&meter, &all);
    cr_expect_eq(all.n, 66);
    cr_expect_eq(meter_quantile_ns(&all, 1000000), UINT64_MAX);
    cr_expect_eq(meter_quantile_ns(&all, 1), 0);
}

/* ---- servers -------------------------------------------------------------------------------- */

static void reply_truth(int fd)
{
    fake_server_reply(fd, (struct wire_reply){.n_tokens = place.counts.n_tokens,
                                              .issues_len = place.counts.n_issues,
                                              .origin = WIRE_ORIGIN_PRIMARY});
}

static void serve_truth(int fd)
{
    while (fake_server_take(fd) > 0)
        reply_truth(fd);
}

/* After so many requests, all connections together, nobody is answered for a while. */
#define PAUSE_AFTER 100
#define PAUSE_NS    UINT64_C(500000000)
static _Atomic uint64_t n_taken, pause_until_ns;

static void serve_with_a_pause(int fd)
{
    while (fake_server_take(fd) > 0) {
        if (atomic_fetch_add(&n_taken, 1) + 1 == PAUSE_AFTER)
            atomic_store(&pause_until_ns, bench_now_ns() + PAUSE_NS);
        bench_sleep_until(atomic_load(&pause_until_ns));
        reply_truth(fd);
    }
}

static void serve_a_lie(int fd)
{
    while (fake_server_take(fd) > 0)
        fake_server_reply(fd, (struct wire_reply){.origin = WIRE_ORIGIN_PRIMARY});
}

static void serve_busy(int fd)
{
    while (fake_server_take(fd) > 0)
        fake_server_reply(fd, (struct wire_reply){.status = WIRE_BUSY});
}

static void serve_hedges(int fd)
{
    while (fake_server_take(fd) > 0)
        fake_server_reply(fd, (struct wire_reply){.n_tokens = place.counts.n_tokens,
                                                  .issues_len = place.counts.n_issues,
                                                  .origin = WIRE_ORIGIN_HEDGE});
}

static void serve_nothing(int fd)
{
    while (fake_server_take(fd) > 0)
        continue;
}

static void serve_one_and_leave(int fd)
{
    if (fake_server_take(fd) > 0)
        reply_truth(fd);
}

static void serve_garbage(int fd)
{
    while (fake_server_take(fd) > 0)
        (void)!send(fd, "HTTP/1.1 400 Bad Request", 24, MSG_NOSIGNAL);
}

/* Any framed reply, in pieces. */
static void serve_letters(int fd)
{
    while (fake_server_take(fd) > 0) {
        (void)!send(fd, "\0\0", 2, MSG_NOSIGNAL);
        (void)!send(fd, "\0\05hel", 5, MSG_NOSIGNAL);
        (void)!send(fd, "lo", 2, MSG_NOSIGNAL);
    }
}

#define OPEN "l0-bench open %s --target %s --admin '' --warmup 0 --max-lag-ms 60000 "

/* ---- coordinated omission ------------------------------------------------------------------- */

static size_t n_longer(const struct open_result *result, bool from_due, uint64_t ns)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_rows; i++) {
        const struct open_row *row = &result->rows[i];
        n += row->done_ns - (from_due ? row->due_ns : row->sent_ns) > ns;
    }
    return n;
}

/* 500 a second are due, and the server pauses for half a second. Each request that was due in the
 * first half of the pause waits for longer than the other half: 125 of them, whatever the machine
 * does meanwhile. A client that waits for replies has at most one under way on each connection, and
 * so has the service time: the pause hides itself. */
Test(bench_open, a_pause_hides_from_a_closed_loop_and_not_from_an_open_one)
{
    struct fake_server server;
    struct open_result result;
    fake_server_start(&server, place.socket, serve_with_a_pause);
    uint8_t byte = 'x';
    struct document document = {.bytes = &byte, .n_bytes = 1};
    const struct open_options options = {
        .target = server.target,
        .rate = 500,
        .duration_ns = 2000000000,
        .n_conns = 4,
        .n_threads = 1,
        .timeout_ms = 30000,
        .max_lag_ns = UINT64_MAX,
        .n_tokens = place.counts.n_tokens,
        .issues_len = place.counts.n_issues,
    };
    cr_assert_eq(open_run(&options, &document, &result), 0, "%s", result.failure);
    cr_expect_eq(result.n_rows, 1000);
    cr_expect_eq(result.n_errors, 0, "%s", result.failure);
    size_t shown = n_longer(&result, true, PAUSE_NS / 2);
    size_t hidden = n_longer(&result, false, PAUSE_NS / 2);
    cr_expect_geq(shown, 120, "%zu", shown);
    cr_expect_leq(hidden, 4 * shown / 100 + 8, "%zu", hidden);
    open_free(&result);

    atomic_store(&n_taken, 0);
    struct bench_outcome o =
        bench_run("l0-bench keepalive %s 1000 4 --out %s --target %s --admin ''", place.document,
                  place.raw, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 0, "%s", o.output);
    o = bench_run("l0-gate verify %s | grep '^P99 '", place.raw);
    double p99_ms = 0;
    cr_assert_eq(sscanf(o.output, "P99 %lf", &p99_ms), 1, "%s", o.output);
    cr_expect_lt(p99_ms, 250, "the closed loop saw the pause");
}

/* ---- replies that are none ------------------------------------------------------------------ */

static void expect_errors(void (*serve)(int fd), const char *options, const char *said)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve);
    struct bench_outcome o = bench_run(OPEN "--rate 100 --duration 200ms --conns 2 %s",
                                       place.document, server.target, options);
    fake_server_stop(&server);
    cr_expect_eq(o.code, BENCH_WRONG, "%d: %s", o.code, o.output);
    bench_expect_said(&o, said);
    unlink(place.socket);
}

Test(bench_open, wrong_replies)
{
    expect_errors(serve_a_lie, "", "20 requests had no right reply; request 1 of thread 0: wrong");
    expect_errors(serve_busy, "", "20 requests had no right reply; request 1 of thread 0: busy");
    expect_errors(serve_nothing, "--timeout-ms 100", "timeout");
    expect_errors(serve_garbage, "", "20 requests had no right reply; request 1 of thread 0: lost");
}

Test(bench_open, a_server_that_leaves_after_each_reply_is_found_again)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_one_and_leave);
    struct bench_outcome o =
        bench_run(OPEN "--rate 100 --duration 200ms --conns 1 --json | grep -c "
                       "'\"rows\": 20,\\|\"reconnects\": [12][0-9]'",
                  place.document, server.target);
    fake_server_stop(&server);
    cr_expect_str_eq(o.output, "2\n");
}

Test(bench_open, any_framed_reply)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_letters);
    struct bench_outcome o = bench_run(OPEN "--rate 200 --duration 200ms --framing length",
                                       place.document, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 0, "%s", o.output);
    bench_expect_said(&o, "40 due, 40 right replies");
}

/* ---- what is stored ------------------------------------------------------------------------- */

static void remove_run(const char *dir)
{
    static const char *const names[] = {"rows.csv",   "rows.bin", "latency.hgrm", "service.hgrm",
                                        "jitter.csv", "run.json", "page.html"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    cr_expect_eq(rmdir(dir), 0, "something else is in %s", dir);
}

Test(bench_open, a_run_is_stored_and_judged)
{
    struct fake_server server;
    char dir[160];
    snprintf(dir, sizeof dir, "%s/run", place.scratch.dir);
    fake_server_start(&server, place.socket, serve_hedges);
    struct bench_outcome o =
        bench_run(OPEN "--rate 400 --duration 500ms --arrivals poisson --threads 2 --out %s",
                  place.document, server.target, dir);
    cr_expect_eq(o.code, 0, "%s", o.output);
    bench_expect_said(&o, "stored: ");
    bench_expect_said(&o, "client's lag");
    o = bench_run("l0-gate check --rule 'p50<=10s' --rule errors==0 --rule 'hedge_wins>100' %s",
                  dir);
    cr_expect_eq(o.code, 0, "%s", o.output);
    char path[200];
    snprintf(path, sizeof path, "%s/run.json", dir);
    json_t *json = json_load_file(path, 0, NULL);
    cr_assert_not_null(json);
    static const char *const members[] = {"machine", "workload", "build",  "latency",
                                          "service", "lag",      "jitter", "start_ns"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        cr_expect_not_null(json_object_get(json, members[i]), "%s", members[i]);
    json_decref(json);
    o = bench_run("l0-gate report --html %s/page.html %s", dir, dir);
    cr_expect_eq(o.code, 0, "%s", o.output);

    /* In its place, in the other form. */
    o = bench_run(OPEN "--rate 400 --duration 250ms --binary --out %s", place.document,
                  server.target, dir);
    cr_expect_eq(o.code, 0, "%s", o.output);
    o = bench_run("l0-gate check --rule 'n==100' --rule errors==0 --rule 'hedge_wins==100' %s",
                  dir);
    cr_expect_eq(o.code, 0, "%s", o.output);
    char other[200];
    snprintf(other, sizeof other, "%s/rows.csv", dir);
    FILE *empty = fopen(other, "wxe");
    cr_assert_not_null(empty, "the other form was left behind");
    fclose(empty);
    o = bench_run("l0-gate check --rule 'n==100' %s", dir);
    cr_expect_eq(o.code, 3, "two kinds of rows: %s", o.output);
    bench_expect_said(&o, "there is rows.bin as well");
    o = bench_run(OPEN "--rate 400 --duration 250ms --out %s", place.document, server.target, dir);
    o = bench_run("l0-gate check --rule 'n==100' %s", dir);
    cr_expect_eq(o.code, 0, "%s", o.output);

    /* A run that cannot take place leaves no summary of the one before it. */
    fake_server_stop(&server);
    unlink(place.socket);
    o = bench_run(OPEN "--rate 400 --duration 100ms --out %s", place.document, server.target, dir);
    cr_expect_eq(o.code, 2, "%s", o.output);
    cr_expect_neq(access(path, F_OK), 0, "an old summary stands for a run that did not take place");
    remove_run(dir);
}

Test(bench_open, an_interrupted_run_says_so)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_truth);
    struct bench_outcome o =
        bench_run(OPEN "--rate 100 --duration 60 & sleep 0.5; kill -INT $!; wait $!",
                  place.document, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, BENCH_INVALID, "%s", o.output);
    bench_expect_said(&o, "INVALID: interrupted by a signal");
}

/* A schedule that no single thread can keep: the run must not be taken for the server's. */
Test(bench_open, a_client_that_cannot_keep_up_says_so)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_truth);
    struct bench_outcome o = bench_run(
        "l0-bench open %s --target %s --admin '' --warmup 0 --rate 5000000 --duration 100ms "
        "--conns 32 --timeout-ms 1000",
        place.document, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, BENCH_INVALID, "%s", o.output);
    bench_expect_said(&o, "the load generator was the bottleneck");
}

Test(bench_open, refuses_nonsense)
{
    static const char *const nonsense[] = {
        "open d.tex",
        "open d.tex --rate 10",
        "open d.tex --rate 0 --duration 1",
        "open d.tex --rate 1.5 --duration 1",
        "open d.tex --rate 10 --duration 0",
        "open d.tex --rate 10 --duration nan",
        "open d.tex --rate 10 --duration -1",
        "open d.tex --rate 10 --duration 1h",
        "open d.tex --rate 10000000 --duration 5 --warmup 1ms",
        "open d.tex --rate 10 --duration 1 --conns 1 --threads 2",
        "open d.tex --rate 10 --duration 1 --threads 65",
        "open d.tex --rate 10 --duration 1 --arrivals weekly",
        "open d.tex --rate 10 --duration 1 --framing json",
        "open d.tex --rate 10 --duration 1 --expect 5",
        "open d.tex --rate 10 --duration 1 --max-lag-ms x",
        "open a b --rate 10 --duration 1",
        "find-max d.tex",
        "find-max d.tex --slo fast",
        "find-max d.tex --slo 'p99<=1ms' --rate 5",
        "find-max d.tex --slo 'p99<=1ms' --from 10 --to 5",
        "ab d.tex --a x --b y --rate 1 --duration 1",
        "ab d.tex --a x --b y --rate 1 --duration 1 --out z --pairs 0",
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
        cr_expect_eq(bench_run("l0-bench %s", nonsense[i]).code, BENCH_USAGE, "%s", nonsense[i]);
    struct bench_outcome o = bench_run("l0-bench open none.tex --rate 10 --duration 1");
    cr_expect_eq(o.code, BENCH_INPUT);
}

/* ---- hedge counters ------------------------------------------------------------------------- */

Test(bench_open, faults_of_the_service)
{
    cr_expect_eq(fault_watch_parse("# x\nl0_fault_stalled_seconds_total{shard=\"0\"} 0.015000000\n"
                                   "l0_fault_stalled_seconds_total{shard=\"1\"} 0.5\n"),
                 515000000);
    cr_expect_eq(fault_watch_parse("l0_fault_stalled_seconds_total 0\n"), 0);
    static const char *const none[] = {
        "", "l0_fault_stalled_seconds 3\n", "l0_fault_stalled_seconds_total nan\n",
        "l0_fault_stalled_seconds_total -1\n", "l0_fault_stalled_seconds_total 1e300\n"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        cr_expect_eq(fault_watch_parse(none[i]), -1, "%s", none[i]);
    cr_expect_null(fault_watch_start("127.0.0.1:1", "l0_other 1\n"));
    struct fault_spans spans;
    struct fault_watch *watch =
        fault_watch_start("127.0.0.1:1", "l0_fault_stalled_seconds_total 0\n");
    cr_assert_not_null(watch);
    fault_watch_stop(watch, &spans); /* nobody answers there */
    cr_expect_eq(spans.n, 0);
    fault_spans_free(&spans);
    fault_watch_stop(NULL, &spans);
    cr_expect_eq(spans.n, 0);
}

Test(bench_open, hedge_counters)
{
    json_t *before = hedge_counters_parse("# HELP l0_hedge_x y\nl0_hedge_fired_total 3\n"
                                          "l0_hedge_denied_total{cause=\"budget\"} 1\nl0_other 9\n"
                                          "l0_hedge_bad x\nl0_hedge_open{a=\"b\n");
    json_t *after = hedge_counters_parse("l0_hedge_fired_total 10\nl0_hedge_new 1\n"
                                         "l0_hedge_denied_total{cause=\"budget\"} 0");
    cr_expect_eq(json_object_size(before), 2);
    json_t *difference = hedge_counters_difference(before, after);
    cr_expect_eq(json_object_size(difference), 1);
    cr_expect_eq(json_integer_value(json_object_get(difference, "l0_hedge_fired_total")), 7);
    json_decref(before);
    json_decref(after);
    json_decref(difference);
}
