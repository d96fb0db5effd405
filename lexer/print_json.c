#include "lexer/print.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lexer/issue.h"
#include "lexer/utf8.h"

/* JSON is Unicode, file names are bytes: what is not UTF-8 in them becomes U+FFFD. */
static json_t *json_file_name(const char *name)
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

static json_t *json_issues(const struct document *doc)
{
    json_t *const array = json_array();
    for (uint32_t i = 0; array && i < doc->counts.n_issues; i++) {
        if (json_array_append_new(array, json_issue(doc, &doc->issues[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

int print_json(const struct document *doc, FILE *to)
{
    const struct lexer_counts *counts = &doc->counts;
    json_t *const object = json_pack(
        "{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "file", json_file_name(doc->name),
        "regime", doc->regime == LEXER_PDFLATEX ? "pdflatex" : "lualatex", "bytes",
        (json_int_t)counts->n_bytes, "lines", (json_int_t)counts->n_lines, "tokens",
        (json_int_t)counts->n_tokens, "spans", (json_int_t)counts->n_spans, "issue_count",
        (json_int_t)counts->n_issues, "error_count", (json_int_t)counts->n_errors, "issues",
        json_issues(doc));
    if (!object)
        return -ENOMEM;
    json_dumpf(object, to, JSON_COMPACT); /* what fails here, the stream remembers */
    putc('\n', to);
    json_decref(object);
    return 0;
}
