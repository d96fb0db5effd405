/* Spans: kinds, capacity, and inputs of one thing only. */
#include "tests/unit/test_lexer_support.h"

#include <criterion/criterion.h>
#include <errno.h>

static void expect_spans(const char *input, const char *expected)
{
    const uint32_t n = (uint32_t)strlen(input);
    struct lexed lexed = lexed_whole(LEXER_LUALATEX, (const uint8_t *)input, n);
    char text[512] = "";
    size_t length = 0;
    for (uint32_t i = 0; i < lexed.counts.n_spans; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s%s:%u", i ? " " : "",
                                   lexer_kind_name(lexed.kinds[i] & LEXER_KIND_MASK),
                                   lexed.kinds[i] & LEXER_CARET ? "^" : "",
                                   lexed.starts[i + 1] - lexed.starts[i]);
    cr_expect_str_eq(text, expected, "%s: %s", input, text);
    lexed_free(&lexed);
}

Test(lexer_spans, runs_are_merged)
{
    expect_spans("ab c12.,\n", "letters:2 space:1 letters:1 others:4 eol-space:1");
    expect_spans("a \t b  \n", "letters:1 space:3 letters:1 space:2 eol-none:1");
    expect_spans("  a\n \n", "skipped:2 letters:1 eol-space:1 skipped:1 eol-par:1");
    expect_spans("\\foo  \\,\\\n", "control-word:4 skipped:2 control-symbol:2 control-symbol:2");
    expect_spans("a% b\r\nc", "letters:1 comment:5 letters:1");
    expect_spans("{}$&#^_~", "begin-group:1 end-group:1 math-shift:1 alignment:1 parameter:1 "
                             "superscript:1 subscript:1 active:1");
    expect_spans("\x01\x02z\x7F", "invalid:2 letters:1 invalid:1");
    expect_spans("a \xEF\xBB\xBF b", "letters:1 space:1 skipped:4 letters:1");
    expect_spans("a\xC3\xA9\xE4\xB8\xAD\xE2\x80\x94.", "letters:6 others:4");
}

Test(lexer_spans, caret_notation_is_flagged)
{
    expect_spans("a^^41b c", "letters^:6 space:1 letters:1");
    expect_spans("\\f^^6fo\\bar^^31", "control-word^:7 control-word:4 others^:4");
    expect_spans("\\^^41\\^^M", "control-word^:5 control-symbol^:4");
    expect_spans("a^^M x\nb", "letters:1 eol-space^:6 letters:1");
    expect_spans("^^7b^^7d^^25x\n", "begin-group^:4 end-group^:4 comment^:6");
    expect_spans("y^^ \nc", "letters^:5 letters:1");
}

/* The bound is exact: some input reaches it, and one span less is an error, not an overflow. */
Test(lexer_spans, capacity)
{
    enum { N = 1000 };
    uint8_t in[N], kinds[N + 1];
    uint32_t starts[N + 1];
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    for (uint32_t i = 0; i < N; i++)
        in[i] = i % 2 ? '}' : '{';
    for (uint32_t n = 1; n <= N; n += 37) {
        struct lexer_out out = {.kinds = kinds, .starts = starts, .span_cap = lexer_span_cap(n)};
        cr_expect_eq(lexer_run(&options, in, n, &out, &counts), 0);
        cr_expect_eq(counts.n_spans, lexer_span_cap(n));
        out.span_cap--;
        memset(kinds, 0xEE, sizeof kinds);
        cr_expect_eq(lexer_run(&options, in, n, &out, &counts), -ENOSPC);
        cr_expect_eq(kinds[out.span_cap], 0xEE, "written behind the capacity");
    }
}

Test(lexer_spans, running_out_is_for_good)
{
    uint8_t kinds[2];
    uint32_t starts[3];
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    const struct lexer_out out = {.kinds = kinds, .starts = starts, .span_cap = 2};
    const uint8_t *const in = (const uint8_t *)"{a}";
    struct lexer_counts counts;
    struct lexer lx;
    lexer_begin(&lx, &options, &out);
    cr_expect_eq(lexer_feed(&lx, in, 2), 0);
    cr_expect_eq(lexer_finish(&lx, in, 3, &counts), -ENOSPC);
    cr_expect_eq(lexer_feed(&lx, in, 3), -ENOSPC);
    lexer_begin(&lx, &options, NULL);
    cr_expect_eq(lexer_feed(&lx, in, LEXER_INPUT_BYTES_MAX + 1), -EFBIG);
}

static struct lexer_counts run_of(const char *unit, uint32_t n)
{
    uint8_t *const in = lexed_alloc(n, 1);
    const uint32_t unit_bytes = (uint32_t)strlen(unit);
    for (uint32_t i = 0; i < n; i++)
        in[i] = (uint8_t)unit[i % unit_bytes];
    struct lexed lexed = lexed_whole(LEXER_LUALATEX, in, n);
    const char *const broken = lexed_broken(&lexed, in, n);
    const struct lexer_counts counts = lexed.counts;
    cr_expect_null(broken, "run of %s: %s", unit, broken);
    lexed_free(&lexed);
    free(in);
    return counts;
}

/* P03, P04, P07, P08 */
Test(lexer_spans, one_thing_only)
{
    const uint32_t n = 1u << 20;
    cr_expect_eq(run_of("{", n).n_errors, n);
    cr_expect_eq(run_of("}", n).n_errors, n);
    cr_expect_eq(run_of("{", n).n_tokens, n + 1);
    cr_expect_eq(run_of("\\", n).n_tokens, n / 2 + 1);
    cr_expect_eq(run_of("%", n).n_tokens, 0u);
    cr_expect_eq(run_of("$", n).n_errors, 0u);
    cr_expect_eq(run_of("^", n).n_errors, 1u);
    cr_expect_eq(run_of("\x01", n).n_errors, n);
    cr_expect_eq(run_of("\xFF", n).n_errors, n);
    cr_expect_eq(run_of("\n", n).n_tokens, n);
    cr_expect_eq(run_of("\\begin{a}", n / 9 * 9).n_issues, LEXER_ENV_DEPTH_MAX + 1u);
    cr_expect_eq(run_of("$\\hbox{", n / 7 * 7).n_errors, LEXER_MATH_DEPTH_MAX + n / 7);

    uint8_t *const word = lexed_alloc(n, 1);
    memset(word, 'a', n);
    word[0] = '\\';
    cr_expect_eq(lexed_counts(LEXER_LUALATEX, word, n).n_tokens, 1u);
    free(word);
}

Test(lexer_spans, kernels)
{
    cr_expect_eq(lexer_init("no-such-kernel"), -ENOENT);
    cr_expect_eq(lexer_init(NULL), 0);
    for (size_t i = 0; lexer_kernel_list(i); i++) {
        const int rc = lexer_init(lexer_kernel_list(i));
        cr_expect(rc == 0 || rc == -ENOTSUP);
        if (rc == 0)
            cr_expect_str_eq(lexer_kernel_name(), lexer_kernel_list(i));
    }
    cr_expect_eq(lexer_init("portable"), 0);
    cr_expect_not(lexer_kernel_is_simd());
}
