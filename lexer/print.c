#include "lexer/print.h"

#include "lexer/issue.h"
#include "lexer/token.h"

static void put_name_byte(uint8_t byte, FILE *to)
{
    if (byte <= 32 || byte == '%' || byte == 127)
        fprintf(to, "%%%02X", byte);
    else
        putc_unlocked(byte, to);
}

static void put_utf8(uint32_t code, FILE *to)
{
    if (code < 0x80) {
        put_name_byte((uint8_t)code, to);
        return;
    }
    if (code < 0x800) {
        put_name_byte((uint8_t)(0xC0 | code >> 6), to);
    } else {
        if (code < 0x10000) {
            put_name_byte((uint8_t)(0xE0 | code >> 12), to);
        } else {
            put_name_byte((uint8_t)(0xF0 | code >> 18), to);
            put_name_byte((uint8_t)(0x80 | (code >> 12 & 0x3F)), to);
        }
        put_name_byte((uint8_t)(0x80 | (code >> 6 & 0x3F)), to);
    }
    put_name_byte((uint8_t)(0x80 | (code & 0x3F)), to);
}

static void print_control(const struct document *doc, const struct token_cursor *cursor,
                          const struct token *token, FILE *to)
{
    struct token_name name;
    uint32_t code;
    fputs("cs\t", to);
    token_name_begin(&name, cursor, token);
    while (token_name_next(&name, &code)) {
        if (doc->options.regime == LEXER_PDFLATEX)
            put_name_byte((uint8_t)code, to);
        else
            put_utf8(code, to);
    }
    fprintf(to, "\t%u\n", token->line);
}

void print_tokens(const struct document *doc, FILE *to)
{
    struct token_cursor cursor;
    struct token token;
    token_begin(&cursor, doc->options.regime, doc->bytes, doc->kinds, doc->starts, &doc->counts);
    while (token_next(&cursor, &token)) {
        switch (token.type) {
        case TOKEN_CHARACTER:
            fprintf(to, "%u\tU+%04X\t%u\n", token.catcode, token.code_point, token.line);
            break;
        case TOKEN_PAR:
            fprintf(to, "cs\tpar\t%u\n", token.line);
            break;
        case TOKEN_CONTROL:
            print_control(doc, &cursor, &token, to);
            break;
        }
    }
}

void print_spans(const struct document *doc, FILE *to)
{
    for (uint32_t i = 0; i < doc->counts.n_spans; i++)
        fprintf(to, "%u\t%u\t%s%s\n", doc->starts[i], doc->starts[i + 1],
                lexer_kind_name(doc->kinds[i] & LEXER_KIND_MASK),
                doc->kinds[i] & LEXER_CARET ? "+caret" : "");
}

void print_counts(const struct document *doc, FILE *to)
{
    const struct lexer_counts *counts = &doc->counts;
    fprintf(to, "tokens=%u spans=%u lines=%u bytes=%u issues=%u errors=%u warnings=%u ",
            counts->n_tokens, counts->n_spans, counts->n_lines, counts->n_bytes, counts->n_issues,
            counts->n_errors, counts->n_warnings);
    print_name(doc->name, to);
    putc_unlocked('\n', to);
}

void print_failure(const char *name, const char *what)
{
    fputs("l0-lex: ", stderr);
    print_name(name, stderr);
    fprintf(stderr, ": %s\n", what);
}

void print_lines(const struct document *doc, FILE *to)
{
    uint32_t span = 0;
    for (uint32_t line = 1; line <= doc->counts.n_lines; line++) {
        const uint32_t start = doc->positions.line_starts[line - 1];
        const uint32_t end =
            line < doc->counts.n_lines ? doc->positions.line_starts[line] : doc->n_bytes;
        const uint32_t first = span;
        while (span < doc->counts.n_spans && doc->starts[span] < end)
            span++;
        fprintf(to, "%u\t%u\t%u\t%u\n", line, start, end, span - first);
    }
}

void print_stats(const struct document *doc, FILE *to)
{
    uint64_t n_spans[LEXER_KIND_COUNT] = {0}, n_bytes[LEXER_KIND_COUNT] = {0};
    for (uint32_t i = 0; i < doc->counts.n_spans; i++) {
        const unsigned kind = doc->kinds[i] & LEXER_KIND_MASK;
        n_spans[kind]++;
        n_bytes[kind] += doc->starts[i + 1] - doc->starts[i];
    }
    print_name(doc->name, to);
    fprintf(to, ": %u tokens, %u lines\n%-16s %10s %10s %7s\n", doc->counts.n_tokens,
            doc->counts.n_lines, "kind", "spans", "bytes", "share");
    for (unsigned kind = 0; kind < LEXER_KIND_COUNT; kind++)
        if (n_spans[kind])
            fprintf(to, "%-16s %10llu %10llu %6.2f%%\n", lexer_kind_name(kind),
                    (unsigned long long)n_spans[kind], (unsigned long long)n_bytes[kind],
                    100.0 * (double)n_bytes[kind] / (double)doc->n_bytes);
    fprintf(to, "%-16s %10u %10u %6.2f%%\n", "all", doc->counts.n_spans, doc->n_bytes, 100.0);
}

static void print_diagnostic(const struct document *doc, uint32_t offset, const char *severity,
                             const char *colour, const char *text, FILE *to)
{
    const struct position at = position_of(&doc->positions, offset);
    print_name(doc->name, to);
    fprintf(to, ":%u:%u: %s%s%s: %s", at.line, at.column, colour, severity,
            *colour ? "\033[0m" : "", text);
}

void print_diagnostics(const struct document *doc, bool source, bool colours, FILE *to)
{
    static const char *const severity_colours[] = {
        [LEXER_ERROR] = "\033[1;31m", [LEXER_WARNING] = "\033[1;33m", [LEXER_INFO] = "\033[1;36m"};
    for (uint32_t i = 0; i < doc->n_issues; i++) {
        const struct lexer_issue *issue = &doc->issues[i];
        const enum lexer_severity severity = lexer_issue_severity(issue->id);
        const char *const colour = colours ? severity_colours[severity] : "";
        const char *const note = colours ? severity_colours[LEXER_INFO] : "";
        print_diagnostic(doc, issue->start, lexer_severity_name(severity), colour,
                         lexer_issue_text(issue->id), to);
        fprintf(to, " [%s]\n", lexer_issue_name(issue->id));
        if (source)
            print_source(doc, issue->start, issue->end, colour, to);
        if (issue->rel_end > issue->rel_start) {
            print_diagnostic(doc, issue->rel_start, "note", note, lexer_issue_related(issue->id),
                             to);
            putc_unlocked('\n', to);
            if (source)
                print_source(doc, issue->rel_start, issue->rel_end, note, to);
        }
    }
}

void print_left_out(const struct document *doc)
{
    char what[128];
    snprintf(what, sizeof what, "only the first %u of %u diagnostics are shown", doc->n_issues,
             doc->counts.n_issues);
    if (doc->n_issues < doc->counts.n_issues)
        print_failure(doc->name, what);
}

static void print_number(uint32_t n, const char *what, const char *before, FILE *to)
{
    fprintf(to, "%s%u %s%s", before, n, what, n == 1 ? "" : "s");
}

void print_summary(const struct document *doc, FILE *to)
{
    const struct lexer_counts *counts = &doc->counts;
    const uint32_t n_infos = counts->n_issues - counts->n_errors - counts->n_warnings;
    print_name(doc->name, to);
    fprintf(to, ": %u tokens, %u spans, %u lines, %u bytes: ", counts->n_tokens, counts->n_spans,
            counts->n_lines, counts->n_bytes);
    if (counts->n_issues == 0) {
        fputs("nothing to report\n", to);
        return;
    }
    print_number(counts->n_errors, "error", "", to);
    print_number(counts->n_warnings, "warning", ", ", to);
    print_number(n_infos, "remark", ", ", to);
    putc_unlocked('\n', to);
}
