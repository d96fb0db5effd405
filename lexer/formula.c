#include "lexer/formula.h"

#include "lexer/look.h"
#include "lexer/nest.h"

bool formula_enter(struct lexer *lx, const uint8_t *input, uint32_t at)
{
    struct lexer_context *context = &lx->context;
    const struct look_text text = {.bytes = input, .slots = context->slots};
    if (context->busy & LEXER_BUSY_FORMULA)
        return context->formula_inner == 0;
    context->formula_known_in =
        look_in_formula(&text, context->formula_known_to, context->formula_known_in, at);
    context->formula_known_to = at;
    if (!context->formula_known_in)
        return true;
    const uint32_t n_groups = lx->nest.n_groups;
    nest_open_group(lx, at);
    if (lx->nest.n_groups == n_groups)
        return true; /* too deep: the change will say so */
    context->busy |= LEXER_BUSY_FORMULA;
    context->formula_group = (uint8_t)n_groups;
    context->formula_inner = 0;
    context->formula_ends = false;
    return true;
}

static void leave(struct lexer_context *context)
{
    context->busy &= (uint8_t)~LEXER_BUSY_FORMULA;
}

void formula_before_step(struct lexer *lx, const struct character_source *src)
{
    struct lexer_context *context = &lx->context;
    const uint8_t byte = src->bytes[lx->pos];
    const bool is_blank_line = lx->mode == LEXER_MODE_TEXT && (byte == '\n' || byte == '\r') &&
                               lx->line_state == LEXER_LINE_NEW;
    const struct look_text text = {.bytes = src->bytes, .slots = context->slots};
    const bool is_name =
        lx->mode == LEXER_MODE_ESCAPE && !look_is_no_bracket(&text, lx->control_start);
    /* What stands around it has ended it; or it was none, as no formula reaches over a blank line.
     */
    if (lx->nest.n_groups <= context->formula_group || is_blank_line) {
        leave(context);
    } else if (is_name && (byte == '[' || byte == '(')) {
        context->formula_inner++;
    } else if (is_name && (byte == ']' || byte == ')')) {
        context->formula_ends = context->formula_inner == 0;
        context->formula_inner -= !context->formula_ends;
    }
}

void formula_after_step(struct lexer *lx)
{
    struct lexer_context *context = &lx->context;
    if (!context->formula_ends)
        return;
    context->formula_ends = false;
    leave(context);
    nest_close_group(lx);
}
