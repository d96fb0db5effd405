/* l0-gate compare A B: what changed between two files of latencies, and what of it is noise. */
#include "gate/programs.h"

#include "gate/decimal.h"
#include "gate/format_options.h"
#include "gate/report.h"
#include "gate/sample.h"

#include <argp.h>
#include <stdio.h>

#define OPTION_JSON 0x200

#define RULE "a difference is more than noise exactly when the two 95 % intervals do not overlap"

struct settings {
    struct sample_format format;
    const char *paths[2];
    int n_paths;
    bool json;
};

static const struct argp_option options[] = {
    {"json", OPTION_JSON, NULL, 0, "Print the report as JSON", 2},
    {0},
};

static const char documentation[] =
    "Compares the quantiles of two files of latencies in ms; differences are B - A, per cent of "
    "A.\v"
    "Rule: " RULE " (distribution-free intervals from order statistics). It asks for more than a "
    "5 % test of one difference would, which makes up for seven quantiles being looked at. Where "
    "a bound that would be needed does not exist, the answer is that there are too few samples. "
    "The rule takes samples as independent: a disturbance that lasts makes real intervals wider, "
    "so repeat runs before believing a small difference. A difference never changes the exit "
    "code.\n\n" GATE_EXITS_HELP;

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->format;
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
        if (settings->n_paths < 2) {
            argp_error(state, "expected two files, A and B");
        }
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

int gate_compare(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&format_options_argp, 0, "How both files are read:", 1},
        {0},
    };
    static const struct argp argp = {options, parse, "A B", documentation, children, NULL, NULL};
    struct settings settings = {0};
    struct sample samples[2] = {0};
    struct gate_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &settings);

    if (sample_load(&samples[0], settings.paths[0], &settings.format, &error) == 0 &&
        sample_load(&samples[1], settings.paths[1], &settings.format, &error) == 0) {
        if (settings.json) {
            report_print_json(comparison_json(&settings, samples), &error);
        } else {
            print_text(&settings, samples);
            report_flush(&error);
        }
    }
    sample_free(&samples[0]);
    sample_free(&samples[1]);
    if (error.code != GATE_PASS) {
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
    }
    return (int)error.code;
}
