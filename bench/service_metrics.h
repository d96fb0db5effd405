/* What the service counted: read from its admin port before and after a run. */
#ifndef L0_BENCH_SERVICE_METRICS_H
#define L0_BENCH_SERVICE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

struct service_metrics {
    bool known; /* false: not reachable, or not the metrics of such a service */
    uint64_t requests;
    uint64_t hedges_fired;
    uint64_t hedge_wins;
};

/* GET http://ADDRESS/metrics, one second at most. */
struct service_metrics service_metrics_read(const char *address);

/* The text behind it (malloc), or NULL. */
char *service_metrics_text(const char *address);

/* POST http://ADDRESS/tail/reset: the slowest requests seen so far are forgotten. 0, or
 * -EHOSTUNREACH when nothing answered, -EPROTO when the answer was not 2xx. */
int service_tail_reset(const char *address);

/* The text of GET http://ADDRESS/tail.csv (malloc): the slowest requests. NULL when nothing of the
 * kind is there. */
char *service_tail_text(const char *address);

/* Adds up a series' samples in a text of Prometheus' format, those that are finite and not
 * negative. False when there is none. */
bool service_metrics_sum(const char *text, const char *name, double *total);

/* The counters in a text of Prometheus' format 0.0.4; pure. */
struct service_metrics service_metrics_parse(const char *text);

/* What happened between two readings. Known only if both are, no counter went back, and the
 * service's requests are just the n_requests of this run: otherwise the hedges were not all ours.
 */
struct service_metrics service_metrics_difference(const struct service_metrics *before,
                                                  const struct service_metrics *after,
                                                  uint64_t n_requests);

#endif
