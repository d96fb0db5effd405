/* The formulas \[…\] and \(…\), which are groups. They are not counted like those of $, for which
 * there would be no cause but this: category codes that change in one of them come back at its end.
 */
#ifndef L0_LEXER_FORMULA_H
#define L0_LEXER_FORMULA_H

#include "lexer/character.h"

/* Category codes are about to change at offset at: if that is in such a formula, a group is open
 * from there on up to its end. False: the formula is inside another one in which they have changed,
 * which cannot be followed. */
bool formula_enter(struct lexer *lx, const uint8_t *input, uint32_t at);

/* While LEXER_BUSY_FORMULA, before and after each unit of the byte-wise machine. */
void formula_before_step(struct lexer *lx, const struct character_source *src);
void formula_after_step(struct lexer *lx);

#endif
