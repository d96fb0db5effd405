/* l0-gate: exact statistics and verdicts over measured latencies. */
#include "gate/error.h"
#include "gate/programs.h"
#include "proto/version.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    char *full_name; /* argp shows argv[0] */
    int (*run)(int argc, char **argv);
    const char *summary;
} programs[] = {
    {"verify", (char[]){"l0-gate verify"}, gate_verify, "statistics of one file of latencies"},
    {"compare", (char[]){"l0-gate compare"}, gate_compare,
     "two files or two sides of runs, and what is more than noise"},
    {"check", (char[]){"l0-gate check"}, gate_check, "the acceptance gates of a run, or rules"},
    {"report", (char[]){"l0-gate report"}, gate_report, "runs as a page or a picture"},
    {"simulate", (char[]){"l0-gate simulate"}, gate_simulate,
     "how often compare is wrong, by simulation"},
};

#define N_PROGRAMS (sizeof programs / sizeof programs[0])

static void print_usage(FILE *to)
{
    fputs("Usage: l0-gate PROGRAM [OPTION...] ...\n\nPrograms:\n", to);
    for (size_t i = 0; i < N_PROGRAMS; i++) {
        fprintf(to, "  %-9s %s\n", programs[i].name, programs[i].summary);
    }
    fputs("\n`l0-gate PROGRAM --help` lists a program's options.\n" GATE_EXITS_HELP "\n", to);
}

int main(int argc, char **argv)
{
    argp_err_exit_status = GATE_USAGE;
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0)) {
        print_usage(stdout);
        return GATE_PASS;
    }
    if (argc >= 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        puts("l0-gate " L0_VERSION);
        return GATE_PASS;
    }
    for (size_t i = 0; argc >= 2 && i < N_PROGRAMS; i++) {
        if (strcmp(argv[1], programs[i].name) == 0) {
            argv[1] = programs[i].full_name;
            return programs[i].run(argc - 1, argv + 1);
        }
    }
    if (argc >= 2) {
        fprintf(
            stderr,
            "l0-gate: found program '%s', expected verify, compare, check, report or simulate\n",
            argv[1]);
    }
    print_usage(stderr);
    return GATE_USAGE;
}
