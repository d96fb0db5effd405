/* A block of symbols that the automaton cannot tell as a whole, for vector kernels: it tells what
 * it can, a stack what that can, and nest.c the rest, in the order of the text. */
#ifndef L0_LEXER_SIMD_REST_H
#define L0_LEXER_SIMD_REST_H

#include "lexer/simd_stack.h"

/* Reads on up to what the automaton does not know, or is not to read: so many symbols, from that
 * state on, which becomes the one behind them. */
SIMD_INLINE uint32_t simd_read_some(const struct simd_bulk *bulk, const struct simd_rest *rest,
                                    uint64_t forbidden, unsigned *state)
{
    const uint64_t low = rest->low, high = rest->high, alone = rest->follows | forbidden;
    unsigned next;
    uint32_t n = 0;
    for (; rest->n - n >= SIMD_BULK_READS && (alone >> n & 15) == 0; n += SIMD_BULK_READS) {
        next = simd_bulk_read_next(bulk, *state, low >> n, high >> n);
        if (next == SIMD_BULK_UNKNOWN)
            break;
        *state = next;
    }
    for (; n < rest->n && (forbidden >> n & 1) == 0; n++) {
        next = simd_bulk_read_one(bulk, *state, low >> n, high >> n, rest->follows >> n);
        if (next == SIMD_BULK_UNKNOWN)
            break;
        *state = next;
    }
    return n;
}

/* In a formula, in more braces than are closed: nothing else can happen to it. */
SIMD_INLINE bool simd_stays_inside(const struct simd_rest *rest, const struct simd_flow *flow)
{
    return flow->in_math && (rest->high & ~rest->low) == 0 &&
           flow->depth - flow->math_depth > simd_count(rest->low & ~rest->high);
}

/* The same, and brings the flow up to date. */
SIMD_INLINE void simd_read_known(const struct simd_bulk *bulk, struct simd_rest *rest,
                                 struct simd_flow *flow)
{
    while (rest->n > 0 && flow->is_plain) {
        const uint64_t forbidden = rest->high & ~rest->low & flow->forbidden;
        unsigned state = flow->state;
        const uint32_t n = simd_read_some(bulk, rest, forbidden, &state);
        if (n > 0) {
            simd_follow(bulk, flow, rest->low, rest->high, n, state);
            simd_drop(rest, n);
        } else if (simd_stays_inside(rest, flow)) {
            simd_count_braces(flow, rest->low, rest->high, rest->n);
            flow->state = simd_flow_state(flow);
            simd_drop(rest, rest->n);
        } else {
            const unsigned exact = simd_flow_state(flow);
            if (exact == flow->state)
                return;
            flow->state = exact;
        }
    }
}

/* The end of the innermost formula, if it is one of these braces, brings nothing back. */
SIMD_INLINE bool simd_formula_keeps_codes(const struct lexer *lx)
{
    const struct lexer_nest *const nest = &lx->nest;
    return nest->n_math == 0 || nest->math[nest->n_math - 1].depth != nest->depth ||
           codes_keep(lx, nest->depth, nest->n_env, nest->n_math - 1, nest->n_groups);
}

/* A $ behind so many tokens, and a blank line. False: for the byte-wise machine. */
SIMD_INLINE bool simd_take_shift(const struct simd_place *place, uint32_t at, uint32_t n_tokens)
{
    if (!simd_formula_keeps_codes(place->lx))
        return false;
    place->lx->n_tokens = n_tokens;
    nest_math_shift(place->lx, at);
    return true;
}

SIMD_INLINE bool simd_take_par(const struct simd_place *place, uint32_t at)
{
    if (place->lx->nest.n_math == 0)
        return true;
    if (!simd_formula_keeps_codes(place->lx))
        return false;
    nest_par(place->lx, place->input, at, simd_line_end_end(place, at));
    return true;
}

/* A }, with which all ends that was opened inside its braces: of what codes are local to, only
 * groups can be as deep and older (see group.c). */
SIMD_INLINE bool simd_take_close(const struct simd_place *place, uint32_t at)
{
    struct lexer *const lx = place->lx;
    const struct lexer_nest *const nest = &lx->nest;
    if (lx->context.n_saves > 0 && nest->depth > 0) {
        uint32_t n_groups = nest->n_groups;
        while (n_groups > 0 && nest->groups[n_groups - 1].depth >= nest->depth)
            n_groups--;
        if (!codes_keep(lx, nest->depth - 1, nest->n_env, nest->n_math, n_groups))
            return false;
    }
    nest_close_brace(lx, place->input, at, at + 1);
    return true;
}

/* Has nest.c take the next symbol, at that index of the chunk. False: for the byte-wise machine. */
SIMD_INLINE bool simd_take_symbol(const struct simd_place *place, const struct simd_chunk *chunk,
                                  enum simd_symbol symbol, uint32_t index, struct simd_flow *flow)
{
    const uint32_t at = place->pos + index;
    uint32_t n_tokens = 0;
    bool taken = true;
    simd_save_flow(place, chunk, flow, index);
    if (symbol == SIMD_PAR) {
        taken = simd_take_par(place, at);
    } else if (symbol == SIMD_SHIFTS) {
        n_tokens = simd_tokens_before(place, chunk, index);
        taken = simd_take_shift(place, at, n_tokens++);
    } else if (symbol == SIMD_OPENS) {
        nest_open_brace(place->lx);
    } else {
        taken = simd_take_close(place, at);
    }
    *flow = simd_load_flow(place->lx, n_tokens);
    return taken;
}

/* A } in braces, outside formulas: where it stands need not be known to take it. */
SIMD_INLINE bool simd_take_inner_close(const struct simd_place *place,
                                       const struct simd_chunk *chunk, struct simd_flow *flow)
{
    simd_save_flow(place, chunk, flow, 0);
    const bool taken = simd_take_close(place, 0);
    *flow = simd_load_flow(place->lx, 0);
    return taken;
}

/* Those } that follow here, side by side, without a { of theirs: they change nothing. */
SIMD_INLINE void simd_report_closes(const struct simd_place *place, struct simd_rest *rest,
                                    const struct simd_block *block, const struct simd_chunk *chunk)
{
    const uint32_t index = simd_find_symbol(rest, block, chunk), at = place->pos + index;
    const uint64_t closes = rest->symbols & chunk->low[rest->lane] & ~chunk->high[rest->lane];
    const uint64_t others = ~(closes >> index % SIMD_LANE_BYTES);
    const uint32_t n = others ? simd_first(others) : SIMD_LANE_BYTES;
    nest_report_closes(place->lx, place->input, at, at + n);
    simd_drop(rest, n);
}

/* Tells a block of which that could not be done as a whole. The offset of what has to be left to
 * the byte-wise machine, or place->end. */
SIMD_SELDOM uint32_t simd_tell_rest(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                    const struct simd_block *block, const struct simd_place *place,
                                    const struct simd_chunk *chunk, struct simd_flow *flow)
{
    struct simd_rest rest = {.low = block->low,
                             .high = block->high,
                             .n = block->n,
                             .lane = block->first_lane,
                             .symbols = chunk->symbols[block->first_lane] &
                                        simd_part(block, block->first_lane)};
    if (block->follows)
        rest.follows = simd_gather_follows(isa, block, chunk);
    for (;;) {
        simd_read_known(bulk, &rest, flow);
        if (rest.n == 0)
            return place->end;
        const bool is_close =
            flow->state < SIMD_BULK_HALF && simd_bulk_symbol(rest.low, rest.high) == SIMD_CLOSES;
        if (is_close && flow->depth > 0 && simd_take_inner_close(place, chunk, flow)) {
            simd_drop(&rest, 1);
            continue;
        }
        if (is_close && flow->depth == 0)
            simd_report_closes(place, &rest, block, chunk);
        if (rest.n > 0)
            simd_read_stack(place, block, chunk, &rest, flow);
        if (rest.n == 0)
            return place->end;
        const uint32_t index = simd_find_symbol(&rest, block, chunk);
        const enum simd_symbol symbol = simd_bulk_symbol(rest.low, rest.high);
        if (!simd_take_symbol(place, chunk, symbol, index, flow))
            return place->pos + index;
        simd_drop(&rest, 1);
    }
}

#endif
