#include "bench/open_settings.h"

#include "bench/bench.h"
#include "bench/cores.h"
#include "bench/hedge_counters.h"
#include "gate/decimal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WEEK_NS UINT64_C(604800000000000)

enum {
    KEY_RATE = 512,
    KEY_DURATION,
    KEY_WARMUP,
    KEY_CONNS,
    KEY_THREADS,
    KEY_ARRIVALS,
    KEY_SEED,
    KEY_CORES,
    KEY_BUSY_POLL,
    KEY_SPIN,
    KEY_TIMEOUT,
    KEY_MAX_LAG,
    KEY_FRAMING,
    KEY_EXPECT,
    KEY_REGIME,
    KEY_ADMIN,
    KEY_JSON,
    KEY_BINARY,
};

static const struct argp_option options[] = {
    {"rate", KEY_RATE, "R", 0, "Requests a second, of all connections together", 1},
    {"duration", KEY_DURATION, "S", 0, "How long, in seconds, or as 500ms", 1},
    {"warmup", KEY_WARMUP, "S", 0, "Before it, sent and checked, but not recorded (default 1)", 1},
    {"conns", KEY_CONNS, "N", 0,
     "Connections (default 16). A request that is due while all of them wait for replies is sent "
     "when one is free, and that wait counts",
     1},
    {"threads", KEY_THREADS, "N", 0, "Threads that share them (default 1)", 1},
    {"arrivals", KEY_ARRIVALS, "KIND", 0,
     "fixed (default): at equal distances; poisson: at exponential ones", 1},
    {"seed", KEY_SEED, "N", 0, "Of the Poisson arrivals (default 1)", 1},
    {"cores", KEY_CORES, "LIST", 0, "Pin the threads to these processors in turn, such as 0,2-3",
     1},
    {"busy-poll", KEY_BUSY_POLL, NULL, 0, "Never sleep: for threads with cores of their own", 1},
    {"spin-us", KEY_SPIN, "US", 0,
     "Stop sleeping so long before a request is due (default 50); 0 where the cores are the "
     "service's too",
     1},
    {"timeout-ms", KEY_TIMEOUT, "MS", 0,
     "A reply that comes later than so long after its request was due is an error (default 10000)",
     1},
    {"max-lag-ms", KEY_MAX_LAG, "MS", 0,
     "The run is not valid when P99.9 of the client's own lag is longer, and more than a tenth of "
     "the latency's (default 1)",
     1},
    {"target", 't', "TARGET", 0, "unix:PATH or tcp:HOST:PORT (default unix:/tmp/l0_lex_svc.sock)",
     2},
    {"framing", KEY_FRAMING, "KIND", 0,
     "l0 (default): replies are decoded and checked; length: any frame that begins with its length "
     "as 32 bits, big-endian, is a right reply",
     2},
    {"expect", KEY_EXPECT, "TOKENS,ISSUES", 0,
     "Expect these counts instead of those of the lexer in this program", 2},
    {"regime", KEY_REGIME, "NAME", 0, "The service's regime: lualatex (default) or pdflatex", 2},
    {"admin", KEY_ADMIN, "HOST:PORT", 0,
     "Where the service's metrics are, for the hedge counters (default 127.0.0.1:9109; empty: not "
     "read)",
     2},
    {"quiet", 'q', NULL, 0, "No progress on the terminal", 3},
    {"json", KEY_JSON, NULL, 0, "Print the result as JSON", 3},
    {"binary", KEY_BINARY, NULL, 0, "Store rows in rows.bin, a quarter of the size of rows.csv", 3},
    {0},
};

uint64_t open_settings_duration_ns(struct argp_state *state, const char *name, const char *text)
{
    size_t length = strlen(text);
    bool is_ms = length > 2 && strcmp(text + length - 2, "ms") == 0;
    size_t number = is_ms ? length - 2 : length - (length > 1 && text[length - 1] == 's');
    uint64_t ns = 0;
    if (decimal_parse(text, number, is_ms ? 6 : 9, &ns) != DECIMAL_OK || ns < 1000000 ||
        ns > WEEK_NS)
        argp_error(state, "%s: \"%s\" is not a time in seconds such as 10, 2.5 or 500ms", name,
                   text);
    return ns;
}

static void parse_expect(struct argp_state *state, struct open_settings *s, const char *pair)
{
    const char *comma = strchr(pair, ',');
    char tokens[16];
    if (comma == NULL || (size_t)(comma - pair) >= sizeof tokens) {
        argp_error(state, "--expect: \"%s\" is not TOKENS,ISSUES", pair);
        return;
    }
    snprintf(tokens, sizeof tokens, "%.*s", (int)(comma - pair), pair);
    s->load.n_tokens = (uint32_t)bench_number(state, "--expect TOKENS", tokens, 0, UINT32_MAX);
    s->load.issues_len = (uint32_t)bench_number(state, "--expect ISSUES", comma + 1, 0, UINT32_MAX);
    s->expected = true;
}

/* Which of two words; argp_error for another. */
static bool is_second(struct argp_state *state, const char *name, const char *text,
                      const char *first, const char *second)
{
    if (strcmp(text, first) != 0 && strcmp(text, second) != 0)
        argp_error(state, "%s: \"%s\" is neither %s nor %s", name, text, first, second);
    return strcmp(text, second) == 0;
}

static void check_together(struct argp_state *state, const struct open_settings *s)
{
    const struct open_options *o = &s->load;
    if (s->file == NULL)
        argp_error(state, "FILE is needed");
    if (s->needs_schedule && (!s->has_rate || !s->has_duration))
        argp_error(state, "--rate and --duration are needed");
    if (o->n_threads > o->n_conns)
        argp_error(state, "--threads %u is more than --conns %u", o->n_threads, o->n_conns);
    double n = (double)o->rate * (double)(o->duration_ns + o->warmup_ns) / 1e9;
    if (n > OPEN_REQUESTS_MAX)
        argp_error(state, "--rate and --duration make %.3g requests, more than %u", n,
                   OPEN_REQUESTS_MAX);
}

static error_t parse_target(int key, char *arg, struct argp_state *state)
{
    struct open_settings *s = state->input;
    switch (key) {
    case 't':
        s->load.target = arg;
        return 0;
    case 'q':
        s->quiet = true;
        s->load.progress = NULL;
        return 0;
    case KEY_FRAMING:
        s->load.any_reply = is_second(state, "--framing", arg, "l0", "length");
        return 0;
    case KEY_EXPECT:
        parse_expect(state, s, arg);
        return 0;
    case KEY_REGIME:
        s->regime = is_second(state, "--regime", arg, "lualatex", "pdflatex") ? LEXER_PDFLATEX
                                                                              : LEXER_LUALATEX;
        return 0;
    case KEY_ADMIN:
        s->admin = arg;
        return 0;
    case KEY_JSON:
        s->json = true;
        return 0;
    case KEY_BINARY:
        s->binary = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            return ARGP_ERR_UNKNOWN;
        s->file = arg;
        return 0;
    case ARGP_KEY_END:
        check_together(state, s);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct open_settings *s = state->input;
    struct open_options *o = &s->load;
    switch (key) {
    case KEY_RATE:
        o->rate = (uint32_t)bench_number(state, "--rate", arg, 1, OPEN_RATE_MAX);
        s->has_rate = true;
        return 0;
    case KEY_DURATION:
        o->duration_ns = open_settings_duration_ns(state, "--duration", arg);
        s->has_duration = true;
        return 0;
    case KEY_WARMUP:
        o->warmup_ns =
            strcmp(arg, "0") == 0 ? 0 : open_settings_duration_ns(state, "--warmup", arg);
        return 0;
    case KEY_CONNS:
        o->n_conns = (uint32_t)bench_number(state, "--conns", arg, 1, OPEN_CONNS_MAX);
        return 0;
    case KEY_THREADS:
        o->n_threads = (uint32_t)bench_number(state, "--threads", arg, 1, OPEN_THREADS_MAX);
        return 0;
    case KEY_ARRIVALS:
        o->poisson = is_second(state, "--arrivals", arg, "fixed", "poisson");
        return 0;
    case KEY_SEED:
        o->seed = bench_number(state, "--seed", arg, 0, UINT32_MAX);
        return 0;
    case KEY_CORES:
        cores_argument(state, "--cores", arg, &s->cores);
        o->cores = &s->cores;
        return 0;
    case KEY_BUSY_POLL:
        o->busy_poll = true;
        return 0;
    case KEY_SPIN:
        o->spin_ns = bench_number(state, "--spin-us", arg, 0, 1000000) * 1000;
        return 0;
    case KEY_TIMEOUT:
        o->timeout_ms = (unsigned)bench_number(state, "--timeout-ms", arg, 1, 86400000);
        return 0;
    case KEY_MAX_LAG:
        if (decimal_parse(arg, strlen(arg), 6, &o->max_lag_ns) != DECIMAL_OK)
            argp_error(state, "--max-lag-ms: \"%s\" is not a time in ms such as 1 or 0.05", arg);
        return 0;
    default:
        return parse_target(key, arg, state);
    }
}

const struct argp open_settings_argp = {.options = options, .parser = parse};

struct open_settings open_settings_default(void)
{
    return (struct open_settings){
        .load = {.target = "unix:/tmp/l0_lex_svc.sock",
                 .rate = 1,
                 .duration_ns = 1000000000,
                 .warmup_ns = 1000000000,
                 .n_conns = 16,
                 .n_threads = 1,
                 .seed = 1,
                 .spin_ns = 50000,
                 .timeout_ms = 10000,
                 .max_lag_ns = 1000000,
                 .progress = stderr},
        .admin = "127.0.0.1:9109",
        .regime = LEXER_LUALATEX,
    };
}

static int load_document(struct open_settings *s, struct document *document)
{
    int rc = document_load(document, s->file, s->regime);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "%s: %s", s->file,
                              rc == -ENODATA ? "the file is empty" : strerror(-rc));
    if (!s->expected) {
        s->load.n_tokens = document->n_tokens;
        s->load.issues_len = document->issues_len;
    }
    return 0;
}

int open_settings_begin(const struct argp *argp, int argc, char **argv, void *command,
                        struct open_settings *settings, struct document *document)
{
    argp_parse(argp, argc, argv, 0, NULL, command);
    return load_document(settings, document);
}

/* A reply may reach us a moment before the service has counted it: a few looks are taken. */
static void read_counters_after(struct open_session *session, const char *admin,
                                const char *text_before)
{
    struct service_metrics before = service_metrics_parse(text_before);
    json_t *hedges_before = hedge_counters_parse(text_before);
    for (int looks = 0; looks < 10 && !session->metrics.known; looks++) {
        if (looks > 0)
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        char *text = service_metrics_text(admin);
        if (text == NULL)
            break;
        struct service_metrics after = service_metrics_parse(text);
        session->metrics = service_metrics_difference(&before, &after, session->result.n_sent);
        json_t *hedges_after = hedge_counters_parse(text);
        json_decref(session->hedge_counters);
        session->hedge_counters = hedge_counters_difference(hedges_before, hedges_after);
        json_decref(hedges_after);
        free(text);
    }
    json_decref(hedges_before);
    if (!session->metrics.known) {
        json_decref(session->hedge_counters);
        session->hedge_counters = NULL; /* others' requests are among them */
    }
}

int open_session_run(struct open_session *session, const struct open_settings *settings,
                     const struct document *document)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *session = (struct open_session){.started_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9};
    char *before = settings->admin[0] != '\0' ? service_metrics_text(settings->admin) : NULL;
    struct fault_watch *watch = before != NULL ? fault_watch_start(settings->admin, before) : NULL;
    int rc = open_run(&settings->load, document, &session->result);
    fault_watch_stop(watch, &session->faults);
    if (rc == 0 && before != NULL) {
        read_counters_after(session, settings->admin, before);
        session->tail = service_tail_text(settings->admin);
    }
    free(before);
    bool nobody_there = rc == -ENOENT || rc == -ECONNREFUSED;
    if (rc != 0)
        return bench_complain(
            BENCH_INPUT, "%s%s", session->result.failure,
            nobody_there ? "; is the service running? (make service-run starts it)" : "");
    return 0;
}

void open_session_free(struct open_session *session)
{
    open_free(&session->result);
    free(session->tail);
    session->tail = NULL;
    fault_spans_free(&session->faults);
    json_decref(session->hedge_counters);
    session->hedge_counters = NULL;
}

struct open_store open_session_store(const struct open_session *session,
                                     const struct open_settings *settings,
                                     const struct document *document)
{
    return (struct open_store){
        .options = &settings->load,
        .document = document,
        .result = &session->result,
        .metrics = &session->metrics,
        .hedge_counters = session->hedge_counters,
        .tail = session->tail,
        .faults = &session->faults,
        .started_s = session->started_s,
        .command_line = "",
        .binary = settings->binary,
    };
}
