#include "lexer/print_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lexer/issue.h"
#include "lexer/print.h"
#include "lexer/utf8.h"

json_t *print_json_text(const char *name)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    const uint8_t *in = (const uint8_t *)name;
    uint32_t left = (uint32_t)strlen(name);
    char *const text = malloc((size_t)left * 3 + 1);
    size_t n = 0;
    if (!text)
        return NULL;
    while (left > 0) {
        const struct utf8_char ch =
            *in < 0x80 ? (struct utf8_char){*in, 1, false} : utf8_decode(in, left, true);
        const size_t n_copied = ch.invalid ? 3 : ch.n_bytes;
        memcpy(text + n, ch.invalid ? replacement : (const char *)in, n_copied);
        n += n_copied;
        in += ch.n_bytes;
        left -= ch.n_bytes;
    }
    json_t *const string = json_stringn(text, n);
    free(text);
    return string;
}

/* {"start": …, "end": …, "line": …, "column": …} */
static json_t *json_range(const struct document *doc, uint32_t start, uint32_t end)
{
    const struct position at = position_of(&doc->positions, start);
    return json_pack("{s:I, s:I, s:I, s:I}", "start", (json_int_t)start, "end", (json_int_t)end,
                     "line", (json_int_t)at.line, "column", (json_int_t)at.column);
}

static json_t *json_issue(const struct document *doc, const struct lexer_issue *issue)
{
    json_t *const object =
        json_pack("{s:s, s:s, s:s, s:o}", "id", lexer_issue_name(issue->id), "severity",
                  lexer_severity_name(lexer_issue_severity(issue->id)), "text",
                  lexer_issue_text(issue->id), "at", json_range(doc, issue->start, issue->end));
    if (object && issue->rel_end > issue->rel_start &&
        json_object_set_new(object, "related", json_range(doc, issue->rel_start, issue->rel_end)) !=
            0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* One after the other, so that a million of them takes no memory. */
static int write_issues(const struct document *doc, FILE *to)
{
    for (uint32_t i = 0; i < doc->n_issues; i++) {
        json_t *const issue = json_issue(doc, &doc->issues[i]);
        if (!issue)
            return -ENOMEM;
        if (i > 0)
            putc(',', to);
        json_dumpf(issue, to, JSON_COMPACT); /* what fails here, the stream remembers */
        json_decref(issue);
    }
    return 0;
}

int print_json(const struct document *doc, FILE *to)
{
    const struct lexer_counts *counts = &doc->counts;
    json_t *const object = json_pack(
        "{s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "file", print_json_text(doc->name),
        "regime", doc->options.regime == LEXER_PDFLATEX ? "pdflatex" : "lualatex", "layer",
        doc->options.is_static ? "static" : "latex", "bytes", (json_int_t)counts->n_bytes, "lines",
        (json_int_t)counts->n_lines, "tokens", (json_int_t)counts->n_tokens, "spans",
        (json_int_t)counts->n_spans, "issue_count", (json_int_t)counts->n_issues, "error_count",
        (json_int_t)counts->n_errors, "warning_count", (json_int_t)counts->n_warnings);
    if (!object)
        return -ENOMEM;
    putc('{', to);
    json_dumpf(object, to, JSON_COMPACT | JSON_EMBED);
    json_decref(object);
    fputs(",\"issues\":[", to);
    const int rc = write_issues(doc, to);
    fputs("]}\n", to);
    return rc;
}
