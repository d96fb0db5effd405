/* Commands that begin and end groups: \begingroup and \endgroup, \bgroup and \egroup. */
#ifndef L0_LEXER_GROUP_H
#define L0_LEXER_GROUP_H

#include "lexer/lexer.h"
#include "lexer/watch.h"

/* WATCH_BEGIN_GROUP or WATCH_END_GROUP at offset at; input: the document's first byte. A group
 * begins or ends there, unless the command is only mentioned (\let\bgroup={). */
void group_command(struct lexer *lx, const uint8_t *input, enum watch watch, uint32_t at);

#endif
