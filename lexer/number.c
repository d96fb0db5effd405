#include "lexer/number.h"

#include <string.h>

#include "lexer/catcode.h"

enum told { TOLD_MORE, TOLD_NO, TOLD_YES };

struct reader {
    struct character_source src; /* up to LEXER_CATCODE_BYTES_MAX bytes */
    uint32_t at;
};

/* The byte at the reader, or -1 behind the last one. */
static int peek(const struct reader *r)
{
    return r->at < r->src.have ? r->src.bytes[r->at] : -1;
}

static bool needs_more(const struct reader *r)
{
    return r->at == r->src.have && !r->src.final;
}

/* Blanks and at most one line end, which is a blank too. */
static bool skip_blanks(struct reader *r)
{
    bool line_ended = false;
    for (int byte; (byte = peek(r)) >= 0; r->at++) {
        if (byte == '\n' || byte == '\r') {
            if (line_ended)
                break;
            line_ended = true;
            if (byte == '\r' && r->at + 1 < r->src.have && r->src.bytes[r->at + 1] == '\n')
                r->at++;
        } else if (byte != ' ' && byte != '\t') {
            break;
        }
    }
    return !needs_more(r);
}

/* Behind `: a character, or an escape character and one. */
static enum told read_character(struct reader *r, uint32_t *value)
{
    struct lexer_ahead ahead = {0};
    struct character ch, next;
    if (needs_more(r) || !character_read(&r->src, r->at, &ahead, &ch))
        return TOLD_MORE;
    if (ch.catcode == CATCODE_ESCAPE) {
        if (ch.end == r->src.have && !r->src.final)
            return TOLD_MORE;
        if (!character_read_escaped(&r->src, ch.end, &ahead, &ch))
            return TOLD_MORE;
        if (ch.catcode == CATCODE_LETTER) {
            if (ch.end == r->src.have && !r->src.final)
                return TOLD_MORE;
            ahead = (struct lexer_ahead){0};
            if (!character_read(&r->src, ch.end, &ahead, &next))
                return TOLD_MORE;
            if (next.catcode == CATCODE_LETTER)
                return TOLD_NO;
        }
    } else if (ch.line_end || ch.catcode == CATCODE_PARAMETER || ch.catcode == CATCODE_COMMENT ||
               ch.catcode == CATCODE_IGNORED || ch.catcode == CATCODE_INVALID ||
               ch.catcode == CATCODE_SPACE || ch.catcode == CATCODE_END_LINE) {
        return TOLD_NO;
    }
    r->at = ch.end;
    *value = ch.code;
    return TOLD_YES;
}

static int digit_of(int byte, unsigned base)
{
    int digit = -1;
    if (byte >= '0' && byte <= '9')
        digit = byte - '0';
    else if (byte >= 'A' && byte <= 'F')
        digit = byte - 'A' + 10;
    return digit < (int)base ? digit : -1;
}

static enum told read_digits(struct reader *r, unsigned base, uint32_t *value)
{
    const uint32_t start = r->at;
    *value = 0;
    for (int digit; (digit = digit_of(peek(r), base)) >= 0; r->at++)
        if (*value <= 0x10FFFF)
            *value = *value * base + (uint32_t)digit;
    if (needs_more(r))
        return TOLD_MORE;
    return r->at > start ? TOLD_YES : TOLD_NO;
}

/* The control word at the reader, as a number. */
static enum told read_word(struct reader *r, uint32_t *value)
{
    static const struct {
        const char *name;
        uint32_t value;
    } constants[] = {{"active", CATCODE_ACTIVE}, {"z@", 0}, {"@ne", 1}, {"tw@", 2}, {"thr@@", 3}};
    const uint32_t name = ++r->at;
    while (peek(r) >= 0 && r->src.slots[peek(r)] == CATCODE_LETTER)
        r->at++;
    if (needs_more(r))
        return TOLD_MORE;
    const uint32_t n = r->at - name;
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        if (strlen(constants[i].name) == n &&
            memcmp(constants[i].name, r->src.bytes + name, n) == 0) {
            *value = constants[i].value;
            return TOLD_YES;
        }
    }
    return TOLD_NO;
}

static bool is_escape(const struct reader *r)
{
    return peek(r) >= 0 && r->src.slots[peek(r)] == CATCODE_ESCAPE;
}

static enum told read_number(struct reader *r, uint32_t *value)
{
    const int byte = peek(r);
    if (needs_more(r))
        return TOLD_MORE;
    if (is_escape(r))
        return read_word(r, value);
    if (byte != '`' && byte != '\'' && byte != '"')
        return read_digits(r, 10, value);
    r->at++;
    if (byte == '`')
        return read_character(r, value);
    return read_digits(r, byte == '"' ? 16 : 8, value);
}

/* The control word from offset at, its escape character included, to the reader is the name. */
static bool is_word(const struct reader *r, uint32_t at, const char *name)
{
    const size_t n = strlen(name);
    return r->at - at == n + 1 && memcmp(r->src.bytes + at + 1, name, n) == 0;
}

/* Behind \catcode: the number of a character, whose category code in force is meant. */
static enum told read_catcode(struct reader *r, uint32_t *value)
{
    uint32_t code;
    if (!skip_blanks(r))
        return TOLD_MORE;
    const enum told told = is_escape(r) ? TOLD_NO : read_number(r, &code);
    if (told != TOLD_YES)
        return told;
    const uint8_t last = r->src.slots[r->src.bytes[r->at - 1]];
    const bool is_brace = last == CATCODE_BEGIN_GROUP || last == CATCODE_END_GROUP;
    if (is_brace && r->src.bytes[r->at - 2] == '`')
        return TOLD_NO; /* as it stands, it would be counted, and a group seem to begin or end */
    if (code >= (r->src.regime == LEXER_PDFLATEX ? 256u : 128u))
        return TOLD_NO;
    *value = r->src.slots[code == '\n'   ? LEXER_SLOT_LINE_FEED
                          : code == '\r' ? LEXER_SLOT_LINE_END
                                         : code];
    return TOLD_YES;
}

/* What stands behind the left number. */
static enum told read_right(struct reader *r, struct number_assignment *found)
{
    if (!skip_blanks(r))
        return TOLD_MORE;
    const bool equals = peek(r) == '=';
    if (equals) {
        r->at++;
        if (!skip_blanks(r))
            return TOLD_MORE;
    }
    const uint32_t at = r->at;
    const bool has_word = is_escape(r);
    enum told told = read_number(r, &found->right);
    const bool has_catcode = told == TOLD_NO && has_word && is_word(r, at, "catcode");
    if (has_catcode)
        told = read_catcode(r, &found->right);
    found->is_named = has_word && !has_catcode;
    if (told == TOLD_YES)
        found->kind = NUMBER_CONSTANT;
    else if (!equals && (!has_word || is_word(r, at, "relax")))
        found->kind = NUMBER_NONE;
    return told == TOLD_MORE ? TOLD_MORE : TOLD_YES;
}

bool number_read_assignment(const struct character_source *src, uint32_t at,
                            struct number_assignment *found)
{
    struct reader r = {.src = *src, .at = at};
    const bool is_cut = src->have - at > LEXER_CATCODE_BYTES_MAX;
    if (is_cut) {
        r.src.have = at + LEXER_CATCODE_BYTES_MAX;
        r.src.final = true;
    }
    *found = (struct number_assignment){.kind = NUMBER_COMPUTED};
    if (!skip_blanks(&r))
        return false;
    enum told told = read_number(&r, &found->left);
    if (told == TOLD_YES)
        told = read_right(&r, found);
    if (told == TOLD_MORE)
        return false;
    found->end = r.at;
    if (is_cut && r.at == r.src.have)
        found->kind = NUMBER_COMPUTED;
    return true;
}
