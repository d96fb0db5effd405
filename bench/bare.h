/* Clients without a schedule's machinery, as somebody would write them by hand: what the load
 * generator is measured against. */
#ifndef L0_BENCH_BARE_H
#define L0_BENCH_BARE_H

#include "bench/document.h"
#include "gate/sample.h"

#include <stdint.h>

/* Blocking ping-pong over one connection: sleeps until spin_ns before a request is due, waits out
 * the rest, sends, receives. rate requests a second, n of them; round trips go to *sample, sorted.
 * 0 or negative errno. */
int bare_ping_pong(const char *target, const struct document *document, uint32_t rate, uint64_t n,
                   uint64_t spin_ns, struct sample *sample);

/* One thread, n_conns connections, each with one request under way at every moment, n requests in
 * all: *rate is how many were answered a second. 0 or negative errno. */
int bare_saturate(const char *target, const struct document *document, uint32_t n_conns, uint64_t n,
                  double *rate);

#endif
