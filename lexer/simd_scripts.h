/* Scripts told by shuffles: tables of vector kernels. */
#ifndef L0_LEXER_SIMD_SCRIPTS_H
#define L0_LEXER_SIMD_SCRIPTS_H

#include <stdint.h>

/* A table for each of the places in a character, halves of bytes mostly, by what stands there: the
 * sets, a bit each, that such characters may be in; a character is in those that all of its places
 * agree on. Sets of letters are bits 0-6, of others bit 7. All characters of a set are there in
 * lualatex, and nothing that suspect.c reports; those in none are told one by one.
 *
 * Characters of two bytes, by the first one from 0xC2 on and the halves of the second:
 *
 *   0 U+0100-02BF, 0300-033F, 0400-047F   C4-CA CC D0 D1
 *   1 U+00C0-00CF, 00E0-00EF              C3 8- A-
 *     U+03C0-03CF, 03E0-03EF              CF 8- A-
 *   2 U+00D0-00DF, 00F0-00FF, not × ÷     C3 9- B-, but for -7
 *   3 U+0390-039F, 03D0-03DF              CE CF 9-
 *   4 U+03A0-03AF, not 03A2               CE A-, but for -2
 *   5 U+03B0-03BF                         CE B-
 *   6 U+03F0-03FF, not 03F6               CF B-, but for -6
 *   7 U+00A1-00BF, not letters, U+00AD    C2 A- B-, but for -0 -5 -A -D */
static const uint8_t simd_two_first[16] = {
    [0x0] = 1 << 7,                   /* C2 */
    [0x1] = 1 << 1 | 1 << 2,          /* C3 */
    [0x2 ... 0x8] = 1 << 0,           /* C4-CA */
    [0xA] = 1 << 0,                   /* CC */
    [0xC] = 1 << 3 | 1 << 4 | 1 << 5, /* CE */
    [0xD] = 1 << 1 | 1 << 3 | 1 << 6, /* CF */
    [0xE ... 0xF] = 1 << 0,           /* D0 D1 */
};
static const uint8_t simd_two_upper[16] = {
    [0x8] = 1 << 0 | 1 << 1,
    [0x9] = 1 << 0 | 1 << 2 | 1 << 3,
    [0xA] = 1 << 0 | 1 << 1 | 1 << 4 | 1 << 7,
    [0xB] = 1 << 0 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7,
};
static const uint8_t simd_two_lower[16] = {
    [0x0] = 0x7F,
    [0x1] = 0xFF,
    [0x2] = 0xFF & ~(1 << 4),
    [0x3 ... 0x4] = 0xFF,
    [0x5] = 0x7F,
    [0x6] = 0xFF & ~(1 << 6),
    [0x7] = 0xFF & ~(1 << 2),
    [0x8 ... 0x9] = 0xFF,
    [0xA] = 0x7F,
    [0xB ... 0xC] = 0xFF,
    [0xD] = 0x7F,
    [0xE ... 0xF] = 0xFF,
};

/* Characters of three bytes, by the first two; the third one may be any:
 *
 *   0 U+5000-9FFF, B000-CFFF   E5-E9 EB EC
 *   1 U+3400-3BFF, 4400-4BFF   E3 E4 9- A-
 *   2 U+4000-43FF, D000-D3FF   E4 ED 8-
 *   3 U+3C00-3FFF, AC00-AFFF   E3 EA B-
 *   4 U+4C00-4FFF, not 4DC0-4DFF   E4 B-, but for -7
 *   5 U+D400-D77F              ED 9-, up to -D
 *   6 U+1E00-1EFF              E1 B8-BB
 *   7 U+21C0-23FF, 25C0-27FF, 29C0-2BFF   E2 8- 9- A-, from -7 on */
static const uint8_t simd_three_first[16] = {
    [0x1] = 1 << 6,          [0x2] = 1 << 7,
    [0x3] = 1 << 1 | 1 << 3, [0x4] = 1 << 1 | 1 << 2 | 1 << 4,
    [0x5 ... 0x9] = 1 << 0,  [0xA] = 1 << 3,
    [0xB ... 0xC] = 1 << 0,  [0xD] = 1 << 2 | 1 << 5,
};
static const uint8_t simd_three_upper[16] = {
    [0x8] = 1 << 0 | 1 << 2 | 1 << 7,
    [0x9] = 1 << 0 | 1 << 1 | 1 << 5 | 1 << 7,
    [0xA] = 1 << 0 | 1 << 1 | 1 << 7,
    [0xB] = 1 << 0 | 1 << 3 | 1 << 4 | 1 << 6,
};
static const uint8_t simd_three_lower[16] = {
    [0x0 ... 0x6] = 0x7F & ~(1 << 6),
    [0x7] = 0xFF & ~(1 << 4 | 1 << 6),
    [0x8 ... 0xB] = 0xFF,
    [0xC ... 0xD] = 0xFF & ~(1 << 6),
    [0xE ... 0xF] = 0xFF & ~(1 << 5 | 1 << 6),
};

/* Kana and what goes with them, by all three bytes; bit 6 is of others too:
 *
 *   0 U+3041-304F, 3061-306F, 3081-308F, 30A1-30AF   E3 81 82, 8- A-, but for -0
 *   1 U+3050-306F, 30D0-30EF                         E3 81 83, 9- A-
 *   2 U+3070-307F, 30B0-30BF                         E3 81 82, B-
 *   3 U+3080-308F, 30C0-30CF                         E3 82 83, 8-
 *   4 U+3090-3096                                    E3 82, 9-, up to -6
 *   5 U+30F0-30FF, not 30FB                          E3 83, B-, but for -B
 *   6 U+FF00-FF1F                                    EF BC, 8- 9-
 *   7 U+3000-301F, not 3005, 3006, 3015, 3016        E3 80, 8- 9-, but for -5 -6 */
static const uint8_t simd_kana_first[16] = {[0x3] = 0xFF & ~(1 << 6), [0xF] = 1 << 6};
static const uint8_t simd_kana_upper[16] = {[0x8] = 0xFF & ~(1 << 6), [0xB] = 1 << 6};
static const uint8_t simd_kana_lower[16] = {
    [0x0] = 1 << 7,
    [0x1] = 1 << 0 | 1 << 1 | 1 << 2,
    [0x2] = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4,
    [0x3] = 1 << 1 | 1 << 3 | 1 << 5,
    [0xC] = 1 << 6,
};
static const uint8_t simd_kana_third_upper[16] = {
    [0x8] = 1 << 0 | 1 << 3 | 1 << 6 | 1 << 7,
    [0x9] = 1 << 1 | 1 << 4 | 1 << 6 | 1 << 7,
    [0xA] = 1 << 0 | 1 << 1,
    [0xB] = 1 << 2 | 1 << 5,
};
static const uint8_t simd_kana_third_lower[16] = {
    [0x0] = 0xFF & ~(1 << 0),
    [0x1 ... 0x4] = 0xFF,
    [0x5 ... 0x6] = 0x7F,
    [0x7 ... 0xA] = 0xFF & ~(1 << 4),
    [0xB] = 0xFF & ~(1 << 4 | 1 << 5),
    [0xC ... 0xF] = 0xFF & ~(1 << 4),
};

#endif
