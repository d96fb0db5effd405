/* What the command-line lexer writes. Errors of the stream are its caller's to find (ferror). */
#ifndef L0_LEXER_PRINT_H
#define L0_LEXER_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "lexer/document.h"

/* One token a line, TAB between: "catcode U+XXXX line", or "cs name line" with bytes 0-32, % and
 * 127 of the name as %XX. */
void print_tokens(const struct document *doc, FILE *to);

/* One span a line, TAB between: start, end, kind, with "+caret" where it holds ^^ notation. */
void print_spans(const struct document *doc, FILE *to);

/* One line of the document a line, TAB between: number, start, end, spans that begin on it. */
void print_lines(const struct document *doc, FILE *to);

/* One line: counts and the file's name. Needs document_open() only. */
void print_counts(const struct document *doc, FILE *to);

/* For each kind that there is: spans, bytes, share of the bytes. */
void print_stats(const struct document *doc, FILE *to);

/* Diagnostics as "file:line:column: severity: text [id]". With source: each followed by its line,
 * and a line with carets below what is meant. */
void print_diagnostics(const struct document *doc, bool source, bool colours, FILE *to);

/* Says on standard error if diagnostics beyond DOCUMENT_ISSUES_MAX are not among those written. */
void print_left_out(const struct document *doc);

/* One line of counts. */
void print_summary(const struct document *doc, FILE *to);

/* The document's line at the issue, as far as it fits a terminal, and carets; in print_source.c. */
void print_source(const struct document *doc, uint32_t start, uint32_t end, const char *colour,
                  FILE *to);

/* A file's name as it is shown to people: it may hold what a terminal would obey. */
void print_name(const char *name, FILE *to);

/* "l0-lex: name: what" on standard error. */
void print_failure(const char *name, const char *what);

/* One JSON object on a line: counts and diagnostics. 0 or -ENOMEM. */
int print_json(const struct document *doc, FILE *to);

/* SARIF 2.1.0: a log's beginning and end, and between them the results of one document or of
 * several, commas between them being the caller's. 0 or -ENOMEM. */
int print_sarif_begin(const char *version, FILE *to);
int print_sarif_results(const struct document *doc, FILE *to);
void print_sarif_end(FILE *to);

#endif
