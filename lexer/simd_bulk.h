/* Braces and formulas of a lane told at once for vector kernels: an automaton that reads four of
 * them at a time, from a table that is made once. It knows what is plain; else nest.c is asked. */
#ifndef L0_LEXER_SIMD_BULK_H
#define L0_LEXER_SIMD_BULK_H

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

/* The next state for four symbols, two bits each: the lower ones in bits 0-3, the higher ones in
 * bits 4-7. */
enum simd_symbol { SIMD_OPENS = 0, SIMD_CLOSES = 1, SIMD_SHIFTS = 2, SIMD_NOTHING = 3 };

struct simd_bulk {
    uint8_t next[SIMD_BULK_STATES][256];
};

SIMD_INLINE unsigned simd_bulk_in(unsigned outer, unsigned inner)
{
    return SIMD_BULK_IN + outer * (SIMD_BULK_IN_MAX + 1) + inner;
}

static inline unsigned simd_bulk_next(unsigned state, enum simd_symbol symbol)
{
    if (state == SIMD_BULK_UNKNOWN || symbol == SIMD_NOTHING)
        return state;
    if (state < SIMD_BULK_IN) {
        if (symbol == SIMD_OPENS)
            return state < SIMD_BULK_OUT_MAX ? state + 1 : state;
        if (symbol == SIMD_CLOSES)
            return state > 0 ? state - 1 : SIMD_BULK_UNKNOWN;
        return simd_bulk_in(state < SIMD_BULK_OUTER_MAX ? state : SIMD_BULK_OUTER_MAX, 0);
    }
    const unsigned inner = (state - SIMD_BULK_IN) % (SIMD_BULK_IN_MAX + 1);
    if (symbol == SIMD_OPENS)
        return inner < SIMD_BULK_IN_MAX ? state + 1 : SIMD_BULK_UNKNOWN;
    if (symbol == SIMD_CLOSES)
        return inner > 0 ? state - 1 : SIMD_BULK_UNKNOWN;
    return inner == 0 ? (state - SIMD_BULK_IN) / (SIMD_BULK_IN_MAX + 1) : SIMD_BULK_UNKNOWN;
}

/* Does nothing the second time. */
static inline void simd_bulk_make(struct simd_bulk *bulk)
{
    if (bulk->next[SIMD_BULK_UNKNOWN][0] == SIMD_BULK_UNKNOWN)
        return;
    for (unsigned state = 0; state < SIMD_BULK_STATES; state++) {
        for (unsigned symbols = 0; symbols < 256; symbols++) {
            unsigned to = state;
            for (unsigned i = 0; i < 4; i++)
                to = simd_bulk_next(
                    to, (enum simd_symbol)((symbols >> i & 1) | (symbols >> (i + 4) & 1) << 1));
            bulk->next[state][symbols] = (uint8_t)to;
        }
    }
}

/* What stands in a lane, at offset base; of tokens, the first bytes. */
struct simd_nesting {
    uint64_t opens, closes, math_shifts, tokens;
    uint32_t base;
};

/* Before the lane, where at most one formula is open, or none is plain. */
SIMD_INLINE unsigned simd_bulk_state(const struct lexer_nest *nest)
{
    if (nest->n_math == 0) {
        const uint32_t room = nest->depth - nest->guard;
        return room < SIMD_BULK_OUT_MAX ? room : SIMD_BULK_OUT_MAX;
    }
    const uint32_t inner = nest->depth - nest->math[0].depth;
    return nest->n_math == 1 && nest->guard == nest->math[0].depth && inner <= SIMD_BULK_IN_MAX
               ? simd_bulk_in(0, inner)
               : SIMD_BULK_UNKNOWN;
}

/* Every $ is followed by a token that is no $ (else it may be half of $$), and none is or ends a
 * display. */
SIMD_INLINE bool simd_bulk_shifts_are_plain(const struct lexer *lx, const struct simd_nesting *of)
{
    const uint64_t last = simd_bit(SIMD_LANE_BYTES - 1);
    return !(of->math_shifts & ~last & ~(of->tokens >> 1)) &&
           !(of->math_shifts & of->math_shifts >> 1) && lx->nest.shift_token != lx->n_tokens &&
           lx->context.n_saves == 0 && !(lx->nest.n_math && lx->nest.math[0].display);
}

/* The last $ of the lane began the formula that is open behind it, or ended the last one. */
SIMD_INLINE void simd_bulk_settle(struct lexer *lx, const struct simd_nesting *of, unsigned state)
{
    struct lexer_nest *const nest = &lx->nest;
    nest->shift_token = 0;
    if (state < SIMD_BULK_IN) {
        if (nest->n_math > 0) {
            nest->n_math = 0;
            nest_update_guard(lx);
        }
        return;
    }
    const uint32_t at = simd_last(of->math_shifts);
    const uint32_t inner = (state - SIMD_BULK_IN) % (SIMD_BULK_IN_MAX + 1);
    nest->math[0] = (struct lexer_math){.start = of->base + at, .depth = nest->depth - inner};
    nest->n_math = 1;
    nest->guard = nest->depth - inner; /* nothing is deeper */
    nest->shift_token = lx->n_tokens + simd_count(of->tokens & simd_below(at + 1));
    nest->shift_opens = true;
}

/* Braces and $ between which nothing else is of interest; n_tokens counts what is before the lane.
 * False: this is for nest.c, nothing has changed. */
SIMD_INLINE bool simd_nest_in_bulk(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                   struct lexer *lx, const struct simd_nesting *of)
{
    struct lexer_nest *const nest = &lx->nest;
    const uint64_t symbols = of->opens | of->closes | of->math_shifts;
    const uint32_t n = simd_count(symbols);
    uint64_t low = isa->gather(of->closes, symbols) | ~simd_below(n);
    uint64_t high = isa->gather(of->math_shifts, symbols) | ~simd_below(n);
    unsigned state = simd_bulk_state(nest);
    if (of->math_shifts && !simd_bulk_shifts_are_plain(lx, of))
        return false;
    state = bulk->next[state][(low & 15) | (high & 15) << 4];
    for (uint32_t done = 4; done < n; done += 4) {
        low >>= 4;
        high >>= 4;
        state = bulk->next[state][(low & 15) | (high & 15) << 4];
    }
    if (__builtin_expect(state == SIMD_BULK_UNKNOWN, 0))
        return false;
    nest->depth += simd_count(of->opens) - simd_count(of->closes);
    if (of->math_shifts)
        simd_bulk_settle(lx, of, state);
    return true;
}

#endif
