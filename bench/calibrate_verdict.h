/* How long a verdict takes. */
#ifndef L0_BENCH_CALIBRATE_VERDICT_H
#define L0_BENCH_CALIBRATE_VERDICT_H

#include <stdint.h>

/* Stores a made-up run of so many requests in a fresh directory, loads and judges it by a quantile,
 * a rate, a count and its size as l0-gate check does, and removes it. *seconds: from the first byte
 * read to the last verdict. 0 or negative errno. */
int calibrate_verdict_s(uint32_t n_samples, double *seconds);

#endif
