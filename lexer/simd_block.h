/* What vector kernels share, from the bottom: a document is looked at in lanes of 64 bytes, bit i
 * of a mask being byte i of a lane, four lanes to a group, groups to a chunk (lexer/simd_chunk.h).
 * Instruction sets give the classes of the bytes (struct simd_isa in lexer/simd_isa.h), the rest is
 * the same for all. */
#ifndef L0_LEXER_SIMD_BLOCK_H
#define L0_LEXER_SIMD_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lexer/lexer.h"

#define SIMD_LANE_BYTES  64u
#define SIMD_HALF_BYTES  32u
#define SIMD_LANES       4u /* in a group */
#define SIMD_HALVES      (2 * SIMD_LANES)
#define SIMD_GROUP_BYTES (SIMD_LANES * SIMD_LANE_BYTES)

/* So many bytes behind what is looked at are there too: for what a character or name is followed
 * by. */
#define SIMD_AHEAD_BYTES 8u

#define SIMD_INLINE static inline __attribute__((always_inline))

/* For what would only take registers from the rest. */
#define SIMD_SELDOM static __attribute__((noinline, unused))

/* Before a loop of a few rounds, whose number is known. */
#if defined(__clang__)
#define SIMD_UNROLL _Pragma("unroll")
#else
#define SIMD_UNROLL _Pragma("GCC unroll 8")
#endif

/* Classes of bytes, four bits each. From SIMD_BEGIN_GROUP on, the kind of the span that such a byte
 * is by itself. */
enum simd_class {
    SIMD_LETTER = 0,
    SIMD_OTHER = 1,
    SIMD_BLANK = 2,
    SIMD_HARD = 3, /* none of these classes, or not by itself */
    SIMD_LF = 4,
    SIMD_CR = 5,
    SIMD_COMMENT = 6,
    SIMD_ACTIVE = 7,
    SIMD_ESCAPE = 8,
    SIMD_BEGIN_GROUP = LEXER_BEGIN_GROUP,
    SIMD_END_GROUP = LEXER_END_GROUP,
    SIMD_MATH_SHIFT = LEXER_MATH_SHIFT,
    SIMD_ALIGNMENT = LEXER_ALIGNMENT,
    SIMD_PARAMETER = LEXER_PARAMETER,
    SIMD_SUPERSCRIPT = LEXER_SUPERSCRIPT,
    SIMD_SUBSCRIPT = LEXER_SUBSCRIPT,
};

_Static_assert((int)SIMD_LETTER == LEXER_LETTERS && (int)SIMD_OTHER == LEXER_OTHERS &&
                   (int)SIMD_BLANK == LEXER_SPACE && (int)SIMD_LF == LEXER_EOL_SPACE &&
                   SIMD_BEGIN_GROUP == 9 && SIMD_SUBSCRIPT == 15 && LEXER_SKIPPED == 3 &&
                   LEXER_EOL_PAR == 5 && LEXER_EOL_NONE == 6 && LEXER_CONTROL_WORD == 7 &&
                   LEXER_CONTROL_SYMBOL == 8 && LEXER_ACTIVE == 16 && LEXER_COMMENT == 17,
               "simd_put_kinds() makes the kinds of the classes bit by bit");

#define SIMD_CLASS_BITS 4u
#define SIMD_KIND_BITS  5u

SIMD_INLINE uint64_t simd_bit(uint32_t index)
{
    return UINT64_C(1) << index;
}

/* Bits 0 … n - 1, n <= 64. */
SIMD_INLINE uint64_t simd_below(uint32_t n)
{
    return n < 64 ? simd_bit(n) - 1 : ~UINT64_C(0);
}

SIMD_INLINE uint32_t simd_first(uint64_t mask)
{
    return (uint32_t)__builtin_ctzll(mask);
}

/* The lowest bit by itself; mask is not 0. */
SIMD_INLINE uint64_t simd_lowest_bit(uint64_t mask)
{
    return mask & (~mask + 1);
}

SIMD_INLINE uint32_t simd_last(uint64_t mask)
{
    return 63u - (uint32_t)__builtin_clzll(mask);
}

SIMD_INLINE uint32_t simd_count(uint64_t mask)
{
    return (uint32_t)__builtin_popcountll(mask);
}

/* A mask of 256 bytes: four lanes, the first byte lowest. */
typedef uint64_t simd_mask __attribute__((vector_size(32)));

/* How a vector is handed over depends on the instruction set: all that do so here are inlined. */
#pragma GCC diagnostic ignored "-Wpsabi"

SIMD_INLINE simd_mask simd_load(const uint64_t *lanes)
{
    simd_mask mask;
    __builtin_memcpy(&mask, lanes, sizeof mask);
    return mask;
}

SIMD_INLINE void simd_store(uint64_t *lanes, simd_mask mask)
{
    __builtin_memcpy(lanes, &mask, sizeof mask);
}

SIMD_INLINE simd_mask simd_all(uint64_t value)
{
    return (simd_mask){0} + value;
}

/* The lowest bit. */
SIMD_INLINE simd_mask simd_lowest(bool value)
{
    return (simd_mask){value};
}

/* All bits of the lane of that number, and no others; made in registers, since what was stored in
 * parts would be loaded late. */
SIMD_INLINE simd_mask simd_mask_lane(uint32_t lane)
{
    return (simd_mask)((simd_mask){0, 1, 2, 3} == simd_all(lane));
}

/* Bit index of a group, and no other. */
SIMD_INLINE simd_mask simd_mask_bit(uint32_t index)
{
    return simd_mask_lane(index / SIMD_LANE_BYTES) & simd_all(simd_bit(index % SIMD_LANE_BYTES));
}

/* Bits of a group from index on. */
SIMD_INLINE simd_mask simd_mask_from(uint32_t index)
{
    const uint32_t lane = index / SIMD_LANE_BYTES;
    const simd_mask above = (simd_mask)((simd_mask){0, 1, 2, 3} > simd_all(lane));
    return above | (simd_mask_lane(lane) & simd_all(~simd_below(index % SIMD_LANE_BYTES)));
}

#endif
