#include "lexer/verbatim.h"

#include <assert.h>
#include <string.h>

#include "lexer/catcode.h"
#include "lexer/context.h"
#include "lexer/issue.h"
#include "lexer/step.h"
#include "lexer/suspect.h"
#include "lexer/word64.h"

/* Lengths of those of the names below that begin with the letter, as bits. */
static const uint16_t name_lengths[256] = {
    ['v'] = 1u << 8 | 1u << 9, ['l'] = 1u << 10, ['m'] = 1u << 6,
    ['V'] = 1u << 8,           ['B'] = 1u << 9,  ['L'] = 1u << 9,
    ['S'] = 1u << 12,          ['c'] = 1u << 7,  ['f'] = 1u << 12 | 1u << 13,
};

static bool is_built_in(const uint8_t *name, uint32_t n_bytes)
{
    static const char *const names[] = {"verbatim", "verbatim*",    "lstlisting",   "minted",
                                        "Verbatim", "BVerbatim",    "LVerbatim",    "SaveVerbatim",
                                        "comment",  "filecontents", "filecontents*"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == n_bytes && memcmp(names[i], name, n_bytes) == 0)
            return true;
    return false;
}

bool verbatim_is_name(const struct lexer *lx, const uint8_t *name, uint32_t n_bytes)
{
    if (n_bytes == 0)
        return false;
    if (n_bytes < 16 && (name_lengths[*name] >> n_bytes & 1) && is_built_in(name, n_bytes))
        return true;
    for (uint32_t i = 0; i < lx->context.n_verbatim_names; i++) {
        const char *const more = lx->context.verbatim_names[i];
        if (strlen(more) == n_bytes && memcmp(more, name, n_bytes) == 0)
            return true;
    }
    return false;
}

bool verbatim_is_document(const uint8_t *name, uint32_t n_bytes)
{
    return n_bytes == 8 && memcmp(name, "document", n_bytes) == 0;
}

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

static void end_line(struct lexer *lx, const struct character_source *src, uint32_t end)
{
    lx->pos = end;
    lx->n_lines++;
    lx->run = LEXER_RUN_NONE;
    lx->line_state = LEXER_LINE_NEW;
    suspect_line_end(lx, src->bytes, end);
    context_line_end(lx);
}

/* Goes on in a span of that kind. */
static int join(struct lexer *lx, const struct character_source *src, unsigned kind)
{
    static const struct character plain = {0};
    return lexer_join_run(lx, src, kind, &plain);
}

static void back_to_text(struct lexer *lx)
{
    lx->context.n_blanks = 0;
    lx->mode = LEXER_MODE_TEXT;
    lx->line_state = LEXER_LINE_MIDDLE;
    lx->run = LEXER_RUN_NONE;
}

/* One token for every character but those that TeX does not take at all (15), and but U+0020 at the
 * end of the line. */
static int take_character(struct lexer *lx, const struct character_source *src,
                          const struct character *ch)
{
    const int rc = join(lx, src, LEXER_VERBATIM);
    if (rc < 0)
        return rc;
    if (ch->code == ' ') {
        lx->context.n_blanks++;
    } else {
        lx->n_tokens += lx->context.n_blanks + (ch->catcode != CATCODE_INVALID);
        lx->context.n_blanks = 0;
    }
    if (ch->invalid_utf8)
        lexer_issue_add(lx, &(struct lexer_issue){
                                .start = lx->pos, .end = ch->end, .id = LEXER_ISSUE_INVALID_UTF8});
    if (ch->catcode == CATCODE_INVALID)
        lexer_issue_add(lx, &(struct lexer_issue){.start = lx->pos,
                                                  .end = ch->end,
                                                  .id = LEXER_ISSUE_INVALID_CHARACTER});
    if (ch->code < ' ' || ch->code >= 0x7F)
        suspect_text(lx, src->bytes, lx->pos, ch->end);
    lx->pos = ch->end;
    return LEXER_STEP_DONE;
}

/* The offset of the first byte from at on that is not printable ASCII, or is one or two; have if
 * there is none. */
static uint32_t find_stop(const uint8_t *in, uint32_t at, uint32_t have, uint8_t one, uint8_t two)
{
    while (have - at >= 8) {
        const uint64_t bytes = word64_load(in + at);
        const uint64_t stop =
            word64_not_printable(bytes) | word64_equal(bytes, one) | word64_equal(bytes, two);
        if (stop)
            return at + word64_first(stop);
        at += 8;
    }
    while (at < have && in[at] >= ' ' && in[at] < 0x7F && in[at] != one && in[at] != two)
        at++;
    return at;
}

/* Printable ASCII but for the bytes one and two, which needs no decisions. */
static void take_plain(struct lexer *lx, const struct character_source *src, uint8_t one,
                       uint8_t two)
{
    struct lexer_context *context = &lx->context;
    const uint32_t start = lx->pos, end = find_stop(src->bytes, start, src->have, one, two);
    uint32_t blanks = 0;
    while (blanks < end - start && src->bytes[end - blanks - 1] == ' ')
        blanks++;
    if (blanks < end - start) {
        lx->n_tokens += context->n_blanks + (end - start - blanks);
        context->n_blanks = 0;
    }
    context->n_blanks += blanks;
    lx->pos = end;
}

/* \verb, \lstinline, \mintinline */

void verbatim_begin_inline(struct lexer *lx, enum watch watch)
{
    struct lexer_context *context = &lx->context;
    context->command_start = lx->control_start;
    context->command_end = lx->pos;
    context->takes_star = watch == WATCH_VERB;
    context->has_lang = watch == WATCH_MINTINLINE;
    context->balanced = false;
    if (watch == WATCH_VERB) {
        lx->mode = LEXER_MODE_VERB_OPEN;
        return;
    }
    context->busy |= LEXER_BUSY_VERB;
    context->verb_step = LEXER_VERB_OPTION;
}

/* No more arguments before the text: its delimiter is next. */
static void expect_delimiter(struct lexer *lx)
{
    lx->context.busy &= (uint8_t)~LEXER_BUSY_VERB;
    lx->mode = LEXER_MODE_VERB_OPEN;
}

void verbatim_before_step(struct lexer *lx, const struct character_source *src)
{
    struct lexer_context *context = &lx->context;
    const uint8_t byte = src->bytes[lx->pos];
    const bool blank = byte == ' ' || byte == '\t' || is_line_end(byte);
    switch ((enum lexer_verb_step)context->verb_step) {
    case LEXER_VERB_OPTION:
        if (byte == '[') {
            context->verb_step = LEXER_VERB_IN_OPTION;
            context->depth = lx->nest.depth;
            return;
        }
        break;
    case LEXER_VERB_IN_OPTION:
        if (lx->nest.depth < context->depth) {
            context->busy &= (uint8_t)~LEXER_BUSY_VERB;
            context_not_followed(lx, context->command_start, context->command_end);
        } else if (byte == ']' && lx->nest.depth == context->depth) {
            context->verb_step = LEXER_VERB_LANG;
        }
        return;
    case LEXER_VERB_LANG:
        break;
    case LEXER_VERB_IN_LANG:
        if (lx->nest.depth <= context->depth && src->bytes[lx->pos - 1] == '}')
            expect_delimiter(lx);
        return;
    }
    if (blank)
        return;
    if (context->has_lang && byte == '{') {
        context->verb_step = LEXER_VERB_IN_LANG;
        context->depth = lx->nest.depth;
    } else {
        expect_delimiter(lx);
    }
}

static void break_inline(struct lexer *lx, uint32_t at)
{
    lexer_issue_add(lx, &(struct lexer_issue){.start = lx->context.command_start,
                                              .end = at,
                                              .id = LEXER_ISSUE_VERB_BROKEN});
}

int verbatim_step_open(struct lexer *lx, const struct character_source *src)
{
    struct lexer_context *context = &lx->context;
    const uint8_t byte = src->bytes[lx->pos];
    struct character ch;
    int rc;
    if (byte == ' ') {
        rc = join(lx, src, LEXER_SKIPPED);
        lx->pos++;
        return rc;
    }
    if (is_line_end(byte) || (byte == '}' && lx->nest.depth > 0)) {
        lx->mode = LEXER_MODE_TEXT;
        if (byte == '}')
            context_not_followed(lx, context->command_start, context->command_end);
        else
            break_inline(lx, lx->pos);
        return LEXER_STEP_DONE;
    }
    if (byte == '*' && context->takes_star) {
        rc = join(lx, src, LEXER_OTHERS);
        context->takes_star = false;
        lx->n_tokens++;
        lx->pos++;
        return rc;
    }
    if (!character_read_raw(src, lx->pos, &ch))
        return LEXER_STEP_MORE;
    lx->run = LEXER_RUN_NONE;
    rc = take_character(lx, src, &ch);
    context->delimiter = ch.code;
    context->balanced = byte == '{' && context->command_end - context->command_start > 6;
    context->depth = 1;
    lx->mode = LEXER_MODE_VERB;
    return rc;
}

/* The character closes the text. */
static bool is_closing(struct lexer *lx, const struct character *ch)
{
    struct lexer_context *context = &lx->context;
    if (!context->balanced)
        return ch->code == context->delimiter;
    if (ch->code == '{')
        context->depth++;
    return ch->code == '}' && --context->depth == 0;
}

int verbatim_step_inline(struct lexer *lx, const struct character_source *src)
{
    struct character ch;
    if (is_line_end(src->bytes[lx->pos])) {
        break_inline(lx, lx->pos);
        back_to_text(lx);
        return LEXER_STEP_DONE;
    }
    if (!character_read_raw(src, lx->pos, &ch))
        return LEXER_STEP_MORE;
    const int rc = take_character(lx, src, &ch);
    if (rc == LEXER_STEP_DONE && is_closing(lx, &ch))
        back_to_text(lx);
    else if (rc == LEXER_STEP_DONE && lx->context.delimiter < 0x80)
        take_plain(lx, src, (uint8_t)lx->context.delimiter,
                   lx->context.balanced ? '}' : (uint8_t)lx->context.delimiter);
    return rc;
}

uint32_t verbatim_inline_end(const struct lexer *lx, const uint8_t *input, uint32_t at,
                             uint32_t have, enum watch watch)
{
    const uint8_t first = at < have ? input[at] : 0;
    if (first <= ' ' || first >= 0x7F || (first == '}' && lx->nest.depth > 0) ||
        (first == '*' && watch == WATCH_VERB) || (first == '[' && watch == WATCH_LSTINLINE))
        return 0;
    const uint8_t last = first == '{' && watch != WATCH_VERB ? '}' : first;
    uint32_t depth = 1;
    while (depth > 0) {
        at = find_stop(input, at + 1, have, first, last);
        if (at == have || (input[at] != first && input[at] != last))
            return 0;
        if (input[at] == last)
            depth--;
        else
            depth++;
    }
    return at + 1;
}

/* Takes blanks, and behind these the bytes up to offset end as a span of that kind. */
static void take_span(struct lexer *lx, const struct character_source *src, uint32_t begin,
                      uint32_t end, unsigned kind)
{
    if (begin > lx->pos)
        join(lx, src, LEXER_SKIPPED);
    lx->pos = begin;
    lx->run = LEXER_RUN_NONE;
    join(lx, src, kind);
    lx->pos = end;
    lx->n_tokens += end - begin;
}

static uint32_t skip_blanks(const struct character_source *src, uint32_t at)
{
    while (at < src->have && src->bytes[at] == ' ')
        at++;
    return at;
}

bool verbatim_take_inline(struct lexer *lx, const struct character_source *src)
{
    const struct lexer_context *context = &lx->context;
    const bool is_verb = lx->mode == LEXER_MODE_VERB_OPEN;
    if (!is_verb && (context->verb_step != LEXER_VERB_OPTION || context->has_lang))
        return false;
    const uint32_t star = is_verb ? skip_blanks(src, lx->pos) : lx->pos;
    const bool has_star = is_verb && star < src->have && src->bytes[star] == '*';
    const uint32_t begin = has_star ? skip_blanks(src, star + 1) : star;
    const uint32_t end = verbatim_inline_end(lx, src->bytes, begin, src->have,
                                             is_verb ? WATCH_VERB : WATCH_LSTINLINE);
    if (end == 0 || (lx->writes && lx->out.span_cap - lx->n_spans < 4))
        return false;
    if (!is_verb)
        expect_delimiter(lx);
    if (has_star)
        take_span(lx, src, star, star + 1, LEXER_OTHERS);
    take_span(lx, src, begin, end, LEXER_VERBATIM);
    back_to_text(lx);
    return true;
}

/* Environments: up to "\end{name}", which stands so, without blanks, anywhere on a line. */

enum matched { MATCHED_NOT, MATCHED_PARTLY, MATCHED_ALL };

static enum matched match_end(const struct lexer *lx, const uint8_t *input, uint32_t at,
                              uint32_t have)
{
    static const uint8_t end[] = "\\end{";
    const uint32_t innermost = lx->nest.n_env - 1;
    const uint8_t *const name = input + lx->nest.env[innermost].name_start;
    const uint32_t n_end = sizeof end - 1, n = n_end + lx->nest.env_name_bytes[innermost];
    for (uint32_t i = 0; i <= n; i++) {
        if (at + i == have)
            return MATCHED_PARTLY;
        if (input[at + i] != (i < n_end ? end[i] : i < n ? name[i - n_end] : '}'))
            return MATCHED_NOT;
    }
    return MATCHED_ALL;
}

bool verbatim_may_end(const struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t have)
{
    return match_end(lx, input, at, have) != MATCHED_NOT;
}

int verbatim_step_environment(struct lexer *lx, const struct character_source *src)
{
    const enum matched matched =
        src->bytes[lx->pos] == '\\' ? match_end(lx, src->bytes, lx->pos, src->have) : MATCHED_NOT;
    struct character ch;
    if (matched == MATCHED_PARTLY && !src->final)
        return LEXER_STEP_MORE;
    if (matched == MATCHED_ALL) {
        lx->n_tokens += lx->context.n_blanks;
        back_to_text(lx);
        return LEXER_STEP_DONE;
    }
    if (!character_read_raw(src, lx->pos, &ch))
        return LEXER_STEP_MORE;
    if (!ch.line_end) {
        const int rc = take_character(lx, src, &ch);
        if (rc == LEXER_STEP_DONE)
            take_plain(lx, src, '\\', '\\');
        return rc;
    }
    const int rc = join(lx, src, LEXER_VERBATIM);
    if (rc < 0)
        return rc;
    lx->context.n_blanks = 0;
    lx->n_tokens++;
    end_line(lx, src, ch.end);
    return LEXER_STEP_DONE;
}

/* Behind the end. */

static void report_text(struct lexer *lx, uint32_t end)
{
    struct lexer_context *context = &lx->context;
    if (context->text_found)
        lexer_issue_add(lx, &(struct lexer_issue){.start = context->blanks_start,
                                                  .end = end,
                                                  .id = LEXER_ISSUE_TEXT_AFTER_END});
    context->warns_after_end &= !context->text_found;
    context->text_found = false;
}

/* Looks for text that is no comment, once. */
static void see_text(struct lexer *lx, const uint8_t *input, uint32_t end)
{
    struct lexer_context *context = &lx->context;
    uint32_t at = lx->pos;
    while (at < end && (input[at] == ' ' || input[at] == '\t'))
        at++;
    if (at == end)
        return;
    context->text_is_new = false;
    context->text_found = input[at] != '%';
    context->blanks_start = at;
}

int verbatim_step_after_end(struct lexer *lx, const struct character_source *src)
{
    struct lexer_context *context = &lx->context;
    const uint32_t end = lexer_find_line_end(src->bytes, lx->pos, src->have);
    struct character ch = {0};
    const int rc = join(lx, src, LEXER_AFTER_END);
    if (rc < 0)
        return rc;
    if (context->warns_after_end && context->text_is_new)
        see_text(lx, src->bytes, end);
    suspect_comment(lx, src->bytes, lx->pos, end);
    lx->pos = end;
    if (end == src->have)
        return LEXER_STEP_DONE;
    if (!character_read_raw(src, end, &ch))
        return LEXER_STEP_MORE;
    report_text(lx, end);
    context->text_is_new = true;
    end_line(lx, src, ch.end);
    return LEXER_STEP_DONE;
}

void verbatim_finish(struct lexer *lx, uint32_t end)
{
    if (lx->mode == LEXER_MODE_VERB || lx->mode == LEXER_MODE_VERB_OPEN)
        break_inline(lx, end);
    else if (lx->mode == LEXER_MODE_AFTER_END)
        report_text(lx, end);
}
