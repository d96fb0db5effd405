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

/* The character of four bytes, or an invalid one, at in. */
SIMD_SELDOM struct utf8_char simd_utf8_long(const uint8_t *in)
{
    return utf8_decode(in, 4, true);
}

/* utf8_decode() without its loop, for a first byte from 0xC0 on and all bytes there. */
SIMD_INLINE struct utf8_char simd_utf8_decode(const uint8_t *in)
{
    const uint32_t first = in[0], second = in[1] ^ 0x80u, third = in[2] ^ 0x80u;
    const uint32_t two = (first & 0x1F) << 6 | second;
    const uint32_t three = (first & 0xF) << 12 | second << 6 | third;
    if (first < 0xE0 && second < 0x40 && two >= 0x80)
        return (struct utf8_char){.code_point = two, .n_bytes = 2};
    if ((first & 0xF0) == 0xE0 && (second | third) < 0x40 && three >= 0x800 &&
        three >> 11 != 0xD800 >> 11)
        return (struct utf8_char){.code_point = three, .n_bytes = 3};
    return simd_utf8_long(in);
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
        /* In two steps, since at may be 0. */
        const uint64_t here = bytes << at, over = bytes >> 1 >> (SIMD_LANE_BYTES - 1 - at);
        const uint64_t is_letter = catcode == CATCODE_LETTER ? ~UINT64_C(0) : 0;
        const uint64_t is_other = catcode == CATCODE_OTHER ? ~UINT64_C(0) : 0;
        found->letters |= here & is_letter;
        found->letters_over |= over & is_letter;
        found->others |= here & is_other;
        found->others_over |= over & is_other;
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
