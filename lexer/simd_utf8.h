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

/* First bytes of characters that have to be looked at one by one, in a chunk. */
struct simd_utf8_list {
    uint32_t n;
    uint16_t at[SIMD_LANES_MAX * SIMD_LANE_BYTES];
};

/* base: the offset of what leads is of. */
SIMD_INLINE void simd_utf8_append(struct simd_utf8_list *list, uint32_t base, uint64_t leads)
{
    for (; __builtin_expect(leads != 0, 0); leads &= leads - 1)
        list->at[list->n++] = (uint16_t)(base + simd_first(leads));
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

/* Rows of 64 characters that have all bytes but the last one in common: which are letters, and
 * which are asked about one by one: all that are neither letters nor others, are reported, or
 * should have fewer bytes. */
struct simd_utf8_row {
    uint64_t letters, asked;
};

/* Rows of characters of two and three bytes, by the lower six bits of the first two; in those of
 * two bytes, the second one makes no difference. Equal rows are one. */
static struct simd_utf8_rows {
    bool is_made;
    uint8_t index[64][64];
    struct simd_utf8_row rows[256];
} simd_utf8_rows;

/* The row of the characters from first on, which have so many bytes. */
SIMD_SELDOM struct simd_utf8_row simd_utf8_make_row(uint32_t first, uint32_t n_bytes)
{
    struct simd_utf8_row row = {0, 0};
    for (uint32_t i = 0; i < 64; i++) {
        const uint32_t code_point = first + i;
        const uint8_t catcode = catcode_of(LEXER_LUALATEX, code_point);
        const bool is_whole = n_bytes == 2   ? code_point >= 0x80
                              : n_bytes == 3 ? code_point >= 0x800 && code_point >> 11 != 0x1B
                                             : false;
        if (!is_whole || suspect_code_point(code_point) ||
            (catcode != CATCODE_LETTER && catcode != CATCODE_OTHER))
            row.asked |= simd_bit(i);
        else if (catcode == CATCODE_LETTER)
            row.letters |= simd_bit(i);
    }
    return row;
}

/* The index of such a row. Were there too many, all characters would be asked about, as in the
 * first one, which is none of any. */
SIMD_SELDOM uint8_t simd_utf8_find_row(const struct simd_utf8_row *row, uint32_t *n_rows)
{
    struct simd_utf8_row *const rows = simd_utf8_rows.rows;
    for (uint32_t i = 0; i < *n_rows; i++)
        if (rows[i].letters == row->letters && rows[i].asked == row->asked)
            return (uint8_t)i;
    if (*n_rows == sizeof simd_utf8_rows.rows / sizeof *rows)
        return 0;
    rows[*n_rows] = *row;
    return (uint8_t)(*n_rows)++;
}

/* Before anything is looked at. Does nothing the second time. */
SIMD_SELDOM void simd_utf8_make(void)
{
    uint32_t n_rows = 0;
    if (simd_utf8_rows.is_made)
        return;
    for (uint32_t lead = 0xC0; lead <= 0xFF; lead++) {
        uint8_t *const index = simd_utf8_rows.index[lead & 63];
        const uint32_t n_bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        const uint32_t first = n_bytes == 2 ? (lead & 0x1F) << 6 : (lead & 0xF) << 12;
        for (uint32_t second = 0; second < 64; second++) {
            if (second == 0 || n_bytes == 3) {
                const struct simd_utf8_row row = simd_utf8_make_row(first + (second << 6), n_bytes);
                index[second] = simd_utf8_find_row(&row, &n_rows);
            } else {
                index[second] = index[0];
            }
        }
    }
    simd_utf8_rows.is_made = true;
}

/* Nearly all characters of two or three bytes, in a straight line. */
SIMD_INLINE void simd_utf8_put(const uint8_t *in, uint32_t at, struct simd_utf8 *to,
                               uint64_t *suspects)
{
    static const uint32_t marks[2] = {0xC000, 0xC0C000}; /* of continuations */
    const uint32_t bytes = (uint32_t)word64_load(in + at);
    const uint32_t is_three = bytes >> 5 & 1; /* or a first byte of more */
    const uint8_t index = simd_utf8_rows.index[bytes & 63][bytes >> 8 & 63];
    const struct simd_utf8_row *const row = &simd_utf8_rows.rows[index];
    const uint32_t last = bytes >> (8u << is_three) & 63;
    const uint32_t not_whole = (bytes ^ 0x808000) & marks[is_three];
    if (__builtin_expect(not_whole | (row->asked >> last & 1), 0))
        simd_utf8_put_any(in, at, to, suspects);
    else
        simd_utf8_add(to, at, row->letters >> last & 1, 2 + is_three);
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

/* Of half a lane, what sets of characters tell that are found fast; and the first bytes of all
 * other characters. */
SIMD_INLINE uint64_t simd_utf8_by_few(const struct simd_isa *isa, const uint8_t *in, uint32_t half,
                                      struct simd_utf8 *to)
{
    const struct simd_utf8_bytes b = isa->utf8_few(in);
    const uint64_t letters = b.letters | b.letters << 1 | (b.letters & b.three) << 2;
    const uint64_t others = b.others | b.others << 1 | (b.others & b.three) << 2;
    const uint32_t lane = half / 2, shift = half % 2 * SIMD_HALF_BYTES;
    to->leads[lane] |= b.leads << shift;
    to->letters[lane] |= letters << shift;
    to->others[lane] |= others << shift;
    if (__builtin_expect((letters | others) >> SIMD_HALF_BYTES != 0, 0) && shift != 0) {
        to->letters[lane + 1] |= letters >> SIMD_HALF_BYTES;
        to->others[lane + 1] |= others >> SIMD_HALF_BYTES;
    }
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
