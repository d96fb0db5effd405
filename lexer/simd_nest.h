/* Nesting for vector kernels: braces are counted, and nest.c is asked only where it has something
 * to say. */
#ifndef L0_LEXER_SIMD_NEST_H
#define L0_LEXER_SIMD_NEST_H

#include <string.h>

#include "lexer/nest.h"
#include "lexer/simd_block.h"

/* What simd_environments() looks at. */
struct simd_names {
    const uint8_t *in; /* the block, followed by SIMD_AHEAD_BYTES */
    uint64_t words;    /* letters of control words */
    uint64_t plain;    /* letters and others */
    uint64_t begin_groups, end_groups;
};

struct simd_environments {
    uint64_t found;   /* where they begin */
    uint32_t n_bytes; /* a new cut */
};

/* Whether a control word that begins at bit at of the block is \begin or \end, and then the length
 * of its name; else 0. */
SIMD_INLINE uint32_t simd_environment_bytes(const struct simd_names *names, uint32_t at)
{
    const uint32_t n = names->in[at + 1] == 'b' ? 5 : 3;
    if (memcmp(names->in + at + 1, n == 5 ? "begin" : "end", n) != 0)
        return 0;
    const uint32_t behind = at + 1 + n;
    return behind < SIMD_BLOCK_BYTES && (names->words >> behind & 1) ? 0 : n;
}

/* {name} stands from bit at on, before the cut, and the name is plain. */
SIMD_INLINE bool simd_is_name(const struct simd_names *names, uint32_t at, uint32_t n_bytes)
{
    if (at >= n_bytes || !(names->begin_groups >> at & 1))
        return false;
    const uint64_t ends = ~names->plain & simd_below(n_bytes) & ~simd_below(at + 1);
    return names->end_groups & ends & -ends;
}

/* Of the control words in candidates, those that are whole \begin{name} and \end{name}. Cuts the
 * block before one that has to be left to the byte-wise machine or to the next block. */
SIMD_SELDOM struct simd_environments simd_environments(struct simd_names names, uint64_t candidates,
                                                       uint32_t n_bytes)
{
    struct simd_environments result = {.n_bytes = n_bytes};
    for (; candidates; candidates &= candidates - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(candidates);
        if (at >= result.n_bytes)
            break;
        const uint32_t n = simd_environment_bytes(&names, at);
        if (n == 0)
            continue;
        if (!simd_is_name(&names, at + 1 + n, result.n_bytes)) {
            result.n_bytes = at;
            break;
        }
        result.found |= simd_bit(at);
    }
    return result;
}

SIMD_SELDOM void simd_braces_one_by_one(struct lexer *lx, uint32_t pos, uint64_t opens,
                                        uint64_t closes)
{
    for (uint64_t braces = opens | closes; braces; braces &= braces - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(braces);
        if (opens >> at & 1)
            nest_open_brace(lx);
        else
            nest_close_brace(lx, pos + at, pos + at + 1);
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
SIMD_INLINE void simd_braces(struct lexer *lx, uint32_t pos, uint64_t opens, uint64_t closes,
                             uint64_t (*gather)(uint64_t, uint64_t))
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
        simd_braces_one_by_one(lx, pos, opens, closes);
}

/* What simd_events() looks at: masks of a block at offset pos. */
struct simd_nesting {
    uint64_t begin_groups, end_groups, math_shifts, environments, pars, tokens;
    uint32_t pos;
};

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
            simd_braces(lx, pos, at_block->begin_groups & before & todo,
                        at_block->end_groups & before & todo, gather);
        todo = ~before;
        if (at_block->math_shifts >> at & 1) {
            lx->n_tokens = n_tokens + (uint32_t)__builtin_popcountll(at_block->tokens & before);
            nest_math_shift(lx, pos + at);
        } else if (at_block->environments >> at & 1) {
            const uint32_t brace = (uint32_t)__builtin_ctzll(at_block->end_groups & todo);
            nest_environment(lx, input, pos + at, pos + brace);
        } else {
            const uint32_t end = pos + at + 1;
            nest_par(lx, pos + at, input[pos + at] == '\r' && input[end] == '\n' ? end + 1 : end);
        }
    }
    lx->n_tokens = n_tokens;
    simd_braces(lx, pos, at_block->begin_groups & todo, at_block->end_groups & todo, gather);
}

#endif
