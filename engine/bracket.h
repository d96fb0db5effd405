/* The six timestamps of a request, CLOCK_MONOTONIC ns; 0 where a step did not happen.
 * Recorded by whoever does the step, for every request; non-decreasing in this order but for
 * t_hedge_fire, which is 0 or lies between t_proc_start and t_reply_ready. */
#ifndef L0_ENGINE_BRACKET_H
#define L0_ENGINE_BRACKET_H

#include <stdint.h>

struct bracket {
    uint64_t t_in_start;    /* first byte of this request seen, not the idle wait before it */
    uint64_t t_in_done;     /* its last byte is here */
    uint64_t t_proc_start;  /* the shard turned to the complete frame */
    uint64_t t_hedge_fire;  /* a sibling began a duplicate */
    uint64_t t_first_reply; /* a result exists */
    uint64_t t_reply_ready; /* the reply is formatted, before it is sent */
};

static inline uint64_t bracket_total_ns(const struct bracket *b)
{
    return b->t_reply_ready - b->t_in_start;
}

#endif
