/* l0-bench side: arguments and output. */
#include "bench/bench.h"

#include "bench/cores.h"
#include "bench/side.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEY_TIMEOUT = 256, KEY_CORES };

struct command {
    struct side side;
    const char *file, *out;
    cpu_set_t cores;
};

static const struct argp_option options[] = {
    {.name = "contender",
     .key = 'c',
     .arg = "NAME=TARGET[,expect=TOKENS:ISSUES][,idle=N]",
     .doc = "A server, as --target of keepalive names it; the first one is compared with each "
            "other one. expect: the counts it answers with, if it does not lex. idle: silent "
            "connections held open beside the load"},
    {.name = "rounds", .key = 'r', .arg = "N", .doc = "Rounds (default 5)"},
    {.name = "out", .key = 'o', .arg = "PATH", .doc = "Write the figures as JSON"},
    {.name = "cores",
     .key = KEY_CORES,
     .arg = "LIST",
     .doc = "Pin the load's threads to these processors in turn, such as 0,2-3: else their "
            "placement by the scheduler is measured as well"},
    {.name = "timeout-ms",
     .key = KEY_TIMEOUT,
     .arg = "MS",
     .doc = "A reply that takes longer is a missing one (default 60000)"},
    {0},
};

/* One "key=value" behind a contender's target. */
static void parse_trait(struct argp_state *state, struct side_contender *c, char *trait)
{
    char *colon = strchr(trait, ':');
    if (strncmp(trait, "idle=", 5) == 0) {
        c->n_idle = (uint32_t)bench_number(state, "idle", trait + 5, 0, LOAD_IDLE_MAX);
    } else if (strncmp(trait, "expect=", 7) == 0 && colon != NULL) {
        *colon = '\0';
        c->n_tokens = (uint32_t)bench_number(state, "expect", trait + 7, 0, UINT32_MAX);
        c->issues_len = (uint32_t)bench_number(state, "expect", colon + 1, 0, UINT32_MAX);
        c->expected = true;
    } else {
        argp_error(state, "--contender: \"%s\" is neither expect=TOKENS:ISSUES nor idle=N", trait);
    }
}

static void parse_contender(struct argp_state *state, struct side *side, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        argp_error(state, "--contender: \"%s\" is not NAME=TARGET", text);
        return;
    }
    if (side->n_contenders == SIDE_CONTENDERS_MAX)
        argp_error(state, "at most %d contenders", SIDE_CONTENDERS_MAX);
    struct side_contender *c = &side->contenders[side->n_contenders++];
    *equals = '\0';
    c->name = text;
    char *rest = equals + 1;
    c->target = strsep(&rest, ",");
    while (rest != NULL)
        parse_trait(state, c, strsep(&rest, ","));
}

static error_t parse_argument(struct argp_state *state, struct command *c, char *arg)
{
    switch (state->arg_num) {
    case 0:
        c->file = arg;
        return 0;
    case 1:
        c->side.load.n_requests = bench_number(state, "ITERS", arg, 1, 100000000);
        return 0;
    case 2:
        c->side.load.n_threads = (uint32_t)bench_number(state, "THREADS", arg, 1, LOAD_THREADS_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *c = state->input;
    switch (key) {
    case 'c':
        parse_contender(state, &c->side, arg);
        return 0;
    case 'r':
        c->side.n_rounds = (uint32_t)bench_number(state, "--rounds", arg, 1, SIDE_ROUNDS_MAX);
        return 0;
    case 'o':
        c->out = arg;
        return 0;
    case KEY_CORES:
        cores_argument(state, "--cores", arg, &c->cores);
        c->side.load.cores = &c->cores;
        return 0;
    case KEY_TIMEOUT:
        c->side.load.timeout_ms = (unsigned)bench_number(state, "--timeout-ms", arg, 1, 86400000);
        return 0;
    case ARGP_KEY_ARG:
        return parse_argument(state, c, arg);
    case ARGP_KEY_END:
        if (state->arg_num < 3 || c->side.n_contenders == 0)
            argp_error(state, "FILE, ITERS, THREADS and a --contender are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run(struct command *c, const struct document *document)
{
    char failure[640];
    /* A tenth more comes first, unrecorded. */
    c->side.load.n_warmup = (c->side.load.n_requests + 9) / 10;
    int rc = side_run(&c->side, document, failure);
    if (rc != 0)
        return bench_complain(rc == -EPROTO ? BENCH_WRONG : BENCH_INPUT, "%s", failure);
    side_print(&c->side, document, stdout);
    if (fflush(stdout) != 0)
        return bench_complain(BENCH_INPUT, "standard output: %s", strerror(errno));
    rc = c->out == NULL ? 0 : bench_write_json(side_json(&c->side, document), c->out);
    return rc == 0 ? BENCH_OK : bench_complain(BENCH_INPUT, "%s: %s", c->out, strerror(-rc));
}

int bench_side_main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "FILE ITERS THREADS",
        .doc = "Puts the load of keepalive on several servers in turn, round after round (A B C, "
               "C B A, ...), and compares them: medians over the rounds and ratios.\v"
               "Exit codes: 0 done, 1 a wrong or missing reply, 2 a file or a server could not be "
               "reached, 64 usage.",
    };
    struct command c = {.side = {.n_rounds = 5, .load = {.timeout_ms = 60000, .progress = stderr}}};
    argp_parse(&argp, argc, argv, 0, NULL, &c);
    struct document document;
    int rc = document_load(&document, c.file, LEXER_LUALATEX);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "%s: %s", c.file,
                              rc == -ENODATA ? "the file is empty" : strerror(-rc));
    rc = run(&c, &document);
    side_free(&c.side);
    document_free(&document);
    return rc;
}
