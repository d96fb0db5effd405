/* The percentile distribution as HdrHistogram's tools read and plot it (.hgrm): four columns, the
 * value in ms, the percentile as a fraction, how many values are at most that, and
 * 1/(1-percentile). The rows are HdrHistogram's (a number of ticks for every halving of the
 * distance to 100 %, until the largest value is reached, and a last one for 100 %): its plotter
 * puts the files' rows side by side. The values are not bucketed but exact. */
#ifndef L0_GATE_HGRM_H
#define L0_GATE_HGRM_H

#include "gate/sample.h"

#include <stdint.h>
#include <stdio.h>

#define HGRM_TICKS_PER_HALF 5

/* sample: sorted, not empty; n_left_out requests are not in it, which a comment says. Errors are
 * the stream's. */
void hgrm_print(const struct sample *sample, uint64_t n_left_out, FILE *out);

#endif
