/* Bytes and category codes of struct look_text, for what looks back. */
#ifndef L0_LEXER_LOOK_TEXT_H
#define L0_LEXER_LOOK_TEXT_H

#include "lexer/catcode.h"
#include "lexer/look.h"
#include "lexer/word64.h"

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

/* Where the line begins that offset at stands on. Eight bytes at a time, down to the nearest end of
 * a line of either kind and no further: another line's would be looked for again and again. */
static inline uint32_t look_line_start(const uint8_t *bytes, uint32_t at)
{
    while (at >= 8) {
        const uint64_t word = word64_load(bytes + at - 8);
        const uint64_t ends = word64_equal(word, '\n') | word64_equal(word, '\r');
        if (ends)
            return at - word64_behind_last(ends);
        at -= 8;
    }
    while (at > 0 && !look_is_line_end(bytes[at - 1]))
        at--;
    return at;
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
