#include "lexer/caret.h"

#include "lexer/character.h"
#include "lexer/watch.h"

const uint8_t caret_thirds[256] = {
    [0x00 ... 0x09] = CARET_PLAIN,
    ['\n'] = CARET_SPECIAL,
    [0x0B ... 0x0C] = CARET_PLAIN,
    ['\r'] = CARET_SPECIAL,
    [0x0E ... 0x1F] = CARET_PLAIN,
    [' '] = CARET_SPECIAL,
    ['!' ... '/'] = CARET_PLAIN,
    ['0'] = 0,
    ['1'] = 1,
    ['2'] = 2,
    ['3'] = 3,
    ['4'] = 4,
    ['5'] = 5,
    ['6'] = 6,
    ['7'] = 7,
    ['8'] = 8,
    ['9'] = 9,
    [':' ... ']'] = CARET_PLAIN,
    ['^'] = CARET_SPECIAL,
    ['_' ... '`'] = CARET_PLAIN,
    ['a'] = 10,
    ['b'] = 11,
    ['c'] = 12,
    ['d'] = 13,
    ['e'] = 14,
    ['f'] = 15,
    ['g' ... 0x7F] = CARET_PLAIN,
    [0x80 ... 0xFF] = CARET_SPECIAL,
};

/* ^^^^hhhh or ^^^^^^hhhhhh; or U+001E where digits are missing. */
static struct caret read_long(const struct character_source *src, uint32_t at)
{
    const uint8_t *const in = src->bytes;
    const bool six = caret_is_at(in, at + 4);
    const uint32_t digits = at + (six ? 6 : 4), end = digits + (six ? 6 : 4);
    uint32_t code = 0, at_digit = digits;
    while (at_digit < end && caret_thirds[in[at_digit]] < CARET_PLAIN)
        code = code << 4 | caret_thirds[in[at_digit++]];
    if (at_digit < end || code > 0x10FFFF) {
        struct caret caret = caret_of(src->slots, '^' ^ 64, at + 3);
        caret.fault_end = digits;
        return caret;
    }
    return (struct caret){.end = end,
                          .catcode = character_catcode(src, code),
                          .flag = LEXER_CARET,
                          .code = code < 128 ? (uint8_t)code : UINT8_MAX};
}

static struct caret read_line_end(const struct character_source *src, uint32_t at)
{
    const uint8_t *const in = src->bytes + at;
    struct caret caret =
        caret_of(src->slots, '\r' ^ 64, at + (in[2] == '\r' && in[3] == '\n' ? 4 : 3));
    caret.line_end = true;
    return caret;
}

/* What the bytes within reach tell; else end is 0. A value of ^ may begin more, as if it stood just
 * before what follows it. */
static struct caret read_near(const struct character_source *src, uint32_t at)
{
    const uint8_t *const in = src->bytes;
    const uint32_t last = at + CURSOR_REACH_BYTES - 2 * CARET_PREFIX_BYTES;
    uint8_t flag = 0;
    while (at <= last) {
        struct caret caret;
        if (src->regime == LEXER_LUALATEX && caret_is_at(in, at + 2))
            caret = read_long(src, at);
        else if (in[at + 2] == '\n' || in[at + 2] == '\r')
            caret = read_line_end(src, at);
        else
            caret = caret_read_short(src, at);
        if (caret.catcode > CATCODE_INVALID)
            caret.catcode = character_catcode(src, caret.code);
        flag |= caret.flag;
        if (caret.end == 0 || caret.code != '^' || !caret.flag || in[caret.end] != '^') {
            caret.flag = flag;
            return caret;
        }
        at = caret.end - 1;
    }
    return (struct caret){0};
}

struct caret caret_read_slowly(struct lexer *lx, const struct character_source *src, uint32_t at)
{
    struct character ch;
    if (lx->ahead.blanks_to == 0) {
        const struct caret near = read_near(src, at);
        if (near.end != 0)
            return near;
    }
    if (!character_read(src, at, &lx->ahead, &ch))
        return (struct caret){0};
    return (struct caret){
        .end = ch.end,
        .fault_end = ch.fault_end,
        .catcode = ch.catcode,
        .flag = ch.caret ? LEXER_CARET : 0,
        .code = ch.code < 128 ? (uint8_t)ch.code : UINT8_MAX,
        .line_end = ch.line_end,
    };
}

/* A character of a control sequence; end 0: more than one is to be looked at. */
static inline struct caret read_in_control(const struct character_source *src, uint32_t at)
{
    const uint8_t byte = src->bytes[at], class = src->slots[byte];
    if (class == CATCODE_SUPERSCRIPT && caret_is_at(src->bytes, at)) {
        struct caret caret = caret_read_short(src, at);
        if (caret.end != 0 && !caret_is_told(&caret))
            caret.end = 0;
        return caret;
    }
    return (struct caret){
        .end = class == CATCODE_CLASS_UTF8 ? 0 : at + 1, .catcode = class, .code = byte};
}

/* Blanks are warned of where the line ends behind them, and control characters always. */
static bool is_plain_symbol(const struct caret *first)
{
    const uint8_t catcode = first->catcode;
    return first->flag != 0 ||
           (catcode != CATCODE_SPACE && catcode != CATCODE_IGNORED &&
            (catcode != CATCODE_ACTIVE || first->code == '~') && catcode <= CATCODE_INVALID);
}

static struct caret_control control_symbol(const struct caret *ch, uint8_t flag)
{
    return (struct caret_control){
        .end = is_plain_symbol(ch) ? ch->end : 0,
        .kind = (uint8_t)(LEXER_CONTROL_SYMBOL | flag | ch->flag),
        .line_state = ch->catcode == CATCODE_SPACE ? LEXER_LINE_SKIPPING : LEXER_LINE_MIDDLE,
    };
}

struct caret_control caret_read_control(const struct lexer *lx, const struct character_source *src,
                                        uint32_t at, uint32_t limit, uint8_t flag)
{
    uint8_t name[WATCH_NAME_BYTES_MAX] = {0};
    uint32_t n = 0;
    for (;;) {
        const struct caret ch = at < limit ? read_in_control(src, at) : (struct caret){0};
        if (ch.end == 0)
            return (struct caret_control){0};
        if (ch.catcode != CATCODE_LETTER && n == 0)
            return control_symbol(&ch, flag);
        if (ch.catcode != CATCODE_LETTER)
            break;
        if (n < WATCH_NAME_BYTES_MAX)
            name[n] = ch.code;
        n++;
        flag |= ch.flag;
        at = ch.end;
    }
    if (n <= WATCH_NAME_BYTES_MAX && watch_name(name, n, lx->context.on) != WATCH_NONE)
        return (struct caret_control){0};
    return (struct caret_control){
        .end = at, .kind = (uint8_t)(LEXER_CONTROL_WORD | flag), .line_state = LEXER_LINE_SKIPPING};
}
