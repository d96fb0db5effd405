/* A line of the document below a diagnostic, and names of files: everything that a terminal would
 * not show, or would obey, is written as a number. */
#include "lexer/print.h"

#include <string.h>
#include <wchar.h>

#include "lexer/utf8.h"

#define WIDTH_MAX  100u /* columns of the terminal */
#define BEFORE_MAX 60u  /* of them before the caret, if there is more */
#define MARKS_MAX  400u /* characters: those without width take none of it */
#define MARK_BYTES 16u

struct mark {
    char text[MARK_BYTES];
    uint32_t n_bytes, width; /* in the document; in columns */
};

static bool is_hidden(uint32_t code)
{
    return (code >= 0x7F && code <= 0xA0) || code == 0xAD || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202F) || (code >= 0x2060 && code <= 0x206F) ||
           code == 0xFEFF || code < ' ';
}

/* The first character of left > 0 bytes as it is shown. */
static struct mark mark_of(const uint8_t *in, uint32_t left)
{
    struct utf8_char ch = {.code_point = *in, .n_bytes = 1};
    struct mark mark;
    if (*in >= 0x80)
        ch = utf8_decode(in, left, true);
    const int width = wcwidth((wchar_t)ch.code_point);
    mark.n_bytes = ch.n_bytes;
    if (*in == '\t') {
        mark.width = (uint32_t)snprintf(mark.text, sizeof mark.text, " ");
    } else if (ch.invalid || ch.n_bytes == 0) {
        mark.n_bytes = 1;
        mark.width = (uint32_t)snprintf(mark.text, sizeof mark.text, "<%02X>", *in);
    } else if (is_hidden(ch.code_point) || width < 0) {
        mark.width = (uint32_t)snprintf(mark.text, sizeof mark.text, "<U+%04X>", ch.code_point);
    } else {
        mark.width = (uint32_t)width;
        snprintf(mark.text, sizeof mark.text, "%.*s", (int)ch.n_bytes, (const char *)in);
    }
    return mark;
}

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

/* Where the shown part of the line begins: at most BEFORE_MAX characters before offset at. */
static uint32_t shown_from(const struct document *doc, uint32_t at)
{
    for (uint32_t n = 0; at > 0 && !is_line_end(doc->bytes[at - 1]) && n < BEFORE_MAX; n++) {
        at--;
        for (uint32_t more = 3;
             more > 0 && at > 0 && (doc->bytes[at] & 0xC0) == 0x80 && (doc->bytes[at - 1] & 0x80);
             more--)
            at--;
    }
    return at;
}

void print_name(const char *name, FILE *to)
{
    const uint8_t *in = (const uint8_t *)name;
    for (uint32_t left = (uint32_t)strlen(name); left > 0;) {
        const struct mark mark = mark_of(in, left);
        fputs(*in == '\t' ? "<U+0009>" : mark.text, to);
        in += mark.n_bytes;
        left -= mark.n_bytes;
    }
}

void print_source(const struct document *doc, uint32_t start, uint32_t end, const char *colour,
                  FILE *to)
{
    const uint32_t from = shown_from(doc, start);
    const uint32_t line = position_of(&doc->positions, start).line;
    uint32_t at = from, before = 0, n_carets = 0;
    const int margin = fprintf(to, "%6u | ", line);
    uint32_t width = 0, n_marks = 0;
    while (at < doc->n_bytes && !is_line_end(doc->bytes[at])) {
        const struct mark mark = mark_of(doc->bytes + at, doc->n_bytes - at);
        width += mark.width;
        if (width > WIDTH_MAX || ++n_marks > MARKS_MAX)
            break;
        fputs(mark.text, to);
        if (at < start)
            before += mark.width;
        else if (at < end)
            n_carets += mark.width;
        at += mark.n_bytes;
    }
    fprintf(to, "\n%*s | %*s%s^", margin - 3, "", (int)before, "", colour);
    for (uint32_t i = 1; i < n_carets; i++)
        putc_unlocked('~', to);
    fprintf(to, "%s\n", *colour ? "\033[0m" : "");
}
