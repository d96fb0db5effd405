/* Nesting for vector kernels: braces are counted, and nest.c is asked only where it has something
 * to say. */
#ifndef L0_LEXER_SIMD_NEST_H
#define L0_LEXER_SIMD_NEST_H

#include <string.h>

#include "lexer/nest.h"
#include "lexer/simd_block.h"

/* Whether a control word that begins at bit at of the block is \begin or \end, and then the length
 * of its name; else 0. in: the block, followed by SIMD_AHEAD_BYTES. */
SIMD_INLINE uint32_t simd_environment_bytes(const struct simd_block *block, const uint8_t *in,
                                            uint32_t at)
{
    const uint32_t n = in[at + 1] == 'b' ? 5 : 3;
    if (memcmp(in + at + 1, n == 5 ? "begin" : "end", n) != 0)
        return 0;
    const uint32_t behind = at + 1 + n;
    return behind < SIMD_BLOCK_BYTES && (block->word >> behind & 1) ? 0 : n;
}

/* Index of the } of a \begin{name} or \end{name} that lies before the cut and whose name, n bytes
 * of control word at bit at, is plain; 0: it does not, or is not. */
SIMD_INLINE uint32_t simd_environment_brace(const struct simd_block *block, uint32_t at, uint32_t n)
{
    const struct simd_sets *s = &block->sets;
    const uint32_t name = at + n + 2;
    if (name >= block->n_bytes || !(s->begin_groups >> (name - 1) & 1))
        return 0;
    const uint64_t behind = ~simd_below(name) & simd_below(block->n_bytes);
    const uint64_t ends = behind & ~(s->letters | s->others);
    const uint32_t brace = ends ? (uint32_t)__builtin_ctzll(ends) : 0;
    return s->end_groups >> brace & 1 ? brace : 0;
}

/* Of the control words in candidates, those that are whole \begin{name} and \end{name}. Cuts the
 * block before one that has to be left to the byte-wise machine or to the next block. */
SIMD_INLINE uint64_t simd_environments(struct simd_block *block, const uint8_t *in,
                                       uint64_t candidates)
{
    uint64_t found = 0;
    for (; candidates; candidates &= candidates - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(candidates);
        if (at >= block->n_bytes)
            break;
        const uint32_t n = simd_environment_bytes(block, in, at);
        if (n == 0)
            continue;
        if (simd_environment_brace(block, at, n) == 0) {
            block->n_bytes = at;
            break;
        }
        found |= simd_bit(at);
    }
    return found;
}

SIMD_INLINE void simd_braces_one_by_one(struct lexer *lx, uint32_t pos, uint64_t opens,
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

/* Counts braces between which nothing else is of interest. */
SIMD_INLINE void simd_braces(struct lexer *lx, uint32_t pos, uint64_t opens, uint64_t closes)
{
    struct lexer_nest *nest = &lx->nest;
    int64_t depth = nest->depth;
    int64_t lowest = depth;
    for (uint64_t braces = opens | closes; braces; braces &= braces - 1) {
        depth += (opens & braces & -braces) ? 1 : -1;
        lowest = depth < lowest ? depth : lowest;
    }
    if (lowest >= nest->guard)
        nest->depth = (uint32_t)depth;
    else
        simd_braces_one_by_one(lx, pos, opens, closes);
}

/* All that nests in a block at offset pos of the document; lx->n_tokens does not count it yet. */
SIMD_INLINE void simd_nest(struct lexer *lx, const struct simd_block *block,
                           const struct simd_spans *spans, uint64_t environments,
                           const uint8_t *input, uint32_t pos)
{
    uint64_t opens = spans->begin_groups;
    uint64_t closes = spans->end_groups;
    uint64_t events = spans->math_shifts | environments;
    if (spans->math_shifts || lx->nest.n_math)
        events |= spans->pars;
    const uint32_t n_tokens = lx->n_tokens;
    for (; events; events &= events - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(events);
        const uint64_t before = simd_below(at);
        simd_braces(lx, pos, opens & before, closes & before);
        opens &= ~before;
        closes &= ~before;
        if (spans->math_shifts >> at & 1) {
            lx->n_tokens = n_tokens + (uint32_t)__builtin_popcountll(spans->tokens & before);
            nest_math_shift(lx, pos + at);
        } else if (environments >> at & 1) {
            const uint32_t n = input[pos + at + 1] == 'b' ? 5 : 3;
            nest_environment(lx, input, pos + at, pos + simd_environment_brace(block, at, n));
        } else {
            const uint32_t end = pos + at + 1;
            nest_par(lx, pos + at, input[pos + at] == '\r' && input[end] == '\n' ? end + 1 : end);
        }
    }
    lx->n_tokens = n_tokens;
    simd_braces(lx, pos, opens, closes);
}

#endif
