/* The last pass over a chunk in vector kernels: spans, from the masks of the others. */
#ifndef L0_LEXER_SIMD_SPANS_H
#define L0_LEXER_SIMD_SPANS_H

#include "lexer/simd_chunk.h"

/* So many entries are written at most for a lane, those included that the next one overwrites. */
#define SIMD_LANE_SPANS_MAX (SIMD_LANE_BYTES + 8u)

/* One by one, where there is no room for more. */
SIMD_SELDOM void simd_put_few(const uint64_t bits[SIMD_LANES], uint32_t base,
                              const uint64_t of_kinds[SIMD_KIND_BITS][SIMD_LANES], uint8_t *kinds,
                              uint32_t *starts)
{
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        for (uint64_t todo = bits[lane]; todo; todo &= todo - 1) {
            const uint32_t at = simd_first(todo);
            unsigned kind = 0;
            for (uint32_t bit = 0; bit < SIMD_KIND_BITS; bit++)
                kind |= (unsigned)(of_kinds[bit][lane] >> at & 1) << bit;
            *kinds++ = (uint8_t)kind;
            *starts++ = base + lane * SIMD_LANE_BYTES + at;
        }
    }
}

/* The bits of the kinds, with control words told from control symbols by what follows. */
SIMD_INLINE void simd_final_kinds(const struct simd_chunk *chunk, uint32_t lane,
                                  uint64_t kinds[SIMD_KIND_BITS][SIMD_LANES])
{
    const simd_mask words = simd_load(chunk->word_first + lane) >> 1 |
                            simd_load(chunk->word_first + lane + 1) << (SIMD_LANE_BYTES - 1);
    SIMD_UNROLL
    for (uint32_t bit = 0; bit < SIMD_KIND_BITS; bit++) {
        const simd_mask mask = simd_load(chunk->kind[bit] + lane);
        simd_store(kinds[bit], bit < 3 ? mask | words : bit == 3 ? mask & ~words : mask);
    }
}

/* Writes the spans that begin in the step, where there is room for so many at least; pos is the
 * offset of the chunk's first byte. The number of spans. */
SIMD_INLINE uint32_t simd_put_spans(const struct simd_isa *isa, const struct simd_chunk *chunk,
                                    uint32_t pos, uint32_t room, uint8_t *kinds, uint32_t *starts)
{
    uint32_t n_spans = 0;
    uint32_t lane = chunk->begin / SIMD_GROUP_BYTES * SIMD_LANES;
    for (; lane * SIMD_LANE_BYTES < chunk->end; lane += SIMD_LANES) {
        const uint64_t *const bits = chunk->starts + lane;
        const uint32_t base = pos + lane * SIMD_LANE_BYTES;
        uint64_t of_kinds[SIMD_KIND_BITS][SIMD_LANES] __attribute__((aligned(32)));
        simd_final_kinds(chunk, lane, of_kinds);
        if (__builtin_expect(room - n_spans >= SIMD_LANES * SIMD_LANE_SPANS_MAX, 1)) {
            isa->put_spans(bits, (const uint64_t(*)[SIMD_LANES])of_kinds, base, starts + n_spans,
                           kinds + n_spans);
        } else {
            simd_put_few(bits, base, (const uint64_t(*)[SIMD_LANES])of_kinds, kinds + n_spans,
                         starts + n_spans);
        }
        n_spans += simd_count_lanes(bits);
    }
    return n_spans;
}

#endif
