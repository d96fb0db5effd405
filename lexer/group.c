#include "lexer/group.h"

#include "lexer/look.h"
#include "lexer/nest.h"

/* Whether the group ends matters: category codes will be brought back, or no braces around it will
 * end it. */
static bool is_of_matter(const struct lexer *lx, const struct lexer_group *group)
{
    const struct lexer_context *context = &lx->context;
    const uint32_t index = (uint32_t)(group - lx->nest.groups);
    return group->depth == 0 ||
           (context->n_saves > 0 && context->saves[context->n_saves - 1].level.n_groups > index);
}

/* \endgroup, in braces that begin inside its group. \lowercase{\endgroup…} ends it when TeX has
 * read the argument, \def\x{\endgroup} does not. What stands outside the group holds for both. */
static void end_outer_group(struct lexer *lx, const struct look_text *text,
                            struct lexer_group *group, uint32_t at)
{
    if (group->definition_depth != 0 || !is_of_matter(lx, group))
        return;
    const uint32_t definition =
        look_at_braces(text, group->start, at, lx->nest.depth - group->depth).definition;
    if (definition > 0) {
        group->definition_depth = group->depth + definition;
    } else {
        group->depth++;
        group->ends = 1;
    }
    nest_update_guard(lx);
}

void group_command(struct lexer *lx, const uint8_t *input, enum watch watch, uint32_t at)
{
    const struct look_text text = {.bytes = input, .slots = lx->context.slots};
    struct lexer_group *const outer = nest_outer_group(lx);
    if (look_is_mention(&text, at))
        return;
    if (watch == WATCH_BEGIN_GROUP)
        nest_open_group(lx, at);
    else if (outer)
        end_outer_group(lx, &text, outer, at);
    else
        nest_close_group(lx);
}
