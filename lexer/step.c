#include "lexer/step.h"

#include <assert.h>
#include <errno.h>

#include "lexer/catcode.h"
#include "lexer/issue.h"
#include "lexer/nest.h"
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
    if (lx->nest.env_step != LEXER_ENV_IDLE)
        nest_env_span(lx, src->bytes, kind, ch->caret, lx->pos);
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

/* Adds the character to the open span of its kind, or opens one. */
static int join_run(struct lexer *lx, const struct character_source *src, unsigned kind,
                    const struct character *ch)
{
    if (lx->run == kind) {
        if (ch->caret) {
            flag_caret(lx);
            lx->nest.env_step = LEXER_ENV_IDLE; /* a name in ^^ notation is not followed */
        }
        return 0;
    }
    const int rc = open_span(lx, src, kind, ch);
    lx->run = (uint8_t)kind;
    return rc;
}

/* One issue for a row of ^, however many malformed prefixes it holds. next: where reading goes on.
 */
static void report_fault(struct lexer *lx, uint32_t start, uint32_t next, uint32_t fault_end)
{
    if (lx->caret_fault_next == 0 || lx->caret_fault_next != start)
        lexer_issue_add(lx, &(struct lexer_issue){.start = start,
                                                  .end = fault_end,
                                                  .id = LEXER_ISSUE_MALFORMED_CARET});
    lx->caret_fault_next = next;
}

/* The character is taken, and with it the line end if it held one. */
static void advance(struct lexer *lx, const struct character_source *src,
                    const struct character *ch)
{
    const uint32_t start = lx->pos;
    lx->pos = ch->end;
    if (ch->invalid_utf8)
        lexer_issue_add(lx, &(struct lexer_issue){
                                .start = start, .end = ch->end, .id = LEXER_ISSUE_INVALID_UTF8});
    if (ch->fault_end)
        report_fault(lx, start, ch->end, ch->fault_end);
    if (ch->line_end) {
        const uint8_t last = ch->end ? src->bytes[ch->end - 1] : 0;
        lx->line_end_used = last != '\n' && last != '\r';
        lx->n_lines++;
        lx->line_state = LEXER_LINE_NEW;
        lx->mode = LEXER_MODE_TEXT;
        lx->run = LEXER_RUN_NONE;
    }
}

static int step_line_end(struct lexer *lx, const struct character_source *src,
                         const struct character *ch)
{
    static const uint8_t kinds[] = {[LEXER_LINE_NEW] = LEXER_EOL_PAR,
                                    [LEXER_LINE_MIDDLE] = LEXER_EOL_SPACE,
                                    [LEXER_LINE_SKIPPING] = LEXER_EOL_NONE};
    const uint8_t kind = kinds[lx->line_state];
    const int rc = open_span(lx, src, kind, ch);
    if (rc < 0)
        return rc;
    if (kind == LEXER_EOL_PAR)
        nest_par(lx, lx->pos, ch->end);
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
        rc = join_run(lx, src, lx->run == LEXER_SPACE ? LEXER_SPACE : LEXER_SKIPPED, ch);
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
        nest_close_brace(lx, lx->pos, ch->end);
    else if (kind == LEXER_MATH_SHIFT)
        nest_math_shift(lx, lx->pos);
    const int rc = merges ? join_run(lx, src, kind, ch) : open_span(lx, src, kind, ch);
    lx->n_tokens++;
    lx->line_state = LEXER_LINE_MIDDLE;
    advance(lx, src, ch);
    return rc;
}

static int step_text(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    int rc;
    if (!character_read(src, lx->pos, &lx->ahead, &ch))
        return LEXER_STEP_MORE;
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
        rc = join_run(lx, src, LEXER_SKIPPED, &ch);
        break;
    case CATCODE_INVALID:
        rc = join_run(lx, src, LEXER_INVALID, &ch);
        /* What a malformed ^^^^ leaves behind is part of that issue. */
        if (!ch.fault_end && !(ch.caret && lx->caret_fault_next == lx->pos && lx->pos > 0))
            lexer_issue_add(lx, &(struct lexer_issue){.start = lx->pos,
                                                      .end = ch.end,
                                                      .id = LEXER_ISSUE_INVALID_CHARACTER});
        break;
    case CATCODE_END_LINE:
        return step_line_end(lx, src, &ch);
    case CATCODE_SPACE:
        return step_blank(lx, src, &ch);
    default:
        return step_visible(lx, src, &ch);
    }
    advance(lx, src, &ch);
    return rc;
}

static void end_word(struct lexer *lx, const struct character_source *src)
{
    const uint32_t name = lx->control_start + 1;
    lx->mode = LEXER_MODE_TEXT;
    lx->line_state = LEXER_LINE_SKIPPING;
    if (!lx->word_caret)
        nest_control_word(lx, lx->control_start, src->bytes + name, lx->pos - name);
}

static int step_escape(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    if (!character_read_escaped(src, lx->pos, &lx->ahead, &ch))
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
    advance(lx, src, &ch);
    return LEXER_STEP_DONE;
}

static int step_word(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    while (lx->pos < src->have && catcode_class[lx->regime][src->bytes[lx->pos]] == CATCODE_LETTER)
        lx->pos++;
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
        report_fault(lx, lx->pos, ch.start, ch.fault_end);
    lx->pos = ch.start;
    end_word(lx, src);
    return LEXER_STEP_DONE;
}

static int step_rest(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    lx->pos = lexer_find_line_end(src->bytes, lx->pos, src->have);
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
    };
    assert(lx->mode <= LEXER_MODE_REST);
    return steps[lx->mode](lx, src);
}
