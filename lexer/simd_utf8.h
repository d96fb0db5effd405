/* UTF-8 in blocks of vector kernels. */
#ifndef L0_LEXER_SIMD_UTF8_H
#define L0_LEXER_SIMD_UTF8_H

#include "lexer/catcode.h"
#include "lexer/simd_block.h"
#include "lexer/utf8.h"

/* Where characters of certain ranges begin that are all letters, or all others, provided that
 * continuation bytes follow. */
struct simd_utf8_bytes {
    uint64_t leads; /* bytes from 0xC0 on */
    uint64_t continuations;
    uint64_t two, three;   /* letters of two bytes, and of three */
    uint64_t three_others; /* others of three */
};

struct simd_utf8 {
    uint64_t letters, others; /* all bytes of such characters */
    uint64_t continued;       /* those but the first ones */
};

/* Letters and others among the non-ASCII characters whose first bytes (from 0xC0 on) are given, up
 * to the first one that is neither. in: the block, followed by SIMD_AHEAD_BYTES. */
SIMD_SELDOM struct simd_utf8 simd_utf8(const uint8_t *in, uint64_t leads)
{
    struct simd_utf8 found = {0};
    for (; leads; leads &= leads - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(leads);
        const struct utf8_char ch = utf8_decode(in + at, 4, true);
        const uint8_t catcode =
            ch.invalid ? CATCODE_INVALID : catcode_of(LEXER_LUALATEX, ch.code_point);
        if ((catcode != CATCODE_LETTER && catcode != CATCODE_OTHER) ||
            at + ch.n_bytes > SIMD_BLOCK_BYTES)
            break;
        const uint64_t bytes = simd_below(at + ch.n_bytes) & ~simd_below(at);
        found.continued |= bytes & ~simd_bit(at);
        if (catcode == CATCODE_LETTER)
            found.letters |= bytes;
        else
            found.others |= bytes;
    }
    return found;
}

/* Makes letters and others of them outside comments; all else stays hard. */
SIMD_INLINE void simd_add_utf8(struct simd_block *block, const uint8_t *in,
                               const struct simd_utf8_bytes *bytes)
{
    const uint64_t follows = bytes->continuations >> 1 & ~block->comment;
    const uint64_t follow = follows & bytes->continuations >> 2;
    const uint64_t two = bytes->two & follows;
    const uint64_t three = bytes->three & follow;
    const uint64_t signs = bytes->three_others & follow;
    const uint64_t letters = two | two << 1 | three | three << 1 | three << 2;
    const uint64_t others = signs | signs << 1 | signs << 2;
    const uint64_t known = letters | others;
    const uint64_t leads = bytes->leads & ~(known | block->comment);
    struct simd_utf8 found = {0};
    if (leads)
        found = simd_utf8(in, leads);
    block->sets.letters |= found.letters | letters;
    block->wide_others = found.others | others;
    block->sets.others |= block->wide_others;
    block->sets.hard &= ~(found.letters | found.others | known);
    block->continued = found.continued | (known & bytes->continuations);
}

#endif
