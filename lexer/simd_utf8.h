/* UTF-8 in vector kernels. */
#ifndef L0_LEXER_SIMD_UTF8_H
#define L0_LEXER_SIMD_UTF8_H

#include "lexer/catcode.h"
#include "lexer/simd_isa.h"
#include "lexer/suspect.h"
#include "lexer/utf8.h"

/* The letters and others among the characters of a lane that are not ASCII; all else stays hard.
 */
struct simd_utf8 {
    uint64_t letters, others;           /* all their bytes */
    uint64_t letters_over, others_over; /* those in the next lane, from its first byte on */
    uint64_t suspects;                  /* first bytes of what suspect.c reports */
};

/* As utf8_decode(), faster for most; four bytes are there. */
SIMD_INLINE struct utf8_char simd_utf8_decode(const uint8_t *in)
{
    const uint32_t code = (in[0] & 0xFu) << 12 | (in[1] & 0x3Fu) << 6 | (in[2] & 0x3Fu);
    const bool is_three = (in[0] & 0xF0) == 0xE0 && (in[1] & 0xC0) == 0x80 &&
                          (in[2] & 0xC0) == 0x80 && code >= 0x800 && code >> 11 != 0xD800 >> 11;
    return is_three ? (struct utf8_char){code, 3, false} : utf8_decode(in, 4, true);
}

/* Adds the characters whose first bytes are given. in: the lane, followed by SIMD_AHEAD_BYTES. */
SIMD_INLINE void simd_utf8_by_table(const uint8_t *in, uint64_t leads, struct simd_utf8 *found)
{
    for (; leads; leads &= leads - 1) {
        const uint32_t at = simd_first(leads);
        const struct utf8_char ch = simd_utf8_decode(in + at);
        const uint8_t catcode =
            ch.invalid ? CATCODE_INVALID : catcode_of(LEXER_LUALATEX, ch.code_point);
        const uint64_t bytes = simd_below(ch.n_bytes);
        const uint64_t over = at > 60 ? bytes >> (SIMD_LANE_BYTES - at) : 0;
        if (catcode == CATCODE_LETTER) {
            found->letters |= bytes << at;
            found->letters_over |= over;
        } else if (catcode == CATCODE_OTHER) {
            found->others |= bytes << at;
            found->others_over |= over;
        }
        if (suspect_code_point(ch.code_point))
            found->suspects |= simd_bit(at);
    }
}

/* With more first bytes than this it is worth asking for ranges of characters. */
#define SIMD_UTF8_FEW 6u

/* leads: bytes from 0xC0 on. before: of the lane before. */
SIMD_INLINE struct simd_utf8 simd_utf8_of(const struct simd_isa *isa, const uint8_t *in,
                                          uint64_t leads, const struct simd_utf8 *before)
{
    struct simd_utf8 found = {.letters = before->letters_over, .others = before->others_over};
    if (simd_count(leads) > SIMD_UTF8_FEW) {
        const struct simd_utf8_bytes b = isa->utf8(in);
        const uint64_t letters = b.two | b.three, others = b.two_others | b.three_others;
        found.letters |= letters | letters << 1 | b.three << 2;
        found.others |= others | others << 1 | b.three_others << 2;
        found.letters_over = letters >> 63 | b.three >> 62;
        found.others_over = others >> 63 | b.three_others >> 62;
        found.suspects = isa->suspects(in);
        leads &= ~(letters | others);
    }
    if (leads)
        simd_utf8_by_table(in, leads, &found);
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
