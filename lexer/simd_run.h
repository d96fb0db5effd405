/* The loop of vector kernels: blocks of 64 bytes from any address on, as long as they can be told;
 * the byte-wise machine for the rest, on the same struct lexer. */
#ifndef L0_LEXER_SIMD_RUN_H
#define L0_LEXER_SIMD_RUN_H

#include "lexer/context.h"
#include "lexer/kernel.h"
#include "lexer/simd_block.h"
#include "lexer/simd_nest.h"
#include "lexer/simd_utf8.h"
#include "lexer/simd_wide.h"
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
     * Reads four bytes behind the block. */
    uint64_t (*watched)(const uint8_t *in);
    /* Bytes that begin what suspect.c reports, but for control characters. Reads two bytes behind
     * the block. */
    uint64_t (*suspects)(const uint8_t *in);
    /* The bits that are in the mask, moved together, lowest first. */
    uint64_t (*gather)(uint64_t bits, uint64_t mask);
    /* simd_events(), out of line. */
    void (*events)(struct lexer *lx, struct simd_nesting nesting, uint64_t events,
                   const uint8_t *input);
    struct simd_wide_isa wide; /* all NULL: no four blocks at once */
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
                               .n_bytes = SIMD_BLOCK_BYTES,
                               .in = input + pos,
                               .words = block->word,
                               .plain = block->sets.letters | block->sets.others,
                               .begin_groups = block->sets.begin_groups,
                               .end_groups = block->sets.end_groups};
}

SIMD_INLINE struct simd_nesting simd_nesting_of(const struct simd_spans *spans,
                                                const struct simd_commands *commands, uint32_t pos)
{
    return (struct simd_nesting){.begin_groups = spans->begin_groups,
                                 .end_groups = spans->end_groups,
                                 .math_shifts = spans->math_shifts,
                                 .environments = commands->environments,
                                 .groups = commands->groups,
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

/* The spans of one lane as those of a block. */
SIMD_INLINE struct simd_spans simd_spans_of(const struct simd_wide_spans *wide, uint32_t lane)
{
    return (struct simd_spans){.starts = wide->starts[lane],
                               .tokens = wide->tokens[lane],
                               .plus_one = wide->plus_one[lane],
                               .plus_two = wide->plus_two[lane],
                               .skipped = wide->skipped[lane],
                               .pars = wide->pars[lane],
                               .begin_groups = wide->begin_groups[lane],
                               .end_groups = wide->end_groups[lane],
                               .math_shifts = wide->math_shifts[lane]};
}

/* What simd_blocks() hands from block to block. */
struct simd_progress {
    struct simd_carry carry;
    struct simd_latest latest;
    uint32_t pos, n_spans;
};

/* Nesting, spans and counts of what stands in one block. */
SIMD_INLINE void simd_take(const struct simd_isa *isa, struct lexer *lx, const uint8_t *input,
                           uint32_t pos, const struct simd_spans *spans,
                           const struct simd_commands *commands, const uint8_t *codes,
                           struct simd_progress *progress)
{
    const uint64_t events = spans->math_shifts | commands->environments | commands->groups |
                            (lx->nest.n_math || spans->math_shifts ? spans->pars : 0);
    if (events)
        isa->events(lx, simd_nesting_of(spans, commands, pos), events, input);
    else
        simd_braces(lx, input, pos, spans->begin_groups, spans->end_groups, isa->gather);
    if (codes)
        isa->extract(spans, codes, pos, lx->out.kinds + progress->n_spans,
                     lx->out.starts + progress->n_spans);
    if (spans->starts)
        progress->latest = (struct simd_latest){spans->starts, spans->skipped, pos};
    progress->n_spans += (uint32_t)__builtin_popcountll(spans->starts);
    lx->n_tokens += (uint32_t)__builtin_popcountll(spans->tokens);
}

/* Four blocks at once from there on: enough bytes, and room for their spans; an LF is nothing new.
 */
SIMD_INLINE bool simd_wide_applies(const struct lexer *lx, uint32_t have,
                                   const struct simd_progress *at)
{
    return have - at->pos >= SIMD_WIDE_BYTES + SIMD_AHEAD_BYTES &&
           (lx->line_styles & LEXER_LINES_LF) &&
           (!lx->writes ||
            lx->out.span_cap - at->n_spans >= SIMD_WIDE_BYTES - SIMD_BLOCK_BYTES + SIMD_SPANS_MAX);
}

/* As simd_add_utf8(), where characters may go on in the next lane; those that go on behind the last
 * one stay hard. utf8: of lanes without such bytes, all zero. */
SIMD_INLINE void simd_wide_utf8(const uint8_t *in, const struct simd_utf8_bytes utf8[SIMD_LANES],
                                struct simd_wide_sets *sets)
{
    uint64_t letters_over = 0, others_over = 0;
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        const struct simd_utf8_bytes *const of = &utf8[lane];
        const uint64_t next = lane + 1 < SIMD_LANES ? utf8[lane + 1].continuations : 0;
        const uint64_t follows = of->continuations >> 1 | next << 63;
        const uint64_t follow = follows & (of->continuations >> 2 | next << 62);
        const uint64_t two = of->two & follows;
        const uint64_t three = of->three & follow;
        const uint64_t signs = of->three_others & follow;
        struct simd_utf8 found = {0};
        if (of->leads & ~(two | three | signs))
            found =
                simd_utf8(in + (size_t)lane * SIMD_BLOCK_BYTES, of->leads & ~(two | three | signs));
        const uint64_t letters = two | two << 1 | three | three << 1 | three << 2 | letters_over;
        const uint64_t others = signs | signs << 1 | signs << 2 | others_over;
        sets->letters[lane] = letters | found.letters;
        sets->others[lane] = others | found.others;
        sets->continued[lane] = ((letters | others) & of->continuations) | found.continued;
        letters_over = two >> 63 | three >> 63 | three >> 62;
        others_over = signs >> 63 | signs >> 62;
    }
}

/* The classes of four blocks. */
SIMD_INLINE void simd_wide_classify(const struct simd_isa *isa, const uint8_t *in, unsigned regime,
                                    bool at_is_letter, uint8_t *codes, struct simd_wide_sets *sets)
{
    struct simd_utf8_bytes utf8[SIMD_LANES];
    uint64_t high[SIMD_LANES];
    SIMD_UNROLL
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        const struct simd_planes planes =
            isa->classify(in + (size_t)lane * SIMD_BLOCK_BYTES, regime, at_is_letter,
                          codes ? codes + (size_t)lane * SIMD_BLOCK_BYTES : NULL);
        SIMD_UNROLL
        for (uint32_t plane = 0; plane < 4; plane++)
            sets->plane[plane][lane] = planes.plane[plane];
        high[lane] = planes.plane[0] & planes.plane[1] & ~planes.plane[2] &
                     (regime == LEXER_LUALATEX ? ~planes.plane[3] : planes.plane[3]);
    }
    sets->has_high = (high[0] | high[1] | high[2] | high[3]) != 0;
    if (!sets->has_high)
        return;
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        const uint8_t *const bytes = in + (size_t)lane * SIMD_BLOCK_BYTES;
        sets->letters[lane] = sets->others[lane] = sets->continued[lane] = 0;
        sets->suspects[lane] = high[lane] ? isa->suspects(bytes) : 0;
        utf8[lane] =
            regime == LEXER_LUALATEX && high[lane] ? isa->utf8(bytes) : (struct simd_utf8_bytes){0};
    }
    if (regime == LEXER_LUALATEX)
        simd_wide_utf8(in, utf8, sets);
}

/* Masks of 256 bytes by lane, and a lane of zeros, to be read from any bit on. */
struct simd_window {
    uint64_t lanes[SIMD_LANES + 1];
};

SIMD_INLINE struct simd_window simd_window_of(simd_mask mask)
{
    struct simd_window window;
    simd_put(window.lanes, mask);
    window.lanes[SIMD_LANES] = 0;
    return window;
}

SIMD_INLINE uint64_t simd_window_at(const struct simd_window *window, uint32_t at)
{
    const uint64_t *const lane = window->lanes + at / SIMD_BLOCK_BYTES;
    const uint32_t shift = at % SIMD_BLOCK_BYTES;
    return shift ? lane[0] >> shift | lane[1] << (SIMD_BLOCK_BYTES - shift) : lane[0];
}

struct simd_wide_names {
    struct simd_window words, plain, begin_groups, end_groups; /* as of struct simd_names */
};

/* One of the candidates, at bit at; its bit in commands. False: cut before it. */
SIMD_SELDOM bool simd_wide_command(const struct lexer *lx, const uint8_t *input, uint32_t pos,
                                   const struct simd_wide_names *names, uint32_t at,
                                   uint32_t n_bytes, struct simd_commands *commands)
{
    const uint32_t left = n_bytes - at, known = SIMD_WIDE_BYTES - at;
    const struct simd_names here = {.input = input,
                                    .in = input + pos + at,
                                    .pos = pos + at,
                                    .n_bytes = known < SIMD_BLOCK_BYTES ? known : SIMD_BLOCK_BYTES,
                                    .words = simd_window_at(&names->words, at),
                                    .plain = simd_window_at(&names->plain, at),
                                    .begin_groups = simd_window_at(&names->begin_groups, at),
                                    .end_groups = simd_window_at(&names->end_groups, at)};
    const struct simd_commands found =
        simd_commands(lx, here, 1, left < SIMD_BLOCK_BYTES ? left : SIMD_BLOCK_BYTES);
    commands->environments |= found.environments << at % SIMD_BLOCK_BYTES;
    commands->groups |= found.groups << at % SIMD_BLOCK_BYTES;
    return found.n_bytes > 0;
}

/* The byte-wise machine would end a word at the cut once more: a cut before it instead. */
SIMD_SELDOM uint32_t simd_wide_cut(const struct simd_window *words, struct simd_commands *commands,
                                   uint32_t lane, uint32_t n_bytes)
{
    for (;;) {
        const uint64_t groups = commands[lane].groups;
        if (groups == 0) {
            if (lane == 0)
                return n_bytes;
            lane--;
            continue;
        }
        const uint32_t bit = SIMD_BLOCK_BYTES - 1 - (uint32_t)__builtin_clzll(groups);
        const uint32_t at = lane * SIMD_BLOCK_BYTES + bit;
        if (at + 1 + simd_word_bytes(simd_window_at(words, at + 1)) < n_bytes)
            return n_bytes;
        commands[lane].groups ^= simd_bit(bit);
        n_bytes = at;
    }
}

/* As simd_commands(), by lane; cuts at a command that has to be left to others. */
SIMD_INLINE void simd_wide_commands(const struct simd_isa *isa, const struct lexer *lx,
                                    const uint8_t *input, uint32_t pos, struct simd_wide *w,
                                    struct simd_commands commands[SIMD_LANES])
{
    const struct simd_window firsts = simd_window_of(w->word_first);
    uint64_t candidates[SIMD_LANES];
    SIMD_UNROLL
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++)
        candidates[lane] = (firsts.lanes[lane] >> 1 | firsts.lanes[lane + 1] << 63) &
                           isa->watched(input + pos + (size_t)lane * SIMD_BLOCK_BYTES);
    if (!(candidates[0] | candidates[1] | candidates[2] | candidates[3]))
        return;
    const struct simd_wide_names names = {.words = simd_window_of(w->word),
                                          .plain = simd_window_of(w->letters | w->others),
                                          .begin_groups = simd_window_of(w->begin_groups),
                                          .end_groups = simd_window_of(w->end_groups)};
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        for (uint64_t todo = candidates[lane]; todo; todo &= todo - 1) {
            const uint32_t at = lane * SIMD_BLOCK_BYTES + (uint32_t)__builtin_ctzll(todo);
            if (at >= w->n_bytes)
                return;
            if (!simd_wide_command(lx, input, pos, &names, at, w->n_bytes, &commands[lane]))
                w->n_bytes = simd_wide_cut(&names.words, commands, lane, at);
        }
    }
}

/* A cut behind three blocks is nearly always for what follows the fourth: worth going on from it.
 */
#define SIMD_WIDE_WORTH_BYTES (SIMD_WIDE_BYTES - SIMD_BLOCK_BYTES)

/* Takes four blocks at once until they are cut early. */
SIMD_INLINE void simd_wide_blocks(const struct simd_isa *isa, struct lexer *lx,
                                  const uint8_t *input, uint32_t have, unsigned regime,
                                  bool at_is_letter, bool writes, struct simd_progress *at)
{
    uint32_t n_bytes = SIMD_WIDE_BYTES;
    while (n_bytes > SIMD_WIDE_WORTH_BYTES && simd_wide_applies(lx, have, at)) {
        _Alignas(32) uint8_t codes[SIMD_WIDE_BYTES];
        const uint32_t pos = at->pos;
        struct simd_wide_sets sets;
        struct simd_wide w;
        struct simd_wide_spans spans;
        struct simd_commands commands[SIMD_LANES] = {0};
        simd_wide_classify(isa, input + pos, regime, at_is_letter, writes ? codes : NULL, &sets);
        const simd_mask stops = simd_wide_sets(&w, &sets);
        simd_wide_find(&isa->wide, &w, &at->carry);
        simd_wide_decide(&isa->wide, &w, stops, input[pos + SIMD_WIDE_BYTES] == '^');
        simd_wide_commands(isa, lx, input, pos, &w, commands);
        n_bytes = w.n_bytes;
        if (n_bytes < SIMD_BLOCK_BYTES)
            break;
        simd_wide_find_spans(&isa->wide, &w, &at->carry, n_bytes == SIMD_WIDE_BYTES, &spans);
        for (uint32_t lane = 0; lane * SIMD_BLOCK_BYTES < n_bytes; lane++) {
            const struct simd_spans of_lane = simd_spans_of(&spans, lane);
            simd_take(isa, lx, input, pos + lane * SIMD_BLOCK_BYTES, &of_lane, &commands[lane],
                      writes ? codes + (size_t)lane * SIMD_BLOCK_BYTES : NULL, at);
            lx->n_lines += (uint32_t)__builtin_popcountll(spans.lines[lane]);
        }
        at->carry = spans.carry;
        at->pos = pos + n_bytes;
    }
}

/* Takes blocks until one gets nowhere. The number of bytes that the last one took. */
SIMD_INLINE uint32_t simd_blocks(const struct simd_isa *isa, struct lexer *lx, const uint8_t *input,
                                 uint32_t have, unsigned regime, bool at_is_letter, bool writes)
{
    struct simd_progress at = {.carry = simd_carry_of(lx), .pos = lx->pos, .n_spans = lx->n_spans};
    const uint32_t pos_end = have - (SIMD_BLOCK_BYTES + SIMD_AHEAD_BYTES);
    const uint32_t n_spans_end = writes ? lx->out.span_cap - SIMD_SPANS_MAX : UINT32_MAX;
    const uint32_t first_pos = lx->pos;
    uint32_t n_bytes = SIMD_BLOCK_BYTES;

    while (at.pos <= pos_end && at.n_spans <= n_spans_end) {
        if (isa->wide.sum && n_bytes == SIMD_BLOCK_BYTES && simd_wide_applies(lx, have, &at))
            simd_wide_blocks(isa, lx, input, have, regime, at_is_letter, writes, &at);
        if (at.pos > pos_end || at.n_spans > n_spans_end)
            break;
        const uint32_t pos = at.pos;
        _Alignas(32) uint8_t codes[SIMD_BLOCK_BYTES];
        const uint8_t *const in = input + pos;
        const struct simd_planes planes =
            isa->classify(in, regime, at_is_letter, writes ? codes : NULL);
        struct simd_block block = {.sets = simd_sets_of(&planes)};
        simd_find_escapes(&block);
        simd_find_comments(&block, at.carry.comment);
        const uint64_t has_high = regime == LEXER_LUALATEX ? block.sets.hard : block.sets.actives;
        if (regime == LEXER_LUALATEX && (block.sets.hard & ~block.comment)) {
            const struct simd_utf8_bytes bytes = isa->utf8(in);
            simd_add_utf8(&block, in, &bytes);
        }
        simd_find_words(&block, at.carry.word);
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
                                            ? simd_find_spans(&block, &at.carry, SIMD_BLOCK_BYTES)
                                            : simd_find_spans(&block, &at.carry, n_bytes);
        simd_take(isa, lx, input, pos, &spans, &commands, writes ? codes : NULL, &at);
        lx->n_lines += (uint32_t)__builtin_popcountll(spans.lines);
        at.carry = spans.carry;
        at.pos = simd_advance(pos, n_bytes);
    }
    if (at.pos > first_pos) {
        lx->pos = at.pos;
        lx->n_spans = at.n_spans;
        simd_store(lx, &at.carry, &at.latest);
    }
    return at.pos - first_pos;
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
