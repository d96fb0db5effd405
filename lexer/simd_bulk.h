/* Braces, formulas and blank lines told in bulk for vector kernels: an automaton that reads four of
 * them at a time, from a table that is made once. It knows what is plain; else nest.c is asked. */
#ifndef L0_LEXER_SIMD_BULK_H
#define L0_LEXER_SIMD_BULK_H

#include "lexer/codes.h"
#include "lexer/nest.h"
#include "lexer/simd_isa.h"

/* States: outside formulas so many open braces above nest.guard, or more; or in a formula so many
 * above its $, exactly, and so many outside it when it began, or more. */
#define SIMD_BULK_OUT_MAX   7u
#define SIMD_BULK_IN_MAX    6u
#define SIMD_BULK_OUTER_MAX 2u

enum {
    SIMD_BULK_IN = SIMD_BULK_OUT_MAX + 1,
    SIMD_BULK_UNKNOWN = SIMD_BULK_IN + (SIMD_BULK_OUTER_MAX + 1) * (SIMD_BULK_IN_MAX + 1),
    SIMD_BULK_STATES
};

/* SIMD_PAR: the token \par of a blank line. */
enum simd_symbol { SIMD_OPENS = 0, SIMD_CLOSES = 1, SIMD_SHIFTS = 2, SIMD_PAR = 3 };

#define SIMD_BULK_READS 4u /* symbols at once */

/* The next states. Symbols are two bits each: the lower ones of n symbols in bits 0 … n - 1, the
 * higher ones from bit n on. rest: for n < SIMD_BULK_READS of them, with bit 2 n set. */
struct simd_bulk {
    uint8_t next[SIMD_BULK_STATES][1u << 2 * SIMD_BULK_READS];
    uint8_t rest[SIMD_BULK_STATES][1u << (2 * SIMD_BULK_READS - 1)];
    uint8_t inner[SIMD_BULK_STATES]; /* in a formula, so many braces above its $ */
};

SIMD_INLINE unsigned simd_bulk_in(unsigned outer, unsigned inner)
{
    return SIMD_BULK_IN + outer * (SIMD_BULK_IN_MAX + 1) + inner;
}

static inline unsigned simd_bulk_next(unsigned state, enum simd_symbol symbol)
{
    if (state == SIMD_BULK_UNKNOWN)
        return state;
    if (state < SIMD_BULK_IN) {
        if (symbol == SIMD_PAR)
            return state;
        if (symbol == SIMD_OPENS)
            return state < SIMD_BULK_OUT_MAX ? state + 1 : state;
        if (symbol == SIMD_CLOSES)
            return state > 0 ? state - 1 : SIMD_BULK_UNKNOWN;
        return simd_bulk_in(state < SIMD_BULK_OUTER_MAX ? state : SIMD_BULK_OUTER_MAX, 0);
    }
    const unsigned inner = (state - SIMD_BULK_IN) % (SIMD_BULK_IN_MAX + 1);
    if (symbol == SIMD_PAR)
        return inner > 0 ? state : SIMD_BULK_UNKNOWN;
    if (symbol == SIMD_OPENS)
        return inner < SIMD_BULK_IN_MAX ? state + 1 : SIMD_BULK_UNKNOWN;
    if (symbol == SIMD_CLOSES)
        return inner > 0 ? state - 1 : SIMD_BULK_UNKNOWN;
    return inner == 0 ? (state - SIMD_BULK_IN) / (SIMD_BULK_IN_MAX + 1) : SIMD_BULK_UNKNOWN;
}

SIMD_INLINE unsigned simd_bulk_follow(unsigned state, unsigned symbols, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        state = simd_bulk_next(
            state, (enum simd_symbol)((symbols >> i & 1) | (symbols >> (i + n) & 1) << 1));
    return state;
}

/* Does nothing the second time. */
static inline void simd_bulk_make(struct simd_bulk *bulk)
{
    if (bulk->next[SIMD_BULK_UNKNOWN][0] == SIMD_BULK_UNKNOWN)
        return;
    for (unsigned state = 0; state < SIMD_BULK_STATES; state++) {
        bulk->inner[state] =
            state < SIMD_BULK_IN ? 0 : (uint8_t)((state - SIMD_BULK_IN) % (SIMD_BULK_IN_MAX + 1));
        for (unsigned symbols = 0; symbols < 1u << 2 * SIMD_BULK_READS; symbols++)
            bulk->next[state][symbols] = (uint8_t)simd_bulk_follow(state, symbols, SIMD_BULK_READS);
        for (unsigned n = 0; n < SIMD_BULK_READS; n++)
            for (unsigned symbols = 0; symbols < 1u << 2 * n; symbols++)
                bulk->rest[state][1u << 2 * n | symbols] =
                    (uint8_t)simd_bulk_follow(state, symbols, n);
    }
}

/* Reads n symbols, lowest bits first. */
SIMD_INLINE unsigned simd_bulk_read(const struct simd_bulk *bulk, unsigned state, uint64_t low,
                                    uint64_t high, uint32_t n)
{
    for (; n >= SIMD_BULK_READS; n -= SIMD_BULK_READS) {
        state = bulk->next[state][(low & 15) | (high & 15) << SIMD_BULK_READS];
        low >>= SIMD_BULK_READS;
        high >>= SIMD_BULK_READS;
    }
    const uint64_t mask = simd_below(n);
    return bulk->rest[state][UINT64_C(1) << 2 * n | (low & mask) | (high & mask) << n];
}

/* struct lexer as far as the automaton goes, kept in registers. */
struct simd_flow {
    uint32_t depth, outer;           /* open braces; nest.guard without the formula */
    uint32_t math_start, math_depth; /* the formula, if in_math */
    uint32_t shift_token;            /* nest.shift_token, of a $ that opens if it was changed */
    bool in_math;
    bool is_plain;      /* no more is open than this */
    unsigned state;     /* of the automaton: what is known of the above from lane to lane */
    uint64_t forbidden; /* all bits set: $ is not for the automaton */
};

SIMD_INLINE uint32_t simd_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* With all that can be told. */
SIMD_INLINE unsigned simd_bulk_state(const struct simd_flow *flow)
{
    const uint32_t inner = flow->depth - flow->math_depth;
    const unsigned in =
        inner <= SIMD_BULK_IN_MAX
            ? simd_bulk_in(simd_least(flow->math_depth - flow->outer, SIMD_BULK_OUTER_MAX), inner)
            : SIMD_BULK_UNKNOWN;
    const unsigned out = simd_least(flow->depth - flow->outer, SIMD_BULK_OUT_MAX);
    return flow->in_math ? in : out;
}

SIMD_INLINE struct simd_flow simd_load_flow(struct lexer *lx)
{
    struct lexer_nest *const nest = &lx->nest;
    struct simd_flow flow = {
        .depth = nest->depth,
        .outer = nest->guard,
        .math_start = nest->math[0].start,
        .math_depth = nest->math[0].depth,
        .shift_token = nest->shift_token,
        .in_math = nest->n_math > 0,
        .is_plain = true,
        .forbidden =
            codes_keep(lx, nest->depth, nest->n_env, 0, nest->n_groups) ? 0 : ~UINT64_C(0)};
    flow.state = simd_bulk_state(&flow);
    if (nest->n_math == 0)
        return flow;
    flow.is_plain = nest->n_math == 1 && nest->guard == nest->math[0].depth;
    if (nest->math[0].display)
        flow.forbidden = ~UINT64_C(0);
    if (flow.is_plain) {
        nest->n_math = 0;
        nest_update_guard(lx);
        flow.outer = nest->guard;
        nest->n_math = 1;
        nest->guard = flow.math_depth;
        flow.state = simd_bulk_state(&flow);
    }
    return flow;
}

SIMD_INLINE void simd_save_flow(struct lexer *lx, const struct simd_flow *flow)
{
    struct lexer_nest *const nest = &lx->nest;
    if (!flow->is_plain)
        return;
    nest->depth = flow->depth;
    nest->n_math = flow->in_math;
    nest->guard = flow->in_math ? flow->math_depth : flow->outer;
    if (flow->in_math && !flow->forbidden)
        nest->math[0] = (struct lexer_math){.start = flow->math_start, .depth = flow->math_depth};
    nest->shift_opens |= flow->shift_token != nest->shift_token;
    nest->shift_token = flow->shift_token;
}

#endif
