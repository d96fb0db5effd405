/* l0-gate simulate: how often `compare` cries wolf, and how often it sees a wolf that is there.
 *
 * A trial makes two sides of runs as a session of l0-bench ab would (A B B A ...), on a machine
 * that is never the same: its speed wanders from run to run and drifts over the session, some runs
 * are disturbed as a whole, and within a run stalls delay several requests in a row. Side B is
 * slower by the given shift. The runs go through the very functions that `compare` uses. */
#include "gate/programs.h"

#include "gate/decimal.h"
#include "gate/effects.h"
#include "gate/format_options.h"
#include "gate/proportion.h"
#include "gate/random.h"
#include "gate/report.h"
#include "gate/shift.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTION_PAIRS = 0x200,
    OPTION_SAMPLES,
    OPTION_TRIALS,
    OPTION_SHIFT,
    OPTION_EFFECT,
    OPTION_RUN_NOISE,
    OPTION_SEED,
    OPTION_JSON,
};

#define N_QUANTILES 3
static const uint32_t quantiles_ppm[N_QUANTILES] = {500000, 990000, QUANTILE_P999_PPM};

struct settings {
    uint64_t n_pairs;
    uint64_t n_samples; /* a run */
    uint64_t n_trials;
    double shift;           /* 0.1: B takes 10 % longer */
    struct effects effects; /* the smallest that matter */
    double run_noise;       /* standard deviation of a run's speed */
    uint64_t seed;
    bool json;
};

/* The machine as the session sees it. Parts of 1; the defaults are rounded up from sessions on a
 * shared virtual machine. */
#define TREND_SD     0.05  /* over a whole session */
#define WANDER_SD    0.02  /* from a run to the next */
#define DISTURBED    0.05  /* so many runs */
#define DISTURBED_SD 0.5   /* are slower by such a factor's logarithm */
#define STALL_RATE   0.001 /* a request begins one */
#define STALL_SD     0.3   /* by which that rate differs between runs */
#define STALL_LENGTH 4     /* requests, on average */
#define BODY_SD      0.35  /* of a request's logarithm */
#define STALL_MS     2.0   /* on average */
#define BODY_MS      0.5

struct tally {
    uint64_t of[N_QUANTILES + 1][SHIFT_CANNOT_TELL + 1]; /* the last one: the overall verdict */
    uint64_t n_alarms; /* trials in which any quantile was called better or worse */
};

/* A normal variate (Box and Muller, 1958). */
static double normal(struct random *random)
{
    return sqrt(-2 * log(random_unit(random))) * cos(2 * M_PI * random_unit(random));
}

static double exponential(struct random *random)
{
    return -log(random_unit(random));
}

/* One run's latencies, slower by the factor, into *sample. 0 or -ENOMEM. */
static int make_run(struct random *random, const struct settings *settings, double factor,
                    struct sample *sample)
{
    double stall_rate = STALL_RATE * exp(STALL_SD * normal(random));
    double stall_ms = 0;
    sample->n = 0;
    for (uint64_t i = 0; i < settings->n_samples; i++) {
        if (random_unit(random) < stall_rate) {
            stall_ms += STALL_MS * exponential(random);
        } else if (random_unit(random) < 1.0 / STALL_LENGTH) {
            stall_ms = 0;
        }
        double ms = factor * (BODY_MS * exp(BODY_SD * normal(random)) + stall_ms);
        if (sample_add(sample, (uint64_t)(ms * (double)GATE_PS_PER_MS), i) != 0) {
            return -ENOMEM;
        }
    }
    sample_sort(sample);
    return 0;
}

/* One session. Fills both sides' logs. 0 or -ENOMEM. */
static int make_session(struct random *random, const struct settings *settings,
                        struct shift_side sides[2], struct sample *room)
{
    double trend = TREND_SD * normal(random) / (double)(2 * settings->n_pairs);
    double wander = 0;
    for (uint64_t turn = 0; turn < 2 * settings->n_pairs; turn++) {
        uint64_t pair = turn / 2;
        unsigned side = (unsigned)((turn ^ pair) & 1); /* A B B A A B B A */
        wander += WANDER_SD * normal(random);
        double speed = trend * (double)turn + wander + settings->run_noise * normal(random);
        if (random_unit(random) < DISTURBED) {
            speed += fabs(DISTURBED_SD * normal(random));
        }
        double factor = exp(speed) * (side == 1 ? 1 + settings->shift : 1);
        if (make_run(random, settings, factor, room) != 0) {
            return -ENOMEM;
        }
        for (size_t k = 0; k < N_QUANTILES; k++) {
            sides[side].logs[k][pair] = shift_log_quantile(room, quantiles_ppm[k]);
        }
    }
    return 0;
}

static void count_trial(struct tally *tally, const struct shift_report *report)
{
    bool alarm = false;
    for (size_t k = 0; k < N_QUANTILES; k++) {
        enum shift_verdict verdict = report->shifts[k].verdict;
        tally->of[k][verdict]++;
        alarm = alarm || verdict == SHIFT_BETTER || verdict == SHIFT_WORSE;
    }
    tally->of[N_QUANTILES][report->verdict]++;
    tally->n_alarms += alarm;
}

static int run_trials(const struct settings *settings, struct tally *tally)
{
    struct random random = {.state = settings->seed};
    struct shift_side sides[2] = {{.n_runs = settings->n_pairs}, {.n_runs = settings->n_pairs}};
    struct sample room = {0};
    double effects[N_QUANTILES];
    for (size_t k = 0; k < N_QUANTILES; k++) {
        effects[k] = effects_of(&settings->effects, quantiles_ppm[k]);
    }
    double *logs = calloc((size_t)2 * N_QUANTILES * settings->n_pairs, sizeof *logs);
    int rc = logs == NULL ? -ENOMEM : 0;
    for (size_t i = 0; rc == 0 && i < 2 * (size_t)N_QUANTILES; i++) {
        sides[i / N_QUANTILES].logs[i % N_QUANTILES] = logs + i * settings->n_pairs;
    }
    for (uint64_t trial = 0; trial < settings->n_trials && rc == 0; trial++) {
        struct shift_report report;
        rc = make_session(&random, settings, sides, &room);
        if (rc == 0) {
            rc = shift_compare(&sides[0], &sides[1], N_QUANTILES, true, effects, &report);
        }
        if (rc == 0) {
            count_trial(tally, &report);
        }
        if (isatty(STDERR_FILENO) == 1 && trial % 10 == 9) {
            fprintf(stderr, "\r%llu of %llu trials", (unsigned long long)trial + 1,
                    (unsigned long long)settings->n_trials);
        }
    }
    if (isatty(STDERR_FILENO) == 1) {
        fputs("\r\033[K", stderr);
    }
    sample_free(&room);
    free(logs);
    return rc;
}

static const char *row_name(size_t k)
{
    static struct report_text name;
    if (k == N_QUANTILES) {
        return "overall";
    }
    name = report_quantile_name(quantiles_ppm[k]);
    return name.text;
}

static void print_text(const struct settings *settings, const struct tally *tally)
{
    printf(
        "%llu trials: %llu pairs of runs of %llu samples, shift %+.4g %%, smallest effect %.4g %% "
        "(P99.9 %.4g %%), run noise %.4g %%, seed %llu\n",
        (unsigned long long)settings->n_trials, (unsigned long long)settings->n_pairs,
        (unsigned long long)settings->n_samples, settings->shift * 100,
        settings->effects.of_all * 100, effects_of(&settings->effects, QUANTILE_P999_PPM) * 100,
        settings->run_noise * 100, (unsigned long long)settings->seed);
    for (size_t k = 0; k <= N_QUANTILES; k++) {
        printf("%-8s", row_name(k));
        for (int v = 0; v <= SHIFT_CANNOT_TELL; v++) {
            struct proportion p = proportion_interval(tally->of[k][v], settings->n_trials);
            printf("  %s %.1f %% (%.1f-%.1f)", shift_verdict_text((enum shift_verdict)v),
                   100.0 * (double)tally->of[k][v] / (double)settings->n_trials, p.low * 100,
                   p.high * 100);
        }
        putchar('\n');
    }
    struct proportion p = proportion_interval(tally->n_alarms, settings->n_trials);
    printf("any quantile called better or worse: %.1f %% (%.1f-%.1f)\n",
           100.0 * (double)tally->n_alarms / (double)settings->n_trials, p.low * 100, p.high * 100);
}

static json_t *report_json(const struct settings *settings, const struct tally *tally)
{
    json_t *rows = json_object();
    for (size_t k = 0; k <= N_QUANTILES; k++) {
        json_t *row = json_object();
        for (int v = 0; v <= SHIFT_CANNOT_TELL; v++) {
            struct proportion p = proportion_interval(tally->of[k][v], settings->n_trials);
            json_object_set_new(row, shift_verdict_text((enum shift_verdict)v),
                                json_pack("{s:I, s:f, s:f}", "trials", (json_int_t)tally->of[k][v],
                                          "low", p.low, "high", p.high));
        }
        json_object_set_new(rows, row_name(k), row);
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:I, s:o}", "alarms",
                     (json_int_t)tally->n_alarms, "trials", (json_int_t)settings->n_trials, "pairs",
                     (json_int_t)settings->n_pairs, "samples", (json_int_t)settings->n_samples,
                     "shift", settings->shift, "effect", settings->effects.of_all, "effect_p999",
                     effects_of(&settings->effects, QUANTILE_P999_PPM), "run_noise",
                     settings->run_noise, "seed", (json_int_t)settings->seed, "verdicts", rows);
}

static const struct argp_option options[] = {
    {"pairs", OPTION_PAIRS, "N", 0, "Pairs of runs in a session (default 48)", 1},
    {"samples", OPTION_SAMPLES, "N", 0, "Samples in a run (default 10000)", 1},
    {"trials", OPTION_TRIALS, "N", 0, "Sessions (default 400)", 1},
    {"shift", OPTION_SHIFT, "RATE", 0, "How much slower the second side is, as 10% (default 0)", 1},
    {"min-effect", OPTION_EFFECT, "[Q=]RATE", 0,
     "The smallest change that matters (default 5%); p99.9=25%: of that quantile", 1},
    {"run-noise", OPTION_RUN_NOISE, "RATE", 0,
     "Standard deviation of a run's speed, beside drift and disturbed runs (default 4%)", 1},
    {"seed", OPTION_SEED, "N", 0, "Of the random numbers (default 1)", 1},
    {"json", OPTION_JSON, NULL, 0, "Print the result as JSON", 2},
    {0},
};

static uint64_t option_count(const struct argp_state *state, const char *name, const char *text,
                             uint64_t min, uint64_t max)
{
    uint64_t value = format_option_count(state, name, text);
    if (value < min || value > max) {
        argp_error(state, "%s: found '%s', expected %llu to %llu", name, text,
                   (unsigned long long)min, (unsigned long long)max);
    }
    return value;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;
    switch (key) {
    case OPTION_PAIRS:
        settings->n_pairs = option_count(state, "--pairs", argument, 1, SHIFT_RUNS_MAX);
        return 0;
    case OPTION_SAMPLES:
        settings->n_samples = option_count(state, "--samples", argument, 1, 10000000);
        return 0;
    case OPTION_TRIALS:
        settings->n_trials = option_count(state, "--trials", argument, 1, 1000000);
        return 0;
    case OPTION_SHIFT:
        settings->shift = format_option_rate_ppm(state, "--shift", argument) / (double)GATE_PPM;
        return 0;
    case OPTION_EFFECT:
        effects_argument(state, &settings->effects, argument);
        return 0;
    case OPTION_RUN_NOISE:
        settings->run_noise =
            format_option_rate_ppm(state, "--run-noise", argument) / (double)GATE_PPM;
        return 0;
    case OPTION_SEED:
        settings->seed = format_option_count(state, "--seed", argument);
        return 0;
    case OPTION_JSON:
        settings->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int gate_simulate(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        NULL,
        "Measures `compare` by simulated sessions of paired runs: how often it reports a "
        "difference "
        "where there is none, and how often it finds one that is there.\v"
        "Sessions have drift, runs that are disturbed as a whole, and stalls that delay several "
        "requests in a row. Figures are per cent of trials with exact 95 % intervals.\n\n"
        "Exit codes: 0; 2 usage.",
        NULL,
        NULL,
        NULL};
    struct settings settings = {.n_pairs = 48,
                                .n_samples = 10000,
                                .n_trials = 400,
                                .effects = {.of_all = EFFECTS_DEFAULT},
                                .run_noise = 0.04,
                                .seed = 1};
    struct tally tally = {0};
    struct gate_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &settings);
    if (run_trials(&settings, &tally) != 0) {
        gate_error_set(&error, GATE_USAGE, "out of memory");
    } else if (settings.json) {
        report_print_json(report_json(&settings, &tally), &error);
    } else {
        print_text(&settings, &tally);
        report_flush(&error);
    }
    if (error.code != GATE_PASS) {
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
    }
    return (int)error.code;
}
