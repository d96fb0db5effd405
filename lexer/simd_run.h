/* The loop of vector kernels: blocks of 64 bytes from any address on, as long as they can be told;
 * the byte-wise machine for the rest, on the same struct lexer. */
#ifndef L0_LEXER_SIMD_RUN_H
#define L0_LEXER_SIMD_RUN_H

#include "lexer/context.h"
#include "lexer/kernel.h"
#include "lexer/simd_block.h"
#include "lexer/simd_nest.h"
#include "lexer/simd_utf8.h"
#include "lexer/step.h"

/* A block writes so many spans at most, those included that are overwritten by the next one. */
#define SIMD_SPANS_MAX (SIMD_BLOCK_BYTES + 8u)

/* Where a block gets no further than this, the byte-wise machine takes the next bytes too. */
#define SIMD_POOR_BYTES 16u

/* What an instruction set gives. in: a block. */
struct simd_isa {
    /* The classes of a block; codes gets them byte by byte, for extract(). */
    struct simd_planes (*classify)(const uint8_t *in, unsigned regime, bool at_is_letter,
                                   uint8_t *codes);
    struct simd_utf8_bytes (*utf8)(const uint8_t *in); /* reads two bytes behind the block */
    /* Bytes before the beginning of a watched control word's name: all of them, and few others.
     * Reads three bytes behind the block. */
    uint64_t (*watched)(const uint8_t *in);
    /* Bytes that begin what suspect.c reports, but for control characters. Reads two bytes behind
     * the block. */
    uint64_t (*suspects)(const uint8_t *in);
    /* The bits that are in the mask, moved together, lowest first. */
    uint64_t (*gather)(uint64_t bits, uint64_t mask);
    /* simd_events(), out of line. */
    void (*events)(struct lexer *lx, struct simd_nesting nesting, uint64_t events,
                   const uint8_t *input);
    /* Writes the kinds and offsets (pos + bit) of spans->starts. */
    void (*extract)(const struct simd_spans *spans, const uint8_t *codes, uint32_t pos,
                    uint8_t *kinds, uint32_t *starts);
};

/* The last bytes may begin what goes on in the block: it would not be seen there. */
SIMD_INLINE bool simd_is_amid_character(const uint8_t *input, uint32_t pos)
{
    return (pos >= 1 && input[pos - 1] >= 0xC0) || (pos >= 2 && input[pos - 2] >= 0xE0);
}

/* Not in the middle of a control word, which might become \begin. */
SIMD_INLINE bool simd_applies(const struct lexer *lx, const uint8_t *input, uint32_t have)
{
    return (lx->mode == LEXER_MODE_TEXT || lx->mode == LEXER_MODE_REST) &&
           lx->nest.env_step == LEXER_ENV_IDLE && lx->ahead.caret_end == 0 && context_is_idle(lx) &&
           lx->context.n_saves == 0 && have - lx->pos >= SIMD_BLOCK_BYTES + SIMD_AHEAD_BYTES &&
           !simd_is_amid_character(input, lx->pos) &&
           (!lx->writes || lx->out.span_cap - lx->n_spans >= SIMD_SPANS_MAX);
}

SIMD_INLINE struct simd_carry simd_carry_of(const struct lexer *lx)
{
    const bool text = lx->mode == LEXER_MODE_TEXT;
    const bool middle = text && lx->line_state == LEXER_LINE_MIDDLE;
    return (struct simd_carry){
        .comment = lx->mode == LEXER_MODE_REST,
        .middle = middle,
        .fresh = text && lx->line_state == LEXER_LINE_NEW,
        .letters = lx->run == LEXER_LETTERS,
        .others = lx->run == LEXER_OTHERS,
        .blanks = !middle && (lx->run == LEXER_SPACE || lx->run == LEXER_SKIPPED),
    };
}

/* The last spans that began: starts is not 0, or none did. */
struct simd_latest {
    uint64_t starts, skipped;
    uint32_t pos;
};

SIMD_INLINE void simd_store(struct lexer *lx, const struct simd_carry *carry,
                            const struct simd_latest *latest)
{
    const uint32_t at = latest->starts ? 63u - (uint32_t)__builtin_clzll(latest->starts) : 0;
    lx->mode = carry->comment ? LEXER_MODE_REST : carry->word ? LEXER_MODE_WORD : LEXER_MODE_TEXT;
    lx->line_state = carry->fresh                   ? LEXER_LINE_NEW
                     : carry->middle || carry->word ? LEXER_LINE_MIDDLE
                                                    : LEXER_LINE_SKIPPING;
    if (carry->blanks && latest->starts)
        lx->run = latest->skipped >> at & 1 ? LEXER_SKIPPED : LEXER_SPACE;
    else if (!carry->blanks)
        lx->run = carry->letters ? LEXER_LETTERS : carry->others ? LEXER_OTHERS : LEXER_RUN_NONE;
    if (carry->word && latest->starts) {
        lx->control_start = latest->pos + at;
        lx->word_caret = false;
    }
}

SIMD_INLINE struct simd_names simd_names_of(const struct simd_block *block, const uint8_t *input,
                                            uint32_t pos)
{
    return (struct simd_names){.input = input,
                               .pos = pos,
                               .in = input + pos,
                               .words = block->word,
                               .plain = block->sets.letters | block->sets.others,
                               .begin_groups = block->sets.begin_groups,
                               .end_groups = block->sets.end_groups};
}

SIMD_INLINE struct simd_nesting simd_nesting_of(const struct simd_spans *spans,
                                                uint64_t environments, uint32_t pos)
{
    return (struct simd_nesting){.begin_groups = spans->begin_groups,
                                 .end_groups = spans->end_groups,
                                 .math_shifts = spans->math_shifts,
                                 .environments = environments,
                                 .pars = spans->pars,
                                 .tokens = spans->tokens,
                                 .pos = pos};
}

/* pos + n_bytes. By a jump that is nearly always foreseen, so that the next block is begun before
 * the cut of this one is known: as a sum, it would have to wait. */
SIMD_INLINE uint32_t simd_advance(uint32_t pos, uint32_t n_bytes)
{
    if (__builtin_expect(n_bytes == SIMD_BLOCK_BYTES, 1))
        return pos + SIMD_BLOCK_BYTES;
    __asm__("" : "+r"(n_bytes)); /* not to be turned into the sum again */
    return pos + n_bytes;
}

/* Takes blocks until one gets nowhere. The number of bytes that the last one took. */
SIMD_INLINE uint32_t simd_blocks(const struct simd_isa *isa, struct lexer *lx, const uint8_t *input,
                                 uint32_t have, unsigned regime, bool at_is_letter, bool writes)
{
    struct simd_carry carry = simd_carry_of(lx);
    struct simd_latest latest = {0};
    const uint32_t pos_end = have - (SIMD_BLOCK_BYTES + SIMD_AHEAD_BYTES);
    const uint32_t n_spans_end = writes ? lx->out.span_cap - SIMD_SPANS_MAX : UINT32_MAX;
    const uint32_t first_pos = lx->pos;
    uint32_t pos = first_pos, n_spans = lx->n_spans, n_bytes = SIMD_BLOCK_BYTES;

    while (pos <= pos_end && n_spans <= n_spans_end) {
        _Alignas(32) uint8_t codes[SIMD_BLOCK_BYTES];
        const uint8_t *const in = input + pos;
        const struct simd_planes planes =
            isa->classify(in, regime, at_is_letter, writes ? codes : NULL);
        struct simd_block block = {.sets = simd_sets_of(&planes)};
        simd_find_escapes(&block);
        simd_find_comments(&block, carry.comment);
        const uint64_t has_high = regime == LEXER_LUALATEX ? block.sets.hard : block.sets.actives;
        if (regime == LEXER_LUALATEX && (block.sets.hard & ~block.comment)) {
            const struct simd_utf8_bytes bytes = isa->utf8(in);
            simd_add_utf8(&block, in, &bytes);
        }
        simd_find_words(&block, carry.word);
        simd_decide(&block, in[SIMD_BLOCK_BYTES] == '^');
        if (block.sets.crs || !(lx->line_styles & LEXER_LINES_LF))
            block.n_bytes = simd_line_styles(&block, lx->line_styles);
        if (has_high) {
            const uint64_t suspects = isa->suspects(in);
            block.n_bytes =
                simd_cut_before(block.n_bytes, suspects | (suspects & block.escaped) >> 1);
        }
        struct simd_commands commands = {.n_bytes = block.n_bytes};
        const uint64_t candidates = block.word_first >> 1 & isa->watched(in);
        if (candidates)
            commands =
                simd_commands(lx, simd_names_of(&block, input, pos), candidates, block.n_bytes);
        n_bytes = commands.n_bytes;
        if (n_bytes == 0)
            break;

        /* Nearly always a whole block: worth code of its own, with a constant. */
        const struct simd_spans spans = n_bytes == SIMD_BLOCK_BYTES
                                            ? simd_find_spans(&block, &carry, SIMD_BLOCK_BYTES)
                                            : simd_find_spans(&block, &carry, n_bytes);
        const uint64_t events = spans.math_shifts | commands.environments |
                                (lx->nest.n_math || spans.math_shifts ? spans.pars : 0);
        if (events)
            isa->events(lx, simd_nesting_of(&spans, commands.environments, pos), events, input);
        else
            simd_braces(lx, input, pos, spans.begin_groups, spans.end_groups, isa->gather);
        if (writes)
            isa->extract(&spans, codes, pos, lx->out.kinds + n_spans, lx->out.starts + n_spans);
        if (spans.starts)
            latest = (struct simd_latest){spans.starts, spans.skipped, pos};
        n_spans += (uint32_t)__builtin_popcountll(spans.starts);
        lx->n_tokens += (uint32_t)__builtin_popcountll(spans.tokens);
        lx->n_lines += (uint32_t)__builtin_popcountll(spans.lines);
        carry = spans.carry;
        pos = simd_advance(pos, n_bytes);
    }
    if (pos > first_pos) {
        lx->pos = pos;
        lx->n_spans = n_spans;
        simd_store(lx, &carry, &latest);
    }
    return pos - first_pos;
}

/* A kernel's run(). blocks: simd_blocks() for the lexer's regime; without and with @ as a letter,
 * which may change, and without and with spans. */
SIMD_INLINE int simd_run(struct lexer *lx, const uint8_t *input, uint32_t have,
                         uint32_t (*const blocks[2][2])(struct lexer *, const uint8_t *, uint32_t))
{
    while (lx->pos < have) {
        uint32_t until = lx->pos + 1;
        if (simd_applies(lx, input, have)) {
            const uint32_t n_bytes = blocks[lx->context.at_is_letter][lx->writes](lx, input, have);
            until = lx->pos + (n_bytes < SIMD_POOR_BYTES ? SIMD_BLOCK_BYTES : 1);
        } else if (have - lx->pos < SIMD_BLOCK_BYTES + SIMD_AHEAD_BYTES) {
            until = have;
        }
        const int rc = lexer_portable_until(lx, input, have, until < have ? until : have);
        if (rc != LEXER_STEP_DONE)
            return rc < 0 ? rc : 0;
    }
    return 0;
}

#endif
