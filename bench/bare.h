/* Clients without a schedule's machinery, as somebody would write them by hand: what the load
 * generator is measured against. They run where its first thread would. */
#ifndef L0_BENCH_BARE_H
#define L0_BENCH_BARE_H

#include "bench/document.h"
#include "bench/open.h"
#include "gate/sample.h"

#include <stdint.h>

/* Blocking ping-pong over one connection: sleeps until options->spin_ns before a request is due,
 * waits out the rest, sends, receives. options->rate requests a second, for warmup_ns unrecorded,
 * then for duration_ns: round trips go to *trips, how late each was sent (after it was due and the
 * one before it answered) to *lags, both sorted. 0 or negative errno. */
int bare_ping_pong(const struct open_options *options, const struct document *document,
                   struct sample *trips, struct sample *lags);

/* One thread, options->n_conns connections, each with one request under way at every moment, n
 * requests in all: *rate is how many were answered a second. 0 or negative errno. */
int bare_saturate(const struct open_options *options, const struct document *document, uint64_t n,
                  double *rate);

#endif
