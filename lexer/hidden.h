/* Comments that hide what an error misses: a brace or a $ that has come behind a %. Looked for only
 * where there is such an error. They read bytes by the usual category codes. */
#ifndef L0_LEXER_HIDDEN_H
#define L0_LEXER_HIDDEN_H

#include "lexer/lexer.h"

/* The $ at offset start is not closed before offset end: is there one in a comment? */
void hidden_math(struct lexer *lx, const uint8_t *input, uint32_t start, uint32_t end);

/* The } at … end closes nothing: was its { commented out? */
void hidden_look_for_opening(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end);
static inline void hidden_opening(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end)
{
    if (at > lx->hidden_search)
        hidden_look_for_opening(lx, input, at, end);
    lx->hidden_search = end;
}

/* n braces are still open at the document's end: which comments hold a } for one on their line? */
void hidden_closings(struct lexer *lx, const uint8_t *input, uint32_t end, uint32_t n);

#endif
