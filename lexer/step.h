/* The byte-wise machine: the whole of TeX's rules, one unit at a time. Kernels call it for whatever
 * they have no faster way for; what they share with it is struct lexer. */
#ifndef L0_LEXER_STEP_H
#define L0_LEXER_STEP_H

#include "lexer/character.h"
#include "lexer/lexer.h"

enum { LEXER_STEP_DONE = 0, LEXER_STEP_MORE = 1 };

/* Lexes the unit at lx->pos (< src->have; or == in mode LEXER_MODE_ESCAPE when final): a character,
 * a part of a control sequence, or what is there of the rest of a line. LEXER_STEP_DONE,
 * LEXER_STEP_MORE if the unit cannot be told yet, or -ENOSPC. */
int lexer_step(struct lexer *lx, const struct character_source *src);

/* Takes the whole control word at lx->pos, where text has an escape character and a letter, as
 * lexer_step() would in several steps; and what belongs to it, where that is plain: {name} behind
 * \begin and \end, the text of \verb and its like. For context.busy == 0. False: nothing was taken,
 * since more bytes are needed, there is no room, or it may hold ^^ notation or UTF-8. */
bool lexer_take_command(struct lexer *lx, const struct character_source *src);

/* Adds the character to the open span of its kind, or opens one. 0 or -ENOSPC. */
int lexer_join_run(struct lexer *lx, const struct character_source *src, unsigned kind,
                   const struct character *ch);

/* The control word in work ends at lx->pos. False: more bytes are needed (never when final). */
bool lexer_end_word(struct lexer *lx, const struct character_source *src);

/* Reports a malformed ^^^^ at start … fault_end, behind which reading goes on at offset next: one
 * issue for a row of ^, however many it holds. */
void lexer_report_caret_fault(struct lexer *lx, uint32_t start, uint32_t next, uint32_t fault_end);

/* What the end of the line gives that has this category code, where it is no character of its own
 * (lexer_kind EOL). */
enum lexer_kind lexer_line_end_kind(const struct lexer *lx, uint8_t catcode);

/* The end of the line that begins no later than at: the offset of its LF or CR, or have. */
uint32_t lexer_find_line_end(const uint8_t *input, uint32_t at, uint32_t have);

#endif
