#include "lexer/codes.h"

#include <string.h>

#include "lexer/catcode.h"
#include "lexer/nest.h"

static uint8_t regime_slot(unsigned regime, unsigned slot)
{
    if (slot < 256)
        return catcode_class[regime][slot];
    if (slot == LEXER_SLOT_LINE_FEED)
        return catcode_first[regime]['\n'];
    return slot == LEXER_SLOT_LINE_END ? catcode_first[regime]['\r'] : 0;
}

/* Loops made for usual category codes take ASCII letters for such, and U+0020 and the tab, behind
 * escape characters too, for what gives a space or nothing, and line ends for that; and they do not
 * ask suspect.c about control characters, of which it says nothing in lualatex, and what is not
 * ASCII in pdflatex. */
static bool is_odd(const struct lexer *lx, unsigned slot, uint8_t value)
{
    const unsigned lower = slot | 0x20;
    if (value == regime_slot(lx->regime, slot) || slot > LEXER_SLOT_LINE_END)
        return false;
    if (slot == ' ' || slot == '\t')
        return value != CATCODE_SPACE && value != CATCODE_IGNORED;
    if (slot == LEXER_SLOT_LINE_END || (slot < 0x80 && lower >= 'a' && lower <= 'z'))
        return true;
    return lx->regime == LEXER_PDFLATEX && (slot < ' ' || slot >= 0x7F);
}

void codes_put(struct lexer *lx, unsigned slot, uint8_t value)
{
    struct lexer_context *context = &lx->context;
    const uint8_t of_regime = regime_slot(lx->regime, slot);
    const bool is_at = slot == '@' && value == CATCODE_LETTER;
    const bool was_at = slot == '@' && context->slots[slot] == CATCODE_LETTER;
    const bool is_code = slot < LEXER_SLOT_EXPL; /* the others tell nothing of characters */
    if (is_code && value != of_regime && !is_at)
        context->n_changed++;
    if (is_code && context->slots[slot] != of_regime && !was_at)
        context->n_changed--;
    context->n_odd += is_odd(lx, slot, value);
    context->n_odd -= is_odd(lx, slot, context->slots[slot]);
    context->slots[slot] = value;
    if (slot == '@')
        context->at_is_letter = is_at;
    lx->run = LEXER_RUN_NONE;
}

void codes_begin(struct lexer *lx)
{
    struct lexer_context *context = &lx->context;
    memcpy(context->slots, catcode_class[lx->regime], 256);
    context->slots[LEXER_SLOT_LINE_FEED] = regime_slot(lx->regime, LEXER_SLOT_LINE_FEED);
    context->slots[LEXER_SLOT_LINE_END] = regime_slot(lx->regime, LEXER_SLOT_LINE_END);
}

/* Levels and what is brought back at their ends. */

struct lexer_level codes_level(const struct lexer *lx)
{
    return (struct lexer_level){.depth = lx->nest.depth,
                                .n_env = (uint16_t)lx->nest.n_env,
                                .n_math = (uint8_t)lx->nest.n_math,
                                .n_groups = (uint8_t)lx->nest.n_groups};
}

bool codes_is_over(const struct lexer *lx, const struct lexer_level *level)
{
    const struct lexer_nest *nest = &lx->nest;
    return nest->depth < level->depth || nest->n_env < level->n_env ||
           nest->n_math < level->n_math || nest->n_groups < level->n_groups;
}

static bool same_level(const struct lexer_level *a, const struct lexer_level *b)
{
    return a->depth == b->depth && a->n_env == b->n_env && a->n_math == b->n_math &&
           a->n_groups == b->n_groups;
}

/* What is open is all counted, so that its end will be seen. */
bool codes_level_is_known(const struct lexer *lx)
{
    const struct lexer_nest *nest = &lx->nest;
    return nest->env_beyond == 0 && nest->groups_beyond == 0 && !nest->math_beyond;
}

void codes_undo(struct lexer *lx)
{
    struct lexer_context *context = &lx->context;
    while (context->n_saves > 0 && codes_is_over(lx, &context->saves[context->n_saves - 1].level)) {
        const struct lexer_save *save = &context->saves[--context->n_saves];
        codes_put(lx, save->slot, save->value);
    }
}

/* Where a group is open that the change is local to, what was there is kept; once for each level.
 */
static bool save_slot(struct lexer *lx, const struct lexer_level *level, unsigned slot)
{
    static const struct lexer_level outside = {0};
    struct lexer_context *context = &lx->context;
    if (same_level(level, &outside))
        return true;
    for (uint32_t i = context->n_saves; i > 0 && same_level(&context->saves[i - 1].level, level);
         i--)
        if (context->saves[i - 1].slot == slot)
            return true;
    if (context->n_saves == LEXER_SAVES_MAX)
        return false;
    context->saves[context->n_saves++] =
        (struct lexer_save){.level = *level, .slot = (uint16_t)slot, .value = context->slots[slot]};
    nest_update_guard(lx);
    return true;
}

/* Several changes of one command are made together or not at all. */
bool codes_has_room(const struct lexer *lx, uint32_t n)
{
    return codes_level_is_known(lx) && LEXER_SAVES_MAX - lx->context.n_saves >= n;
}

bool codes_change(struct lexer *lx, const struct lexer_level *level, unsigned slot, uint8_t value)
{
    if (lx->context.slots[slot] == value)
        return true;
    if (!save_slot(lx, level, slot))
        return false;
    codes_put(lx, slot, value);
    return true;
}

/* \global: no end of a group brings another value back. */
void codes_change_everywhere(struct lexer *lx, unsigned slot, uint8_t value)
{
    struct lexer_context *context = &lx->context;
    uint32_t n = 0;
    for (uint32_t i = 0; i < context->n_saves; i++)
        if (context->saves[i].slot != slot)
            context->saves[n++] = context->saves[i];
    context->n_saves = n;
    codes_put(lx, slot, value);
}
