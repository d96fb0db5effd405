/* Injected stalls, for proof: the shard's own thread sleeps inside its handler, so that everything
 * on that shard stands still, as it would if the thread were descheduled. */
#ifndef L0_ENGINE_FAULT_H
#define L0_ENGINE_FAULT_H

#include "engine/metrics.h"
#include "engine/options.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fault {
    uint64_t stall_ns; /* 0: off */
    uint32_t rate_ppm;
    uint32_t error_rate_ppm;
    enum options_fault_phase phase;
    uint64_t random; /* state of the generator; never 0 */

    /* How long this shard was stalled, and how long together with one of its siblings: what no
     * hedging can help. NULL where nobody counts. */
    metric_u64 *stalled_ns, *both_stalled_ns;
    const struct fault *siblings[2]; /* NULL: none */
    _Atomic uint64_t since_ns;       /* read by the siblings, relaxed; 0: not stalled */
};

/* Each shard draws its own sequence from the seed. */
void fault_init(struct fault *fault, const struct options *options, uint32_t shard);

/* Counts from now on. The siblings outlive their use here. */
void fault_count(struct fault *fault, struct metrics_shard *metrics, const struct fault *sibling,
                 const struct fault *ward);

/* Called once a slice: true, where the dice say that lexing is to fail. */
bool fault_maybe_fail(struct fault *fault);

/* Called once per request before and once after lexing; sleeps where the dice say so. */
void fault_maybe_stall(struct fault *fault, enum options_fault_phase phase);

#endif
