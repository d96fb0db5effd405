/* UTF-8 in blocks of vector kernels. */
#ifndef L0_LEXER_SIMD_UTF8_H
#define L0_LEXER_SIMD_UTF8_H

#include "lexer/catcode.h"
#include "lexer/simd_block.h"
#include "lexer/utf8.h"

/* Makes letters and others of the non-ASCII characters of these categories outside comments; all
 * else stays hard. leads: bytes from 0xC2 on. in: the block, followed by SIMD_AHEAD_BYTES. */
static inline void simd_add_utf8(struct simd_block *block, const uint8_t *in, uint64_t leads)
{
    struct simd_sets *s = &block->sets;
    for (leads &= ~block->comment; leads; leads &= leads - 1) {
        const uint32_t at = (uint32_t)__builtin_ctzll(leads);
        const struct utf8_char ch = utf8_decode(in + at, 4, true);
        const uint8_t catcode =
            ch.invalid ? CATCODE_INVALID : catcode_of(LEXER_LUALATEX, ch.code_point);
        if ((catcode != CATCODE_LETTER && catcode != CATCODE_OTHER) ||
            at + ch.n_bytes > SIMD_BLOCK_BYTES)
            return;
        const uint64_t bytes = simd_below(at + ch.n_bytes) & ~simd_below(at);
        s->hard &= ~bytes;
        block->continued |= bytes & ~simd_bit(at);
        if (catcode == CATCODE_LETTER) {
            s->letters |= bytes;
        } else {
            s->others |= bytes;
            block->wide_others |= bytes;
        }
    }
}

#endif
