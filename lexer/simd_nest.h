/* What nests, and the commands that mean something to the lexer, for vector kernels: braces and
 * formulas are told in bulk where they are plain, and nest.c is asked only where it has something
 * to say. */
#ifndef L0_LEXER_SIMD_NEST_H
#define L0_LEXER_SIMD_NEST_H

#include "lexer/catcode.h"
#include "lexer/context.h"
#include "lexer/nest.h"
#include "lexer/simd_bulk.h"
#include "lexer/simd_chunk.h"
#include "lexer/suspect.h"
#include "lexer/verbatim.h"
#include "lexer/watch.h"

/* A chunk and where it stands. */
struct simd_place {
    struct lexer *lx; /* n_tokens: what stands before the lane in work */
    const uint8_t *input;
    uint32_t pos; /* of the chunk's first byte */
    uint32_t end; /* of what is decided: the end of the step */
};

/* The end of the letters from offset at on. */
SIMD_INLINE uint32_t simd_word_end(const struct simd_place *place, uint32_t at)
{
    const uint8_t *const slots = place->lx->context.slots;
    while (at < place->end && slots[place->input[at]] == CATCODE_LETTER)
        at++;
    return at;
}

/* The end of {name} from offset at on, where the name is plain; or 0. */
SIMD_INLINE uint32_t simd_name_end(const struct simd_place *place, uint32_t at)
{
    const uint8_t *const slots = place->lx->context.slots;
    if (at >= place->end || place->input[at] != '{' || slots['{'] != CATCODE_BEGIN_GROUP ||
        slots['}'] != CATCODE_END_GROUP)
        return 0;
    do
        at++;
    while (at < place->end &&
           (slots[place->input[at]] == CATCODE_LETTER || slots[place->input[at]] == CATCODE_OTHER));
    return at < place->end && place->input[at] == '}' ? at + 1 : 0;
}

/* What the context layer follows: these are left to the byte-wise machine. */
SIMD_INLINE bool simd_is_followed(const struct lexer *lx, enum watch watch, const uint8_t *name,
                                  uint32_t n)
{
    if (!lx->context.on)
        return false;
    return watch == WATCH_BEGIN ? verbatim_is_name(lx, name, n) : verbatim_is_document(name, n);
}

/* Takes the control word at offset at if it is \begin{name}, \end{name} or one that begins or ends
 * a group, or none of those that are watched. False: the byte-wise machine has to, or the next
 * chunk.
 */
SIMD_SELDOM bool simd_take_command(const struct simd_place *place, uint32_t at)
{
    struct lexer *const lx = place->lx;
    const uint8_t *const input = place->input;
    const uint32_t end = simd_word_end(place, at + 1);
    const uint32_t n = end - at - 1;
    /* Behind the end it may go on, and behind these in ^^ notation or as UTF-8. */
    if (end == place->end || input[end] == '^' || input[end] >= 0x80)
        return n > WATCH_NAME_BYTES_MAX;
    const enum watch watch = watch_name(input + at + 1, n, lx->context.on);
    if (watch == WATCH_NONE)
        return true;
    if (lx->context.n_saves > 0)
        return false; /* an end of a group may bring category codes back */
    if (watch == WATCH_BEGIN_GROUP || watch == WATCH_END_GROUP) {
        if (watch == WATCH_BEGIN_GROUP)
            nest_open_group(lx);
        else
            nest_close_group(lx);
        return true;
    }
    if (watch != WATCH_BEGIN && watch != WATCH_END)
        return false;
    const uint32_t name_end = simd_name_end(place, end);
    if (name_end == 0 || name_end - end - 2 > LEXER_ENV_NAME_BYTES_MAX ||
        simd_is_followed(lx, watch, input + end + 1, name_end - end - 2) ||
        context_redefines(lx, input, watch, at))
        return false;
    nest_environment(lx, input, at, name_end - 1);
    return true;
}

/* Braces between offset base and the next event, one by one. The offset of one that has to be left
 * to the byte-wise machine, or place->end. */
SIMD_INLINE uint32_t simd_braces(const struct simd_place *place, uint32_t base, uint64_t opens,
                                 uint64_t closes)
{
    struct lexer *const lx = place->lx;
    for (uint64_t braces = opens | closes; braces; braces &= braces - 1) {
        const uint32_t at = base + simd_first(braces);
        if (opens & simd_lowest_bit(braces))
            nest_open_brace(lx);
        else if (lx->context.n_saves > 0 && lx->nest.depth <= lx->nest.guard)
            return at;
        else
            nest_close_brace(lx, place->input, at, at + 1);
    }
    return place->end;
}

/* What stands in a lane, at offset base. */
struct simd_events {
    uint64_t commands; /* escape characters of those that may be watched */
    uint64_t suspects, comment;
    uint64_t pars;
    struct simd_nesting nesting;
};

/* A $ or \par. False: for the byte-wise machine. */
SIMD_INLINE bool simd_take_math(const struct simd_place *place, const struct simd_events *of,
                                uint64_t event)
{
    struct lexer *const lx = place->lx;
    const uint32_t at = of->nesting.base + simd_first(event);
    if (of->nesting.math_shifts & event) {
        if (lx->context.n_saves > 0)
            return false;
        const uint32_t n_tokens = lx->n_tokens;
        lx->n_tokens += simd_count(of->nesting.tokens & (event - 1));
        nest_math_shift(lx, at);
        lx->n_tokens = n_tokens;
    } else {
        /* The end of a formula may bring category codes back. */
        if (lx->context.n_saves > 0)
            return false;
        const bool crlf = place->input[at] == '\r' && place->input[at + 1] == '\n';
        nest_par(lx, place->input, at, at + (crlf ? 2 : 1));
    }
    return true;
}

/* Braces, $ and \par of the part of the lane, in their order. The offset of what has to be left to
 * the byte-wise machine, or place->end. */
SIMD_SELDOM uint32_t simd_nest_one_by_one(const struct simd_place *place,
                                          const struct simd_events *of, uint64_t part)
{
    uint64_t todo = part;
    const struct simd_nesting *const nesting = &of->nesting;
    for (uint64_t events = (nesting->math_shifts | of->pars) & part; events; events &= events - 1) {
        const uint64_t event = simd_lowest_bit(events), before = (event - 1) & todo;
        const uint32_t stop =
            simd_braces(place, nesting->base, nesting->opens & before, nesting->closes & before);
        if (stop != place->end)
            return stop;
        todo &= ~(event - 1);
        if (!simd_take_math(place, of, event))
            return nesting->base + simd_first(event);
    }
    return simd_braces(place, nesting->base, nesting->opens & todo, nesting->closes & todo);
}

/* The same, in bulk if that can be told. */
SIMD_INLINE uint32_t simd_nest_part(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                    const struct simd_place *place, const struct simd_events *of,
                                    uint64_t part, struct simd_flow *flow)
{
    const struct simd_nesting nesting = {.opens = of->nesting.opens & part,
                                         .closes = of->nesting.closes & part,
                                         .math_shifts = of->nesting.math_shifts & part,
                                         .tokens = of->nesting.tokens,
                                         .base = of->nesting.base};
    const bool in_formula = flow->in_math || nesting.math_shifts;
    const bool has_pars = in_formula && (of->pars & part);
    /* The $ before the part may be the first half of $$. */
    const bool is_half =
        nesting.math_shifts &&
        flow->shift_token ==
            flow->n_tokens +
                simd_count(nesting.tokens & (simd_lowest_bit(nesting.math_shifts) - 1));
    if (__builtin_expect(!has_pars && !is_half && simd_nest_in_bulk(isa, bulk, flow, &nesting), 1))
        return place->end;
    simd_save_flow(place->lx, flow);
    const uint32_t stop = simd_nest_one_by_one(place, of, part);
    *flow = simd_load_flow(place->lx);
    return stop;
}

/* A lane with commands or suspects. The offset of what has to be left to the byte-wise machine, or
 * place->end. */
SIMD_SELDOM uint32_t simd_take_lane(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                    const struct simd_place *place, const struct simd_events *of,
                                    struct simd_flow *flow)
{
    uint64_t todo = ~UINT64_C(0);
    for (uint64_t events = of->commands | of->suspects; events; events &= events - 1) {
        const uint64_t event = simd_lowest_bit(events);
        const uint32_t at = of->nesting.base + simd_first(event);
        const uint32_t stop = simd_nest_part(isa, bulk, place, of, (event - 1) & todo, flow);
        if (stop != place->end)
            return stop;
        todo = ~(event - 1);
        simd_save_flow(place->lx, flow);
        if (of->commands & event) {
            if (!simd_take_command(place, at))
                return at;
        } else if (of->comment & event) {
            suspect_comment(place->lx, place->input, at, at + 3);
        } else {
            suspect_text(place->lx, place->input, at, at + (place->input[at] >= 0xE0 ? 3 : 2));
        }
        *flow = simd_load_flow(place->lx);
    }
    return simd_nest_part(isa, bulk, place, of, todo, flow);
}

/* Of the lane, the bits that are in the step. */
SIMD_INLINE uint64_t simd_valid(const struct simd_chunk *chunk, uint32_t lane)
{
    const uint32_t first = lane * SIMD_LANE_BYTES;
    uint64_t valid = ~UINT64_C(0);
    if (__builtin_expect(first < chunk->begin, 0))
        valid &= ~simd_below(chunk->begin - first);
    if (__builtin_expect(chunk->end < first + SIMD_LANE_BYTES, 0))
        valid &= chunk->end > first ? simd_below(chunk->end - first) : 0;
    return valid;
}

/* A lane with more than can be told in bulk: as simd_take_lane(). */
SIMD_SELDOM uint32_t simd_nest_slowly(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                      const struct simd_place *place,
                                      const struct simd_chunk *chunk, uint32_t lane, uint64_t valid,
                                      struct simd_flow *flow)
{
    const struct simd_events of = {
        .commands = (chunk->commands[lane] >> 1 | chunk->commands[lane + 1] << 63) & valid,
        .suspects = chunk->suspects[lane] & valid,
        .comment = chunk->comment[lane],
        .pars = chunk->pars[lane] & valid,
        .nesting = {.opens = chunk->begin_groups[lane] & valid,
                    .closes = chunk->end_groups[lane] & valid,
                    .math_shifts = chunk->math_shifts[lane] & valid,
                    .tokens = chunk->tokens[lane],
                    .base = place->pos + lane * SIMD_LANE_BYTES}};
    return simd_take_lane(isa, bulk, place, &of, flow);
}

/* The same, for any lane. */
SIMD_INLINE uint32_t simd_nest_lane(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                    const struct simd_place *place, const struct simd_chunk *chunk,
                                    uint32_t lane, uint64_t valid, struct simd_flow *flow)
{
    const struct simd_nesting nesting = {.opens = chunk->begin_groups[lane] & valid,
                                         .closes = chunk->end_groups[lane] & valid,
                                         .math_shifts = chunk->math_shifts[lane] & valid,
                                         .tokens = chunk->tokens[lane],
                                         .base = place->pos + lane * SIMD_LANE_BYTES};
    const uint64_t commands = chunk->commands[lane] >> 1 | chunk->commands[lane + 1] << 63;
    const uint64_t nested = nesting.opens | nesting.closes | nesting.math_shifts;
    const uint64_t in_formula = flow->in_math | nesting.math_shifts ? ~UINT64_C(0) : 0;
    const uint64_t rest = commands | chunk->suspects[lane] | (chunk->pars[lane] & in_formula);
    if (__builtin_expect((rest & valid) == 0, 1) &&
        (nested == 0 || simd_nest_in_bulk(isa, bulk, flow, &nesting)))
        return place->end;
    return simd_nest_slowly(isa, bulk, place, chunk, lane, valid, flow);
}

SIMD_INLINE void simd_count_lane(const struct simd_chunk *chunk, uint32_t lane, uint64_t valid,
                                 struct simd_flow *flow)
{
    flow->n_tokens += simd_count(chunk->tokens[lane] & valid);
    flow->n_lines += simd_count(chunk->lines[lane] & valid);
}

/* A lane that is not all in the step. False: the step is cut there. */
SIMD_SELDOM bool simd_nest_partly(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                  const struct simd_place *place, struct simd_chunk *chunk,
                                  uint32_t lane, struct simd_flow *flow)
{
    const uint32_t stop =
        simd_nest_lane(isa, bulk, place, chunk, lane, simd_valid(chunk, lane), flow);
    chunk->end = stop - place->pos;
    const uint64_t valid = simd_valid(chunk, lane);
    chunk->starts[lane] &= valid;
    simd_count_lane(chunk, lane, valid, flow);
    return stop == place->end;
}

/* Follows the step, and counts what is in it. False: it is cut, and the byte-wise machine has to go
 * on there: control words before it are ended. pos: the offset of the chunk's first byte. */
SIMD_INLINE bool simd_nest_step(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                struct lexer *lx, const uint8_t *input, uint32_t pos,
                                struct simd_chunk *chunk)
{
    const struct simd_place place = {.lx = lx, .input = input, .pos = pos, .end = pos + chunk->end};
    struct simd_flow flow = simd_load_flow(lx);
    bool goes_on = true;
    uint32_t lane = chunk->begin / SIMD_LANE_BYTES;
    if (chunk->begin % SIMD_LANE_BYTES != 0)
        goes_on = simd_nest_partly(isa, bulk, &place, chunk, lane++, &flow);
    while (goes_on && (lane + 1) * SIMD_LANE_BYTES <= chunk->end) {
        const uint32_t stop = simd_nest_lane(isa, bulk, &place, chunk, lane, ~UINT64_C(0), &flow);
        if (__builtin_expect(stop != place.end, 0)) {
            chunk->end = stop - pos;
            goes_on = false;
            break;
        }
        simd_count_lane(chunk, lane++, ~UINT64_C(0), &flow);
    }
    if (!goes_on && lane * SIMD_LANE_BYTES <= chunk->end) { /* what is before the cut in its lane */
        const uint64_t valid = simd_valid(chunk, lane);
        chunk->starts[lane] &= valid;
        simd_count_lane(chunk, lane++, valid, &flow);
    } else if (goes_on && lane * SIMD_LANE_BYTES < chunk->end) {
        goes_on = simd_nest_partly(isa, bulk, &place, chunk, lane++, &flow);
    }
    for (; lane % SIMD_LANES != 0; lane++) /* of the last group */
        chunk->starts[lane] = 0;
    simd_save_flow(lx, &flow);
    return goes_on;
}

#endif
