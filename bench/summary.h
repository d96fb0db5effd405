/* Parts that the summaries of all runs have in common. */
#ifndef L0_BENCH_SUMMARY_H
#define L0_BENCH_SUMMARY_H

#include "bench/jitter.h"
#include "gate/sample.h"

#include <jansson.h>

/* {"n", "min_ms", "mean_ms", "max_ms", "quantiles": [with intervals]} of a sorted sample; only n
 * and no quantile when it is empty. A new reference, or NULL when memory is short; as are the
 * others. */
json_t *summary_sample_json(const struct sample *sample);

/* The same of the machine's stalls, with "processors" and "behind_others". */
json_t *summary_jitter_json(const struct jitter_result *jitter);

#endif
