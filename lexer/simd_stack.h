/* Braces and formulas of any nesting, for vector kernels: where the automaton's states end, one
 * symbol after the other, but without a branch that the text decides. A formula is a bit: a { moves
 * all bits up, a } moves them down, and drops the formula that it ends; a $ flips the lowest one.
 */
#ifndef L0_LEXER_SIMD_STACK_H
#define L0_LEXER_SIMD_STACK_H

#include <string.h>

#include "lexer/issue.h"
#include "lexer/simd_gather.h"

/* Formulas as far out as this are bits when a stack is loaded, of the 64 there are. */
#define SIMD_STACK_BRACES 48u

/* Bit i of formulas: one that began i braces further out than the innermost ones; of displays: it
 * is one. No formula is in both nest.math[0 … n_outer - 1] and the bits, and those come first. */
struct simd_stack {
    uint64_t formulas, displays;
    uint32_t depth; /* open braces */
    uint32_t floor; /* a } above it ends only formulas that are bits, and leads to no other one */
    bool floor_is_formula; /* that one is why */
    uint32_t least;        /* the least depth that there was */
    uint32_t n_outer;
    uint64_t half_begins, half_ends; /* 1: another $ directly behind the last one belongs to it */
    bool passes;                     /* nest.math_too_deep: a $ too deep is nothing new */
    bool beyond;                     /* nest.math_beyond */
    /* A } that closes nothing is only counted: so many, the last one being this symbol. */
    bool counts;
    uint32_t n_unopened, last_unopened;
};

/* Of its formulas: the offsets of their $, by the lower bits of their depth; and one for nothing.
 * Apart, so that the rest can be in registers. */
typedef uint32_t simd_stack_starts[64 + 1];

/* Takes what is open from struct lexer_nest, which simd_save_flow() made right. */
SIMD_INLINE void simd_stack_load(struct simd_stack *stack, simd_stack_starts starts,
                                 struct lexer *lx)
{
    const struct lexer_nest *const nest = &lx->nest;
    uint32_t i = nest->n_math;
    stack->formulas = stack->displays = 0;
    stack->depth = nest->depth;
    stack->least = nest->depth;
    stack->floor = nest_floor(lx);
    stack->half_begins = nest->shift_token != 0 && nest->shift_opens;
    stack->half_ends = nest->shift_token != 0 && !nest->shift_opens;
    stack->passes = nest->math_too_deep;
    stack->beyond = nest->math_beyond;
    for (; i > 0 && nest->depth - nest->math[i - 1].depth < SIMD_STACK_BRACES; i--) {
        const struct lexer_math *const math = &nest->math[i - 1];
        const uint32_t further = nest->depth - math->depth;
        stack->formulas |= simd_bit(further);
        stack->displays |= math->display ? simd_bit(further) : 0;
        starts[math->depth % 64] = math->start;
    }
    stack->n_outer = i;
    stack->floor_is_formula = i > 0 && nest->math[i - 1].depth >= stack->floor;
    if (stack->floor_is_formula)
        stack->floor = nest->math[i - 1].depth + 1;
}

/* And gives it back; n_tokens: up to the last symbol, if another $ may belong to it, else 0. */
SIMD_INLINE void simd_stack_save(const struct simd_stack *stack, const simd_stack_starts starts,
                                 struct lexer *lx, uint32_t n_tokens)
{
    struct lexer_nest *const nest = &lx->nest;
    uint64_t formulas = stack->formulas;
    nest->depth = stack->depth;
    if (nest->known_depth > stack->least)
        nest->known_depth = stack->least;
    nest->n_math = stack->n_outer;
    while (formulas != 0) {
        const uint32_t further = simd_last(formulas), depth = stack->depth - further;
        nest->math[nest->n_math++] = (struct lexer_math){
            .start = starts[depth % 64], .depth = depth, .display = stack->displays >> further & 1};
        formulas &= ~simd_bit(further);
    }
    nest->math_beyond = stack->beyond && nest->n_math == LEXER_MATH_DEPTH_MAX;
    nest->shift_token = n_tokens;
    nest->shift_opens = stack->half_begins;
    nest_update_guard(lx);
}

/* The ith symbol, one that has more to it, is only counted: there is nothing new to report of it.
 */
SIMD_INLINE bool simd_stack_counted(struct simd_stack *stack, bool closes, bool begins, uint32_t i)
{
    if (closes && stack->depth == 0 && stack->counts) {
        stack->n_unopened++;
        stack->last_unopened = i;
    } else if (begins && stack->passes) {
        stack->beyond = true;
    } else {
        return false;
    }
    stack->half_begins = stack->half_ends = 0;
    return true;
}

/* Behind a } that closes nothing, and was reported: those that follow before offset end are only
 * counted where there is no more room to store them, and no comments that may hide what they miss.
 */
SIMD_INLINE bool simd_stack_counts(const struct simd_place *place, uint32_t at, uint32_t end)
{
    const struct lexer *const lx = place->lx;
    return lx->n_issues >= lx->out.issue_cap && !memchr(place->input + at, '%', end - at);
}

/* The symbol of that number, with which the stack stopped: what there is to report of it. False:
 * that is not all. */
SIMD_INLINE bool simd_stack_report(struct simd_stack *stack, const simd_stack_starts starts,
                                   const struct simd_place *place, const struct simd_rest *rest,
                                   const uint16_t *index, uint32_t i)
{
    struct lexer *const lx = place->lx;
    const enum simd_symbol symbol = simd_bulk_symbol(rest->low >> i, rest->high >> i);
    const uint32_t at = place->pos + index[i];
    if (symbol == SIMD_PAR) {
        nest_report_math(lx, place->input, starts[stack->depth % 64], at,
                         simd_line_end_end(place, at));
        stack->formulas &= ~UINT64_C(1);
        stack->displays &= ~UINT64_C(1);
    } else if (symbol == SIMD_SHIFTS) {
        nest_pass_math(lx, at);
        stack->passes = stack->beyond = true;
    } else if (symbol == SIMD_CLOSES && stack->depth == 0) {
        nest_report_closes(lx, place->input, at, at + 1);
        stack->counts = simd_stack_counts(place, at, place->pos + index[rest->n - 1]);
    } else {
        return false;
    }
    stack->half_begins = stack->half_ends = 0;
    return true;
}

SIMD_INLINE void simd_stack_put_counted(struct simd_stack *stack, const struct simd_place *place,
                                        const uint16_t *index)
{
    if (stack->n_unopened == 0)
        return;
    lexer_issue_count(place->lx, LEXER_ISSUE_UNOPENED_BRACE, stack->n_unopened);
    place->lx->hidden_search = place->pos + index[stack->last_unopened] + 1;
}

/* Reads the symbols that are left, which stand at these indices of the chunk, from the ith on, up
 * to one that has more to it than a stack can tell. Its number, or that of all. Text of any kind
 * should take the same time: so what is decided here is not branched on. */
SIMD_INLINE uint32_t simd_stack_read(struct simd_stack *stack, simd_stack_starts starts,
                                     const struct simd_place *place, const struct simd_rest *rest,
                                     const uint16_t *index, uint32_t i)
{
    uint64_t low = rest->low >> i, high = rest->high >> i, follows = rest->follows >> i;
    for (; i < rest->n; i++, low >>= 1, high >>= 1, follows >>= 1) {
        const uint64_t opens = ~(low | high) & 1, closes = low & ~high & 1;
        const uint64_t in = stack->formulas & 1, display = stack->displays & 1;
        const uint64_t second = follows & stack->half_begins;
        const uint64_t shifts = high & ~low & ~second & ~(follows & stack->half_ends) & 1;
        /* No bit can be set any more: a $ is too deep. */
        const bool capped = stack->passes && stack->n_outer >= LEXER_MATH_DEPTH_MAX;
        const uint64_t too_deep = shifts & capped, flips = shifts ^ too_deep;
        const uint64_t begins = flips & ~in;
        const bool full = stack->n_outer + simd_count(stack->formulas) >= LEXER_MATH_DEPTH_MAX;
        const uint64_t more = (closes & (stack->depth <= stack->floor)) | (low & high & in) |
                              (begins & full) | (opens & stack->formulas >> 63);
        if (__builtin_expect(more != 0, 0)) {
            if (!simd_stack_counted(stack, closes, begins, i) &&
                !simd_stack_report(stack, starts, place, rest, index, i))
                break;
            continue;
        }
        starts[begins ? stack->depth % 64 : 64] = place->pos + index[i];
        stack->half_begins = begins;
        stack->half_ends = flips & display;
        stack->beyond = (stack->beyond & full) | too_deep;
        stack->formulas = (stack->formulas ^ flips) << opens >> closes;
        stack->displays = ((stack->displays | second) & ~flips) << opens >> closes;
        stack->depth = stack->depth + (uint32_t)opens - (uint32_t)closes;
        stack->least = simd_least(stack->least, stack->depth);
    }
    return i;
}

/* Up to the last $, if another one may belong to it. */
SIMD_INLINE uint32_t simd_stack_tokens(const struct simd_stack *stack,
                                       const struct simd_place *place,
                                       const struct simd_chunk *chunk, const uint16_t *index,
                                       uint32_t n)
{
    if ((stack->half_begins | stack->half_ends) == 0)
        return 0;
    return n > 0 ? simd_tokens_before(place, chunk, index[n - 1] + 1u)
                 : place->lx->nest.shift_token;
}

/* The symbol with which the stack stopped is for bits that it has not, or for more of them. */
SIMD_INLINE bool simd_stack_moves(const struct simd_stack *stack, const struct simd_rest *rest,
                                  uint32_t i)
{
    const enum simd_symbol symbol = simd_bulk_symbol(rest->low >> i, rest->high >> i);
    return symbol == SIMD_OPENS || (symbol == SIMD_CLOSES && stack->floor_is_formula);
}

/* Tells what of the rest a stack can tell: nothing where the end of a formula brings category codes
 * back, or where the next symbol ends more than formulas. */
SIMD_SELDOM void simd_read_stack(const struct simd_place *place, const struct simd_block *block,
                                 const struct simd_chunk *chunk, struct simd_rest *rest,
                                 struct simd_flow *flow)
{
    struct lexer *const lx = place->lx;
    uint16_t index[SIMD_LANE_BYTES];
    struct simd_stack stack;
    simd_stack_starts starts;
    uint32_t i = 0, moved_at = UINT32_MAX;
    const bool ends = simd_bulk_symbol(rest->low, rest->high) == SIMD_CLOSES && flow->depth > 0 &&
                      flow->depth <= nest_floor(lx);
    if (flow->forbidden || ends)
        return;
    simd_list_symbols(rest, block, chunk, index);
    simd_save_flow(place, chunk, flow, index[0]);
    simd_stack_load(&stack, starts, lx);
    stack.counts = false;
    stack.n_unopened = stack.last_unopened = 0;
    while ((i = simd_stack_read(&stack, starts, place, rest, index, i)) < rest->n &&
           moved_at != i && simd_stack_moves(&stack, rest, i)) {
        simd_stack_save(&stack, starts, lx, simd_stack_tokens(&stack, place, chunk, index, i));
        simd_stack_load(&stack, starts, lx);
        moved_at = i;
    }
    const uint32_t n_tokens = simd_stack_tokens(&stack, place, chunk, index, i);
    simd_stack_put_counted(&stack, place, index);
    simd_stack_save(&stack, starts, lx, n_tokens);
    *flow = simd_load_flow(lx, n_tokens);
    simd_drop(rest, i);
}

#endif
