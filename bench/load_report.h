/* What a run of the load generator leaves: the raw round trips, a summary as JSON, and as text. */
#ifndef L0_BENCH_LOAD_REPORT_H
#define L0_BENCH_LOAD_REPORT_H

#include "bench/jitter.h"
#include "bench/load.h"
#include "bench/service_metrics.h"

#include <jansson.h>
#include <stdio.h>

struct load_report {
    const struct load_options *options;
    const struct document *document;
    const struct load_result *result;
    const struct service_metrics *metrics; /* of this run */
    const struct jitter_result *jitter;    /* the same; NULL: not measured */
    double started_s;                      /* UNIX time */
    const char *raw_path;
};

/* One value in ms a line, 6 decimals, in the order in which the requests began; requests without a
 * right reply are left out. 0 or negative errno. */
int load_report_write_raw(const struct load_report *report);

/* The summary (see l0-bench --help for its keys); NULL when memory is short. */
json_t *load_report_json(const struct load_report *report);

void load_report_print(const struct load_report *report, FILE *out);

#endif
