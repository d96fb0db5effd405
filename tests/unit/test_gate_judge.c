/* The gates, as pure functions. */
#include "gate/judge.h"

#include "gate/decimal.h"

#include <criterion/criterion.h>
#include <string.h>

#define MS GATE_PS_PER_MS

/* A run that passes everything, for each test to spoil. */
struct run {
    struct sample round_trips;
    struct tail_file tail;
    struct counters counters;
    struct judge_limits limits;
    struct judge_report report;
};

static void add(struct sample *sample, size_t n, uint64_t value_ps)
{
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(sample_add(sample, value_ps, sample->n + 1), 0);
    }
}

/* n - n_slow round trips of 2 ms, n_slow of slow_ps; n_rows brackets of 1 ms. */
static struct run run_new(size_t n, size_t n_slow, uint64_t slow_ps, size_t n_rows)
{
    struct run run = {
        .counters = {{true, n}, {true, 0}, {true, 0}},
        .limits = {.p999_ps = 20 * MS, .hedge_rate_ppm = 20000, .n_min = 100000},
    };
    add(&run.round_trips, n - n_slow, 2 * MS);
    add(&run.round_trips, n_slow, slow_ps);
    add(&run.tail.brackets, n_rows, MS);
    return run;
}

static enum gate_exit run_judge(struct run *run)
{
    judge(&run->report, &run->round_trips, &run->tail, &run->counters, &run->limits);
    return run->report.exit;
}

static void run_free(struct run *run)
{
    sample_free(&run->round_trips);
    tail_file_free(&run->tail);
}

static enum verdict verdict_of(const struct run *run, enum judge_gate gate)
{
    return run->report.gates[gate].verdict;
}

/* All gates but the named one pass. */
static void expect_only(const struct run *run, enum judge_gate gate, enum verdict verdict)
{
    for (int i = 0; i < JUDGE_N_GATES; i++) {
        enum verdict expected = i == (int)gate ? verdict : VERDICT_PASS;
        cr_expect_eq(run->report.gates[i].verdict, expected, "%s: %s, %s",
                     run->report.gates[i].name, verdict_text(run->report.gates[i].verdict),
                     run->report.gates[i].note.text);
    }
}

Test(gate_judge, all_pass)
{
    struct run run = run_new(100000, 0, 0, 101);
    cr_expect_eq(run_judge(&run), GATE_PASS);
    cr_expect_eq(run.report.verdict, VERDICT_PASS);
    expect_only(&run, JUDGE_SAMPLES, VERDICT_PASS);
    run_free(&run);
}

Test(gate_judge, too_few_samples)
{
    struct run run = run_new(99999, 0, 0, 101);
    cr_expect_eq(run_judge(&run), GATE_DATA);
    cr_expect_eq(run.report.verdict, VERDICT_INCONCLUSIVE);
    expect_only(&run, JUDGE_SAMPLES, VERDICT_INCONCLUSIVE);
    cr_expect_str_eq(run.report.gates[JUDGE_SAMPLES].margin.text, "-1");
    run_free(&run);
}

/* 100 slow ones leave P99.9 fast, the 101st makes it slow: exactly 100 samples lie above its rank.
 */
Test(gate_judge, p999_turns_at_the_rank)
{
    struct run run = run_new(100000, 100, 50 * MS, 101);
    cr_expect_eq(run_judge(&run), GATE_PASS);
    cr_expect_eq(run.report.p999.value_ps, 2 * MS);
    cr_expect_eq(run.report.p999.high_ps, 50 * MS);
    cr_expect_not_null(strstr(run.report.gates[JUDGE_P999].note.text, "reaches above the limit"));
    run_free(&run);

    run = run_new(100000, 101, 50 * MS, 101);
    cr_expect_eq(run_judge(&run), GATE_FAILED);
    cr_expect_eq(run.report.verdict, VERDICT_FAIL);
    expect_only(&run, JUDGE_P999, VERDICT_FAIL);
    cr_expect_str_eq(run.report.gates[JUDGE_P999].margin.text, "-30.000000 ms");
    run_free(&run);
}

Test(gate_judge, p999_limit_is_inclusive)
{
    struct run run = run_new(100000, 101, 20 * MS, 101);
    cr_expect_eq(run_judge(&run), GATE_PASS);
    run_free(&run);
    run = run_new(100000, 101, 20 * MS + 1, 101);
    cr_expect_eq(run_judge(&run), GATE_FAILED);
    run_free(&run);
}

Test(gate_judge, unbounded_p999_is_inconclusive)
{
    static const size_t counts[] = {1, 2, 100, 3687};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct run run = run_new(counts[i], 0, 0, sample_slowest_needed(counts[i], 999000));
        run.limits.n_min = 1;
        cr_expect_eq(run_judge(&run), GATE_DATA);
        cr_expect_eq(run.report.verdict, VERDICT_INCONCLUSIVE);
        expect_only(&run, JUDGE_P999, VERDICT_INCONCLUSIVE);
        run_free(&run);
    }
    struct run run = run_new(3688, 0, 0, 4);
    run.limits.n_min = 1;
    cr_expect_eq(run_judge(&run), GATE_PASS);
    run_free(&run);
}

/* K = N - ceil(0.999 N) + 1. All values are equal here, and a tie is no excuse. */
Test(gate_judge, tail_rows)
{
    static const struct {
        size_t n;
        size_t needed;
    } cases[] = {{99999, 100}, {100000, 101}, {100001, 101}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run = run_new(cases[i].n, 0, 0, cases[i].needed);
        run.limits.n_min = 1;
        cr_expect_eq(run_judge(&run), GATE_PASS);
        run.tail.brackets.n--;
        cr_expect_eq(run_judge(&run), GATE_DATA);
        cr_expect_eq(run.report.verdict, VERDICT_FAIL);
        expect_only(&run, JUDGE_TAIL_ROWS, VERDICT_FAIL);
        run_free(&run);
    }
}

Test(gate_judge, brackets_lie_inside_round_trips)
{
    struct run run = run_new(100000, 101, 5 * MS, 0);
    add(&run.tail.brackets, 101, 5 * MS); /* equal: allowed */
    add(&run.tail.brackets, 27, 2 * MS);
    cr_expect_eq(run_judge(&run), GATE_PASS);
    cr_expect_str_eq(run.report.gates[JUDGE_BRACKETS].margin.text, "+0.000000 ms at j = 1");

    run.tail.brackets.values[127].value_ps = 2 * MS + 1;
    cr_expect_eq(run_judge(&run), GATE_DATA);
    expect_only(&run, JUDGE_BRACKETS, VERDICT_FAIL);
    cr_expect_not_null(strstr(run.report.gates[JUDGE_BRACKETS].note.text, "j = 128: "));

    run.tail.brackets.values[101].value_ps = 5 * MS; /* the 102nd round trip took 2 ms */
    cr_expect_eq(run_judge(&run), GATE_DATA);
    cr_expect_not_null(strstr(run.report.gates[JUDGE_BRACKETS].note.text, "j = 102: "));
    run_free(&run);
}

Test(gate_judge, more_tail_rows_than_samples)
{
    struct run run = run_new(4000, 0, 0, 4001);
    run.limits.n_min = 1;
    cr_expect_eq(run_judge(&run), GATE_DATA);
    expect_only(&run, JUDGE_BRACKETS, VERDICT_FAIL);
    run_free(&run);
}

Test(gate_judge, hedge_rate)
{
    struct run run = run_new(100000, 0, 0, 101);
    run.counters.hedges_fired.value = 2000; /* exactly 2 % */
    cr_expect_eq(run_judge(&run), GATE_PASS);
    cr_expect_str_eq(run.report.gates[JUDGE_HEDGE_RATE].value.text, "2000 of 100000 = 2.0000 %");
    run.counters.hedges_fired.value = 2001;
    cr_expect_eq(run_judge(&run), GATE_FAILED);
    expect_only(&run, JUDGE_HEDGE_RATE, VERDICT_FAIL);
    run.limits.hedge_rate_ppm = 20010;
    cr_expect_eq(run_judge(&run), GATE_PASS);
    run.limits.hedge_rate_ppm = 0;
    run.counters.hedges_fired.value = 0;
    cr_expect_eq(run_judge(&run), GATE_PASS);
    run_free(&run);
}

Test(gate_judge, hedge_rate_of_huge_counters)
{
    struct run run = run_new(100000, 0, 0, 101);
    run.counters.requests.value = GATE_DECIMAL_MAX;
    run.counters.hedges_fired.value = GATE_DECIMAL_MAX / 50; /* 2 % of 2^63 */
    cr_expect_eq(run_judge(&run), GATE_PASS);
    run.counters.hedges_fired.value++;
    cr_expect_eq(run_judge(&run), GATE_FAILED);
    run_free(&run);
}

Test(gate_judge, errors)
{
    struct run run = run_new(100000, 0, 0, 101);
    run.counters.errors.value = 1;
    cr_expect_eq(run_judge(&run), GATE_FAILED);
    expect_only(&run, JUDGE_ERRORS, VERDICT_FAIL);
    run_free(&run);
}

Test(gate_judge, samples_beyond_the_requests)
{
    struct run run = run_new(100000, 0, 0, 101);
    run.counters.requests.value = 99999;
    cr_expect_eq(run_judge(&run), GATE_DATA);
    expect_only(&run, JUDGE_REQUESTS, VERDICT_FAIL);
    run_free(&run);
}

Test(gate_judge, missing_counters)
{
    struct run run = run_new(100000, 0, 0, 101);
    run.counters = (struct counters){0};
    cr_expect_eq(run_judge(&run), GATE_DATA);
    cr_expect_eq(run.report.verdict, VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict_of(&run, JUDGE_HEDGE_RATE), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict_of(&run, JUDGE_ERRORS), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict_of(&run, JUDGE_REQUESTS), VERDICT_INCONCLUSIVE);

    run.limits.counters_optional = true;
    cr_expect_eq(run_judge(&run), GATE_PASS);
    cr_expect_eq(run.report.verdict, VERDICT_PASS);
    cr_expect_eq(verdict_of(&run, JUDGE_HEDGE_RATE), VERDICT_NOT_JUDGED);

    run.counters.errors = (struct counter){true, 3}; /* what is known is judged all the same */
    cr_expect_eq(run_judge(&run), GATE_FAILED);

    run.counters = (struct counters){.requests = {true, 0}, .hedges_fired = {true, 0}};
    run.limits.counters_optional = false; /* 0 of 0 is no rate */
    run_judge(&run);
    cr_expect_eq(verdict_of(&run, JUDGE_HEDGE_RATE), VERDICT_INCONCLUSIVE);
    run_free(&run);
}

/* Bad data beats a failed gate, whichever comes first. */
Test(gate_judge, exit_code_of_several_faults)
{
    struct run run = run_new(100000, 101, 50 * MS, 100);
    cr_expect_eq(run_judge(&run), GATE_DATA);
    cr_expect_eq(run.report.verdict, VERDICT_FAIL);
    cr_expect_eq(verdict_of(&run, JUDGE_P999), VERDICT_FAIL);
    cr_expect_eq(verdict_of(&run, JUDGE_TAIL_ROWS), VERDICT_FAIL);
    run_free(&run);

    run = run_new(99999, 0, 0, 101);
    run.counters.errors.value = 1;
    cr_expect_eq(run_judge(&run), GATE_DATA);
    cr_expect_eq(run.report.verdict, VERDICT_FAIL);
    run_free(&run);
}

Test(gate_judge, impossible_hedge_counts_are_no_data)
{
    struct run run = run_new(100000, 0, 0, 101);
    run.limits.hedge_rate_ppm = GATE_PPM;
    run.counters.hedges_fired.value = 100000; /* every request: allowed by this limit */
    cr_expect_eq(run_judge(&run), GATE_PASS);
    run.counters.hedges_fired.value++;
    cr_expect_eq(run_judge(&run), GATE_DATA);
    expect_only(&run, JUDGE_HEDGE_RATE, VERDICT_FAIL);
    run.counters.hedges_fired.value = 5;
    run.tail.n_hedged = 5;
    cr_expect_eq(run_judge(&run), GATE_PASS);
    run.tail.n_hedged = 6;
    cr_expect_eq(run_judge(&run), GATE_DATA);
    cr_expect_not_null(strstr(run.report.gates[JUDGE_HEDGE_RATE].note.text, "different runs"));
    run_free(&run);
}
