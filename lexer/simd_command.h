/* The commands that mean something to the lexer, where vector kernels take them; and what nest.c
 * and suspect.c are asked in the order of the text. */
#ifndef L0_LEXER_SIMD_COMMAND_H
#define L0_LEXER_SIMD_COMMAND_H

#include <string.h>

#include "lexer/catcode.h"
#include "lexer/context.h"
#include "lexer/group.h"
#include "lexer/simd_flow.h"
#include "lexer/suspect.h"
#include "lexer/verbatim.h"
#include "lexer/watch.h"
#include "lexer/word64.h"

/* The number of ASCII letters from at on, up to 16. */
SIMD_INLINE uint32_t simd_count_letters(const uint8_t *at)
{
    const uint64_t low = word64_not_ascii_letters(word64_load(at));
    const uint64_t high = word64_not_ascii_letters(word64_load(at + 8));
    const uint32_t n_high = high ? word64_first(high) : 8;
    return low ? word64_first(low) : 8 + n_high;
}

/* The end of the letters from offset at on. */
SIMD_INLINE uint32_t simd_word_end(const struct simd_place *place, uint32_t at)
{
    const uint8_t *const slots = place->lx->context.slots;
    if (place->lx->context.n_changed == 0 && place->end - at >= 16)
        at += simd_count_letters(place->input + at);
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

/* \begin{name} or \end{name}. */
struct simd_environment {
    bool is_end;
    uint32_t name, n; /* of so many bytes */
};

/* \end{name} ends no more than the innermost environment, and nothing is brought back there; or
 * there is nothing to bring back. */
SIMD_INLINE bool simd_end_keeps_codes(const struct simd_place *place, uint32_t name, uint32_t n)
{
    const struct lexer_nest *const nest = &place->lx->nest;
    if (place->lx->context.n_saves == 0 || nest->n_env == 0)
        return true;
    return nest_is_named(nest, place->input, nest->n_env - 1, name, n) &&
           codes_keep(place->lx, nest->depth, nest->n_env - 1, nest->n_math, nest->n_groups);
}

/* Takes it at offset at. False: the byte-wise machine has to. */
SIMD_INLINE bool simd_take_environment(const struct simd_place *place, uint32_t at,
                                       const struct simd_environment *env)
{
    struct lexer *const lx = place->lx;
    const uint32_t name = env->name, n = env->n;
    if (n > LEXER_ENV_NAME_BYTES_MAX || (env->is_end && !simd_end_keeps_codes(place, name, n)) ||
        simd_is_followed(lx, env->is_end, place->input + name, n) ||
        context_redefines(lx, place->input, env->is_end ? WATCH_END : WATCH_BEGIN, at))
        return false;
    nest_environment(lx, place->input, at, name + n);
    return true;
}

#define SIMD_NAME_AHEAD 18u /* the longest name that is told at once, with a star and a } */

/* The one at offset at, told at once for most names: those of letters, and of letters and a star. n
 * is 0 where it may be another one, or another command. */
SIMD_INLINE struct simd_environment simd_environment_at(const struct simd_place *place, uint32_t at)
{
    const uint64_t command = word64_load(place->input + at) >> 8; /* behind the escape character */
    const bool is_begin = (command & UINT64_C(0xFFFFFFFFFFFF)) == UINT64_C(0x7B6E69676562);
    struct simd_environment found = {.is_end =
                                         (command & UINT64_C(0xFFFFFFFF)) == UINT64_C(0x7B646E65)};
    found.name = at + (found.is_end ? 5 : 7); /* behind "\\end{", "\\begin{" */
    if (!(is_begin | found.is_end) || found.name + SIMD_NAME_AHEAD > place->end ||
        place->lx->context.n_changed > 0)
        return found;
    const uint32_t n = simd_count_letters(place->input + found.name);
    const uint32_t star = place->input[found.name + n] == '*';
    if (place->input[found.name + n + star] == '}')
        found.n = n + star;
    return found;
}

/* What stands before offset at can make no definition of what is there. */
SIMD_INLINE bool simd_is_first_of_line(const struct simd_place *place, uint32_t at)
{
    return at == 0 || place->input[at - 1] == '\n' || place->input[at - 1] == '\r';
}

/* An environment begins, and that is all. False: more may, it was left. */
SIMD_INLINE bool simd_begin_plain(const struct simd_place *place, struct simd_flow *flow,
                                  uint32_t at, const struct simd_environment *env)
{
    struct lexer_nest *const nest = &place->lx->nest;
    if (nest->n_env == LEXER_ENV_DEPTH_MAX ||
        (!simd_is_first_of_line(place, at) &&
         context_redefines(place->lx, place->input, WATCH_BEGIN, at)))
        return false;
    nest->env_name_bytes[nest->n_env] = (uint8_t)env->n;
    nest->env[nest->n_env++] =
        (struct lexer_env){.start = at, .name_start = env->name, .depth = flow->depth};
    flow->outer = flow->depth;
    return true;
}

/* The innermost one ends, which began in these braces and has that name, and that is all. */
SIMD_INLINE bool simd_end_plain(const struct simd_place *place, struct simd_flow *flow,
                                const struct simd_environment *env)
{
    struct lexer_nest *const nest = &place->lx->nest;
    if (nest->n_env == 0 || nest->n_groups > 0 || nest->env[nest->n_env - 1].depth != flow->depth ||
        !nest_is_named(nest, place->input, nest->n_env - 1, env->name, env->n))
        return false;
    nest->n_env--;
    nest->n_math = 0; /* as the flow says */
    nest->math_beyond = false;
    nest_update_guard(place->lx);
    flow->outer = nest->guard;
    return true;
}

/* Takes it at offset at without nest.c, outside formulas. False: it was left. */
SIMD_INLINE bool simd_take_plain(const struct simd_place *place, struct simd_flow *flow,
                                 uint32_t at, const struct simd_environment *env)
{
    const struct lexer *const lx = place->lx;
    if (!flow->is_plain || flow->in_math || lx->context.n_saves > 0 || lx->nest.env_beyond > 0 ||
        simd_is_followed(lx, env->is_end, place->input + env->name, env->n) ||
        !(env->is_end ? simd_end_plain(place, flow, env) : simd_begin_plain(place, flow, at, env)))
        return false;
    flow->state = simd_state_outside(flow->depth - flow->outer);
    return true;
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
    const uint32_t name_end = simd_name_end(place, end);
    if (name_end == 0)
        return false;
    const struct simd_environment env = {
        .is_end = watch == WATCH_END, .name = end + 1, .n = name_end - end - 2};
    return simd_take_environment(place, at, &env);
}

#endif
