#include "bench/corpus.h"

#include "lexer/lexer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *make(enum corpus_kind kind, size_t bytes)
{
    char *text;
    cr_assert_eq(corpus_make(kind, bytes, &text), 0);
    return text;
}

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *text, size_t bytes)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    return h;
}

Test(corpus, the_bytes_are_the_same_everywhere)
{
    /* A deliberate change of the generator changes these; measurements before and after it cannot
     * be compared. */
    static const struct {
        size_t bytes;
        uint64_t hash;
    } known[CORPUS_KIND_COUNT] = {
        [CORPUS_PERF_SMOKE_BIG] = {1100000, UINT64_C(0x3427e57200285e3a)},
        [CORPUS_EDIT_WINDOW_4KB] = {4096, UINT64_C(0xa4196deedca1976d)},
        [CORPUS_MACRO_DENSE] = {1000000, UINT64_C(0xd7aed66ab0a0cdf1)},
        [CORPUS_CJK_DENSE] = {1000000, UINT64_C(0x45621d4484e4b351)},
    };
    for (int kind = 0; kind < CORPUS_KIND_COUNT; kind++) {
        size_t bytes = corpus_default_bytes((enum corpus_kind)kind);
        cr_expect_eq(bytes, known[kind].bytes);
        for (int twice = 0; twice < 2; twice++) {
            char *text = make((enum corpus_kind)kind, bytes);
            cr_expect_eq(hash(text, bytes), known[kind].hash, "%s: 0x%016llx",
                         corpus_name((enum corpus_kind)kind),
                         (unsigned long long)hash(text, bytes));
            free(text);
        }
    }
}

struct line {
    const char *text;
    size_t bytes;
};

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->bytes < y->bytes ? x->bytes : y->bytes);
    return order != 0 ? order : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

Test(corpus, nearly_all_lines_are_distinct)
{
    for (int kind = 0; kind < CORPUS_KIND_COUNT; kind++) {
        size_t bytes = corpus_default_bytes((enum corpus_kind)kind), n = 0, n_distinct = 1;
        char *text = make((enum corpus_kind)kind, bytes);
        struct line *lines = calloc(bytes, sizeof *lines);
        cr_assert_not_null(lines);
        cr_assert_eq(text[bytes - 1], '\n');
        for (const char *at = text, *end = text + bytes; at < end;) {
            const char *stop = memchr(at, '\n', (size_t)(end - at));
            if (stop > at) /* blank lines, the ends of paragraphs, are alike by nature */
                lines[n++] = (struct line){at, (size_t)(stop - at)};
            at = stop + 1;
        }
        qsort(lines, n, sizeof *lines, compare_lines);
        for (size_t i = 1; i < n; i++)
            n_distinct += compare_lines(&lines[i - 1], &lines[i]) != 0;
        cr_expect_geq(100 * n_distinct, 95 * n, "%s: %zu of %zu lines are distinct",
                      corpus_name((enum corpus_kind)kind), n_distinct, n);
        cr_expect(kind == CORPUS_EDIT_WINDOW_4KB || n_distinct > 5000);
        free(lines);
        free(text);
    }
}

static void expect_clean(const char *text, size_t bytes, const char *what)
{
    for (int regime = LEXER_LUALATEX; regime <= LEXER_PDFLATEX; regime++) {
        const struct lexer_options options = {.regime = (enum lexer_regime)regime};
        struct lexer_counts counts;
        cr_assert_eq(lexer_run(&options, (const uint8_t *)text, (uint32_t)bytes, NULL, &counts), 0);
        cr_expect_eq(counts.n_errors, 0, "%s, %zu bytes, regime %d: %u errors", what, bytes, regime,
                     counts.n_errors);
        cr_expect_gt(counts.n_tokens, bytes / 4);
    }
}

Test(corpus, the_lexer_finds_no_errors)
{
    cr_assert_eq(lexer_init(NULL), 0);
    for (int kind = 0; kind < CORPUS_KIND_COUNT; kind++) {
        size_t bytes = corpus_default_bytes((enum corpus_kind)kind);
        char *text = make((enum corpus_kind)kind, bytes);
        expect_clean(text, bytes, corpus_name((enum corpus_kind)kind));
        free(text);
    }
}

/* Every length: the padding meets every rest, and may not cut a character. */
Test(corpus, any_number_of_bytes)
{
    cr_assert_eq(lexer_init(NULL), 0);
    for (int kind = 0; kind < CORPUS_KIND_COUNT; kind++) {
        for (size_t bytes = 1000; bytes < 1300; bytes++) {
            char *text = make((enum corpus_kind)kind, bytes);
            expect_clean(text, bytes, corpus_name((enum corpus_kind)kind));
            free(text);
        }
    }
}

Test(corpus, too_few_bytes_or_too_many)
{
    for (int kind = 0; kind < CORPUS_KIND_COUNT; kind++) {
        char *text = NULL;
        cr_expect_eq(corpus_make((enum corpus_kind)kind, 0, &text), -ERANGE);
        cr_expect_eq(corpus_make((enum corpus_kind)kind, 20, &text), -ERANGE);
        cr_expect_eq(corpus_make((enum corpus_kind)kind, ((size_t)1 << 30) + 1, &text), -ERANGE);
    }
}

static bool holds(const char *text, size_t bytes, const char *part)
{
    return memmem(text, bytes, part, strlen(part)) != NULL;
}

Test(corpus, the_big_document_has_everything)
{
    size_t bytes = corpus_default_bytes(CORPUS_PERF_SMOKE_BIG);
    char *text = make(CORPUS_PERF_SMOKE_BIG, bytes);
    static const char *const parts[] = {
        "\\documentclass",
        "\\begin{document}",
        "\\begin{equation}",
        "\\begin{align}",
        "pmatrix",
        "\\begin{tabular}",
        "\\begin{verbatim}",
        "\\newcommand",
        "\\verb|",
        "\\item",
        "\n%",
        "^^",
        "é",
        "“",
        "\\footnote",
        "\\section",
        "\n\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        cr_expect(holds(text, bytes, parts[i]), "%s", parts[i]);
    free(text);
}

Test(corpus, the_edit_window_is_complete)
{
    size_t bytes = corpus_default_bytes(CORPUS_EDIT_WINDOW_4KB);
    char *text = make(CORPUS_EDIT_WINDOW_4KB, bytes);
    static const char tail[] = "\\end{document}\n";
    cr_expect_leq(bytes, 4096);
    cr_expect(holds(text, bytes, "\\begin{document}"));
    cr_expect_arr_eq(text + bytes - strlen(tail), tail, strlen(tail));
    free(text);
}

Test(corpus, names)
{
    for (int kind = 0; kind < CORPUS_KIND_COUNT; kind++)
        cr_expect_eq(corpus_find(corpus_name((enum corpus_kind)kind)), kind);
    cr_expect_eq(corpus_find("perf"), -ENOENT);
    cr_expect_eq(corpus_find(""), -ENOENT);
}
