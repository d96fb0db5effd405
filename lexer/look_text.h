/* Bytes and category codes of struct look_text, for what looks back. */
#ifndef L0_LEXER_LOOK_TEXT_H
#define L0_LEXER_LOOK_TEXT_H

#include "lexer/catcode.h"
#include "lexer/look.h"

static inline bool look_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static inline bool look_is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

static inline bool look_has_catcode(const struct look_text *text, uint32_t at, enum catcode catcode)
{
    return text->slots[text->bytes[at]] == catcode;
}

/* An odd number of escape characters stands before offset at. */
static inline bool look_is_escaped(const struct look_text *text, uint32_t at)
{
    uint32_t n = 0;
    while (at > n && look_has_catcode(text, at - n - 1, CATCODE_ESCAPE))
        n++;
    return n % 2 == 1;
}

#endif
