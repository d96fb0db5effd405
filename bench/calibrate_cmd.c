/* l0-bench calibrate: what the load generator itself adds and can do, on this machine, now. */
#include "bench/bench.h"

#include "bench/calibrate.h"
#include "bench/contender.h"
#include "bench/fingerprint.h"
#include "bench/open_settings.h"
#include "bench/sink.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_ROUNDS = 256, KEY_SERVER_CORES, KEY_SAMPLES, KEY_FLOOD };

struct command {
    struct open_settings settings;
    struct calibrate calibrate;
    cpu_set_t server_cores;
    bool has_server_cores;
    bool spinning;
    struct sink pong, flood; /* ours, unless there is a --target */
};

static const struct argp_option options[] = {
    {"rounds", KEY_ROUNDS, "N", 0, "Rounds (default 9); medians over them are judged", 0},
    {"server-cores", KEY_SERVER_CORES, "LIST", 0,
     "Where the server that this command starts runs (default: all processors but the client's, "
     "and "
     "but the first where there are more than two)",
     0},
    {"flood", KEY_FLOOD, "N", 0,
     "Requests of the clients that send as fast as they can (default 50000)", 0},
    {"samples", KEY_SAMPLES, "N", 0,
     "Requests in the run on which a verdict is timed (default 1000000; 0: none is)", 0},
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
        c->calibrate.n_rounds =
            (unsigned)bench_number(state, "--rounds", arg, 1, CALIBRATE_ROUNDS_MAX);
        return 0;
    case KEY_SERVER_CORES:
        cores_argument(state, "--server-cores", arg, &c->server_cores);
        c->has_server_cores = true;
        return 0;
    case KEY_FLOOD:
        c->calibrate.n_flood =
            (uint32_t)bench_number(state, "--flood", arg, 100, OPEN_REQUESTS_MAX);
        return 0;
    case KEY_SAMPLES:
        c->calibrate.n_samples = (uint32_t)bench_number(state, "--samples", arg, 0, 100000000);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- where things run ----------------------------------------------------------------------- */

/* What was not said: the client on the last processor, the server on the others. It spins when it
 * has one that it shares with nobody, the first being everybody's. */
static void choose_cores(struct command *c)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    if (c->settings.load.cores == NULL) {
        cores_nth(&allowed, (unsigned)CPU_COUNT(&allowed) - 1, &c->settings.cores);
        c->settings.load.cores = &c->settings.cores;
    }
    if (!c->has_server_cores) {
        cpu_set_t first;
        cores_nth(&allowed, 0, &first);
        c->server_cores = allowed;
        if (CPU_COUNT(&allowed) > 1)
            cores_remove(&c->server_cores, &c->settings.cores);
        if (CPU_COUNT(&c->server_cores) > 1)
            cores_remove(&c->server_cores, &first);
        if (CPU_COUNT(&c->server_cores) == 0)
            c->server_cores = allowed;
    }
    cpu_set_t both;
    CPU_AND(&both, &c->server_cores, &c->settings.cores);
    c->spinning = CPU_COUNT(&allowed) > 2 && CPU_COUNT(&both) == 0;
}

/* One server for the single connection, which may spin; one with a sleeping thread for each of the
 * others, which would be in each other's way. */
static int start_servers(struct command *c)
{
    cpu_set_t first;
    cores_nth(&c->server_cores, 0, &first);
    int rc = sink_start(&c->pong, &first, c->spinning);
    if (rc == 0)
        rc = sink_start(&c->flood, &c->server_cores, false);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "the server: %s", strerror(-rc));
    c->settings.load.target = c->pong.target;
    c->calibrate.flood_target = c->flood.target;
    c->settings.load.n_tokens = c->settings.load.issues_len = 0;
    return 0;
}

/* ---- the report ----------------------------------------------------------------------------- */

static double plain(const struct calibrate *c, enum calibrate_figure figure)
{
    return calibrate_median(c, figure, CALIBRATE_PLAIN, figure).value;
}

static void print_figures(const struct command *c)
{
    static const struct {
        const char *name;
        enum calibrate_figure bare, open;
    } rows[] = {
        {"round trip P50, us", CALIBRATE_BARE_P50, CALIBRATE_OPEN_P50},
        {"round trip P99, us", CALIBRATE_BARE_P99, CALIBRATE_OPEN_P99},
        {"sent late by P99.9, us", CALIBRATE_BARE_LAG_P999, CALIBRATE_OPEN_LAG_P999},
        {"requests/s, saturated", CALIBRATE_BARE_RPS, CALIBRATE_OPEN_RPS},
    };
    const struct calibrate *calibrate = &c->calibrate;
    char client[128], server[128] = "elsewhere";
    cores_print(&c->settings.cores, client, sizeof client);
    if (c->pong.pid > 0)
        cores_print(&c->server_cores, server, sizeof server);
    printf("medians over %u rounds in turn; client on processor %.100s, server on %.100s%s\n",
           calibrate->n_rounds, client, server, c->spinning ? ", never sleeping" : "");
    printf("%-26s %12s %12s\n", "", "bare client", "generator");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf("%-26s %12.1f %12.1f\n", rows[i].name, plain(calibrate, rows[i].bare),
               plain(calibrate, rows[i].open));
    printf("the machine's own stalls: P99.9 %.1f us\n", plain(calibrate, CALIBRATE_STALL_P999));
}

static void print_targets(const struct calibrate_target *targets, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct calibrate_target *t = &targets[i];
        char interval[64] = "none";
        if (t->median.bounded)
            snprintf(interval, sizeof interval, "%.3g .. %.3g", t->median.low, t->median.high);
        printf("%-34s %8.3g %-2s  95 %% interval %-18s target %s %g: %s%s%s\n", t->what,
               t->median.value, t->unit, interval, t->at_least ? ">=" : "<=", t->limit,
               calibrate_verdict_text(t->verdict), t->note[0] != '\0' ? "; " : "", t->note);
    }
}

static json_t *bound(const struct calibrate_median *median, double value)
{
    return median->bounded ? json_real(value) : json_null();
}

static json_t *target_json(const struct calibrate_target *t)
{
    return json_pack("{s:s, s:s, s:f, s:f, s:o, s:o, s:s, s:s}", "name", t->name, "relation",
                     t->at_least ? ">=" : "<=", "limit", t->limit, "value", t->median.value, "low",
                     bound(&t->median, t->median.low), "high", bound(&t->median, t->median.high),
                     "verdict", calibrate_verdict_text(t->verdict), "note", t->note);
}

static json_t *result_json(const struct command *c, const struct calibrate_target *targets,
                           unsigned n)
{
    const struct calibrate *calibrate = &c->calibrate;
    json_t *rounds = json_array(), *judged = json_array();
    char client[128], server[128] = "";
    for (unsigned r = 0; r < calibrate->n_rounds; r++) {
        json_t *round = json_object();
        for (unsigned f = 0; f < CALIBRATE_FIGURES; f++)
            json_object_set_new(round, calibrate_figure_name(f),
                                json_real(calibrate->rounds[r][f]));
        json_array_append_new(rounds, round);
    }
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(judged, target_json(&targets[i]));
    cores_print(&c->settings.cores, client, sizeof client);
    if (c->pong.pid > 0)
        cores_print(&c->server_cores, server, sizeof server);
    return json_pack("{s:o, s:s, s:s, s:b, s:b, s:I, s:I, s:o, s:o}", "targets", judged,
                     "client_cores", client, "server_cores", server, "server_spins", c->spinning,
                     "busy_poll", c->settings.load.busy_poll, "rate",
                     (json_int_t)c->settings.load.rate, "samples", (json_int_t)calibrate->n_samples,
                     "machine", fingerprint_machine(), "rounds", rounds);
}

/* A target that was missed goes before one that cannot be told. */
static int exit_code(const struct calibrate_target *targets, unsigned n)
{
    int code = BENCH_OK;
    for (unsigned i = 0; i < n; i++) {
        if (targets[i].verdict == CALIBRATE_MISSED)
            return BENCH_WRONG;
        code = targets[i].verdict == CALIBRATE_CANNOT_TELL ? BENCH_INVALID : code;
    }
    return code;
}

static int report(const struct command *c)
{
    struct calibrate_target targets[CALIBRATE_TARGETS];
    unsigned n = calibrate_judge(&c->calibrate, targets);
    int code;
    if (c->settings.json) {
        code = bench_print_json(result_json(c, targets, n));
    } else {
        print_figures(c);
        print_targets(targets, n);
        code = bench_flush();
    }
    return code != BENCH_OK ? code : exit_code(targets, n);
}

/* ---- the command ---------------------------------------------------------------------------- */

static int run_rounds(struct command *c, const struct document *document)
{
    char failure[512];
    bool shown = !c->settings.quiet && isatty(STDERR_FILENO) == 1;
    for (unsigned r = 0; r < c->calibrate.n_rounds; r++) {
        if (shown)
            fprintf(stderr, "\r\033[Kround %u of %u", r + 1, c->calibrate.n_rounds);
        int rc = calibrate_round(&c->calibrate, document, r, failure);
        if (shown)
            fputs("\r\033[K", stderr);
        if (rc == 0 && contender_interrupted())
            rc = -EINTR;
        if (rc == -EINTR)
            return bench_complain(BENCH_INVALID, "interrupted");
        if (rc != 0)
            return bench_complain(rc == -EPROTO ? BENCH_WRONG : BENCH_INPUT, "%s",
                                  failure[0] != '\0' ? failure : strerror(-rc));
    }
    return 0;
}

static int run(struct command *c, const struct document *document)
{
    int code = 0;
    choose_cores(c);
    if (c->settings.load.target == NULL)
        code = start_servers(c);
    else
        c->calibrate.flood_target = c->settings.load.target;
    c->calibrate.load = c->settings.load;
    c->calibrate.load.progress = NULL;
    if (code == 0)
        code = run_rounds(c, document);
    if (code == 0)
        code = report(c);
    sink_stop(&c->pong);
    sink_stop(&c->flood);
    return code;
}

int bench_calibrate_main(int argc, char **argv)
{
    static const struct argp_child children[] = {{&open_settings_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .args_doc = "FILE",
        .doc =
            "Measures the load generator itself against a server that answers at once, which it "
            "starts on processors of its own: what the generator adds to a bare blocking ping-pong "
            "over one connection at --rate, how late it sends, how many requests a second it "
            "drives "
            "beside a hand-written client that saturates --conns connections, and how long a "
            "verdict on a stored run takes. Says of each target whether it is met.\v"
            "With --target the server is yours, such as l0-bench-sink with --expect 0,0. --cores "
            "is where the client runs (default: the last processor). Bare clients and generator "
            "take turns, in rounds; what is judged is the median over the rounds with its 95 % "
            "interval.\n\n"
            "Exit codes: 0 every target is met, 1 one is missed, or a reply was wrong or missing, "
            "2 a file or the server could not be reached, 3 it cannot be told on this machine, "
            "now, or it was interrupted, 64 usage.",
    };
    static struct command c;
    c.settings = open_settings_default();
    c.settings.load.target = NULL;
    c.settings.load.rate = 5000;
    c.settings.load.warmup_ns = 100000000;
    c.calibrate.n_rounds = 9;
    c.calibrate.n_flood = 50000;
    c.calibrate.n_samples = 1000000;
    struct document document;
    int code = open_settings_begin(&argp, argc, argv, &c, &c.settings, &document);
    if (code != 0)
        return code;
    contender_hold_signals();
    c.calibrate.rounds = calloc(c.calibrate.n_rounds, sizeof *c.calibrate.rounds);
    code = c.calibrate.rounds == NULL ? bench_complain(BENCH_INPUT, "%s", strerror(ENOMEM))
                                      : run(&c, &document);
    free(c.calibrate.rounds);
    document_free(&document);
    return code;
}
