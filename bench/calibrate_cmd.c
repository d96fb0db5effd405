/* l0-bench calibrate: what the load generator itself adds and can do, on this machine, now. */
#include "bench/bench.h"

#include "bench/bare.h"
#include "bench/open_settings.h"
#include "gate/decimal.h"
#include "gate/quantile.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 1000

enum { KEY_ROUNDS = 256, KEY_JSON };

/* What one round measures, bare clients and generator in turn. */
enum figure {
    BARE_P50,
    BARE_P99,
    OPEN_P50,
    OPEN_P99,
    LAG_P999, /* us, all so far */
    STALL_P999,
    BARE_RPS,
    OPEN_RPS,
    N_FIGURES,
};

static const char *const names[N_FIGURES] = {
    "bare_p50_us", "bare_p99_us",     "generator_p50_us", "generator_p99_us",
    "lag_p999_us", "machine_p999_us", "bare_rps",         "generator_rps",
};

struct command {
    struct open_settings settings;
    unsigned n_rounds;
    bool json;
    double (*rounds)[N_FIGURES];
};

static const struct argp_option options[] = {
    {"rounds", KEY_ROUNDS, "N", 0, "Rounds (default 9); medians over them are reported", 0},
    {"json", KEY_JSON, NULL, 0, "Print the figures as JSON", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &c->settings;
        return 0;
    case KEY_ROUNDS:
        c->n_rounds = (unsigned)bench_number(state, "--rounds", arg, 1, ROUNDS_MAX);
        return 0;
    case KEY_JSON:
        c->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            return ARGP_ERR_UNKNOWN;
        c->settings.file = arg;
        return 0;
    case ARGP_KEY_END:
        if (c->settings.file == NULL)
            argp_error(state, "FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static double us_at(const struct sample *sample, uint32_t q_ppm)
{
    return sample->n == 0 ? 0 : (double)quantile_of(sample, q_ppm).value_ps / 1e6;
}

static int bare_round(const struct command *c, const struct document *document, double *figures)
{
    const struct open_options *o = &c->settings.load;
    struct sample trips = {0};
    uint64_t n = (uint64_t)((double)o->rate * (double)o->duration_ns / 1e9);
    int rc = bare_ping_pong(o->target, document, o->rate, n > 0 ? n : 1, o->spin_ns, &trips);
    figures[BARE_P50] = us_at(&trips, 500000);
    figures[BARE_P99] = us_at(&trips, 990000);
    sample_free(&trips);
    return rc;
}

/* The generator over the same one connection at the same rate: its service times. */
static int open_round(const struct command *c, const struct document *document, double *figures,
                      char failure[512])
{
    struct open_options o = c->settings.load;
    struct open_result result;
    struct sample service = {0};
    o.n_conns = o.n_threads = 1;
    int rc = open_run(&o, document, &result);
    for (size_t i = 0; i < result.n_rows && rc == 0; i++) {
        const struct open_row *row = &result.rows[i];
        if (row->status == OPEN_OK)
            rc = sample_add(&service, (row->done_ns - row->sent_ns) * GATE_PS_PER_NS, i);
    }
    sample_sort(&service);
    if (rc == 0 && result.n_errors > 0)
        rc = -EPROTO;
    figures[OPEN_P50] = us_at(&service, 500000);
    figures[OPEN_P99] = us_at(&service, 990000);
    figures[LAG_P999] = (double)result.lag_p999_ns / 1e3;
    figures[STALL_P999] = us_at(&result.jitter.stalls, QUANTILE_P999_PPM);
    memcpy(failure, result.failure, sizeof result.failure);
    sample_free(&service);
    open_free(&result);
    return rc;
}

/* More than anything can take is due at once: how many are answered a second. */
static int flood_round(const struct command *c, const struct document *document, uint64_t n,
                       double *rate, char failure[512])
{
    struct open_options o = c->settings.load;
    struct open_result result;
    o.rate = OPEN_RATE_MAX;
    o.duration_ns = n * 1000000000u / OPEN_RATE_MAX;
    o.warmup_ns = 0;
    o.n_threads = 1;
    int rc = open_run(&o, document, &result);
    uint64_t last_ns = result.start_ns;
    for (size_t i = 0; i < result.n_rows && rc == 0; i++)
        if (result.rows[i].done_ns > last_ns)
            last_ns = result.rows[i].done_ns;
    if (rc == 0 && result.n_errors > 0)
        rc = -EPROTO;
    *rate = (double)result.n_rows * 1e9 / (double)(last_ns - result.start_ns + 1);
    memcpy(failure, result.failure, sizeof result.failure);
    open_free(&result);
    return rc;
}

/* The saturating clients first, as many requests as they answer in half a second or so. */
static int run_round(struct command *c, const struct document *document, unsigned round,
                     char failure[512])
{
    double *figures = c->rounds[round];
    const struct open_options *o = &c->settings.load;
    uint64_t n = 20000;
    failure[0] = '\0';
    int rc = bare_round(c, document, figures);
    if (rc == 0)
        rc = open_round(c, document, figures, failure);
    if (rc == 0)
        rc = bare_saturate(o->target, document, o->n_conns, n, &figures[BARE_RPS]);
    if (rc == 0)
        rc = flood_round(c, document, n, &figures[OPEN_RPS], failure);
    return rc;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Over the rounds, of a figure, or of its difference from or ratio to another one's. */
static double median(const struct command *c, enum figure figure, int minus, int over)
{
    double values[ROUNDS_MAX];
    for (unsigned r = 0; r < c->n_rounds; r++) {
        values[r] = c->rounds[r][figure];
        values[r] -= minus >= 0 ? c->rounds[r][minus] : 0;
        values[r] /= over >= 0 ? c->rounds[r][over] : 1;
    }
    qsort(values, c->n_rounds, sizeof values[0], compare_doubles);
    return values[(c->n_rounds - 1) / 2];
}

static void print_text(const struct command *c)
{
    printf("medians over %u rounds\n", c->n_rounds);
    printf("bare ping-pong  P50 %.1f  P99 %.1f us\n", median(c, BARE_P50, -1, -1),
           median(c, BARE_P99, -1, -1));
    printf("generator       P50 %.1f  P99 %.1f us: adds P50 %+.1f  P99 %+.1f us\n",
           median(c, OPEN_P50, -1, -1), median(c, OPEN_P99, -1, -1),
           median(c, OPEN_P50, BARE_P50, -1), median(c, OPEN_P99, BARE_P99, -1));
    printf("its lag         P99.9 %.1f us; the machine's own stalls: P99.9 %.1f us\n",
           median(c, LAG_P999, -1, -1), median(c, STALL_P999, -1, -1));
    printf("requests/s      bare %.0f, generator %.0f: %.0f %%\n", median(c, BARE_RPS, -1, -1),
           median(c, OPEN_RPS, -1, -1), 100 * median(c, OPEN_RPS, -1, BARE_RPS));
}

static int print_json(const struct command *c)
{
    json_t *json = json_object(), *rounds = json_array();
    for (unsigned r = 0; r < c->n_rounds; r++) {
        json_t *round = json_object();
        for (int f = 0; f < N_FIGURES; f++)
            json_object_set_new(round, names[f], json_real(c->rounds[r][f]));
        json_array_append_new(rounds, round);
    }
    json_object_set_new(json, "adds_p50_us", json_real(median(c, OPEN_P50, BARE_P50, -1)));
    json_object_set_new(json, "adds_p99_us", json_real(median(c, OPEN_P99, BARE_P99, -1)));
    json_object_set_new(json, "lag_p999_us", json_real(median(c, LAG_P999, -1, -1)));
    json_object_set_new(json, "rps_ratio", json_real(median(c, OPEN_RPS, -1, BARE_RPS)));
    json_object_set_new(json, "rounds", rounds);
    int rc = json_dumpf(json, stdout, BENCH_JSON_FLAGS);
    json_decref(json);
    putchar('\n');
    return rc;
}

static int run(struct command *c, const struct document *document)
{
    char failure[512];
    for (unsigned round = 0; round < c->n_rounds; round++) {
        int rc = run_round(c, document, round, failure);
        if (rc != 0)
            return bench_complain(rc == -EPROTO ? BENCH_WRONG : BENCH_INPUT, "%s",
                                  failure[0] != '\0' ? failure : strerror(-rc));
    }
    if (c->json)
        print_json(c);
    else
        print_text(c);
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        return bench_complain(BENCH_INPUT, "standard output: %s", strerror(errno));
    return BENCH_OK;
}

int bench_calibrate_main(int argc, char **argv)
{
    static const struct argp_child children[] = {{&open_settings_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .args_doc = "--target TARGET FILE",
        .doc =
            "Measures the load generator itself against a server that answers at once "
            "(l0-bench-sink "
            "with --expect 0,0): what it adds to a bare blocking ping-pong over one connection at "
            "--rate, how late it sends, and how many requests a second it drives beside a "
            "hand-written client that saturates --conns connections.\v"
            "Exit codes: 0 done, 1 a wrong or missing reply, 2 a file or the server could not be "
            "reached, 64 usage.",
    };
    struct command c = {.settings = open_settings_default(), .n_rounds = 9};
    c.settings.load.rate = 5000;
    c.settings.load.warmup_ns = 100000000;
    c.settings.load.progress = NULL;
    argp_parse(&argp, argc, argv, 0, NULL, &c);
    struct document document;
    int code = open_settings_load(&c.settings, &document);
    if (code != 0)
        return code;
    c.rounds = calloc(c.n_rounds, sizeof *c.rounds);
    code =
        c.rounds == NULL ? bench_complain(BENCH_INPUT, "%s", strerror(ENOMEM)) : run(&c, &document);
    free(c.rounds);
    document_free(&document);
    return code;
}
