/* \verb and its like within a step of vector kernels: the masks of a chunk, which have it as other
 * text, are made to have it as verbatim text. What comes behind it stays as it is: so that is only
 * done where the rules found the same state there. */
#ifndef L0_LEXER_SIMD_VERB_H
#define L0_LEXER_SIMD_VERB_H

#include "lexer/simd_command.h"

/* Indices in a chunk: of the text's first delimiter, and behind the last one. */
struct simd_verb {
    uint32_t begin, end;
};

/* The state behind it is M, and nothing goes on but a run of letters or others, in which a span
 * then begins. */
SIMD_INLINE bool simd_ends_as_told(const struct simd_chunk *chunk, uint32_t end)
{
    const bool skipped = chunk->by_codes && simd_lane_bit(chunk->run[2].of, end - 1);
    return simd_lane_bit(chunk->middle.of, end - 1) && !simd_lane_bit(chunk->escape.of, end - 1) &&
           !skipped;
}

SIMD_INLINE void simd_change_bit(uint64_t *lanes, uint32_t index, bool value)
{
    const uint64_t bit = simd_bit(index % SIMD_LANE_BYTES);
    uint64_t *const lane = &lanes[index / SIMD_LANE_BYTES];
    *lane = value ? *lane | bit : *lane & ~bit;
}

/* Bits begin … end - 1 that are in the lane. */
SIMD_INLINE uint64_t simd_bits_between(uint32_t lane, uint32_t begin, uint32_t end)
{
    const uint32_t first = lane * SIMD_LANE_BYTES;
    const uint64_t below = end > first ? simd_below(end - first) : 0;
    return begin > first ? below & ~simd_below(begin - first) : below;
}

SIMD_INLINE void simd_put_verb(struct simd_chunk *chunk, const struct simd_verb *verb, bool writes)
{
    const bool goes_on =
        simd_joins(chunk, verb->end, simd_lane_bit(chunk->run[0].of, verb->end - 1),
                   simd_lane_bit(chunk->run[1].of, verb->end - 1));
    for (uint32_t lane = verb->begin / SIMD_LANE_BYTES; lane * SIMD_LANE_BYTES < verb->end;
         lane++) {
        const uint64_t inside = simd_bits_between(lane, verb->begin, verb->end);
        chunk->starts[lane] &= ~inside;
        chunk->tokens[lane] |= inside;
        chunk->symbols[lane] &= ~inside;
        chunk->low[lane] &= ~inside;
        chunk->high[lane] &= ~inside;
        chunk->shifts.of[lane] &= ~inside;
        chunk->follows[lane] &= ~inside;
        chunk->events[lane] &= ~inside;
        if (writes)
            chunk->word_first[lane] &= ~inside; /* the delimiter may be an escape character */
    }
    for (uint32_t bit = 0; bit < SIMD_KIND_BITS && writes; bit++)
        simd_change_bit(chunk->kind[bit], verb->begin, LEXER_VERBATIM >> bit & 1);
    simd_change_bit(chunk->starts, verb->begin, true);
    simd_change_bit(chunk->follows, verb->end, false); /* the delimiter may be a $ */
    if (goes_on)
        simd_change_bit(chunk->starts, verb->end, true);
    simd_change_bit(chunk->run[0].of, verb->end - 1, false);
    simd_change_bit(chunk->run[1].of, verb->end - 1, false);
}

/* Takes the text behind a command at offset at. False: it was left. */
SIMD_INLINE bool simd_take_inline(const struct simd_place *place, struct simd_chunk *chunk,
                                  enum watch watch, uint32_t at, uint32_t text)
{
    struct lexer *const lx = place->lx;
    const uint32_t end = verbatim_inline_end(lx, place->input, text, place->end, watch);
    /* simd_settle_end() looked at what is behind it. */
    if (end == 0 || place->end - end < SIMD_SETTLED_BYTES ||
        !simd_ends_as_told(chunk, end - place->pos) ||
        !context_follows_inline(lx, place->input, at))
        return false;
    const struct simd_verb verb = {.begin = text - place->pos, .end = end - place->pos};
    simd_put_verb(chunk, &verb, lx->writes);
    return true;
}

/* \verb stands at offset at. Its letters may have other category codes. */
SIMD_INLINE bool simd_is_verb(const struct simd_place *place, uint32_t at)
{
    const struct lexer_context *const context = &place->lx->context;
    const uint64_t bytes = word64_load(place->input + at) >> 8; /* behind the escape character */
    return (bytes & UINT64_C(0xFFFFFFFF)) == UINT64_C(0x62726576) &&
           context->slots[bytes >> 32 & 0xFF] != CATCODE_LETTER && context->on &&
           (context->n_changed == 0 || simd_word_end(place, at + 1) == at + 5);
}

/* Takes \verb, where its text follows at once and is plain. False: it was left. */
SIMD_SELDOM bool simd_take_verb(const struct simd_place *place, struct simd_chunk *chunk,
                                uint32_t at)
{
    return simd_take_inline(place, chunk, WATCH_VERB, at, at + 5);
}

/* The same of \lstinline and \mintinline{name}. */
SIMD_SELDOM bool simd_take_listing(const struct simd_place *place, struct simd_chunk *chunk,
                                   uint32_t at)
{
    const struct lexer *const lx = place->lx;
    uint32_t text = simd_word_end(place, at + 1);
    const enum watch watch = watch_name(place->input + at + 1, text - at - 1, lx->context.on);
    if (watch == WATCH_MINTINLINE)
        text = simd_name_end(place, text);
    return (watch == WATCH_LSTINLINE || watch == WATCH_MINTINLINE) && text > 0 &&
           simd_take_inline(place, chunk, watch, at, text);
}

#endif
