/* The portable kernel: the byte-wise machine, and loops of its own for what makes up nearly all of
 * a document. The loops take only what can be told without looking at the last bytes that are
 * there, so that cut inputs need no second thought; everything else is left to lexer_step(). */
#include "lexer/kernel.h"

#include <assert.h>

#include "lexer/catcode.h"
#include "lexer/context.h"
#include "lexer/issue.h"
#include "lexer/nest.h"
#include "lexer/step.h"
#include "lexer/suspect.h"
#include "lexer/utf8.h"
#include "lexer/word64.h"

/* The loops read at most this many bytes from the offset they have reached. */
#define REACH_BYTES 16u

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The part of struct lexer that the loops work on, kept in registers. */
struct cursor {
    struct lexer *lx;
    const uint8_t *in;
    const uint8_t *classes;
    uint8_t *kinds;
    uint32_t *starts;
    uint32_t span_cap;
    uint32_t pos, limit; /* the loops go on while pos < limit */
    uint32_t n_spans, n_tokens, n_lines, depth;
    uint32_t guard, n_saves;
    uint8_t run, line_state;
    bool in_formula;
    bool end_is_space;
};

ALWAYS_INLINE struct cursor load(struct lexer *lx, const uint8_t *in, uint32_t limit)
{
    return (struct cursor){
        .lx = lx,
        .in = in,
        .classes = lx->context.slots,
        .kinds = lx->out.kinds,
        .starts = lx->out.starts,
        .span_cap = lx->out.span_cap,
        .pos = lx->pos,
        .limit = limit,
        .n_spans = lx->n_spans,
        .n_tokens = lx->n_tokens,
        .n_lines = lx->n_lines,
        .depth = lx->nest.depth,
        .guard = lx->nest.guard,
        .n_saves = lx->context.n_saves,
        .run = lx->run,
        .line_state = lx->line_state,
        .in_formula = lx->nest.n_math > 0,
        .end_is_space = lx->context.end_is_space,
    };
}

ALWAYS_INLINE void store(struct lexer *lx, const struct cursor *c)
{
    lx->pos = c->pos;
    lx->n_spans = c->n_spans;
    lx->n_tokens = c->n_tokens;
    lx->n_lines = c->n_lines;
    lx->nest.depth = c->depth;
    lx->run = c->run;
    lx->line_state = c->line_state;
}

/* To be called after nest.c changed what the cursor holds of it. Where it brought category codes
 * back, whether the loops apply has to be asked again. */
ALWAYS_INLINE void reload_nest(struct cursor *c)
{
    if (c->lx->context.n_saves != c->n_saves)
        c->limit = c->pos;
    c->depth = c->lx->nest.depth;
    c->guard = c->lx->nest.guard;
    c->in_formula = c->lx->nest.n_math > 0;
}

/* Opens a span at offset at; false when there is no room. */
ALWAYS_INLINE bool open_span(struct cursor *c, uint8_t kind, uint32_t at, bool writes)
{
    if (writes) {
        if (c->n_spans == c->span_cap)
            return false;
        c->kinds[c->n_spans] = kind;
        c->starts[c->n_spans] = at;
    }
    c->n_spans++;
    return true;
}

/* Offset of the first byte from at that is no ASCII letter, or one >= limit. */
ALWAYS_INLINE uint32_t skip_letters(const struct cursor *c, uint32_t at)
{
    for (;;) {
        const uint64_t stop = word64_not_ascii_letters(word64_load(c->in + at));
        if (stop)
            return at + word64_first(stop);
        at += 8;
        if (at >= c->limit)
            return at;
    }
}

/* Each of the following takes what begins at c->pos and says whether it did: if not, nothing has
 * changed, and lexer_step() is to go on from there. */

ALWAYS_INLINE bool take_letters(struct cursor *c, bool writes)
{
    if (c->run != LEXER_LETTERS && !open_span(c, LEXER_LETTERS, c->pos, writes))
        return false;
    uint32_t end = skip_letters(c, c->pos + 1);
    /* Words with one space between them, which need no decisions. */
    while (c->classes[c->in[end]] == CATCODE_SPACE &&
           c->classes[c->in[end + 1]] == CATCODE_LETTER && end < c->limit &&
           (!writes || c->span_cap - c->n_spans >= 2)) {
        open_span(c, LEXER_SPACE, end, writes);
        open_span(c, LEXER_LETTERS, end + 1, writes);
        end = skip_letters(c, end + 2);
    }
    c->n_tokens += end - c->pos;
    c->pos = end;
    c->run = LEXER_LETTERS;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

ALWAYS_INLINE bool take_others(struct cursor *c, bool writes)
{
    if (c->run != LEXER_OTHERS && !open_span(c, LEXER_OTHERS, c->pos, writes))
        return false;
    do {
        c->pos++;
        c->n_tokens++;
    } while (c->classes[c->in[c->pos]] == CATCODE_OTHER && c->pos < c->limit);
    c->run = LEXER_OTHERS;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

ALWAYS_INLINE bool take_blanks(struct cursor *c, bool writes)
{
    const bool gives_token = c->line_state == LEXER_LINE_MIDDLE;
    const uint8_t kind = gives_token || c->run == LEXER_SPACE ? LEXER_SPACE : LEXER_SKIPPED;
    if ((gives_token || c->run != kind) && !open_span(c, kind, c->pos, writes))
        return false;
    c->n_tokens += gives_token;
    if (gives_token)
        c->line_state = LEXER_LINE_SKIPPING;
    c->run = kind;
    do {
        c->pos++;
    } while (c->classes[c->in[c->pos]] == CATCODE_SPACE && c->pos < c->limit);
    return true;
}

ALWAYS_INLINE bool take_ignored(struct cursor *c, bool writes)
{
    if (c->run != LEXER_SKIPPED && !open_span(c, LEXER_SKIPPED, c->pos, writes))
        return false;
    c->pos++;
    c->run = LEXER_SKIPPED;
    return true;
}

ALWAYS_INLINE void next_line(struct cursor *c, uint32_t line_end)
{
    c->pos = line_end + 1;
    if (c->in[line_end] == '\r' && c->in[c->pos] == '\n')
        c->pos++;
    /* Nothing is to be said of an LF in a document of LF. */
    if (c->in[line_end] == '\r' || c->lx->line_styles != LEXER_LINES_LF)
        suspect_line_end(c->lx, c->in, c->pos);
    c->n_lines++;
    c->run = LEXER_RUN_NONE;
    c->line_state = LEXER_LINE_NEW;
}

ALWAYS_INLINE bool take_line_end(struct cursor *c, bool writes)
{
    static const uint8_t kinds[] = {[LEXER_LINE_NEW] = LEXER_EOL_PAR,
                                    [LEXER_LINE_MIDDLE] = LEXER_EOL_SPACE,
                                    [LEXER_LINE_SKIPPING] = LEXER_EOL_NONE};
    if (c->end_is_space || (c->line_state == LEXER_LINE_NEW && c->in_formula))
        return false;
    if (!open_span(c, kinds[c->line_state], c->pos, writes))
        return false;
    c->n_tokens += c->line_state != LEXER_LINE_SKIPPING;
    next_line(c, c->pos);
    return true;
}

ALWAYS_INLINE bool take_comment(struct cursor *c, bool writes)
{
    /* To limit, not to the end: what is found leaves room to look behind a CR. */
    const uint32_t line_end = lexer_find_line_end(c->in, c->pos, c->limit);
    if (line_end == c->limit || !open_span(c, LEXER_COMMENT, c->pos, writes))
        return false;
    suspect_comment(c->lx, c->in, c->pos, line_end);
    next_line(c, line_end);
    return true;
}

/* One character that is a token and a span by itself. */
ALWAYS_INLINE bool take_single(struct cursor *c, uint8_t kind, bool writes)
{
    if (!open_span(c, kind, c->pos, writes))
        return false;
    c->pos++;
    c->n_tokens++;
    c->run = LEXER_RUN_NONE;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

ALWAYS_INLINE bool take_control(struct cursor *c, bool writes)
{
    const uint32_t name = c->pos + 1;
    const uint8_t first = c->classes[c->in[name]];
    if (first == CATCODE_LETTER) {
        uint32_t end = skip_letters(c, name + 1);
        while (end < c->limit && c->classes[c->in[end]] == CATCODE_LETTER)
            end = skip_letters(c, end + 1);
        const uint8_t after = c->classes[c->in[end < c->limit ? end : c->pos]];
        /* More of the name may follow as ^^ notation or as UTF-8. */
        if (end >= c->limit || after == CATCODE_SUPERSCRIPT || after == CATCODE_CLASS_UTF8 ||
            watch_name(c->in + name, end - name, c->lx->context.on) != WATCH_NONE ||
            !open_span(c, LEXER_CONTROL_WORD, c->pos, writes))
            return false;
        c->pos = end;
        c->line_state = LEXER_LINE_SKIPPING;
    } else {
        if (first == CATCODE_SUPERSCRIPT || first == CATCODE_SPACE || first == CATCODE_IGNORED ||
            (first == CATCODE_ACTIVE && c->in[name] != '~') || first >= CATCODE_CLASS_LINE_END ||
            !open_span(c, LEXER_CONTROL_SYMBOL, c->pos, writes))
            return false;
        c->pos = name + 1;
        c->line_state = LEXER_LINE_MIDDLE;
    }
    c->n_tokens++;
    c->run = LEXER_RUN_NONE;
    return true;
}

/* A byte that cannot begin a character of UTF-8: invalid by itself. */
ALWAYS_INLINE bool is_stray(uint8_t byte)
{
    return (byte >= 0x80 && byte < 0xC2) || byte > 0xF4;
}

ALWAYS_INLINE bool take_stray(struct cursor *c, bool writes)
{
    if (c->run != LEXER_OTHERS && !open_span(c, LEXER_OTHERS, c->pos, writes))
        return false;
    const uint32_t start = c->pos;
    do {
        c->pos++;
    } while (is_stray(c->in[c->pos]) && c->pos < c->limit);
    lexer_issue_add_bytes(c->lx, LEXER_ISSUE_INVALID_UTF8, start, c->pos);
    c->n_tokens += c->pos - start;
    c->run = LEXER_OTHERS;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

/* UTF-8 of letters and others, and what is invalid in it, which is an other (U+FFFD); what is rare
 * is left to lexer_step(). */
ALWAYS_INLINE bool take_utf8(struct cursor *c, bool writes)
{
    if (is_stray(c->in[c->pos]))
        return take_stray(c, writes);
    const struct utf8_char ch = utf8_decode(c->in + c->pos, REACH_BYTES, true);
    const uint8_t catcode = catcode_of(LEXER_LUALATEX, ch.code_point);
    if (suspect_code_point(ch.code_point) ||
        (catcode != CATCODE_LETTER && catcode != CATCODE_OTHER))
        return false;
    const uint8_t kind = catcode == CATCODE_LETTER ? LEXER_LETTERS : LEXER_OTHERS;
    if (c->run != kind && !open_span(c, kind, c->pos, writes))
        return false;
    if (ch.invalid)
        lexer_issue_add(c->lx, &(struct lexer_issue){.start = c->pos,
                                                     .end = c->pos + ch.n_bytes,
                                                     .id = LEXER_ISSUE_INVALID_UTF8});
    c->pos += ch.n_bytes;
    c->n_tokens++;
    c->run = kind;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

ALWAYS_INLINE bool take_invalid(struct cursor *c, bool writes)
{
    if (c->run != LEXER_INVALID && !open_span(c, LEXER_INVALID, c->pos, writes))
        return false;
    const uint32_t start = c->pos;
    do {
        c->pos++;
    } while (c->classes[c->in[c->pos]] == CATCODE_INVALID && c->pos < c->limit);
    lexer_issue_add_bytes(c->lx, LEXER_ISSUE_INVALID_CHARACTER, start, c->pos);
    c->run = LEXER_INVALID;
    return true;
}

ALWAYS_INLINE bool take_superscript(struct cursor *c, bool writes)
{
    return c->in[c->pos + 1] != '^' && take_single(c, LEXER_SUPERSCRIPT, writes);
}

ALWAYS_INLINE bool take_begin_group(struct cursor *c, bool writes)
{
    if (!take_single(c, LEXER_BEGIN_GROUP, writes))
        return false;
    c->depth++;
    return true;
}

ALWAYS_INLINE bool take_end_group(struct cursor *c, bool writes)
{
    if (!take_single(c, LEXER_END_GROUP, writes))
        return false;
    if (c->depth > c->guard) {
        c->depth--;
    } else {
        c->lx->nest.depth = c->depth;
        nest_close_brace(c->lx, c->in, c->pos - 1, c->pos);
        reload_nest(c);
    }
    return true;
}

ALWAYS_INLINE bool take_math_shift(struct cursor *c, bool writes)
{
    c->lx->nest.depth = c->depth;
    c->lx->n_tokens = c->n_tokens;
    if (!take_single(c, LEXER_MATH_SHIFT, writes))
        return false;
    nest_math_shift(c->lx, c->pos - 1);
    reload_nest(c);
    return true;
}

ALWAYS_INLINE bool take(struct cursor *c, bool writes)
{
    switch (c->classes[c->in[c->pos]]) {
    case CATCODE_LETTER:
        return take_letters(c, writes);
    case CATCODE_SPACE:
        return take_blanks(c, writes);
    case CATCODE_OTHER:
        return take_others(c, writes);
    case CATCODE_CLASS_LINE_END:
        return take_line_end(c, writes);
    case CATCODE_ESCAPE:
        return take_control(c, writes);
    case CATCODE_BEGIN_GROUP:
        return take_begin_group(c, writes);
    case CATCODE_END_GROUP:
        return take_end_group(c, writes);
    case CATCODE_MATH_SHIFT:
        return take_math_shift(c, writes);
    case CATCODE_COMMENT:
        return take_comment(c, writes);
    case CATCODE_CLASS_UTF8:
        return take_utf8(c, writes);
    case CATCODE_SUPERSCRIPT:
        return take_superscript(c, writes);
    case CATCODE_SUBSCRIPT:
        return take_single(c, LEXER_SUBSCRIPT, writes);
    case CATCODE_ALIGNMENT:
        return take_single(c, LEXER_ALIGNMENT, writes);
    case CATCODE_PARAMETER:
        return take_single(c, LEXER_PARAMETER, writes);
    case CATCODE_ACTIVE: /* in pdflatex control characters and bytes of UTF-8, too */
        return c->in[c->pos] == '~' && take_single(c, LEXER_ACTIVE, writes);
    case CATCODE_INVALID:
        return take_invalid(c, writes);
    case CATCODE_IGNORED:
        return take_ignored(c, writes);
    default:
        return false;
    }
}

ALWAYS_INLINE void take_all(struct lexer *lx, const uint8_t *in, uint32_t limit, bool writes)
{
    struct cursor c = load(lx, in, limit);
    while (c.pos < c.limit && take(&c, writes)) {
    }
    store(lx, &c);
}

static __attribute__((noinline)) void take_all_counting(struct lexer *lx, const uint8_t *in,
                                                        uint32_t limit)
{
    take_all(lx, in, limit, false);
}

static __attribute__((noinline)) void take_all_writing(struct lexer *lx, const uint8_t *in,
                                                       uint32_t limit)
{
    take_all(lx, in, limit, true);
}

static bool loops_apply(const struct lexer *lx, uint32_t have)
{
    return lx->mode == LEXER_MODE_TEXT && lx->nest.env_step == LEXER_ENV_IDLE &&
           lx->ahead.caret_end == 0 && context_is_easy(lx) && have - lx->pos > REACH_BYTES;
}

/* whole: commands that the loops leave are taken whole where that can be. */
static int run_until(struct lexer *lx, const uint8_t *input, uint32_t have, uint32_t until,
                     bool whole)
{
    assert(until <= have);
    const struct character_source src = character_source_of(lx, input, have, false);
    while (lx->pos < until) {
        if (loops_apply(lx, have)) {
            const uint32_t reach = have - REACH_BYTES;
            const uint32_t limit = until < reach ? until : reach;
            if (lx->writes)
                take_all_writing(lx, input, limit);
            else
                take_all_counting(lx, input, limit);
            if (lx->pos >= until)
                break;
            if (whole && src.slots[input[lx->pos]] == CATCODE_ESCAPE &&
                lexer_take_command(lx, &src))
                continue;
        }
        const int rc = lexer_step(lx, &src);
        if (rc != LEXER_STEP_DONE)
            return rc;
    }
    return LEXER_STEP_DONE;
}

int lexer_portable_until(struct lexer *lx, const uint8_t *input, uint32_t have, uint32_t until)
{
    return run_until(lx, input, have, until, true);
}

static int portable_run(struct lexer *lx, const uint8_t *input, uint32_t have)
{
    const int rc = run_until(lx, input, have, have, false);
    return rc < 0 ? rc : 0;
}

static bool portable_can_run(void)
{
    return true;
}

const struct lexer_kernel lexer_portable = {
    .name = "portable",
    .can_run = portable_can_run,
    .run = portable_run,
};
