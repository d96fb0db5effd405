/* l0-bench: load generator and micro-benchmarks. */
#include "bench/bench.h"

#include "lexer/lexer.h"
#include "proto/version.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "l0-bench " L0_VERSION;

#define SUBCOMMANDS "keepalive, oneshot, open, find-max, ab, calibrate, micro and side"

static int keepalive(int argc, char **argv)
{
    return bench_load_main(argc, argv, false);
}

static int oneshot(int argc, char **argv)
{
    return bench_load_main(argc, argv, true);
}

static const struct subcommand {
    const char *name;
    char *full_name; /* stands in argv[0], so that messages name it; never written to */
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"keepalive", (char[]){"l0-bench keepalive"}, keepalive},
    {"oneshot", (char[]){"l0-bench oneshot"}, oneshot},
    {"open", (char[]){"l0-bench open"}, bench_open_main},
    {"find-max", (char[]){"l0-bench find-max"}, bench_find_max_main},
    {"calibrate", (char[]){"l0-bench calibrate"}, bench_calibrate_main},
    {"ab", (char[]){"l0-bench ab"}, bench_ab_main},
    {"micro", (char[]){"l0-bench micro"}, bench_micro_main},
    {"side", (char[]){"l0-bench side"}, bench_side_main},
};

/* Stops at the first argument that is no option: the subcommand. */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    int *command_index = state->input;
    (void)arg;
    switch (key) {
    case ARGP_KEY_ARG:
        *command_index = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a subcommand is needed: " SUBCOMMANDS);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The benchmarks measure the kernel that the service would choose, or the one named. */
static int choose_kernel(void)
{
    const char *name = getenv("L0_KERNEL");
    int rc = lexer_init(name);
    if (rc == 0)
        return 0;
    return bench_complain(BENCH_USAGE,
                          "L0_KERNEL: the lexer kernel \"%s\" %s (unset it to use the "
                          "best one)",
                          name != NULL ? name : "auto",
                          rc == -ENOTSUP ? "cannot run on this processor" : "is not built in");
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "keepalive FILE ITERS THREADS\noneshot FILE ITERS THREADS\n"
                    "open --rate R --duration S FILE\nfind-max --slo RULE FILE\n"
                    "ab --a CMD --b CMD --rate R --duration S --out DIR FILE\n"
                    "calibrate FILE\nmicro FILE...\nside FILE ITERS THREADS",
        .doc = "Measures the lexing service: closed-loop load over kept or fresh connections with "
               "exact round trips, open-loop load on a schedule, the highest rate that keeps a "
               "promise, two servers in turn, the lexer alone, and servers side by side.\v"
               "l0-bench SUBCOMMAND --help tells more.",
    };
    argp_err_exit_status = BENCH_USAGE;
    int at = 0;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &at);
    for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
        if (strcmp(argv[at], subcommands[i].name) != 0)
            continue;
        int rc = choose_kernel();
        argv[at] = subcommands[i].full_name;
        return rc != 0 ? rc : subcommands[i].run(argc - at, argv + at);
    }
    return bench_complain(
        BENCH_USAGE, "\"%s\" is not a subcommand; there are " SUBCOMMANDS " (see l0-bench --help)",
        argv[at]);
}
