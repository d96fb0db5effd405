#include "lexer/lexer.h"

#include <assert.h>
#include <errno.h>

#include "lexer/kernel.h"
#include "lexer/nest.h"
#include "lexer/step.h"

_Static_assert(sizeof(struct lexer) <= 4096, "a lexer fits a page of its embedder");

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

/* The line end that TeX adds to a last line without one. */
static void end_last_line(struct lexer *lx, const uint8_t *input, uint32_t n_bytes)
{
    const uint8_t last = n_bytes ? input[n_bytes - 1] : 0;
    if (last == '\n' || last == '\r' || lx->line_end_used)
        return;
    lx->n_lines++;
    if (lx->mode != LEXER_MODE_TEXT)
        return; /* behind a control word, or in a comment: it gives nothing */
    lx->n_tokens += lx->line_state != LEXER_LINE_SKIPPING;
    if (lx->line_state == LEXER_LINE_NEW)
        nest_par(lx, n_bytes, n_bytes);
}

static int lex_tail(struct lexer *lx, const uint8_t *input, uint32_t n_bytes)
{
    const struct character_source src = {
        .bytes = input, .have = n_bytes, .final = true, .regime = lx->regime};
    while (lx->pos < n_bytes || lx->mode == LEXER_MODE_ESCAPE) {
        const int rc = lexer_step(lx, &src);
        if (rc < 0)
            return rc;
        assert(rc == LEXER_STEP_DONE);
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
    end_last_line(lx, input, have_bytes);
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
