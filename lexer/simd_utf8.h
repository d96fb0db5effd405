/* UTF-8 in vector kernels. */
#ifndef L0_LEXER_SIMD_UTF8_H
#define L0_LEXER_SIMD_UTF8_H

#include "lexer/catcode.h"
#include "lexer/simd_isa.h"
#include "lexer/utf8.h"

/* Of a lane, and what of its last character goes on in the next one. */
struct simd_utf8 {
    uint64_t letters, others; /* all bytes of such characters */
    uint64_t leads;           /* bytes from 0xC0 on */
    uint64_t letters_over, others_over;
};

/* Adds the letters and others among the characters whose first bytes are given, up to the first one
 * that is neither. in: the lane, followed by SIMD_AHEAD_BYTES. */
SIMD_INLINE void simd_utf8_by_table(const uint8_t *in, uint64_t leads, struct simd_utf8 *found)
{
    for (; leads; leads &= leads - 1) {
        const uint32_t at = simd_first(leads);
        const struct utf8_char ch = utf8_decode(in + at, 4, true);
        const uint8_t catcode =
            ch.invalid ? CATCODE_INVALID : catcode_of(LEXER_LUALATEX, ch.code_point);
        if (catcode != CATCODE_LETTER && catcode != CATCODE_OTHER)
            return;
        const uint64_t bytes = simd_below(ch.n_bytes);
        const uint64_t over = at > 60 ? bytes >> (SIMD_LANE_BYTES - at) : 0;
        if (catcode == CATCODE_LETTER) {
            found->letters |= bytes << at;
            found->letters_over |= over;
        } else {
            found->others |= bytes << at;
            found->others_over |= over;
        }
    }
}

/* The letters and others that are not ASCII; all else stays hard. before: of the lane before. */
SIMD_INLINE struct simd_utf8 simd_utf8_of(const struct simd_isa *isa, const uint8_t *in,
                                          const struct simd_utf8 *before)
{
    const struct simd_utf8_bytes b = isa->utf8(in);
    const uint64_t two = b.two, three = b.three;
    const uint64_t two_others = b.two_others, three_others = b.three_others;
    struct simd_utf8 found = {
        .leads = b.leads,
        .letters = two | two << 1 | three | three << 1 | three << 2 | before->letters_over,
        .others = two_others | two_others << 1 | three_others | three_others << 1 |
                  three_others << 2 | before->others_over,
        .letters_over = (two | three) >> 63 | three >> 62,
        .others_over = (two_others | three_others) >> 63 | three_others >> 62,
    };
    const uint64_t unknown = b.leads & ~(two | three | two_others | three_others);
    if (unknown)
        simd_utf8_by_table(in, unknown, &found);
    return found;
}

/* How many of the n bytes before in + n begin a character that goes on behind them. */
SIMD_INLINE uint32_t simd_utf8_begun(const uint8_t *in, uint32_t n)
{
    return n >= 1 && in[n - 1] >= 0xC0   ? 1
           : n >= 2 && in[n - 2] >= 0xE0 ? 2
           : n >= 3 && in[n - 3] >= 0xF0 ? 3
                                         : 0;
}

#endif
