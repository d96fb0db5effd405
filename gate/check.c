/* l0-gate check: the acceptance gates of a run, or rules over stored runs. */
#include "gate/programs.h"

#include "gate/counters.h"
#include "gate/check_rules.h"
#include "gate/decimal.h"
#include "gate/emit.h"
#include "gate/emit_options.h"
#include "gate/format_options.h"
#include "gate/judge.h"
#include "gate/report.h"
#include "gate/sample.h"
#include "gate/tail_file.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTION_RAW = 0x200,
    OPTION_TAIL,
    OPTION_RUN,
    OPTION_HEDGES_FIRED,
    OPTION_REQUESTS,
    OPTION_ERRORS,
    OPTION_COUNTERS_OPTIONAL,
    OPTION_P999_MS,
    OPTION_HEDGE_RATE_MAX,
    OPTION_N_MIN,
    OPTION_RULE,
    OPTION_RULES,
    OPTION_ALLOW_DIFFERENT,
    OPTION_JSON,
};

struct settings {
    const char *raw_path;
    const char *tail_path;
    const char *run_path;     /* NULL: none */
    struct counters counters; /* from the command line; they win over the run summary */
    struct judge_limits limits;
    struct check_rules rules; /* what is judged when --raw is not given */
    struct emit_targets targets;
    struct gate_error error; /* of a rule */
    bool json;
};

static const struct argp_option options[] = {
    {"raw", OPTION_RAW, "FILE", 0, "Round trips in ms, one a line", 1},
    {"tail", OPTION_TAIL, "FILE", 0, "The service's tail CSV, slowest brackets first", 1},
    {"run", OPTION_RUN, "FILE", 0,
     "The run's summary in JSON with \"requests\", \"errors\" and \"hedges_fired\"", 1},
    {"hedges-fired", OPTION_HEDGES_FIRED, "F", 0, "Hedges fired during the run", 1},
    {"requests", OPTION_REQUESTS, "R", 0, "Requests of the run", 1},
    {"errors", OPTION_ERRORS, "E", 0, "Errors of the run", 1},
    {"counters-optional", OPTION_COUNTERS_OPTIONAL, NULL, 0,
     "Gates whose counters are missing are reported as not judged and left out of the verdict; "
     "without this option they are inconclusive",
     1},
    {"p999-ms", OPTION_P999_MS, "MS", 0, "P99.9 must not exceed MS (default 20)", 2},
    {"hedge-rate-max", OPTION_HEDGE_RATE_MAX, "RATE", 0,
     "Hedges per request must not exceed RATE, as 2% or 0.02 (default 2%)", 2},
    {"n-min", OPTION_N_MIN, "N", 0, "At least N samples (default 100000)", 2},
    {"rule", OPTION_RULE, "RULE", 0,
     "Judge the RUNs by METRIC RELATION LIMIT, such as p99.9<=20ms, hedge_rate<=2%, errors==0 or "
     "n>=100000; may be given again",
     3},
    {"rules", OPTION_RULES, "FILE", 0,
     "Judge the RUNs by the rules in FILE, one a line; # begins a comment", 3},
    {"allow-different", OPTION_ALLOW_DIFFERENT, NULL, 0,
     "Pool RUNs of different machines or loads all the same", 3},
    {"json", OPTION_JSON, NULL, 0, "Print the report as JSON", 4},
    {0},
};

static const char arguments[] = "--raw FILE --tail FILE\n--rule RULE RUN...";

static const char documentation[] =
    "Passes judgement on a run: raw round trips, the service's own tail, and the run's counters; "
    "or "
    "on stored runs, by rules.\v"
    "Gates: samples >= N; P99.9 <= limit; hedges fired / requests <= limit, from counters over the "
    "whole run; no errors. Consistency: no more samples than requests, nor hedges than requests, "
    "nor hedged rows than hedges; the tail holds at least N - ceil(0.999 N) + 1 rows; for every j "
    "the j-th slowest bracket <= the j-th slowest round trip; every row of the tail makes sense by "
    "itself, and none stands there twice.\n\n"
    "P99.9 is judged by its value at rank ceil(0.999 N). With too few samples for its 95 % "
    "interval to have an upper bound it is inconclusive. A run with both bad data and a failed "
    "gate ends with 3, because bad data proves nothing.\n\n"
    "Rules: METRIC is p50 to p99.9999, min or max (limits in ns, us, ms or s), n, requests, "
    "errors, "
    "hedges, hedge_wins (whole numbers), error_rate or hedge_rate (2% or 0.02). RELATION is <=, <, "
    ">=, > and for whole numbers == and !=. RUN is a directory that l0-bench open made, a "
    "directory "
    "of such, or a file of latencies with its FILE.json; several are pooled, and intervals then "
    "take runs as blocks. A rule passes or fails only when its whole 95 % interval is on one side "
    "of the limit; else it is inconclusive. A request without a right reply counts as slower than "
    "all others. With rules the exit code is that of the worst: 5 before 4 before 3.\n\n" //
    GATE_EXITS_HELP;

static struct counter option_counter(const struct argp_state *state, const char *name,
                                     const char *text)
{
    return (struct counter){true, format_option_count(state, name, text)};
}

/* Gates over --raw and --tail, or rules over runs: one of both, and all of it. */
static void check_combination(const struct argp_state *state, const struct settings *settings)
{
    bool has_rules = settings->rules.rules.n > 0 || settings->error.code != GATE_PASS;
    if (settings->raw_path != NULL || settings->tail_path != NULL) {
        if (settings->rules.n_paths > 0 || has_rules) {
            argp_error(state,
                       "found '%s', expected options only: --raw FILE --tail FILE (rules "
                       "judge runs: --rule RULE RUN...)",
                       settings->rules.n_paths > 0 ? settings->rules.paths[0] : "--rule");
        }
        if (settings->raw_path == NULL || settings->tail_path == NULL) {
            argp_error(state, "expected --raw FILE and --tail FILE");
        }
    } else if (settings->rules.n_paths > 0 && !has_rules) {
        argp_error(state,
                   "found '%s', expected options only: --raw FILE --tail FILE, or a --rule "
                   "to judge it by",
                   settings->rules.paths[0]);
    } else if (settings->rules.n_paths == 0) {
        argp_error(state, has_rules ? "expected a RUN to judge"
                                    : "expected --raw FILE and --tail FILE, or --rule RULE RUN...");
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->targets;
        return 0;
    case OPTION_RAW:
        settings->raw_path = argument;
        return 0;
    case OPTION_TAIL:
        settings->tail_path = argument;
        return 0;
    case OPTION_RUN:
        settings->run_path = argument;
        return 0;
    case OPTION_HEDGES_FIRED:
        settings->counters.hedges_fired = option_counter(state, "--hedges-fired", argument);
        return 0;
    case OPTION_REQUESTS:
        settings->counters.requests = option_counter(state, "--requests", argument);
        return 0;
    case OPTION_ERRORS:
        settings->counters.errors = option_counter(state, "--errors", argument);
        return 0;
    case OPTION_COUNTERS_OPTIONAL:
        settings->limits.counters_optional = true;
        return 0;
    case OPTION_P999_MS:
        settings->limits.p999_ps = format_option_ms(state, "--p999-ms", argument);
        return 0;
    case OPTION_HEDGE_RATE_MAX:
        settings->limits.hedge_rate_ppm =
            format_option_rate_ppm(state, "--hedge-rate-max", argument);
        return 0;
    case OPTION_N_MIN:
        settings->limits.n_min = format_option_count(state, "--n-min", argument);
        return 0;
    case OPTION_JSON:
        settings->json = true;
        return 0;
    case OPTION_RULE:
        (void)rule_add(&settings->rules.rules, argument, "--rule", &settings->error);
        return 0;
    case OPTION_RULES:
        (void)rule_add_file(&settings->rules.rules, argument, &settings->error);
        return 0;
    case OPTION_ALLOW_DIFFERENT:
        settings->rules.allow_different = true;
        return 0;
    case ARGP_KEY_ARGS:
        settings->rules.paths = state->argv + state->next;
        settings->rules.n_paths = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        check_combination(state, settings);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static json_t *gates_json(const struct judge_report *report)
{
    json_t *array = json_array();
    for (int i = 0; i < JUDGE_N_GATES; i++) {
        const struct judgement *gate = &report->gates[i];
        json_t *object = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", gate->name, "verdict",
            verdict_text(gate->verdict), "value", gate->value.text, "limit", gate->limit.text,
            "margin", gate->margin.text, "interval", gate->interval.text, "note", gate->note.text);
        if (json_array_append_new(array, object) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *counter_json(const struct counter *counter)
{
    return counter->known ? json_integer((json_int_t)counter->value) : json_null();
}

static json_t *report_json(const struct settings *settings, const struct judge_report *report,
                           const struct counters *counters, size_t n)
{
    return json_pack(
        "{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:i}", "raw", settings->raw_path, "tail",
        settings->tail_path, "n", (json_int_t)n, "requests", counter_json(&counters->requests),
        "errors", counter_json(&counters->errors), "hedges_fired",
        counter_json(&counters->hedges_fired), "p999", report_quantile_json(&report->p999), "gates",
        gates_json(report), "verdict", verdict_text(report->verdict), "exit", (int)report->exit);
}

static void prefer(struct counter *counter, const struct counter *given)
{
    if (given->known) {
        *counter = *given;
    }
}

/* Everything from the files. 0, or -1 with *error set. */
static int load(const struct settings *settings, struct sample *round_trips, struct tail_file *tail,
                struct counters *counters, struct gate_error *error)
{
    static const struct sample_format one_value_a_line = {0};
    if (sample_load(round_trips, settings->raw_path, &one_value_a_line, error) != 0 ||
        tail_file_load(tail, settings->tail_path, error) != 0) {
        return -1;
    }
    if (settings->run_path != NULL && counters_load(counters, settings->run_path, error) != 0) {
        return -1;
    }
    prefer(&counters->requests, &settings->counters.requests);
    prefer(&counters->errors, &settings->counters.errors);
    prefer(&counters->hedges_fired, &settings->counters.hedges_fired);
    return 0;
}

/* The gates over --raw and --tail. The exit code, or what is in *error. */
static int check_gates(const struct settings *settings, struct gate_error *error)
{
    struct sample round_trips = {0};
    struct tail_file tail = {0};
    struct counters counters = {0};
    struct judge_report report = {0};
    if (load(settings, &round_trips, &tail, &counters, error) == 0) {
        judge(&report, &round_trips, &tail, &counters, &settings->limits);
        const struct emit emit = {
            .suite = "l0-gate check",
            .title = settings->raw_path,
            .judgements = report.gates,
            .n = JUDGE_N_GATES,
            .verdict = report.verdict,
            .exit = report.exit,
        };
        if (settings->json) {
            report_print_json(report_json(settings, &report, &counters, round_trips.n), error);
        } else {
            printf("raw %s\ntail %s\n", settings->raw_path, settings->tail_path);
            emit_text(&emit, isatty(STDOUT_FILENO) == 1, stdout);
        }
        if (error->code == GATE_PASS && emit_to_targets(&emit, &settings->targets, error) == 0) {
            report_flush(error);
        }
    }
    sample_free(&round_trips);
    tail_file_free(&tail);
    return (int)report.exit;
}

int gate_check(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&emit_options_argp, 0, "Other forms of the verdict:", 5},
        {0},
    };
    static const struct argp argp = {options,  parse, arguments, documentation,
                                     children, NULL,  NULL};
    static struct settings settings = {
        .limits = {.p999_ps = JUDGE_P999_MS_DEFAULT * GATE_PS_PER_MS,
                   .hedge_rate_ppm = JUDGE_HEDGE_RATE_PPM_DEFAULT,
                   .n_min = JUDGE_N_MIN_DEFAULT},
    };
    argp_parse(&argp, argc, argv, 0, NULL, &settings);

    struct gate_error error = settings.error;
    int exit = GATE_PASS;
    if (error.code == GATE_PASS) {
        settings.rules.json = settings.json;
        settings.rules.targets = &settings.targets;
        exit = settings.raw_path != NULL ? check_gates(&settings, &error)
                                         : check_rules_run(&settings.rules, &error);
    }
    if (error.code != GATE_PASS) {
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
        return (int)error.code;
    }
    return exit;
}
