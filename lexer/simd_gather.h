/* What nests, gathered from many lanes for vector kernels: braces, $ and blank lines, two bits
 * each, and what the automaton tells of some 60 of them at once; and what is left of them. */
#ifndef L0_LEXER_SIMD_GATHER_H
#define L0_LEXER_SIMD_GATHER_H

#include <assert.h>

#include "lexer/simd_flow.h"

/* So many at most in more than one lane. */
#define SIMD_BLOCK_SYMBOLS 63u

/* What was gathered and is not told yet: from a part of a lane on, up to a part of another one. */
struct simd_block {
    uint64_t low, high; /* of enum simd_symbol, lowest bits first */
    uint32_t n;
    uint32_t first_lane, last_lane;
    uint64_t first_part, last_part;
    uint64_t follows; /* any: a $ that follows another one, in its lane */
};

SIMD_INLINE struct simd_block simd_begin_block(uint32_t lane, uint64_t part)
{
    return (struct simd_block){
        .first_lane = lane, .last_lane = lane, .first_part = part, .last_part = part};
}

/* Of the lane, what is in the block. */
SIMD_INLINE uint64_t simd_part(const struct simd_block *block, uint32_t lane)
{
    return (lane == block->first_lane ? block->first_part : ~UINT64_C(0)) &
           (lane == block->last_lane ? block->last_part : ~UINT64_C(0));
}

/* Adds what is in the part of the lane. False: there is no room for it, nothing has changed. */
SIMD_INLINE bool simd_add(const struct simd_isa *isa, struct simd_block *block,
                          const struct simd_chunk *chunk, uint32_t lane, uint64_t part)
{
    const uint64_t symbols = chunk->symbols[lane] & part;
    const uint32_t n = block->n + simd_count(symbols);
    if (__builtin_expect(n > SIMD_BLOCK_SYMBOLS && block->n > 0, 0))
        return false;
    block->low |= isa->gather(chunk->low[lane], symbols) << block->n;
    block->high |= isa->gather(chunk->high[lane], symbols) << block->n;
    block->n = n;
    block->follows |= chunk->follows[lane] & part;
    return true;
}

/* Adds whole lanes up to end, but for one with events, or that there is no room for: which is
 * returned. */
SIMD_INLINE uint32_t simd_add_lanes(const struct simd_isa *isa, struct simd_block *block,
                                    const struct simd_chunk *chunk, uint32_t lane, uint32_t end)
{
    struct simd_block adding = *block;
    while (lane < end && chunk->events[lane] == 0 &&
           simd_add(isa, &adding, chunk, lane, ~UINT64_C(0)))
        lane++;
    *block = adding;
    return lane;
}

SIMD_INLINE unsigned simd_read(const struct simd_bulk *bulk, const struct simd_block *block,
                               uint64_t follows, unsigned state)
{
    return __builtin_expect(follows != 0, 0)
               ? simd_bulk_read_pairs(bulk, state, block->low, block->high, follows, block->n)
               : simd_bulk_read(bulk, state, block->low, block->high, block->n);
}

/* Of the block's symbols, those that follow a $. */
SIMD_SELDOM uint64_t simd_gather_follows(const struct simd_isa *isa, const struct simd_block *block,
                                         const struct simd_chunk *chunk)
{
    uint64_t follows = 0;
    uint32_t n = 0;
    for (uint32_t lane = block->first_lane; lane <= block->last_lane && n < block->n; lane++) {
        const uint64_t symbols = chunk->symbols[lane] & simd_part(block, lane);
        follows |= isa->gather(chunk->follows[lane], symbols) << n;
        n += simd_count(symbols);
    }
    return follows;
}

/* Tells the block, if that can be done in bulk; else nothing has changed. */
SIMD_INLINE bool simd_tell(const struct simd_isa *isa, const struct simd_bulk *bulk,
                           const struct simd_block *block, const struct simd_chunk *chunk,
                           struct simd_flow *flow)
{
    const uint64_t shifts = block->high & ~block->low;
    if (block->n == 0)
        return true;
    if (!flow->is_plain || (shifts & flow->forbidden) != 0)
        return false;
    const uint64_t follows =
        __builtin_expect(block->follows != 0, 0) ? simd_gather_follows(isa, block, chunk) : 0;
    unsigned state = simd_read(bulk, block, follows, flow->state);
    if (__builtin_expect(state == SIMD_BULK_UNKNOWN, 0)) {
        const unsigned exact = simd_exact_state(flow);
        if (exact != flow->state)
            state = simd_read(bulk, block, follows, exact);
        if (state == SIMD_BULK_UNKNOWN)
            return false;
    }
    simd_follow(bulk, flow, block->low, block->high, block->n, state);
    return true;
}

/* What is left of a block. */
struct simd_rest {
    uint64_t low, high, follows;
    uint32_t n;
    /* The next symbol is the one behind n_skip of these, which are in the lane. */
    uint32_t lane, n_skip;
    uint64_t symbols;
};

SIMD_INLINE uint64_t simd_behind(uint64_t symbols, uint32_t n)
{
    return n < 64 ? symbols >> n : 0;
}

SIMD_INLINE void simd_drop(struct simd_rest *rest, uint32_t n)
{
    rest->low = simd_behind(rest->low, n);
    rest->high = simd_behind(rest->high, n);
    rest->follows = simd_behind(rest->follows, n);
    rest->n -= n;
    rest->n_skip += n;
}

/* The next symbol's index in the chunk. */
SIMD_INLINE uint32_t simd_find_symbol(struct simd_rest *rest, const struct simd_block *block,
                                      const struct simd_chunk *chunk)
{
    uint32_t n = simd_count(rest->symbols);
    while (rest->n_skip >= n) {
        rest->n_skip -= n;
        rest->lane++;
        rest->symbols = chunk->symbols[rest->lane] & simd_part(block, rest->lane);
        n = simd_count(rest->symbols);
    }
    for (; rest->n_skip > 0; rest->n_skip--)
        rest->symbols &= rest->symbols - 1;
    return rest->lane * SIMD_LANE_BYTES + simd_first(rest->symbols);
}

/* Lists the indices in the chunk of all symbols that are left. */
SIMD_INLINE void simd_list_symbols(struct simd_rest *rest, const struct simd_block *block,
                                   const struct simd_chunk *chunk, uint16_t at[SIMD_LANE_BYTES])
{
    uint32_t n = 0;
    assert(rest->n > 0 && rest->n <= SIMD_LANE_BYTES);
    at[0] = (uint16_t)simd_find_symbol(rest, block, chunk);
    uint64_t symbols = rest->symbols;
    for (uint32_t lane = rest->lane; n < rest->n;) {
        for (; symbols != 0 && n < rest->n; symbols &= symbols - 1)
            at[n++] = (uint16_t)(lane * SIMD_LANE_BYTES + simd_first(symbols));
        if (n < rest->n) {
            lane++;
            symbols = chunk->symbols[lane] & simd_part(block, lane);
        }
    }
}

#endif
