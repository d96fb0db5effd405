#include "lexer/token.h"

#include <assert.h>

#include "lexer/catcode.h"

void token_begin(struct token_cursor *cursor, enum lexer_regime regime, const uint8_t *input,
                 uint32_t n_bytes, const uint8_t *kinds, const uint32_t *starts, uint32_t n_spans)
{
    *cursor = (struct token_cursor){
        .source = {.bytes = input, .have = n_bytes, .final = true, .regime = (uint8_t)regime},
        .kinds = kinds,
        .starts = starts,
        .n_spans = n_spans,
        .line = 1,
        .line_state = LEXER_LINE_NEW,
    };
}

static void set_character(struct token *token, uint8_t catcode, uint32_t code_point)
{
    token->type = TOKEN_CHARACTER;
    token->catcode = catcode;
    token->code_point = code_point;
}

/* The end of an unended last line gives what any line end would. */
static bool next_at_end(struct token_cursor *cursor, struct token *token)
{
    const uint8_t state = cursor->line_state;
    if (cursor->ended || cursor->line_over || state == LEXER_LINE_SKIPPING)
        return false;
    cursor->ended = true;
    *token = (struct token){
        .start = cursor->source.have, .end = cursor->source.have, .line = cursor->line};
    if (state == LEXER_LINE_NEW)
        token->type = TOKEN_PAR;
    else
        set_character(token, CATCODE_SPACE, ' ');
    return true;
}

/* A span whose characters are a token each. */
static void next_character(struct token_cursor *cursor, uint32_t span_end, struct token *token)
{
    const struct character ch = character_at(&cursor->source, cursor->at);
    token->start = cursor->at;
    token->end = ch.end;
    set_character(token, ch.catcode, ch.code);
    cursor->line_state = LEXER_LINE_MIDDLE;
    cursor->line_over = ch.line_end;
    cursor->at = ch.end;
    assert(ch.end <= span_end);
    if (ch.end == span_end)
        cursor->span++;
}

static void set_control(struct token_cursor *cursor, unsigned kind, struct token *token)
{
    const struct character escape = character_at(&cursor->source, token->start);
    struct lexer_ahead ahead = {0};
    struct character ch;
    character_read_escaped(&cursor->source, escape.end, &ahead, &ch);
    token->type = TOKEN_CONTROL;
    cursor->line_state = kind == LEXER_CONTROL_WORD || ch.catcode == CATCODE_SPACE
                             ? LEXER_LINE_SKIPPING
                             : LEXER_LINE_MIDDLE;
    if (kind == LEXER_CONTROL_SYMBOL)
        cursor->line_over = ch.line_end;
    else
        cursor->line_over = token->end > 0 && (cursor->source.bytes[token->end - 1] == '\n' ||
                                               cursor->source.bytes[token->end - 1] == '\r');
}

/* A span that is one token or none. */
static bool whole_span(struct token_cursor *cursor, unsigned kind, struct token *token)
{
    switch (kind) {
    case LEXER_SPACE:
        set_character(token, CATCODE_SPACE, ' ');
        cursor->line_state = LEXER_LINE_SKIPPING;
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
        set_control(cursor, kind, token);
        return true;
    case LEXER_EOL_NONE:
    case LEXER_COMMENT:
        cursor->line_over = true;
        return false;
    default:
        assert(kind == LEXER_SKIPPED || kind == LEXER_INVALID);
        return false;
    }
}

static bool has_token_per_character(unsigned kind)
{
    return kind == LEXER_LETTERS || kind == LEXER_OTHERS ||
           (kind >= LEXER_BEGIN_GROUP && kind <= LEXER_ACTIVE);
}

bool token_next(struct token_cursor *cursor, struct token *token)
{
    while (cursor->span < cursor->n_spans) {
        const unsigned kind = cursor->kinds[cursor->span] & LEXER_KIND_MASK;
        const uint32_t start = cursor->starts[cursor->span];
        const uint32_t end = cursor->starts[cursor->span + 1];
        if (cursor->line_over) {
            cursor->line++;
            cursor->line_over = false;
            cursor->line_state = LEXER_LINE_NEW;
        }
        *token = (struct token){.start = start, .end = end, .line = cursor->line};
        if (has_token_per_character(kind)) {
            if (cursor->at < start)
                cursor->at = start;
            next_character(cursor, end, token);
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
