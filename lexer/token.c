#include "lexer/token.h"

#include <assert.h>

#include "lexer/catcode.h"

void token_begin(struct token_cursor *cursor, enum lexer_regime regime, const uint8_t *input,
                 const uint8_t *kinds, const uint32_t *starts, const struct lexer_counts *counts)
{
    *cursor = (struct token_cursor){
        .source = {.bytes = input,
                   .have = counts->n_bytes,
                   .final = true,
                   .regime = (uint8_t)regime},
        .kinds = kinds,
        .starts = starts,
        .n_spans = counts->n_spans,
        .line = 1,
        .added_end = (uint8_t)counts->added_end,
    };
}

static void set_character(struct token *token, uint8_t catcode, uint32_t code_point)
{
    token->type = TOKEN_CHARACTER;
    token->catcode = catcode;
    token->code_point = code_point;
}

static void next_line(struct token_cursor *cursor)
{
    cursor->line += cursor->line_over;
    cursor->line_over = false;
}

/* The category codes of kinds whose characters are a token each; verbatim text is all others. */
static const uint8_t catcodes[LEXER_KIND_COUNT] = {
    [LEXER_LETTERS] = CATCODE_LETTER,          [LEXER_OTHERS] = CATCODE_OTHER,
    [LEXER_BEGIN_GROUP] = CATCODE_BEGIN_GROUP, [LEXER_END_GROUP] = CATCODE_END_GROUP,
    [LEXER_MATH_SHIFT] = CATCODE_MATH_SHIFT,   [LEXER_ALIGNMENT] = CATCODE_ALIGNMENT,
    [LEXER_PARAMETER] = CATCODE_PARAMETER,     [LEXER_SUPERSCRIPT] = CATCODE_SUPERSCRIPT,
    [LEXER_SUBSCRIPT] = CATCODE_SUBSCRIPT,     [LEXER_ACTIVE] = CATCODE_ACTIVE,
    [LEXER_VERBATIM] = CATCODE_OTHER,
};

static bool has_token_per_character(unsigned kind)
{
    return catcodes[kind] != 0;
}

static bool next_at_end(struct token_cursor *cursor, struct token *token)
{
    const uint8_t kind = cursor->added_end;
    if (kind == LEXER_EOL_NONE)
        return false;
    next_line(cursor);
    cursor->added_end = LEXER_EOL_NONE;
    *token = (struct token){
        .start = cursor->source.have, .end = cursor->source.have, .line = cursor->line};
    if (kind == LEXER_EOL_PAR)
        token->type = TOKEN_PAR;
    else if (has_token_per_character(kind))
        set_character(token, catcodes[kind], '\r');
    else
        set_character(token, CATCODE_SPACE, ' ');
    return true;
}

static bool ends_line(const struct token_cursor *cursor, uint32_t end)
{
    const uint8_t last = end > 0 ? cursor->source.bytes[end - 1] : 0;
    return last == '\n' || last == '\r';
}

/* A span whose characters are a token each. */
static void next_character(struct token_cursor *cursor, unsigned kind, uint32_t span_end,
                           struct token *token)
{
    const struct character ch = character_at(&cursor->source, cursor->at);
    token->start = cursor->at;
    token->end = ch.end;
    set_character(token, catcodes[kind], ch.code);
    cursor->line_over = ch.line_end;
    cursor->at = ch.end;
    assert(ch.end <= span_end);
    if (ch.end == span_end)
        cursor->span++;
}

/* Skips what gives no token: invalid characters, and U+0020 at the line end. False if nothing else
 * is left of the span. */
static bool find_verbatim(struct token_cursor *cursor, uint32_t span_end)
{
    const uint8_t *const bytes = cursor->source.bytes;
    const uint8_t *const catcode = catcode_first[cursor->source.regime];
    while (cursor->at < span_end) {
        const uint8_t byte = bytes[cursor->at];
        if (byte == ' ' && cursor->at >= cursor->blanks_to) {
            uint32_t end = cursor->at;
            while (end < span_end && bytes[end] == ' ')
                end++;
            const bool at_end =
                end == cursor->source.have || bytes[end] == '\n' || bytes[end] == '\r';
            if (!at_end)
                cursor->blanks_to = end;
            else
                cursor->at = end;
        } else if (byte < 0x80 && byte != '\r' && byte != '\n' &&
                   catcode[byte] == CATCODE_INVALID) {
            cursor->at++;
        } else {
            return true;
        }
    }
    cursor->span++;
    cursor->line_over = ends_line(cursor, span_end);
    return false;
}

/* A span that is one token or none. */
static bool whole_span(struct token_cursor *cursor, unsigned kind, struct token *token)
{
    switch (kind) {
    case LEXER_SPACE:
        set_character(token, CATCODE_SPACE, ' ');
        cursor->line_over = ends_line(cursor, token->end);
        return true;
    case LEXER_EOL_SPACE:
        set_character(token, CATCODE_SPACE, ' ');
        cursor->line_over = true;
        return true;
    case LEXER_EOL_PAR:
        token->type = TOKEN_PAR;
        cursor->line_over = true;
        return true;
    case LEXER_CONTROL_WORD:
    case LEXER_CONTROL_SYMBOL:
        token->type = TOKEN_CONTROL;
        cursor->line_over = ends_line(cursor, token->end);
        return true;
    default:
        cursor->line_over = ends_line(cursor, token->end);
        return false;
    }
}

bool token_next(struct token_cursor *cursor, struct token *token)
{
    while (cursor->span < cursor->n_spans) {
        const unsigned kind = cursor->kinds[cursor->span] & LEXER_KIND_MASK;
        const uint32_t start = cursor->starts[cursor->span];
        const uint32_t end = cursor->starts[cursor->span + 1];
        next_line(cursor);
        *token = (struct token){.start = start, .end = end, .line = cursor->line};
        cursor->source.is_raw = !(cursor->kinds[cursor->span] & LEXER_CARET);
        if (has_token_per_character(kind)) {
            if (cursor->at < start)
                cursor->at = start;
            if (kind == LEXER_VERBATIM && !find_verbatim(cursor, end))
                continue;
            next_character(cursor, kind, end, token);
            return true;
        }
        cursor->span++;
        if (whole_span(cursor, kind, token))
            return true;
    }
    return next_at_end(cursor, token);
}

void token_name_begin(struct token_name *name, const struct token_cursor *cursor,
                      const struct token *control)
{
    assert(control->type == TOKEN_CONTROL);
    *name = (struct token_name){
        .source = &cursor->source,
        .at = character_at(&cursor->source, control->start).end,
        .end = control->end,
        .first = true,
    };
}

bool token_name_next(struct token_name *name, uint32_t *code_point)
{
    if (!name->first && name->at >= name->end)
        return false;
    struct lexer_ahead ahead = {0};
    struct character ch;
    if (name->first)
        character_read_escaped(name->source, name->at, &ahead, &ch);
    else
        character_read_in_word(name->source, name->at, &ahead, &ch);
    if (!name->first && ch.start >= name->end)
        return false; /* the last of the span were ^ that LuaTeX drops */
    name->first = false;
    name->at = ch.end;
    *code_point = ch.code;
    return true;
}
