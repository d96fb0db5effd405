/* l0-bench ab: two servers in turn, A B B A A B B A ..., each freshly started for every run. */
#include "bench/bench.h"

#include "bench/contender.h"
#include "bench/open_settings.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAIRS_MAX     1000
#define REPEATS_MAX   3 /* of a pair with a run that is not valid */
#define PAIRS_DEFAULT 48

enum { KEY_A = 256, KEY_B, KEY_PAIRS };

struct command {
    struct open_settings settings;
    const char *commands[2];
    const char *out;
    unsigned n_pairs;
    char socket_dir[64];
    char socket_path[96];
};

static const struct argp_option options[] = {
    {"a", KEY_A, "CMD", 0,
     "The base: a command of the shell that listens on the Unix socket $L0_UNIX and ends on "
     "SIGTERM",
     0},
    {"b", KEY_B, "CMD", 0, "What is compared with it", 0},
    {"pairs", KEY_PAIRS, "N", 0, "Runs of each (default 48)", 0},
    {"out", 'o', "DIR", 0, "Store the runs in DIR/a and DIR/b, for l0-gate compare DIR/a DIR/b", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &c->settings;
        return 0;
    case KEY_A:
    case KEY_B:
        c->commands[key - KEY_A] = arg;
        return 0;
    case KEY_PAIRS:
        c->n_pairs = (unsigned)bench_number(state, "--pairs", arg, 1, PAIRS_MAX);
        return 0;
    case 'o':
        c->out = arg;
        return 0;
    case ARGP_KEY_END:
        if (c->commands[0] == NULL || c->commands[1] == NULL || c->out == NULL)
            argp_error(state, "--a, --b and --out are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* One run of one side against its server, which is up. */
static int measure(const struct command *c, int side, const char *directory,
                   const struct document *document, bool *valid)
{
    struct open_session session;
    int code = open_session_run(&session, &c->settings, document);
    if (code == 0) {
        struct open_store to_store = open_session_store(&session, &c->settings, document);
        to_store.server = c->commands[side];
        json_t *summary = open_store_json(&to_store);
        code = open_store_keep(&to_store, directory, summary);
        json_decref(summary);
        *valid = session.result.why_invalid[0] == '\0';
        if (code == 0 && session.result.interrupted)
            code = bench_complain(BENCH_INVALID, "interrupted");
        else if (code == 0 && session.result.n_errors > 0)
            code =
                bench_complain(BENCH_WRONG, "%s: %llu requests had no right reply; %s", directory,
                               (unsigned long long)session.result.n_errors, session.result.failure);
    }
    open_session_free(&session);
    return code;
}

static int run_side(const struct command *c, int side, unsigned pair,
                    const struct document *document, bool *valid)
{
    char directory[PATH_MAX], log[PATH_MAX];
    struct contender contender;
    int n = snprintf(directory, sizeof directory, "%s/%c/%03u", c->out, "ab"[side], pair + 1);
    if (n < 0 || (size_t)n + sizeof "/server.log" > sizeof log)
        return bench_complain(BENCH_INPUT, "%s: %s", c->out, strerror(ENAMETOOLONG));
    snprintf(log, sizeof log, "%.*s/server.log", PATH_MAX - 16, directory);
    int rc = open_store_begin(directory);
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "%s: %s", directory, strerror(-rc));
    if (contender_interrupted())
        return bench_complain(BENCH_INVALID, "interrupted");
    rc = contender_start(&contender, c->commands[side], c->socket_path, log);
    if (rc == -EINTR)
        return bench_complain(BENCH_INVALID, "interrupted");
    if (rc != 0)
        return bench_complain(BENCH_INPUT, "--%c: %s (its output is in %s)", "ab"[side],
                              rc == -ECHILD      ? "the server ended before it listened"
                              : rc == -ETIMEDOUT ? "the server does not listen on $L0_UNIX"
                                                 : strerror(-rc),
                              log);
    int code = measure(c, side, directory, document, valid);
    rc = contender_stop(&contender);
    unlink(c->socket_path);
    if (code == 0 && rc != 0)
        code = bench_complain(BENCH_WRONG, "--%c: the server did not end well (see %s)", "ab"[side],
                              log);
    return code;
}

/* Both runs of a pair, B first in every other one; again when one of them is not valid. */
static int run_pair(const struct command *c, unsigned pair, const struct document *document,
                    bool *valid)
{
    int code = 0;
    *valid = false;
    for (int repeat = 0; repeat <= REPEATS_MAX && !*valid && code == 0; repeat++) {
        bool side_valid[2] = {false, false};
        for (int turn = 0; turn < 2 && code == 0; turn++) {
            int side = (int)(((unsigned)turn ^ pair) & 1);
            code = run_side(c, side, pair, document, &side_valid[side]);
        }
        *valid = side_valid[0] && side_valid[1];
    }
    return code;
}

static int report(const struct command *c, unsigned n_valid)
{
    if (c->settings.json)
        return bench_print_json(json_pack("{s:s, s:I, s:I}", "out", c->out, "pairs",
                                          (json_int_t)c->n_pairs, "valid_pairs",
                                          (json_int_t)n_valid));
    printf("%u pairs, %u of them valid, in %s/a and %s/b\njudge them: l0-gate compare "
           "--drop-invalid %s/a %s/b\n",
           c->n_pairs, n_valid, c->out, c->out, c->out, c->out);
    return bench_flush();
}

static int run_all(struct command *c, const struct document *document)
{
    unsigned n_valid = 0;
    int code = 0;
    for (unsigned pair = 0; pair < c->n_pairs && code == 0; pair++) {
        bool valid;
        code = run_pair(c, pair, document, &valid);
        n_valid += code == 0 && valid;
        if (code == 0)
            fprintf(stderr, "l0-bench: pair %u of %u%s\n", pair + 1, c->n_pairs,
                    valid ? "" : ": not valid, the load generator was the bottleneck");
    }
    if (code == 0)
        code = report(c, n_valid);
    return code == 0 && n_valid == 0
               ? bench_complain(BENCH_INVALID, "no pair is valid: the load generator was the "
                                               "bottleneck in every one")
               : code;
}

/* Makes OUT, OUT/a and OUT/b; refuses one that has runs in it, which would be mixed with these. */
static int make_directories(const struct command *c)
{
    if (mkdir(c->out, 0777) != 0 && errno != EEXIST)
        return bench_complain(BENCH_INPUT, "%s: %s", c->out, strerror(errno));
    for (int side = 0; side < 2; side++) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%c", c->out, "ab"[side]);
        if (n < 0 || (size_t)n >= sizeof path)
            return bench_complain(BENCH_INPUT, "%s: %s", c->out, strerror(ENAMETOOLONG));
        if (mkdir(path, 0777) != 0)
            return bench_complain(BENCH_INPUT, "%s: %s%s", path, strerror(errno),
                                  errno == EEXIST ? " (choose another --out, or remove it)" : "");
    }
    return 0;
}

int bench_ab_main(int argc, char **argv)
{
    static const struct argp_child children[] = {{&open_settings_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .args_doc = "--a CMD --b CMD --rate R --duration S --out DIR FILE",
        .doc = "Measures two servers with the load of open, in turn (A B B A A B B A ...), each "
               "started anew for every run and warmed up.\v"
               "CMD gets the path of the socket in $L0_UNIX; --target is not used. A pair with a "
               "run that is not valid is made again, up to three times. Then l0-gate compare tells "
               "the difference from noise.\n\n"
               "Exit codes: 0 done, 1 a wrong or missing reply or a server that ended badly, 2 a "
               "file or a server could not be reached, 3 no pair was valid, 64 usage.",
    };
    struct command c = {
        .settings = open_settings_default(),
        .n_pairs = PAIRS_DEFAULT,
        .socket_dir = "/tmp/l0_ab.XXXXXX",
    };
    c.settings.admin = "";
    c.settings.needs_schedule = true;
    struct document document;
    int code = open_settings_begin(&argp, argc, argv, &c, &c.settings, &document);
    if (code != 0)
        return code;
    contender_hold_signals();
    if (mkdtemp(c.socket_dir) == NULL) {
        code = bench_complain(BENCH_INPUT, "%s: %s", c.socket_dir, strerror(errno));
    } else {
        snprintf(c.socket_path, sizeof c.socket_path, "%s/s", c.socket_dir);
        c.settings.load.target = c.socket_path;
        code = make_directories(&c);
        if (code == 0)
            code = run_all(&c, &document);
        unlink(c.socket_path);
        rmdir(c.socket_dir);
    }
    document_free(&document);
    return code;
}
