#include "lexer/character.h"

#include <assert.h>

#include "lexer/catcode.h"
#include "lexer/utf8.h"

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

struct character_source character_source_of(const struct lexer *lx, const uint8_t *input,
                                            uint32_t have, bool final)
{
    return (struct character_source){.bytes = input,
                                     .have = have,
                                     .slots = lx->context.slots,
                                     .final = final,
                                     .regime = lx->regime};
}

/* Without slots, that of the regime. */
uint8_t character_catcode(const struct character_source *src, uint32_t code)
{
    if (!src->slots)
        return catcode_of(src->regime, code);
    if (code == '\n')
        return src->slots[LEXER_SLOT_LINE_FEED];
    if (code == '\r')
        return src->slots[LEXER_SLOT_LINE_END];
    if (code < 128 || (code < 256 && src->regime == LEXER_PDFLATEX))
        return src->slots[code];
    return catcode_of(src->regime, code);
}

static void clear(struct lexer_ahead *ahead)
{
    *ahead = (struct lexer_ahead){0};
}

/* The end of the line end at offset at, or at itself where the document ends; 0: cannot tell yet.
 */
static uint32_t line_end_after(const struct character_source *src, uint32_t at)
{
    if (at == src->have)
        return at;
    if (src->bytes[at] == '\n')
        return at + 1;
    assert(src->bytes[at] == '\r');
    if (at + 1 < src->have)
        return src->bytes[at + 1] == '\n' ? at + 2 : at + 1;
    return src->final ? at + 1 : 0;
}

enum blanks { BLANKS_INSIDE, BLANKS_AT_LINE_END, BLANKS_UNKNOWN };

/* TeX trims U+0020 from line ends before anything else looks at them. Tells whether those from
 * offset at on are such, and the offset behind the line end then. */
static enum blanks look_at_blanks(const struct character_source *src, uint32_t at,
                                  struct lexer_ahead *ahead, uint32_t *end)
{
    assert(ahead->blanks_to == 0 || ahead->blanks_to >= at); /* it is of no other offset */
    uint32_t to = ahead->blanks_to > at ? ahead->blanks_to : at;
    while (to < src->have && src->bytes[to] == ' ')
        to++;
    ahead->blanks_to = to;
    if (to == src->have ? !src->final : is_line_end(src->bytes[to])) {
        *end = to == src->have ? 0 : line_end_after(src, to);
        return *end == 0 ? BLANKS_UNKNOWN : BLANKS_AT_LINE_END;
    }
    *end = to;
    return to == src->have ? BLANKS_AT_LINE_END : BLANKS_INSIDE;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

enum caret { CARET_NONE, CARET_DONE, CARET_UNKNOWN, CARET_MALFORMED };

static bool byte_is(const struct character_source *src, uint32_t at, uint8_t byte)
{
    return at < src->have && src->bytes[at] == byte;
}

/* ^^^^hhhh or ^^^^^^hhhhhh, where four ^ are known to stand before offset at + 3. */
static enum caret read_long_caret(const struct character_source *src, uint32_t at,
                                  struct character *ch)
{
    if (!src->final && at + 5 > src->have)
        return CARET_UNKNOWN;
    const bool six = byte_is(src, at + 3, '^') && byte_is(src, at + 4, '^');
    const uint32_t digits = six ? at + 5 : at + 3;
    const uint32_t n_digits = six ? 6 : 4;
    uint32_t code = 0;
    for (uint32_t i = 0; i < n_digits; i++) {
        if (digits + i >= src->have && !src->final)
            return CARET_UNKNOWN;
        const int digit = digits + i < src->have ? hex_digit(src->bytes[digits + i]) : -1;
        if (digit < 0) {
            ch->fault_end = digits;
            return CARET_MALFORMED;
        }
        code = code << 4 | (uint32_t)digit;
    }
    if (code > 0x10FFFF) {
        ch->fault_end = digits;
        return CARET_MALFORMED;
    }
    ch->code = code;
    ch->end = digits + n_digits;
    return CARET_DONE;
}

/* The third character of ^^ at offset at, or two hexadecimal digits. */
static enum caret read_short_caret(const struct character_source *src, uint32_t at,
                                   struct lexer_ahead *ahead, struct character *ch)
{
    const uint8_t third = at < src->have ? src->bytes[at] : '\n';
    if (third >= 128)
        return CARET_NONE;
    ch->end = at + 1;
    if (third == ' ' || is_line_end(third)) {
        uint32_t end;
        const enum blanks blanks = look_at_blanks(src, at, ahead, &end);
        if (blanks == BLANKS_UNKNOWN)
            return CARET_UNKNOWN;
        if (blanks == BLANKS_AT_LINE_END) {
            ch->code = '\r' ^ 64;
            ch->end = end;
            ch->line_end = true;
            return CARET_DONE;
        }
    }
    const int high = hex_digit(third);
    if (high >= 0 && at + 1 == src->have && !src->final)
        return CARET_UNKNOWN;
    const int low = high >= 0 && at + 1 < src->have ? hex_digit(src->bytes[at + 1]) : -1;
    if (low >= 0)
        ch->end = at + 2;
    ch->code = low >= 0 ? (uint32_t)(high << 4 | low) : third ^ 64u;
    return CARET_DONE;
}

/* Whether ^^ notation begins with the ^ that ends at ch->end: then *ch becomes its value. */
static enum caret read_caret(const struct character_source *src, bool in_control,
                             struct lexer_ahead *ahead, struct character *ch)
{
    const uint32_t second = ch->end;
    const uint32_t third = second + 1;
    if (second >= src->have)
        return src->final ? CARET_NONE : CARET_UNKNOWN;
    if (src->bytes[second] != '^')
        return CARET_NONE;
    if (third >= src->have && !src->final)
        return CARET_UNKNOWN;
    if (src->regime == LEXER_LUALATEX && byte_is(src, third, '^')) {
        if (third + 1 >= src->have && !src->final)
            return CARET_UNKNOWN;
        const enum caret caret =
            byte_is(src, third + 1, '^') ? read_long_caret(src, second, ch) : CARET_NONE;
        if (caret == CARET_DONE || caret == CARET_UNKNOWN)
            return caret;
        if (caret == CARET_MALFORMED && in_control) {
            /* As LuaTeX: the first two ^ are lost, and the rest is examined again. */
            ch->start = third;
            ch->end = third + 1;
            return CARET_DONE;
        }
    }
    return read_short_caret(src, third, ahead, ch);
}

/* The raw character at offset at < have, where it is no line end; end 0: more bytes are needed. */
static void read_raw(const struct character_source *src, uint32_t at, struct character *ch)
{
    const uint8_t byte = src->bytes[at];
    if (byte < 128 || src->regime == LEXER_PDFLATEX) {
        ch->code = byte;
        ch->end = at + 1;
        return;
    }
    const struct utf8_char utf8 = utf8_decode(src->bytes + at, src->have - at, src->final);
    ch->code = utf8.code_point;
    ch->end = utf8.n_bytes ? at + utf8.n_bytes : 0;
    ch->invalid_utf8 = utf8.invalid;
}

static bool has_carets(const struct character_source *src)
{
    return src->slots ? src->slots['^'] == CATCODE_SUPERSCRIPT : !src->is_raw;
}

/* The rest of ^^ notation from the ^ that *ch holds; false: more bytes are needed. */
static bool reduce_carets(const struct character_source *src, bool in_control,
                          struct lexer_ahead *ahead, struct character *ch)
{
    /* The value is examined again, so that ^^5e^41 is A. */
    while (ch->code == '^' && has_carets(src)) {
        const uint32_t known_fault = ch->fault_end;
        const enum caret caret = read_caret(src, in_control, ahead, ch);
        if (caret == CARET_UNKNOWN)
            return false;
        if (caret == CARET_NONE)
            break;
        if (known_fault)
            ch->fault_end = known_fault;
        ch->caret = true;
        if (ch->code == '^')
            *ahead = (struct lexer_ahead){
                .caret_start = ch->start, .caret_end = ch->end, .fault_end = ch->fault_end};
    }
    return true;
}

static bool read_character(const struct character_source *src, uint32_t at, bool in_control,
                           struct lexer_ahead *ahead, struct character *ch)
{
    assert(at < src->have || (at == src->have && src->final));
    *ch = (struct character){.start = at};
    if (at == src->have || is_line_end(src->bytes[at])) {
        ch->code = '\r';
        ch->end = line_end_after(src, at);
        ch->line_end = true;
        ch->catcode = character_catcode(src, '\r');
        return ch->end != 0 || src->final;
    }
    if (ahead->caret_end) {
        *ch = (struct character){.code = '^',
                                 .start = ahead->caret_start,
                                 .end = ahead->caret_end,
                                 .caret = true,
                                 .fault_end = ahead->fault_end};
    } else {
        read_raw(src, at, ch);
        if (ch->end == 0)
            return false;
    }
    if (!reduce_carets(src, in_control, ahead, ch))
        return false;
    ch->catcode = character_catcode(src, ch->code);
    clear(ahead);
    return true;
}

enum character_blanks character_look_at_blanks(const struct character_source *src, uint32_t at,
                                               struct lexer_ahead *ahead, uint32_t *end)
{
    const enum blanks blanks = look_at_blanks(src, at, ahead, end);
    if (blanks == BLANKS_UNKNOWN)
        return CHARACTER_BLANKS_UNKNOWN;
    *end = ahead->blanks_to;
    clear(ahead);
    return blanks == BLANKS_INSIDE ? CHARACTER_BLANKS_INSIDE : CHARACTER_BLANKS_AT_END;
}

bool character_read_raw(const struct character_source *src, uint32_t at, struct character *ch)
{
    assert(at < src->have);
    *ch = (struct character){.code = '\r', .start = at, .catcode = CATCODE_END_LINE};
    if (is_line_end(src->bytes[at])) {
        ch->end = line_end_after(src, at);
        ch->line_end = true;
        return ch->end != 0;
    }
    read_raw(src, at, ch);
    ch->catcode = catcode_of(src->regime, ch->code);
    return ch->end != 0;
}

bool character_read(const struct character_source *src, uint32_t at, struct lexer_ahead *ahead,
                    struct character *ch)
{
    return read_character(src, at, false, ahead, ch);
}

bool character_read_in_word(const struct character_source *src, uint32_t at,
                            struct lexer_ahead *ahead, struct character *ch)
{
    return read_character(src, at, true, ahead, ch);
}

bool character_read_escaped(const struct character_source *src, uint32_t at,
                            struct lexer_ahead *ahead, struct character *ch)
{
    if (at < src->have && src->bytes[at] == ' ') {
        uint32_t end;
        const enum blanks blanks = look_at_blanks(src, at, ahead, &end);
        if (blanks == BLANKS_UNKNOWN)
            return false;
        clear(ahead);
        const bool line_end = blanks == BLANKS_AT_LINE_END;
        *ch = (struct character){.code = line_end ? '\r' : ' ',
                                 .start = at,
                                 .end = line_end ? end : at + 1,
                                 .catcode = character_catcode(src, line_end ? '\r' : ' '),
                                 .line_end = line_end};
        return true;
    }
    return read_character(src, at, true, ahead, ch);
}

struct character character_at(const struct character_source *src, uint32_t at)
{
    struct lexer_ahead ahead = {0};
    struct character ch;
    const bool decided = character_read(src, at, &ahead, &ch);
    assert(decided && src->final);
    (void)decided;
    return ch;
}
