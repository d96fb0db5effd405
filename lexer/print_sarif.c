/* SARIF 2.1.0 (OASIS standard): one run, the rules with it, and a result for each issue. */
#include "lexer/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lexer/issue.h"
#include "lexer/print_json.h"

static const char *level_of(unsigned id)
{
    static const char *const levels[] = {
        [LEXER_ERROR] = "error", [LEXER_WARNING] = "warning", [LEXER_INFO] = "note"};
    return levels[lexer_issue_severity(id)];
}

static json_t *rules(void)
{
    json_t *const array = json_array();
    for (unsigned id = 1; array && id < LEXER_ISSUE_ID_END; id++) {
        json_t *const rule =
            json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", lexer_issue_name(id), "shortDescription",
                      "text", lexer_issue_text(id), "defaultConfiguration", "level", level_of(id));
        if (json_array_append_new(array, rule) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

int print_sarif_begin(const char *version, FILE *to)
{
    json_t *const driver =
        json_pack("{s:s, s:s, s:o}", "name", "l0-lex", "version", version, "rules", rules());
    if (!driver)
        return -ENOMEM;
    fputs("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
          "\"runs\":[{\"columnKind\":\"unicodeCodePoints\","
          "\"newlineSequences\":[\"\\r\\n\",\"\\n\",\"\\r\"],\"tool\":{\"driver\":",
          to);
    json_dumpf(driver, to, JSON_COMPACT);
    json_decref(driver);
    fputs("},\"results\":[", to);
    return 0;
}

void print_sarif_end(FILE *to)
{
    fputs("]}]}\n", to);
}

/* A relative reference, or for an absolute path a file: URI (RFC 3986, RFC 8089). What is not
 * unreserved in it becomes %XX. */
static json_t *uri_of(const char *path)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char kept[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    static const char scheme[] = "file://";
    char *const uri = malloc(sizeof scheme + 3 * strlen(path));
    size_t n = 0;
    if (!uri)
        return NULL;
    if (*path == '/')
        n = (size_t)(stpcpy(uri, scheme) - uri);
    for (const char *p = path; *p; p++) {
        if (strchr(kept, *p)) {
            uri[n++] = *p;
            continue;
        }
        uri[n++] = '%';
        uri[n++] = hex[(uint8_t)*p >> 4];
        uri[n++] = hex[*p & 15];
    }
    json_t *const text = json_stringn(uri, n);
    free(uri);
    return text;
}

static json_t *location(const struct document *doc, uint32_t start, uint32_t end)
{
    const struct position from = position_of(&doc->positions, start);
    const struct position to = position_of(&doc->positions, end);
    return json_pack("{s:{s:{s:o}, s:{s:I, s:I, s:I, s:I, s:I, s:I}}}", "physicalLocation",
                     "artifactLocation", "uri", uri_of(doc->name), "region", "startLine",
                     (json_int_t)from.line, "startColumn", (json_int_t)from.column, "endLine",
                     (json_int_t)to.line, "endColumn", (json_int_t)to.column, "byteOffset",
                     (json_int_t)start, "byteLength", (json_int_t)(end - start));
}

static json_t *related(const struct document *doc, const struct lexer_issue *issue)
{
    json_t *const place = location(doc, issue->rel_start, issue->rel_end);
    json_t *const message = json_pack("{s:s}", "text", lexer_issue_related(issue->id));
    if (!place || json_object_set_new(place, "message", message) != 0) {
        json_decref(place);
        return NULL;
    }
    return json_pack("[o]", place);
}

static json_t *result(const struct document *doc, const struct lexer_issue *issue)
{
    json_t *const object = json_pack(
        "{s:s, s:I, s:s, s:{s:s}, s:[o]}", "ruleId", lexer_issue_name(issue->id), "ruleIndex",
        (json_int_t)(issue->id - 1), "level", level_of(issue->id), "message", "text",
        lexer_issue_text(issue->id), "locations", location(doc, issue->start, issue->end));
    if (object && issue->rel_end > issue->rel_start &&
        json_object_set_new(object, "relatedLocations", related(doc, issue)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

int print_sarif_results(const struct document *doc, FILE *to)
{
    for (uint32_t i = 0; i < doc->n_issues; i++) {
        json_t *const object = result(doc, &doc->issues[i]);
        if (!object)
            return -ENOMEM;
        if (i > 0)
            putc(',', to);
        json_dumpf(object, to, JSON_COMPACT);
        json_decref(object);
    }
    return 0;
}
