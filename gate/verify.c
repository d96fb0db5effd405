/* l0-gate verify FILE: the statistics of one file of latencies. */
#include "gate/programs.h"

#include "gate/format_options.h"
#include "gate/report.h"
#include "gate/sample.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    OPTION_SLOW_K = 0x200,
    OPTION_DUMP_SLOWEST,
    OPTION_P999_TARGET,
    OPTION_JSON,
};

struct settings {
    struct sample_format format;
    const char *path;
    uint64_t slow_k; /* 0: as many as P99.9 needs */
    bool dump_slowest;
    bool has_target;
    uint64_t target_ps;
    bool json;
};

/* The window of the slowest K and whether P99.9 lies in it. */
struct window {
    uint64_t k; /* at most n */
    uint64_t needed;
    uint64_t fastest_ps; /* the window's bounds */
    uint64_t slowest_ps;
    bool holds; /* K >= needed */
    bool tie;   /* not by rank, but a value in the window equals P99.9 */
};

struct findings {
    const struct settings *settings;
    const struct sample *sample;
    struct quantile quantiles[QUANTILES_REPORTED];
    struct quantile p999;
    struct window window;
    enum quantile_verdict target; /* with settings->has_target only */
};

static const struct argp_option options[] = {
    {"slow-k", OPTION_SLOW_K, "K", 0,
     "Size of the slowest-K window; default: as many as are needed to hold P99.9", 2},
    {"dump-slowest", OPTION_DUMP_SLOWEST, NULL, 0, "List the slowest K with their lines", 2},
    {"p999-target", OPTION_P999_TARGET, "MS", 0, "P99.9 must not exceed MS (exit 3 if it does)", 2},
    {"json", OPTION_JSON, NULL, 0, "Print the report as JSON", 2},
    {0},
};

static const char documentation[] =
    "Exact statistics of latencies in ms, one a line or a column of a CSV; FILE - is standard "
    "input.\v"
    "The q-quantile of N samples is the value at rank ceil(q N). Intervals are distribution-free "
    "95 % intervals from order statistics; a bound that does not exist is printed as none.\n\n"
    "Consistency: the slowest K hold P99.9 exactly when K >= N - ceil(0.999 N) + 1, or by a tie; "
    "a --slow-k that is too small ends with exit 3. So does a missed --p999-target, and one that "
    "cannot be judged because there are too few samples to bound P99.9 from above.\n\n" //
    GATE_EXITS_HELP;

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &settings->format;
        return 0;
    case OPTION_SLOW_K:
        settings->slow_k = format_option_count(state, "--slow-k", argument);
        if (settings->slow_k == 0) {
            argp_error(state, "--slow-k: found '%s', expected a number from 1", argument);
        }
        return 0;
    case OPTION_DUMP_SLOWEST:
        settings->dump_slowest = true;
        return 0;
    case OPTION_P999_TARGET:
        settings->has_target = true;
        settings->target_ps = format_option_ms(state, "--p999-target", argument);
        return 0;
    case OPTION_JSON:
        settings->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (settings->path != NULL) {
            argp_error(state, "found a second file '%s', expected one", argument);
        }
        settings->path = argument;
        return 0;
    case ARGP_KEY_END:
        if (settings->path == NULL) {
            argp_error(state, "no file given");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct window find_window(const struct sample *sample, const struct quantile *p999,
                                 uint64_t slow_k)
{
    struct window window = {.needed = sample_slowest_needed(sample->n, p999->q_ppm)};
    window.k = slow_k == 0 ? window.needed : slow_k;
    if (window.k > sample->n) {
        window.k = sample->n;
    }
    window.fastest_ps = sample_at_rank(sample, sample->n - window.k + 1);
    window.slowest_ps = sample_at_rank(sample, sample->n);
    window.holds = window.k >= window.needed;
    window.tie = !window.holds && window.fastest_ps == p999->value_ps;
    return window;
}

static void find(struct findings *findings, const struct settings *settings,
                 const struct sample *sample)
{
    findings->settings = settings;
    findings->sample = sample;
    for (int i = 0; i < QUANTILES_REPORTED; i++) {
        findings->quantiles[i] = quantile_of(sample, quantiles_reported_ppm[i]);
    }
    findings->p999 = quantile_of(sample, QUANTILE_P999_PPM);
    findings->window = find_window(sample, &findings->p999, settings->slow_k);
    findings->target = quantile_judge(&findings->p999, settings->target_ps);
}

static const char *target_word(enum quantile_verdict verdict)
{
    static const char *const words[] = {
        [QUANTILE_WITHIN] = "PASS",
        [QUANTILE_ABOVE] = "FAIL",
        [QUANTILE_UNBOUNDED] = "INCONCLUSIVE",
    };
    return words[verdict];
}

static const char *window_word(const struct window *window)
{
    return window->holds ? "CONSISTENT" : window->tie ? "CONSISTENT BY A TIE" : "INCONSISTENT";
}

/* The closing word, and with it the exit code. */
static const char *verdict_of(const struct findings *findings, enum gate_exit *exit)
{
    const struct window *window = &findings->window;
    *exit = GATE_DATA;
    if (!window->holds && !window->tie) {
        return window_word(window);
    }
    if (findings->settings->has_target && findings->target != QUANTILE_WITHIN) {
        return target_word(findings->target);
    }
    *exit = GATE_PASS;
    return "PASS";
}

static void print_slowest(const struct findings *findings)
{
    const struct sample *sample = findings->sample;
    printf("%8s %16s %12s\n", "slowest", "ms", "line");
    for (uint64_t j = 1; j <= findings->window.k; j++) {
        const struct sample_value *value = &sample->values[sample->n - j];
        printf("%8" PRIu64 " %16s %12" PRIu64 "\n", j, report_ms(value->value_ps).text,
               value->line);
    }
}

static void print_text(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    const struct sample *sample = findings->sample;
    const struct window *window = &findings->window;
    printf("file         %s\nN            %zu\n", settings->path, sample->n);
    printf("min          %s ms\n", report_ms(sample_at_rank(sample, 1)).text);
    printf("mean         %s ms\n", report_ms(sample_mean_ps(sample)).text);
    printf("max          %s ms\n", report_ms(sample_at_rank(sample, sample->n)).text);
    for (int i = 0; i < QUANTILES_REPORTED; i++) {
        const struct quantile *quantile = &findings->quantiles[i];
        printf("%-12s %s ms, rank %" PRIu64 ", 95 %% interval %s\n",
               report_quantile_name(quantile->q_ppm).text, report_ms(quantile->value_ps).text,
               quantile->rank, report_interval(quantile).text);
    }
    printf("slowest-K    K = %" PRIu64 ": %s .. %s ms\n", window->k,
           report_ms(window->fastest_ps).text, report_ms(window->slowest_ps).text);
    printf("consistency  P99.9 is among the slowest K for K >= %" PRIu64 ": %s\n", window->needed,
           window_word(window));
    if (settings->dump_slowest) {
        print_slowest(findings);
    }
    if (settings->has_target) {
        printf("target       P99.9 <= %s ms, margin %s ms: %s%s\n",
               report_ms(settings->target_ps).text,
               report_ms_difference(settings->target_ps, findings->p999.value_ps).text,
               target_word(findings->target),
               findings->target == QUANTILE_UNBOUNDED
                   ? " (too few samples to bound P99.9 from above)"
                   : "");
    }
    enum gate_exit exit;
    printf("verdict      %s\n", verdict_of(findings, &exit));
}

static json_t *quantiles_json(const struct findings *findings)
{
    json_t *array = json_array();
    for (int i = 0; i < QUANTILES_REPORTED; i++) {
        if (json_array_append_new(array, report_quantile_json(&findings->quantiles[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *slowest_json(const struct findings *findings)
{
    const struct sample *sample = findings->sample;
    json_t *array = json_array();
    for (uint64_t j = 1; j <= findings->window.k; j++) {
        const struct sample_value *value = &sample->values[sample->n - j];
        if (json_array_append_new(array,
                                  json_pack("{s:o, s:I}", "ms", report_ms_json(value->value_ps),
                                            "line", (json_int_t)value->line)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *target_json(const struct findings *findings)
{
    if (!findings->settings->has_target) {
        return json_null();
    }
    return json_pack("{s:o, s:s}", "ms", report_ms_json(findings->settings->target_ps), "verdict",
                     target_word(findings->target));
}

static json_t *window_json(const struct findings *findings)
{
    const struct window *window = &findings->window;
    return json_pack("{s:I, s:I, s:o, s:o, s:s, s:o}", "k", (json_int_t)window->k, "needed",
                     (json_int_t)window->needed, "fastest_ms", report_ms_json(window->fastest_ps),
                     "slowest_ms", report_ms_json(window->slowest_ps), "consistency",
                     window_word(window), "values",
                     findings->settings->dump_slowest ? slowest_json(findings) : json_null());
}

static json_t *findings_json(const struct findings *findings)
{
    const struct sample *sample = findings->sample;
    enum gate_exit exit;
    const char *verdict = verdict_of(findings, &exit);
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:i}", "file",
                     findings->settings->path, "n", (json_int_t)sample->n, "min_ms",
                     report_ms_json(sample_at_rank(sample, 1)), "mean_ms",
                     report_ms_json(sample_mean_ps(sample)), "max_ms",
                     report_ms_json(sample_at_rank(sample, sample->n)), "quantiles",
                     quantiles_json(findings), "slowest", window_json(findings), "target",
                     target_json(findings), "verdict", verdict, "exit", (int)exit);
}

static int report(const struct settings *settings, const struct sample *sample,
                  struct gate_error *error)
{
    struct findings findings;
    enum gate_exit exit;
    find(&findings, settings, sample);
    verdict_of(&findings, &exit);
    if (settings->json) {
        report_print_json(findings_json(&findings), error);
    } else {
        print_text(&findings);
        report_flush(error);
    }
    return (int)exit;
}

int gate_verify(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&format_options_argp, 0, "How the file is read:", 1},
        {0},
    };
    static const struct argp argp = {options, parse, "FILE", documentation, children, NULL, NULL};
    struct settings settings = {0};
    struct sample sample = {0};
    struct gate_error error = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &settings);

    int exit = GATE_PASS;
    if (sample_load(&sample, settings.path, &settings.format, &error) == 0) {
        exit = report(&settings, &sample, &error);
    }
    sample_free(&sample);
    if (error.code != GATE_PASS) {
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
        return (int)error.code;
    }
    return exit;
}
