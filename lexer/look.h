/* What stands before an offset of the document, read backwards: asked only where a command of the
 * context layer was met, so that text without one pays nothing. */
#ifndef L0_LEXER_LOOK_H
#define L0_LEXER_LOOK_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of the document, and the category codes in force (enum lexer_slot): what escapes, what
 * opens and closes groups. They may have been others where the bytes stand; then less is found
 * there. */
struct look_text {
    const uint8_t *bytes, *slots;
};

/* A control sequence or other character that was found. n_bytes 0: none (or not told). */
struct look_word {
    uint32_t start, n_bytes; /* a control word's name, without the escape character */
    uint8_t byte;            /* else the character's byte */
};

/* What stands before offset at on its line, but for blanks. */
struct look_word look_before(const struct look_text *text, uint32_t at);

/* The command at offset at is only mentioned, not executed: as in \let\x\verb, \string\verb,
 * \def\verb, \renewcommand{\verb}. */
bool look_is_mention(const struct look_text *text, uint32_t at);

/* The value of what the command at offset at stands for is asked for: \the\catcode, =\catcode. */
bool look_is_read(const struct look_text *text, uint32_t at);

bool look_is_global(const struct look_text *text, uint32_t at); /* \global stands before it */

/* \expandafter stands before it: what comes behind is expanded first, as \fi often is. */
bool look_is_expanded_after(const struct look_text *text, uint32_t at);

/* The command at offset at is defined there: \def\begin, \renewcommand{\begin}, \let\begin. */
bool look_is_defined(const struct look_text *text, uint32_t at);

/* The $ at offset at begins no formula: \def\x#1$…, \let\x=$. Reads no more than its line. */
bool look_is_no_formula(const struct look_text *text, uint32_t at);

/* The command at offset at is none of \[ \( \] \) in use, but a constant or mentioned: `\(,
 * \let\x\(. */
bool look_is_no_bracket(const struct look_text *text, uint32_t at);

/* Offset at stands in a formula \[…\] or \(…\). Looks back to offset low <= at, where that was so
 * or not, and no further than to a blank line. */
bool look_in_formula(const struct look_text *text, uint32_t low, bool was_in, uint32_t at);

/* The outermost of some open braces that begins a definition's body (or what else is only executed
 * later), and the outermost that may begin a macro's argument, which TeX reads as a whole before
 * anything in it is executed. Counted from 1, outermost first; 0: none does. */
struct look_braces {
    uint32_t definition, argument;
};

/* Of the n innermost open braces before offset at, which stand at offset low or behind it. */
struct look_braces look_at_braces(const struct look_text *text, uint32_t low, uint32_t at,
                                  uint32_t n);

#endif
