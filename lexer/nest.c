#include "lexer/nest.h"

#include <assert.h>
#include <string.h>

#include "lexer/codes.h"
#include "lexer/context.h"
#include "lexer/hidden.h"
#include "lexer/issue.h"
#include "lexer/look.h"
#include "lexer/verbatim.h"

/* Entries that an \end is compared with, so that a forgotten \end does not spoil all that follow.
 */
#define ENV_RECOVERY_DEPTH 8

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The innermost group that is not to end with its argument. */
static struct lexer_group *open_group(struct lexer_nest *nest)
{
    for (uint32_t i = nest->n_groups; i > 0; i--)
        if (!nest->groups[i - 1].ends)
            return &nest->groups[i - 1];
    return NULL;
}

uint32_t nest_floor(struct lexer *lx)
{
    struct lexer_nest *nest = &lx->nest;
    const struct lexer_context *context = &lx->context;
    uint32_t floor = larger(nest->definition_depth, nest->argument_depth);
    if (nest->n_env)
        floor = larger(floor, nest->env[nest->n_env - 1].depth);
    const struct lexer_group *group = open_group(nest);
    if (group)
        floor = larger(floor, group->definition_depth);
    if (nest->n_groups)
        floor = larger(floor, nest->groups[nest->n_groups - 1].depth);
    if (context->n_saves)
        floor = larger(floor, context->saves[context->n_saves - 1].level.depth);
    return floor;
}

uint32_t nest_outer_guard(struct lexer *lx)
{
    return larger(nest_floor(lx), lx->nest.known_depth);
}

void nest_update_guard(struct lexer *lx)
{
    struct lexer_nest *nest = &lx->nest;
    const uint32_t guard = nest_outer_guard(lx);
    nest->guard = nest->n_math ? larger(guard, nest->math[nest->n_math - 1].depth) : guard;
}

/* Something was closed: what ends with it does. */
static void settle(struct lexer *lx)
{
    struct lexer_nest *nest = &lx->nest;
    while (nest->n_groups && (nest->groups[nest->n_groups - 1].depth > nest->depth ||
                              nest->groups[nest->n_groups - 1].n_env > nest->n_env)) {
        nest->n_groups--;
        nest->groups_beyond = 0; /* they were inside it */
    }
    struct lexer_group *group = open_group(nest);
    if (group && group->definition_depth > nest->depth)
        group->definition_depth = 0;
    if (nest->n_math < LEXER_MATH_DEPTH_MAX)
        nest->math_beyond = false;
    if (lx->context.n_saves > 0)
        codes_undo(lx);
    nest_update_guard(lx);
}

void nest_report_closes(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end)
{
    lexer_issue_report(lx, LEXER_ISSUE_UNOPENED_BRACE, at, at + 1);
    hidden_opening(lx, input, at, at + 1);
    lexer_issue_report_bytes(lx, LEXER_ISSUE_UNOPENED_BRACE, at + 1, end);
    lx->hidden_search = end; /* between the others stands nothing */
}

void nest_close_brace(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->depth == 0) {
        lexer_issue_report(lx, LEXER_ISSUE_UNOPENED_BRACE, at, end);
        hidden_opening(lx, input, at, end);
        return;
    }
    nest->depth--;
    while (nest->n_math && nest->math[nest->n_math - 1].depth > nest->depth)
        nest->n_math--;
    while (nest->n_env && nest->env[nest->n_env - 1].depth > nest->depth) {
        nest->n_env--;
        nest->env_beyond = 0; /* they were inside it */
    }
    if (nest->known_depth > nest->depth)
        nest->known_depth = nest->depth;
    if (nest->definition_depth > nest->depth)
        nest->definition_depth = 0;
    if (nest->argument_depth > nest->depth)
        nest->argument_depth = 0;
    settle(lx);
}

void nest_open_group(struct lexer *lx, uint32_t at)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->n_groups == LEXER_GROUP_DEPTH_MAX || nest->groups_beyond) {
        nest->groups_beyond++;
        return;
    }
    nest->groups[nest->n_groups++] =
        (struct lexer_group){.start = at, .depth = nest->depth, .n_env = (uint16_t)nest->n_env};
    nest_update_guard(lx);
}

struct lexer_group *nest_outer_group(struct lexer *lx)
{
    struct lexer_group *group = open_group(&lx->nest);
    const bool is_inside = group && group->depth < lx->nest.depth && group->n_env == lx->nest.n_env;
    return is_inside && lx->nest.groups_beyond == 0 ? group : NULL;
}

/* One in another brace group or environment than the last \begingroup is the half of a definition.
 */
void nest_close_group(struct lexer *lx)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->groups_beyond) {
        nest->groups_beyond--;
        return;
    }
    const struct lexer_group *group = open_group(&lx->nest);
    if (!group || group->depth != nest->depth || group->n_env != nest->n_env)
        return;
    assert(group == &nest->groups[nest->n_groups - 1]); /* others would be deeper, and over */
    nest->n_groups--;
    settle(lx);
}

/* Formulas. "$$" is a display where the first $ begins a formula and nothing stands between. */

void nest_pass_math(struct lexer *lx, uint32_t at)
{
    struct lexer_nest *nest = &lx->nest;
    if (!nest->math_too_deep)
        lexer_issue_report(lx, LEXER_ISSUE_MATH_TOO_DEEP, at, at + 1);
    nest->math_too_deep = nest->math_beyond = true;
}

static void open_math(struct lexer *lx, uint32_t at)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->n_math == LEXER_MATH_DEPTH_MAX) {
        nest_pass_math(lx, at);
        return; /* inside the last one, and not judged: it may well end there */
    }
    nest->math[nest->n_math++] = (struct lexer_math){.start = at, .depth = nest->depth};
    nest->guard = nest->depth; /* nothing is deeper */
    nest->shift_token = lx->n_tokens + 1;
    nest->shift_opens = true;
}

void nest_math_shift(struct lexer *lx, uint32_t at)
{
    struct lexer_nest *nest = &lx->nest;
    const bool follows_shift = nest->shift_token != 0 && nest->shift_token == lx->n_tokens;
    struct lexer_math *top = nest->n_math ? &nest->math[nest->n_math - 1] : NULL;

    nest->shift_token = 0;
    if (follows_shift) {
        if (nest->shift_opens) {
            assert(top); /* the $ just before opened it */
            top->display = true;
        }
    } else if (top && top->depth == nest->depth) {
        if (top->display) {
            nest->shift_token = lx->n_tokens + 1;
            nest->shift_opens = false;
        }
        nest->n_math--;
        settle(lx);
    } else {
        open_math(lx, at);
    }
}

/* Looked for only where there is an error, so that formulas cost nothing. */
static bool is_formula(const struct lexer *lx, const uint8_t *input, uint32_t start)
{
    const struct look_text text = {.bytes = input, .slots = lx->context.slots};
    return !look_is_no_formula(&text, start);
}

void nest_report_math(struct lexer *lx, const uint8_t *input, uint32_t start, uint32_t at,
                      uint32_t end)
{
    if (!is_formula(lx, input, start))
        return;
    lexer_issue_add(lx, &(struct lexer_issue){.start = at,
                                              .end = end,
                                              .rel_start = start,
                                              .rel_end = start + 1,
                                              .id = LEXER_ISSUE_UNCLOSED_MATH});
    hidden_math(lx, input, start, at);
}

void nest_par(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->n_math == 0 || nest->math[nest->n_math - 1].depth != nest->depth)
        return;
    nest_report_math(lx, input, nest->math[--nest->n_math].start, at, end);
    settle(lx);
}

/* Environments: \begin and \end, blanks or comments, {, a plain name, }. */

void nest_control_word(struct lexer *lx, uint32_t at, enum watch watch)
{
    struct lexer_nest *nest = &lx->nest;
    const bool is_environment = watch == WATCH_BEGIN || watch == WATCH_END;
    nest->env_step = is_environment ? LEXER_ENV_WANT_BRACE : LEXER_ENV_IDLE;
    nest->env_is_end = watch == WATCH_END;
    nest->env_control_start = at;
}

/* Behind its \begin{name}. */
static uint32_t begin_end(const struct lexer_nest *nest, uint32_t i)
{
    return nest->env[i].name_start + nest->env_name_bytes[i] + 1;
}

static void begin_environment(struct lexer *lx, uint32_t at_brace)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->n_env == LEXER_ENV_DEPTH_MAX) {
        nest->env_beyond++;
        if (!nest->env_too_deep)
            lexer_issue_report(lx, LEXER_ISSUE_ENVIRONMENT_TOO_DEEP, nest->env_control_start,
                               at_brace + 1);
        nest->env_too_deep = true;
        return;
    }
    nest->env_name_bytes[nest->n_env] = (uint8_t)(at_brace - nest->env_name_start);
    nest->env[nest->n_env++] = (struct lexer_env){
        .start = nest->env_control_start,
        .name_start = nest->env_name_start,
        .depth = nest->depth,
    };
    nest->guard = nest->depth; /* nothing is deeper */
}

static void end_environment(struct lexer *lx, const uint8_t *input, uint32_t at_brace)
{
    struct lexer_nest *nest = &lx->nest;
    const uint32_t name_bytes = at_brace - nest->env_name_start;

    if (nest->env_beyond) {
        nest->env_beyond--;
        return;
    }
    if (nest->n_env == 0) {
        if (nest->depth == 0)
            lexer_issue_report(lx, LEXER_ISSUE_UNOPENED_ENVIRONMENT, nest->env_control_start,
                               at_brace + 1);
        return;
    }
    const struct lexer_env *top = &nest->env[nest->n_env - 1];
    if (top->depth != nest->depth)
        return;
    const uint32_t innermost = nest->n_env - 1;
    bool matches = false;
    uint32_t n_ended = 1; /* LaTeX too ends the innermost one, whatever the name */
    for (uint32_t i = 0; i < ENV_RECOVERY_DEPTH && i <= innermost; i++) {
        if (nest->env[innermost - i].depth != nest->depth)
            break;
        if (nest_is_named(nest, input, innermost - i, nest->env_name_start, name_bytes)) {
            n_ended = i + 1;
            matches = i == 0;
            break;
        }
    }
    nest->n_env -= n_ended;
    settle(lx);
    if (matches)
        return;
    lexer_issue_add(lx, &(struct lexer_issue){.start = nest->env_control_start,
                                              .end = at_brace + 1,
                                              .rel_start = top->start,
                                              .rel_end = begin_end(nest, innermost),
                                              .id = LEXER_ISSUE_ENVIRONMENT_MISMATCH});
}

/* The context layer: what is verbatim begins behind \begin{verbatim}, the rest is not read behind
 * \end{document}. */
static void follow_environment(struct lexer *lx, const uint8_t *input, uint32_t at_brace,
                               bool beyond)
{
    const struct lexer_nest *nest = &lx->nest;
    const uint8_t *const name = input + nest->env_name_start;
    const uint32_t n = at_brace - nest->env_name_start;
    const bool is_end = nest->env_is_end;
    if (!lx->context.on ||
        !(is_end ? verbatim_is_document(name, n) : verbatim_is_name(lx, name, n)))
        return;
    if (is_end ? nest->depth > 0
               : beyond || lx->context.begin_is_unknown ||
                     context_in_definition(lx, input, nest->env_control_start)) {
        context_not_followed(lx, nest->env_control_start, at_brace + 1);
        return;
    }
    lx->mode = is_end ? LEXER_MODE_AFTER_END : LEXER_MODE_VERBATIM;
    lx->context.warns_after_end = is_end;
    lx->context.text_is_new = is_end;
}

static void take_environment(struct lexer *lx, const uint8_t *input, uint32_t at_brace)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->env_is_end)
        end_environment(lx, input, at_brace);
    else
        begin_environment(lx, at_brace);
}

static void take_and_follow(struct lexer *lx, const uint8_t *input, uint32_t at_brace)
{
    take_environment(lx, input, at_brace);
    follow_environment(lx, input, at_brace, lx->nest.env_beyond > 0);
}

void nest_env_caret(struct lexer *lx, uint32_t end)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->env_step != LEXER_ENV_IDLE && lx->context.on)
        context_not_followed(lx, nest->env_control_start, end);
    nest->env_step = LEXER_ENV_IDLE;
}

void nest_env_span(struct lexer *lx, const uint8_t *input, enum lexer_kind kind, uint32_t at)
{
    struct lexer_nest *nest = &lx->nest;
    const enum lexer_env_step step = nest->env_step;
    if (step == LEXER_ENV_WANT_BRACE) {
        if (kind == LEXER_SKIPPED || kind == LEXER_EOL_NONE || kind == LEXER_COMMENT)
            return;
        if (kind == LEXER_BEGIN_GROUP) {
            nest->env_step = LEXER_ENV_IN_NAME;
            nest->env_name_start = at + 1;
            return;
        }
    }
    if (step == LEXER_ENV_IN_NAME) {
        if (kind == LEXER_LETTERS || kind == LEXER_OTHERS || kind == LEXER_SUBSCRIPT)
            return;
        if (kind == LEXER_END_GROUP && at - nest->env_name_start <= LEXER_ENV_NAME_BYTES_MAX)
            take_and_follow(lx, input, at);
        else if (kind == LEXER_END_GROUP)
            lexer_issue_report(lx, LEXER_ISSUE_NAME_TOO_LONG, nest->env_control_start, at + 1);
    }
    nest->env_step = LEXER_ENV_IDLE;
}

void nest_environment(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t at_brace)
{
    struct lexer_nest *nest = &lx->nest;
    assert(nest->env_step == LEXER_ENV_IDLE);
    nest->env_is_end = input[at + 1] == 'e';
    nest->env_control_start = at;
    nest->env_name_start = at + (nest->env_is_end ? 5 : 7); /* behind "\\end{", "\\begin{" */
    assert(input[nest->env_name_start - 1] == '{' && input[at_brace] == '}');
    take_environment(lx, input, at_brace);
}

/* Every { still open stands behind the last } that closed nothing, so one walk back over the spans
 * finds them all. Those that are not stored are only counted; without spans, all. */
static void finish_braces(struct lexer *lx, uint32_t end)
{
    uint32_t n_open = lx->nest.depth;
    uint32_t n_closing = 0;
    for (uint32_t i = lx->n_spans; n_open > 0 && lx->n_issues < lx->out.issue_cap; i--) {
        assert(i > 0);
        const unsigned kind = lx->out.kinds[i - 1] & LEXER_KIND_MASK;
        if (kind == LEXER_END_GROUP) {
            n_closing++;
        } else if (kind == LEXER_BEGIN_GROUP && n_closing > 0) {
            n_closing--;
        } else if (kind == LEXER_BEGIN_GROUP) {
            const uint32_t span_end = i < lx->n_spans ? lx->out.starts[i] : end;
            lexer_issue_report(lx, LEXER_ISSUE_UNCLOSED_BRACE, lx->out.starts[i - 1], span_end);
            n_open--;
        }
    }
    lexer_issue_count(lx, LEXER_ISSUE_UNCLOSED_BRACE, n_open);
}

void nest_finish(struct lexer *lx, const uint8_t *input, uint32_t end)
{
    struct lexer_nest *nest = &lx->nest;
    for (bool innermost = true; nest->n_math; innermost = false) {
        const uint32_t start = nest->math[--nest->n_math].start;
        if (!is_formula(lx, input, start))
            continue;
        lexer_issue_report(lx, LEXER_ISSUE_UNCLOSED_MATH, start, start + 1);
        if (innermost)
            hidden_math(lx, input, start, end);
    }
    bool is_verbatim = lx->mode == LEXER_MODE_VERBATIM;
    while (nest->n_env) {
        const struct lexer_env *env = &nest->env[--nest->n_env];
        lexer_issue_report(
            lx, is_verbatim ? LEXER_ISSUE_UNCLOSED_VERBATIM : LEXER_ISSUE_UNCLOSED_ENVIRONMENT,
            env->start, begin_end(nest, nest->n_env));
        is_verbatim = false;
    }
    finish_braces(lx, end);
    if (nest->depth > 0)
        hidden_closings(lx, input, end, nest->depth);
}
