/* Verbatim text: \verb and the like, verbatim environments; and what stands behind the end. */
#ifndef L0_LEXER_VERBATIM_H
#define L0_LEXER_VERBATIM_H

#include "lexer/character.h"
#include "lexer/watch.h"

/* Whether the environment of this name is a verbatim one, or it is \end{document}'s. */
bool verbatim_is_name(const struct lexer *lx, const uint8_t *name, uint32_t n_bytes);
bool verbatim_is_document(const uint8_t *name, uint32_t n_bytes);

/* In a verbatim environment, its end may begin at offset at: it does, or more bytes are needed. */
bool verbatim_may_end(const struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t have);

/* Behind \verb, \lstinline or \mintinline. */
void verbatim_begin_inline(struct lexer *lx, enum watch watch);

/* Behind the text whose delimiter is at offset at, behind \verb and the like, where all of it is
 * there and printable ASCII; or 0. */
uint32_t verbatim_inline_end(const struct lexer *lx, const uint8_t *input, uint32_t at,
                             uint32_t have, enum watch watch);

/* Behind that: takes the text with its delimiters as lexer_step() would in several steps, where all
 * of it is there and printable ASCII. False: nothing was taken. */
bool verbatim_take_inline(struct lexer *lx, const struct character_source *src);

/* While LEXER_BUSY_VERB: the optional argument, and the language's. May be repeated. */
void verbatim_before_step(struct lexer *lx, const struct character_source *src);

/* The modes LEXER_MODE_VERB_OPEN … LEXER_MODE_AFTER_END; as lexer_step(). */
int verbatim_step_open(struct lexer *lx, const struct character_source *src);
int verbatim_step_inline(struct lexer *lx, const struct character_source *src);
int verbatim_step_environment(struct lexer *lx, const struct character_source *src);
int verbatim_step_after_end(struct lexer *lx, const struct character_source *src);

/* The document ended at offset end: what is then left to say. */
void verbatim_finish(struct lexer *lx, uint32_t end);

#endif
