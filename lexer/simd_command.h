/* The commands that mean something to the lexer, where vector kernels take them; and what nest.c
 * and suspect.c are asked in the order of the text. */
#ifndef L0_LEXER_SIMD_COMMAND_H
#define L0_LEXER_SIMD_COMMAND_H

#include "lexer/catcode.h"
#include "lexer/context.h"
#include "lexer/nest.h"
#include "lexer/simd_chunk.h"
#include "lexer/suspect.h"
#include "lexer/verbatim.h"
#include "lexer/watch.h"

/* A chunk and where it stands. */
struct simd_place {
    struct lexer *lx;
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
    if (at >= place->end || place->input[at] != '{')
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

/* A blank line or a $. False: for the byte-wise machine, since an end of a formula may bring
 * category codes back. */
SIMD_INLINE bool simd_take_shift(const struct simd_place *place, uint32_t at, uint32_t n_tokens)
{
    struct lexer *const lx = place->lx;
    if (lx->context.n_saves > 0)
        return false;
    lx->n_tokens = n_tokens;
    nest_math_shift(lx, at);
    return true;
}

SIMD_INLINE bool simd_take_par(const struct simd_place *place, uint32_t at)
{
    struct lexer *const lx = place->lx;
    const struct lexer_nest *const nest = &lx->nest;
    if (nest->n_math == 0)
        return true;
    if (lx->context.n_saves > 0)
        return false;
    const bool crlf = place->input[at] == '\r' && place->input[at + 1] == '\n';
    nest_par(lx, place->input, at, at + (crlf ? 2 : 1));
    return true;
}

/* Braces, $ and blank lines of a part of a lane, one by one; lx is up to date but for n_tokens, of
 * which so many stand before the lane. The offset of what has to be left to the byte-wise machine,
 * or place->end. */
SIMD_SELDOM uint32_t simd_nest_one_by_one(const struct simd_place *place,
                                          const struct simd_chunk *chunk, uint32_t lane,
                                          uint64_t part, uint32_t n_tokens)
{
    struct lexer *const lx = place->lx;
    const uint32_t base = place->pos + lane * SIMD_LANE_BYTES;
    const uint64_t low = chunk->low[lane], high = chunk->high[lane];
    for (uint64_t todo = chunk->symbols[lane] & part; todo; todo &= todo - 1) {
        const uint64_t bit = simd_lowest_bit(todo);
        const uint32_t at = base + simd_first(todo);
        bool taken = true;
        if (low & high & bit)
            taken = simd_take_par(place, at);
        else if (high & bit)
            taken =
                simd_take_shift(place, at, n_tokens + simd_count(chunk->tokens[lane] & (bit - 1)));
        else if ((low & bit) == 0)
            nest_open_brace(lx);
        else if (lx->context.n_saves > 0 && lx->nest.depth <= lx->nest.guard)
            taken = false; /* an end of a group may bring them back, too */
        else
            nest_close_brace(lx, place->input, at, at + 1);
        if (!taken)
            return at;
    }
    return place->end;
}

#endif
