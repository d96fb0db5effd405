/* What TeX nests: braces, formulas, environments; and the issues of what does not match.
 *
 * Only what stands in one brace group is judged together: "\newenvironment{x}{\begin{y}}{\end{y}}"
 * or ">{$}c<{$}" are correct, so a formula or environment whose group ends before it does is
 * forgotten without an issue, and an \end in a deeper group than the last \begin is ignored. */
#ifndef L0_LEXER_NEST_H
#define L0_LEXER_NEST_H

#include <string.h>

#include "lexer/lexer.h"
#include "lexer/watch.h"

static inline void nest_open_brace(struct lexer *lx)
{
    lx->nest.depth++;
}

/* input: the document's first byte, here and below. The token } at offset at .. end. */
void nest_close_brace(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end);

/* The tokens } at the offsets at … end - 1, where no { is open: they are reported. */
void nest_report_closes(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end);

/* The token $ at offset at; to be called before n_tokens counts it. */
void nest_math_shift(struct lexer *lx, uint32_t at);

/* A blank line (the token \par) whose line end is at .. end. */
void nest_par(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end);

/* \begingroup at offset at and \endgroup, or those of braces that are control words. */
void nest_open_group(struct lexer *lx, uint32_t at);
void nest_close_group(struct lexer *lx);

/* The last \begingroup, if it stands outside the braces that are open here, but for environments;
 * or NULL. An \endgroup here may be an argument's: then it ends with the outermost of these braces,
 * for which depth is to be counted up, and ends set. */
struct lexer_group *nest_outer_group(struct lexer *lx);

/* Any control word, at offset at. */
void nest_control_word(struct lexer *lx, uint32_t at, enum watch watch);

/* Any other span that begins at offset at while env_step is not idle. input is the document's first
 * byte. */
void nest_env_span(struct lexer *lx, const uint8_t *input, enum lexer_kind kind, uint32_t at);

/* A character in ^^ notation that ends before offset end: as part of a name, that is not followed.
 */
void nest_env_caret(struct lexer *lx, uint32_t end);

/* A whole \begin{name} or \end{name} of ASCII letters and others without ^^ notation, of at most
 * LEXER_ENV_NAME_BYTES_MAX bytes: at is the offset of the escape character, at_brace that of the }.
 * To be called before its braces are counted, where env_step is idle; it stays so. The context
 * layer is not asked: it is for the caller to know that it does not follow that environment. */
void nest_environment(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t at_brace);

/* The open environment of that number, the outermost being 0, has the name of so many bytes at
 * offset name. */
static inline bool nest_is_named(const struct lexer_nest *nest, const uint8_t *input, uint32_t i,
                                 uint32_t name, uint32_t name_bytes)
{
    return nest->env_name_bytes[i] == name_bytes &&
           memcmp(input + nest->env[i].name_start, input + name, name_bytes) == 0;
}

/* To be called when what guard depends on has changed. */
void nest_update_guard(struct lexer *lx);

/* For those that follow formulas themselves. Guard without them; and without known_depth too, which
 * a } that ends nothing else only lowers. */
uint32_t nest_outer_guard(struct lexer *lx);
uint32_t nest_floor(struct lexer *lx);

/* Reports the formula of the $ at offset start, if it is one, at the blank line whose line end is
 * at .. end; and the $ at offset at, which would begin one beyond LEXER_MATH_DEPTH_MAX. */
void nest_report_math(struct lexer *lx, const uint8_t *input, uint32_t start, uint32_t at,
                      uint32_t end);
void nest_pass_math(struct lexer *lx, uint32_t at);

/* The document ended at offset end: counts what is still open, and reports it, innermost first. */
void nest_finish(struct lexer *lx, const uint8_t *input, uint32_t end);

#endif
