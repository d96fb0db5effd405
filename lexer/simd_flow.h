/* What is open where vector kernels stand: struct lexer_nest as far as their automaton goes, kept
 * in registers. Everything else asks for simd_save_flow() before, and simd_load_flow() behind it.
 */
#ifndef L0_LEXER_SIMD_FLOW_H
#define L0_LEXER_SIMD_FLOW_H

#include "lexer/codes.h"
#include "lexer/nest.h"
#include "lexer/simd_bulk.h"
#include "lexer/simd_chunk.h"

/* A chunk and where it stands. */
struct simd_place {
    struct lexer *lx;
    const uint8_t *input;
    uint32_t pos;      /* of the chunk's first byte */
    uint32_t end;      /* of what is decided: the end of the step */
    uint32_t n_tokens; /* before the step */
};

/* The end of the line end at that offset. */
SIMD_INLINE uint32_t simd_line_end_end(const struct simd_place *place, uint32_t at)
{
    return at + (place->input[at] == '\r' && place->input[at + 1] == '\n' ? 2 : 1);
}

struct simd_flow {
    uint32_t depth, outer; /* open braces; nest.guard without the formula */
    uint32_t math_depth;   /* of the formula, if in_math */
    unsigned state;        /* of the automaton: what is known of the above */
    bool in_math, display;
    bool is_plain;      /* no more is open than this */
    bool has_shifts;    /* the automaton has read $, of which nest does not know */
    uint64_t forbidden; /* all bits set: $ is not for the automaton */
};

SIMD_INLINE uint32_t simd_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

SIMD_INLINE unsigned simd_state_outside(uint32_t n_open)
{
    return simd_least(n_open, SIMD_BULK_OUT_MAX);
}

/* With all that can be told, but for SIMD_BULK_HALF. */
SIMD_INLINE unsigned simd_flow_state(const struct simd_flow *flow)
{
    if (!flow->in_math)
        return simd_state_outside(flow->depth - flow->outer);
    const uint32_t inner = flow->depth - flow->math_depth;
    if (inner > SIMD_BULK_IN_MAX)
        return SIMD_BULK_UNKNOWN;
    return simd_bulk_in(flow->display,
                        simd_least(flow->math_depth - flow->outer, SIMD_BULK_OUTER_MAX), inner);
}

/* n_tokens: up to here, or 0: the last one was no $. */
SIMD_INLINE struct simd_flow simd_load_flow(struct lexer *lx, uint32_t n_tokens)
{
    struct lexer_nest *const nest = &lx->nest;
    const bool keeps = codes_keep(lx, nest->depth, nest->n_env, 0, nest->n_groups);
    struct simd_flow flow = {.depth = nest->depth,
                             .outer = nest->guard,
                             .in_math = nest->n_math > 0,
                             .is_plain = true,
                             .forbidden = keeps ? 0 : ~UINT64_C(0)};
    if (flow.in_math) {
        flow.math_depth = nest->math[0].depth;
        flow.display = nest->math[0].display;
        flow.is_plain = nest->n_math == 1 && nest->guard == flow.math_depth;
        if (flow.is_plain)
            flow.outer = nest_outer_guard(lx);
        flow.state = flow.is_plain ? simd_flow_state(&flow) : (unsigned)SIMD_BULK_UNKNOWN;
        return flow;
    }
    const bool is_half = nest->shift_token != 0 && nest->shift_token == n_tokens;
    flow.state = is_half && !nest->shift_opens
                     ? SIMD_BULK_HALF + simd_least(flow.depth - flow.outer, SIMD_BULK_OUTER_MAX)
                     : simd_state_outside(flow.depth - flow.outer);
    return flow;
}

/* Tokens of the step before that index of the chunk, and all before the step. */
SIMD_INLINE uint32_t simd_tokens_before(const struct simd_place *place,
                                        const struct simd_chunk *chunk, uint32_t index)
{
    const uint32_t rest = index % SIMD_LANE_BYTES;
    uint32_t lane = chunk->begin / SIMD_LANE_BYTES, n_tokens = place->n_tokens;
    for (; (lane + 1) * SIMD_LANE_BYTES <= index; lane++)
        n_tokens += simd_count(chunk->tokens[lane]);
    return rest > 0 ? n_tokens + simd_count(chunk->tokens[lane] & simd_below(rest)) : n_tokens;
}

/* Of the $ before that index of the chunk, of which there are some in the step. */
SIMD_INLINE uint32_t simd_last_shift(const struct simd_chunk *chunk, uint32_t index)
{
    uint32_t lane = index / SIMD_LANE_BYTES;
    uint64_t below = simd_below(index % SIMD_LANE_BYTES);
    for (;; below = ~UINT64_C(0)) {
        const uint64_t shifts = below ? chunk->shifts.of[lane] & below : 0;
        if (shifts)
            return lane * SIMD_LANE_BYTES + simd_last(shifts);
        lane--;
    }
}

/* What the last $ did, which stands before that index of the chunk. A display begins with the $
 * before it: if that is not in the step, its place is known. */
SIMD_SELDOM void simd_save_shift(const struct simd_place *place, const struct simd_chunk *chunk,
                                 const struct simd_flow *flow, uint32_t index)
{
    struct lexer_nest *const nest = &place->lx->nest;
    const uint32_t last = simd_last_shift(chunk, index);
    if (flow->in_math && !(flow->display && last == chunk->begin))
        nest->math[0].start = place->pos + last - flow->display;
    if (flow->in_math) {
        nest->math[0].depth = flow->math_depth;
        nest->math[0].display = flow->display;
    }
    if (flow->display)
        return;
    nest->shift_token = simd_tokens_before(place, chunk, last + 1);
    nest->shift_opens = flow->in_math;
}

/* index: of the chunk, up to which the flow goes. */
SIMD_INLINE void simd_save_flow(const struct simd_place *place, const struct simd_chunk *chunk,
                                const struct simd_flow *flow, uint32_t index)
{
    struct lexer_nest *const nest = &place->lx->nest;
    if (!flow->is_plain)
        return;
    nest->depth = flow->depth;
    nest->n_math = flow->in_math;
    nest->guard = flow->in_math ? flow->math_depth : flow->outer;
    if (!flow->has_shifts)
        return;
    nest->shift_token = 0;
    if (flow->state >= SIMD_BULK_HALF) /* or in a formula */
        simd_save_shift(place, chunk, flow, index);
}

/* So many symbols were read: the braces among them are counted. */
SIMD_INLINE void simd_count_braces(struct simd_flow *flow, uint64_t low, uint64_t high, uint32_t n)
{
    const uint32_t n_closes = simd_count(low & ~high & simd_below(n));
    const uint32_t n_others = simd_count((low | high) & simd_below(n));
    flow->depth = flow->depth + n - n_others - n_closes;
}

/* The same, with that outcome. */
SIMD_INLINE void simd_follow(const struct simd_bulk *bulk, struct simd_flow *flow, uint64_t low,
                             uint64_t high, uint32_t n, unsigned state)
{
    simd_count_braces(flow, low, high, n);
    flow->state = state;
    flow->in_math = state >= SIMD_BULK_IN;
    flow->display = state >= SIMD_BULK_DISPLAY;
    flow->math_depth = flow->depth - bulk->inner[state];
    flow->has_shifts |= (high & ~low & simd_below(n)) != 0;
}

/* The automaton's state with all that is known; but where the end of a display may go on, that. */
SIMD_INLINE unsigned simd_exact_state(const struct simd_flow *flow)
{
    const bool is_half = flow->state >= SIMD_BULK_HALF && flow->state < SIMD_BULK_IN;
    return is_half ? flow->state : simd_flow_state(flow);
}

#endif
