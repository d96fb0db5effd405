/* Nesting for vector kernels: braces are counted, and nest.c is asked only where it has something
 * to say. */
#ifndef L0_LEXER_SIMD_NEST_H
#define L0_LEXER_SIMD_NEST_H

#include <string.h>

#include "lexer/context.h"
#include "lexer/nest.h"
#include "lexer/simd_block.h"
#include "lexer/verbatim.h"
#include "lexer/watch.h"

/* What simd_commands() looks at. */
struct simd_names {
    const uint8_t *input, *in; /* the document; the block at pos */
    uint32_t pos, n_bytes;     /* so many bits of the masks are known */
    uint64_t words;            /* letters of control words */
    uint64_t plain;            /* letters and others */
    uint64_t begin_groups, end_groups;
};

struct simd_commands {
    uint64_t environments; /* where \begin{name} and \end{name} begin */
    uint64_t groups;       /* where \begingroup, \bgroup, \endgroup, \egroup do */
    uint32_t n_bytes;      /* a new cut */
};

/* The length of {name}, which stands from bit at on, before the cut, where the name is plain; or 0.
 */
SIMD_INLINE uint32_t simd_name_bytes(const struct simd_names *names, uint32_t at, uint32_t n_bytes)
{
    if (at >= n_bytes || !(names->begin_groups >> at & 1))
        return 0;
    const uint64_t ends = ~names->plain & simd_below(n_bytes) & ~simd_below(at + 1);
    const uint64_t end = ends & -ends;
    return names->end_groups & end ? (uint32_t)__builtin_ctzll(end) + 1 - at : 0;
}

/* What the context layer follows: these are left to the byte-wise machine. */
SIMD_INLINE bool simd_is_followed(const struct lexer *lx, enum watch watch, const uint8_t *name,
                                  uint32_t n)
{
    if (!lx->context.on)
        return false;
    return watch == WATCH_BEGIN ? verbatim_is_name(lx, name, n) : verbatim_is_document(name, n);
}

/* The letters that a word begins with; all, if it goes on behind the block. */
SIMD_INLINE uint32_t simd_word_bytes(uint64_t words)
{
    return ~words ? (uint32_t)__builtin_ctzll(~words) : SIMD_BLOCK_BYTES;
}

/* Of the control words in candidates, those that are whole \begin{name} and \end{name}, and those
 * that begin and end groups. Cuts the block before a command that has to be left to the byte-wise
 * machine or to the next block. */
SIMD_SELDOM struct simd_commands simd_commands(const struct lexer *lx, struct simd_names names,
                                               uint64_t candidates, uint32_t n_bytes)
{
    struct simd_commands result = {.n_bytes = n_bytes};
    for (; candidates; candidates &= candidates - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(candidates);
        if (at >= result.n_bytes)
            break;
        const uint32_t n = simd_word_bytes(names.words >> at >> 1);
        const bool whole = at + 1 + n < names.n_bytes;
        const enum watch watch =
            whole ? watch_name(names.in + at + 1, n, lx->context.on) : WATCH_NONE;
        if (whole && watch == WATCH_NONE)
            continue;
        if ((watch == WATCH_BEGIN_GROUP || watch == WATCH_END_GROUP) &&
            at + 1 + n < result.n_bytes) {
            result.groups |= simd_bit(at);
            continue;
        }
        const uint32_t brace = at + 1 + n;
        const uint32_t n_name = watch == WATCH_BEGIN || watch == WATCH_END
                                    ? simd_name_bytes(&names, brace, result.n_bytes)
                                    : 0;
        if (n_name == 0 || simd_is_followed(lx, watch, names.in + brace + 1, n_name - 2) ||
            context_redefines(lx, names.input, watch, names.pos + at)) {
            result.n_bytes = at;
            break;
        }
        result.environments |= simd_bit(at);
    }
    /* The byte-wise machine would end a word at the cut once more. */
    while (result.groups) {
        const uint32_t at = SIMD_BLOCK_BYTES - 1 - (uint32_t)__builtin_clzll(result.groups);
        if (at + 1 + simd_word_bytes(names.words >> at >> 1) < result.n_bytes)
            break;
        result.groups ^= simd_bit(at);
        result.n_bytes = at;
    }
    return result;
}

SIMD_SELDOM void simd_braces_one_by_one(struct lexer *lx, const uint8_t *input, uint32_t pos,
                                        uint64_t opens, uint64_t closes)
{
    for (uint64_t braces = opens | closes; braces; braces &= braces - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(braces);
        if (opens >> at & 1)
            nest_open_brace(lx);
        else
            nest_close_brace(lx, input, pos + at, pos + at + 1);
    }
}

/* Whether eight braces, lowest bit first and set where they open, stay above the guard, which is
 * room braces below. Byte i of the product is twice the number of those among the first i + 1 that
 * open; with 128 + room - (i + 1) more, its highest bit is set if enough do. */
SIMD_INLINE bool simd_braces_stay_above(uint64_t braces, uint64_t room)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t bits = braces * ones & UINT64_C(0x8040201008040201);
    const uint64_t twice = (bits + 0x7F * ones) >> 6 & 2 * ones;
    const uint64_t depths = twice * ones + (128 + room) * ones - UINT64_C(0x0807060504030201);
    return (depths & 0x80 * ones) == 0x80 * ones;
}

/* Counts braces between which nothing else is of interest. gather(bits, mask) moves the bits that
 * are in the mask together, lowest first. */
SIMD_INLINE void simd_braces(struct lexer *lx, const uint8_t *input, uint32_t pos, uint64_t opens,
                             uint64_t closes, uint64_t (*gather)(uint64_t, uint64_t))
{
    struct lexer_nest *nest = &lx->nest;
    const uint32_t n_opens = (uint32_t)__builtin_popcountll(opens);
    const uint32_t n_closes = (uint32_t)__builtin_popcountll(closes);
    const uint32_t n_braces = n_opens + n_closes;
    uint64_t braces = gather(opens, opens | closes) | ~simd_below(n_braces);
    uint32_t room = nest->depth - nest->guard;
    bool stay = simd_braces_stay_above(braces & 0xFF, room < 64 ? room : 64);
    for (uint32_t n = 8; n < n_braces && stay; n += 8) {
        room += 2 * (uint32_t)__builtin_popcountll(braces & 0xFF) - 8;
        braces >>= 8;
        stay = simd_braces_stay_above((braces | ~simd_below(n_braces - n)) & 0xFF,
                                      room < 64 ? room : 64);
    }
    if (stay)
        nest->depth += n_opens - n_closes;
    else
        simd_braces_one_by_one(lx, input, pos, opens, closes);
}

/* What simd_events() looks at: masks of a block at offset pos. */
struct simd_nesting {
    uint64_t begin_groups, end_groups, math_shifts, environments, groups, pars, tokens;
    uint32_t pos;
};

/* The } of a whole \begin{name} or \end{name}. */
SIMD_INLINE uint32_t simd_name_end(const uint8_t *input, uint32_t at)
{
    while (input[at] != '}')
        at++;
    return at;
}

/* Everything in its order; lx->n_tokens does not count the block yet. */
SIMD_INLINE void simd_events(struct lexer *lx, const struct simd_nesting *at_block, uint64_t events,
                             const uint8_t *input, uint64_t (*gather)(uint64_t, uint64_t))
{
    const uint32_t pos = at_block->pos, n_tokens = lx->n_tokens;
    uint64_t todo = ~UINT64_C(0);
    for (; events; events &= events - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(events);
        const uint64_t before = simd_below(at);
        if ((at_block->begin_groups | at_block->end_groups) & before & todo)
            simd_braces(lx, input, pos, at_block->begin_groups & before & todo,
                        at_block->end_groups & before & todo, gather);
        todo = ~before;
        if (at_block->math_shifts >> at & 1) {
            lx->n_tokens = n_tokens + (uint32_t)__builtin_popcountll(at_block->tokens & before);
            nest_math_shift(lx, pos + at);
        } else if (at_block->environments >> at & 1) {
            nest_environment(lx, input, pos + at, simd_name_end(input, pos + at));
        } else if (at_block->groups >> at & 1) {
            if (input[pos + at + 1] == 'b')
                nest_open_group(lx);
            else
                nest_close_group(lx);
        } else {
            const uint32_t end = pos + at + 1;
            nest_par(lx, input, pos + at,
                     input[pos + at] == '\r' && input[end] == '\n' ? end + 1 : end);
        }
    }
    lx->n_tokens = n_tokens;
    simd_braces(lx, input, pos, at_block->begin_groups & todo, at_block->end_groups & todo, gather);
}

#endif
