/* The percentile distribution as HdrHistogram's tools read and plot it (.hgrm): four columns, the
 * value in ms, the percentile as a fraction, how many values are at most that, and
 * 1/(1-percentile). The steps are HdrHistogram's (a number of ticks for every halving of the
 * distance to 100 %); the values are not bucketed but exact. */
#ifndef L0_GATE_HGRM_H
#define L0_GATE_HGRM_H

#include "gate/sample.h"

#include <stdio.h>

#define HGRM_TICKS_PER_HALF 5

/* sample: sorted, not empty. Errors are the stream's. */
void hgrm_print(const struct sample *sample, FILE *out);

#endif
