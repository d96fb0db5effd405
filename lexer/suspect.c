#include "lexer/suspect.h"

#include <string.h>

#include "lexer/catcode.h"
#include "lexer/issue.h"

/* U+2000 + low, told by the last two of its bytes, 0xE2 before them. */
static unsigned issue_of_punctuation(uint32_t code)
{
    if ((code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069))
        return LEXER_ISSUE_BIDI_CONTROL;
    if ((code >= 0x200B && code <= 0x200D) || code == 0x2060)
        return LEXER_ISSUE_ZERO_WIDTH;
    return code == 0x2007 || code == 0x202F ? LEXER_ISSUE_NO_BREAK_SPACE : 0;
}

static unsigned issue_of_three(const uint8_t *last)
{
    if ((*last & 0xC0) != 0x80)
        return 0; /* no third byte of UTF-8: the character is not whole */
    if (last[-2] == 0xE2 && (last[-1] == 0x80 || last[-1] == 0x81))
        return issue_of_punctuation(0x2000u | (last[-1] & 1u) << 6 | (*last & 0x3Fu));
    return last[-2] == 0xEF && last[-1] == 0xBB && *last == 0xBF ? LEXER_ISSUE_MISPLACED_BOM : 0;
}

static void suspect_byte(struct lexer *lx, const uint8_t *input, uint32_t at)
{
    const uint8_t byte = input[at];
    if (byte >= 0xC0)
        return;
    if (byte < 0x80) {
        if (!suspect_is_plain(byte) && catcode_first[lx->regime][byte] != CATCODE_INVALID)
            lexer_issue_report(lx, LEXER_ISSUE_CONTROL_CHARACTER, at, at + 1);
        return;
    }
    if (at > 0 && input[at - 1] == 0xC2 && byte <= 0xA0) {
        lexer_issue_report(
            lx, byte == 0xA0 ? LEXER_ISSUE_NO_BREAK_SPACE : LEXER_ISSUE_CONTROL_CHARACTER, at - 1,
            at + 1);
        return;
    }
    const unsigned id = at > 1 ? issue_of_three(input + at) : 0;
    if (id != 0 && !(id == LEXER_ISSUE_MISPLACED_BOM && at == 2))
        lexer_issue_report(lx, (enum lexer_issue_id)id, at - 2, at + 1);
}

void suspect_text(struct lexer *lx, const uint8_t *input, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at++)
        suspect_byte(lx, input, at);
}

/* Such a byte from offset at on, or to. */
static uint32_t find_lead(const uint8_t *input, uint32_t at, uint32_t to)
{
    enum { SHORT = 8 }; /* not worth a call */
    if (to - at > SHORT) {
        const uint8_t *const lead = memchr(input + at, 0xE2, to - at);
        return lead ? (uint32_t)(lead - input) : to;
    }
    while (at < to && input[at] != 0xE2)
        at++;
    return at;
}

void suspect_comment(struct lexer *lx, const uint8_t *input, uint32_t from, uint32_t to)
{
    uint32_t at = from > 2 ? from - 2 : 0; /* a character may have begun before the piece */
    while (at + 2 < to && (at = find_lead(input, at, to - 2)) < to - 2) {
        at++;
        if (at + 1 >= from && issue_of_three(input + at + 1) == LEXER_ISSUE_BIDI_CONTROL)
            lexer_issue_report(lx, LEXER_ISSUE_BIDI_CONTROL, at - 1, at + 2);
    }
}

void suspect_blanks_end(struct lexer *lx)
{
    lexer_issue_report(lx, LEXER_ISSUE_ESCAPED_BLANK, lx->context.blanks_start, lx->pos);
}

void suspect_blanks(struct lexer *lx, const uint8_t *input)
{
    const uint8_t byte = input[lx->pos];
    if (byte == ' ' || byte == '\t')
        return;
    lx->context.busy &= (uint8_t)~LEXER_BUSY_BLANKS;
    if (byte == '\n' || byte == '\r')
        suspect_blanks_end(lx);
}

void suspect_line_end(struct lexer *lx, const uint8_t *input, uint32_t end)
{
    if (end == 0 || (input[end - 1] != '\n' && input[end - 1] != '\r'))
        return; /* added by TeX */
    const bool crlf = input[end - 1] == '\n' && end > 1 && input[end - 2] == '\r';
    const uint32_t start = end - (crlf ? 2 : 1);
    if (input[end - 1] == '\r') {
        if (!(lx->line_styles & LEXER_LINES_LONE_CR))
            lexer_issue_report(lx, LEXER_ISSUE_LONE_CR, start, end);
        lx->line_styles |= LEXER_LINES_LONE_CR;
        return;
    }
    lx->line_styles |= crlf ? LEXER_LINES_CRLF : LEXER_LINES_LF;
    const uint8_t both = LEXER_LINES_CRLF | LEXER_LINES_LF;
    if ((lx->line_styles & both) == both && !(lx->line_styles & LEXER_LINES_MIXED)) {
        lexer_issue_report(lx, LEXER_ISSUE_MIXED_LINE_ENDS, start, end);
        lx->line_styles |= LEXER_LINES_MIXED;
    }
}
