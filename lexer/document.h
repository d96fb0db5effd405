/* One file of the command-line lexer: its bytes and all that the lexer says about them. */
#ifndef L0_LEXER_DOCUMENT_H
#define L0_LEXER_DOCUMENT_H

#include "lexer/lexer.h"
#include "lexer/position.h"

/* So many diagnostics are kept; of the others, the number is. */
#define DOCUMENT_ISSUES_MAX 1000000u

struct document {
    const char *name; /* for messages; "<stdin>" for "-" */
    struct lexer_options options;
    uint8_t *bytes;
    uint32_t n_bytes;
    struct lexer_counts counts;
    /* Of the following, only after document_lex(): */
    uint8_t *kinds;             /* counts.n_spans */
    uint32_t *starts;           /* counts.n_spans + 1 */
    struct lexer_issue *issues; /* n_issues, the first ones */
    uint32_t n_issues;
    uint32_t *position_memory;
    struct position_index positions;
};

/* options are those for the file; what they point to outlives the document. Reads the file ("-":
 * standard input) and counts. 0 or a negative errno; -EFBIG above LEXER_INPUT_BYTES_MAX. The
 * document is to be closed in either case. */
int document_open(struct document *doc, const char *path, const struct lexer_options *options);

/* Adds spans, issues and positions. 0 or -ENOMEM. */
int document_lex(struct document *doc);

void document_close(struct document *doc);

#endif
