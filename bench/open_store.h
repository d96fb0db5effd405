/* What an open-loop run leaves: a directory that l0-gate reads.
 *
 *   rows.csv      every request (gate/rows.h), or rows.bin in its place (gate/rows_binary.h)
 *   latency.hgrm  percentiles of the latency, for HdrHistogram's tools
 *   service.hgrm  the same from when a request was sent: the uncorrected figure
 *   jitter.csv    the machine's own stalls, the worst of every tenth of a second
 *   tail.csv      the service's own account of its slowest requests, where it gives one: when
 * hedges were fired faults.csv    when the service injected stalls into itself, where it says that
 * it did run.json      the summary; written last: a directory with it holds a whole run */
#ifndef L0_BENCH_OPEN_STORE_H
#define L0_BENCH_OPEN_STORE_H

#include "bench/fault_watch.h"
#include "bench/open.h"
#include "bench/service_metrics.h"

#include <jansson.h>
#include <stdio.h>

struct open_store {
    const struct open_options *options;
    const struct document *document;
    const struct open_result *result;
    const struct service_metrics *metrics; /* of this run */
    json_t *hedge_counters;                /* borrowed; NULL: not known */
    const char *tail;                      /* NULL: not known */
    const struct fault_spans *faults;
    double started_s; /* UNIX time */
    const char *command_line;
    bool binary;        /* rows.bin */
    const char *server; /* the command that served it, NULL: not known */
};

/* Makes the directory where there is none, and takes an earlier run's run.json away, so that a run
 * that does not end leaves none. 0 or negative errno. */
int open_store_begin(const char *directory);

/* Writes the files, with this summary (NULL: memory was short). 0, or an exit code after a message.
 */
int open_store_keep(const struct open_store *store, const char *directory, json_t *summary);

/* The summary; NULL when memory is short. */
json_t *open_store_json(const struct open_store *store);

/* The same for people: latency and service time, lag, jitter, and whether it is valid. 0 or
 * -ENOMEM. */
int open_store_print(const struct open_store *store, FILE *out);

#endif
