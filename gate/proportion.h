/* The exact 95 % confidence interval of a proportion (Clopper and Pearson, Biometrika 26, 1934).
 *
 * k of n requests have a property. The lower bound is the p at which so many or more have a
 * probability of 2.5 %, the upper one the p at which so few or fewer have it; 0 for k = 0 and 1 for
 * k = n. Direct sums of binomial terms and bisection; above PROPORTION_EXACT_N_MAX the score
 * interval of Wilson (1927), which by then is the same to four digits. */
#ifndef L0_GATE_PROPORTION_H
#define L0_GATE_PROPORTION_H

#include <stdint.h>

#define PROPORTION_EXACT_N_MAX UINT64_C(1000000000)

struct proportion {
    double low;
    double high;
};

/* k <= n, n >= 1. */
struct proportion proportion_interval(uint64_t k, uint64_t n);

#endif
