/* Distribution-free confidence interval of a quantile, from order statistics.
 *
 * With X_(1) <= ... <= X_(N) the sorted sample and B ~ Binomial(N, q), for every distribution
 *
 *   P( X_(l) <= quantile_q <= X_(u) )  >=  P( l <= B <= u - 1 )
 *
 * (H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition, section 7.1; equality for
 * continuous distributions). We take equal tails: the largest l with P(B <= l - 1) <= 2.5 % and the
 * smallest u with P(B >= u) <= 2.5 %; where no such rank in 1..N exists the interval is open on
 * that side.
 *
 * The binomial sums are direct sums of all terms that matter, computed relative to the largest one
 * by the recurrence P(k+1)/P(k) = (N-k)/(k+1) q/(1-q) and normalised by their total: no gamma
 * function, no normal approximation. Terms left out are below 1e-30 of the largest, with ratios
 * that fall towards the ends. Rounding adds less than 1e-9 of a tail for N up to 10^9; the tail
 * limit is taken smaller by that much, so the stated confidence always holds. */
#ifndef L0_GATE_INTERVAL_H
#define L0_GATE_INTERVAL_H

#include <stdint.h>

#define INTERVAL_CONFIDENCE_PERCENT 95

/* 1-based ranks; 0 where the order statistic does not exist. */
struct interval_ranks {
    uint64_t low;
    uint64_t high;
};

/* 1 <= n <= 10^12, 0 < q_ppm < 10^6. Takes O(sqrt(n)) steps. */
struct interval_ranks interval_of_quantile(uint64_t n, uint32_t q_ppm);

#endif
