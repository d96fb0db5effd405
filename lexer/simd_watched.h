/* Where control words may be watched (lexer/watch.h), by their first, third and fourth letters:
 * tables of vector kernels. */
#ifndef L0_LEXER_SIMD_WATCHED_H
#define L0_LEXER_SIMD_WATCHED_H

#include <stdint.h>

/* Sets of names, a bit each:
 *
 *   1 begi, scan   2 end   4 bgro, egro, verb   8 make, Make, Prov   16 mint, obey   32 catc
 *   64 lsti, lstn, lstM   128 Expl
 *
 * A word is in a set if each of those letters is, in its place. Letters are told by the lower half
 * of the byte alone: words that are in none may seem to be, and are told later. Letters and sets
 * were chosen so that those are few. What follows end may be anything but what ends with the digit
 * 3, as the c of endcsname does: nothing of that kind is to be looked at behind \end. */
#define SIMD_IS(n, letter) (((letter)&0xF) == (n))
#define SIMD_WATCHED_FIRST(n)                                                                      \
    (SIMD_IS(n, 'b') * (1 | 4) | SIMD_IS(n, 's') * 1 | SIMD_IS(n, 'e') * (2 | 4) |                 \
     SIMD_IS(n, 'v') * 4 | SIMD_IS(n, 'm') * (8 | 16) | SIMD_IS(n, 'P') * 8 |                      \
     SIMD_IS(n, 'o') * 16 | SIMD_IS(n, 'c') * 32 | SIMD_IS(n, 'l') * 64 | SIMD_IS(n, 'E') * 128)
#define SIMD_WATCHED_THIRD(n)                                                                      \
    (SIMD_IS(n, 'g') * 1 | SIMD_IS(n, 'a') * 1 | SIMD_IS(n, 'd') * 2 | SIMD_IS(n, 'r') * 4 |       \
     SIMD_IS(n, 'k') * 8 | SIMD_IS(n, 'o') * 8 | SIMD_IS(n, 'n') * 16 | SIMD_IS(n, 'e') * 16 |     \
     SIMD_IS(n, 't') * (32 | 64) | SIMD_IS(n, 'p') * 128)
#define SIMD_WATCHED_FOURTH(n)                                                                     \
    (SIMD_IS(n, 'i') * (1 | 64) | SIMD_IS(n, 'n') * (1 | 64) | !SIMD_IS(n, 'c') * 2 |              \
     SIMD_IS(n, 'o') * 4 | SIMD_IS(n, 'b') * 4 | SIMD_IS(n, 'e') * 8 | SIMD_IS(n, 'v') * 8 |       \
     SIMD_IS(n, 't') * 16 | SIMD_IS(n, 'y') * 16 | SIMD_IS(n, 'c') * 32 | SIMD_IS(n, 'M') * 64 |   \
     SIMD_IS(n, 'l') * 128)

/* By place and lower half: the sets that such a byte is not in. So what no table has, as shuffles
 * say of bytes beyond ASCII, is in all of them. */
#define SIMD_NOT_IN(sets, n) ((uint8_t) ~(unsigned)(sets(n)))
#define SIMD_NOT_IN4(sets, n)                                                                      \
    SIMD_NOT_IN(sets, n), SIMD_NOT_IN(sets, (n) + 1), SIMD_NOT_IN(sets, (n) + 2),                  \
        SIMD_NOT_IN(sets, (n) + 3)
#define SIMD_NOT_IN16(sets)                                                                        \
    {                                                                                              \
        SIMD_NOT_IN4(sets, 0), SIMD_NOT_IN4(sets, 4), SIMD_NOT_IN4(sets, 8),                       \
            SIMD_NOT_IN4(sets, 12)                                                                 \
    }
static const uint8_t simd_not_watched[3][16] = {SIMD_NOT_IN16(SIMD_WATCHED_FIRST),
                                                SIMD_NOT_IN16(SIMD_WATCHED_THIRD),
                                                SIMD_NOT_IN16(SIMD_WATCHED_FOURTH)};

#endif
