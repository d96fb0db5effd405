/* The logic of vector kernels on bit masks: bit i of a mask is byte i of a block of 64. What is
 * worked out for a byte depends on bytes up to it alone, but for what is said of simd_decide(): so
 * a block can be cut anywhere, and the masks below the cut stay right. Instruction sets give the
 * classes of the bytes (struct simd_isa in lexer/simd_run.h), the rest is the same for all. */
#ifndef L0_LEXER_SIMD_BLOCK_H
#define L0_LEXER_SIMD_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lexer/lexer.h"

#define SIMD_BLOCK_BYTES 64u
/* So many bytes behind a block are there too: for what a character or name is followed by. */
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

/* Classes of bytes, four bits each; the numbers make the sets below cheap. All from SIMD_ALIGNMENT
 * on are a token and a span by themselves. */
enum simd_class {
    SIMD_LETTER = 0,
    SIMD_OTHER = 1,
    SIMD_BLANK = 2,
    SIMD_HARD = 3, /* neither of these classes, or not by itself */
    SIMD_ESCAPE = 4,
    SIMD_COMMENT = 5,
    SIMD_LF = 6,
    SIMD_CR = 7,
    SIMD_ALIGNMENT = 8,
    SIMD_PARAMETER = 9,
    SIMD_SUBSCRIPT = 10,
    SIMD_ACTIVE = 11,
    SIMD_BEGIN_GROUP = 12,
    SIMD_END_GROUP = 13,
    SIMD_MATH_SHIFT = 14,
    SIMD_SUPERSCRIPT = 15,
};

/* For each class, the kind of a span that begins with such a byte; see simd_spans.plus_one and
 * plus_two. */
#define SIMD_KINDS_OF_CLASSES                                                                      \
    LEXER_LETTERS, LEXER_OTHERS, LEXER_SPACE, LEXER_LETTERS, LEXER_CONTROL_WORD, LEXER_COMMENT,    \
        LEXER_EOL_SPACE, LEXER_EOL_SPACE, LEXER_ALIGNMENT, LEXER_PARAMETER, LEXER_SUBSCRIPT,       \
        LEXER_ACTIVE, LEXER_BEGIN_GROUP, LEXER_END_GROUP, LEXER_MATH_SHIFT, LEXER_SUPERSCRIPT

_Static_assert(LEXER_SKIPPED == LEXER_SPACE + 1 && LEXER_EOL_PAR == LEXER_EOL_SPACE + 1 &&
                   LEXER_EOL_NONE == LEXER_EOL_SPACE + 2 && LEXER_OTHERS == LEXER_LETTERS + 1 &&
                   LEXER_CONTROL_SYMBOL == LEXER_CONTROL_WORD + 1,
               "what depends on the context is reached by adding one or two");

/* Bit b of the classes of 64 bytes is plane[b]. */
struct simd_planes {
    uint64_t plane[4];
};

/* struct lexer at the beginning of a block, as bits 0 to be shifted into masks. */
struct simd_carry {
    uint64_t word, comment;           /* in a control word; in a comment */
    uint64_t middle, fresh;           /* state M; state N */
    uint64_t letters, others, blanks; /* such a run may be joined */
};

struct simd_sets {
    uint64_t letters, others, blanks, hard, escapes, comments, crs, line_ends, singles;
    uint64_t begin_groups, end_groups, math_shifts, superscripts, actives;
};

/* What is known before the cut. */
struct simd_block {
    struct simd_sets sets;
    uint64_t escape;  /* escape characters that are not escaped themselves */
    uint64_t escaped; /* what follows these */
    uint64_t comment; /* in a comment, its beginning and line end included */
    uint64_t comment_start;
    uint64_t word; /* letters of control words */
    uint64_t word_first;
    uint64_t continued;   /* bytes that belong to the character before: no tokens of their own */
    uint64_t wide_others; /* of sets.hard, became others: multi-byte characters */
    uint32_t n_bytes;     /* the cut: so many bytes are decided */
};

/* The spans of a block, below the cut. */
struct simd_spans {
    uint64_t starts, tokens;
    uint64_t lines;              /* first bytes of line ends */
    uint64_t plus_one, plus_two; /* starts whose kind is that of the class and one or two more */
    uint64_t skipped;            /* starts of LEXER_SKIPPED */
    uint64_t pars;               /* line ends that are \par */
    uint64_t begin_groups, end_groups, math_shifts;
    struct simd_carry carry; /* at the cut */
};

SIMD_INLINE uint64_t simd_bit(uint32_t index)
{
    return UINT64_C(1) << index;
}

/* Bits 0 … n - 1, n <= 64. */
SIMD_INLINE uint64_t simd_below(uint32_t n)
{
    return n < 64 ? simd_bit(n) - 1 : ~UINT64_C(0);
}

SIMD_INLINE struct simd_sets simd_sets_of(const struct simd_planes *classes)
{
    const uint64_t d = classes->plane[0], c = classes->plane[1], b = classes->plane[2],
                   a = classes->plane[3];
    const uint64_t visible = ~a & ~b; /* 0 … 3 */
    const uint64_t marks = ~a & b;    /* 4 … 7 */
    const uint64_t nested = a & b;    /* 12 … 15 */
    return (struct simd_sets){
        .letters = visible & ~c & ~d,
        .others = visible & ~c & d,
        .blanks = visible & c & ~d,
        .hard = visible & c & d,
        .escapes = marks & ~c & ~d,
        .comments = marks & ~c & d,
        .crs = marks & c & d,
        .line_ends = marks & c,
        .singles = a,
        .begin_groups = nested & ~c & ~d,
        .end_groups = nested & ~c & d,
        .math_shifts = nested & c & ~d,
        .superscripts = nested & c & d,
        .actives = a & ~b & c & d,
    };
}

/* Escapes. In a run of escape characters every other one escapes what follows it, whichever of the
 * two parities the run begins at. The subtraction finds the parity of all runs at once (as in
 * simdjson): with ODD set, borrows run through a run from its second bit on to behind its end.
 *
 *   text      a \ \ \ b \ { \ \ c      (first byte left)
 *   escape    . 1 . 1 . 1 . 1 . .
 *   escaped   . . 1 . 1 . 1 . 1 .
 */
SIMD_INLINE void simd_find_escapes(struct simd_block *block)
{
    const uint64_t odd = UINT64_C(0xAAAAAAAAAAAAAAAA);
    const uint64_t run = block->sets.escapes;
    const uint64_t parity = (((run << 1) | odd) - run) ^ odd;
    block->escape = parity & run;
    block->escaped = parity ^ run;
}

/* Comments, from an unescaped comment character to the line end. A sum carries from the first one
 * through all that is no line end.
 *
 *   text      a % b % c ⏎ d
 *   rest      1 1 1 1 1 . 1
 *   opens     . 1 . 1 . . .
 *   sum       1 . . 1 . 1 1    (rest + opens)
 *   comment   . 1 1 1 1 1 .
 */
SIMD_INLINE void simd_find_comments(struct simd_block *block, uint64_t carry)
{
    const uint64_t rest = ~block->sets.line_ends;
    const uint64_t opens = block->sets.comments & ~block->escaped;
    const uint64_t sum = rest + opens + carry;
    block->comment = (sum ^ rest) | opens;
    block->comment_start = opens & ~sum;
    block->escape &= ~block->comment;
    block->escaped &= ~block->comment;
}

/* Control words: runs of letters from an escaped one on, by the same addition. */
SIMD_INLINE void simd_find_words(struct simd_block *block, uint64_t carry)
{
    const uint64_t letters = block->sets.letters;
    block->word_first = block->escaped & letters;
    block->word = letters & ~(letters + block->word_first + carry);
}

/* Cuts the block before the first thing that the byte-wise machine has to look at, and before what
 * needs to be seen together with bytes that follow the block. next_is_superscript: the byte behind
 * the block. */
SIMD_INLINE void simd_decide(struct simd_block *block, bool next_is_superscript)
{
    const struct simd_sets *s = &block->sets;
    const uint64_t last = simd_bit(SIMD_BLOCK_BYTES - 1);
    const uint64_t next = next_is_superscript ? last : 0;
    const uint64_t carets = s->superscripts & (s->superscripts >> 1 | next);
    /* Blanks behind an escape character may be trimmed with the line end, which is then escaped. */
    const uint64_t inside = ~(s->blanks | s->line_ends) >> 1;
    const uint64_t not_alone =
        s->line_ends | s->hard | carets | block->wide_others | (s->blanks & ~inside);
    uint64_t cut = ((s->hard | carets) & ~block->comment) | (block->escaped & not_alone) >> 1;
    cut |= (block->escape | s->crs) & last;
    block->n_bytes = cut ? (uint32_t)__builtin_ctzll(cut) : SIMD_BLOCK_BYTES;
}

/* The cut, or the first of these bytes if that is before it. */
SIMD_INLINE uint32_t simd_cut_before(uint32_t n_bytes, uint64_t bytes)
{
    const uint32_t cut = bytes ? (uint32_t)__builtin_ctzll(bytes) : SIMD_BLOCK_BYTES;
    return cut < n_bytes ? cut : n_bytes;
}

/* Cuts the block before a line end that suspect_line_end() has to look at: the first one, those
 * that it would report, and so those that settle what comes next. styles: lexer.line_styles. */
SIMD_SELDOM uint32_t simd_line_styles(const struct simd_block *block, unsigned styles)
{
    const uint64_t crs = block->sets.crs, lfs = block->sets.line_ends & ~crs;
    const uint64_t crlfs = crs & lfs >> 1;
    uint64_t stop = styles & LEXER_LINES_LONE_CR ? 0 : crs & ~crlfs;
    if (!(styles & (LEXER_LINES_LF | LEXER_LINES_CRLF)))
        stop |= block->sets.line_ends;
    else if (!(styles & LEXER_LINES_MIXED))
        stop |= styles & LEXER_LINES_LF ? crlfs : lfs & ~(crs << 1);
    return simd_cut_before(block->n_bytes, stop);
}

/* The spans of what is below n_bytes, which is the cut and not 0. */
SIMD_INLINE struct simd_spans simd_find_spans(const struct simd_block *block,
                                              const struct simd_carry *carry, uint32_t n_bytes)
{
    const struct simd_sets *s = &block->sets;
    const uint64_t plain = ~(block->escaped | block->comment);
    const uint64_t letters = s->letters & ~block->word & ~block->comment;
    const uint64_t others = s->others & plain;
    const uint64_t blanks = s->blanks & plain;
    const uint64_t singles = s->singles & plain;
    const uint64_t lfs = s->line_ends & ~s->crs;
    const uint64_t line_firsts = s->line_ends & ~(s->crs << 1 & lfs);
    const uint64_t line_lasts = s->line_ends & ~(s->crs & lfs >> 1);
    const uint64_t line_ends = line_firsts & ~block->comment;

    /* TeX's states before each byte: M behind what gives a token; N at the beginning of lines and
     * behind blanks from there on, which again is a sum that carries through them. */
    const uint64_t leaves_middle = ~(s->blanks | s->line_ends | block->word | block->comment);
    const uint64_t in_middle = leaves_middle << 1 | carry->middle;
    const uint64_t line_starts = line_lasts << 1 | carry->fresh;
    const uint64_t sum = blanks + (line_starts & blanks);
    const uint64_t pars = line_ends & (line_starts | sum);
    const uint64_t nones = line_ends & ~(in_middle | pars);

    const uint64_t blank_starts = blanks & ~(blanks << 1 | carry->blanks);
    const uint64_t skipped = blank_starts & ~in_middle;
    const uint64_t symbols = block->escape & ~(block->word_first >> 1);
    const uint64_t alone = singles | block->escape | line_ends;
    const uint64_t valid = simd_below(n_bytes);
    const uint32_t last = n_bytes - 1;
    return (struct simd_spans){
        .starts = valid & ((letters & ~(letters << 1 | carry->letters)) |
                           (others & ~(others << 1 | carry->others)) | blank_starts | alone |
                           block->comment_start),
        .tokens = valid & ~block->continued &
                  (letters | others | (blank_starts & in_middle) | (alone & ~nones)),
        .lines = valid & line_firsts,
        .plus_one = skipped | pars | symbols | block->wide_others,
        .plus_two = nones,
        .skipped = skipped & valid,
        .pars = pars & valid,
        .begin_groups = s->begin_groups & plain & valid,
        .end_groups = s->end_groups & plain & valid,
        .math_shifts = s->math_shifts & plain & valid,
        .carry =
            {
                .word = block->word >> last & 1,
                .comment = (block->comment & ~s->line_ends) >> last & 1,
                .middle = leaves_middle >> last & 1,
                .fresh = (line_lasts | (blanks & ~sum)) >> last & 1,
                .letters = letters >> last & 1,
                .others = others >> last & 1,
                .blanks = blanks >> last & 1,
            },
    };
}

#endif
