/* ^^ notation in the portable kernel's loops. What it means is character.c's to say: here is what
 * can be told of a few bytes that are all there, at the speed of other text. */
#ifndef L0_LEXER_CARET_H
#define L0_LEXER_CARET_H

#include "lexer/catcode.h"
#include "lexer/cursor.h"
#include "lexer/issue.h"
#include "lexer/step.h"
#include "lexer/suspect.h"
#include "lexer/word64.h"

/* A character in ^^ notation; or the ^ that is none of it. */
struct caret {
    uint32_t end;
    uint32_t fault_end; /* as of struct character */
    uint8_t catcode;
    uint8_t flag; /* LEXER_CARET, or 0 */
    uint8_t code; /* UINT8_MAX where it is no ASCII character */
    bool line_end;
};

/* A control sequence with ^^ notation in it. */
struct caret_control {
    uint32_t end;
    uint8_t kind; /* of its span, with its flag */
    enum lexer_line_state line_state;
};

/* The third character of ^^ notation, and what follows it: a hexadecimal digit's value, or these.
 */
#define CARET_PLAIN   16u
#define CARET_SPECIAL 32u /* more has to be looked at than this one */
extern const uint8_t caret_thirds[256];

/* ^^^^^^: behind it there have to be digits. */
#define CARET_PREFIX_BYTES 6u

/* What ^^ at offset at means where its third character is special. lx->ahead is zero, or what this
 * left. False: that cannot be told yet, or is not worth it. */
bool caret_read_special(struct lexer *lx, const struct character_source *src, uint32_t at,
                        struct caret *caret);

/* The category code of a character whose byte has another class. */
uint8_t caret_catcode(const struct character_source *src, uint8_t code);

/* The control sequence whose escape character, with that flag, ends before offset at. False: it has
 * to be read byte by byte, since it reaches to limit, or is rare, or may be a watched command. */
bool caret_read_control(struct lexer *lx, const struct character_source *src, uint32_t at,
                        uint32_t limit, uint8_t flag, struct caret_control *control);

static inline bool caret_is_at(const uint8_t *in, uint32_t at)
{
    return in[at] == '^' && in[at + 1] == '^';
}

/* What ^^ at offset at means, where its third character is not special and its value no ^. */
CURSOR_INLINE bool caret_read_plain(const struct character_source *src, uint32_t at,
                                    struct caret *caret)
{
    const uint8_t *const in = src->bytes + at;
    const unsigned high = caret_thirds[in[2]], low = caret_thirds[in[3]];
    const bool is_hex = (high | low) < CARET_PLAIN;
    const uint8_t code = (uint8_t)(is_hex ? high << 4 | low : in[2] ^ 64u);
    if (high == CARET_SPECIAL || code == '^')
        return false;
    const uint8_t class = src->slots[code];
    *caret = (struct caret){
        .end = at + (is_hex ? 4 : 3),
        .catcode = class <= CATCODE_INVALID ? class : caret_catcode(src, code),
        .flag = LEXER_CARET,
        .code = code,
    };
    return true;
}

CURSOR_INLINE bool caret_read(struct lexer *lx, const struct character_source *src, uint32_t at,
                              struct caret *caret)
{
    struct caret special;
    if (caret_read_plain(src, at, caret))
        return true;
    if (!caret_read_special(lx, src, at, &special))
        return false;
    *caret = special;
    return true;
}

/* Adds a character to the open span of its kind, or opens one. */
CURSOR_INLINE bool caret_join(struct cursor *c, uint8_t kind, uint8_t flag, bool writes)
{
    if (c->run != kind)
        return cursor_open_run(c, kind, flag, writes);
    if (writes)
        c->kinds[c->n_spans - 1] |= flag;
    return true;
}

CURSOR_INLINE bool caret_take_blank(struct cursor *c, const struct caret *caret, bool writes)
{
    if (c->line_state != LEXER_LINE_MIDDLE)
        return caret_join(c, c->run == LEXER_SPACE ? LEXER_SPACE : LEXER_SKIPPED, caret->flag,
                          writes);
    if (!cursor_open_run(c, LEXER_SPACE, caret->flag, writes))
        return false;
    c->n_tokens++;
    c->line_state = LEXER_LINE_SKIPPING;
    return true;
}

CURSOR_INLINE bool caret_take_invalid(struct cursor *c, const struct caret *caret, bool writes)
{
    struct lexer *const lx = c->lx;
    if (!caret_join(c, LEXER_INVALID, caret->flag, writes))
        return false;
    /* What a malformed ^^^^ leaves behind is part of that issue. */
    if (!caret->fault_end && !(lx->caret_fault_next == c->pos && c->pos > 0))
        lexer_issue_add(lx, &(struct lexer_issue){.start = c->pos,
                                                  .end = caret->end,
                                                  .id = LEXER_ISSUE_INVALID_CHARACTER});
    return true;
}

CURSOR_INLINE bool caret_take_visible(struct cursor *c, uint8_t kind, const struct caret *caret,
                                      bool writes)
{
    if (!caret_join(c, kind, caret->flag, writes))
        return false;
    c->n_tokens++;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

CURSOR_INLINE bool caret_take_control(struct cursor *c, uint32_t at, uint8_t flag, bool writes)
{
    struct caret_control control;
    if (!caret_read_control(c->lx, c->src, at, c->limit, flag, &control) ||
        !cursor_take_single(c, control.kind, control.end, writes))
        return false;
    c->line_state = control.line_state;
    return true;
}

/* The character, but for what it says of the line. */
CURSOR_INLINE bool caret_take_character(struct cursor *c, const struct caret *caret, bool writes)
{
    const uint8_t flag = caret->flag;
    switch (caret->catcode) {
    case CATCODE_LETTER:
        return caret_take_visible(c, LEXER_LETTERS, caret, writes);
    case CATCODE_OTHER:
        return caret_take_visible(c, LEXER_OTHERS, caret, writes);
    case CATCODE_SPACE:
        return caret_take_blank(c, caret, writes);
    case CATCODE_IGNORED:
        return caret_join(c, LEXER_SKIPPED, flag, writes);
    case CATCODE_INVALID:
        return caret_take_invalid(c, caret, writes);
    case CATCODE_BEGIN_GROUP:
        return cursor_take_begin_group(c, LEXER_BEGIN_GROUP | flag, caret->end, writes);
    case CATCODE_END_GROUP:
        return cursor_take_end_group(c, LEXER_END_GROUP | flag, caret->end, writes);
    case CATCODE_MATH_SHIFT:
        return cursor_take_math_shift(c, LEXER_MATH_SHIFT | flag, caret->end, writes);
    case CATCODE_ALIGNMENT:
        return cursor_take_single(c, LEXER_ALIGNMENT | flag, caret->end, writes);
    case CATCODE_PARAMETER:
        return cursor_take_single(c, LEXER_PARAMETER | flag, caret->end, writes);
    case CATCODE_SUPERSCRIPT:
        return cursor_take_single(c, LEXER_SUPERSCRIPT | flag, caret->end, writes);
    case CATCODE_SUBSCRIPT:
        return cursor_take_single(c, LEXER_SUBSCRIPT | flag, caret->end, writes);
    case CATCODE_ACTIVE:
        return cursor_take_single(c, LEXER_ACTIVE | flag, caret->end, writes);
    default: /* a line end or a comment, with which the rest of the line goes */
        return false;
    }
}

/* The end of the row of ^ at offset at, or some offset behind limit. */
CURSOR_INLINE uint32_t caret_row_end(const struct cursor *c, uint32_t at)
{
    while (at < c->limit && word64_load(c->in + at) == WORD64_ONES * '^')
        at += sizeof(uint64_t);
    while (at < c->limit + CARET_PREFIX_BYTES && c->in[at] == '^')
        at++;
    return at;
}

/* In a row of ^ each three begin a malformed ^^^^^^ and are read as U+001E, but for the last few.
 */
CURSOR_INLINE bool caret_take_row(struct cursor *c, bool writes)
{
    const struct caret caret = {.flag = LEXER_CARET};
    const uint8_t catcode = c->classes['^' ^ 64];
    const uint32_t start = c->pos;
    if (catcode != CATCODE_INVALID && catcode != CATCODE_OTHER)
        return false;
    const uint32_t n = caret_row_end(c, start) - start;
    if (n <= CARET_PREFIX_BYTES)
        return false;
    const uint32_t n_characters = (n - CARET_PREFIX_BYTES - 1) / 3 + 1;
    if (catcode == CATCODE_INVALID ? !caret_join(c, LEXER_INVALID, LEXER_CARET, writes)
                                   : !caret_take_visible(c, LEXER_OTHERS, &caret, writes))
        return false;
    c->n_tokens += catcode == CATCODE_OTHER ? n_characters - 1 : 0;
    c->pos += 3 * n_characters;
    lexer_report_caret_fault(c->lx, start, c->pos, start + CARET_PREFIX_BYTES);
    return true;
}

CURSOR_INLINE bool caret_take_one(struct cursor *c, bool writes)
{
    struct caret caret;
    const uint32_t start = c->pos;
    if (!caret_read(c->lx, c->src, start, &caret))
        return false;
    if (caret.catcode == CATCODE_ESCAPE)
        return caret_take_control(c, caret.end, LEXER_CARET, writes);
    /* It would be another character: that is reported. */
    if ((caret.line_end && c->end_is_space) || !caret_take_character(c, &caret, writes))
        return false;
    c->pos = caret.end;
    if (caret.fault_end)
        lexer_report_caret_fault(c->lx, start, caret.end, caret.fault_end);
    if (caret.line_end) {
        suspect_line_end(c->lx, c->in, caret.end);
        c->n_lines++;
        c->run = LEXER_RUN_NONE;
        c->line_state = LEXER_LINE_NEW;
    }
    return true;
}

/* ^^ at c->pos, and what is written so behind it. */
CURSOR_INLINE bool caret_take(struct cursor *c, bool writes)
{
    const bool has_long = c->src->regime == LEXER_LUALATEX;
    do {
        const bool is_row = has_long && caret_is_at(c->in, c->pos + 2);
        if (!(is_row && caret_take_row(c, writes)) && !caret_take_one(c, writes))
            return false;
    } while (c->pos < c->limit && caret_is_at(c->in, c->pos));
    return true;
}

#endif
