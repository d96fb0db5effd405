/* Which bits a byte has: a table of vector kernels. */
#ifndef L0_LEXER_SIMD_SET_BITS_H
#define L0_LEXER_SIMD_SET_BITS_H

#include <stdint.h>

/* Row m of simd_set_bits: the indices of the bits that are set in m, lowest first, one a byte. */
#define SIMD_HAS(m, k)         ((uint64_t)(m) >> (k)&1)
#define SIMD_PUT(m, k, above)  ((above) << 8 * SIMD_HAS(m, k) | (k)*SIMD_HAS(m, k))
#define SIMD_PUT2(m, k, above) SIMD_PUT(m, k, SIMD_PUT(m, (k) + 1, above))
#define SIMD_ROW(m)            SIMD_PUT2(m, 0, SIMD_PUT2(m, 2, SIMD_PUT2(m, 4, SIMD_PUT2(m, 6, UINT64_C(0)))))
#define SIMD_ROWS4(m)          SIMD_ROW(m), SIMD_ROW((m) + 1), SIMD_ROW((m) + 2), SIMD_ROW((m) + 3)
#define SIMD_ROWS16(m)         SIMD_ROWS4(m), SIMD_ROWS4((m) + 4), SIMD_ROWS4((m) + 8), SIMD_ROWS4((m) + 12)
#define SIMD_ROWS64(m)                                                                             \
    SIMD_ROWS16(m), SIMD_ROWS16((m) + 16), SIMD_ROWS16((m) + 32), SIMD_ROWS16((m) + 48)

static const uint64_t simd_set_bits[256] = {SIMD_ROWS64(0), SIMD_ROWS64(64), SIMD_ROWS64(128),
                                            SIMD_ROWS64(192)};

#endif
