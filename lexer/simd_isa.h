/* What an instruction set gives to the vector kernels. */
#ifndef L0_LEXER_SIMD_ISA_H
#define L0_LEXER_SIMD_ISA_H

#include "lexer/simd_block.h"

/* Bit b of the classes of 64 bytes is plane[b]. */
struct simd_planes {
    uint64_t plane[SIMD_CLASS_BITS];
};

/* First bytes of characters of two or three bytes that are all there, by ranges that are all
 * letters or all others; and all bytes from 0xC0 on. */
struct simd_utf8_bytes {
    uint64_t leads;
    uint64_t two, three;
    uint64_t two_others, three_others;
};

/* in: a lane. Up to three bytes behind it are read. */
struct simd_isa {
    struct simd_planes (*classify)(const uint8_t *in, unsigned regime, bool at_is_letter);
    struct simd_utf8_bytes (*utf8)(const uint8_t *in);
    /* First letters of control words that are watched, if they are that: all of them, and few
     * others. */
    uint64_t (*watched)(const uint8_t *in);
    /* Bytes that begin what suspect.c reports, but for control characters. */
    uint64_t (*suspects)(const uint8_t *in);
    /* The bits that are in the mask, moved together, lowest first. */
    uint64_t (*gather)(uint64_t bits, uint64_t mask);

    /* Masks of groups. One byte on; in: what its lowest bit becomes, and other bits that do not
     * matter. over: such a mask, of the highest bit. */
    simd_mask (*next)(simd_mask bits, simd_mask in);
    simd_mask (*over)(simd_mask bits);
    simd_mask (*sum)(simd_mask a, simd_mask b);        /* of 256 bits */
    simd_mask (*difference)(simd_mask a, simd_mask b); /* the same */
    bool (*any)(simd_mask bits);

    /* Write the offsets pos + bit, and the kinds, of the bits of starts; up to seven more offsets,
     * and all in all 64 kinds. kinds: of the bits of starts, bit by bit. */
    void (*put_starts)(uint64_t starts, uint32_t pos, uint32_t *to);
    void (*put_kinds)(uint64_t starts, const uint64_t kinds[SIMD_KIND_BITS], uint8_t *to);
};

#endif
