#include "lexer/issue.h"

#include <assert.h>

struct issue_info {
    const char *name, *text, *related;
};

static const struct issue_info infos[LEXER_ISSUE_ID_END] = {
    [LEXER_ISSUE_INVALID_UTF8] = {"invalid-utf8",
                                  "these bytes are not valid UTF-8: save the file as UTF-8", NULL},
    [LEXER_ISSUE_INVALID_CHARACTER] = {"invalid-character",
                                       "TeX refuses this character (category 15): remove it", NULL},
    [LEXER_ISSUE_UNOPENED_BRACE] = {"unopened-brace",
                                    "this } closes nothing: remove it, or add the missing {", NULL},
    [LEXER_ISSUE_UNCLOSED_BRACE] = {"unclosed-brace", "this { is never closed: add the missing }",
                                    NULL},
    [LEXER_ISSUE_UNCLOSED_MATH] = {"unclosed-math",
                                   "the formula is not closed before the paragraph ends: add $",
                                   "the formula begins here"},
    [LEXER_ISSUE_ENVIRONMENT_MISMATCH] = {"environment-mismatch",
                                          "this \\end names another environment than its \\begin",
                                          "the environment begins here"},
    [LEXER_ISSUE_UNCLOSED_ENVIRONMENT] = {"unclosed-environment",
                                          "this environment is never closed: add its \\end", NULL},
    [LEXER_ISSUE_UNOPENED_ENVIRONMENT] =
        {"unopened-environment", "this \\end closes nothing: remove it, or add its \\begin", NULL},
    [LEXER_ISSUE_MALFORMED_CARET] = {"malformed-caret",
                                     "^^^^ needs four, ^^^^^^ six digits 0-9a-f: complete them",
                                     NULL},
    [LEXER_ISSUE_ENVIRONMENT_TOO_DEEP] = {"environment-too-deep",
                                          "environments nested deeper than this are not checked",
                                          NULL},
    [LEXER_ISSUE_VERB_BROKEN] = {"verb-broken",
                                 "the line ends before this verbatim text: add its delimiter",
                                 NULL},
    [LEXER_ISSUE_UNCLOSED_VERBATIM] = {"unclosed-verbatim",
                                       "this verbatim environment is never closed: add its \\end, "
                                       "without blanks in it",
                                       NULL},
    [LEXER_ISSUE_CONTROL_CHARACTER] = {"control-character",
                                       "a control character, which cannot be seen: remove it",
                                       NULL},
    [LEXER_ISSUE_LONE_CR] = {"lone-cr",
                             "a CR without LF ends this line, which many programs do not show: "
                             "convert the line ends",
                             NULL},
    [LEXER_ISSUE_MIXED_LINE_ENDS] = {"mixed-line-ends",
                                     "this line ends otherwise (LF or CR LF) than those before: "
                                     "convert the line ends",
                                     NULL},
    [LEXER_ISSUE_BIDI_CONTROL] = {"bidi-control",
                                  "a bidirectional control, with which text can look other than it "
                                  "reads: remove it, or write it as ^^^^",
                                  NULL},
    [LEXER_ISSUE_ZERO_WIDTH] = {"zero-width",
                                "a character without width, which cannot be seen: remove it, or "
                                "write it as ^^^^",
                                NULL},
    [LEXER_ISSUE_NO_BREAK_SPACE] =
        {"no-break-space", "a no-break space, which is no blank to TeX: write ~ or a blank", NULL},
    [LEXER_ISSUE_MISPLACED_BOM] =
        {"misplaced-bom", "a byte-order mark belongs to the beginning of a file: remove it", NULL},
    [LEXER_ISSUE_TEXT_AFTER_END] = {"text-after-end",
                                    "text behind \\end{document} is not read: move or remove it",
                                    NULL},
    [LEXER_ISSUE_COMMENT_HIDES] = {"comment-hides",
                                   "in the comment this closes or opens nothing; outside it would "
                                   "have balanced",
                                   "this is what it would have matched"},
    [LEXER_ISSUE_ESCAPED_BLANK] = {"escaped-blank",
                                   "blanks between \\ and the line end change the command: remove "
                                   "them, or write \\ {}",
                                   NULL},
    [LEXER_ISSUE_NOT_FOLLOWED] = {"not-followed",
                                  "a change of category codes, or of what is verbatim, that is not "
                                  "followed: what it holds for may read otherwise",
                                  NULL},
    [LEXER_ISSUE_MATH_TOO_DEEP] = {"math-too-deep",
                                   "formulas nested deeper than this are not checked", NULL},
    [LEXER_ISSUE_NAME_TOO_LONG] = {"name-too-long",
                                   "environments with names longer than this are not checked",
                                   NULL},
};

static const struct issue_info *info(unsigned id)
{
    assert(id > 0 && id < LEXER_ISSUE_ID_END);
    return &infos[id];
}

const char *lexer_issue_name(unsigned id)
{
    return info(id)->name;
}

const char *lexer_issue_text(unsigned id)
{
    return info(id)->text;
}

const char *lexer_issue_related(unsigned id)
{
    return info(id)->related;
}

const char *lexer_severity_name(enum lexer_severity severity)
{
    static const char *const names[] = {
        [LEXER_ERROR] = "error", [LEXER_WARNING] = "warning", [LEXER_INFO] = "info"};
    return names[severity];
}

void lexer_issue_add(struct lexer *lx, const struct lexer_issue *issue)
{
    assert(issue->start <= issue->end);
    if (lx->n_issues < lx->out.issue_cap)
        lx->out.issues[lx->n_issues] = *issue;
    lexer_issue_count(lx, issue->id, 1);
}

void lexer_issue_store_bytes(struct lexer *lx, enum lexer_issue_id id, uint32_t start, uint32_t end)
{
    assert(start <= end && lx->n_issues < lx->out.issue_cap);
    const uint32_t room = lx->out.issue_cap - lx->n_issues;
    struct lexer_issue *const issues = lx->out.issues + lx->n_issues;
    for (uint32_t i = 0; i < end - start && i < room; i++)
        issues[i] =
            (struct lexer_issue){.start = start + i, .end = start + i + 1, .id = (uint16_t)id};
}
