#include "lexer/look.h"

#include <assert.h>

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

static uint64_t brackets_of(uint64_t bytes)
{
    return word64_equal(bytes, '[') | word64_equal(bytes, ']') |
           word64_equal(bytes & ~WORD64_ONES, '('); /* and ) */
}

/* The offset of the first \[, \(, \] or \), which are rare, or of its end. Brackets are not, but
 * few of them stand behind an escape character. */
static uint32_t find_bracket(const struct look_text *text, uint32_t from, uint32_t to)
{
    uint32_t at = from;
    assert(from <= to);
    for (; to - at >= 8; at += 8)
        for (uint64_t hits = brackets_of(word64_load(text->bytes + at)); hits; hits &= hits - 1) {
            const uint32_t bracket = at + word64_first(hits);
            if (bracket > 0 && look_has_catcode(text, bracket - 1, CATCODE_ESCAPE) &&
                bracket_at(text, bracket) != 0)
                return bracket;
        }
    while (at < to && bracket_at(text, at) == 0)
        at++;
    return at;
}

/* A line up to its comment or its end. */
struct line {
    uint32_t start, end;
    uint32_t n_opens, n_closes; /* braces that have no other one on it */
    bool holds_bracket;         /* behind an escape character */
    bool is_blank;              /* and has no comment */
};

static uint32_t skip_blanks(const struct look_text *text, uint32_t at, uint32_t end)
{
    while (at < end && look_is_blank(text->bytes[at]))
        at++;
    return at;
}

/* That of the line end at offset at. */
static struct line line_before(const struct look_text *text, uint32_t at)
{
    static const bool tells[CATCODE_CLASS_UTF8 + 1] = {[CATCODE_ESCAPE] = true,
                                                       [CATCODE_BEGIN_GROUP] = true,
                                                       [CATCODE_END_GROUP] = true,
                                                       [CATCODE_COMMENT] = true};
    struct line line = {.start = look_line_start(text->bytes, at), .end = at};
    line.is_blank = skip_blanks(text, line.start, at) == at;
    for (uint32_t i = line.start; i < at; i++) {
        const uint8_t byte = text->bytes[i], catcode = text->slots[byte];
        if (!tells[catcode])
            continue;
        if (catcode == CATCODE_COMMENT) {
            line.is_blank = false;
            line.end = i;
            break;
        }
        if (catcode == CATCODE_ESCAPE && i + 1 < at) {
            line.holds_bracket |= is_bracket(text->bytes[++i]);
        } else if (catcode == CATCODE_BEGIN_GROUP && !look_is_blank(byte)) {
            line.n_opens++;
        } else if (catcode == CATCODE_END_GROUP && !look_is_blank(byte)) {
            line.n_closes += line.n_opens == 0;
            line.n_opens -= line.n_opens > 0;
        }
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
