/* The loop of vector kernels: chunks from any address on, as long as they can be told; the
 * byte-wise machine for the rest, on the same struct lexer. */
#ifndef L0_LEXER_SIMD_RUN_H
#define L0_LEXER_SIMD_RUN_H

#include <string.h>

#include "lexer/context.h"
#include "lexer/kernel.h"
#include "lexer/simd_codes.h"
#include "lexer/simd_lines.h"
#include "lexer/simd_nest.h"
#include "lexer/step.h"

/* Fewer bytes are left to the byte-wise machine. */
#define SIMD_WORTH_BYTES 16u

/* Where steps get no further than this, the byte-wise machine takes so many more bytes too, which
 * costs less than leaving and entering the vectors; twice as many each time that this happens
 * again. */
#define SIMD_POOR_BYTES     32u
#define SIMD_SKIP_BYTES     64u
#define SIMD_SKIP_BYTES_MAX 1024u

/* Category codes that have just changed may soon change again, and where steps got nowhere the next
 * one may not either: so many bytes are classified at first. */
#define SIMD_SOON_BYTES (2 * SIMD_GROUP_BYTES)

/* The passes over a chunk, out of line, each compiled for what it depends on. */
struct simd_passes {
    void (*classify)(struct simd_chunk *chunk);
    bool (*apply_rules)(struct simd_chunk *chunk);
    bool (*nest)(struct lexer *lx, const uint8_t *input, uint32_t pos, struct simd_chunk *chunk);
    uint32_t (*put_spans)(const struct simd_chunk *chunk, uint32_t pos, uint32_t room,
                          uint8_t *kinds, uint32_t *starts);
    void (*take_lines)(struct lexer *lx, const uint8_t *input, uint32_t have);
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
           lx->nest.env_step == LEXER_ENV_IDLE && lx->ahead.caret_end == 0 &&
           (context_is_idle(lx) || simd_codes_apply(lx)) && !simd_is_amid_character(input, lx->pos);
}

SIMD_INLINE struct simd_state simd_state_of(const struct lexer *lx, bool by_codes)
{
    const bool text = lx->mode == LEXER_MODE_TEXT;
    const bool middle = text && lx->line_state == LEXER_LINE_MIDDLE;
    const bool skipped = lx->run == LEXER_SKIPPED;
    return (struct simd_state){
        .comment = lx->mode == LEXER_MODE_REST,
        .middle = middle,
        .fresh = text && lx->line_state == LEXER_LINE_NEW,
        .letters = lx->run == LEXER_LETTERS,
        .others = lx->run == LEXER_OTHERS,
        .blanks = (!middle || by_codes) && (lx->run == LEXER_SPACE || skipped),
        .shift = lx->nest.shift_token != 0 && lx->nest.shift_token == lx->n_tokens,
        .skipped = by_codes && skipped,
    };
}

/* The last span that began. */
struct simd_latest {
    uint32_t start;
    bool known, skipped;
};

/* In the step; pos: of the chunk. */
SIMD_INLINE void simd_note_latest(const struct simd_chunk *chunk, uint32_t pos,
                                  struct simd_latest *latest)
{
    uint32_t lane = (chunk->end - 1) / SIMD_LANE_BYTES;
    while (lane > chunk->begin / SIMD_LANE_BYTES && chunk->starts[lane] == 0)
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
SIMD_INLINE void simd_find_line_stops(struct lexer *lx, const uint8_t *input, uint32_t have,
                                      struct simd_line_stops *stops)
{
    if (!(lx->line_styles & (LEXER_LINES_LF | LEXER_LINES_CRLF))) {
        const uint32_t end = have - lx->pos < SIMD_GROUP_BYTES ? have : lx->pos + SIMD_GROUP_BYTES;
        const uint32_t at = lexer_find_line_end(input, lx->pos, end);
        if (at < end && input[at] == '\n')
            lx->line_styles |= LEXER_LINES_LF;
        else if (at + 1 < end && input[at + 1] == '\n')
            lx->line_styles |= LEXER_LINES_CRLF;
    }
    const struct simd_quiet_ends quiet = simd_quiet_ends_of(lx);
    stops->lfs = simd_all(~quiet.lfs);
    stops->crlfs = simd_all(~quiet.crlfs);
    stops->lone_crs = simd_all(lx->line_styles & LEXER_LINES_LONE_CR ? 0 : ~UINT64_C(0));
}

/* What line ends give where category codes have changed. Escaped ones are reported where they would
 * be U+0020. */
SIMD_INLINE void simd_line_codes(const struct lexer *lx, struct simd_line_stops *stops)
{
    const uint8_t code = context_line_end_code(lx);
    stops->escaped = simd_all(lx->context.end_is_space ? ~UINT64_C(0) : 0);
    stops->pars = simd_all(code == CATCODE_END_LINE ? ~UINT64_C(0) : 0);
    stops->spaces = simd_all(code == CATCODE_END_LINE || code == CATCODE_SPACE ? ~UINT64_C(0) : 0);
    stops->actives = simd_all(code == CATCODE_ACTIVE ? ~UINT64_C(0) : 0);
    stops->others = simd_all(code == CATCODE_OTHER ? ~UINT64_C(0) : 0);
}

/* What is kept while a kernel runs. */
struct simd_work {
    struct simd_chunk chunk;
    uint32_t pos; /* of the chunk's first byte */
    bool is_classified;
    bool is_poor;                /* the last steps got nowhere */
    enum simd_codes_in_force by; /* what it was classified by */
    struct simd_codes codes;     /* SIMD_CODES_CHANGED: these */
    /* The end of what is there, with more behind it. */
    uint8_t tail[SIMD_GROUP_BYTES + SIMD_LANE_BYTES];
};

/* A new chunk: of n bytes, which AHEAD more follow. */
SIMD_INLINE void simd_look_at(struct simd_work *work, const uint8_t *in, uint32_t n)
{
    struct simd_chunk *const chunk = &work->chunk;
    chunk->in = in;
    chunk->ruled_end = 0;
    chunk->n_groups =
        n / SIMD_GROUP_BYTES < SIMD_GROUPS_MAX ? n / SIMD_GROUP_BYTES : SIMD_GROUPS_MAX;
    chunk->limit = chunk->n_groups * SIMD_GROUP_BYTES;
    if (chunk->n_groups > 0)
        return;
    memcpy(work->tail, in, n + SIMD_AHEAD_BYTES);
    memset(work->tail + n + SIMD_AHEAD_BYTES, 0, sizeof work->tail - n - SIMD_AHEAD_BYTES);
    chunk->in = work->tail;
    chunk->n_groups = 1;
    chunk->limit = n;
}

/* The chunk was classified by the category codes in force. */
SIMD_INLINE bool simd_is_right(const struct simd_work *work, const struct lexer *lx)
{
    return work->by == simd_codes_of(lx) &&
           (work->by != SIMD_CODES_CHANGED || simd_codes_hold(lx, &work->codes));
}

/* Has the table made anew where category codes have changed, or have no table yet: true. */
SIMD_INLINE bool simd_follow_codes(struct simd_work *work, const struct lexer *lx)
{
    if (work->chunk.table && simd_codes_hold(lx, &work->codes))
        return false;
    simd_codes_make(lx, &work->codes);
    work->chunk.table = &work->codes.table;
    return true;
}

/* Sees to it that the chunk holds the offset pos, with n bytes there and AHEAD more; at its end a
 * new one is begun, so that no few bytes are left to be taken alone. */
SIMD_INLINE void simd_reach(const struct simd_passes *passes, struct simd_work *work,
                            const struct lexer *lx, const uint8_t *input, uint32_t pos, uint32_t n)
{
    const uint32_t end = work->is_classified ? work->pos + work->chunk.limit : pos;
    if (pos < end && (end - pos >= SIMD_LANE_BYTES || end - pos == n) && simd_is_right(work, lx))
        return;
    work->by = simd_codes_of(lx);
    const bool is_new = work->by == SIMD_CODES_CHANGED && simd_follow_codes(work, lx);
    if (is_new || work->is_poor)
        n = n < SIMD_SOON_BYTES ? n : SIMD_SOON_BYTES;
    work->is_poor = false;
    simd_look_at(work, input + pos, n);
    passes->classify(&work->chunk);
    work->pos = pos;
    work->is_classified = true;
}

/* The spans of the step. */
SIMD_INLINE uint32_t simd_take_spans(const struct simd_passes *passes, const struct lexer *lx,
                                     const struct simd_work *work, uint32_t room)
{
    const struct simd_chunk *const chunk = &work->chunk;
    if (lx->writes)
        return passes->put_spans(chunk, work->pos, room, lx->out.kinds + lx->n_spans,
                                 lx->out.starts + lx->n_spans);
    uint32_t n = 0;
    uint32_t lane = chunk->begin / SIMD_GROUP_BYTES * SIMD_LANES;
    for (; lane * SIMD_LANE_BYTES < chunk->end; lane += SIMD_LANES)
        n += simd_count_lanes(chunk->starts + lane);
    return n;
}

/* The step was cut before a command: takes it, if it can be taken whole, and those that follow at
 * once. True: text goes on, by the same passes. */
SIMD_INLINE bool simd_take_cut(struct lexer *lx, const uint8_t *input, uint32_t have)
{
    const struct character_source src = character_source_of(lx, input, have, false);
    const enum simd_codes_in_force by = simd_codes_of(lx);
    bool taken = false;
    while (lx->mode == LEXER_MODE_TEXT && src.slots[input[lx->pos]] == CATCODE_ESCAPE &&
           lexer_take_command(lx, &src)) {
        taken = simd_applies(lx, input);
        if (!taken || lx->pos == have)
            break;
    }
    return taken && simd_codes_of(lx) == by;
}

/* Takes steps until one is cut by what has to be left to the byte-wise machine. The number of bytes
 * taken. */
SIMD_INLINE uint32_t simd_steps(const struct simd_passes *passes, struct simd_work *work,
                                struct lexer *lx, const uint8_t *input, uint32_t have)
{
    struct simd_chunk *const chunk = &work->chunk;
    const bool by_codes = simd_codes_of(lx) == SIMD_CODES_CHANGED;
    struct simd_state state = simd_state_of(lx, by_codes);
    struct simd_latest latest = {0};
    const uint32_t first_pos = lx->pos;
    bool goes_on = true;
    simd_find_line_stops(lx, input, have, &chunk->line_stops);
    chunk->by_codes = by_codes;
    if (by_codes)
        simd_line_codes(lx, &chunk->line_stops);
    lx->ahead = (struct lexer_ahead){0};
    while (goes_on && have - lx->pos >= SIMD_WORTH_BYTES + SIMD_AHEAD_BYTES) {
        const uint32_t room = lx->writes ? lx->out.span_cap - lx->n_spans : UINT32_MAX;
        const uint32_t n = have - lx->pos - SIMD_AHEAD_BYTES;
        if (room < n && room < SIMD_CHUNK_BYTES)
            break;
        simd_reach(passes, work, lx, input, lx->pos, n);
        if (simd_resume_at(chunk, lx->pos - work->pos, &state)) {
            goes_on = !chunk->ruled_stop;
        } else {
            simd_begin_at(chunk, lx->pos - work->pos, &state);
            goes_on = !passes->apply_rules(chunk);
        }
        bool words_end = false;
        if (chunk->end > chunk->begin && !passes->nest(lx, input, work->pos, chunk)) {
            goes_on = false;
            words_end = true;
        }
        if (chunk->end > chunk->begin) {
            lx->n_spans += simd_take_spans(passes, lx, work, room);
            simd_note_latest(chunk, work->pos, &latest);
            lx->pos = work->pos + chunk->end;
            state = simd_state_behind(chunk, chunk->end - 1);
            state.word &= !words_end;
            simd_put_state(lx, &state, &latest);
        }
        if (words_end && simd_take_cut(lx, input, have)) {
            state = simd_state_of(lx, by_codes);
            if (by_codes)
                simd_line_codes(lx, &chunk->line_stops);
            latest = (struct simd_latest){0};
            goes_on = true;
        }
    }
    return lx->pos - first_pos;
}

/* Has the byte-wise machine take so many bytes, or, for 0, one unit. */
SIMD_INLINE int simd_leave(struct lexer *lx, const uint8_t *input, uint32_t have, uint32_t n_bytes)
{
    if (lx->pos == have)
        return LEXER_STEP_DONE;
    if (n_bytes > 0)
        return lexer_portable_until(lx, input, have,
                                    n_bytes < have - lx->pos ? lx->pos + n_bytes : have);
    const struct character_source src = character_source_of(lx, input, have, false);
    return lexer_step(lx, &src);
}

/* A kernel's run(). passes: for the lexer's regime, by category codes, which may change, and
 * without and with spans. */
SIMD_INLINE int simd_run(struct lexer *lx, const uint8_t *input, uint32_t have,
                         const struct simd_passes passes[3][2])
{
    struct simd_work work;
    work.is_classified = work.is_poor = false;
    work.chunk.table = NULL;
    uint32_t skip_bytes = SIMD_SKIP_BYTES;
    while (lx->pos < have) {
        const uint32_t pos = lx->pos;
        uint32_t skipped = 0;
        if (have - pos < SIMD_WORTH_BYTES + SIMD_AHEAD_BYTES) {
            skipped = have - pos;
        } else if (simd_applies(lx, input)) {
            const uint32_t n =
                simd_steps(&passes[simd_codes_of(lx)][lx->writes], &work, lx, input, have);
            const bool is_poor = n < SIMD_POOR_BYTES && lx->mode != LEXER_MODE_REST;
            work.is_poor = is_poor;
            skipped = is_poor ? skip_bytes : 0;
            skip_bytes = !is_poor                           ? SIMD_SKIP_BYTES
                         : skip_bytes < SIMD_SKIP_BYTES_MAX ? skip_bytes * 2
                                                            : SIMD_SKIP_BYTES_MAX;
            if (n > 0 && simd_lines_apply(lx, input))
                continue;
        } else if (simd_lines_apply(lx, input)) {
            passes[0][0].take_lines(lx, input, have);
            const bool may_end = lx->pos < have && input[lx->pos] == '\\';
            skipped = lx->pos - pos < SIMD_LANE_BYTES && !may_end ? SIMD_SKIP_BYTES : 0;
        } else if (simd_is_amid_character(input, pos)) {
            skipped = SIMD_SKIP_BYTES; /* behind invalid UTF-8, and so often before it */
        } else if (lx->context.busy == 0 && !context_is_idle(lx) && !simd_codes_apply(lx)) {
            skipped = SIMD_SKIP_BYTES_MAX; /* the portable kernel's loops know these codes */
        }
        const int rc = simd_leave(lx, input, have, skipped);
        if (rc != LEXER_STEP_DONE)
            return rc < 0 ? rc : 0;
    }
    return 0;
}

#endif
