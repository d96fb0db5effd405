/* What nests, for vector kernels: braces, formulas and blank lines are gathered lane by lane and
 * told in bulk, some 60 of them at once. Where that cannot be told, and for commands and suspects,
 * nest.c and suspect.c are asked in the order of the text (lexer/simd_command.h). */
#ifndef L0_LEXER_SIMD_NEST_H
#define L0_LEXER_SIMD_NEST_H

#include "lexer/simd_bulk.h"
#include "lexer/simd_command.h"
#include "lexer/simd_verb.h"

/* So many at most in more than one lane: what cannot be told as a whole is looked at again. */
#define SIMD_BLOCK_SYMBOLS 63u

/* What was gathered and is not told yet: from a part of a lane on, up to a part of another one. */
struct simd_block {
    uint64_t low, high; /* of enum simd_symbol, lowest bits first */
    uint32_t n;
    uint64_t doubts; /* any: a $ may be half of $$ */
    uint32_t first_lane, last_lane;
    uint64_t first_part, last_part;
    uint32_t shift_lane;             /* the last one with a $, or SIMD_LANES_MAX */
    uint32_t n_before, shift_before; /* tokens before the first lane, and before that one */
    uint32_t n_first;                /* before the first part */
    uint32_t n_tokens;               /* before the next lane */
};

SIMD_INLINE struct simd_block simd_begin_block(uint32_t lane, uint64_t part, uint32_t n_tokens)
{
    return (struct simd_block){.first_lane = lane,
                               .last_lane = lane,
                               .first_part = part,
                               .last_part = part,
                               .shift_lane = SIMD_LANES_MAX,
                               .n_before = n_tokens,
                               .n_first = n_tokens,
                               .n_tokens = n_tokens};
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
    const uint64_t low = chunk->low[lane], high = chunk->high[lane];
    const uint64_t symbols = chunk->symbols[lane] & part, shifts = high & ~low & part;
    const uint32_t n = block->n + simd_count(symbols);
    if (__builtin_expect(n > SIMD_BLOCK_SYMBOLS && block->n > 0, 0))
        return false;
    block->low |= isa->gather(low, symbols) << block->n;
    block->high |= isa->gather(high, symbols) << block->n;
    block->n = n;
    block->doubts |= chunk->doubts[lane] & part;
    block->shift_lane = shifts ? lane : block->shift_lane;
    block->shift_before = shifts ? block->n_tokens : block->shift_before;
    return true;
}

/* Adds whole lanes up to end, but for one with events, or that there is no room for: which is
 * returned. */
SIMD_INLINE uint32_t simd_add_lanes(const struct simd_isa *isa, struct simd_block *block,
                                    const struct simd_chunk *chunk, uint32_t lane, uint32_t end)
{
    struct simd_block adding = *block;
    for (; lane < end; lane++) {
        if (chunk->events[lane] != 0 || !simd_add(isa, &adding, chunk, lane, ~UINT64_C(0)))
            break;
        adding.n_tokens += simd_count(chunk->tokens[lane]);
    }
    *block = adding;
    return lane;
}

/* The last $ of the block: its offset, and the number of tokens up to it. */
SIMD_INLINE void simd_note_shift(const struct simd_block *block, const struct simd_place *place,
                                 const struct simd_chunk *chunk, struct simd_flow *flow)
{
    const uint32_t last = block->shift_lane;
    const uint32_t at = simd_last(chunk->high[last] & ~chunk->low[last] & simd_part(block, last));
    flow->math_start = place->pos + last * SIMD_LANE_BYTES + at;
    flow->shift_token =
        flow->in_math ? block->shift_before + simd_count(chunk->tokens[last] & simd_below(at + 1))
                      : 0;
}

/* Tells the block, if that can be done in bulk; else nothing has changed. */
SIMD_INLINE bool simd_tell(const struct simd_bulk *bulk, const struct simd_block *block,
                           const struct simd_place *place, const struct simd_chunk *chunk,
                           struct simd_flow *flow)
{
    const bool has_shifts = block->shift_lane != SIMD_LANES_MAX;
    /* The last $ before may be the first half of $$. */
    const bool may_follow = flow->shift_token != 0 && flow->shift_token >= block->n_first;
    if (block->n == 0)
        return true;
    if (block->doubts != 0 || !flow->is_plain || (has_shifts && (may_follow || flow->forbidden)))
        return false;
    unsigned state = simd_bulk_read(bulk, flow->state, block->low, block->high, block->n);
    if (__builtin_expect(state == SIMD_BULK_UNKNOWN, 0)) {
        const unsigned exact = simd_bulk_state(flow);
        if (exact != flow->state)
            state = simd_bulk_read(bulk, exact, block->low, block->high, block->n);
        if (state == SIMD_BULK_UNKNOWN)
            return false;
    }
    const uint32_t n_closes = simd_count(block->low & ~block->high);
    const uint32_t n_opens = block->n - simd_count(block->low | block->high);
    flow->depth += n_opens - n_closes;
    flow->state = state;
    flow->in_math = state >= SIMD_BULK_IN;
    flow->math_depth = flow->depth - bulk->inner[state];
    if (has_shifts)
        simd_note_shift(block, place, chunk, flow);
    return true;
}

/* Takes the first lane away from the block. */
SIMD_INLINE struct simd_block simd_split(struct simd_block *block, const struct simd_chunk *chunk)
{
    const uint32_t lane = block->first_lane;
    const uint64_t part = simd_part(block, lane);
    const uint32_t n = simd_count(chunk->symbols[lane] & part);
    struct simd_block first = simd_begin_block(lane, part, block->n_before);
    first.n_first = block->n_first;
    first.low = block->low & simd_below(n);
    first.high = block->high & simd_below(n);
    first.n = n;
    first.doubts = chunk->doubts[lane] & part;
    if (chunk->high[lane] & ~chunk->low[lane] & part) {
        first.shift_lane = lane;
        first.shift_before = block->n_before;
    }
    block->low = n < 64 ? block->low >> n : 0;
    block->high = n < 64 ? block->high >> n : 0;
    block->n -= n;
    block->n_before += simd_count(chunk->tokens[lane]);
    block->n_first = block->n_before;
    block->first_lane = lane + 1;
    block->first_part = ~UINT64_C(0);
    if (block->shift_lane == lane)
        block->shift_lane = SIMD_LANES_MAX;
    if (block->doubts == 0)
        return first;
    block->doubts = 0;
    for (uint32_t rest = lane + 1; rest <= block->last_lane; rest++)
        block->doubts |= chunk->doubts[rest] & simd_part(block, rest);
    return first;
}

/* A block that cannot be told as a whole: up to the lane that is to blame, that one by nest.c, and
 * then the rest as a whole, if possible. */
SIMD_SELDOM uint32_t simd_tell_slowly(const struct simd_bulk *bulk, struct simd_block block,
                                      const struct simd_place *place,
                                      const struct simd_chunk *chunk, struct simd_flow *flow)
{
    bool is_new = false; /* the lane before was to blame */
    while (block.n > 0 && !(is_new && simd_tell(bulk, &block, place, chunk, flow))) {
        const struct simd_block first = simd_split(&block, chunk);
        is_new = !simd_tell(bulk, &first, place, chunk, flow);
        if (!is_new)
            continue;
        simd_save_flow(place->lx, flow);
        const uint32_t stop =
            simd_nest_one_by_one(place, chunk, first.first_lane, first.first_part, first.n_before);
        *flow = simd_load_flow(place->lx);
        if (stop != place->end)
            return stop;
    }
    return place->end;
}

/* Tells what was gathered. The offset of what has to be left to the byte-wise machine, or
 * place->end. */
SIMD_SELDOM uint32_t simd_close(const struct simd_bulk *bulk, const struct simd_block *block,
                                const struct simd_place *place, const struct simd_chunk *chunk,
                                struct simd_flow *flow)
{
    if (__builtin_expect(simd_tell(bulk, block, place, chunk, flow), 1))
        return place->end;
    return simd_tell_slowly(bulk, *block, place, chunk, flow);
}

/* Gathers what is in the part of the lane, of which the block begins with the first one. */
SIMD_INLINE uint32_t simd_gather(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                 struct simd_block *block, const struct simd_place *place,
                                 const struct simd_chunk *chunk, uint32_t lane, uint64_t part,
                                 struct simd_flow *flow)
{
    if (!simd_add(isa, block, chunk, lane, part)) {
        const uint32_t stop = simd_close(bulk, block, place, chunk, flow);
        if (stop != place->end)
            return stop;
        *block = simd_begin_block(lane, part, block->n_tokens);
        simd_add(isa, block, chunk, lane, part);
    }
    block->last_lane = lane;
    block->last_part = part;
    return place->end;
}

SIMD_INLINE void simd_take_suspect(const struct simd_place *place, uint32_t at, bool in_comment)
{
    if (in_comment)
        suspect_comment(place->lx, place->input, at, at + 3);
    else
        suspect_text(place->lx, place->input, at, at + (place->input[at] >= 0xE0 ? 3 : 2));
}

/* A lane that is not all in the step, or has events. The offset of what has to be left to the
 * byte-wise machine, or place->end. */
SIMD_SELDOM uint32_t simd_take_lane(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                    struct simd_block *block, const struct simd_place *place,
                                    struct simd_chunk *chunk, uint32_t lane, uint64_t valid,
                                    struct simd_flow *flow)
{
    const uint32_t base = place->pos + lane * SIMD_LANE_BYTES;
    uint64_t part = valid;
    for (uint64_t events = chunk->events[lane] & valid; events; events &= events - 1) {
        const uint64_t event = simd_lowest_bit(events);
        const uint32_t at = base + simd_first(event);
        uint32_t stop = simd_gather(isa, bulk, block, place, chunk, lane, part & (event - 1), flow);
        if (stop == place->end)
            stop = simd_close(bulk, block, place, chunk, flow);
        if (stop != place->end)
            return stop;
        simd_save_flow(place->lx, flow);
        bool taken = true;
        if (place->input[at] >= 0x80)
            simd_take_suspect(place, at, chunk->comment[lane] & event);
        else
            taken = simd_take_command(place, at - 1) || simd_take_verb(place, chunk, at - 1);
        *flow = simd_load_flow(place->lx);
        if (!taken)
            return at - 1;
        events &= chunk->events[lane]; /* none in verbatim text */
        part = valid & ~(event - 1);
        *block = simd_begin_block(lane, part, block->n_tokens);
        block->n_first += simd_count(chunk->tokens[lane] & (event - 1));
    }
    return simd_gather(isa, bulk, block, place, chunk, lane, part, flow);
}

/* Of the lane, the bits that are in the step. */
SIMD_INLINE uint64_t simd_valid(const struct simd_chunk *chunk, uint32_t lane)
{
    const uint32_t first = lane * SIMD_LANE_BYTES;
    uint64_t valid = ~UINT64_C(0);
    if (first < chunk->begin)
        valid &= ~simd_below(chunk->begin - first);
    if (chunk->end < first + SIMD_LANE_BYTES)
        valid &= chunk->end > first ? simd_below(chunk->end - first) : 0;
    return valid;
}

/* Follows the step up to its end: where it has to be cut, or place->end. */
SIMD_INLINE uint32_t simd_nest_lanes(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                     const struct simd_place *place, struct simd_chunk *chunk,
                                     struct simd_flow *flow)
{
    uint32_t lane = chunk->begin / SIMD_LANE_BYTES;
    const uint32_t whole_end = chunk->end / SIMD_LANE_BYTES;
    struct simd_block block = simd_begin_block(lane, simd_valid(chunk, lane), place->lx->n_tokens);
    while (lane * SIMD_LANE_BYTES < chunk->end) {
        const uint64_t valid = simd_valid(chunk, lane);
        if (~valid == 0) {
            const uint32_t next = simd_add_lanes(isa, &block, chunk, lane, whole_end);
            if (next > lane) {
                block.last_lane = next - 1;
                block.last_part = valid;
                lane = next;
                continue;
            }
        }
        const uint32_t stop = simd_take_lane(isa, bulk, &block, place, chunk, lane, valid, flow);
        if (stop != place->end)
            return stop;
        block.n_tokens += simd_count(chunk->tokens[lane++] & valid);
    }
    return simd_close(bulk, &block, place, chunk, flow);
}

/* Follows the step, and counts what is in it. False: it is cut, and the byte-wise machine has to go
 * on there: control words before it are ended. pos: the offset of the chunk's first byte. */
SIMD_INLINE bool simd_nest_step(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                struct lexer *lx, const uint8_t *input, uint32_t pos,
                                struct simd_chunk *chunk)
{
    const struct simd_place place = {.lx = lx, .input = input, .pos = pos, .end = pos + chunk->end};
    struct simd_flow flow = simd_load_flow(lx);
    uint32_t n_tokens = lx->n_tokens, n_lines = 0;
    const uint32_t stop = simd_nest_lanes(isa, bulk, &place, chunk, &flow);
    simd_save_flow(lx, &flow);
    chunk->end = stop - pos;
    const uint32_t end_lane = (chunk->end + SIMD_GROUP_BYTES - 1) / SIMD_GROUP_BYTES * SIMD_LANES;
    uint32_t lane = chunk->begin / SIMD_LANE_BYTES;
    chunk->starts[lane] &= simd_valid(chunk, lane);
    for (; (lane + SIMD_LANES) * SIMD_LANE_BYTES <= chunk->end; lane += SIMD_LANES) {
        n_tokens += simd_count_lanes(chunk->tokens + lane);
        n_lines += simd_count_lanes(chunk->lines + lane);
    }
    for (; lane < end_lane; lane++) { /* and what is behind the step in its last group */
        const uint64_t valid = simd_valid(chunk, lane);
        n_tokens += simd_count(chunk->tokens[lane] & valid);
        n_lines += simd_count(chunk->lines[lane] & valid);
        chunk->starts[lane] &= valid;
    }
    lx->n_tokens = n_tokens;
    lx->n_lines += n_lines;
    return stop == place.end;
}

#endif
