/* The loop of vector kernels: chunks from any address on, as long as they can be told; the
 * byte-wise machine for the rest, on the same struct lexer. */
#ifndef L0_LEXER_SIMD_RUN_H
#define L0_LEXER_SIMD_RUN_H

#include <string.h>

#include "lexer/context.h"
#include "lexer/kernel.h"
#include "lexer/simd_nest.h"
#include "lexer/step.h"

/* Fewer bytes are left to the byte-wise machine. */
#define SIMD_WORTH_BYTES 16u

/* Where a chunk gets no further than this, the byte-wise machine takes so many more bytes too. */
#define SIMD_POOR_BYTES 32u
#define SIMD_SKIP_BYTES 64u

/* The passes over a chunk, out of line, each compiled for what it depends on. */
struct simd_passes {
    void (*classify)(struct simd_chunk *chunk);
    bool (*apply_rules)(struct simd_chunk *chunk);
    bool (*nest)(struct lexer *lx, const uint8_t *input, uint32_t pos, struct simd_chunk *chunk);
    uint32_t (*put_spans)(const struct simd_chunk *chunk, uint32_t pos, uint32_t room,
                          uint8_t *kinds, uint32_t *starts);
    struct simd_state (*state_at_cut)(const struct simd_chunk *chunk);
};

/* The last bytes may begin what goes on here: it would not be seen there. */
SIMD_INLINE bool simd_is_amid_character(const uint8_t *input, uint32_t pos)
{
    return simd_utf8_begun(input, pos) > 0;
}

/* Not in the middle of a control word, which might become \begin. */
SIMD_INLINE bool simd_applies(const struct lexer *lx, const uint8_t *input)
{
    return (lx->mode == LEXER_MODE_TEXT || lx->mode == LEXER_MODE_REST) &&
           lx->nest.env_step == LEXER_ENV_IDLE && lx->ahead.caret_end == 0 && context_is_idle(lx) &&
           !simd_is_amid_character(input, lx->pos);
}

SIMD_INLINE struct simd_state simd_state_of(const struct lexer *lx)
{
    const bool text = lx->mode == LEXER_MODE_TEXT;
    const bool middle = text && lx->line_state == LEXER_LINE_MIDDLE;
    return (struct simd_state){
        .comment = lx->mode == LEXER_MODE_REST,
        .middle = middle,
        .fresh = text && lx->line_state == LEXER_LINE_NEW,
        .letters = lx->run == LEXER_LETTERS,
        .others = lx->run == LEXER_OTHERS,
        .blanks = !middle && (lx->run == LEXER_SPACE || lx->run == LEXER_SKIPPED),
    };
}

/* The last span that began. */
struct simd_latest {
    uint32_t start;
    bool known, skipped;
};

SIMD_INLINE void simd_note_latest(const struct simd_chunk *chunk, uint32_t pos,
                                  struct simd_latest *latest)
{
    uint32_t lane = (chunk->n_bytes - 1) / SIMD_LANE_BYTES;
    while (lane > 0 && chunk->starts[lane] == 0)
        lane--;
    if (chunk->starts[lane] == 0)
        return;
    const uint32_t bit = simd_last(chunk->starts[lane]);
    *latest = (struct simd_latest){.start = pos + lane * SIMD_LANE_BYTES + bit,
                                   .known = true,
                                   .skipped = chunk->skipped[lane] >> bit & 1};
}

SIMD_INLINE void simd_put_state(struct lexer *lx, const struct simd_state *state,
                                const struct simd_latest *latest)
{
    lx->mode = state->comment ? LEXER_MODE_REST : state->word ? LEXER_MODE_WORD : LEXER_MODE_TEXT;
    lx->line_state = state->fresh                   ? LEXER_LINE_NEW
                     : state->middle || state->word ? LEXER_LINE_MIDDLE
                                                    : LEXER_LINE_SKIPPING;
    if (state->blanks && latest->known)
        lx->run = latest->skipped ? LEXER_SKIPPED : LEXER_SPACE;
    else if (!state->blanks)
        lx->run = state->letters ? LEXER_LETTERS : state->others ? LEXER_OTHERS : LEXER_RUN_NONE;
    if (state->word && latest->known) {
        lx->control_start = latest->start;
        lx->word_caret = false;
    }
}

/* suspect.c tells the styles of line ends from one another. What the first one is is noted here,
 * before it is reached: nothing is reported of it, and nothing asks before. */
SIMD_INLINE struct simd_line_stops simd_line_stops_of(struct lexer *lx, const uint8_t *input,
                                                      uint32_t have)
{
    if (!(lx->line_styles & (LEXER_LINES_LF | LEXER_LINES_CRLF))) {
        const uint32_t end = have - lx->pos < SIMD_CHUNK_BYTES ? have : lx->pos + SIMD_CHUNK_BYTES;
        const uint32_t at = lexer_find_line_end(input, lx->pos, end);
        if (at < end && input[at] == '\n')
            lx->line_styles |= LEXER_LINES_LF;
        else if (at + 1 < end && input[at + 1] == '\n')
            lx->line_styles |= LEXER_LINES_CRLF;
    }
    const unsigned styles = lx->line_styles;
    const bool any = !(styles & (LEXER_LINES_LF | LEXER_LINES_CRLF));
    const bool mixed = styles & LEXER_LINES_MIXED;
    return (struct simd_line_stops){
        .lfs = simd_all(any || !(mixed || styles & LEXER_LINES_LF) ? ~UINT64_C(0) : 0),
        .crlfs = simd_all(any || !(mixed || styles & LEXER_LINES_CRLF) ? ~UINT64_C(0) : 0),
        .lone_crs = simd_all(styles & LEXER_LINES_LONE_CR ? 0 : ~UINT64_C(0)),
    };
}

/* What simd_chunks() works with. */
struct simd_work {
    struct simd_chunk chunk;
    /* The end of what is there, with more behind it. */
    uint8_t tail[SIMD_GROUP_BYTES + SIMD_LANE_BYTES];
};

/* What the next chunk looks at: of n bytes, which AHEAD more follow; at most so many groups. */
SIMD_INLINE void simd_look_at(struct simd_work *work, const uint8_t *in, uint32_t n,
                              uint32_t n_groups)
{
    struct simd_chunk *const chunk = &work->chunk;
    chunk->in = in;
    chunk->n_groups = n / SIMD_GROUP_BYTES < n_groups ? n / SIMD_GROUP_BYTES : n_groups;
    chunk->n_bytes = chunk->n_groups * SIMD_GROUP_BYTES;
    if (chunk->n_groups > 0)
        return;
    memcpy(work->tail, in, n + SIMD_AHEAD_BYTES);
    memset(work->tail + n + SIMD_AHEAD_BYTES, 0, sizeof work->tail - n - SIMD_AHEAD_BYTES);
    chunk->in = work->tail;
    chunk->n_groups = 1;
    chunk->n_bytes = n;
}

/* Takes chunks until one is cut. The number of bytes taken. */
SIMD_INLINE uint32_t simd_chunks(const struct simd_passes *passes, struct lexer *lx,
                                 const uint8_t *input, uint32_t have)
{
    struct simd_work work;
    struct simd_chunk *const chunk = &work.chunk;
    struct simd_state state = simd_state_of(lx);
    struct simd_latest latest = {0};
    const uint32_t first_pos = lx->pos;
    uint32_t pos = lx->pos, n_groups = 1;
    bool goes_on = true;
    chunk->line_stops = simd_line_stops_of(lx, input, have);
    while (goes_on && have - pos >= SIMD_WORTH_BYTES + SIMD_AHEAD_BYTES) {
        const uint32_t room = lx->writes ? lx->out.span_cap - lx->n_spans : UINT32_MAX;
        uint32_t n = have - pos - SIMD_AHEAD_BYTES;
        n = n < room ? n : room;
        if (n < SIMD_WORTH_BYTES)
            break;
        simd_begin_with(&chunk->carry[0], &state);
        simd_look_at(&work, input + pos, n, n_groups);
        passes->classify(chunk);
        goes_on = !passes->apply_rules(chunk);
        bool words_end = false;
        if (chunk->n_bytes > 0 && !passes->nest(lx, input, pos, chunk)) {
            goes_on = false;
            words_end = true;
        }
        if (chunk->n_bytes == 0)
            break;
        if (lx->writes) {
            lx->n_spans += passes->put_spans(chunk, pos, room, lx->out.kinds + lx->n_spans,
                                             lx->out.starts + lx->n_spans);
        } else {
            for (uint32_t lane = 0; lane * SIMD_LANE_BYTES < chunk->n_bytes; lane++)
                lx->n_spans += simd_count(chunk->starts[lane]);
        }
        simd_note_latest(chunk, pos, &latest);
        pos += chunk->n_bytes;
        state = chunk->n_bytes < chunk->n_groups * SIMD_GROUP_BYTES
                    ? passes->state_at_cut(chunk)
                    : simd_state_of_carry(&chunk->carry[chunk->n_groups]);
        state.word &= !words_end;
        n_groups = n_groups * 2 < SIMD_GROUPS_MAX ? n_groups * 2 : SIMD_GROUPS_MAX;
    }
    if (pos > first_pos) {
        lx->pos = pos;
        simd_put_state(lx, &state, &latest);
    }
    return pos - first_pos;
}

/* A kernel's run(). passes: for the lexer's regime, without and with @ as a letter, which may
 * change, and without and with spans. */
SIMD_INLINE int simd_run(struct lexer *lx, const uint8_t *input, uint32_t have,
                         const struct simd_passes passes[2][2])
{
    while (lx->pos < have) {
        uint32_t until = lx->pos + 1;
        if (have - lx->pos < SIMD_WORTH_BYTES + SIMD_AHEAD_BYTES) {
            until = have;
        } else if (simd_applies(lx, input)) {
            const uint32_t n =
                simd_chunks(&passes[lx->context.at_is_letter][lx->writes], lx, input, have);
            until = lx->pos + (n < SIMD_POOR_BYTES ? SIMD_SKIP_BYTES : 1);
        }
        const int rc = lexer_portable_until(lx, input, have, until < have ? until : have);
        if (rc != LEXER_STEP_DONE)
            return rc < 0 ? rc : 0;
    }
    return 0;
}

#endif
