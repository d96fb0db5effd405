/* What an instruction set gives to the vector kernels. */
#ifndef L0_LEXER_SIMD_ISA_H
#define L0_LEXER_SIMD_ISA_H

#include "lexer/simd_block.h"

/* So many groups are looked at together (lexer/simd_chunk.h). */
#define SIMD_GROUPS_MAX 8u
#define SIMD_LANES_MAX  (SIMD_GROUPS_MAX * SIMD_LANES)

/* Masks by lane. */
typedef uint64_t simd_lanes[SIMD_LANES_MAX] __attribute__((aligned(32)));

/* The same, with a group before the first one: at a lane that a group begins with, all has the
 * group before it. */
union simd_behind {
    uint64_t all[SIMD_LANES + SIMD_LANES_MAX] __attribute__((aligned(32)));
    struct {
        uint64_t before[SIMD_LANES] __attribute__((aligned(32)));
        simd_lanes of;
    };
};

/* Classes of ASCII characters by a table, where category codes differ from the regime's. Each is
 * there xor beyond, the class of all other bytes; in both, bit 4 says that it is ignored. */
struct simd_table {
    uint8_t of[128] __attribute__((aligned(32)));
    uint8_t beyond;
    bool tells_blanks; /* U+0020 has to be told from what TeX trims from lines */
};
#define SIMD_IGNORED ((1u << SIMD_CLASS_BITS) | SIMD_HARD)
_Static_assert((int)LEXER_SKIPPED == SIMD_HARD,
               "the kind of ignored characters is made of their class");

/* First bytes: of all characters beyond ASCII; those of characters of three bytes, and maybe more;
 * and of characters of two or three bytes that are all there, in sets that are all letters or all
 * others (lexer/simd_scripts.h). */
struct simd_utf8_bytes {
    uint64_t leads, three, letters, others;
};

/* in: a lane. Up to three bytes behind it are read. */
struct simd_isa {
    /* Bit b of the classes becomes plane[b][lane]; and unwatched[lane]: what is no first letter of
     * a control word that is watched: none of these, and most others. */
    void (*classify)(const uint8_t *in, unsigned regime, bool at_is_letter, simd_lanes *plane,
                     uint64_t *unwatched, uint32_t lane);
    /* The same by a table; ignored: bit 4. */
    void (*classify_by)(const uint8_t *in, const struct simd_table *table, simd_lanes *plane,
                        uint64_t *ignored, uint64_t *unwatched, uint32_t lane);
    uint64_t (*equal)(const uint8_t *in, uint8_t byte);
    uint64_t (*at_least)(const uint8_t *in, uint8_t byte);
    struct simd_utf8_bytes (*utf8)(const uint8_t *in);
    /* The same of half a lane, for text with few such characters: in sets that are found fast. */
    struct simd_utf8_bytes (*utf8_few)(const uint8_t *in);
    /* Bytes that begin what suspect.c reports, but for control characters; they are not all valid
     * UTF-8. */
    uint64_t (*suspects)(const uint8_t *in);
    /* The bits that are in the mask, moved together, lowest first. */
    uint64_t (*gather)(uint64_t bits, uint64_t mask);

    /* Masks of groups. One byte on; before: of the group before, of which the last bit counts. */
    simd_mask (*next)(simd_mask bits, simd_mask before);
    /* Of 256 bits. Those of b are also in a, but for some that no carry comes to. */
    simd_mask (*sum)(simd_mask a, simd_mask b);
    simd_mask (*difference)(simd_mask a, simd_mask b);
    bool (*any)(simd_mask bits);
    uint32_t (*halves)(simd_mask bits); /* halves of lanes with any, a bit for each */

    /* Writes the offsets pos + bit, and the kinds, which are given bit by bit, of the bits of
     * starts. Up to seven more offsets, and up to 64 kinds for each lane. */
    void (*put_spans)(const uint64_t starts[SIMD_LANES],
                      const uint64_t kinds[SIMD_KIND_BITS][SIMD_LANES], uint32_t pos,
                      uint32_t *to_starts, uint8_t *to_kinds);
};

#endif
