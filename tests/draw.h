/* Pseudo-random numbers for tests, which a seed brings back: xorshift64* (Vigna, "An experimental
 * exploration of Marsaglia's xorshift generators", 2016). */
#ifndef L0_TESTS_DRAW_H
#define L0_TESTS_DRAW_H

#include <stdint.h>

/* A number below n > 0; *state is not 0, and moves on. */
static inline uint32_t draw(uint64_t *state, uint32_t n)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) * n >> 32);
}

#endif
