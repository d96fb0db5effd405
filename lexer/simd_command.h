/* The commands that mean something to the lexer, where vector kernels take them; and what nest.c
 * and suspect.c are asked in the order of the text. */
#ifndef L0_LEXER_SIMD_COMMAND_H
#define L0_LEXER_SIMD_COMMAND_H

#include <string.h>

#include "lexer/catcode.h"
#include "lexer/codes.h"
#include "lexer/context.h"
#include "lexer/group.h"
#include "lexer/nest.h"
#include "lexer/simd_chunk.h"
#include "lexer/suspect.h"
#include "lexer/verbatim.h"
#include "lexer/watch.h"
#include "lexer/word64.h"

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
SIMD_INLINE bool simd_is_followed(const struct lexer *lx, bool is_end, const uint8_t *name,
                                  uint32_t n)
{
    if (!lx->context.on)
        return false;
    return is_end ? verbatim_is_document(name, n) : verbatim_is_name(lx, name, n);
}

/* \end{name} ends no more than the innermost environment, and nothing is brought back there; or
 * there is nothing to bring back. */
SIMD_INLINE bool simd_end_keeps_codes(const struct simd_place *place, uint32_t name, uint32_t n)
{
    const struct lexer_nest *const nest = &place->lx->nest;
    if (place->lx->context.n_saves == 0 || nest->n_env == 0)
        return true;
    const uint8_t *const begun = place->input + nest->env[nest->n_env - 1].name_start;
    return memcmp(begun, place->input + name, n) == 0 && begun[n] == '}' &&
           codes_keep(place->lx, nest->depth, nest->n_env - 1, nest->n_math, nest->n_groups);
}

/* Takes \begin{name} or \end{name} at offset at, whose name is given. False: the byte-wise machine
 * has to. */
SIMD_INLINE bool simd_take_environment(const struct simd_place *place, uint32_t at, bool is_end,
                                       uint32_t name, uint32_t n)
{
    struct lexer *const lx = place->lx;
    if (n > LEXER_ENV_NAME_BYTES_MAX || (is_end && !simd_end_keeps_codes(place, name, n)) ||
        simd_is_followed(lx, is_end, place->input + name, n) ||
        context_redefines(lx, place->input, is_end ? WATCH_END : WATCH_BEGIN, at))
        return false;
    nest_environment(lx, place->input, at, name + n);
    return true;
}

/* The number of ASCII letters from at on, up to 16. */
SIMD_INLINE uint32_t simd_count_letters(const uint8_t *at)
{
    const uint64_t low = word64_not_ascii_letters(word64_load(at));
    const uint64_t high = word64_not_ascii_letters(word64_load(at + 8));
    const uint32_t n_high = high ? word64_first(high) : 8;
    return low ? word64_first(low) : 8 + n_high;
}

#define SIMD_NAME_AHEAD 18u /* the longest name that is told at once, with a star and a } */

/* The same for most of them, at once: names of letters, and of letters and a star. 0: it may be
 * anything else; else the end of the }. */
SIMD_INLINE uint32_t simd_plain_environment(const struct simd_place *place, uint32_t at,
                                            bool *is_end, uint32_t *name)
{
    const uint64_t command = word64_load(place->input + at) >> 8; /* behind the escape character */
    const bool is_begin = (command & UINT64_C(0xFFFFFFFFFFFF)) == UINT64_C(0x7B6E69676562);
    *is_end = (command & UINT64_C(0xFFFFFFFF)) == UINT64_C(0x7B646E65);
    *name = at + (*is_end ? 5 : 7); /* behind "\\end{", "\\begin{" */
    if (!(is_begin | *is_end) || *name + SIMD_NAME_AHEAD > place->end ||
        place->lx->context.n_changed > 0)
        return 0;
    uint32_t end = *name + simd_count_letters(place->input + *name);
    end += place->input[end] == '*';
    return place->input[end] == '}' ? end + 1 : 0;
}

/* Takes the control word at offset at if it is \begin{name}, \end{name} or one that begins or ends
 * a group, or none of those that are watched. False: the byte-wise machine has to, or the next
 * chunk.
 */
SIMD_SELDOM bool simd_take_command(const struct simd_place *place, uint32_t at)
{
    struct lexer *const lx = place->lx;
    const uint8_t *const input = place->input;
    bool is_end;
    uint32_t name;
    uint32_t name_end = simd_plain_environment(place, at, &is_end, &name);
    if (name_end != 0)
        return simd_take_environment(place, at, is_end, name, name_end - 1 - name);
    const uint32_t end = simd_word_end(place, at + 1);
    const uint32_t n = end - at - 1;
    /* Behind the end it may go on, and behind these in ^^ notation or as UTF-8. */
    if (end == place->end || input[end] == '^' || input[end] >= 0x80)
        return n > WATCH_NAME_BYTES_MAX;
    const enum watch watch = watch_name(input + at + 1, n, lx->context.on);
    if (watch == WATCH_NONE)
        return true;
    if (watch == WATCH_BEGIN_GROUP || watch == WATCH_END_GROUP) {
        const struct lexer_nest *const nest = &lx->nest;
        if (watch == WATCH_END_GROUP && nest->n_groups > 0 &&
            !codes_keep(lx, nest->depth, nest->n_env, nest->n_math, nest->n_groups - 1))
            return false;
        group_command(lx, input, watch, at);
        return true;
    }
    if (watch != WATCH_BEGIN && watch != WATCH_END)
        return false;
    name_end = simd_name_end(place, end);
    return name_end != 0 &&
           simd_take_environment(place, at, watch == WATCH_END, end + 1, name_end - end - 2);
}

/* The end of the innermost formula, if it is one of these braces, brings nothing back. */
SIMD_INLINE bool simd_formula_keeps_codes(const struct lexer *lx)
{
    const struct lexer_nest *const nest = &lx->nest;
    return nest->n_math == 0 || nest->math[nest->n_math - 1].depth != nest->depth ||
           codes_keep(lx, nest->depth, nest->n_env, nest->n_math - 1, nest->n_groups);
}

/* A $ or a blank line. False: for the byte-wise machine. */
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
    const bool crlf = place->input[at] == '\r' && place->input[at + 1] == '\n';
    nest_par(place->lx, place->input, at, at + (crlf ? 2 : 1));
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
        else
            taken = simd_take_close(place, at);
        if (!taken)
            return at;
    }
    return place->end;
}

#endif
