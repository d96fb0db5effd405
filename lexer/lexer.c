#include "lexer/lexer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lexer/context.h"
#include "lexer/kernel.h"
#include "lexer/nest.h"
#include "lexer/step.h"

_Static_assert(sizeof(struct lexer) <= 8192, "a lexer fits two pages of its embedder");

const char *lexer_kind_name(unsigned kind)
{
    static const char *const names[LEXER_KIND_COUNT] = {
        "letters",   "others",       "space",          "skipped",     "eol-space", "eol-par",
        "eol-none",  "control-word", "control-symbol", "begin-group", "end-group", "math-shift",
        "alignment", "parameter",    "superscript",    "subscript",   "active",    "comment",
        "invalid",   "verbatim",     "after-end",
    };
    assert(kind < LEXER_KIND_COUNT);
    return names[kind];
}

bool lexer_name_has_at_letter(const char *file_name)
{
    static const char *const endings[] = {".sty", ".cls", ".def", ".ltx", ".dtx"};
    const size_t n = strlen(file_name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (n > 4 && strcmp(file_name + n - 4, endings[i]) == 0)
            return true;
    return false;
}

/* No span is empty, so n bytes give at most n; n opening braces give n. */
uint32_t lexer_span_cap(uint32_t input_bytes)
{
    return input_bytes;
}

void lexer_begin(struct lexer *lx, const struct lexer_options *options, const struct lexer_out *out)
{
    assert(options->regime == LEXER_LUALATEX || options->regime == LEXER_PDFLATEX);
    *lx = (struct lexer){.regime = (uint8_t)options->regime, .run = LEXER_RUN_NONE};
    if (out) {
        lx->out = *out;
        lx->writes = true;
    }
    context_begin(lx, options);
}

int lexer_feed(struct lexer *lx, const uint8_t *input, uint32_t have_bytes)
{
    assert(have_bytes >= lx->pos);
    if (have_bytes > LEXER_INPUT_BYTES_MAX)
        lx->failed = -EFBIG;
    if (lx->failed == 0)
        lx->failed = lexer_kernel()->run(lx, input, have_bytes);
    return lx->failed;
}

/* What a line end gives that is no part of a span. */
static enum lexer_kind bare_line_end_kind(const struct lexer *lx)
{
    const uint8_t catcode = context_line_end_code(lx);
    if (!lx->context.end_is_space && catcode == CATCODE_ACTIVE)
        return LEXER_ACTIVE;
    if (!lx->context.end_is_space && catcode == CATCODE_OTHER)
        return LEXER_OTHERS;
    return lexer_line_end_kind(lx, catcode);
}

/* The line end that TeX adds to a last line without one: what it gives. */
static enum lexer_kind end_last_line(struct lexer *lx, const uint8_t *input, uint32_t n_bytes)
{
    const uint8_t last = n_bytes ? input[n_bytes - 1] : 0;
    if (last == '\n' || last == '\r' || lx->line_end_used)
        return LEXER_EOL_NONE;
    lx->n_lines++;
    if (lx->mode != LEXER_MODE_TEXT && lx->mode != LEXER_MODE_VERB)
        return LEXER_EOL_NONE; /* behind a control word, in a comment, in verbatim text */
    const enum lexer_kind kind =
        lx->mode == LEXER_MODE_VERB ? LEXER_EOL_SPACE : bare_line_end_kind(lx);
    lx->n_tokens += kind != LEXER_EOL_NONE;
    if (lx->mode == LEXER_MODE_TEXT)
        context_see_line_end(lx, n_bytes, n_bytes);
    if (kind == LEXER_EOL_PAR)
        nest_par(lx, input, n_bytes, n_bytes);
    return kind;
}

static int lex_tail(struct lexer *lx, const uint8_t *input, uint32_t n_bytes)
{
    while (lx->pos < n_bytes || lx->mode == LEXER_MODE_ESCAPE) {
        const struct character_source src = character_source_of(lx, input, n_bytes, true);
        const int rc = lexer_step(lx, &src);
        if (rc < 0)
            return rc;
        assert(rc == LEXER_STEP_DONE);
    }
    if (lx->mode == LEXER_MODE_WORD) {
        const struct character_source src = character_source_of(lx, input, n_bytes, true);
        lexer_end_word(lx, &src);
    }
    return 0;
}

int lexer_finish(struct lexer *lx, const uint8_t *input, uint32_t have_bytes,
                 struct lexer_counts *counts)
{
    int rc = lexer_feed(lx, input, have_bytes);
    if (rc == 0)
        rc = lx->failed = lex_tail(lx, input, have_bytes);
    if (rc < 0)
        return rc;
    const enum lexer_kind added_end = end_last_line(lx, input, have_bytes);
    context_finish(lx, have_bytes);
    nest_finish(lx, input, have_bytes);
    if (lx->writes)
        lx->out.starts[lx->n_spans] = have_bytes;
    *counts = (struct lexer_counts){
        .n_bytes = have_bytes,
        .n_spans = lx->n_spans,
        .n_tokens = lx->n_tokens,
        .n_lines = lx->n_lines,
        .n_issues = lx->n_issues,
        .n_errors = lx->n_errors,
        .n_warnings = lx->n_warnings,
        .added_end = added_end,
    };
    return 0;
}

int lexer_run(const struct lexer_options *options, const uint8_t *input, uint32_t input_bytes,
              const struct lexer_out *out, struct lexer_counts *counts)
{
    struct lexer lx;
    lexer_begin(&lx, options, out);
    return lexer_finish(&lx, input, input_bytes, counts);
}
