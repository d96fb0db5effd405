/* The latex context layer: category codes that change, and what makes them. It follows what it can
 * tell for certain; what it cannot is reported (info). Verbatim text: lexer/verbatim.h. */
#ifndef L0_LEXER_CONTEXT_H
#define L0_LEXER_CONTEXT_H

#include "lexer/catcode.h"
#include "lexer/character.h"
#include "lexer/watch.h"

void context_begin(struct lexer *lx, const struct lexer_options *options);

/* The line's end is read as those of the lines behind it. */
static inline bool context_line_ends_alike(const struct lexer *lx)
{
    return lx->context.end_is_space == (lx->context.slots[LEXER_SLOT_END_IS_SPACE] != 0);
}

/* The category code that the end of the line in work has. */
static inline uint8_t context_line_end_code(const struct lexer *lx)
{
    return lx->context.slots[lx->context.end_is_space ? ' ' : LEXER_SLOT_LINE_END];
}

/* A line end of that category code gives no character, but a space, a \par or nothing. */
static inline bool context_is_plain_line_end(uint8_t catcode)
{
    return catcode == CATCODE_END_LINE || catcode == CATCODE_SPACE || catcode == CATCODE_IGNORED;
}

/* TeX takes U+0020 away from before line ends. Mostly that makes no difference: they give a space
 * and the line end nothing, instead of the other way round, or neither gives anything. False: it
 * makes one, and they have to be told from others. */
static inline bool context_blanks_are_plain(const struct lexer *lx)
{
    const uint8_t blank = lx->context.slots[' '], end = context_line_end_code(lx);
    return blank == CATCODE_IGNORED ||
           (blank == CATCODE_SPACE && (end == CATCODE_END_LINE || end == CATCODE_SPACE));
}

/* Kernels may use loops of their own, with context.slots for classes: no command is in work. */
static inline bool context_is_easy(const struct lexer *lx)
{
    return lx->context.busy == 0 && context_line_ends_alike(lx);
}

/* And of category codes no more has changed than that of @ to a letter. */
static inline bool context_is_idle(const struct lexer *lx)
{
    return (lx->context.busy | lx->context.n_changed | lx->context.end_is_space) == 0;
}

/* The offset is in the body of a definition: what stands there is not executed there. */
bool context_in_definition(struct lexer *lx, const uint8_t *input, uint32_t at);

/* A change of category codes, or of what is verbatim, at start … end is not followed. */
void context_not_followed(struct lexer *lx, uint32_t start, uint32_t end);

/* The control word at lx->control_start, whose name is given and which ends at lx->pos, is over.
 * False: more bytes are needed, nothing has changed. */
bool context_word(struct lexer *lx, const struct character_source *src, enum watch watch,
                  const uint8_t *name, uint32_t n_bytes);

/* \verb or its like at offset at is not only mentioned, and is executed there. */
bool context_follows_inline(struct lexer *lx, const uint8_t *input, uint32_t at);

/* The same for a word in ^^ notation, which is not followed: says so if it would be else. */
void context_caret_word(struct lexer *lx, const struct character_source *src);

/* The command at offset at is \begin, being redefined, for the first time. */
bool context_redefines(const struct lexer *lx, const uint8_t *input, enum watch watch, uint32_t at);

/* Before and after each unit of the byte-wise machine while context.busy. */
void context_before_step(struct lexer *lx, const struct character_source *src);
void context_after_step(struct lexer *lx);

/* The line ends there. With U+0020 that has been made a character, it would give one, which no span
 * tells: says so. */
void context_see_line_end(struct lexer *lx, uint32_t start, uint32_t end);

/* The line ended. */
void context_line_end(struct lexer *lx);

/* The document ended at offset end: what is then left to say. */
void context_finish(struct lexer *lx, uint32_t end);

#endif
