/* Characters that are not what they seem: bidirectional controls, no-break and zero-width spaces,
 * byte-order marks, control characters; and line ends of several kinds. Told by bytes, in either
 * regime, so that any cut of the input gives the same. */
#ifndef L0_LEXER_SUSPECT_H
#define L0_LEXER_SUSPECT_H

#include "lexer/character.h"

/* Reports those whose last byte is one of offsets from … to - 1 outside comments. */
void suspect_text(struct lexer *lx, const uint8_t *input, uint32_t from, uint32_t to);

/* The same for what TeX does not read: bidirectional controls only. */
void suspect_comment(struct lexer *lx, const uint8_t *input, uint32_t from, uint32_t to);

/* Behind an escape character and a blank (LEXER_BUSY_BLANKS), before each unit of text: reports
 * them where the line ends. */
void suspect_blanks(struct lexer *lx, const uint8_t *input);
void suspect_blanks_end(struct lexer *lx); /* it, or the document, ends at lx->pos */

/* The line end, CR or CR LF or LF, that ends before offset end. */
void suspect_line_end(struct lexer *lx, const uint8_t *input, uint32_t end);

/* A byte of ASCII that is no control character, but for tab, form feed and line ends. */
static inline bool suspect_is_plain(uint8_t byte)
{
    return (byte >= ' ' && byte < 0x7F) || (byte >= '\t' && byte <= '\r' && byte != '\v');
}

/* Whether the letter or other character (not ASCII) may be one of those. */
static inline bool suspect_code_point(uint32_t code)
{
    if (code < 0x2007)
        return code <= 0xA0;
    return code == 0x2007 || (code >= 0x200B && code <= 0x200D) ||
           (code >= 0x202A && code <= 0x202F) || code == 0x2060 ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

#endif
