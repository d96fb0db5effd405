/* A stored run: its latencies, what was counted, and what is known about how it was made.
 *
 * A run is a directory with rows.csv or rows.bin, and run.json (l0-bench open), or a file of
 * latencies in ms, one a line, with its summary in FILE.json where there is one (l0-bench
 * keepalive). */
#ifndef L0_GATE_RUN_H
#define L0_GATE_RUN_H

#include "gate/counters.h"
#include "gate/decimal.h"
#include "gate/error.h"
#include "gate/rows.h"
#include "gate/sample.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A request that was never answered rightly takes this long: longer than every other one, so that
 * leaving it out cannot make a tail look better. */
#define RUN_UNANSWERED_PS GATE_DECIMAL_MAX

#define RUN_UNANSWERED_MAX UINT64_C(50000000) /* in a file of latencies */

#define RUN_FORMAT       "l0-run 1" /* of run.json */
#define RUN_BINARY_NAME  "rows.bin" /* instead of the next one */
#define RUN_ROWS_NAME    "rows.csv"
#define RUN_SUMMARY_NAME "run.json"
#define RUN_JITTER_NAME  "jitter.csv"
#define RUN_TAIL_NAME    "tail.csv"
#define RUN_FAULTS_NAME  "faults.csv"

#define FAULTS_HEADER "begin_ns,end_ns,stalled_ns" /* the first two since the run's start */

struct run {
    char *path;
    struct sample latency; /* sorted; from the intended send time where that is known */
    uint64_t n_unanswered; /* how many of them are RUN_UNANSWERED_PS */
    struct rows rows;      /* empty for a plain file */
    struct counters counters;
    struct counter hedge_wins;
    bool valid;            /* false: the run says of itself that it proves nothing */
    char why_invalid[384]; /* the first reason */
    double started_s;      /* UNIX time; 0: not known */
    json_t *summary;       /* NULL: none */
};

/* Zero-initialised; 0, or -1 with *error set: GATE_USAGE when something cannot be read, GATE_DATA
 * when it is malformed or its parts do not belong together. run_free is due either way. */
int run_load(struct run *run, const char *path, struct gate_error *error);
void run_free(struct run *run);

/* Are they the same run, given twice or copied? By path, or by when they began, to the ns. */
bool run_is_same(const struct run *a, const struct run *b);

/* The path of a file beside a run's rows (malloc); NULL when it is not there. */
char *run_file(const struct run *run, const char *name);

/* Does it say what it was measured on? */
bool run_says_machine(const struct run *run);

/* What differs between two runs that must not differ when they are compared: the machine, the load
 * or the build of the load generator. false when nothing does (what one of them does not say is not
 * compared); else *what is the name of the first such field. */
bool run_differs(const struct run *a, const struct run *b, char what[128]);

/* Names of the runs in a directory of runs, sorted (malloc, each and the list); none for a
 * directory that is itself a run or has none in it, or for a file. The number, or -1 with *error
 * set: GATE_DATA when there are runs and one that did not end. */
int run_list(const char *path, char ***names, struct gate_error *error);
void run_list_free(char **names, int n);

#endif
