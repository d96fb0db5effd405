#include "lexer/step.h"

#include <assert.h>
#include <errno.h>

#include "lexer/catcode.h"
#include "lexer/context.h"
#include "lexer/issue.h"
#include "lexer/nest.h"
#include "lexer/suspect.h"
#include "lexer/verbatim.h"
#include "lexer/word64.h"

uint32_t lexer_find_line_end(const uint8_t *input, uint32_t at, uint32_t have)
{
    while (have - at >= 8) {
        const uint64_t bytes = word64_load(input + at);
        const uint64_t hits = word64_equal(bytes, '\n') | word64_equal(bytes, '\r');
        if (hits)
            return at + word64_first(hits);
        at += 8;
    }
    while (at < have && input[at] != '\n' && input[at] != '\r')
        at++;
    return at;
}

static int open_span(struct lexer *lx, const struct character_source *src, unsigned kind,
                     const struct character *ch)
{
    if (lx->writes) {
        if (lx->n_spans == lx->out.span_cap)
            return -ENOSPC;
        lx->out.kinds[lx->n_spans] = (uint8_t)(kind | (ch->caret ? LEXER_CARET : 0));
        lx->out.starts[lx->n_spans] = lx->pos;
    }
    lx->n_spans++;
    lx->run = LEXER_RUN_NONE;
    if (lx->nest.env_step != LEXER_ENV_IDLE && ch->caret)
        nest_env_caret(lx, ch->end);
    else if (lx->nest.env_step != LEXER_ENV_IDLE)
        nest_env_span(lx, src->bytes, kind, lx->pos);
    return 0;
}

/* Sets the kind of the last span, whose flag stays. */
static void change_kind(struct lexer *lx, unsigned kind)
{
    if (lx->writes) {
        uint8_t *last = &lx->out.kinds[lx->n_spans - 1];
        *last = (uint8_t)(kind | (*last & LEXER_CARET));
    }
}

static void flag_caret(struct lexer *lx)
{
    if (lx->writes)
        lx->out.kinds[lx->n_spans - 1] |= LEXER_CARET;
}

int lexer_join_run(struct lexer *lx, const struct character_source *src, unsigned kind,
                   const struct character *ch)
{
    if (lx->run == kind) {
        if (ch->caret) {
            flag_caret(lx);
            nest_env_caret(lx, ch->end);
        }
        return 0;
    }
    const int rc = open_span(lx, src, kind, ch);
    lx->run = (uint8_t)kind;
    return rc;
}

void lexer_report_caret_fault(struct lexer *lx, uint32_t start, uint32_t next, uint32_t fault_end)
{
    if (lx->caret_fault_next == 0 || lx->caret_fault_next != start)
        lexer_issue_report(lx, LEXER_ISSUE_MALFORMED_CARET, start, fault_end);
    lx->caret_fault_next = next;
}

/* The character is taken, and with it the line end if it held one. */
static void advance(struct lexer *lx, const struct character_source *src,
                    const struct character *ch)
{
    const uint32_t start = lx->pos;
    lx->pos = ch->end;
    if (ch->invalid_utf8)
        lexer_issue_report(lx, LEXER_ISSUE_INVALID_UTF8, start, ch->end);
    if (ch->fault_end)
        lexer_report_caret_fault(lx, start, ch->end, ch->fault_end);
    if (!ch->caret && !ch->line_end && (ch->code < ' ' || ch->code >= 0x7F))
        suspect_text(lx, src->bytes, start, ch->end);
    if (ch->line_end) {
        const uint8_t last = ch->end ? src->bytes[ch->end - 1] : 0;
        /* ^^ notation that takes the line end: it would be another character. */
        if (lx->context.end_is_space && ch->caret)
            context_not_followed(lx, start, ch->end);
        lx->line_end_used = last != '\n' && last != '\r';
        lx->n_lines++;
        lx->line_state = LEXER_LINE_NEW;
        lx->mode = LEXER_MODE_TEXT;
        lx->run = LEXER_RUN_NONE;
        suspect_line_end(lx, src->bytes, ch->end);
        context_line_end(lx);
    }
}

enum lexer_kind lexer_line_end_kind(const struct lexer *lx, uint8_t catcode)
{
    const bool in_middle = lx->line_state == LEXER_LINE_MIDDLE;
    if (catcode == CATCODE_END_LINE && lx->line_state == LEXER_LINE_NEW)
        return LEXER_EOL_PAR;
    return in_middle && (catcode == CATCODE_END_LINE || catcode == CATCODE_SPACE) ? LEXER_EOL_SPACE
                                                                                  : LEXER_EOL_NONE;
}

static int step_line_end(struct lexer *lx, const struct character_source *src,
                         const struct character *ch, uint8_t catcode)
{
    const enum lexer_kind kind = lexer_line_end_kind(lx, catcode);
    if (ch->line_end)
        context_see_line_end(lx, lx->pos, ch->end);
    const int rc = open_span(lx, src, kind, ch);
    if (rc < 0)
        return rc;
    if (kind == LEXER_EOL_PAR)
        nest_par(lx, src->bytes, lx->pos, ch->end);
    lx->n_tokens += kind != LEXER_EOL_NONE;
    lx->mode = LEXER_MODE_REST; /* behind ^^M in mid-line */
    advance(lx, src, ch);
    return 0;
}

static int step_blank(struct lexer *lx, const struct character_source *src,
                      const struct character *ch)
{
    int rc;
    if (lx->line_state == LEXER_LINE_MIDDLE) {
        rc = open_span(lx, src, LEXER_SPACE, ch);
        lx->run = LEXER_SPACE;
        lx->line_state = LEXER_LINE_SKIPPING;
        lx->n_tokens++;
    } else {
        rc = lexer_join_run(lx, src, lx->run == LEXER_SPACE ? LEXER_SPACE : LEXER_SKIPPED, ch);
    }
    advance(lx, src, ch);
    return rc;
}

/* A character that gives one token and leads to state M. */
static int step_visible(struct lexer *lx, const struct character_source *src,
                        const struct character *ch)
{
    static const uint8_t kinds[] = {
        [CATCODE_BEGIN_GROUP] = LEXER_BEGIN_GROUP, [CATCODE_END_GROUP] = LEXER_END_GROUP,
        [CATCODE_MATH_SHIFT] = LEXER_MATH_SHIFT,   [CATCODE_ALIGNMENT] = LEXER_ALIGNMENT,
        [CATCODE_PARAMETER] = LEXER_PARAMETER,     [CATCODE_SUPERSCRIPT] = LEXER_SUPERSCRIPT,
        [CATCODE_SUBSCRIPT] = LEXER_SUBSCRIPT,     [CATCODE_ACTIVE] = LEXER_ACTIVE,
        [CATCODE_LETTER] = LEXER_LETTERS,          [CATCODE_OTHER] = LEXER_OTHERS,
    };
    const uint8_t kind = kinds[ch->catcode];
    const bool merges = kind == LEXER_LETTERS || kind == LEXER_OTHERS;

    if (kind == LEXER_BEGIN_GROUP)
        nest_open_brace(lx);
    else if (kind == LEXER_END_GROUP)
        nest_close_brace(lx, src->bytes, lx->pos, ch->end);
    else if (kind == LEXER_MATH_SHIFT)
        nest_math_shift(lx, lx->pos);
    const int rc = merges ? lexer_join_run(lx, src, kind, ch) : open_span(lx, src, kind, ch);
    lx->n_tokens++;
    lx->line_state = LEXER_LINE_MIDDLE;
    advance(lx, src, ch);
    return rc;
}

/* U+0020 has to be told from what TeX trims from the line end, and is not yet. */
static bool is_open_blank(const struct lexer *lx, const struct character_source *src)
{
    return src->bytes[lx->pos] == ' ' && lx->pos >= lx->context.blanks_to &&
           !context_blanks_are_plain(lx);
}

/* Tells it; *end: behind all of them. */
static enum character_blanks tell_blanks(struct lexer *lx, const struct character_source *src,
                                         uint32_t *end)
{
    const enum character_blanks blanks = character_look_at_blanks(src, lx->pos, &lx->ahead, end);
    if (blanks == CHARACTER_BLANKS_INSIDE)
        lx->context.blanks_to = *end;
    return blanks;
}

static int step_blanks(struct lexer *lx, const struct character_source *src)
{
    static const struct character blank = {.code = ' '};
    uint32_t end;
    const enum character_blanks blanks = tell_blanks(lx, src, &end);
    if (blanks != CHARACTER_BLANKS_AT_END)
        return blanks == CHARACTER_BLANKS_UNKNOWN ? LEXER_STEP_MORE : LEXER_STEP_DONE;
    const int rc = lexer_join_run(lx, src, LEXER_SKIPPED, &blank);
    lx->pos = end;
    return rc;
}

/* The line end is looked at as such, by its category code or that of U+0020 in its place. */
static bool is_line_end(const struct lexer *lx, const struct character *ch)
{
    return ch->line_end && !ch->caret &&
           (lx->context.end_is_space || ch->catcode == CATCODE_IGNORED ||
            ch->catcode == CATCODE_SPACE);
}

static int step_text(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    int rc;
    if (is_open_blank(lx, src))
        return step_blanks(lx, src);
    if (!character_read(src, lx->pos, &lx->ahead, &ch))
        return LEXER_STEP_MORE;
    if (is_line_end(lx, &ch))
        return step_line_end(lx, src, &ch, context_line_end_code(lx));
    switch (ch.catcode) {
    case CATCODE_ESCAPE:
        rc = open_span(lx, src, LEXER_CONTROL_SYMBOL, &ch);
        lx->mode = LEXER_MODE_ESCAPE;
        lx->control_start = lx->pos;
        lx->word_caret = ch.caret;
        break;
    case CATCODE_COMMENT:
        rc = open_span(lx, src, LEXER_COMMENT, &ch);
        lx->mode = LEXER_MODE_REST;
        break;
    case CATCODE_IGNORED:
        rc = lexer_join_run(lx, src, LEXER_SKIPPED, &ch);
        break;
    case CATCODE_INVALID:
        rc = lexer_join_run(lx, src, LEXER_INVALID, &ch);
        /* What a malformed ^^^^ leaves behind is part of that issue. */
        if (!ch.fault_end && !(ch.caret && lx->caret_fault_next == lx->pos && lx->pos > 0))
            lexer_issue_report(lx, LEXER_ISSUE_INVALID_CHARACTER, lx->pos, ch.end);
        break;
    case CATCODE_END_LINE:
        return step_line_end(lx, src, &ch, CATCODE_END_LINE);
    case CATCODE_SPACE:
        return step_blank(lx, src, &ch);
    default:
        return step_visible(lx, src, &ch);
    }
    advance(lx, src, &ch);
    return rc;
}

bool lexer_end_word(struct lexer *lx, const struct character_source *src)
{
    const uint8_t *const name = src->bytes + lx->control_start + 1;
    const uint32_t n = lx->pos - lx->control_start - 1;
    if (!lx->word_caret) {
        const enum watch watch = watch_name(name, n, lx->context.on);
        lx->mode = LEXER_MODE_TEXT; /* unless the word says otherwise */
        if (lx->context.on && !context_word(lx, src, watch, name, n)) {
            lx->mode = LEXER_MODE_WORD;
            return false;
        }
        nest_control_word(lx, lx->control_start, watch);
    } else {
        lx->mode = LEXER_MODE_TEXT;
        if (lx->context.on)
            context_caret_word(lx, src);
    }
    lx->line_state = LEXER_LINE_SKIPPING;
    return true;
}

/* Blanks up to the line end make another command of an escape character. */
static void note_blank(struct lexer *lx, const struct character_source *src,
                       const struct character *ch)
{
    const uint8_t byte = lx->pos < src->have ? src->bytes[lx->pos] : '\n';
    const bool in_name = ch->catcode == CATCODE_LETTER && !ch->line_end;
    if (ch->caret || (byte != ' ' && byte != '\t') || in_name)
        return;
    lx->context.blanks_start = lx->pos;
    if (!ch->line_end) {
        lx->context.busy |= LEXER_BUSY_BLANKS;
        return;
    }
    uint32_t end = ch->end;
    while (end > lx->pos && (src->bytes[end - 1] == '\n' || src->bytes[end - 1] == '\r'))
        end--;
    lexer_issue_report(lx, LEXER_ISSUE_ESCAPED_BLANK, lx->pos, end);
}

/* Of U+0020 that were looked at, the line end need not be looked for again. */
static bool read_escaped(struct lexer *lx, const struct character_source *src, struct character *ch)
{
    if (lx->pos == src->have || src->bytes[lx->pos] != ' ' || lx->pos >= lx->context.blanks_to)
        return character_read_escaped(src, lx->pos, &lx->ahead, ch);
    *ch = (struct character){
        .code = ' ', .start = lx->pos, .end = lx->pos + 1, .catcode = character_catcode(src, ' ')};
    return true;
}

static int step_escape(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    if (!read_escaped(lx, src, &ch))
        return LEXER_STEP_MORE;
    if (ch.caret) {
        flag_caret(lx);
        lx->word_caret = true;
    }
    lx->n_tokens++;
    lx->mode = LEXER_MODE_TEXT;
    lx->line_state = ch.catcode == CATCODE_SPACE ? LEXER_LINE_SKIPPING : LEXER_LINE_MIDDLE;
    if (ch.catcode == CATCODE_LETTER) {
        change_kind(lx, LEXER_CONTROL_WORD);
        lx->mode = LEXER_MODE_WORD;
    }
    note_blank(lx, src, &ch);
    /* A name that takes the line end: it would be another one. */
    if (lx->context.end_is_space && ch.line_end && !ch.caret)
        context_not_followed(lx, lx->pos, ch.end);
    advance(lx, src, &ch);
    return LEXER_STEP_DONE;
}

/* Where U+0020 is a letter, those at the line end are not. */
static int step_word(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    uint32_t end;
    while (lx->pos < src->have && src->slots[src->bytes[lx->pos]] == CATCODE_LETTER) {
        const enum character_blanks blanks =
            is_open_blank(lx, src) ? tell_blanks(lx, src, &end) : CHARACTER_BLANKS_INSIDE;
        if (blanks == CHARACTER_BLANKS_UNKNOWN)
            return LEXER_STEP_MORE;
        if (blanks == CHARACTER_BLANKS_AT_END)
            return lexer_end_word(lx, src) ? LEXER_STEP_DONE : LEXER_STEP_MORE;
        lx->pos++;
    }
    if (lx->pos == src->have)
        return LEXER_STEP_DONE;
    if (!character_read_in_word(src, lx->pos, &lx->ahead, &ch))
        return LEXER_STEP_MORE;
    if (ch.caret && (ch.catcode == CATCODE_LETTER || ch.start > lx->pos)) {
        flag_caret(lx);
        lx->word_caret = true;
    }
    if (ch.catcode == CATCODE_LETTER) {
        advance(lx, src, &ch);
        return LEXER_STEP_DONE;
    }
    /* The character is read once more, as text; what it lost to a malformed ^^^^ stays here. */
    if (ch.start > lx->pos)
        lexer_report_caret_fault(lx, lx->pos, ch.start, ch.fault_end);
    lx->pos = ch.start;
    return lexer_end_word(lx, src) ? LEXER_STEP_DONE : LEXER_STEP_MORE;
}

static bool take_word(struct lexer *lx, const struct character_source *src)
{
    static const struct character plain = {0};
    const uint8_t *const in = src->bytes;
    uint32_t end = lx->pos + 1;
    while (end < src->have && src->slots[in[end]] == CATCODE_LETTER)
        end++;
    /* Of some characters lexer_step() says something. */
    const uint8_t first = in[lx->pos + 1];
    if (end == lx->pos + 1 || first < ' ' || first >= 0x7F || src->slots[' '] == CATCODE_LETTER)
        return false;
    /* Of a CR it has to be known whether LF follows. */
    if (end == src->have || in[end] == '^' || in[end] >= 0x80 ||
        (in[end] == '\r' && end + 1 == src->have) ||
        (lx->writes && lx->n_spans == lx->out.span_cap))
        return false;
    lx->control_start = lx->pos;
    lx->word_caret = false;
    open_span(lx, src, LEXER_CONTROL_WORD, &plain);
    lx->n_tokens++;
    lx->mode = LEXER_MODE_WORD;
    lx->line_state = LEXER_LINE_MIDDLE;
    lx->pos = end;
    lexer_end_word(lx, src);
    if (lx->context.busy)
        context_after_step(lx);
    return true;
}

/* Behind the name of letters and others in braces at offset at; 0 if that is not plain. */
static uint32_t find_name_end(const struct character_source *src, uint32_t at)
{
    const uint32_t n_max = LEXER_ENV_NAME_BYTES_MAX;
    const uint32_t have = src->have - at > n_max ? at + n_max : src->have;
    if (at == have || src->slots[src->bytes[at]] != CATCODE_BEGIN_GROUP)
        return 0;
    do
        at++;
    while (at < have && src->bytes[at] < 0x80 &&
           (src->slots[src->bytes[at]] == CATCODE_LETTER ||
            src->slots[src->bytes[at]] == CATCODE_OTHER));
    return at < have && src->slots[src->bytes[at]] == CATCODE_END_GROUP ? at + 1 : 0;
}

static bool take_name(struct lexer *lx, const struct character_source *src)
{
    static const struct character plain = {0};
    const uint32_t start = lx->pos, end = find_name_end(src, start);
    if (end == 0 || !context_blanks_are_plain(lx) ||
        (lx->writes && lx->out.span_cap - lx->n_spans < end - start))
        return false;
    nest_open_brace(lx);
    open_span(lx, src, LEXER_BEGIN_GROUP, &plain);
    for (lx->pos++; lx->pos < end - 1; lx->pos++)
        lexer_join_run(lx, src,
                       src->slots[src->bytes[lx->pos]] == CATCODE_LETTER ? LEXER_LETTERS
                                                                         : LEXER_OTHERS,
                       &plain);
    nest_close_brace(lx, src->bytes, lx->pos, end);
    open_span(lx, src, LEXER_END_GROUP, &plain);
    lx->n_tokens += end - start;
    lx->line_state = LEXER_LINE_MIDDLE;
    lx->pos = end;
    return true;
}

bool lexer_take_command(struct lexer *lx, const struct character_source *src)
{
    if (!take_word(lx, src))
        return false;
    if (lx->mode == LEXER_MODE_VERB_OPEN || lx->context.busy == LEXER_BUSY_VERB)
        verbatim_take_inline(lx, src);
    else if (lx->nest.env_step == LEXER_ENV_WANT_BRACE && lx->context.busy == 0)
        take_name(lx, src);
    return true;
}

static int step_rest(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    const uint32_t start = lx->pos;
    lx->pos = lexer_find_line_end(src->bytes, start, src->have);
    suspect_comment(lx, src->bytes, start, lx->pos);
    if (lx->pos == src->have)
        return LEXER_STEP_DONE;
    if (!character_read(src, lx->pos, &lx->ahead, &ch))
        return LEXER_STEP_MORE;
    assert(ch.line_end);
    advance(lx, src, &ch);
    return LEXER_STEP_DONE;
}

int lexer_step(struct lexer *lx, const struct character_source *src)
{
    static int (*const steps[])(struct lexer *, const struct character_source *) = {
        [LEXER_MODE_TEXT] = step_text,
        [LEXER_MODE_ESCAPE] = step_escape,
        [LEXER_MODE_WORD] = step_word,
        [LEXER_MODE_REST] = step_rest,
        [LEXER_MODE_VERB_OPEN] = verbatim_step_open,
        [LEXER_MODE_VERB] = verbatim_step_inline,
        [LEXER_MODE_VERBATIM] = verbatim_step_environment,
        [LEXER_MODE_AFTER_END] = verbatim_step_after_end,
    };
    if (lx->context.busy)
        context_before_step(lx, src);
    assert(lx->mode <= LEXER_MODE_AFTER_END);
    const int rc = steps[lx->mode](lx, src);
    if (lx->context.busy)
        context_after_step(lx);
    return rc;
}
