#include "lexer/look.h"

#include "lexer/look_text.h"
#include "lexer/word64.h"

bool look_is_no_bracket(const struct look_text *text, uint32_t at)
{
    return (at > 0 && text->bytes[at - 1] == '`') || look_is_mention(text, at);
}

static bool is_bracket(uint8_t byte)
{
    return byte == '[' || byte == '(' || byte == ']' || byte == ')';
}

/* \[ and \( are 1, \] and \) are -1; at is the offset of the bracket. */
static int bracket_at(const struct look_text *text, uint32_t at)
{
    const uint8_t byte = text->bytes[at];
    if (!is_bracket(byte) || !look_is_escaped(text, at) || look_is_no_bracket(text, at - 1))
        return 0;
    return byte == '[' || byte == '(' ? 1 : -1;
}

static bool holds_bracket(uint64_t bytes)
{
    return (word64_equal(bytes, '[') | word64_equal(bytes, ']') | word64_equal(bytes, '(') |
            word64_equal(bytes, ')')) != 0;
}

/* The offset of the first \[, \(, \] or \), which are rare, or of its end. */
static uint32_t find_bracket(const struct look_text *text, uint32_t from, uint32_t to)
{
    uint32_t at = from;
    while (at < to) {
        if (to - at >= 8 && !holds_bracket(word64_load(text->bytes + at)))
            at += 8;
        else if (bracket_at(text, at) != 0)
            break;
        else
            at++;
    }
    return at < to ? at : to;
}

/* A line up to its comment or its end. */
struct line {
    uint32_t start, end;
    uint32_t n_opens, n_closes; /* braces that have no other one on it */
    bool holds_bracket;         /* behind an escape character */
    bool is_blank;              /* and has no comment */
};

/* That of the line end at offset at. */
static struct line line_before(const struct look_text *text, uint32_t at)
{
    struct line line = {.start = at, .is_blank = true};
    while (line.start > 0 && !look_is_line_end(text->bytes[line.start - 1]))
        line.start--;
    for (line.end = line.start; line.end < at; line.end++) {
        const uint8_t byte = text->bytes[line.end], catcode = text->slots[byte];
        if (catcode == CATCODE_COMMENT) {
            line.is_blank = false;
            break;
        }
        if (catcode == CATCODE_ESCAPE && line.end + 1 < at) {
            line.is_blank &= look_is_blank(byte);
            line.end++;
            line.holds_bracket |= is_bracket(text->bytes[line.end]);
        } else if (catcode == CATCODE_BEGIN_GROUP && !look_is_blank(byte)) {
            line.n_opens++;
        } else if (catcode == CATCODE_END_GROUP && !look_is_blank(byte)) {
            line.n_closes += line.n_opens == 0;
            line.n_opens -= line.n_opens > 0;
        }
        line.is_blank &= look_is_blank(text->bytes[line.end]);
    }
    return line;
}

bool look_in_formula(const struct look_text *text, uint32_t low, bool was_in, uint32_t at)
{
    bool line_ended = false; /* and nothing but blanks was behind */
    uint32_t n_closed = 0;   /* braces, in which a formula would be over, or half of one */
    if (!was_in)
        low = find_bracket(text, low, at); /* before that it is the same */
    while (at > low) {
        const uint8_t byte = text->bytes[--at];
        if (look_is_line_end(byte)) {
            if (line_ended && !(byte == '\r' && text->bytes[at + 1] == '\n'))
                return false;
            const struct line line = line_before(text, at);
            line_ended = line.end == at;
            at = line.end;
            if (line.start < low || line.holds_bracket)
                continue;
            n_closed = line.n_closes + (n_closed > line.n_opens ? n_closed - line.n_opens : 0);
            line_ended = line.is_blank;
            at = line.start;
        } else if (!look_is_blank(byte)) {
            line_ended = false;
            const int bracket = n_closed == 0 ? bracket_at(text, at) : 0;
            if (bracket != 0)
                return bracket > 0;
            if (look_has_catcode(text, at, CATCODE_END_GROUP) && !look_is_escaped(text, at))
                n_closed++;
            else if (n_closed > 0 && look_has_catcode(text, at, CATCODE_BEGIN_GROUP) &&
                     !look_is_escaped(text, at))
                n_closed--;
        }
    }
    return was_in;
}
