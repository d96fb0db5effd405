/* l0-gate compare A B: what changed between two files of latencies, or two sides of several runs,
 * and what of it is noise. */
#include "gate/programs.h"

#include "gate/compare_runs.h"
#include "gate/decimal.h"
#include "gate/emit_options.h"
#include "gate/format_options.h"
#include "gate/report.h"
#include "gate/rule.h"
#include "gate/sample.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    OPTION_JSON = 0x200,
    OPTION_BASE,
    OPTION_NEW,
    OPTION_MIN_EFFECT,
    OPTION_AT,
    OPTION_ALLOW_DIFFERENT,
    OPTION_DROP_INVALID,
};

#define RULE "a difference is more than noise exactly when the two 95 % intervals do not overlap"

struct settings {
    struct sample_format format;
    const char *paths[2];
    int n_paths;
    struct compare_runs runs; /* used when a side is not a plain file */
    struct emit_targets targets;
    struct gate_error error; /* of loading a run */
    bool json;
};

static const struct argp_option options[] = {
    {"base", OPTION_BASE, "RUN", 0, "A run of the base (again for more), instead of A", 2},
    {"new", OPTION_NEW, "RUN", 0, "A run of what is compared with it, instead of B", 2},
    {"min-effect", OPTION_MIN_EFFECT, "[Q=]RATE", 0,
     "The smallest change that matters (default 5%); p99.9=25%: of that quantile", 2},
    {"at", OPTION_AT, "LIST", 0, "Quantiles to compare (default p50,p99,p99.9)", 2},
    {"allow-different", OPTION_ALLOW_DIFFERENT, NULL, 0,
     "Compare runs of different machines or loads all the same", 2},
    {"drop-invalid", OPTION_DROP_INVALID, NULL, 0,
     "Leave out pairs with a run that is not valid, and say how many", 2},
    {"json", OPTION_JSON, NULL, 0, "Print the report as JSON", 3},
    {0},
};

static const char documentation[] =
    "Compares the quantiles of two files of latencies in ms; differences are B - A, per cent of "
    "A. Or of two sides of several runs, each a directory of runs.\v"
    "Two files. "
    "Rule: " RULE " (distribution-free intervals from order statistics). It asks for more than a "
    "5 % test of one difference would, which makes up for seven quantiles being looked at. Where "
    "a bound that would be needed does not exist, the answer is that there are too few samples. "
    "The rule takes samples as independent: a disturbance that lasts makes real intervals wider, "
    "so repeat runs before believing a small difference. Between two files a difference never "
    "changes the exit code.\n\n"
    "Sides of runs (l0-bench ab makes them). Each run is one observation. The shift is the trimmed "
    "mean of the differences in pairs, its interval a bootstrap over runs as blocks in which all "
    "quantiles hold together with 95 %. Worse or better: the interval excludes 0, and the shift is "
    "at least the smallest effect. No difference: the quantile's own interval of 90 % (two tests "
    "of 5 %) is within the smallest effect. Else it cannot be told. Runs of different machines or "
    "loads are refused (exit 3). "
    "Exit code: 0 no difference or better, 4 worse, 3 cannot tell, 5 a run is not valid.\n\n" //
    GATE_EXITS_HELP;

/* "p50,p99.9" */
static void parse_quantiles(const struct argp_state *state, struct compare_runs *runs,
                            const char *list)
{
    runs->n_quantiles = 0;
    for (const char *at = list;;) {
        size_t length = strcspn(at, ",");
        uint32_t q_ppm = rule_quantile_ppm(at, length);
        if (q_ppm == 0 || runs->n_quantiles == SHIFT_QUANTILES_MAX) {
            argp_error(state, "--at: found '%s', expected up to %d quantiles such as p50,p99.9",
                       list, SHIFT_QUANTILES_MAX);
        }
        runs->quantiles_ppm[runs->n_quantiles++] = q_ppm;
        if (at[length] == '\0') {
            return;
        }
        at += length + 1;
    }
}

static bool is_directory(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Two plain files are compared as such; anything else are sides of runs. */
static bool has_sides(const struct settings *settings)
{
    return settings->runs.sides[0].n_runs > 0 || settings->runs.sides[1].n_runs > 0 ||
           settings->error.code != GATE_PASS ||
           (settings->n_paths == 2 &&
            (is_directory(settings->paths[0]) || is_directory(settings->paths[1])));
}

static void add_run(struct settings *settings, int side, const char *path)
{
    if (settings->error.code == GATE_PASS) {
        (void)evidence_add(&settings->runs.sides[side], path, &settings->error);
    }
}

/* The sides from --base, --new and the arguments. */
static void check_sides(const struct argp_state *state, struct settings *settings)
{
    bool given = settings->runs.sides[0].n_runs > 0 || settings->runs.sides[1].n_runs > 0 ||
                 settings->error.code != GATE_PASS;
    if (given && settings->n_paths > 0) {
        argp_error(state, "found '%s' beside --base and --new, expected one or the other",
                   settings->paths[0]);
    }
    if (!given && settings->n_paths < 2) {
        argp_error(state, "expected two files, A and B, or two directories of runs");
    }
    if (settings->error.code == GATE_PASS && given &&
        (settings->runs.sides[0].n_runs == 0 || settings->runs.sides[1].n_runs == 0)) {
        argp_error(state, "expected runs of both sides: --base RUN... --new RUN...");
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->format;
        state->child_inputs[1] = &settings->targets;
        return 0;
    case OPTION_BASE:
        add_run(settings, 0, argument);
        return 0;
    case OPTION_NEW:
        add_run(settings, 1, argument);
        return 0;
    case OPTION_MIN_EFFECT:
        effects_argument(state, &settings->runs.effects, argument);
        return 0;
    case OPTION_AT:
        parse_quantiles(state, &settings->runs, argument);
        return 0;
    case OPTION_ALLOW_DIFFERENT:
        settings->runs.allow_different = true;
        return 0;
    case OPTION_DROP_INVALID:
        settings->runs.drop_invalid = true;
        return 0;
    case OPTION_JSON:
        settings->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (settings->n_paths == 2) {
            argp_error(state, "found a third file '%s', expected two", argument);
        }
        settings->paths[settings->n_paths++] = argument;
        return 0;
    case ARGP_KEY_END:
        check_sides(state, settings);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char *change_word(enum quantile_change change)
{
    static const char *const words[] = {
        [QUANTILE_NOISE] = "within noise",
        [QUANTILE_CHANGED] = "MORE THAN NOISE",
        [QUANTILE_TOO_FEW] = "too few samples",
    };
    return words[change];
}

static double percent_of(uint64_t a_ps, uint64_t b_ps)
{
    return ((double)b_ps - (double)a_ps) / (double)a_ps * 100;
}

static struct report_text percent_text(uint64_t a_ps, uint64_t b_ps)
{
    struct report_text out = {"n/a"};
    if (a_ps != 0) {
        snprintf(out.text, sizeof out.text, "%+.2f %%", percent_of(a_ps, b_ps));
    }
    return out;
}

/* min, mean and max have no distribution-free interval: shown without a verdict. */
static void print_plain(const char *name, uint64_t a_ps, uint64_t b_ps)
{
    printf("%-8s %14s %14s %15s %12s\n", name, report_ms(a_ps).text, report_ms(b_ps).text,
           report_ms_difference(b_ps, a_ps).text, percent_text(a_ps, b_ps).text);
}

static void print_text(const struct settings *settings, const struct sample samples[2])
{
    const struct sample *a = &samples[0];
    const struct sample *b = &samples[1];
    printf("A  %s, N = %zu\nB  %s, N = %zu\n", settings->paths[0], a->n, settings->paths[1], b->n);
    printf("%-8s %14s %14s %15s %12s\n", "", "A ms", "B ms", "B - A ms", "of A");
    print_plain("min", sample_at_rank(a, 1), sample_at_rank(b, 1));
    print_plain("mean", sample_mean_ps(a), sample_mean_ps(b));
    print_plain("max", sample_at_rank(a, a->n), sample_at_rank(b, b->n));
    for (int i = 0; i < QUANTILES_REPORTED; i++) {
        struct quantile qa = quantile_of(a, quantiles_reported_ppm[i]);
        struct quantile qb = quantile_of(b, quantiles_reported_ppm[i]);
        printf("%-8s %14s %14s %15s %12s  %s\n", report_quantile_name(qa.q_ppm).text,
               report_ms(qa.value_ps).text, report_ms(qb.value_ps).text,
               report_ms_difference(qb.value_ps, qa.value_ps).text,
               percent_text(qa.value_ps, qb.value_ps).text,
               change_word(quantile_compare(&qa, &qb)));
        printf("%8s A %s\n%8s B %s\n", "", report_interval(&qa).text, "",
               report_interval(&qb).text);
    }
    puts("rule: " RULE);
}

static json_t *quantile_pair_json(const struct sample samples[2], uint32_t q_ppm)
{
    struct quantile a = quantile_of(&samples[0], q_ppm);
    struct quantile b = quantile_of(&samples[1], q_ppm);
    double difference_ms = ((double)b.value_ps - (double)a.value_ps) / (double)GATE_PS_PER_MS;
    return json_pack("{s:s, s:o, s:o, s:f, s:o, s:s}", "name", report_quantile_name(q_ppm).text,
                     "a", report_quantile_json(&a), "b", report_quantile_json(&b), "difference_ms",
                     difference_ms, "difference_percent",
                     a.value_ps != 0 ? json_real(percent_of(a.value_ps, b.value_ps)) : json_null(),
                     "verdict", change_word(quantile_compare(&a, &b)));
}

static json_t *sample_json(const char *path, const struct sample *sample)
{
    return json_pack("{s:s, s:I, s:o, s:o, s:o}", "file", path, "n", (json_int_t)sample->n,
                     "min_ms", report_ms_json(sample_at_rank(sample, 1)), "mean_ms",
                     report_ms_json(sample_mean_ps(sample)), "max_ms",
                     report_ms_json(sample_at_rank(sample, sample->n)));
}

static json_t *comparison_json(const struct settings *settings, const struct sample samples[2])
{
    json_t *quantiles = json_array();
    for (int i = 0; i < QUANTILES_REPORTED; i++) {
        if (json_array_append_new(quantiles,
                                  quantile_pair_json(samples, quantiles_reported_ppm[i])) != 0) {
            json_decref(quantiles);
            return NULL;
        }
    }
    return json_pack("{s:o, s:o, s:o, s:s}", "a", sample_json(settings->paths[0], &samples[0]), "b",
                     sample_json(settings->paths[1], &samples[1]), "quantiles", quantiles, "rule",
                     RULE);
}

static int compare_files(const struct settings *settings, struct gate_error *error)
{
    struct sample samples[2] = {0};
    if (sample_load(&samples[0], settings->paths[0], &settings->format, error) == 0 &&
        sample_load(&samples[1], settings->paths[1], &settings->format, error) == 0) {
        if (settings->json) {
            report_print_json(comparison_json(settings, samples), error);
        } else {
            print_text(settings, samples);
            report_flush(error);
        }
    }
    sample_free(&samples[0]);
    sample_free(&samples[1]);
    return GATE_PASS;
}

static int compare_given_runs(struct settings *settings, struct gate_error *error)
{
    for (int i = 0; i < settings->n_paths; i++) {
        add_run(settings, i, settings->paths[i]);
    }
    *error = settings->error;
    settings->runs.json = settings->json;
    settings->runs.targets = &settings->targets;
    return error->code == GATE_PASS ? compare_runs(&settings->runs, error) : GATE_PASS;
}

int gate_compare(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&format_options_argp, 0, "How two files are read:", 1},
        {&emit_options_argp, 0, "Other forms of the verdict over runs:", 4},
        {0},
    };
    static const struct argp argp = {options, parse, "A B", documentation, children, NULL, NULL};
    struct settings settings = {.runs = {.effects = {.of_all = EFFECTS_DEFAULT}}};
    struct gate_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &settings);
    int exit = has_sides(&settings) ? compare_given_runs(&settings, &error)
                                    : compare_files(&settings, &error);
    evidence_free(&settings.runs.sides[0]);
    evidence_free(&settings.runs.sides[1]);
    if (error.code != GATE_PASS) {
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
        return (int)error.code;
    }
    return exit;
}
