/* l0-bench keepalive and oneshot: arguments, the run, and what is done with its result. */
#include "bench/bench.h"

#include "bench/cores.h"
#include "bench/jitter.h"
#include "bench/load.h"
#include "bench/load_report.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    KEY_ADMIN = 256,
    KEY_CORES,
    KEY_EXPECT,
    KEY_IDLE,
    KEY_JSON,
    KEY_REGIME,
    KEY_TAIL_RESET,
    KEY_TIMEOUT,
    KEY_WARMUP
};

/* Stalls of the machine after so long are not recorded. */
#define JITTER_MAX_NS UINT64_C(3600000000000)

struct command {
    struct load_options load;
    cpu_set_t cores;
    const char *file, *out, *admin;
    enum lexer_regime regime;
    bool json, expected, tail_reset;
};

static const struct argp_option options[] = {
    {.name = "out",
     .key = 'o',
     .arg = "PATH",
     .doc = "Raw round trips, one value in ms a line; the summary goes to PATH.json (default "
            "/tmp/latencies_ms.txt)"},
    {.name = "target",
     .key = 't',
     .arg = "TARGET",
     .doc = "unix:PATH or tcp:HOST:PORT (default unix:/tmp/l0_lex_svc.sock)"},
    {.name = "regime",
     .key = KEY_REGIME,
     .arg = "NAME",
     .doc = "The service's regime: lualatex (default) or pdflatex"},
    {.name = "admin",
     .key = KEY_ADMIN,
     .arg = "HOST:PORT",
     .doc = "Where the service's metrics are, for the hedge counters (default 127.0.0.1:9109; "
            "empty: not read)"},
    {.name = "tail-reset",
     .key = KEY_TAIL_RESET,
     .doc = "Let the service forget its slowest requests before the run, so that its tail is this "
            "run's"},
    {.name = "warmup",
     .key = KEY_WARMUP,
     .arg = "N",
     .doc = "Send N requests before those that are recorded (default 0)"},
    {.name = "idle",
     .key = KEY_IDLE,
     .arg = "N",
     .doc = "Hold N silent connections open all the while (default 0)"},
    {.name = "cores",
     .key = KEY_CORES,
     .arg = "LIST",
     .doc = "Pin the threads to these processors in turn, such as 0,2-3"},
    {.name = "timeout-ms",
     .key = KEY_TIMEOUT,
     .arg = "MS",
     .doc = "A reply that takes longer is a missing one (default 60000)"},
    {.name = "expect",
     .key = KEY_EXPECT,
     .arg = "TOKENS,ISSUES",
     .doc = "Expect these counts instead of those of the lexer in this program (for a server that "
            "does not lex)"},
    {.name = "json", .key = KEY_JSON, .doc = "Print the summary as JSON"},
    {.name = "quiet", .key = 'q', .doc = "No progress on standard error"},
    {0},
};

static void parse_expect(struct argp_state *state, struct command *c, char *pair)
{
    char *comma = strchr(pair, ',');
    if (comma == NULL) {
        argp_error(state, "--expect: \"%s\" is not TOKENS,ISSUES", pair);
        return;
    }
    *comma = '\0';
    c->load.n_tokens = (uint32_t)bench_number(state, "--expect TOKENS", pair, 0, UINT32_MAX);
    c->load.issues_len = (uint32_t)bench_number(state, "--expect ISSUES", comma + 1, 0, UINT32_MAX);
    c->expected = true;
}

static error_t parse_argument(struct argp_state *state, struct command *c, char *arg)
{
    switch (state->arg_num) {
    case 0:
        c->file = arg;
        return 0;
    case 1:
        c->load.n_requests = bench_number(state, "ITERS", arg, 1, 1000000000);
        return 0;
    case 2:
        c->load.n_threads = (uint32_t)bench_number(state, "THREADS", arg, 1, LOAD_THREADS_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *c = state->input;
    int regime;
    switch (key) {
    case 'o':
        c->out = arg;
        return 0;
    case 't':
        c->load.target = arg;
        return 0;
    case 'q':
        c->load.progress = NULL;
        return 0;
    case KEY_ADMIN:
        c->admin = arg;
        return 0;
    case KEY_CORES:
        cores_argument(state, "--cores", arg, &c->cores);
        c->load.cores = &c->cores;
        return 0;
    case KEY_EXPECT:
        parse_expect(state, c, arg);
        return 0;
    case KEY_IDLE:
        c->load.n_idle = (uint32_t)bench_number(state, "--idle", arg, 0, LOAD_IDLE_MAX);
        return 0;
    case KEY_JSON:
        c->json = true;
        return 0;
    case KEY_REGIME:
        regime = document_regime(arg);
        if (regime < 0)
            argp_error(state, "--regime: \"%s\" is neither lualatex nor pdflatex", arg);
        c->regime = (enum lexer_regime)regime;
        return 0;
    case KEY_TAIL_RESET:
        c->tail_reset = true;
        return 0;
    case KEY_TIMEOUT:
        c->load.timeout_ms = (unsigned)bench_number(state, "--timeout-ms", arg, 1, 86400000);
        return 0;
    case KEY_WARMUP:
        c->load.n_warmup = bench_number(state, "--warmup", arg, 0, 1000000000);
        return 0;
    case ARGP_KEY_ARG:
        return parse_argument(state, c, arg);
    case ARGP_KEY_END:
        if (state->arg_num < 3)
            argp_error(state, "FILE, ITERS and THREADS are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A reply may reach us a moment before the service has counted it: a few looks are taken. */
static struct service_metrics
metrics_of_run(const char *admin, const struct service_metrics *before, uint64_t n_requests)
{
    struct service_metrics of_run = {0};
    for (int looks = 0; before->known && looks < 10 && !of_run.known; looks++) {
        if (looks > 0)
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        struct service_metrics after = service_metrics_read(admin);
        of_run = service_metrics_difference(before, &after, n_requests);
    }
    return of_run;
}

/* Writes and prints what the run left; the exit code. */
static int report_run(const struct command *c, const struct load_report *report)
{
    char summary_path[PATH_MAX];
    int n = snprintf(summary_path, sizeof summary_path, "%s.json", c->out);
    if (n < 0 || (size_t)n >= sizeof summary_path)
        return bench_complain(BENCH_INPUT, "%s: %s", c->out, strerror(ENAMETOOLONG));
    int rc = load_report_write_raw(report);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "%s: %s", c->out, strerror(-rc));
    json_t *summary = load_report_json(report);
    if (c->json && summary != NULL) {
        json_dumpf(summary, stdout, BENCH_JSON_FLAGS);
        putchar('\n');
    } else {
        load_report_print(report, stdout);
    }
    rc = bench_write_json(summary, summary_path);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "%s: %s", summary_path, strerror(-rc));
    if (fflush(stdout) != 0)
        return bench_complain(BENCH_INPUT, "standard output: %s", strerror(errno));
    if (report->result->n_errors > 0)
        return bench_complain(BENCH_WRONG, "%s", report->result->failure);
    return BENCH_OK;
}

static int run(struct command *c, const struct document *document)
{
    if (!c->expected) {
        c->load.n_tokens = document->n_tokens;
        c->load.issues_len = document->issues_len;
    }
    bool use_admin = c->admin[0] != '\0';
    if (c->tail_reset && (!use_admin || service_tail_reset(c->admin) != 0))
        return bench_complain(BENCH_INPUT,
                              "--tail-reset: no service answered at http://%s (start "
                              "it with metrics on: L0_PROM=1)",
                              c->admin);
    struct service_metrics before = {0};
    if (use_admin)
        before = service_metrics_read(c->admin);
    struct load_result result;
    struct jitter_result jitter;
    struct timespec started;
    clock_gettime(CLOCK_REALTIME, &started);
    struct jitter *probe = jitter_start(JITTER_MAX_NS);
    int rc = load_run(&c->load, document, &result);
    jitter_stop(probe, &jitter);
    if (rc < 0) {
        jitter_result_free(&jitter);
        bench_complain(BENCH_INPUT, "%s; is the service running? (make service-run starts it)",
                       result.failure);
        load_free(&result);
        return BENCH_INPUT;
    }
    struct service_metrics metrics = {0};
    if (result.n_errors == 0)
        metrics = metrics_of_run(c->admin, &before, c->load.n_warmup + c->load.n_requests);
    struct load_report report = {
        .options = &c->load,
        .document = document,
        .result = &result,
        .metrics = &metrics,
        .jitter = &jitter,
        .started_s = (double)started.tv_sec + (double)started.tv_nsec / 1e9,
        .raw_path = c->out,
    };
    rc = report_run(c, &report);
    jitter_result_free(&jitter);
    load_free(&result);
    return rc;
}

int bench_load_main(int argc, char **argv, bool oneshot)
{
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE ITERS THREADS",
        .doc = oneshot ? "Sends FILE to the service ITERS times from THREADS threads, each request "
                         "on a fresh connection whose connect is timed with it, and checks every "
                         "reply.\v"
                         "Exit codes: 0 all replies right, 1 a wrong or missing reply, 2 a file or "
                         "the service could not be reached, 64 usage."
                       : "Sends FILE to the service ITERS times in all over THREADS connections, "
                         "each waiting for a reply before it sends again, and checks every reply "
                         "against the lexer in this program.\v"
                         "The summary holds requests, errors, hedges_fired and hedge_wins (null "
                         "when not known), origins, elapsed_s, throughput_rps, and round_trip_ms "
                         "with exact quantiles.\n\n"
                         "Exit codes: 0 all replies right, 1 a wrong or missing reply, 2 a file or "
                         "the service could not be reached, 64 usage.",
    };
    struct command c = {
        .load = {.target = "unix:/tmp/l0_lex_svc.sock",
                 .oneshot = oneshot,
                 .timeout_ms = 60000,
                 .progress = stderr},
        .out = "/tmp/latencies_ms.txt",
        .admin = "127.0.0.1:9109",
        .regime = LEXER_LUALATEX,
    };
    argp_parse(&argp, argc, argv, 0, NULL, &c);
    struct document document;
    int rc = document_load(&document, c.file, c.regime);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "%s: %s", c.file,
                              rc == -ENODATA ? "the file is empty" : strerror(-rc));
    rc = run(&c, &document);
    document_free(&document);
    return rc;
}
