#include "lexer/hidden.h"

#include <string.h>

#include "lexer/issue.h"
#include "lexer/look_text.h"
#include "lexer/step.h"

/* A comment, from its % to the line's end, and what is in it. Offsets + 1, 0: none. */
struct comment {
    uint32_t start, end;
    uint32_t n_opens; /* braces that it opens and does not close */
    uint32_t open;    /* the last one */
    uint32_t close;   /* the first } that its own { do not match */
    uint32_t n_math;  /* $ */
    uint32_t math;    /* the first one */
};

/* Where a byte means something. */
enum place { IN_TEXT = 1, IN_COMMENT = 2 };

/* The first byte from offset at on that means something there, or end. */
static uint32_t find_symbol(const uint8_t *input, uint32_t at, uint32_t end, enum place place)
{
    static const uint8_t places[256] = {['\\'] = IN_TEXT | IN_COMMENT,
                                        ['{'] = IN_TEXT | IN_COMMENT,
                                        ['}'] = IN_TEXT | IN_COMMENT,
                                        ['$'] = IN_COMMENT};
    while (at < end && !(places[input[at]] & place))
        at++;
    return at;
}

static void read_comment(struct comment *comment, const uint8_t *input)
{
    const uint32_t end = comment->end;
    for (uint32_t at = comment->start; (at = find_symbol(input, at, end, IN_COMMENT)) < end; at++) {
        if (input[at] == '\\') {
            at++;
        } else if (input[at] == '{') {
            comment->n_opens++;
            comment->open = at + 1;
        } else if (input[at] == '}' && comment->n_opens > 0) {
            comment->n_opens--;
        } else if (input[at] == '}' && !comment->close) {
            comment->close = at + 1;
        } else if (input[at] == '$') {
            comment->n_math++;
            if (!comment->math)
                comment->math = at + 1;
        }
    }
}

/* The text from offset from on holds an odd number of escape characters before offset at. */
static bool is_escaped(const uint8_t *input, uint32_t from, uint32_t at)
{
    uint32_t n = 0;
    while (at - n > from && input[at - n - 1] == '\\')
        n++;
    return n % 2 == 1;
}

/* The next % from offset at on, or end. It is often near where it is text: \%. */
static uint32_t find_percent(const uint8_t *input, uint32_t at, uint32_t end)
{
    const uint32_t near = end - at > 16 ? at + 16 : end;
    for (; at < near; at++)
        if (input[at] == '%')
            return at;
    const uint8_t *const found = at < end ? memchr(input + at, '%', end - at) : NULL;
    return found ? (uint32_t)(found - input) : end;
}

/* The next comment of the text from offset at on. False: there is none. */
static bool find_comment(struct comment *comment, const uint8_t *input, uint32_t at, uint32_t end)
{
    uint32_t start = at;
    while (start < end && (start = find_percent(input, start, end)) < end) {
        if (!is_escaped(input, at, start)) {
            *comment =
                (struct comment){.start = start, .end = lexer_find_line_end(input, start, end)};
            read_comment(comment, input);
            return true;
        }
        start++;
    }
    return false;
}

/* Of the line that the comment is on, from offset from on, if it begins before: the last brace that
 * is open before the comment, plus 1; 0: none. */
static uint32_t find_open(const struct comment *comment, const uint8_t *input, uint32_t from)
{
    const uint32_t line = look_line_start(input, comment->start);
    uint32_t at = line > from ? line : from, n_open = 0, last = 0;
    for (; (at = find_symbol(input, at, comment->start, IN_TEXT)) < comment->start; at++) {
        if (input[at] == '\\') {
            at++;
        } else if (input[at] == '{') {
            n_open++;
            last = at + 1;
        } else if (n_open > 0) {
            n_open--;
        }
    }
    return n_open > 0 ? last : 0;
}

static void report(struct lexer *lx, uint32_t at, uint32_t rel_start, uint32_t rel_end)
{
    lexer_issue_add(lx, &(struct lexer_issue){.start = at,
                                              .end = at + 1,
                                              .rel_start = rel_start,
                                              .rel_end = rel_end,
                                              .id = LEXER_ISSUE_COMMENT_HIDES});
}

/* Formulas inside others have been searched when those are: what they hold is passed over. */
void hidden_math(struct lexer *lx, const uint8_t *input, uint32_t start, uint32_t end)
{
    struct comment comment;
    const uint32_t known = lx->hidden_math_start, known_end = lx->hidden_math_end;
    uint32_t at = start;
    while (at < end) {
        if (at >= known && at < known_end)
            at = known_end;
        const uint32_t to = at < known && known < end ? known : end;
        if (!find_comment(&comment, input, at, to)) {
            at = to;
        } else if (comment.n_math % 2 == 1) {
            report(lx, comment.math - 1, start, start + 1);
            return;
        } else {
            at = comment.end + 1;
        }
    }
    lx->hidden_math_start = start;
    lx->hidden_math_end = end;
}

void hidden_look_for_opening(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end)
{
    struct comment comment;
    uint32_t found = 0;
    for (uint32_t from = lx->hidden_search; find_comment(&comment, input, from, at);
         from = comment.end + 1)
        if (comment.n_opens > 0)
            found = comment.open;
    if (found)
        report(lx, found - 1, at, end);
}

void hidden_closings(struct lexer *lx, const uint8_t *input, uint32_t end, uint32_t n)
{
    struct comment comment;
    for (uint32_t at = lx->hidden_search; n > 0 && find_comment(&comment, input, at, end);
         at = comment.end + 1) {
        const uint32_t open = comment.close ? find_open(&comment, input, at) : 0;
        if (open) {
            report(lx, comment.close - 1, open - 1, open);
            n--;
        }
    }
}
