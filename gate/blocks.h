/* Runs as blocks: what a quantile is worth when the samples of one run hang together.
 *
 * Within a run latencies are not independent (a stall delays neighbours) and runs differ by more
 * than chance (memory layout, what else the machine does). Whole runs are drawn with replacement
 * (the cluster bootstrap; A. C. Davison and D. V. Hinkley, Bootstrap Methods and their Application,
 * section 3.8), and the interval is that of the quantiles of such draws. */
#ifndef L0_GATE_BLOCKS_H
#define L0_GATE_BLOCKS_H

#include "gate/sample.h"

#include <stddef.h>
#include <stdint.h>

#define BLOCKS_RESAMPLES 2000
#define BLOCKS_RUNS_MAX  1000

/* runs: sorted, not empty, 2 to BLOCKS_RUNS_MAX of them; pooled: all their values, sorted. Sets the
 * middle 95 % of the resampled quantiles. 0 or -ENOMEM. */
int blocks_interval(const struct sample *const runs[], size_t n_runs, const struct sample *pooled,
                    uint32_t q_ppm, uint64_t *low_ps, uint64_t *high_ps);

#endif
