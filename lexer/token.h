/* TeX's tokens, enumerated from the spans and bytes of a document that was lexed. */
#ifndef L0_LEXER_TOKEN_H
#define L0_LEXER_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "lexer/character.h"

enum token_type {
    TOKEN_CHARACTER, /* catcode and code_point */
    TOKEN_CONTROL,   /* a control sequence: see token_name_begin() */
    TOKEN_PAR,       /* the \par of a blank line */
};

struct token {
    uint32_t start, end; /* its bytes; empty for what the end of an unended last line gives */
    uint32_t line;       /* from 1, as TeX counts */
    uint32_t code_point;
    enum token_type type;
    uint8_t catcode;
};

struct token_cursor {
    struct character_source source;
    const uint8_t *kinds;
    const uint32_t *starts;
    uint32_t n_spans;
    uint32_t span, at;  /* at: offset in the span where the next character is read */
    uint32_t blanks_to; /* U+0020 up to here are tokens of verbatim text */
    uint32_t line;
    uint8_t added_end; /* enum lexer_kind: of the line end that TeX adds, until it is given */
    bool line_over;    /* what follows is on the next line */
};

/* Begins at the first token. kinds, starts and counts are those that lexer_finish() left; all
 * memory but counts stays the caller's and must live as long as the cursor. */
void token_begin(struct token_cursor *cursor, enum lexer_regime regime, const uint8_t *input,
                 const uint8_t *kinds, const uint32_t *starts, const struct lexer_counts *counts);

/* False: there are no more. True as often as lexer_counts.n_tokens says. */
bool token_next(struct token_cursor *cursor, struct token *token);

/* The characters of a control sequence's name, the escape character not among them. */
struct token_name {
    const struct character_source *source;
    uint32_t at, end;
    bool first;
};
void token_name_begin(struct token_name *name, const struct token_cursor *cursor,
                      const struct token *control);
bool token_name_next(struct token_name *name, uint32_t *code_point);

#endif
