/* l0-bench find-max: the highest rate at which a rule still holds. */
#include "bench/bench.h"

#include "bench/open_settings.h"
#include "gate/rule.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX   128
#define REPEATS_MAX 2

enum { KEY_SLO = 256, KEY_FROM, KEY_TO, KEY_PRECISION };

/* What came of a rate. */
enum outcome { HELD, BROKEN, UNPROVED, NOT_VALID };

struct
try {
    uint32_t rate;
    enum outcome outcome;
    struct report_text value;
    struct report_text interval;
};

struct command {
    struct open_settings settings;
    struct rules slo;
    struct gate_error error;
    uint32_t from, to;
    double precision; /* 0.05: the answer is at most 5 % too low */
    struct try tries[TRIES_MAX];
    size_t n_tries;
};

static const struct argp_option options[] = {
    {"slo", KEY_SLO, "RULE", 0,
     "What must hold, in the gate's language, such as p99.9<=20ms; again for more", 0},
    {"from", KEY_FROM, "R", 0, "The lowest rate (default 100)", 0},
    {"to", KEY_TO, "R", 0, "The highest rate (default 1000000)", 0},
    {"precision", KEY_PRECISION, "PERCENT", 0, "Stop when so close (default 5)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &c->settings;
        return 0;
    case KEY_SLO:
        if (rule_add(&c->slo, arg, "--slo", &c->error) != 0)
            argp_error(state, "%s", c->error.text);
        return 0;
    case KEY_FROM:
        c->from = (uint32_t)bench_number(state, "--from", arg, 1, OPEN_RATE_MAX);
        return 0;
    case KEY_TO:
        c->to = (uint32_t)bench_number(state, "--to", arg, 1, OPEN_RATE_MAX);
        return 0;
    case KEY_PRECISION:
        c->precision = (double)bench_number(state, "--precision", arg, 1, 100) / 100;
        return 0;
    case ARGP_KEY_END:
        if (c->slo.n == 0)
            argp_error(state, "--slo is needed");
        if (c->settings.has_rate)
            argp_error(state, "--rate is what is looked for: --from and --to bound it");
        if (c->from > c->to)
            argp_error(state, "--from %u is more than --to %u", c->from, c->to);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* All rules must pass; a reply that is wrong or missing breaks the rate, whatever the rules say. */
static int judge_try(const struct command *c, const struct open_session *session, struct try *try)
{
    struct evidence evidence = {.runs = calloc(1, sizeof *evidence.runs), .n_runs = 1};
    struct gate_error error = {0};
    int rc = evidence.runs == NULL ? -ENOMEM : open_to_run(&session->result, &evidence.runs[0]);
    if (rc == 0 && session->metrics.known)
        evidence.runs[0].counters.hedges_fired =
            (struct counter){true, session->metrics.hedges_fired};
    if (rc == 0 && evidence_pool(&evidence, &error) != 0)
        rc = -ENOMEM;
    try->outcome = session->result.n_errors > 0 ? BROKEN : HELD;
    for (size_t i = 0; i < c->slo.n && rc == 0 && evidence.pooled.n > 0; i++) {
        struct judgement judgement;
        rc = rule_judge(&c->slo.rules[i], &evidence, &judgement, &error) != 0 ? -ENOMEM : 0;
        if (rc != 0)
            break;
        enum outcome outcome = judgement.verdict == VERDICT_PASS      ? HELD
                               : judgement.verdict == VERDICT_FAIL    ? BROKEN
                               : judgement.verdict == VERDICT_INVALID ? NOT_VALID
                                                                      : UNPROVED;
        bool first_not_held = outcome != HELD && try->outcome == HELD;
        if (i == 0 || first_not_held) {
            try->value = judgement.value;
            try->interval = judgement.interval;
        }
        if (first_not_held)
            try->outcome = outcome;
    }
    if (session->result.why_invalid[0] != '\0')
        try->outcome = NOT_VALID;
    evidence_free(&evidence);
    return rc == 0 ? 0 : bench_complain(BENCH_INPUT, "%s", strerror(-rc));
}

static const char *outcome_text(enum outcome outcome)
{
    static const char *const texts[] = {"holds", "broken", "not shown to hold",
                                        "the generator was the bottleneck"};
    return texts[outcome];
}

static int try_once(struct command *c, const struct document *document, uint32_t rate,
                    enum outcome *outcome)
{
    struct open_session session;
    if (c->n_tries == TRIES_MAX)
        return bench_complain(BENCH_INPUT, "no answer after %d rates", TRIES_MAX);
    struct try *try = &c->tries[c->n_tries++];
    *try = (struct try){.rate = rate};
    c->settings.load.rate = rate;
    int code = open_session_run(&session, &c->settings, document);
    if (code == 0)
        code = judge_try(c, &session, try);
    if (code == 0 && session.result.interrupted)
        code = bench_complain(BENCH_INVALID, "interrupted");
    open_session_free(&session);
    *outcome = try->outcome;
    if (code == 0 && !c->settings.json)
        printf("%10u/s  %s, 95 %% interval %s: %s\n", rate, try->value.text, try->interval.text,
               outcome_text(try->outcome));
    fflush(stdout);
    return code;
}

/* Tries a rate, again when a run is not valid: a stall of the machine may have done that. 0 or an
 * exit code after a message. */
static int try_rate(struct command *c, const struct document *document, uint32_t rate,
                    enum outcome *outcome)
{
    int code;
    int repeats = 0;
    do
        code = try_once(c, document, rate, outcome);
    while (code == 0 && *outcome == NOT_VALID && repeats++ < REPEATS_MAX);
    return code;
}

/* Doubles while it holds, then halves the distance, as ratios. *best: the highest rate that held, 0
 * for none; *limit: the outcome of the lowest rate that did not. */
static int search(struct command *c, const struct document *document, uint32_t *best,
                  enum outcome *limit)
{
    uint32_t low = 0, high = 0;
    enum outcome outcome = NOT_VALID;
    int code = 0;
    *limit = HELD;
    for (uint64_t rate = c->from; code == 0 && high == 0 && low < c->to; rate *= 2) {
        uint32_t next = rate < c->to ? (uint32_t)rate : c->to;
        code = try_rate(c, document, next, &outcome);
        if (outcome == HELD) {
            low = next;
        } else {
            high = next;
            *limit = outcome;
        }
    }
    while (code == 0 && low > 0 && high > low + 1 &&
           (double)high > (double)low * (1 + c->precision)) {
        uint32_t middle = (uint32_t)sqrt((double)low * (double)high);
        middle = middle <= low ? low + 1 : middle;
        code = try_rate(c, document, middle, &outcome);
        if (outcome == HELD) {
            low = middle;
        } else {
            high = middle;
            *limit = outcome;
        }
    }
    *best = low;
    return code;
}

static json_t *result_json(const struct command *c, uint32_t best, enum outcome limit)
{
    json_t *tries = json_array();
    for (size_t i = 0; i < c->n_tries; i++)
        json_array_append_new(
            tries, json_pack("{s:I, s:s, s:s, s:s}", "rate", (json_int_t)c->tries[i].rate, "value",
                             c->tries[i].value.text, "interval", c->tries[i].interval.text,
                             "outcome", outcome_text(c->tries[i].outcome)));
    return json_pack("{s:o, s:s, s:f, s:o}", "max_rate",
                     best > 0 ? json_integer((json_int_t)best) : json_null(), "above_it",
                     limit == HELD ? "not tried" : outcome_text(limit), "precision", c->precision,
                     "tries", tries);
}

static int report(const struct command *c, uint32_t best, enum outcome limit)
{
    int code = BENCH_OK;
    if (c->settings.json)
        code = bench_print_json(result_json(c, best, limit));
    else if (best > 0)
        printf("highest rate that holds: %u requests/s; above it: %s\n", best,
               limit == HELD ? "not tried (--to)" : outcome_text(limit));
    else
        printf("no rate from %u/s on holds: %s\n", c->from, outcome_text(limit));
    if (code == BENCH_OK)
        code = bench_flush();
    if (code != BENCH_OK)
        return code;
    if (limit == NOT_VALID)
        return bench_complain(BENCH_INVALID, "the load generator, not the service, is the limit");
    return best > 0 ? BENCH_OK : BENCH_WRONG;
}

int bench_find_max_main(int argc, char **argv)
{
    static const struct argp_child children[] = {{&open_settings_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .args_doc = "--slo RULE FILE",
        .doc =
            "Searches the highest rate of the load of open at which every RULE holds: doubles it "
            "while they do, then closes in.\v"
            "A rule holds only when its whole 95 % interval does: --duration (default 5) must "
            "be long enough to show it at the lowest rate (P99.9 needs 3688 requests).\n\n"
            "Exit codes: 0 found, 1 no rate holds, 2 a file or the service could not be reached, "
            "3 the load generator was the limit, 64 usage.",
    };
    static struct command c = {.from = 100, .to = 1000000, .precision = 0.05};
    c.settings = open_settings_default();
    c.settings.load.duration_ns = UINT64_C(5000000000);
    struct document document;
    int code = open_settings_begin(&argp, argc, argv, &c, &c.settings, &document);
    if (code != 0)
        return code;
    uint32_t best = 0;
    enum outcome limit = HELD;
    code = search(&c, &document, &best, &limit);
    if (code == 0)
        code = report(&c, best, limit);
    document_free(&document);
    return code;
}
