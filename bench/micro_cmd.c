/* l0-bench micro: arguments and report. */
#include "bench/bench.h"

#include "bench/cores.h"
#include "bench/micro.h"
#include "gate/quantile.h"
#include "gate/report.h"

#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { KEY_CORES = 256, KEY_JSON, KEY_REGIME, KEY_SAMPLES, KEY_SECONDS };

struct command {
    struct micro_options micro;
    char **files;
    int n_files;
    const char *out;
    bool json;
};

static const struct argp_option options[] = {
    {.name = "regime", .key = KEY_REGIME, .arg = "NAME", .doc = "lualatex (default) or pdflatex"},
    {.name = "seconds",
     .key = KEY_SECONDS,
     .arg = "S",
     .doc = "Whole seconds for each file (default 3)"},
    {.name = "samples",
     .key = KEY_SAMPLES,
     .arg = "N",
     .doc = "So many samples of each variant, however long they take"},
    {.name = "cores", .key = KEY_CORES, .arg = "LIST", .doc = "Run on the first of these"},
    {.name = "json", .key = KEY_JSON, .doc = "Print JSON"},
    {.name = "out", .key = 'o', .arg = "PATH", .doc = "Write JSON to PATH too"},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *c = state->input;
    cpu_set_t cores;
    switch (key) {
    case KEY_REGIME:
        if (document_regime(arg) < 0)
            argp_error(state, "--regime: \"%s\" is neither lualatex nor pdflatex", arg);
        c->micro.regime = (enum lexer_regime)document_regime(arg);
        return 0;
    case KEY_SECONDS:
        c->micro.seconds = (double)bench_number(state, "--seconds", arg, 1, 3600);
        return 0;
    case KEY_SAMPLES:
        c->micro.n_samples = (uint32_t)bench_number(state, "--samples", arg, 1, 1000000);
        return 0;
    case KEY_CORES:
        if (cores_parse(arg, &cores) != 0 || cores_pin_one(&cores, 0) != 0)
            argp_error(state, "--cores: \"%s\" is not a list of processors of this process", arg);
        return 0;
    case 'o':
        c->out = arg;
        return 0;
    case KEY_JSON:
        c->json = true;
        return 0;
    case ARGP_KEY_ARGS:
        c->files = state->argv + state->next;
        c->n_files = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "at least one FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const uint32_t shown_ppm[] = {500000, 900000, 990000, QUANTILE_P999_PPM};
#define N_SHOWN (sizeof shown_ppm / sizeof shown_ppm[0])

/* Bytes a nanosecond, that is GB/s, at a time per document. */
static double gb_per_s(const struct document *document, uint64_t ps)
{
    return ps == 0 ? 0 : (double)document->n_bytes * 1e3 / (double)ps;
}

static uint64_t median_of(const struct micro_variant *v)
{
    return quantile_of(&v->times, shown_ppm[0]).value_ps;
}

static double ratio(uint64_t a, uint64_t b)
{
    return b == 0 ? 0 : (double)a / (double)b;
}

static void print_text(const struct micro *micro, const struct document *document)
{
    printf("%s: %u bytes, %u tokens; %zu samples of %u run%s each\n", document->path,
           document->n_bytes, document->n_tokens, micro->variants[0].times.n, micro->batch,
           micro->batch == 1 ? "" : "s");
    printf("  %-10s %-12s %10s %10s %10s %10s us  %8s  %s  %s\n", "kernel", "mode", "P50", "P90",
           "P99", "P99.9", "GB/s", "of memcpy", "of static");
    uint64_t copy_ps = median_of(&micro->variants[0]);
    for (size_t i = 0; i < micro->n_variants; i++) {
        const struct micro_variant *v = &micro->variants[i];
        uint64_t median_ps = median_of(v);
        printf("  %-10s %-5s %-6s", v->kernel != NULL ? v->kernel : "-", micro_work_name(v->work),
               v->is_static ? "static" : "");
        for (size_t q = 0; q < N_SHOWN; q++)
            printf(" %10.3f", (double)quantile_of(&v->times, shown_ppm[q]).value_ps / 1e6);
        printf("     %8.3f  %9.3f", gb_per_s(document, median_ps), ratio(copy_ps, median_ps));
        if (micro_static_of(micro, v) != NULL)
            printf("  %9.3f", ratio(median_of(micro_static_of(micro, v)), median_ps));
        putchar('\n');
    }
}

static json_t *variant_json(const struct micro_variant *v, const struct document *document)
{
    json_t *json =
        json_pack("{s:s, s:s?, s:b, s:I, s:I, s:I}", "mode", micro_work_name(v->work), "kernel",
                  v->kernel, "static", (int)v->is_static, "samples", (json_int_t)v->times.n,
                  "tokens", (json_int_t)v->n_tokens, "spans", (json_int_t)v->n_spans);
    for (size_t q = 0; q < N_SHOWN; q++) {
        char key[32];
        snprintf(key, sizeof key, "%.24s_us", report_quantile_name(shown_ppm[q]).text);
        json_object_set_new(json, key,
                            json_real((double)quantile_of(&v->times, shown_ppm[q]).value_ps / 1e6));
    }
    json_object_set_new(json, "gb_per_s", json_real(gb_per_s(document, median_of(v))));
    return json;
}

static json_t *micro_json(const struct micro *micro, const struct document *document)
{
    json_t *variants = json_array();
    for (size_t i = 0; i < micro->n_variants; i++)
        json_array_append_new(variants, variant_json(&micro->variants[i], document));
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "file", document->path, "bytes",
                     (json_int_t)document->n_bytes, "tokens", (json_int_t)document->n_tokens,
                     "issues", (json_int_t)document->issues_len, "batch", (json_int_t)micro->batch,
                     "variants", variants);
}

/* Measures one file, appends it to results, and prints it unless they will be printed. The exit
 * code. */
static int one_file(const struct command *c, const char *path, json_t *results)
{
    struct document document;
    int rc = document_load(&document, path, c->micro.regime);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "%s: %s", path,
                              rc == -ENODATA ? "the file is empty" : strerror(-rc));
    struct micro micro;
    rc = micro_run(&micro, &c->micro, &document);
    int code = BENCH_OK;
    if (rc == -EBADMSG)
        code = bench_complain(BENCH_WRONG, "%s: kernels or modes disagree about the counts", path);
    else if (rc != 0)
        code = bench_complain(BENCH_INPUT, "%s: %s", path, strerror(-rc));
    else
        json_array_append_new(results, micro_json(&micro, &document));
    if (code == BENCH_OK && !c->json)
        print_text(&micro, &document);
    micro_free(&micro);
    document_free(&document);
    return code;
}

int bench_micro_main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE...",
        .doc =
            "Times the lexer alone over warm memory: every kernel, with and without spans, with "
            "and without (static) the context layer, beside memcpy of the same bytes.\v"
            "Times are per document. GB/s is that of the median. \"of static\" is the speed as a "
            "part of that without the context layer, which on text with none of what the layer "
            "follows tells its cost. Exit codes: 0 done, 1 kernels "
            "or modes disagree, 2 a file could not be read, 64 usage.",
    };
    struct command c = {.micro = {.regime = LEXER_LUALATEX, .seconds = 3}};
    argp_parse(&argp, argc, argv, 0, NULL, &c);
    json_t *results = json_array();
    int code = BENCH_OK;
    for (int i = 0; i < c.n_files && code == BENCH_OK; i++)
        code = one_file(&c, c.files[i], results);
    if (code == BENCH_OK && c.json) {
        json_dumpf(results, stdout, BENCH_JSON_FLAGS);
        putchar('\n');
    }
    int rc = code == BENCH_OK && c.out != NULL ? bench_write_json(json_incref(results), c.out) : 0;
    json_decref(results);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "%s: %s", c.out, strerror(-rc));
    if (fflush(stdout) != 0)
        return bench_complain(BENCH_INPUT, "standard output: %s", strerror(errno));
    return code;
}
