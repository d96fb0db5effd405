/* Braces, formulas and blank lines told in bulk for vector kernels: an automaton that reads four of
 * them at a time, from a table that is made once. It knows what is plain; else nest.c is asked. */
#ifndef L0_LEXER_SIMD_BULK_H
#define L0_LEXER_SIMD_BULK_H

#include "lexer/simd_isa.h"

/* States: outside formulas so many open braces above nest.guard, or more; the same where a display
 * has just ended, if another $ follows that belongs to its end; in a formula so many above its $,
 * exactly, and so many outside it when it began, or more; the same in a display. */
#define SIMD_BULK_OUT_MAX   7u
#define SIMD_BULK_IN_MAX    6u
#define SIMD_BULK_OUTER_MAX 2u
#define SIMD_BULK_FORMULAS  ((SIMD_BULK_OUTER_MAX + 1) * (SIMD_BULK_IN_MAX + 1))

enum {
    SIMD_BULK_HALF = SIMD_BULK_OUT_MAX + 1,
    SIMD_BULK_IN = SIMD_BULK_HALF + SIMD_BULK_OUTER_MAX + 1,
    SIMD_BULK_DISPLAY = SIMD_BULK_IN + SIMD_BULK_FORMULAS,
    SIMD_BULK_UNKNOWN = SIMD_BULK_DISPLAY + SIMD_BULK_FORMULAS,
    SIMD_BULK_STATES
};

/* SIMD_PAR: the token \par of a blank line. */
enum simd_symbol { SIMD_OPENS = 0, SIMD_CLOSES = 1, SIMD_SHIFTS = 2, SIMD_PAR = 3 };

#define SIMD_BULK_READS 4u /* symbols at once */

/* The next states. Symbols are two bits each: the lower ones of n symbols in bits 0 … n - 1, the
 * higher ones from bit n on. rest: for n < SIMD_BULK_READS of them, with bit 2 n set. pair, one:
 * for two or one, with as many more bits on top, of those before which stands a $ and no other
 * token. */
struct simd_bulk {
    uint8_t next[SIMD_BULK_STATES][1u << 2 * SIMD_BULK_READS];
    uint8_t rest[SIMD_BULK_STATES][1u << (2 * SIMD_BULK_READS - 1)];
    uint8_t pair[SIMD_BULK_STATES][1u << 6];
    uint8_t one[SIMD_BULK_STATES][1u << 3];
    uint8_t inner[SIMD_BULK_STATES]; /* in a formula, so many braces above its $ */
};

SIMD_INLINE unsigned simd_bulk_in(bool display, unsigned outer, unsigned inner)
{
    return (display ? SIMD_BULK_DISPLAY : SIMD_BULK_IN) + outer * (SIMD_BULK_IN_MAX + 1) + inner;
}

static inline unsigned simd_bulk_next_outside(unsigned state, enum simd_symbol symbol, bool follows)
{
    const bool half = state >= SIMD_BULK_HALF;
    const unsigned n_open = half ? state - SIMD_BULK_HALF : state;
    if (symbol == SIMD_PAR || (symbol == SIMD_SHIFTS && half && follows))
        return n_open;
    if (symbol == SIMD_OPENS)
        return n_open < SIMD_BULK_OUT_MAX ? n_open + 1 : n_open;
    if (symbol == SIMD_CLOSES)
        return n_open > 0 ? n_open - 1 : SIMD_BULK_UNKNOWN;
    return simd_bulk_in(false, n_open < SIMD_BULK_OUTER_MAX ? n_open : SIMD_BULK_OUTER_MAX, 0);
}

/* A formula that follows its $ directly is a display; its first $ is what stands before then. */
static inline unsigned simd_bulk_next_inside(unsigned state, enum simd_symbol symbol, bool follows)
{
    const bool display = state >= SIMD_BULK_DISPLAY;
    const unsigned formula = state - (display ? SIMD_BULK_DISPLAY : SIMD_BULK_IN);
    const unsigned outer = formula / (SIMD_BULK_IN_MAX + 1);
    const unsigned inner = formula % (SIMD_BULK_IN_MAX + 1);
    if (symbol == SIMD_OPENS)
        return inner < SIMD_BULK_IN_MAX ? state + 1 : SIMD_BULK_UNKNOWN;
    if (symbol == SIMD_PAR)
        return inner > 0 ? state : SIMD_BULK_UNKNOWN;
    if (symbol == SIMD_CLOSES)
        return inner > 0 ? state - 1 : SIMD_BULK_UNKNOWN;
    if (inner > 0)
        return SIMD_BULK_UNKNOWN;
    if (display)
        return SIMD_BULK_HALF + outer;
    return follows ? simd_bulk_in(true, outer, 0) : outer;
}

/* follows: before the symbol stands a $ and no other token. */
static inline unsigned simd_bulk_next(unsigned state, enum simd_symbol symbol, bool follows)
{
    if (state == SIMD_BULK_UNKNOWN)
        return state;
    return state < SIMD_BULK_IN ? simd_bulk_next_outside(state, symbol, follows)
                                : simd_bulk_next_inside(state, symbol, follows);
}

SIMD_INLINE enum simd_symbol simd_bulk_symbol(uint64_t low, uint64_t high)
{
    return (enum simd_symbol)((low & 1) | (high & 1) << 1);
}

/* Tables of more symbols are made of those of fewer. */
static inline void simd_bulk_make_short(struct simd_bulk *bulk)
{
    for (unsigned state = 0; state < SIMD_BULK_STATES; state++) {
        bulk->inner[state] =
            state < SIMD_BULK_IN ? 0 : (uint8_t)((state - SIMD_BULK_IN) % (SIMD_BULK_IN_MAX + 1));
        for (unsigned symbols = 0; symbols < 1u << 3; symbols++)
            bulk->one[state][symbols] = (uint8_t)simd_bulk_next(
                state, simd_bulk_symbol(symbols, symbols >> 1), symbols >> 2 & 1);
    }
    for (unsigned state = 0; state < SIMD_BULK_STATES; state++)
        for (unsigned symbols = 0; symbols < 1u << 6; symbols++) {
            const unsigned first = (symbols & 1) | (symbols >> 1 & 2) | (symbols >> 2 & 4);
            const unsigned second = (symbols >> 1 & 1) | (symbols >> 2 & 2) | (symbols >> 3 & 4);
            bulk->pair[state][symbols] = bulk->one[bulk->one[state][first]][second];
        }
}

/* Does nothing the second time. */
static inline void simd_bulk_make(struct simd_bulk *bulk)
{
    if (bulk->next[SIMD_BULK_UNKNOWN][0] == SIMD_BULK_UNKNOWN)
        return;
    simd_bulk_make_short(bulk);
    for (unsigned state = 0; state < SIMD_BULK_STATES; state++) {
        uint8_t *const rest = bulk->rest[state];
        rest[1] = (uint8_t)state;
        for (unsigned symbols = 0; symbols < 1u << 2; symbols++)
            rest[1u << 2 | symbols] = bulk->one[state][symbols];
        for (unsigned symbols = 0; symbols < 1u << 4; symbols++)
            rest[1u << 4 | symbols] = bulk->pair[state][symbols];
        for (unsigned symbols = 0; symbols < 1u << 6; symbols++) {
            const unsigned first = bulk->pair[state][(symbols & 3) | (symbols >> 1 & 12)];
            rest[1u << 6 | symbols] = bulk->one[first][(symbols >> 2 & 1) | (symbols >> 4 & 2)];
        }
        for (unsigned symbols = 0; symbols < 1u << 8; symbols++) {
            const unsigned first = bulk->pair[state][(symbols & 3) | (symbols >> 2 & 12)];
            bulk->next[state][symbols] =
                bulk->pair[first][(symbols >> 2 & 3) | (symbols >> 4 & 12)];
        }
    }
}

/* The state behind the first of these symbols; behind the first SIMD_BULK_READS, none of which
 * follows a $. */
SIMD_INLINE unsigned simd_bulk_read_one(const struct simd_bulk *bulk, unsigned state, uint64_t low,
                                        uint64_t high, uint64_t follows)
{
    return bulk->one[state][(low & 1) | (high & 1) << 1 | (follows & 1) << 2];
}

SIMD_INLINE unsigned simd_bulk_read_next(const struct simd_bulk *bulk, unsigned state, uint64_t low,
                                         uint64_t high)
{
    return bulk->next[state][(low & 15) | (high & 15) << SIMD_BULK_READS];
}

/* Reads n symbols, lowest bits first. */
SIMD_INLINE unsigned simd_bulk_read(const struct simd_bulk *bulk, unsigned state, uint64_t low,
                                    uint64_t high, uint32_t n)
{
    for (; n >= SIMD_BULK_READS; n -= SIMD_BULK_READS) {
        state = simd_bulk_read_next(bulk, state, low, high);
        low >>= SIMD_BULK_READS;
        high >>= SIMD_BULK_READS;
    }
    const uint64_t mask = simd_below(n);
    return bulk->rest[state][UINT64_C(1) << 2 * n | (low & mask) | (high & mask) << n];
}

/* The same where some of them follow a $. */
SIMD_INLINE unsigned simd_bulk_read_pairs(const struct simd_bulk *bulk, unsigned state,
                                          uint64_t low, uint64_t high, uint64_t follows, uint32_t n)
{
    for (; n > 1; n -= 2) {
        state = bulk->pair[state][(low & 3) | (high & 3) << 2 | (follows & 3) << 4];
        low >>= 2;
        high >>= 2;
        follows >>= 2;
    }
    return n > 0 ? simd_bulk_read_one(bulk, state, low, high, follows) : state;
}

#endif
