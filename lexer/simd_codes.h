/* Category codes that differ from the regime's, for vector kernels: the classes of ASCII characters
 * by a table, made of the codes in force. What that cannot tell is left to the portable kernel. */
#ifndef L0_LEXER_SIMD_CODES_H
#define L0_LEXER_SIMD_CODES_H

#include <string.h>

#include "lexer/catcode.h"
#include "lexer/context.h"
#include "lexer/simd_isa.h"
#include "lexer/state.h"

/* Which classification a chunk needs. */
enum simd_codes_in_force { SIMD_CODES_USUAL, SIMD_CODES_AT_LETTER, SIMD_CODES_CHANGED };

/* A table, and what it was made of. */
struct simd_codes {
    struct simd_table table;
    uint8_t slots[128];
    uint8_t line_end; /* see context_line_end_code() */
};

/* Kernels tell \end from \endcsname and do not watch it before a c, or what else has the digit 3 at
 * its end: that has to be nothing that may stand between \end and its name. */
SIMD_INLINE bool simd_codes_end_names(const uint8_t *slots)
{
    const uint32_t before_names = 1u << CATCODE_BEGIN_GROUP | 1u << CATCODE_END_LINE |
                                  1u << CATCODE_IGNORED | 1u << CATCODE_SPACE |
                                  1u << CATCODE_COMMENT;
    uint32_t found = 0;
    for (unsigned i = 3; i < 128; i += 16)
        found |= 1u << slots[i];
    return (found & before_names) == 0;
}

/* Line ends that the rules know. */
SIMD_INLINE bool simd_codes_end_lines(uint8_t line_end, bool is_space)
{
    return context_is_plain_line_end(line_end) ||
           (!is_space && (line_end == CATCODE_ACTIVE || line_end == CATCODE_OTHER));
}

/* Nothing is in work that asks for the byte-wise machine, and the vector rules hold: line ends are
 * such, on this line and on the next; and what is not ASCII is as ever. */
SIMD_INLINE bool simd_codes_apply(const struct lexer *lx)
{
    const struct lexer_context *const context = &lx->context;
    const uint8_t *const slots = context->slots;
    return context->busy == 0 && context_line_ends_alike(lx) &&
           simd_codes_end_lines(context_line_end_code(lx), context->end_is_space) &&
           simd_codes_end_names(slots) &&
           memcmp(slots + 128, catcode_class[lx->regime] + 128, 128) == 0;
}

/* For a lexer to which vectors apply. */
SIMD_INLINE enum simd_codes_in_force simd_codes_of(const struct lexer *lx)
{
    return lx->context.n_changed > 0 || lx->context.end_is_space ? SIMD_CODES_CHANGED
           : lx->context.at_is_letter                            ? SIMD_CODES_AT_LETTER
                                                                 : SIMD_CODES_USUAL;
}

/* Control characters are hard but for the tab: suspect.c reports them; and the tab behind an escape
 * character too, unless it is a blank or ignored, which are not taken there. */
SIMD_SELDOM void simd_codes_make(const struct lexer *lx, struct simd_codes *codes)
{
    static const uint8_t classes[] = {
        [CATCODE_ESCAPE] = SIMD_ESCAPE,       [CATCODE_BEGIN_GROUP] = SIMD_BEGIN_GROUP,
        [CATCODE_END_GROUP] = SIMD_END_GROUP, [CATCODE_MATH_SHIFT] = SIMD_MATH_SHIFT,
        [CATCODE_ALIGNMENT] = SIMD_ALIGNMENT, [CATCODE_END_LINE] = SIMD_HARD,
        [CATCODE_PARAMETER] = SIMD_PARAMETER, [CATCODE_SUPERSCRIPT] = SIMD_SUPERSCRIPT,
        [CATCODE_SUBSCRIPT] = SIMD_SUBSCRIPT, [CATCODE_IGNORED] = SIMD_IGNORED,
        [CATCODE_SPACE] = SIMD_BLANK,         [CATCODE_LETTER] = SIMD_LETTER,
        [CATCODE_OTHER] = SIMD_OTHER,         [CATCODE_ACTIVE] = SIMD_ACTIVE,
        [CATCODE_COMMENT] = SIMD_COMMENT,     [CATCODE_INVALID] = SIMD_HARD,
    };
    const uint8_t beyond = lx->regime == LEXER_LUALATEX ? SIMD_HARD : SIMD_ACTIVE;
    uint8_t *const of = codes->table.of;
    memcpy(codes->slots, lx->context.slots, sizeof codes->slots);
    codes->line_end = context_line_end_code(lx);
    codes->table.beyond = beyond;
    codes->table.tells_blanks = !context_blanks_are_plain(lx);
    for (unsigned i = ' '; i < 0x7F; i++)
        of[i] = classes[codes->slots[i]] ^ beyond;
    memset(of, SIMD_HARD ^ beyond, ' ');
    of[0x7F] = SIMD_HARD ^ beyond;
    of['\n'] = SIMD_LF ^ beyond;
    of['\r'] = SIMD_CR ^ beyond;
    if (codes->slots['\t'] == CATCODE_SPACE || codes->slots['\t'] == CATCODE_IGNORED)
        of['\t'] = classes[codes->slots['\t']] ^ beyond;
}

/* Nothing has changed since the table was made. */
SIMD_INLINE bool simd_codes_hold(const struct lexer *lx, const struct simd_codes *codes)
{
    return codes->line_end == context_line_end_code(lx) &&
           memcmp(codes->slots, lx->context.slots, sizeof codes->slots) == 0;
}

#endif
