#include "lexer/hidden.h"

#include <string.h>

#include "lexer/issue.h"
#include "lexer/step.h"

/* One line: what stands before its comment, and in it. Offsets + 1, 0: none. */
struct line {
    uint32_t end;            /* of the line, its end not included */
    uint32_t n_open;         /* braces that its text opens and does not close */
    uint32_t last_open;      /* the last one of these */
    uint32_t n_hidden_opens; /* the same of the comment */
    uint32_t hidden_open;
    uint32_t hidden_close;  /* the first } of the comment that its own { do not match */
    uint32_t n_hidden_math; /* $ in the comment */
    uint32_t hidden_math;   /* the first one */
};

/* Where a byte means something. */
enum place { IN_TEXT = 1, IN_COMMENT = 2 };

/* The first byte from offset at on that means something there, or end. */
static uint32_t find_symbol(const uint8_t *input, uint32_t at, uint32_t end, enum place place)
{
    static const uint8_t places[256] = {['\\'] = IN_TEXT | IN_COMMENT,
                                        ['{'] = IN_TEXT | IN_COMMENT,
                                        ['}'] = IN_TEXT | IN_COMMENT,
                                        ['%'] = IN_TEXT,
                                        ['$'] = IN_COMMENT};
    while (at < end && !(places[input[at]] & place))
        at++;
    return at;
}

static void read_comment(struct line *line, const uint8_t *input, uint32_t from, uint32_t end)
{
    for (uint32_t at = from; (at = find_symbol(input, at, end, IN_COMMENT)) < end; at++) {
        if (input[at] == '\\') {
            at++;
        } else if (input[at] == '{') {
            line->n_hidden_opens++;
            line->hidden_open = at + 1;
        } else if (input[at] == '}' && line->n_hidden_opens > 0) {
            line->n_hidden_opens--;
        } else if (input[at] == '}' && !line->hidden_close) {
            line->hidden_close = at + 1;
        } else if (input[at] == '$') {
            line->n_hidden_math++;
            if (!line->hidden_math)
                line->hidden_math = at + 1;
        }
    }
}

/* The rest of the line from offset at on, which is not in a comment. */
static struct line read_line(const uint8_t *input, uint32_t at, uint32_t end)
{
    struct line line = {.end = lexer_find_line_end(input, at, end)};
    for (; (at = find_symbol(input, at, line.end, IN_TEXT)) < line.end; at++) {
        if (input[at] == '%')
            break;
        if (input[at] == '\\') {
            at++;
        } else if (input[at] == '{') {
            line.n_open++;
            line.last_open = at + 1;
        } else if (input[at] == '}' && line.n_open > 0) {
            line.n_open--;
        }
    }
    read_comment(&line, input, at, line.end);
    return line;
}

/* Behind what can hold no comment: the first line from offset at on with a comment character in it,
 * or the rest of one; or end. */
static uint32_t find_line(const uint8_t *input, uint32_t at, uint32_t end)
{
    const uint8_t *const found = at < end ? memchr(input + at, '%', end - at) : NULL;
    if (!found)
        return end;
    uint32_t line = (uint32_t)(found - input);
    while (line > at && input[line - 1] != '\n' && input[line - 1] != '\r')
        line--;
    return line;
}

static void report(struct lexer *lx, uint32_t at, uint32_t rel_start, uint32_t rel_end)
{
    lexer_issue_add(lx, &(struct lexer_issue){.start = at,
                                              .end = at + 1,
                                              .rel_start = rel_start,
                                              .rel_end = rel_end,
                                              .id = LEXER_ISSUE_COMMENT_HIDES});
}

void hidden_math(struct lexer *lx, const uint8_t *input, uint32_t start, uint32_t end)
{
    for (uint32_t at = find_line(input, start, end); at < end;) {
        const struct line line = read_line(input, at, end);
        if (line.n_hidden_math % 2 == 1) {
            report(lx, line.hidden_math - 1, start, start + 1);
            return;
        }
        at = find_line(input, line.end + 1, end);
    }
}

void hidden_look_for_opening(struct lexer *lx, const uint8_t *input, uint32_t at, uint32_t end)
{
    uint32_t found = 0;
    for (uint32_t from = find_line(input, lx->hidden_search, at); from < at;) {
        const struct line line = read_line(input, from, at);
        if (line.n_hidden_opens > 0)
            found = line.hidden_open;
        from = find_line(input, line.end + 1, at);
    }
    if (found)
        report(lx, found - 1, at, end);
}

void hidden_closings(struct lexer *lx, const uint8_t *input, uint32_t end, uint32_t n)
{
    for (uint32_t at = find_line(input, lx->hidden_search, end); at < end && n > 0;) {
        const struct line line = read_line(input, at, end);
        if (line.hidden_close && line.n_open > 0) {
            report(lx, line.hidden_close - 1, line.last_open - 1, line.last_open);
            n--;
        }
        at = find_line(input, line.end + 1, end);
    }
}
