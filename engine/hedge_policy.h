/* When to hedge: pure arithmetic over counts and times, without clocks or shards.
 *
 * Budget: of n requests at most max(LIMIT_HEDGE_BURST, share * n) are duplicated, whatever happens,
 * and never more than a window's worth one after the other. (A token bucket that begins full, on
 * credit that the first requests repay.)
 *
 * Automatic delay: the (1 - share) quantile of how much longer requests took than their size
 * predicts. Then hedges of that delay, clamped, fire for about the share of the requests that the
 * budget allows anyway. */
#ifndef L0_ENGINE_HEDGE_POLICY_H
#define L0_ENGINE_HEDGE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct hedge_budget {
    uint32_t share_ppm;
    uint64_t requests;   /* already counted */
    uint64_t tokens_ppm; /* a duplicate takes 1 000 000 */
    uint64_t credit_ppm; /* still to be repaid */
    uint64_t bucket_ppm; /* most that tokens_ppm can be */
};

void hedge_budget_init(struct hedge_budget *budget, uint32_t share_ppm);

/* requests: all there have been so far. true: one more duplicate is within the budget, and taken
 * from it. */
bool hedge_budget_take(struct hedge_budget *budget, uint64_t requests);

/* It did not come to the duplicate. */
void hedge_budget_refund(struct hedge_budget *budget);

enum { HEDGE_HISTORY_BUCKETS = 128 };

/* Written by the shard that works; what it publishes is read elsewhere (shard.h). */
struct hedge_history {
    uint32_t share_ppm;
    uint32_t n;                             /* of this window */
    uint32_t bucket[HEDGE_HISTORY_BUCKETS]; /* excess, four buckets an octave of us */
    uint64_t rate_ps;                       /* predicted ps a byte, a moving average */
};

void hedge_history_init(struct hedge_history *history, uint32_t share_ppm);

/* Predicted duration of lexing so many bytes, in ns. */
uint64_t hedge_history_predict_ns(const struct hedge_history *history, uint32_t bytes);

/* A request whose last bytes took so long. true: a window is full, and *delay_ns is the delay to
 * use from now on. */
bool hedge_history_add(struct hedge_history *history, uint32_t bytes, uint64_t took_ns,
                       uint64_t *delay_ns);

#endif
