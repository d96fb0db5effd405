/* Everything that the service counts about hedging: its l0_hedge_* series, whatever they are. */
#ifndef L0_BENCH_HEDGE_COUNTERS_H
#define L0_BENCH_HEDGE_COUNTERS_H

#include <jansson.h>

/* {"l0_hedge_fired_total": 3, "l0_hedge_denied_total{cause=\"budget\"}": 1, ...} from a text of
 * Prometheus' format; pure. A new reference, or NULL when memory is short. */
json_t *hedge_counters_parse(const char *text);

/* What each one grew by; those that are not in both, or went back, are left out. A new reference.
 */
json_t *hedge_counters_difference(json_t *before, json_t *after);

#endif
