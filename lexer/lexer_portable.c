/* The portable kernel: the byte-wise machine, and loops of its own for what makes up nearly all of
 * a document. The loops take only what can be told without looking at the last bytes that are
 * there, so that cut inputs need no second thought; everything else is left to lexer_step(). */
#include "lexer/kernel.h"

#include <assert.h>

#include "lexer/caret.h"
#include "lexer/catcode.h"
#include "lexer/context.h"
#include "lexer/cursor.h"
#include "lexer/issue.h"
#include "lexer/nest.h"
#include "lexer/step.h"
#include "lexer/suspect.h"
#include "lexer/utf8.h"
#include "lexer/word64.h"

/* Offset of the first byte from at that is no ASCII letter, or one >= limit. */
CURSOR_INLINE uint32_t skip_letters(const struct cursor *c, uint32_t at)
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

/* In pdflatex, of a character with a code of its own suspect.c has to be asked. */
CURSOR_INLINE bool is_suspect(const struct cursor *c)
{
    return c->src->regime == LEXER_PDFLATEX && !suspect_is_plain(c->in[c->pos]);
}

/* The byte goes on with a run of that category code. U+0020 that is not told from what TeX trims is
 * looked at by itself, and so are suspects. */
CURSOR_INLINE bool goes_on(const struct cursor *c, uint8_t catcode, bool by_codes)
{
    return c->classes[c->in[c->pos]] == catcode && c->pos < c->limit &&
           !(by_codes && (cursor_is_open_blank(c) || is_suspect(c)));
}

CURSOR_INLINE bool take_characters(struct cursor *c, uint8_t kind, uint8_t catcode, bool by_codes,
                                   bool writes)
{
    if (c->run != kind && !cursor_open_run(c, kind, 0, writes))
        return false;
    do {
        c->pos++;
        c->n_tokens++;
    } while (goes_on(c, catcode, by_codes));
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

CURSOR_INLINE bool take_letters(struct cursor *c, bool writes)
{
    if (c->run != LEXER_LETTERS && !cursor_open_span(c, LEXER_LETTERS, c->pos, writes))
        return false;
    uint32_t end = skip_letters(c, c->pos + 1);
    /* Words with one space between them, which need no decisions. */
    while (c->classes[c->in[end]] == CATCODE_SPACE &&
           c->classes[c->in[end + 1]] == CATCODE_LETTER && end < c->limit &&
           (!writes || c->span_cap - c->n_spans >= 2)) {
        cursor_open_span(c, LEXER_SPACE, end, writes);
        cursor_open_span(c, LEXER_LETTERS, end + 1, writes);
        end = skip_letters(c, end + 2);
    }
    c->n_tokens += end - c->pos;
    c->pos = end;
    c->run = LEXER_LETTERS;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

CURSOR_INLINE bool take_blanks(struct cursor *c, bool by_codes, bool writes)
{
    const bool gives_token = c->line_state == LEXER_LINE_MIDDLE;
    const uint8_t kind = gives_token || c->run == LEXER_SPACE ? LEXER_SPACE : LEXER_SKIPPED;
    if ((gives_token || c->run != kind) && !cursor_open_span(c, kind, c->pos, writes))
        return false;
    c->n_tokens += gives_token;
    if (gives_token)
        c->line_state = LEXER_LINE_SKIPPING;
    c->run = kind;
    do {
        c->pos++;
    } while (goes_on(c, CATCODE_SPACE, by_codes));
    return true;
}

/* Tells U+0020 from what TeX trims; lexer_step() may have begun to, and knows how far. */
CURSOR_INLINE bool take_open_blanks(struct cursor *c, bool writes)
{
    const uint32_t known_to = c->lx->ahead.blanks_to;
    uint32_t end = known_to > c->pos ? known_to : c->pos;
    while (end < c->limit && c->in[end] == ' ')
        end++;
    if (end >= c->limit)
        return false;
    c->lx->ahead = (struct lexer_ahead){0};
    if (c->in[end] != '\n' && c->in[end] != '\r') {
        c->lx->context.blanks_to = end;
        return true;
    }
    if (c->run != LEXER_SKIPPED && !cursor_open_run(c, LEXER_SKIPPED, 0, writes))
        return false;
    c->pos = end;
    return true;
}

CURSOR_INLINE bool take_ignored(struct cursor *c, bool writes)
{
    if (c->run != LEXER_SKIPPED && !cursor_open_span(c, LEXER_SKIPPED, c->pos, writes))
        return false;
    c->pos++;
    c->run = LEXER_SKIPPED;
    return true;
}

CURSOR_INLINE void next_line(struct cursor *c, uint32_t line_end)
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

CURSOR_INLINE bool take_line_end(struct cursor *c, bool writes)
{
    static const uint8_t kinds[] = {[LEXER_LINE_NEW] = LEXER_EOL_PAR,
                                    [LEXER_LINE_MIDDLE] = LEXER_EOL_SPACE,
                                    [LEXER_LINE_SKIPPING] = LEXER_EOL_NONE};
    if (c->end_is_space || (c->line_state == LEXER_LINE_NEW && c->in_formula))
        return false;
    if (!cursor_open_span(c, kinds[c->line_state], c->pos, writes))
        return false;
    c->n_tokens += c->line_state != LEXER_LINE_SKIPPING;
    next_line(c, c->pos);
    return true;
}

/* Where line ends have another category code. */
CURSOR_INLINE bool take_line_end_by_code(struct cursor *c, bool writes)
{
    const uint8_t code = c->lx->context.slots[LEXER_SLOT_LINE_END];
    const bool gives_space = code == CATCODE_SPACE && c->line_state == LEXER_LINE_MIDDLE;
    if (code == CATCODE_END_LINE)
        return take_line_end(c, writes);
    if (c->end_is_space)
        return false;
    switch (code) {
    case CATCODE_OTHER:
        if (c->run != LEXER_OTHERS && !cursor_open_span(c, LEXER_OTHERS, c->pos, writes))
            return false;
        c->n_tokens++;
        break;
    case CATCODE_ACTIVE:
        if (!cursor_open_span(c, LEXER_ACTIVE, c->pos, writes))
            return false;
        c->n_tokens++;
        break;
    case CATCODE_SPACE:
    case CATCODE_IGNORED:
        if (!cursor_open_span(c, gives_space ? LEXER_EOL_SPACE : LEXER_EOL_NONE, c->pos, writes))
            return false;
        c->n_tokens += gives_space;
        break;
    default:
        return false;
    }
    next_line(c, c->pos);
    return true;
}

CURSOR_INLINE bool take_comment(struct cursor *c, bool writes)
{
    /* To limit, not to the end: what is found leaves room to look behind a CR. */
    const uint32_t line_end = lexer_find_line_end(c->in, c->pos, c->limit);
    if (line_end == c->limit || !cursor_open_span(c, LEXER_COMMENT, c->pos, writes))
        return false;
    suspect_comment(c->lx, c->in, c->pos, line_end);
    next_line(c, line_end);
    return true;
}

/* Behind the letters from at on; limit or more where they go on to there. */
CURSOR_INLINE uint32_t name_end(const struct cursor *c, uint32_t at, bool by_codes)
{
    uint32_t end = by_codes ? at : skip_letters(c, at);
    while (end < c->limit && c->classes[c->in[end]] == CATCODE_LETTER)
        end = by_codes ? end + 1 : skip_letters(c, end + 1);
    return end;
}

CURSOR_INLINE bool take_control(struct cursor *c, bool by_codes, bool writes)
{
    const uint32_t name = c->pos + 1;
    const uint8_t first = c->classes[c->in[name]];
    /* Letters and others may be trimmed with the line end, or what is left of that reported. */
    if (by_codes && (c->in[name] == ' ' || c->in[name] == '\t' || !suspect_is_plain(c->in[name]) ||
                     c->classes[' '] == CATCODE_LETTER || first == CATCODE_SUPERSCRIPT))
        return false;
    if (first == CATCODE_LETTER) {
        const uint32_t end = name_end(c, name + 1, by_codes);
        const uint8_t after = c->classes[c->in[end < c->limit ? end : c->pos]];
        if (end < c->limit && after == CATCODE_SUPERSCRIPT && c->in[end + 1] == '^')
            return !by_codes && caret_is_at(c->in, end) && caret_take_control(c, name, 0, writes);
        /* More of the name may follow as UTF-8. */
        if (end >= c->limit || after == CATCODE_CLASS_UTF8 ||
            watch_name(c->in + name, end - name, c->lx->context.on) != WATCH_NONE ||
            !cursor_open_span(c, LEXER_CONTROL_WORD, c->pos, writes))
            return false;
        c->pos = end;
        c->line_state = LEXER_LINE_SKIPPING;
    } else if (first == CATCODE_SUPERSCRIPT) {
        return caret_is_at(c->in, name) ? caret_take_symbol(c, name, writes)
                                        : caret_take_control(c, name, 0, writes);
    } else {
        if (first == CATCODE_SPACE || first == CATCODE_IGNORED ||
            (first == CATCODE_ACTIVE && c->in[name] != '~') || first >= CATCODE_CLASS_LINE_END ||
            !cursor_open_span(c, LEXER_CONTROL_SYMBOL, c->pos, writes))
            return false;
        c->pos = name + 1;
        c->line_state = LEXER_LINE_MIDDLE;
    }
    c->n_tokens++;
    c->run = LEXER_RUN_NONE;
    return true;
}

/* A byte that is invalid by itself: it cannot begin a character of UTF-8, or nothing goes on with
 * it. */
CURSOR_INLINE bool is_stray(const uint8_t *in)
{
    return in[0] >= 0x80 && (in[0] < 0xC2 || in[0] > 0xF4 || (in[1] & 0xC0) != 0x80);
}

CURSOR_INLINE bool take_strays(struct cursor *c, bool writes)
{
    if (c->run != LEXER_OTHERS && !cursor_open_run(c, LEXER_OTHERS, 0, writes))
        return false;
    const uint32_t start = c->pos;
    do {
        c->pos++;
    } while (is_stray(c->in + c->pos) && c->pos < c->limit);
    lexer_issue_report_bytes(c->lx, LEXER_ISSUE_INVALID_UTF8, start, c->pos);
    c->n_tokens += c->pos - start;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

/* Where the byte behind the first one goes on with it. */
CURSOR_INLINE struct utf8_char decode_utf8(const uint8_t *in)
{
    if (in[0] < 0xE0)
        return (struct utf8_char){(in[0] & 0x1Fu) << 6 | (in[1] & 0x3Fu), 2, false};
    return utf8_decode(in, CURSOR_REACH_BYTES, true);
}

/* What is invalid is an other (U+FFFD). */
CURSOR_INLINE bool take_utf8(struct cursor *c, bool writes)
{
    if (is_stray(c->in + c->pos))
        return take_strays(c, writes);
    const struct utf8_char ch = decode_utf8(c->in + c->pos);
    const uint32_t start = c->pos, end = start + ch.n_bytes;
    const uint8_t catcode = catcode_of(LEXER_LUALATEX, ch.code_point);
    if (catcode == CATCODE_ACTIVE) {
        if (!cursor_take_single(c, LEXER_ACTIVE, end, writes))
            return false;
    } else {
        const bool is_ignored = catcode == CATCODE_IGNORED;
        const uint8_t kind = catcode == CATCODE_LETTER ? LEXER_LETTERS
                             : is_ignored              ? LEXER_SKIPPED
                                                       : LEXER_OTHERS;
        if (c->run != kind && !cursor_open_run(c, kind, 0, writes))
            return false;
        c->pos = end;
        c->n_tokens += !is_ignored;
        c->line_state = is_ignored ? c->line_state : LEXER_LINE_MIDDLE;
    }
    if (ch.invalid)
        lexer_issue_report(c->lx, LEXER_ISSUE_INVALID_UTF8, start, end);
    if (suspect_code_point(ch.code_point))
        suspect_text(c->lx, c->in, start, end);
    return true;
}

CURSOR_INLINE bool take_invalid(struct cursor *c, bool by_codes, bool writes)
{
    if (c->run != LEXER_INVALID && !cursor_open_span(c, LEXER_INVALID, c->pos, writes))
        return false;
    const uint32_t start = c->pos;
    do {
        c->pos++;
    } while (goes_on(c, CATCODE_INVALID, by_codes));
    lexer_issue_report_bytes(c->lx, LEXER_ISSUE_INVALID_CHARACTER, start, c->pos);
    c->run = LEXER_INVALID;
    return true;
}

CURSOR_INLINE bool take_single(struct cursor *c, uint8_t kind, bool writes)
{
    return cursor_take_single(c, kind, c->pos + 1, writes);
}

/* In pdflatex, control characters and bytes of UTF-8 are such, too. */
CURSOR_INLINE bool take_actives(struct cursor *c, bool writes)
{
    const uint32_t start = c->pos;
    const uint8_t byte = c->in[start];
    if (!take_single(c, LEXER_ACTIVE, writes))
        return false;
    while (c->in[c->pos] == byte && c->pos < c->limit && take_single(c, LEXER_ACTIVE, writes)) {
    }
    if (!suspect_is_plain(byte))
        suspect_text(c->lx, c->in, start, c->pos);
    return true;
}

CURSOR_INLINE bool take_superscript(struct cursor *c, bool by_codes, bool writes)
{
    if (caret_is_at(c->in, c->pos))
        return !by_codes && caret_take(c, writes);
    return c->in[c->pos + 1] != '^' && take_single(c, LEXER_SUPERSCRIPT, writes);
}

/* by_codes: category codes hold that the loops for usual ones do not know; known when compiled. */
CURSOR_INLINE bool take(struct cursor *c, bool by_codes, bool writes)
{
    if (by_codes && cursor_is_open_blank(c))
        return take_open_blanks(c, writes);
    if (by_codes && is_suspect(c))
        return false;
    switch (c->classes[c->in[c->pos]]) {
    case CATCODE_LETTER:
        return by_codes ? take_characters(c, LEXER_LETTERS, CATCODE_LETTER, true, writes)
                        : take_letters(c, writes);
    case CATCODE_SPACE:
        return take_blanks(c, by_codes, writes);
    case CATCODE_OTHER:
        return take_characters(c, LEXER_OTHERS, CATCODE_OTHER, by_codes, writes);
    case CATCODE_CLASS_LINE_END:
        return by_codes ? take_line_end_by_code(c, writes) : take_line_end(c, writes);
    case CATCODE_ESCAPE:
        return take_control(c, by_codes, writes);
    case CATCODE_BEGIN_GROUP:
        return cursor_take_begin_group(c, LEXER_BEGIN_GROUP, c->pos + 1, writes);
    case CATCODE_END_GROUP:
        return cursor_take_end_group(c, LEXER_END_GROUP, c->pos + 1, writes);
    case CATCODE_MATH_SHIFT:
        return cursor_take_math_shift(c, LEXER_MATH_SHIFT, c->pos + 1, writes);
    case CATCODE_COMMENT:
        return take_comment(c, writes);
    case CATCODE_CLASS_UTF8:
        return take_utf8(c, writes);
    case CATCODE_SUPERSCRIPT:
        return take_superscript(c, by_codes, writes);
    case CATCODE_SUBSCRIPT:
        return take_single(c, LEXER_SUBSCRIPT, writes);
    case CATCODE_ALIGNMENT:
        return take_single(c, LEXER_ALIGNMENT, writes);
    case CATCODE_PARAMETER:
        return take_single(c, LEXER_PARAMETER, writes);
    case CATCODE_ACTIVE:
        return take_actives(c, writes);
    case CATCODE_INVALID:
        return take_invalid(c, by_codes, writes);
    case CATCODE_IGNORED:
        return take_ignored(c, writes);
    default:
        return false;
    }
}

CURSOR_INLINE void take_all(struct lexer *lx, const struct character_source *src, uint32_t limit,
                            bool by_codes, bool writes)
{
    struct cursor c = cursor_load(lx, src, limit);
    while (c.pos < c.limit && take(&c, by_codes, writes)) {
    }
    cursor_store(lx, &c);
}

#define DEFINE_TAKE_ALL(name, by_codes, writes)                                                    \
    static __attribute__((noinline)) void name(struct lexer *lx,                                   \
                                               const struct character_source *src, uint32_t limit) \
    {                                                                                              \
        take_all(lx, src, limit, by_codes, writes);                                                \
    }
DEFINE_TAKE_ALL(take_all_counting, false, false)
DEFINE_TAKE_ALL(take_all_writing, false, true)
DEFINE_TAKE_ALL(take_all_counting_by_codes, true, false)
DEFINE_TAKE_ALL(take_all_writing_by_codes, true, true)

static void run_loops(struct lexer *lx, const struct character_source *src, uint32_t limit)
{
    static void (*const loops[2][2])(struct lexer *, const struct character_source *, uint32_t) = {
        {take_all_counting, take_all_writing},
        {take_all_counting_by_codes, take_all_writing_by_codes}};
    loops[lx->context.n_odd > 0][lx->writes](lx, src, limit);
}

static bool loops_apply(const struct lexer *lx, uint32_t have)
{
    return lx->mode == LEXER_MODE_TEXT && lx->nest.env_step == LEXER_ENV_IDLE &&
           lx->ahead.caret_end == 0 && context_is_easy(lx) && have - lx->pos > CURSOR_REACH_BYTES;
}

/* whole: commands that the loops leave are taken whole where that can be. */
static int run_until(struct lexer *lx, const uint8_t *input, uint32_t have, uint32_t until,
                     bool whole)
{
    assert(until <= have);
    const struct character_source src = character_source_of(lx, input, have, false);
    while (lx->pos < until) {
        if (loops_apply(lx, have)) {
            const uint32_t reach = have - CURSOR_REACH_BYTES;
            const uint32_t limit = until < reach ? until : reach;
            run_loops(lx, &src, limit);
            if (lx->pos >= until)
                break;
            if (whole && lx->ahead.blanks_to == 0 && src.slots[input[lx->pos]] == CATCODE_ESCAPE &&
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
