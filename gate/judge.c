#include "gate/judge.h"

#include <assert.h>
#include <stdio.h>

#define SAY(field, ...) snprintf((field).text, sizeof(field).text, __VA_ARGS__)

typedef unsigned long long ull;

const char *verdict_text(enum verdict verdict)
{
    static const char *const texts[] = {
        [VERDICT_PASS] = "PASS",
        [VERDICT_FAIL] = "FAIL",
        [VERDICT_INCONCLUSIVE] = "INCONCLUSIVE",
        [VERDICT_NOT_JUDGED] = "NOT JUDGED",
        [VERDICT_INVALID] = "INVALID",
    };
    return texts[verdict];
}

static void settle(struct judgement *gate, enum verdict verdict, enum gate_exit exit)
{
    assert((verdict == VERDICT_PASS || verdict == VERDICT_NOT_JUDGED) == (exit == GATE_PASS));
    gate->verdict = verdict;
    gate->exit = exit;
}

/* A gate whose counters are missing. */
static void settle_without_counters(struct judgement *gate, const char *missing,
                                    const struct judge_limits *limits)
{
    SAY(gate->value, "unknown");
    SAY(gate->note, "not judged (no counters: %s)", missing);
    if (limits->counters_optional) {
        settle(gate, VERDICT_NOT_JUDGED, GATE_PASS);
    } else {
        settle(gate, VERDICT_INCONCLUSIVE, GATE_DATA);
    }
}

/* a - b with its sign. */
static void say_margin(struct report_text *margin, uint64_t a, uint64_t b)
{
    SAY(*margin, "%c%llu", a >= b ? '+' : '-', (ull)(a >= b ? a - b : b - a));
}

static void judge_samples(struct judgement *gate, uint64_t n, const struct judge_limits *limits)
{
    gate->name = "samples";
    SAY(gate->value, "%llu", (ull)n);
    SAY(gate->limit, ">= %llu", (ull)limits->n_min);
    say_margin(&gate->margin, n, limits->n_min);
    if (n >= limits->n_min) {
        settle(gate, VERDICT_PASS, GATE_PASS);
    } else {
        SAY(gate->note, "too few samples, repeat the run with at least %llu", (ull)limits->n_min);
        settle(gate, VERDICT_INCONCLUSIVE, GATE_DATA);
    }
}

static void judge_p999(struct judgement *gate, const struct quantile *p999,
                       const struct judge_limits *limits)
{
    gate->name = "P99.9";
    SAY(gate->value, "%.24s ms (rank %llu)", report_ms(p999->value_ps).text, (ull)p999->rank);
    SAY(gate->limit, "<= %.24s ms", report_ms(limits->p999_ps).text);
    SAY(gate->margin, "%.32s ms", report_ms_difference(limits->p999_ps, p999->value_ps).text);
    gate->interval = report_interval(p999);
    switch (quantile_judge(p999, limits->p999_ps)) {
    case QUANTILE_WITHIN:
        if (p999->high_ps > limits->p999_ps) {
            SAY(gate->note, "the interval reaches above the limit: a repeat may fail");
        }
        settle(gate, VERDICT_PASS, GATE_PASS);
        break;
    case QUANTILE_ABOVE:
        settle(gate, VERDICT_FAIL, GATE_FAILED);
        break;
    case QUANTILE_UNBOUNDED:
        SAY(gate->note, "too few samples to bound this quantile from above");
        settle(gate, VERDICT_INCONCLUSIVE, GATE_DATA);
        break;
    }
}

/* Counts that cannot be those of one run: a request is hedged at most once, and every hedged row of
 * the tail is a hedge that was fired. Whether something is wrong. */
static bool hedges_are_impossible(struct judgement *gate, uint64_t fired, uint64_t requests,
                                  uint64_t n_hedged_rows)
{
    if (fired > requests) {
        SAY(gate->note, "more hedges than requests: the counters are not of one run");
    } else if (n_hedged_rows > fired) {
        SAY(gate->note, "%llu hedged rows in the tail: counters and tail are of different runs",
            (ull)n_hedged_rows);
    } else {
        return false;
    }
    settle(gate, VERDICT_FAIL, GATE_DATA);
    return true;
}

static void judge_hedge_rate(struct judgement *gate, const struct counters *counters,
                             uint64_t n_hedged_rows, const struct judge_limits *limits)
{
    gate->name = "hedge rate";
    SAY(gate->limit, "<= %.24s", report_percent(limits->hedge_rate_ppm).text);
    if (!counters->hedges_fired.known) {
        settle_without_counters(gate, "hedges fired", limits);
        return;
    }
    if (!counters->requests.known || counters->requests.value == 0) {
        settle_without_counters(gate, "requests", limits);
        return;
    }
    uint64_t fired = counters->hedges_fired.value;
    uint64_t requests = counters->requests.value;
    unsigned __int128 fired_ppm = (unsigned __int128)fired * GATE_PPM;
    unsigned __int128 allowed_ppm = (unsigned __int128)requests * limits->hedge_rate_ppm;
    uint64_t rate_ppm = (uint64_t)((fired_ppm + requests - 1) / requests); /* shown rounded up */
    uint64_t allowed = (uint64_t)(allowed_ppm / GATE_PPM);
    SAY(gate->value, "%llu of %llu = %.24s", (ull)fired, (ull)requests,
        report_percent(rate_ppm).text);
    SAY(gate->margin, "%c%llu hedges", allowed >= fired ? '+' : '-',
        (ull)(allowed >= fired ? allowed - fired : fired - allowed));
    if (hedges_are_impossible(gate, fired, requests, n_hedged_rows)) {
        return;
    }
    if (fired_ppm <= allowed_ppm) {
        settle(gate, VERDICT_PASS, GATE_PASS);
    } else {
        settle(gate, VERDICT_FAIL, GATE_FAILED);
    }
}

static void judge_errors(struct judgement *gate, const struct counters *counters,
                         const struct judge_limits *limits)
{
    gate->name = "errors";
    SAY(gate->limit, "<= 0");
    if (!counters->errors.known) {
        settle_without_counters(gate, "errors", limits);
        return;
    }
    SAY(gate->value, "%llu", (ull)counters->errors.value);
    say_margin(&gate->margin, 0, counters->errors.value);
    if (counters->errors.value == 0) {
        settle(gate, VERDICT_PASS, GATE_PASS);
    } else {
        settle(gate, VERDICT_FAIL, GATE_FAILED);
    }
}

static void judge_requests(struct judgement *gate, uint64_t n, const struct counters *counters,
                           const struct judge_limits *limits)
{
    gate->name = "requests";
    SAY(gate->limit, ">= %llu samples", (ull)n);
    if (!counters->requests.known) {
        settle_without_counters(gate, "requests", limits);
        return;
    }
    SAY(gate->value, "%llu", (ull)counters->requests.value);
    say_margin(&gate->margin, counters->requests.value, n);
    if (counters->requests.value >= n) {
        settle(gate, VERDICT_PASS, GATE_PASS);
    } else {
        SAY(gate->note, "more samples than requests: counters and raw file are of different runs");
        settle(gate, VERDICT_FAIL, GATE_DATA);
    }
}

static void judge_tail_rows(struct judgement *gate, uint64_t n, uint64_t n_rows)
{
    uint64_t needed = sample_slowest_needed(n, QUANTILE_P999_PPM);
    gate->name = "tail rows";
    SAY(gate->value, "%llu", (ull)n_rows);
    SAY(gate->limit, ">= %llu", (ull)needed);
    say_margin(&gate->margin, n_rows, needed);
    if (n_rows >= needed) {
        settle(gate, VERDICT_PASS, GATE_PASS);
    } else {
        SAY(gate->note, "the tail cannot hold P99.9 of %llu samples: keep the slowest %llu", (ull)n,
            (ull)needed);
        settle(gate, VERDICT_FAIL, GATE_DATA);
    }
}

static void judge_brackets(struct judgement *gate, const struct sample *round_trips,
                           const struct sample *brackets)
{
    gate->name = "brackets";
    SAY(gate->value, "%zu compared", brackets->n);
    SAY(gate->limit, "j-th slowest bracket <= j-th slowest round trip");
    if (brackets->n > round_trips->n) {
        SAY(gate->note, "more tail rows than samples: the tail holds other requests too");
        settle(gate, VERDICT_FAIL, GATE_DATA);
        return;
    }
    uint64_t least_ps = UINT64_MAX;
    size_t least_at = 0;
    for (size_t j = 1; j <= brackets->n; j++) {
        uint64_t bracket_ps = brackets->values[j - 1].value_ps;
        uint64_t round_trip_ps = sample_at_rank(round_trips, round_trips->n - j + 1);
        if (bracket_ps > round_trip_ps) {
            SAY(gate->margin, "%.32s ms", report_ms_difference(round_trip_ps, bracket_ps).text);
            SAY(gate->note, "j = %zu: bracket %.24s ms (line %llu) > round trip %.24s ms", j,
                report_ms(bracket_ps).text, (ull)brackets->values[j - 1].line,
                report_ms(round_trip_ps).text);
            settle(gate, VERDICT_FAIL, GATE_DATA);
            return;
        }
        if (round_trip_ps - bracket_ps < least_ps) {
            least_ps = round_trip_ps - bracket_ps;
            least_at = j;
        }
    }
    if (least_at != 0) {
        SAY(gate->margin, "+%.24s ms at j = %zu", report_ms(least_ps).text, least_at);
    }
    settle(gate, VERDICT_PASS, GATE_PASS);
}

/* Any data fault outweighs a failed gate for the exit code; a failure is named before doubt. */
static void conclude(struct judge_report *report)
{
    for (int i = 0; i < JUDGE_N_GATES; i++) {
        const struct judgement *gate = &report->gates[i];
        if (gate->verdict == VERDICT_FAIL) {
            report->verdict = VERDICT_FAIL;
        } else if (gate->verdict == VERDICT_INCONCLUSIVE && report->verdict == VERDICT_PASS) {
            report->verdict = VERDICT_INCONCLUSIVE;
        }
        if (gate->exit == GATE_DATA || report->exit == GATE_PASS) {
            report->exit = gate->exit;
        }
    }
}

void judge(struct judge_report *report, const struct sample *round_trips,
           const struct tail_file *tail, const struct counters *counters,
           const struct judge_limits *limits)
{
    *report = (struct judge_report){.p999 = quantile_of(round_trips, QUANTILE_P999_PPM)};
    struct judgement *gates = report->gates;
    judge_samples(&gates[JUDGE_SAMPLES], round_trips->n, limits);
    judge_p999(&gates[JUDGE_P999], &report->p999, limits);
    judge_hedge_rate(&gates[JUDGE_HEDGE_RATE], counters, tail->n_hedged, limits);
    judge_errors(&gates[JUDGE_ERRORS], counters, limits);
    judge_requests(&gates[JUDGE_REQUESTS], round_trips->n, counters, limits);
    judge_tail_rows(&gates[JUDGE_TAIL_ROWS], round_trips->n, tail->brackets.n);
    judge_brackets(&gates[JUDGE_BRACKETS], round_trips, &tail->brackets);
    conclude(report);
}
