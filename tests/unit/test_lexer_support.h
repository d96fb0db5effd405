/* What the lexer's tests and its fuzz target share: lexing into memory of exactly the right size,
 * in one piece or in many, and the checks that hold for any input. Header only: every test is a
 * program of its own. */
#ifndef L0_TESTS_TEST_LEXER_SUPPORT_H
#define L0_TESTS_TEST_LEXER_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lexer/issue.h"
#include "lexer/lexer.h"
#include "lexer/token.h"
#include "tests/draw.h"

#define LEXED_ISSUE_CAP 4096u

/* What all of the following lex by, but for the regime; a test may change it. */
static struct lexer_options lexed_options;

static inline struct lexer_options lexed_options_of(enum lexer_regime regime)
{
    struct lexer_options options = lexed_options;
    options.regime = regime;
    return options;
}

/* One of the ways to lex, for tests that take all of them. */
#define LEXED_WAYS 4u
static inline void lexed_choose_way(unsigned way)
{
    static const char *const names[] = {"listing"};
    lexed_options = (struct lexer_options){.is_static = way == 0,
                                           .at_is_letter = way == 2,
                                           .verbatim_names = way == 3 ? names : NULL,
                                           .n_verbatim_names = way == 3};
}

struct lexed {
    enum lexer_regime regime;
    uint8_t *kinds;
    uint32_t *starts;
    struct lexer_issue *issues;
    struct lexer_counts counts;
};

static inline void *lexed_alloc(size_t n, size_t size)
{
    void *const memory = calloc(n ? n : 1, size);
    if (!memory)
        abort();
    return memory;
}

static inline struct lexer_out lexed_out(struct lexed *lexed, uint32_t n_bytes)
{
    const uint32_t cap = lexer_span_cap(n_bytes);
    lexed->kinds = lexed_alloc(cap, sizeof *lexed->kinds);
    lexed->starts = lexed_alloc((size_t)cap + 1, sizeof *lexed->starts);
    lexed->issues = lexed_alloc(LEXED_ISSUE_CAP, sizeof *lexed->issues);
    return (struct lexer_out){.kinds = lexed->kinds,
                              .starts = lexed->starts,
                              .span_cap = cap,
                              .issues = lexed->issues,
                              .issue_cap = LEXED_ISSUE_CAP};
}

static inline void lexed_free(struct lexed *lexed)
{
    free(lexed->kinds);
    free(lexed->starts);
    free(lexed->issues);
}

/* With room for so many issues, LEXED_ISSUE_CAP at most. */
static inline struct lexed lexed_listing(enum lexer_regime regime, const uint8_t *in, uint32_t n,
                                         uint32_t issue_cap)
{
    struct lexed lexed = {.regime = regime};
    struct lexer_out out = lexed_out(&lexed, n);
    out.issue_cap = issue_cap;
    const struct lexer_options options = lexed_options_of(regime);
    if (lexer_run(&options, in, n, &out, &lexed.counts) != 0)
        abort();
    return lexed;
}

static inline struct lexed lexed_whole(enum lexer_regime regime, const uint8_t *in, uint32_t n)
{
    return lexed_listing(regime, in, n, LEXED_ISSUE_CAP);
}

static inline struct lexer_counts lexed_counts(enum lexer_regime regime, const uint8_t *in,
                                               uint32_t n)
{
    const struct lexer_options options = lexed_options_of(regime);
    struct lexer_counts counts;
    if (lexer_run(&options, in, n, NULL, &counts) != 0)
        abort();
    return counts;
}

/* Fed in pieces of 1 … max_piece bytes, at an address that changes, with what has not arrived yet
 * poisoned by bytes that would mean something. */
static inline struct lexed lexed_cut(enum lexer_regime regime, const uint8_t *in, uint32_t n,
                                     uint32_t max_piece, uint64_t seed)
{
    static const uint8_t poison[] = {'^', ' ', '\n', 'a', '\\', 0xBF, '4', '}'};
    struct lexed lexed = {.regime = regime};
    const struct lexer_out out = lexed_out(&lexed, n);
    const struct lexer_options options = lexed_options_of(regime);
    uint8_t *const copies[] = {lexed_alloc(n, 1), lexed_alloc(n, 1)};
    struct lexer lx, moved;
    uint32_t have = 0;

    lexer_begin(&lx, &options, &out);
    for (uint32_t turn = 0; have < n; turn++) {
        uint8_t *const copy = copies[turn % 2];
        have += 1 + draw(&seed, max_piece);
        have = have < n ? have : n;
        memcpy(copy, in, have);
        memset(copy + have, poison[turn % sizeof poison], n - have);
        if (lexer_feed(&lx, copy, have) != 0)
            abort();
        memset(copy, 0, n);
        moved = lx;
        memset(&lx, 0xA5, sizeof lx);
        lx = moved;
    }
    if (lexer_finish(&lx, in, n, &lexed.counts) != 0)
        abort();
    free(copies[0]);
    free(copies[1]);
    return lexed;
}

/* NULL, or what differs. */
static inline const char *lexed_difference(const struct lexed *a, const struct lexed *b)
{
    const uint32_t n = a->counts.n_spans;
    if (memcmp(&a->counts, &b->counts, sizeof a->counts) != 0)
        return "counts differ";
    if (memcmp(a->kinds, b->kinds, n) != 0)
        return "span kinds differ";
    if (memcmp(a->starts, b->starts, ((size_t)n + 1) * sizeof *a->starts) != 0)
        return "span starts differ";
    for (uint32_t i = 0; i < a->counts.n_issues && i < LEXED_ISSUE_CAP; i++)
        if (a->issues[i].id != b->issues[i].id || a->issues[i].start != b->issues[i].start ||
            a->issues[i].end != b->issues[i].end ||
            a->issues[i].rel_start != b->issues[i].rel_start ||
            a->issues[i].rel_end != b->issues[i].rel_end)
            return "issues differ";
    return NULL;
}

static inline struct token_cursor lexed_tokens(const struct lexed *lexed, const uint8_t *in)
{
    struct token_cursor cursor;
    token_begin(&cursor, lexed->regime, in, lexed->kinds, lexed->starts, &lexed->counts);
    return cursor;
}

/* What holds for every input. NULL, or what does not. */
static inline const char *lexed_broken(const struct lexed *lexed, const uint8_t *in, uint32_t n)
{
    const struct lexer_counts *counts = &lexed->counts;
    if (counts->n_bytes != n || (n > 0 && lexed->starts[0] != 0) ||
        lexed->starts[counts->n_spans] != n)
        return "the spans do not cover the input";
    for (uint32_t i = 0; i < counts->n_spans; i++) {
        if (lexed->starts[i] >= lexed->starts[i + 1])
            return "a span is empty or goes back";
        if ((lexed->kinds[i] & LEXER_KIND_MASK) >=
            (lexed_options.is_static ? LEXER_VERBATIM : LEXER_KIND_COUNT))
            return "a span's kind is none of those that there can be";
    }
    for (uint32_t i = 0; i < counts->n_issues && i < LEXED_ISSUE_CAP; i++) {
        const struct lexer_issue *issue = &lexed->issues[i];
        if (issue->id == 0 || issue->id >= LEXER_ISSUE_ID_END || issue->start > issue->end ||
            issue->end > n || issue->rel_start > issue->rel_end || issue->rel_end > n)
            return "an issue is malformed";
    }
    struct token_cursor cursor = lexed_tokens(lexed, in);
    struct token token = {.line = 1};
    uint32_t n_tokens = 0, last_end = 0;
    while (token_next(&cursor, &token)) {
        if (token.start < last_end || token.end > n || token.line > counts->n_lines)
            return "a token is out of order";
        last_end = token.end;
        n_tokens++;
    }
    if (n_tokens != counts->n_tokens)
        return "n_tokens is not the number of tokens";
    const struct lexer_counts counted = lexed_counts(lexed->regime, in, n);
    return memcmp(&counted, counts, sizeof counted) ? "count mode counts otherwise" : NULL;
}

/* The tokens in short: characters as they are where printable ASCII, blanks as "_", others and
 * active ones as <HEX>; control sequences as \name in the same writing, followed by a blank;
 * a line number "@n " before the first token of each line but line 1. */
static inline void lexed_show(const struct lexed *lexed, const uint8_t *in, char *text,
                              size_t text_bytes)
{
    struct token_cursor cursor = lexed_tokens(lexed, in);
    struct token token;
    uint32_t line = 1;
    text[0] = 0;
    FILE *const to = fmemopen(text, text_bytes, "w");
    if (!to)
        abort();
    while (token_next(&cursor, &token)) {
        if (token.line != line)
            fprintf(to, "@%u ", line = token.line);
        if (token.type == TOKEN_PAR) {
            fputs("\\par ", to);
        } else if (token.type == TOKEN_CONTROL) {
            struct token_name name;
            uint32_t code;
            putc('\\', to);
            token_name_begin(&name, &cursor, &token);
            while (token_name_next(&name, &code))
                fprintf(to, code > 32 && code < 127 ? "%c" : "<%02X>", code);
            putc(' ', to);
        } else if (token.catcode == 10) {
            putc('_', to);
        } else {
            fprintf(to, token.code_point > 32 && token.code_point < 127 ? "%c" : "<%02X>",
                    token.code_point);
        }
    }
    fclose(to);
}

#endif
