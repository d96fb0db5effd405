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

uint8_t caret_catcode(const struct character_source *src, uint8_t code)
{
    return character_catcode(src, code);
}

/* ^^ and one more character, of which no more is to be known: true. */
static bool read_third(const struct character_source *src, uint32_t at, struct caret *caret)
{
    const uint8_t *const in = src->bytes + at;
    const bool is_line_end = in[2] == '\n' || in[2] == '\r';
    if (in[2] >= 128) {
        *caret = (struct caret){.end = at + 1, .catcode = CATCODE_SUPERSCRIPT, .code = '^'};
        return true;
    }
    if (in[2] == ' '
            ? in[3] == ' ' || in[3] == '\n' || in[3] == '\r'
            : !is_line_end && !(in[2] == '^' && (in[3] != '^' || src->regime == LEXER_PDFLATEX)))
        return false;
    const uint8_t code = (uint8_t)((is_line_end ? '\r' : in[2]) ^ 64);
    *caret = (struct caret){
        .end = at + (in[2] == '\r' && in[3] == '\n' ? 4 : 3),
        .catcode = character_catcode(src, code),
        .flag = LEXER_CARET,
        .code = code,
        .line_end = is_line_end,
    };
    return true;
}

bool caret_read_special(struct lexer *lx, const struct character_source *src, uint32_t at,
                        struct caret *caret)
{
    struct character ch;
    if (lx->ahead.blanks_to == 0 && read_third(src, at, caret))
        return true;
    if (!character_read(src, at, &lx->ahead, &ch))
        return false;
    *caret = (struct caret){
        .end = ch.end,
        .fault_end = ch.fault_end,
        .catcode = ch.catcode,
        .flag = ch.caret ? LEXER_CARET : 0,
        .code = ch.code < 128 ? (uint8_t)ch.code : UINT8_MAX,
        .line_end = ch.line_end,
    };
    return true;
}

/* A character of a control sequence; false: more than one is to be looked at. */
static bool read_in_control(const struct character_source *src, uint32_t at, struct caret *caret)
{
    const uint8_t byte = src->bytes[at];
    if (src->slots['^'] == CATCODE_SUPERSCRIPT && caret_is_at(src->bytes, at))
        return caret_read_plain(src, at, caret) || (read_third(src, at, caret) && !caret->line_end);
    *caret = (struct caret){.end = at + 1, .catcode = src->slots[byte], .code = byte};
    return caret->catcode != CATCODE_CLASS_UTF8;
}

/* Blanks are warned of where the line ends behind them, and control characters always. */
static bool is_plain_symbol(const struct caret *first)
{
    const uint8_t catcode = first->catcode;
    return first->flag != 0 ||
           (catcode != CATCODE_SPACE && catcode != CATCODE_IGNORED &&
            (catcode != CATCODE_ACTIVE || first->code == '~') && catcode <= CATCODE_INVALID);
}

bool caret_read_control(struct lexer *lx, const struct character_source *src, uint32_t at,
                        uint32_t limit, uint8_t flag, struct caret_control *control)
{
    uint8_t name[WATCH_NAME_BYTES_MAX];
    uint32_t n = 0;
    struct caret ch;
    if (at >= limit || !read_in_control(src, at, &ch))
        return false;
    if (ch.catcode != CATCODE_LETTER) {
        *control = (struct caret_control){
            .end = ch.end,
            .kind = LEXER_CONTROL_SYMBOL | flag | ch.flag,
            .line_state = ch.catcode == CATCODE_SPACE ? LEXER_LINE_SKIPPING : LEXER_LINE_MIDDLE};
        return is_plain_symbol(&ch);
    }
    do {
        if (n < WATCH_NAME_BYTES_MAX)
            name[n] = ch.code;
        n++;
        flag |= ch.flag;
        at = ch.end;
        if (at >= limit || !read_in_control(src, at, &ch))
            return false;
    } while (ch.catcode == CATCODE_LETTER);
    *control = (struct caret_control){
        .end = at, .kind = LEXER_CONTROL_WORD | flag, .line_state = LEXER_LINE_SKIPPING};
    return n > WATCH_NAME_BYTES_MAX || watch_name(name, n, lx->context.on) == WATCH_NONE;
}
