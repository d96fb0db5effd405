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

/* One line: counts and the file's name. Needs document_open() only. */
void print_counts(const struct document *doc, FILE *to);

/* Diagnostics as "file:line:column: severity: text [id]", then one line of summary. */
void print_summary(const struct document *doc, bool colours, FILE *to);

/* One JSON object on a line: counts and diagnostics. 0 or -ENOMEM. */
int print_json(const struct document *doc, FILE *to);

#endif
