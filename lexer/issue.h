/* Diagnostics: ids, severities, names and texts. Ids and names are stable: they appear on the wire
 * and in people's scripts; never renumbered, only added to (here, to lexer_issue_severity(), and in
 * issue.c). */
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
    LEXER_ISSUE_VERB_BROKEN,          /* \verb and the like: the line ended before the text did */
    LEXER_ISSUE_UNCLOSED_VERBATIM,    /* a verbatim environment still open at the end */
    /* Warnings: */
    LEXER_ISSUE_CONTROL_CHARACTER, /* U+0001-001F, 7F-9F that TeX takes, but tab and form feed */
    LEXER_ISSUE_LONE_CR,           /* the first CR that ends a line alone */
    LEXER_ISSUE_MIXED_LINE_ENDS,   /* the first of LF and CR LF that is not as before */
    LEXER_ISSUE_BIDI_CONTROL,      /* U+202A-202E, U+2066-2069; in comments too */
    LEXER_ISSUE_ZERO_WIDTH,        /* U+200B-200D, U+2060 */
    LEXER_ISSUE_NO_BREAK_SPACE,    /* U+00A0, U+2007, U+202F */
    LEXER_ISSUE_MISPLACED_BOM,     /* U+FEFF, but for the first character */
    LEXER_ISSUE_TEXT_AFTER_END,    /* more than comments behind \end{document} */
    LEXER_ISSUE_COMMENT_HIDES,     /* a brace or $ that would have balanced; related: what */
    LEXER_ISSUE_ESCAPED_BLANK,     /* nothing but blanks between \ and the line end */
    /* Info: */
    LEXER_ISSUE_NOT_FOLLOWED,  /* a change of category codes, or of what is verbatim */
    LEXER_ISSUE_MATH_TOO_DEEP, /* more than LEXER_MATH_DEPTH_MAX: not checked */
    LEXER_ISSUE_NAME_TOO_LONG, /* of an environment, beyond LEXER_ENV_NAME_BYTES_MAX */
    LEXER_ISSUE_ID_END,
};

/* Fixed strings; id must be one of the enum. */
const char *lexer_issue_name(unsigned id);    /* such as "invalid-utf8" */
const char *lexer_issue_text(unsigned id);    /* what is wrong, and what to do about it */
const char *lexer_issue_related(unsigned id); /* what the second range is, or NULL if it has none */
const char *lexer_severity_name(enum lexer_severity severity);

static inline enum lexer_severity lexer_issue_severity(unsigned id)
{
    switch (id) {
    case LEXER_ISSUE_CONTROL_CHARACTER:
    case LEXER_ISSUE_LONE_CR:
    case LEXER_ISSUE_MIXED_LINE_ENDS:
    case LEXER_ISSUE_BIDI_CONTROL:
    case LEXER_ISSUE_ZERO_WIDTH:
    case LEXER_ISSUE_NO_BREAK_SPACE:
    case LEXER_ISSUE_MISPLACED_BOM:
    case LEXER_ISSUE_TEXT_AFTER_END:
    case LEXER_ISSUE_COMMENT_HIDES:
    case LEXER_ISSUE_ESCAPED_BLANK:
        return LEXER_WARNING;
    case LEXER_ISSUE_ENVIRONMENT_TOO_DEEP:
    case LEXER_ISSUE_NOT_FOLLOWED:
    case LEXER_ISSUE_MATH_TOO_DEEP:
    case LEXER_ISSUE_NAME_TOO_LONG:
        return LEXER_INFO;
    default:
        return LEXER_ERROR;
    }
}

/* Counts the issue and stores it while there is room. */
void lexer_issue_add(struct lexer *lx, const struct lexer_issue *issue);

/* Below: inlined, so that documents of nothing but issues, of which most are only counted, are not
 * lexed much slower than others. */

/* So many of them. */
static inline void lexer_issue_count(struct lexer *lx, unsigned id, uint32_t n)
{
    const enum lexer_severity severity = lexer_issue_severity(id);
    lx->n_issues += n;
    lx->n_errors += severity == LEXER_ERROR ? n : 0;
    lx->n_warnings += severity == LEXER_WARNING ? n : 0;
}

/* One without a second range. */
static inline void lexer_issue_report(struct lexer *lx, enum lexer_issue_id id, uint32_t start,
                                      uint32_t end)
{
    if (lx->n_issues < lx->out.issue_cap)
        lexer_issue_add(lx, &(struct lexer_issue){.start = start, .end = end, .id = (uint16_t)id});
    else
        lexer_issue_count(lx, id, 1);
}

/* Stores one for each of the bytes start … end - 1, while there is room, which there is. */
void lexer_issue_store_bytes(struct lexer *lx, enum lexer_issue_id id, uint32_t start,
                             uint32_t end);

/* One for each of the bytes start … end - 1. */
static inline void lexer_issue_report_bytes(struct lexer *lx, enum lexer_issue_id id,
                                            uint32_t start, uint32_t end)
{
    if (lx->n_issues < lx->out.issue_cap)
        lexer_issue_store_bytes(lx, id, start, end);
    lexer_issue_count(lx, id, end - start);
}

#endif
