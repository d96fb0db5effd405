/* One character as TeX's input processor sees it: UTF-8 decoded, ^^ notation reduced, line ends
 * recognised (The TeXbook, ch. 7 and 8; the ^^^^ forms are those of LuaTeX). */
#ifndef L0_LEXER_CHARACTER_H
#define L0_LEXER_CHARACTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lexer/lexer.h"

/* The part of the document that is there. Nothing at or behind bytes + have is read. */
struct character_source {
    const uint8_t *bytes;
    uint32_t have;
    const uint8_t *slots; /* category codes in force (enum lexer_slot); NULL: the regime's */
    bool final;           /* the document ends at have */
    bool is_raw;          /* ^^ notation is not reduced; with slots, these say so */
    uint8_t regime;
};

/* What of the document lx is in work with is there, to be read by the category codes in force. */
struct character_source character_source_of(const struct lexer *lx, const uint8_t *input,
                                            uint32_t have, bool final);

struct character {
    uint32_t code;
    uint32_t start; /* where it was read, or behind the ^ that LuaTeX drops: see LEXING.md */
    uint32_t end;   /* offset behind its last byte */
    uint8_t catcode;
    bool caret;         /* came from ^^ notation */
    bool line_end;      /* its bytes include the end of the line (or the document's last, unended,
                         * line ends here) */
    bool invalid_utf8;  /* a maximal invalid subpart, read as U+FFFD */
    uint32_t fault_end; /* end of a malformed ^^^^ or ^^^^^^ read for it; 0: none */
};

/* Reads the character at offset at <= have; *ahead is zero, or what an earlier call for the same
 * offset left. True: *ch is set and *ahead zero again. False: more bytes are needed to tell (never
 * when final); *ahead remembers how far was looked. */
bool character_read(const struct character_source *src, uint32_t at, struct lexer_ahead *ahead,
                    struct character *ch);

/* The same in a control sequence, behind its first letter. A malformed ^^^^ there loses two ^ and
 * is examined again. */
bool character_read_in_word(const struct character_source *src, uint32_t at,
                            struct lexer_ahead *ahead, struct character *ch);

/* The same behind an escape character, where U+0020 up to the line end are one with it. */
bool character_read_escaped(const struct character_source *src, uint32_t at,
                            struct lexer_ahead *ahead, struct character *ch);

/* TeX trims U+0020 from line ends before anything else looks at them. Whether those from offset at
 * on are such; *end: the offset of the first other byte. */
enum character_blanks {
    CHARACTER_BLANKS_INSIDE,
    CHARACTER_BLANKS_AT_END,
    CHARACTER_BLANKS_UNKNOWN
};
enum character_blanks character_look_at_blanks(const struct character_source *src, uint32_t at,
                                               struct lexer_ahead *ahead, uint32_t *end);

/* The character of these bytes as they stand, line ends included; false as above. Its category code
 * is that of the regime. */
bool character_read_raw(const struct character_source *src, uint32_t at, struct character *ch);

/* The category code in force of that character. */
uint8_t character_catcode(const struct character_source *src, uint32_t code);

/* The whole character is there: for documents that were lexed to the end. */
struct character character_at(const struct character_source *src, uint32_t at);

#endif
