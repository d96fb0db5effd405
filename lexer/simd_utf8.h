/* UTF-8 in vector kernels: which characters beyond ASCII are letters, and which others. What is in
 * no mask stays hard. */
#ifndef L0_LEXER_SIMD_UTF8_H
#define L0_LEXER_SIMD_UTF8_H

#include "lexer/catcode.h"
#include "lexer/simd_isa.h"
#include "lexer/suspect.h"
#include "lexer/utf8.h"
#include "lexer/word64.h"

/* Masks of a chunk, by lane. A lane more: the last character may go on behind the chunk. */
struct simd_utf8 {
    uint64_t letters[SIMD_LANES_MAX + 1] __attribute__((aligned(32))); /* all their bytes */
    uint64_t others[SIMD_LANES_MAX + 1] __attribute__((aligned(32)));
    simd_lanes leads; /* bytes from 0xC0 on */
};

/* First bytes of characters that have to be looked at one by one, in a chunk. Two are written for
 * each lane, and overwritten where there are fewer: a branch would be foretold badly. */
struct simd_utf8_list {
    uint32_t n;
    uint16_t at[SIMD_LANES_MAX * SIMD_LANE_BYTES + 2];
};

SIMD_INLINE void simd_utf8_append(struct simd_utf8_list *list, uint32_t lane, uint64_t leads)
{
    uint16_t *to = list->at + list->n;
    const uint32_t base = lane * SIMD_LANE_BYTES;
    list->n += simd_count(leads);
    SIMD_UNROLL
    for (unsigned i = 0; i < 2; i++, leads &= leads - (leads != 0))
        *to++ = (uint16_t)(base + (simd_first(leads | simd_bit(63))));
    for (; __builtin_expect(leads != 0, 0); leads &= leads - 1)
        *to++ = (uint16_t)(base + simd_first(leads));
}

/* The character at offset at of the chunk is a letter, or another one, of so many bytes. */
SIMD_INLINE void simd_utf8_add(struct simd_utf8 *to, uint32_t at, uint64_t is_letter, uint32_t n)
{
    const uint32_t lane = at / SIMD_LANE_BYTES, first = at % SIMD_LANE_BYTES;
    const uint64_t bytes = simd_bit(n) - 1, letter = is_letter ? ~UINT64_C(0) : 0;
    to->letters[lane] |= bytes << first & letter;
    to->others[lane] |= bytes << first & ~letter;
    if (__builtin_expect(first + n > SIMD_LANE_BYTES, 0)) {
        to->letters[lane + 1] |= bytes >> (SIMD_LANE_BYTES - first) & letter;
        to->others[lane + 1] |= bytes >> (SIMD_LANE_BYTES - first) & ~letter;
    }
}

/* Any character. */
SIMD_SELDOM void simd_utf8_put_any(const uint8_t *in, uint32_t at, struct simd_utf8 *to,
                                   uint64_t *suspects)
{
    const struct utf8_char ch = utf8_decode(in + at, 4, true);
    const uint8_t catcode =
        ch.invalid ? CATCODE_INVALID : catcode_of(LEXER_LUALATEX, ch.code_point);
    if (catcode == CATCODE_LETTER || catcode == CATCODE_OTHER)
        simd_utf8_add(to, at, catcode == CATCODE_LETTER, ch.n_bytes);
    if (suspect_code_point(ch.code_point))
        suspects[at / SIMD_LANE_BYTES] |= simd_bit(at % SIMD_LANE_BYTES);
}

/* For characters of two and of three bytes: bit n % 64 of word n / 64 if of U+0040 n to U+0040 n +
 * 003F some are not to be told by catcode_letter_bits alone, are reported, or should have fewer
 * bytes: U+0000-00BF; U+0000-07FF, surrogates, U+FEC0-FEFF. */
static const uint64_t simd_utf8_special[2][16] = {
    {[0x0] = 0x7},
    {[0x0] = 0xFFFFFFFF, [0xD] = UINT64_C(0xFFFFFFFF00000000), [0xF] = UINT64_C(1) << 0x3B}};

/* As suspect_code_point(), for all others. */
SIMD_INLINE uint32_t simd_utf8_is_suspect(uint32_t code_point)
{
    const uint32_t from = code_point ^ 0x2000;
    const uint64_t marks = from & 64 ? UINT64_C(0x000003C100000000) : UINT64_C(0x0000FC0000003880);
    return (uint32_t)(marks >> (from & 63)) & (from < 128);
}

/* Nearly all characters of two or three bytes, in a straight line. */
SIMD_INLINE void simd_utf8_put(const uint8_t *in, uint32_t at, struct simd_utf8 *to,
                               uint64_t *suspects)
{
    const uint32_t bytes = (uint32_t)word64_load(in + at);
    const uint32_t is_three = bytes >> 5 & 1; /* or a first byte of more */
    /* As one of three bytes, of which the third one is dropped again if there are two: no branch.
     */
    const uint32_t three =
        (bytes & (0x1Fu >> is_three)) << 12 | (bytes >> 2 & 0xFC0) | (bytes >> 16 & 0x3F);
    const uint32_t code_point = three >> (6 - 6 * is_three), block = code_point >> 6;
    const uint64_t is_letter =
        catcode_letter_bits[catcode_letter_block[block >> 2]][block & 3] >> (code_point & 63) & 1;
    const uint32_t is_special =
        (uint32_t)(simd_utf8_special[is_three][block >> 6] >> (block & 63)) & 1;
    /* Continuations, and no first byte of four. */
    const uint32_t not_whole = (bytes ^ 0x808000) & (0xC000 | 0xC00010 * is_three);
    if (__builtin_expect(not_whole | is_special | simd_utf8_is_suspect(code_point), 0))
        simd_utf8_put_any(in, at, to, suspects);
    else
        simd_utf8_add(to, at, is_letter, 2 + is_three);
}

/* Of a lane, what sets of characters tell: its letters and others, to which are given those bytes
 * that are behind the lane before, and become those behind this one. The first bytes of all other
 * characters. */
SIMD_INLINE uint64_t simd_utf8_by_sets(const struct simd_isa *isa, const uint8_t *in, uint32_t lane,
                                       struct simd_utf8 *to, uint64_t behind[2])
{
    const struct simd_utf8_bytes b = isa->utf8(in);
    const uint64_t letters = b.letters & b.three, others = b.others & b.three;
    to->letters[lane] = behind[0] | b.letters | b.letters << 1 | letters << 2;
    to->others[lane] = behind[1] | b.others | b.others << 1 | others << 2;
    to->leads[lane] = b.leads;
    behind[0] = b.letters >> 63 | letters >> 62;
    behind[1] = b.others >> 63 | others >> 62;
    return b.leads & ~(b.letters | b.others);
}

/* Letters and others of a lane by itself, all their bytes; behind: as above, of both kinds. */
SIMD_INLINE uint64_t simd_utf8_of_lane(const struct simd_isa *isa, const uint8_t *in,
                                       uint64_t behind[2], uint64_t *suspects)
{
    struct simd_utf8 utf8;
    uint64_t rest = simd_utf8_by_sets(isa, in, 0, &utf8, behind);
    utf8.letters[1] = behind[0];
    utf8.others[1] = behind[1];
    for (; rest; rest &= rest - 1)
        simd_utf8_put(in, simd_first(rest), &utf8, suspects);
    behind[0] = utf8.letters[1];
    behind[1] = utf8.others[1];
    return utf8.letters[0] | utf8.others[0];
}

/* With more bytes beyond ASCII than this in a group, it is worth asking for sets of characters. */
#define SIMD_UTF8_FEW 20u

/* How many of the n bytes before in + n begin a character that goes on behind them. */
SIMD_INLINE uint32_t simd_utf8_begun(const uint8_t *in, uint32_t n)
{
    return n >= 1 && in[n - 1] >= 0xC0   ? 1
           : n >= 2 && in[n - 2] >= 0xE0 ? 2
           : n >= 3 && in[n - 3] >= 0xF0 ? 3
                                         : 0;
}

#endif
