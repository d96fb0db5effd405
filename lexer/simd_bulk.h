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
    uint8_t inner[SIMD_BULK_STATES]; /* in a formula, so many braces above its $ */
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
        bulk->inner[state] =
            state < SIMD_BULK_IN ? 0 : (uint8_t)((state - SIMD_BULK_IN) % (SIMD_BULK_IN_MAX + 1));
        for (unsigned symbols = 0; symbols < 256; symbols++) {
            unsigned to = state;
            for (unsigned i = 0; i < 4; i++)
                to = simd_bulk_next(
                    to, (enum simd_symbol)((symbols >> i & 1) | (symbols >> (i + 4) & 1) << 1));
            bulk->next[state][symbols] = (uint8_t)to;
        }
    }
}

/* struct lexer as far as the automaton goes, kept in registers. */
struct simd_flow {
    uint32_t n_tokens, n_lines;
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
    struct simd_flow flow = {.n_tokens = lx->n_tokens,
                             .n_lines = lx->n_lines,
                             .depth = nest->depth,
                             .outer = nest->guard,
                             .math_start = nest->math[0].start,
                             .math_depth = nest->math[0].depth,
                             .shift_token = nest->shift_token,
                             .in_math = nest->n_math > 0,
                             .is_plain = true,
                             .forbidden = lx->context.n_saves ? ~UINT64_C(0) : 0};
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
    lx->n_tokens = flow->n_tokens;
    lx->n_lines = flow->n_lines;
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

/* Of a lane at offset base, or of a part of it; of tokens, the first bytes. */
struct simd_nesting {
    uint64_t opens, closes, math_shifts, tokens;
    uint32_t base;
};

/* Reads n symbols, lowest bits first, of which higher bits are SIMD_NOTHING. */
SIMD_INLINE unsigned simd_bulk_read(const struct simd_bulk *bulk, unsigned state, uint64_t low,
                                    uint64_t high, uint32_t n)
{
    state = bulk->next[state][(low & 15) | (high & 15) << 4];
    state = bulk->next[state][(low >> 4 & 15) | (high & 0xF0)];
    for (uint32_t done = 8; __builtin_expect(done < n, 0); done += 4)
        state = bulk->next[state][(low >> done & 15) | (high >> done & 15) << 4];
    return state;
}

/* Braces and $ between which nothing else is of interest; flow->n_tokens counts what is before the
 * lane. False: this is for nest.c, nothing has changed.
 *
 * Every $ has to be followed by a token that is no $ (else it may be half of $$). There is no
 * branch for what differs from lane to lane: it would be foretold badly. */
SIMD_INLINE bool simd_nest_in_bulk(const struct simd_isa *isa, const struct simd_bulk *bulk,
                                   struct simd_flow *flow, const struct simd_nesting *of)
{
    const uint64_t shifts = of->math_shifts, symbols = of->opens | of->closes | shifts;
    const uint64_t bad =
        shifts & (~(of->tokens >> 1 | simd_bit(63)) | shifts >> 1 | flow->forbidden |
                  (flow->shift_token == flow->n_tokens ? ~UINT64_C(0) : 0));
    const uint32_t n = simd_count(symbols);
    const uint64_t above = ~simd_below(n);
    const uint64_t low = isa->gather(of->closes, symbols) | above;
    const uint64_t high = isa->gather(shifts, symbols) | above;
    unsigned state = simd_bulk_read(bulk, flow->state, low, high, n);
    if (__builtin_expect(state == SIMD_BULK_UNKNOWN, 0))
        state = simd_bulk_read(bulk, simd_bulk_state(flow), low, high, n);
    if (__builtin_expect((state == SIMD_BULK_UNKNOWN) | (bad != 0) | !flow->is_plain, 0))
        return false;
    flow->depth += simd_count(of->opens) - simd_count(of->closes);
    flow->state = state;
    flow->in_math = state >= SIMD_BULK_IN;
    flow->math_depth = flow->depth - bulk->inner[state];
    const uint32_t at = simd_last(shifts | 1);
    const uint32_t token = flow->n_tokens + simd_count(of->tokens & (simd_bit(at) * 2 - 1));
    flow->math_start = shifts ? of->base + at : flow->math_start;
    flow->shift_token = !shifts ? flow->shift_token : flow->in_math ? token : 0;
    return true;
}

#endif
