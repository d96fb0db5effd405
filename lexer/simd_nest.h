/* The step that follows what nests, for vector kernels: symbols are gathered lane by lane; commands
 * and suspects, and what the automaton cannot tell, are taken in the order of the text. */
#ifndef L0_LEXER_SIMD_NEST_H
#define L0_LEXER_SIMD_NEST_H

#include "lexer/simd_command.h"
#include "lexer/simd_rest.h"
#include "lexer/simd_verb.h"

/* Tells what was gathered. The offset of what has to be left to the byte-wise machine, or
 * place->end. */
SIMD_SELDOM uint32_t simd_close(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                const struct simd_block *block, const struct simd_place *place,
                                const struct simd_chunk *chunk, struct simd_flow *flow)
{
    /* Braces may end groups, which the automaton does not know. */
    if (__builtin_expect(place->lx->nest.n_groups == 0 && simd_tell(isa, bulk, block, chunk, flow),
                         1))
        return place->end;
    return simd_tell_rest(isa, bulk, block, place, chunk, flow);
}

/* Gathers what is in the part of the lane, of which the block begins with the first one. */
SIMD_INLINE uint32_t simd_gather(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                 struct simd_block *block, const struct simd_place *place,
                                 const struct simd_chunk *chunk, uint32_t lane, uint64_t part,
                                 struct simd_flow *flow)
{
    if (!simd_add(isa, block, chunk, lane, part)) {
        const uint32_t stop = simd_close(isa, bulk, block, place, chunk, flow);
        if (stop != place->end)
            return stop;
        *block = simd_begin_block(lane, part);
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

/* Not behind a $; or what is there is no token, but the next one, if there is one in the step, is
 * no $ either. */
SIMD_INLINE bool simd_is_apart(const struct simd_chunk *chunk, uint32_t lane, uint64_t event)
{
    const uint32_t index = lane * SIMD_LANE_BYTES + simd_first(event);
    if (index > chunk->begin && !simd_lane_bit(chunk->shifts.of, index - 1))
        return true;
    uint64_t tokens = chunk->tokens[lane] & ~(event - 1);
    for (; tokens == 0; tokens = chunk->tokens[lane])
        if (++lane * SIMD_LANE_BYTES >= chunk->end)
            return false;
    const uint64_t next = simd_lowest_bit(tokens);
    return lane * SIMD_LANE_BYTES + simd_first(next) < chunk->end &&
           (chunk->shifts.of[lane] & next) == 0;
}

/* What is a word's first letter may have to be taken, at offset at, with the escape character
 * before it. The offset of what has to be left to the byte-wise machine, or place->end. */
SIMD_INLINE uint32_t simd_take_word(const struct simd_place *place, struct simd_chunk *chunk,
                                    uint32_t at, struct simd_flow *flow)
{
    const struct simd_environment env = simd_environment_at(place, at - 1);
    if (env.n > 0 && simd_take_plain(place, flow, at - 1, &env))
        return place->end;
    simd_save_flow(place, chunk, flow, at - 1 - place->pos);
    bool taken;
    if (env.n > 0)
        taken = simd_take_environment(place, at - 1, &env);
    else if (simd_is_verb(place, at - 1))
        taken = simd_take_verb(place, chunk, at - 1);
    else
        taken = simd_take_command(place, at - 1) || simd_take_listing(place, chunk, at - 1);
    *flow = simd_load_flow(place->lx, 0);
    return taken ? place->end : at - 1;
}

/* A word; or a suspect; or what stands behind a $, which may be both. */
SIMD_INLINE uint32_t simd_take_event(const struct simd_place *place, struct simd_chunk *chunk,
                                     uint32_t lane, uint64_t event, struct simd_flow *flow)
{
    const uint32_t at = place->pos + lane * SIMD_LANE_BYTES + simd_first(event);
    if (chunk->word.of[lane] & event)
        return simd_take_word(place, chunk, at, flow);
    if (!simd_is_apart(chunk, lane, event))
        return at;
    if (place->input[at] >= 0x80)
        simd_take_suspect(place, at, chunk->comment.of[lane] & event);
    return place->end;
}

/* A lane that is not all in the step, or has events. The offset of what has to be left to the
 * byte-wise machine, or place->end. */
SIMD_SELDOM uint32_t simd_take_lane(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                    struct simd_block *block, const struct simd_place *place,
                                    struct simd_chunk *chunk, uint32_t lane, uint64_t valid,
                                    struct simd_flow *flow)
{
    uint64_t part = valid;
    for (uint64_t events = chunk->events[lane] & valid; events; events &= events - 1) {
        const uint64_t event = simd_lowest_bit(events);
        uint32_t stop = simd_gather(isa, bulk, block, place, chunk, lane, part & (event - 1), flow);
        if (stop == place->end)
            stop = simd_close(isa, bulk, block, place, chunk, flow);
        if (stop == place->end)
            stop = simd_take_event(place, chunk, lane, event, flow);
        if (stop != place->end)
            return stop;
        events &= chunk->events[lane]; /* none in verbatim text */
        part = valid & ~(event - 1);
        *block = simd_begin_block(lane, part);
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
    struct simd_block block = simd_begin_block(lane, simd_valid(chunk, lane));
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
        lane++;
    }
    return simd_close(isa, bulk, &block, place, chunk, flow);
}

/* Follows the step, and counts what is in it. False: it is cut, and the byte-wise machine has to go
 * on there: control words before it are ended. pos: the offset of the chunk's first byte. */
SIMD_INLINE bool simd_nest_step(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                struct lexer *lx, const uint8_t *input, uint32_t pos,
                                struct simd_chunk *chunk)
{
    const struct simd_place place = {
        .lx = lx, .input = input, .pos = pos, .end = pos + chunk->end, .n_tokens = lx->n_tokens};
    struct simd_flow flow = simd_load_flow(lx, lx->n_tokens);
    uint32_t n_tokens = lx->n_tokens, n_lines = 0;
    const uint32_t stop = simd_nest_lanes(isa, bulk, &place, chunk, &flow);
    chunk->end = stop - pos;
    simd_save_flow(&place, chunk, &flow, chunk->end);
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
