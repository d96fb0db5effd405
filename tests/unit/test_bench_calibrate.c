/* l0-bench calibrate: what it says of figures, and that it runs; what it measures is no test. */
#include "bench/bench.h"
#include "bench/calibrate.h"
#include "bench/cores.h"
#include "tests/unit/bench_place.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <unistd.h>

TestSuite(bench_calibrate, .init = bench_place_open, .fini = bench_place_close);

#define ROUNDS 9

static struct calibrate even(double rounds[ROUNDS][CALIBRATE_FIGURES], unsigned n_rounds)
{
    for (unsigned r = 0; r < n_rounds; r++) {
        for (unsigned f = 0; f < CALIBRATE_FIGURES; f++)
            rounds[r][f] = 10;
        rounds[r][CALIBRATE_VERDICT_S] = 0.5;
        rounds[r][CALIBRATE_BARE_LAG_P99] = 1;
    }
    return (struct calibrate){.n_rounds = n_rounds, .n_samples = 1, .rounds = rounds};
}

static enum calibrate_verdict verdict_of(const struct calibrate *c, unsigned target)
{
    struct calibrate_target targets[CALIBRATE_TARGETS];
    cr_assert_lt(target, calibrate_judge(c, targets));
    return targets[target].verdict;
}

/* With 9 rounds the interval reaches from the second to the eighth: P(B <= 1) = 10/512 <= 2.5 %. */
Test(bench_calibrate, targets_are_judged_by_whole_intervals)
{
    double rounds[ROUNDS][CALIBRATE_FIGURES];
    struct calibrate c = even(rounds, ROUNDS);
    for (unsigned i = 0; i < CALIBRATE_TARGETS; i++)
        cr_expect_eq(verdict_of(&c, i), CALIBRATE_MET, "%u", i);

    rounds[3][CALIBRATE_OPEN_P99] = 1e6; /* one bad round decides nothing, two leave a doubt */
    cr_expect_eq(verdict_of(&c, CALIBRATE_ADDS), CALIBRATE_MET);
    rounds[4][CALIBRATE_OPEN_P99] = 1e6;
    cr_expect_eq(verdict_of(&c, CALIBRATE_ADDS), CALIBRATE_CANNOT_TELL);
    for (unsigned r = 0; r < ROUNDS; r++)
        rounds[r][CALIBRATE_OPEN_P99] = 15.001;
    cr_expect_eq(verdict_of(&c, CALIBRATE_ADDS), CALIBRATE_MISSED);
    for (unsigned r = 0; r < ROUNDS; r++)
        rounds[r][CALIBRATE_OPEN_P99] = 15;
    cr_expect_eq(verdict_of(&c, CALIBRATE_ADDS), CALIBRATE_MET);

    for (unsigned r = 0; r < ROUNDS; r++)
        rounds[r][CALIBRATE_OPEN_RPS] = 7.99;
    cr_expect_eq(verdict_of(&c, CALIBRATE_RATE), CALIBRATE_MISSED);
    for (unsigned r = 0; r < ROUNDS; r++)
        rounds[r][CALIBRATE_OPEN_LAG_P999] = 51;
    cr_expect_eq(verdict_of(&c, CALIBRATE_LAG), CALIBRATE_MISSED);
    for (unsigned r = 0; r < ROUNDS; r++)
        rounds[r][CALIBRATE_BARE_LAG_P999] = 51; /* who does nothing else is as late */
    cr_expect_eq(verdict_of(&c, CALIBRATE_LAG), CALIBRATE_CANNOT_TELL);

    c.n_samples = 0;
    struct calibrate_target targets[CALIBRATE_TARGETS];
    cr_expect_eq(calibrate_judge(&c, targets), (unsigned)CALIBRATE_JUDGES);
    c = even(rounds, 5);
    cr_expect_eq(verdict_of(&c, CALIBRATE_ADDS), CALIBRATE_CANNOT_TELL);
    struct calibrate_median ratio =
        calibrate_median(&c, CALIBRATE_OPEN_RPS, CALIBRATE_OVER, CALIBRATE_BARE_P50);
    cr_expect_float_eq(ratio.value, 1, 1e-12);
    cr_expect_not(ratio.bounded);
}

Test(bench_calibrate, runs_by_itself)
{
    struct bench_outcome o =
        bench_run("l0-bench calibrate %s --rounds 2 --duration 20ms --conns 4 --flood 500 "
                  "--samples 1000 --warmup 5ms",
                  place.document);
    cr_expect_eq(o.code, BENCH_INVALID, "two rounds cannot tell: %d, %s", o.code, o.output);
    bench_expect_said(&o, "medians over 2 rounds in turn; client on processor ");
    bench_expect_said(&o, "cannot tell; fewer than 6 rounds");
    o = bench_run(
        "l0-bench calibrate %s --rounds 1 --duration 20ms --conns 4 --flood 500 --samples 0 --json",
        place.document);
    json_t *json = json_loads(o.output, 0, NULL);
    cr_assert_not_null(json, "%s", o.output);
    cr_expect_eq(json_array_size(json_object_get(json, "targets")), CALIBRATE_JUDGES);
    cr_expect_eq(json_array_size(json_object_get(json, "rounds")), 1);
    cr_expect_not_null(json_object_get(json_object_get(json, "machine"), "cpu"));
    json_decref(json);
    o = bench_run("l0-bench calibrate %s --rounds 1 --target %s", place.document, place.socket);
    cr_expect_eq(o.code, BENCH_INPUT, "%s", o.output);
    static const char *const nonsense[] = {"calibrate",
                                           "calibrate a b",
                                           "calibrate a --rounds 0",
                                           "calibrate a --server-cores x",
                                           "calibrate a --samples -1",
                                           "calibrate a --flood 99"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
        cr_expect_eq(bench_run("l0-bench %s", nonsense[i]).code, BENCH_USAGE, "%s", nonsense[i]);
}

Test(bench_calibrate, a_server_of_ones_own)
{
    struct bench_outcome o = bench_run(
        "l0-bench-sink --unix %s >%s/log & sleep 0.3; %s/l0-bench calibrate %s --rounds 1 "
        "--duration 20ms --conns 4 --flood 500 --samples 0 --target %s --expect 0,0; code=$?; kill "
        "$!; wait "
        "$!; "
        "exit $code",
        place.socket, place.scratch.dir, place.bin, place.document, place.socket);
    cr_expect_eq(o.code, BENCH_INVALID, "%s", o.output);
    bench_expect_said(&o, "server on elsewhere");
    char log[160];
    snprintf(log, sizeof log, "%s/log", place.scratch.dir);
    unlink(log);
}

Test(bench_calibrate, an_interrupted_one_leaves_nothing_behind)
{
    struct bench_outcome o =
        bench_run("l0-bench calibrate %s --rounds 1000 --samples 0 --flood 500 --duration 50ms "
                  "2>&1 & sleep 0.7; kill -INT $!; wait $!",
                  place.document);
    cr_expect_eq(o.code, BENCH_INVALID, "%s", o.output);
    bench_expect_said(&o, "interrupted");
}

Test(bench_calibrate, lists_of_processors)
{
    static const char *const lists[] = {"0", "0,2-3", "1-4,6,8-9"};
    cpu_set_t cores, one;
    char text[64];
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        cr_assert_eq(cores_parse(lists[i], &cores), 0);
        cores_print(&cores, text, sizeof text);
        cr_expect_str_eq(text, lists[i]);
    }
    cores_nth(&cores, 4, &one);
    cores_print(&one, text, sizeof text);
    cr_expect_str_eq(text, "6");
    cores_remove(&cores, &one);
    cores_print(&cores, text, sizeof text);
    cr_expect_str_eq(text, "1-4,8-9");
    cores_print(&cores, text, 4);
    cr_expect_str_eq(text, "1-4");
}
