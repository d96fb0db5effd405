#include "lexer/context.h"

#include <assert.h>
#include <string.h>

#include "lexer/catcode.h"
#include "lexer/codes.h"
#include "lexer/formula.h"
#include "lexer/group.h"
#include "lexer/issue.h"
#include "lexer/look.h"
#include "lexer/nest.h"
#include "lexer/number.h"
#include "lexer/suspect.h"
#include "lexer/verbatim.h"

void context_begin(struct lexer *lx, const struct lexer_options *options)
{
    struct lexer_context *context = &lx->context;
    codes_begin(lx);
    context->on = !options->is_static;
    if (!context->on)
        return;
    if (options->at_is_letter)
        codes_put(lx, '@', CATCODE_LETTER);
    context->verbatim_names = options->verbatim_names;
    context->n_verbatim_names = options->n_verbatim_names;
    if (context->n_verbatim_names > LEXER_VERBATIM_NAMES_MAX) {
        context->n_verbatim_names = LEXER_VERBATIM_NAMES_MAX;
        context_not_followed(lx, 0, 0);
    }
}

void context_not_followed(struct lexer *lx, uint32_t start, uint32_t end)
{
    lexer_issue_add(
        lx, &(struct lexer_issue){.start = start, .end = end, .id = LEXER_ISSUE_NOT_FOLLOWED});
}

bool context_in_definition(struct lexer *lx, const uint8_t *input, uint32_t at)
{
    struct lexer_nest *nest = &lx->nest;
    if (nest->definition_depth == 0 && nest->known_depth < nest->depth) {
        const uint32_t known = nest->known_depth;
        const struct look_text text = {.bytes = input, .slots = lx->context.slots};
        const struct look_braces found =
            look_at_braces(&text, nest->known_to, at, nest->depth - known);
        if (found.definition > 0)
            nest->definition_depth = known + found.definition;
        if (found.argument > 0 && nest->argument_depth == 0)
            nest->argument_depth = known + found.argument;
        nest->known_depth = nest->depth;
        nest->known_to = at;
        nest_update_guard(lx);
    }
    return nest->definition_depth > 0;
}

/* Nor is what stands in a macro's argument executed before all of it was read. */
static bool is_executed(struct lexer *lx, const uint8_t *input, uint32_t at)
{
    return !context_in_definition(lx, input, at) && lx->nest.argument_depth == 0;
}

/* Verbatim text is not allowed in arguments: where it stands is a group. */
static bool is_followed(struct lexer *lx, const uint8_t *input, enum watch watch)
{
    const struct look_text text = {.bytes = input, .slots = lx->context.slots};
    const uint32_t at = lx->control_start;
    switch ((unsigned)watch) {
    case WATCH_UNKNOWABLE:
        return false;
    case WATCH_END_INPUT:
        return lx->nest.depth == 0 && !look_is_expanded_after(&text, at);
    case WATCH_VERB:
    case WATCH_LSTINLINE:
    case WATCH_MINTINLINE:
        return !context_in_definition(lx, input, at);
    default:
        return is_executed(lx, input, at);
    }
}

/* \ExplSyntaxOn and \ExplSyntaxOff, as expl3 defines them. */

static const struct {
    uint16_t slot;
    uint8_t value;
} expl_codes[] = {
    {'\t', CATCODE_IGNORED},      {' ', CATCODE_IGNORED}, {'"', CATCODE_OTHER},
    {'&', CATCODE_ALIGNMENT},     {':', CATCODE_LETTER},  {'^', CATCODE_SUPERSCRIPT},
    {'_', CATCODE_LETTER},        {'|', CATCODE_OTHER},   {'~', CATCODE_SPACE},
    {LEXER_SLOT_END_IS_SPACE, 1},
};
#define N_EXPL (sizeof expl_codes / sizeof expl_codes[0])
_Static_assert(LEXER_SLOT_EXPL_OLD + N_EXPL == LEXER_SLOT_COUNT, "one old value for each");

static bool turn_expl(struct lexer *lx, bool on)
{
    const struct lexer_level level = codes_level(lx);
    uint8_t *const slots = lx->context.slots;
    if ((slots[LEXER_SLOT_EXPL] != 0) == on)
        return true;
    if (!codes_has_room(lx, 2 * N_EXPL + 1))
        return false;
    for (unsigned i = 0; i < N_EXPL; i++) {
        if (on)
            codes_change(lx, &level, LEXER_SLOT_EXPL_OLD + i, slots[expl_codes[i].slot]);
        codes_change(lx, &level, expl_codes[i].slot,
                     on ? expl_codes[i].value : slots[LEXER_SLOT_EXPL_OLD + i]);
    }
    return codes_change(lx, &level, LEXER_SLOT_EXPL, on);
}

/* \catcode */

/* The slot of a change that can be followed, or -1: of a raw byte, and in lualatex of ASCII; only ^
 * may begin ^^ notation; the line end may become what is no part of commands or groups. */
static int slot_of(const struct lexer *lx, uint32_t code, uint32_t value)
{
    const uint32_t at_line_end = 1u << CATCODE_END_LINE | 1u << CATCODE_IGNORED |
                                 1u << CATCODE_SPACE | 1u << CATCODE_OTHER | 1u << CATCODE_ACTIVE;
    if (value > CATCODE_INVALID || code >= (lx->regime == LEXER_PDFLATEX ? 256u : 128u) ||
        (value == CATCODE_SUPERSCRIPT && code != '^') ||
        (code == '\r' && !(at_line_end >> value & 1)))
        return -1;
    return code == '\n' ? LEXER_SLOT_LINE_FEED : code == '\r' ? LEXER_SLOT_LINE_END : (int)code;
}

static bool begin_catcode(struct lexer *lx, const struct character_source *src)
{
    struct lexer_context *context = &lx->context;
    const struct look_text text = {.bytes = src->bytes, .slots = context->slots};
    struct number_assignment found;
    if (look_is_read(&text, lx->control_start) || look_is_mention(&text, lx->control_start))
        return true;
    if (!number_read_assignment(src, lx->pos, &found))
        return false;
    if (found.kind == NUMBER_NONE)
        return true;
    const int slot = found.kind == NUMBER_CONSTANT ? slot_of(lx, found.left, found.right) : -1;
    if (slot < 0 || (context->busy & LEXER_BUSY_CATCODE) || !codes_level_is_known(lx) ||
        !is_executed(lx, src->bytes, lx->control_start) ||
        !formula_enter(lx, src->bytes, lx->control_start)) {
        context_not_followed(lx, lx->control_start, found.end);
        return true;
    }
    context->busy |= LEXER_BUSY_CATCODE;
    context->catcode_level = codes_level(lx);
    context->catcode_slot = (uint16_t)slot;
    context->catcode_value = (uint8_t)found.right;
    context->catcode_is_global = look_is_global(&text, lx->control_start);
    context->catcode_end = found.end;
    context->catcode_is_named = found.is_named;
    context->catcode_tokens = UINT32_MAX;
    context->catcode_start = lx->control_start;
    return true;
}

/* TeX reads one token more, to see where the number ends, and reads it as before. */
static void finish_catcode(struct lexer *lx)
{
    struct lexer_context *context = &lx->context;
    if (lx->pos < context->catcode_end || lx->mode == LEXER_MODE_WORD ||
        lx->mode == LEXER_MODE_ESCAPE)
        return;
    if (context->catcode_tokens == UINT32_MAX)
        context->catcode_tokens = lx->n_tokens;
    if (context->catcode_tokens == lx->n_tokens && !context->catcode_is_named)
        return;
    context->busy &= (uint8_t)~LEXER_BUSY_CATCODE;
    if (context->catcode_is_global)
        codes_change_everywhere(lx, context->catcode_slot, context->catcode_value);
    else if (!codes_is_over(lx, &context->catcode_level) &&
             !codes_change(lx, &context->catcode_level, context->catcode_slot,
                           context->catcode_value))
        context_not_followed(lx, context->catcode_start, context->catcode_end);
}

/* Commands that change category codes at once. */
static bool change_by_word(struct lexer *lx, enum watch watch)
{
    const struct lexer_level level = codes_level(lx);
    if (!codes_level_is_known(lx))
        return false;
    switch ((unsigned)watch) {
    case WATCH_AT_LETTER:
        return codes_change(lx, &level, '@', CATCODE_LETTER);
    case WATCH_AT_OTHER:
        return codes_change(lx, &level, '@', CATCODE_OTHER);
    case WATCH_OBEY_LINES:
        return codes_change(lx, &level, LEXER_SLOT_LINE_END, CATCODE_ACTIVE);
    case WATCH_OBEY_SPACES:
        return codes_change(lx, &level, ' ', CATCODE_ACTIVE);
    default:
        return turn_expl(lx, watch == WATCH_EXPL_ON);
    }
}

bool context_follows_inline(struct lexer *lx, const uint8_t *input, uint32_t at)
{
    const struct look_text text = {.bytes = input, .slots = lx->context.slots};
    return !look_is_mention(&text, at) && !context_in_definition(lx, input, at);
}

static void act(struct lexer *lx, const struct character_source *src, enum watch watch)
{
    struct lexer_context *context = &lx->context;
    const struct look_text text = {.bytes = src->bytes, .slots = context->slots};
    const uint32_t at = lx->control_start;
    if (look_is_mention(&text, at))
        return;
    if (!is_followed(lx, src->bytes, watch)) {
        context_not_followed(lx, at, lx->pos);
        return;
    }
    switch ((unsigned)watch) {
    case WATCH_PROVIDES:
        context->busy |= LEXER_BUSY_PROVIDES;
        context->provides_depth = lx->nest.depth;
        context->in_argument = false;
        context->n_arguments = 4;
        return;
    case WATCH_END_INPUT:
        context->busy |= LEXER_BUSY_END;
        context->end_input_start = at;
        context->end_input_end = lx->pos;
        return;
    case WATCH_VERB:
    case WATCH_LSTINLINE:
    case WATCH_MINTINLINE:
        verbatim_begin_inline(lx, watch);
        return;
    default:
        if (!formula_enter(lx, src->bytes, at) || !change_by_word(lx, watch))
            context_not_followed(lx, at, lx->pos);
    }
}

static void see_conditional(struct lexer *lx, const uint8_t *name, uint32_t n)
{
    struct lexer_context *context = &lx->context;
    if ((n == 2 && (memcmp(name, "fi", n) == 0 || memcmp(name, "or", n) == 0)) ||
        (n == 4 && memcmp(name, "else", n) == 0)) {
        context->busy &= (uint8_t)~LEXER_BUSY_END;
        context_not_followed(lx, context->end_input_start, context->end_input_end);
    }
}

bool context_redefines(const struct lexer *lx, const uint8_t *input, enum watch watch, uint32_t at)
{
    const struct look_text text = {.bytes = input, .slots = lx->context.slots};
    return watch == WATCH_BEGIN && lx->context.on && !lx->context.begin_is_unknown &&
           look_is_defined(&text, at);
}

bool context_word(struct lexer *lx, const struct character_source *src, enum watch watch,
                  const uint8_t *name, uint32_t n_bytes)
{
    struct lexer_context *context = &lx->context;
    if (context->busy & LEXER_BUSY_CATCODE)
        finish_catcode(lx); /* the word may have been what ended its value */
    if (context->busy & LEXER_BUSY_END)
        see_conditional(lx, name, n_bytes);
    switch (watch) {
    case WATCH_NONE:
    case WATCH_END:
        return true;
    case WATCH_BEGIN:
        if (context_redefines(lx, src->bytes, watch, lx->control_start)) {
            context->begin_is_unknown = true;
            context_not_followed(lx, lx->control_start, lx->pos);
        }
        return true;
    case WATCH_BEGIN_GROUP:
    case WATCH_END_GROUP:
        group_command(lx, src->bytes, watch, lx->control_start);
        return true;
    case WATCH_CATCODE:
        return begin_catcode(lx, src);
    case WATCH_AT_LETTER:
    case WATCH_AT_OTHER:
    case WATCH_EXPL_ON:
    case WATCH_EXPL_OFF:
    case WATCH_PROVIDES:
    case WATCH_OBEY_LINES:
    case WATCH_OBEY_SPACES:
    case WATCH_VERB:
    case WATCH_LSTINLINE:
    case WATCH_MINTINLINE:
    case WATCH_END_INPUT:
    case WATCH_UNKNOWABLE:
        act(lx, src, watch);
        return true;
    }
    return true;
}

void context_caret_word(struct lexer *lx, const struct character_source *src)
{
    uint8_t name[WATCH_NAME_BYTES_MAX] = {0};
    uint32_t n = 0;
    struct character_source word = *src; /* which is decided, whatever follows */
    word.have = lx->pos;
    word.final = true;
    uint32_t at = character_at(&word, lx->control_start).end;
    while (at < lx->pos) {
        struct lexer_ahead ahead = {0};
        struct character ch;
        if (!character_read_in_word(&word, at, &ahead, &ch) || ch.start >= lx->pos)
            break; /* the last ones were ^ that LuaTeX drops */
        if (n == sizeof name || ch.code > 0x7F)
            return;
        name[n++] = (uint8_t)ch.code;
        at = ch.end;
    }
    if (n > 0 && watch_name(name, n, true) != WATCH_NONE)
        context_not_followed(lx, lx->control_start, lx->pos);
}

/* \ProvidesExplPackage{…}{…}{…}{…} */
static void see_argument(struct lexer *lx)
{
    struct lexer_context *context = &lx->context;
    const uint32_t depth = lx->nest.depth;
    const bool ended = context->in_argument && depth <= context->provides_depth;
    context->in_argument = depth > context->provides_depth;
    if (depth >= context->provides_depth && !(ended && --context->n_arguments == 0))
        return;
    context->busy &= (uint8_t)~LEXER_BUSY_PROVIDES;
    if (depth >= context->provides_depth && !turn_expl(lx, true))
        context_not_followed(lx, lx->pos, lx->pos);
}

void context_before_step(struct lexer *lx, const struct character_source *src)
{
    if (lx->pos == src->have)
        return;
    if (lx->context.busy & LEXER_BUSY_BLANKS && lx->mode == LEXER_MODE_TEXT)
        suspect_blanks(lx, src->bytes);
    if (lx->context.busy & LEXER_BUSY_PROVIDES)
        see_argument(lx);
    if (lx->context.busy & LEXER_BUSY_VERB && lx->mode == LEXER_MODE_TEXT)
        verbatim_before_step(lx, src);
    if (lx->context.busy & LEXER_BUSY_FORMULA)
        formula_before_step(lx, src);
}

void context_after_step(struct lexer *lx)
{
    if (lx->context.busy & LEXER_BUSY_CATCODE)
        finish_catcode(lx);
    if (lx->context.busy & LEXER_BUSY_FORMULA)
        formula_after_step(lx);
}

void context_finish(struct lexer *lx, uint32_t end)
{
    if (lx->context.busy & LEXER_BUSY_BLANKS && lx->mode == LEXER_MODE_TEXT)
        suspect_blanks_end(lx);
    if (lx->context.busy & LEXER_BUSY_VERB)
        context_not_followed(lx, lx->context.command_start, lx->context.command_end);
    verbatim_finish(lx, end);
}

void context_see_line_end(struct lexer *lx, uint32_t start, uint32_t end)
{
    if (lx->context.end_is_space && !context_is_plain_line_end(context_line_end_code(lx)))
        context_not_followed(lx, start, end);
}

void context_line_end(struct lexer *lx)
{
    struct lexer_context *context = &lx->context;
    context->end_is_space = context->slots[LEXER_SLOT_END_IS_SPACE] != 0;
    if (context->busy & LEXER_BUSY_END) {
        context->busy &= (uint8_t)~LEXER_BUSY_END;
        lx->mode = LEXER_MODE_AFTER_END;
    }
}
