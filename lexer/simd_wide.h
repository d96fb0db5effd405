/* The logic of simd_block.h for four blocks at once: a fourth of the instructions. It takes what is
 * plain, and leaves to the blocks one by one what is not: CR, and what would be cut early.
 *
 * A mask of 256 bytes is a vector of four lanes, the first byte lowest. Bits that go from lane to
 * lane are the instruction set's business (struct simd_wide_isa). */
#ifndef L0_LEXER_SIMD_WIDE_H
#define L0_LEXER_SIMD_WIDE_H

#include "lexer/simd_block.h"

#define SIMD_LANES      4u
#define SIMD_WIDE_BYTES (SIMD_LANES * SIMD_BLOCK_BYTES)

/* How a vector is handed over depends on the instruction set: all that do so here are inlined. */
#pragma GCC diagnostic ignored "-Wpsabi"

typedef uint64_t simd_mask __attribute__((vector_size(32)));

struct simd_wide_isa {
    simd_mask (*next)(simd_mask bits, uint64_t in); /* one byte on; in: the bit that comes in */
    simd_mask (*sum)(simd_mask a, simd_mask b, uint64_t in); /* of 256 bits */
    bool (*any)(simd_mask bits);
    uint32_t (*last)(simd_mask bits); /* the last bit */
};

/* What the blocks are, as one for each lane. */
struct simd_wide_sets {
    uint64_t plane[4][SIMD_LANES];
    /* Of characters that are not ASCII: what changes the sets. */
    uint64_t letters[SIMD_LANES], others[SIMD_LANES], continued[SIMD_LANES], suspects[SIMD_LANES];
    bool has_high;
};

struct simd_wide {
    simd_mask letters, others, blanks, hard, escapes, comments, line_ends, singles;
    simd_mask begin_groups, end_groups, math_shifts, superscripts;
    simd_mask wide_others, continued;
    simd_mask escape, escaped, comment, comment_start, word, word_first;
    uint32_t n_bytes; /* the cut */
};

/* By lane, for what looks at blocks one by one; one lane more so that windows can be read. */
struct simd_wide_spans {
    uint64_t starts[SIMD_LANES], tokens[SIMD_LANES], lines[SIMD_LANES];
    uint64_t plus_one[SIMD_LANES], plus_two[SIMD_LANES], skipped[SIMD_LANES], pars[SIMD_LANES];
    uint64_t begin_groups[SIMD_LANES], end_groups[SIMD_LANES], math_shifts[SIMD_LANES];
    struct simd_carry carry; /* at the cut */
};

SIMD_INLINE simd_mask simd_lanes(const uint64_t *lanes)
{
    simd_mask mask;
    __builtin_memcpy(&mask, lanes, sizeof mask);
    return mask;
}

SIMD_INLINE void simd_put(uint64_t *lanes, simd_mask mask)
{
    __builtin_memcpy(lanes, &mask, sizeof mask);
}

/* The index of the first bit, or SIMD_WIDE_BYTES. */
SIMD_INLINE uint32_t simd_first_of(simd_mask mask)
{
    uint64_t lanes[SIMD_LANES];
    simd_put(lanes, mask);
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++)
        if (lanes[lane])
            return lane * SIMD_BLOCK_BYTES + (uint32_t)__builtin_ctzll(lanes[lane]);
    return SIMD_WIDE_BYTES;
}

SIMD_INLINE bool simd_is_set(simd_mask mask, uint32_t index)
{
    uint64_t lanes[SIMD_LANES];
    simd_put(lanes, mask);
    return lanes[index / SIMD_BLOCK_BYTES] >> index % SIMD_BLOCK_BYTES & 1;
}

/* As simd_sets_of(), with the characters that are not ASCII. Their bytes are hard without. */
SIMD_INLINE simd_mask simd_wide_sets(struct simd_wide *w, const struct simd_wide_sets *of)
{
    const simd_mask d = simd_lanes(of->plane[0]), c = simd_lanes(of->plane[1]),
                    b = simd_lanes(of->plane[2]), a = simd_lanes(of->plane[3]);
    const simd_mask visible = ~a & ~b, marks = ~a & b, nested = a & b;
    w->letters = visible & ~c & ~d;
    w->others = visible & ~c & d;
    w->blanks = visible & c & ~d;
    w->hard = visible & c & d;
    w->escapes = marks & ~c & ~d;
    w->comments = marks & ~c & d;
    w->line_ends = marks & c & ~d;
    w->singles = a;
    w->begin_groups = nested & ~c & ~d;
    w->end_groups = nested & ~c & d;
    w->math_shifts = nested & c & ~d;
    w->superscripts = nested & c & d;
    w->wide_others = w->continued = (simd_mask){0};
    simd_mask stops = marks & c & d; /* CR */
    if (of->has_high) {
        const simd_mask letters = simd_lanes(of->letters);
        w->wide_others = simd_lanes(of->others);
        w->continued = simd_lanes(of->continued);
        w->letters |= letters;
        w->others |= w->wide_others;
        w->hard &= ~(letters | w->wide_others);
        stops |= simd_lanes(of->suspects);
    }
    return stops;
}

/* As simd_find_escapes(), simd_find_comments(), simd_find_words(). */
SIMD_INLINE void simd_wide_find(const struct simd_wide_isa *isa, struct simd_wide *w,
                                const struct simd_carry *carry)
{
    const simd_mask odd = (simd_mask){0} + UINT64_C(0xAAAAAAAAAAAAAAAA);
    const simd_mask run = w->escapes;
    const simd_mask parity = isa->sum(isa->next(run, 0) | odd, ~run, 1) ^ odd; /* a difference */
    const simd_mask escaped = parity ^ run;
    const simd_mask rest = ~w->line_ends;
    const simd_mask opens = w->comments & ~escaped;
    const simd_mask comment_sum = isa->sum(rest, opens, carry->comment);
    w->comment = (comment_sum ^ rest) | opens;
    w->comment_start = opens & ~comment_sum;
    w->escape = parity & run & ~w->comment;
    w->escaped = escaped & ~w->comment;
    w->word_first = w->escaped & w->letters;
    w->word = w->letters & ~isa->sum(w->letters, w->word_first, carry->word);
}

/* A cut never comes between an escape character and what it escapes. */
SIMD_INLINE uint32_t simd_wide_before_escape(const struct simd_wide *w, uint32_t n_bytes)
{
    return n_bytes > 0 && simd_is_set(w->escape, n_bytes - 1) ? n_bytes - 1 : n_bytes;
}

/* As simd_decide(), and before stops. */
SIMD_INLINE void simd_wide_decide(const struct simd_wide_isa *isa, struct simd_wide *w,
                                  simd_mask stops, bool next_is_superscript)
{
    const simd_mask escaped_blanks = w->escaped & w->blanks;
    const simd_mask carets = w->superscripts & ~w->comment;
    const simd_mask here =
        stops | (w->hard & ~w->comment) | (w->escaped & (w->line_ends | w->hard | w->wide_others));
    const simd_mask behind = (isa->next(carets, 0) & w->superscripts) |
                             (isa->next(escaped_blanks, 0) & (w->blanks | w->line_ends | stops));
    uint32_t n_bytes = SIMD_WIDE_BYTES;
    if (__builtin_expect(isa->any(here | behind), 0)) {
        const uint32_t first = simd_first_of(here), second = simd_first_of(behind);
        n_bytes = first < second ? first : second < SIMD_WIDE_BYTES ? second - 1 : SIMD_WIDE_BYTES;
        n_bytes = simd_wide_before_escape(w, n_bytes);
    }
    if (n_bytes == SIMD_WIDE_BYTES &&
        (isa->last(w->escape | escaped_blanks) || (next_is_superscript && isa->last(carets))))
        n_bytes = simd_wide_before_escape(w, n_bytes - 1);
    w->n_bytes = n_bytes;
}

/* Bits below n_bytes. */
SIMD_INLINE simd_mask simd_wide_below(uint32_t n_bytes)
{
    uint64_t lanes[SIMD_LANES];
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        const uint32_t begin = lane * SIMD_BLOCK_BYTES;
        lanes[lane] = n_bytes <= begin                      ? 0
                      : n_bytes - begin >= SIMD_BLOCK_BYTES ? ~UINT64_C(0)
                                                            : simd_below(n_bytes - begin);
    }
    return simd_lanes(lanes);
}

/* As simd_find_spans(). whole: n_bytes is SIMD_WIDE_BYTES. */
SIMD_INLINE void simd_wide_find_spans(const struct simd_wide_isa *isa, const struct simd_wide *w,
                                      const struct simd_carry *carry, bool whole,
                                      struct simd_wide_spans *spans)
{
    const simd_mask plain = ~(w->escaped | w->comment);
    const simd_mask letters = w->letters & ~w->word & ~w->comment;
    const simd_mask others = w->others & plain;
    const simd_mask blanks = w->blanks & plain;
    const simd_mask singles = w->singles & plain;
    const simd_mask line_ends = w->line_ends & ~w->comment;
    const simd_mask leaves_middle = ~(w->blanks | w->line_ends | w->word | w->comment);
    const simd_mask in_middle = isa->next(leaves_middle, carry->middle);
    const simd_mask line_starts = isa->next(w->line_ends, carry->fresh);
    const simd_mask sum = isa->sum(blanks, line_starts & blanks, 0);
    const simd_mask pars = line_ends & (line_starts | sum);
    const simd_mask nones = line_ends & ~(in_middle | pars);
    const simd_mask blank_starts = blanks & ~isa->next(blanks, carry->blanks);
    const simd_mask skipped = blank_starts & ~in_middle;
    const simd_mask alone = singles | w->escape | line_ends;
    const simd_mask starts = (letters & ~isa->next(letters, carry->letters)) |
                             (others & ~isa->next(others, carry->others)) | blank_starts | alone |
                             w->comment_start;
    const simd_mask tokens =
        ~w->continued & (letters | others | (blank_starts & in_middle) | (alone & ~nones));
    const simd_mask valid = whole ? ~(simd_mask){0} : simd_wide_below(w->n_bytes);
    const simd_mask comment = w->comment & ~w->line_ends;
    const simd_mask fresh = w->line_ends | (blanks & ~sum);
    /* Control symbols: escape characters before no letter, told by what follows them. */
    const simd_mask no_letter = w->escaped & ~w->word_first;
    simd_put(spans->starts, starts & valid);
    simd_put(spans->tokens, tokens & valid);
    simd_put(spans->lines, w->line_ends & valid);
    simd_put(spans->plus_one, skipped | pars | w->wide_others);
    simd_put(spans->plus_two, nones);
    simd_put(spans->skipped, skipped & valid);
    simd_put(spans->pars, pars & valid);
    simd_put(spans->begin_groups, w->begin_groups & plain & valid);
    simd_put(spans->end_groups, w->end_groups & plain & valid);
    simd_put(spans->math_shifts, w->math_shifts & plain & valid);
    uint64_t symbols[SIMD_LANES + 1] = {0};
    simd_put(symbols, no_letter);
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++)
        spans->plus_one[lane] |= symbols[lane] >> 1 | symbols[lane + 1] << 63;
    if (whole)
        spans->carry = (struct simd_carry){.word = isa->last(w->word),
                                           .comment = isa->last(comment),
                                           .middle = isa->last(leaves_middle),
                                           .fresh = isa->last(fresh),
                                           .letters = isa->last(letters),
                                           .others = isa->last(others),
                                           .blanks = isa->last(blanks)};
    else
        spans->carry = (struct simd_carry){.word = simd_is_set(w->word, w->n_bytes - 1),
                                           .comment = simd_is_set(comment, w->n_bytes - 1),
                                           .middle = simd_is_set(leaves_middle, w->n_bytes - 1),
                                           .fresh = simd_is_set(fresh, w->n_bytes - 1),
                                           .letters = simd_is_set(letters, w->n_bytes - 1),
                                           .others = simd_is_set(others, w->n_bytes - 1),
                                           .blanks = simd_is_set(blanks, w->n_bytes - 1)};
}

#endif
