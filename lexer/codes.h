/* The category codes in force, and what else groups keep local: changed, and brought back at the
 * ends of groups. */
#ifndef L0_LEXER_CODES_H
#define L0_LEXER_CODES_H

#include "lexer/lexer.h"

/* Those of the regime. */
void codes_begin(struct lexer *lx);

/* The slot (enum lexer_slot) has that value now, and for good. */
void codes_put(struct lexer *lx, unsigned slot, uint8_t value);

/* The place in the nesting that lx has reached; that place was left; what is open there is all
 * counted, so that its end will be seen. */
struct lexer_level codes_level(const struct lexer *lx);
bool codes_is_over(const struct lexer *lx, const struct lexer_level *level);
bool codes_level_is_known(const struct lexer *lx);

/* Several changes of one command are made together or not at all: there is room for n of them. */
bool codes_has_room(const struct lexer *lx, uint32_t n);

/* Up to the end of that level. False: there is no room, nothing has changed. */
bool codes_change(struct lexer *lx, const struct lexer_level *level, unsigned slot, uint8_t value);

/* \global: no end of a group brings another value back. */
void codes_change_everywhere(struct lexer *lx, unsigned slot, uint8_t value);

/* No code would be brought back if no more than so much was open. */
static inline bool codes_keep(const struct lexer *lx, uint32_t depth, uint32_t n_env,
                              uint32_t n_math, uint32_t n_groups)
{
    if (lx->context.n_saves == 0)
        return true;
    const struct lexer_level *const level = &lx->context.saves[lx->context.n_saves - 1].level;
    return level->depth <= depth && level->n_env <= n_env && level->n_math <= n_math &&
           level->n_groups <= n_groups;
}

/* Brings back what the end of a group undoes; to be called whenever something was closed. */
void codes_undo(struct lexer *lx);

#endif
