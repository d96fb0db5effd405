/* Eight bytes at a time in a general register. Masks have bit 7 of each byte that matches set. */
#ifndef L0_LEXER_WORD64_H
#define L0_LEXER_WORD64_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define WORD64_ONES  UINT64_C(0x0101010101010101)
#define WORD64_HIGHS UINT64_C(0x8080808080808080)

/* The bytes at p, the first one lowest. */
static inline uint64_t word64_load(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* Exactly the bytes equal to value. No sum carries into the next byte. */
static inline uint64_t word64_equal(uint64_t bytes, uint8_t value)
{
    const uint64_t diff = bytes ^ (WORD64_ONES * value);
    return ~(((diff & ~WORD64_HIGHS) + ~WORD64_HIGHS) | diff) & WORD64_HIGHS;
}

/* Exactly the bytes that are not A-Z or a-z. */
static inline uint64_t word64_not_ascii_letters(uint64_t bytes)
{
    const uint64_t lower = (bytes | WORD64_ONES * 0x20) & ~WORD64_HIGHS;
    const uint64_t from_a = lower + WORD64_ONES * (0x80 - 'a');
    const uint64_t above_z = lower + WORD64_ONES * (0x80 - 'z' - 1);
    return (~from_a | above_z | bytes) & WORD64_HIGHS;
}

/* Exactly the bytes that are not U+0020 … U+007E. */
static inline uint64_t word64_not_printable(uint64_t bytes)
{
    const uint64_t low = bytes & ~WORD64_HIGHS;
    const uint64_t from_blank = low + WORD64_ONES * (0x80 - ' ');
    const uint64_t is_delete = low + WORD64_ONES;
    return (~from_blank | is_delete | bytes) & WORD64_HIGHS;
}

/* Index of the first marked byte; mask must not be 0. */
static inline uint32_t word64_first(uint64_t mask)
{
    return (uint32_t)__builtin_ctzll(mask) >> 3;
}

/* The number of bytes behind the last marked one; mask must not be 0. */
static inline uint32_t word64_behind_last(uint64_t mask)
{
    return (uint32_t)__builtin_clzll(mask) >> 3;
}

#endif
