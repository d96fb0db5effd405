/* Diagnostics: ids, severities, names and texts. Ids and names are stable: they appear on the wire
 * and in people's scripts; never renumbered, only added to. */
#ifndef L0_LEXER_ISSUE_H
#define L0_LEXER_ISSUE_H

#include <stdint.h>

#include "lexer/lexer.h"

enum lexer_issue_id {
    LEXER_ISSUE_INVALID_UTF8 = 1,     /* each maximal invalid subpart */
    LEXER_ISSUE_INVALID_CHARACTER,    /* each character of catcode 15 */
    LEXER_ISSUE_UNOPENED_BRACE,       /* } without { */
    LEXER_ISSUE_UNCLOSED_BRACE,       /* { still open at the end */
    LEXER_ISSUE_UNCLOSED_MATH,        /* $ still open at a blank line or at the end */
    LEXER_ISSUE_ENVIRONMENT_MISMATCH, /* \end{b}; related: \begin{a} */
    LEXER_ISSUE_UNCLOSED_ENVIRONMENT, /* \begin still open at the end */
    LEXER_ISSUE_UNOPENED_ENVIRONMENT, /* \end without \begin */
    LEXER_ISSUE_MALFORMED_CARET,      /* ^^^^ or ^^^^^^ without its hexadecimal digits */
    LEXER_ISSUE_ENVIRONMENT_TOO_DEEP, /* more than LEXER_ENV_DEPTH_MAX: not checked (info) */
    LEXER_ISSUE_ID_END,
};

/* Fixed strings; id must be one of the enum. */
const char *lexer_issue_name(unsigned id);    /* such as "invalid-utf8" */
const char *lexer_issue_text(unsigned id);    /* what is wrong, and what to do about it */
const char *lexer_issue_related(unsigned id); /* what the second range is, or NULL if it has none */
enum lexer_severity lexer_issue_severity(unsigned id);
const char *lexer_severity_name(enum lexer_severity severity);

/* Counts the issue and stores it while there is room. */
void lexer_issue_add(struct lexer *lx, const struct lexer_issue *issue);

#endif
