/* ^^ notation in the portable kernel's loops. What it means is character.c's to say: here is what
 * can be told of a few bytes that are all there, at the speed of other text. */
#ifndef L0_LEXER_CARET_H
#define L0_LEXER_CARET_H

#include <string.h>

#include "lexer/catcode.h"
#include "lexer/cursor.h"
#include "lexer/issue.h"
#include "lexer/step.h"
#include "lexer/suspect.h"
#include "lexer/word64.h"

/* A character in ^^ notation; or the ^ that is none of it. Small enough for registers. */
struct caret {
    uint32_t end;       /* 0: that cannot be told yet */
    uint32_t fault_end; /* as of struct character */
    uint8_t catcode;
    uint8_t flag; /* LEXER_CARET, or 0 */
    uint8_t code; /* UINT8_MAX where it is no ASCII character */
    bool line_end;
};

/* A control sequence with ^^ notation in it. */
struct caret_control {
    uint32_t end; /* 0: it has to be read byte by byte */
    uint8_t kind; /* of its span, with its flag */
    uint8_t line_state;
};

/* The third character of ^^ notation, and what follows it: a hexadecimal digit's value, or these.
 */
#define CARET_PLAIN   16u
#define CARET_SPECIAL 32u /* more has to be looked at than this one */
extern const uint8_t caret_thirds[256];

/* ^^^^^^: behind it there have to be digits. */
#define CARET_PREFIX_BYTES 6u

/* What ^^ at offset at means, whatever it takes. lx->ahead is zero, or what this left. */
struct caret caret_read_slowly(struct lexer *lx, const struct character_source *src, uint32_t at);

/* The control sequence whose escape character, with that flag, ends before offset at. It has to be
 * read byte by byte where it reaches to limit, is rare, or may be a watched command. */
struct caret_control caret_read_control(const struct lexer *lx, const struct character_source *src,
                                        uint32_t at, uint32_t limit, uint8_t flag);

static inline bool caret_is_at(const uint8_t *in, uint32_t at)
{
    uint16_t two;
    memcpy(&two, in + at, sizeof two);
    return two == ('^' << 8 | '^');
}

CURSOR_INLINE struct caret caret_of(const uint8_t *classes, uint8_t code, uint32_t end)
{
    return (struct caret){.end = end, .catcode = classes[code], .flag = LEXER_CARET, .code = code};
}

/* What ^^ at offset at means, where no character is special. */
CURSOR_INLINE struct caret caret_read_plain(const uint8_t *in, const uint8_t *classes, uint32_t at,
                                            unsigned high)
{
    const unsigned low = caret_thirds[in[at + 3]];
    return (high | low) < CARET_PLAIN ? caret_of(classes, (uint8_t)(high << 4 | low), at + 4)
                                      : caret_of(classes, in[at + 2] ^ 64u, at + 3);
}

/* The same where the third one is, and no more than the next one has to be known. */
CURSOR_INLINE struct caret caret_read_third(const struct character_source *src, uint32_t at)
{
    const uint8_t *const in = src->bytes + at;
    if (in[2] >= 0x80) /* it is none */
        return (struct caret){.end = at + 1, .catcode = CATCODE_SUPERSCRIPT, .code = '^'};
    const bool is_short = in[2] == '^'   ? in[3] != '^' || src->regime == LEXER_PDFLATEX
                          : in[2] == ' ' ? in[3] != ' ' && in[3] != '\n' && in[3] != '\r'
                                         : false;
    return caret_of(src->slots, in[2] ^ 64u, is_short ? at + 3 : 0);
}

/* The same, whichever it is. */
CURSOR_INLINE struct caret caret_read_short(const struct character_source *src, uint32_t at)
{
    const unsigned high = caret_thirds[src->bytes[at + 2]];
    return high == CARET_SPECIAL ? caret_read_third(src, at)
                                 : caret_read_plain(src->bytes, src->slots, at, high);
}

/* What was read is all, and a character of that category code; it may be corrected. Not so a ^ that
 * may begin more, and line ends. */
CURSOR_INLINE bool caret_is_told(struct caret *caret)
{
    const unsigned others =
        1u << CATCODE_SUPERSCRIPT | 1u << CATCODE_CLASS_LINE_END | 1u << CATCODE_CLASS_UTF8;
    if (others >> caret->catcode & 1) {
        if (caret->catcode == CATCODE_CLASS_UTF8)
            caret->catcode = catcode_first[LEXER_LUALATEX][caret->code];
        else if (caret->catcode != CATCODE_SUPERSCRIPT || (caret->code == '^' && caret->flag))
            return false;
    }
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

CURSOR_INLINE bool caret_join_visible(struct cursor *c, uint8_t kind, uint8_t flag, bool writes)
{
    if (!caret_join(c, kind, flag, writes))
        return false;
    c->n_tokens++;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

CURSOR_INLINE bool caret_take_blank(struct cursor *c, const struct caret *caret, bool writes)
{
    const bool gives_token = c->line_state == LEXER_LINE_MIDDLE;
    const uint8_t kind = gives_token || c->run == LEXER_SPACE ? LEXER_SPACE : LEXER_SKIPPED;
    if (!(gives_token ? cursor_open_run(c, kind, caret->flag, writes)
                      : caret_join(c, kind, caret->flag, writes)))
        return false;
    c->n_tokens += gives_token;
    if (gives_token)
        c->line_state = LEXER_LINE_SKIPPING;
    c->pos = caret->end;
    return true;
}

CURSOR_INLINE bool caret_join_invalid(struct cursor *c, const struct caret *caret, bool writes)
{
    if (!caret_join(c, LEXER_INVALID, caret->flag, writes))
        return false;
    /* What a malformed ^^^^ leaves behind is part of that issue. */
    if (!caret->fault_end && !(c->lx->caret_fault_next == c->pos && c->pos > 0))
        lexer_issue_report(c->lx, LEXER_ISSUE_INVALID_CHARACTER, c->pos, caret->end);
    return true;
}

CURSOR_INLINE bool caret_take_control(struct cursor *c, uint32_t at, uint8_t flag, bool writes)
{
    const struct caret_control control = caret_read_control(c->lx, c->src, at, c->limit, flag);
    if (control.end == 0 || !cursor_take_single(c, control.kind, control.end, writes))
        return false;
    c->line_state = control.line_state;
    return true;
}

/* The same, behind an escape character that is none of it, where ^^ begins the name. */
CURSOR_INLINE bool caret_take_symbol(struct cursor *c, uint32_t at, bool writes)
{
    struct caret caret = caret_read_short(c->src, at);
    if (caret.end == 0 || !caret_is_told(&caret) || caret.catcode == CATCODE_LETTER)
        return caret_take_control(c, at, 0, writes);
    if (!cursor_take_single(c, LEXER_CONTROL_SYMBOL | caret.flag, caret.end, writes))
        return false;
    if (caret.catcode == CATCODE_SPACE)
        c->line_state = LEXER_LINE_SKIPPING;
    return true;
}

/* One that is no letter, other or invalid. */
CURSOR_INLINE bool caret_take_rare(struct cursor *c, const struct caret *caret, bool writes)
{
    const uint8_t flag = caret->flag;
    switch (caret->catcode) {
    case CATCODE_ESCAPE:
        return caret_take_control(c, caret->end, flag, writes);
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
    case CATCODE_SPACE:
        return caret_take_blank(c, caret, writes);
    case CATCODE_IGNORED:
        if (!caret_join(c, LEXER_SKIPPED, flag, writes))
            return false;
        c->pos = caret->end;
        return true;
    default: /* a line end or a comment, with which the rest of the line goes */
        return false;
    }
}

/* Any character. */
CURSOR_INLINE bool caret_take_character(struct cursor *c, const struct caret *caret, bool writes)
{
    const uint8_t flag = caret->flag;
    switch (caret->catcode) {
    case CATCODE_LETTER:
        if (!caret_join_visible(c, LEXER_LETTERS, flag, writes))
            return false;
        break;
    case CATCODE_OTHER:
        if (!caret_join_visible(c, LEXER_OTHERS, flag, writes))
            return false;
        break;
    case CATCODE_INVALID:
        if (!caret_join_invalid(c, caret, writes))
            return false;
        break;
    default:
        return caret_take_rare(c, caret, writes);
    }
    c->pos = caret->end;
    return true;
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
    const uint8_t catcode = c->classes['^' ^ 64];
    const uint32_t start = c->pos;
    if (catcode != CATCODE_INVALID && catcode != CATCODE_OTHER)
        return false;
    const uint32_t n = caret_row_end(c, start) - start;
    if (n <= CARET_PREFIX_BYTES)
        return false;
    const uint32_t n_characters = (n - CARET_PREFIX_BYTES - 1) / 3 + 1;
    if (catcode == CATCODE_INVALID ? !caret_join(c, LEXER_INVALID, LEXER_CARET, writes)
                                   : !caret_join_visible(c, LEXER_OTHERS, LEXER_CARET, writes))
        return false;
    c->n_tokens += catcode == CATCODE_OTHER ? n_characters - 1 : 0;
    c->pos += 3 * n_characters;
    lexer_report_caret_fault(c->lx, start, c->pos, start + CARET_PREFIX_BYTES);
    return true;
}

/* Where more has to be looked at than a few bytes. */
CURSOR_INLINE bool caret_take_slowly(struct cursor *c, bool writes)
{
    const uint32_t start = c->pos;
    if (c->src->regime == LEXER_LUALATEX && caret_is_at(c->in, start + 2) &&
        caret_is_at(c->in, start + 5) && caret_take_row(c, writes))
        return true;
    const struct caret caret = caret_read_slowly(c->lx, c->src, start);
    /* A line end that is U+0020 would be another character: that is reported. */
    if (caret.end == 0 || (caret.line_end && c->end_is_space) ||
        !caret_take_character(c, &caret, writes))
        return false;
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

/* Characters that go on with a run of letters, others or what is invalid, told by that. */
CURSOR_INLINE void caret_go_on(struct cursor *c, uint8_t catcode)
{
    const uint32_t is_token = catcode != CATCODE_INVALID;
    while (c->pos < c->limit && caret_is_at(c->in, c->pos)) {
        const unsigned high = caret_thirds[c->in[c->pos + 2]];
        const struct caret caret = caret_read_plain(c->in, c->classes, c->pos, high);
        if (high == CARET_SPECIAL || caret.catcode != catcode)
            break;
        if (!is_token)
            lexer_issue_report(c->lx, LEXER_ISSUE_INVALID_CHARACTER, c->pos, caret.end);
        c->n_tokens += is_token;
        c->pos = caret.end;
    }
}

/* ^^ at c->pos, and what is written so behind it. */
CURSOR_INLINE bool caret_take(struct cursor *c, bool writes)
{
    bool taken;
    do {
        const unsigned high = caret_thirds[c->in[c->pos + 2]];
        const uint8_t run = c->run;
        if (high == CARET_SPECIAL) {
            const struct caret caret = caret_read_third(c->src, c->pos);
            /* Blanks that were looked at are left to those who did. */
            taken = caret.end != 0 && c->lx->ahead.blanks_to == 0
                        ? caret_take_character(c, &caret, writes)
                        : caret_take_slowly(c, writes);
            continue;
        }
        struct caret caret = caret_read_plain(c->in, c->classes, c->pos, high);
        if (!caret_is_told(&caret)) {
            taken = caret_take_slowly(c, writes);
            continue;
        }
        taken = caret_take_character(c, &caret, writes);
        if (taken && run == c->run &&
            (run == LEXER_LETTERS || run == LEXER_OTHERS || run == LEXER_INVALID))
            caret_go_on(c, caret.catcode);
    } while (taken && c->pos < c->limit && caret_is_at(c->in, c->pos));
    return taken;
}

#endif
