/* The first pass over a chunk in vector kernels: the classes of its bytes, and what characters
 * beyond ASCII are. It does not depend on what stands before. */
#ifndef L0_LEXER_SIMD_CLASSES_H
#define L0_LEXER_SIMD_CLASSES_H

#include "lexer/simd_chunk.h"

/* Of a group in which all lanes have some: what sets of characters tell. */
SIMD_INLINE void simd_classify_dense(const struct simd_isa *isa, struct simd_chunk *chunk,
                                     uint32_t first_lane, uint64_t behind[2])
{
    for (uint32_t lane = first_lane; lane < first_lane + SIMD_LANES; lane++) {
        const uint32_t base = lane * SIMD_LANE_BYTES;
        const uint64_t rest = simd_utf8_by_sets(isa, chunk->in + base, lane, &chunk->utf8, behind);
        simd_utf8_append(&chunk->utf8_list, base, rest);
    }
}

/* Characters beyond ASCII, which stand in these halves of lanes: groups with many of them as a
 * whole, else half by half. What no set tells is left for later. */
SIMD_INLINE void simd_classify_utf8(const struct simd_isa *isa, struct simd_chunk *chunk,
                                    uint64_t halves)
{
    struct simd_utf8_list *const list = &chunk->utf8_list;
    const uint64_t all = simd_below(SIMD_HALVES), lower = all / 3; /* 01010101 */
    uint64_t behind[2] = {0, 0};
    list->n = 0;
    for (uint32_t lane = 0; lane < chunk->n_groups * SIMD_LANES; lane += SIMD_LANES) {
        const uint64_t here = halves >> 2 * lane & all;
        if (((here | here >> 1) & lower) == lower &&
            simd_count_lanes(chunk->utf8.leads + lane) > SIMD_UTF8_FEW) {
            simd_classify_dense(isa, chunk, lane, behind);
            halves &= ~(all << 2 * lane);
        } else {
            simd_store(chunk->utf8.leads + lane, simd_lowest(false));
            simd_store(chunk->utf8.letters + lane, simd_lowest(false));
            simd_store(chunk->utf8.others + lane, simd_lowest(false));
            chunk->utf8.letters[lane] = behind[0];
            chunk->utf8.others[lane] = behind[1];
            behind[0] = behind[1] = 0;
        }
    }
    for (; halves; halves &= halves - 1) {
        const uint32_t half = simd_first(halves), base = half * SIMD_HALF_BYTES;
        simd_utf8_append(list, base, simd_utf8_by_few(isa, chunk->in + base, half, &chunk->utf8));
    }
    for (uint32_t i = 0; i < list->n; i++)
        simd_utf8_put(chunk->in, list->at[i], &chunk->utf8, chunk->suspects);
}

/* Where bytes beyond ASCII are characters by themselves, some are suspects nevertheless. */
SIMD_INLINE void simd_classify_bytes(const struct simd_isa *isa, struct simd_chunk *chunk,
                                     uint64_t halves)
{
    for (uint32_t lane = 0; lane < chunk->n_groups * SIMD_LANES; lane += SIMD_LANES) {
        simd_store(chunk->utf8.letters + lane, simd_lowest(false));
        simd_store(chunk->utf8.others + lane, simd_lowest(false));
        simd_store(chunk->utf8.leads + lane, simd_lowest(false));
    }
    while (halves) {
        const uint32_t lane = simd_first(halves) / 2;
        chunk->suspects[lane] = isa->suspects(chunk->in + (size_t)lane * SIMD_LANE_BYTES);
        halves &= ~(UINT64_C(3) << 2 * lane);
    }
}

/* Where bytes that are not ASCII are, and what they are. */
SIMD_INLINE void simd_find_high(const struct simd_isa *isa, struct simd_chunk *chunk,
                                unsigned regime, bool by_codes)
{
    uint64_t halves = 0;
    for (uint32_t group = 0; group < chunk->n_groups; group++) {
        const uint32_t lane = group * SIMD_LANES;
        const simd_mask b = simd_load(chunk->plane[2] + lane);
        const simd_mask three = simd_load(chunk->plane[0] + lane) &
                                simd_load(chunk->plane[1] + lane) &
                                ~simd_load(chunk->plane[3] + lane);
        simd_mask high = regime == LEXER_LUALATEX ? three & ~b : three & b;
        if (by_codes)
            high &= ~simd_load(chunk->ignored + lane);
        const uint64_t here = isa->halves(high);
        halves |= here << group * SIMD_HALVES;
        simd_store(chunk->utf8.leads + lane, high); /* for now */
        simd_store(chunk->suspects + lane, simd_lowest(false));
    }
    chunk->has_high = halves != 0;
    if (halves && regime == LEXER_LUALATEX)
        simd_classify_utf8(isa, chunk, halves);
    else if (halves)
        simd_classify_bytes(isa, chunk, halves);
}

SIMD_INLINE void simd_classify(const struct simd_isa *isa, struct simd_chunk *chunk,
                               unsigned regime, bool at_is_letter)
{
    for (uint32_t lane = 0; lane < chunk->n_groups * SIMD_LANES; lane++)
        isa->classify(chunk->in + (size_t)lane * SIMD_LANE_BYTES, regime, at_is_letter,
                      chunk->plane, chunk->unwatched, lane);
    simd_find_high(isa, chunk, regime, false);
}

/* By the chunk's table. */
SIMD_INLINE void simd_classify_by(const struct simd_isa *isa, struct simd_chunk *chunk,
                                  unsigned regime)
{
    for (uint32_t lane = 0; lane < chunk->n_groups * SIMD_LANES; lane++) {
        const uint8_t *const in = chunk->in + (size_t)lane * SIMD_LANE_BYTES;
        isa->classify_by(in, chunk->table, chunk->plane, chunk->ignored, chunk->unwatched, lane);
        chunk->raw_blanks[lane] = chunk->table->tells_blanks ? isa->equal(in, ' ') : 0;
    }
    simd_find_high(isa, chunk, regime, true);
}

#endif
