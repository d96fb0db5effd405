/* What the portable kernel's loops work on, and what they all do: spans opened, state written back.
 * Everything is inlined into loops compiled for each mode, so that the cursor stays in registers.
 */
#ifndef L0_LEXER_CURSOR_H
#define L0_LEXER_CURSOR_H

#include "lexer/context.h"
#include "lexer/lexer.h"
#include "lexer/nest.h"

/* The loops read at most this many bytes from the offset they have reached. */
#define CURSOR_REACH_BYTES 16u

#define CURSOR_INLINE static inline __attribute__((always_inline))

/* The part of struct lexer that the loops work on, kept in registers. */
struct cursor {
    struct lexer *lx;
    const struct character_source *src;
    const uint8_t *in;
    const uint8_t *classes;
    uint8_t *kinds;
    uint32_t *starts;
    uint32_t span_cap;
    uint32_t pos, limit; /* the loops go on while pos < limit */
    uint32_t n_spans, n_tokens, n_lines, depth;
    uint32_t guard, n_saves;
    uint8_t run, line_state;
    bool in_formula;
    bool end_is_space;
    bool tells_blanks; /* U+0020 has to be told from what TeX trims */
};

CURSOR_INLINE struct cursor cursor_load(struct lexer *lx, const struct character_source *src,
                                        uint32_t limit)
{
    return (struct cursor){
        .lx = lx,
        .src = src,
        .in = src->bytes,
        .classes = lx->context.slots,
        .kinds = lx->out.kinds,
        .starts = lx->out.starts,
        .span_cap = lx->out.span_cap,
        .pos = lx->pos,
        .limit = limit,
        .n_spans = lx->n_spans,
        .n_tokens = lx->n_tokens,
        .n_lines = lx->n_lines,
        .depth = lx->nest.depth,
        .guard = lx->nest.guard,
        .n_saves = lx->context.n_saves,
        .run = lx->run,
        .line_state = lx->line_state,
        .in_formula = lx->nest.n_math > 0,
        .end_is_space = lx->context.end_is_space,
        .tells_blanks = !context_blanks_are_plain(lx),
    };
}

CURSOR_INLINE void cursor_store(struct lexer *lx, const struct cursor *c)
{
    lx->pos = c->pos;
    lx->n_spans = c->n_spans;
    lx->n_tokens = c->n_tokens;
    lx->n_lines = c->n_lines;
    lx->nest.depth = c->depth;
    lx->run = c->run;
    lx->line_state = c->line_state;
}

/* U+0020 that is still to be told. */
CURSOR_INLINE bool cursor_is_open_blank(const struct cursor *c)
{
    return c->tells_blanks && c->in[c->pos] == ' ' && c->pos >= c->lx->context.blanks_to;
}

/* To be called after nest.c changed what the cursor holds of it. Where it brought category codes
 * back, whether the loops apply has to be asked again. */
CURSOR_INLINE void cursor_reload_nest(struct cursor *c)
{
    if (c->lx->context.n_saves != c->n_saves)
        c->limit = c->pos;
    c->depth = c->lx->nest.depth;
    c->guard = c->lx->nest.guard;
    c->in_formula = c->lx->nest.n_math > 0;
}

/* Opens a span at offset at; false when there is no room. */
CURSOR_INLINE bool cursor_open_span(struct cursor *c, uint8_t kind, uint32_t at, bool writes)
{
    if (writes) {
        if (c->n_spans == c->span_cap)
            return false;
        c->kinds[c->n_spans] = kind;
        c->starts[c->n_spans] = at;
    }
    c->n_spans++;
    return true;
}

/* The same, for a run that may be joined. */
CURSOR_INLINE bool cursor_open_run(struct cursor *c, uint8_t kind, uint8_t flag, bool writes)
{
    if (!cursor_open_span(c, kind | flag, c->pos, writes))
        return false;
    c->run = kind;
    return true;
}

/* Each of the following takes the character from c->pos up to end, and says whether it did: if not,
 * nothing has changed, and lexer_step() is to go on from there. kind may have LEXER_CARET in it. */

/* One that is a token and a span by itself. */
CURSOR_INLINE bool cursor_take_single(struct cursor *c, uint8_t kind, uint32_t end, bool writes)
{
    if (!cursor_open_span(c, kind, c->pos, writes))
        return false;
    c->pos = end;
    c->n_tokens++;
    c->run = LEXER_RUN_NONE;
    c->line_state = LEXER_LINE_MIDDLE;
    return true;
}

CURSOR_INLINE bool cursor_take_begin_group(struct cursor *c, uint8_t kind, uint32_t end,
                                           bool writes)
{
    if (!cursor_take_single(c, kind, end, writes))
        return false;
    c->depth++;
    return true;
}

CURSOR_INLINE bool cursor_take_end_group(struct cursor *c, uint8_t kind, uint32_t end, bool writes)
{
    const uint32_t start = c->pos;
    if (!cursor_take_single(c, kind, end, writes))
        return false;
    if (c->depth > c->guard) {
        c->depth--;
    } else {
        c->lx->nest.depth = c->depth;
        nest_close_brace(c->lx, c->in, start, end);
        cursor_reload_nest(c);
    }
    return true;
}

CURSOR_INLINE bool cursor_take_math_shift(struct cursor *c, uint8_t kind, uint32_t end, bool writes)
{
    const uint32_t start = c->pos;
    c->lx->nest.depth = c->depth;
    c->lx->n_tokens = c->n_tokens;
    if (!cursor_take_single(c, kind, end, writes))
        return false;
    nest_math_shift(c->lx, start);
    cursor_reload_nest(c);
    return true;
}

#endif
