/* bin/l0-lex --sarif, by what SARIF 2.1.0 (OASIS standard, 2020, with errata 01) demands of the
 * objects that it writes: their properties, types and enumerated values (section 3), and regions
 * that mean the same whether told by lines and columns or by bytes. */
#include "tests/unit/lex_run.h"

#include <jansson.h>
#include <stdint.h>

TestSuite(lex_sarif, .init = lex_open_scratch, .fini = lex_close_scratch);

static json_t *member(json_t *object, const char *key, json_type type)
{
    json_t *const value = json_object_get(object, key);
    cr_assert_not_null(value, "no %s in %s", key, output);
    cr_assert_eq(json_typeof(value), type, "the type of %s", key);
    return value;
}

static const char *string_of(json_t *object, const char *key)
{
    const char *const text = json_string_value(member(object, key, JSON_STRING));
    cr_assert(*text, "%s is empty", key);
    return text;
}

static json_int_t integer_of(json_t *object, const char *key, json_int_t least)
{
    const json_int_t value = json_integer_value(member(object, key, JSON_INTEGER));
    cr_assert_geq(value, least, "%s is %lld", key, (long long)value);
    return value;
}

/* Nothing is there but what is named: SARIF forbids unknown properties. */
static void expect_only(json_t *object, const char *const *keys)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], key) != 0)
            i++;
        cr_expect_not_null(keys[i], "%s is no property here", key);
    }
}

/* The offset of a line and column, counted by hand: lines end with CR LF, LF or CR; columns are
 * code points; a byte-order mark at the beginning does not count (3.30.2). */
static size_t offset_of(const char *text, json_int_t line, json_int_t column)
{
    size_t at = strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    for (json_int_t i = 1; i < line; i++) {
        at += strcspn(text + at, "\r\n");
        cr_assert(text[at], "line %lld is behind the end", (long long)line);
        at += text[at] == '\r' && text[at + 1] == '\n' ? 2 : 1;
    }
    for (json_int_t i = 1; i < column; i++) {
        cr_assert(text[at], "column %lld is behind the end", (long long)column);
        at++;
        while (((uint8_t)text[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

static void check_region(json_t *region, const char *text)
{
    static const char *const keys[] = {"startLine",  "startColumn", "endLine", "endColumn",
                                       "byteOffset", "byteLength",  NULL};
    expect_only(region, keys);
    const json_int_t line = integer_of(region, "startLine", 1);
    const json_int_t column = integer_of(region, "startColumn", 1);
    const json_int_t end_line = integer_of(region, "endLine", line);
    const json_int_t end_column = integer_of(region, "endColumn", end_line > line ? 1 : column);
    const size_t offset = (size_t)integer_of(region, "byteOffset", 0);
    const size_t n = (size_t)integer_of(region, "byteLength", 0);
    cr_expect_eq(offset_of(text, line, column), offset, "%lld:%lld is not byte %zu",
                 (long long)line, (long long)column, offset);
    cr_expect_eq(offset_of(text, end_line, end_column), offset + n);
}

static void check_location(json_t *location, const char *text, const char *uri, bool is_related)
{
    static const char *const keys[] = {"physicalLocation", "message", NULL};
    static const char *const physical_keys[] = {"artifactLocation", "region", NULL};
    static const char *const artifact_keys[] = {"uri", NULL};
    json_t *const physical = member(location, "physicalLocation", JSON_OBJECT);
    json_t *const artifact = member(physical, "artifactLocation", JSON_OBJECT);
    expect_only(location, keys);
    expect_only(physical, physical_keys);
    expect_only(artifact, artifact_keys);
    cr_expect_str_eq(string_of(artifact, "uri"), uri);
    check_region(member(physical, "region", JSON_OBJECT), text);
    if (is_related)
        string_of(member(location, "message", JSON_OBJECT), "text");
}

static bool is_level(const char *level)
{
    return strcmp(level, "none") == 0 || strcmp(level, "note") == 0 ||
           strcmp(level, "warning") == 0 || strcmp(level, "error") == 0;
}

static void check_result(json_t *rules, json_t *result, const char *text, const char *uri)
{
    static const char *const keys[] = {"ruleId",    "ruleIndex",        "level", "message",
                                       "locations", "relatedLocations", NULL};
    expect_only(result, keys);
    json_t *const rule = json_array_get(rules, (size_t)integer_of(result, "ruleIndex", 0));
    cr_assert_not_null(rule);
    cr_expect_str_eq(string_of(result, "ruleId"), string_of(rule, "id"));
    cr_expect_str_eq(string_of(result, "level"),
                     string_of(member(rule, "defaultConfiguration", JSON_OBJECT), "level"));
    string_of(member(result, "message", JSON_OBJECT), "text");
    json_t *const locations = member(result, "locations", JSON_ARRAY);
    cr_expect_eq(json_array_size(locations), 1u);
    check_location(json_array_get(locations, 0), text, uri, false);
    if (json_object_get(result, "relatedLocations"))
        check_location(json_array_get(member(result, "relatedLocations", JSON_ARRAY), 0), text, uri,
                       true);
}

static json_t *check_rules(json_t *run)
{
    static const char *const tool_keys[] = {"driver", NULL};
    static const char *const driver_keys[] = {"name", "version", "rules", NULL};
    static const char *const rule_keys[] = {"id", "shortDescription", "defaultConfiguration", NULL};
    json_t *const tool = member(run, "tool", JSON_OBJECT);
    json_t *const driver = member(tool, "driver", JSON_OBJECT);
    json_t *const rules = member(driver, "rules", JSON_ARRAY);
    expect_only(tool, tool_keys);
    expect_only(driver, driver_keys);
    cr_expect_str_eq(string_of(driver, "name"), "l0-lex");
    string_of(driver, "version");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        json_t *const rule = json_array_get(rules, i);
        expect_only(rule, rule_keys);
        string_of(member(rule, "shortDescription", JSON_OBJECT), "text");
        cr_expect(is_level(string_of(member(rule, "defaultConfiguration", JSON_OBJECT), "level")));
        for (size_t other = 0; other < i; other++)
            cr_expect_str_neq(string_of(rule, "id"), string_of(json_array_get(rules, other), "id"));
    }
    return rules;
}

/* The log in output, whose results are all of one document. Returns their number. */
static size_t check_log(const char *text, const char *uri)
{
    static const char *const log_keys[] = {"$schema", "version", "runs", NULL};
    static const char *const run_keys[] = {"tool", "results", "columnKind", "newlineSequences",
                                           NULL};
    json_t *const log = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(log, "%s", output);
    json_t *const runs = member(log, "runs", JSON_ARRAY);
    json_t *const run = json_array_get(runs, 0);
    expect_only(log, log_keys);
    cr_expect_eq(json_array_size(runs), 1u);
    expect_only(run, run_keys);
    cr_expect_str_eq(string_of(log, "version"), "2.1.0");
    cr_expect_str_eq(string_of(run, "columnKind"), "unicodeCodePoints");
    json_t *const ends = member(run, "newlineSequences", JSON_ARRAY);
    cr_expect_eq(json_array_size(ends), 3u);
    cr_expect_str_eq(json_string_value(json_array_get(ends, 0)), "\r\n", "the longest is first");
    cr_expect_str_eq(json_string_value(json_array_get(ends, 1)), "\n");
    cr_expect_str_eq(json_string_value(json_array_get(ends, 2)), "\r");
    json_t *const rules = check_rules(run);
    json_t *const results = member(run, "results", JSON_ARRAY);
    const size_t n = json_array_size(results);
    for (size_t i = 0; i < n; i++)
        check_result(rules, json_array_get(results, i), text, uri);
    json_decref(log);
    return n;
}

static void expect_results(const char *text, size_t n)
{
    put("a.tex", text);
    run_lex("", "--sarif a.tex");
    const size_t n_found = check_log(text, "a.tex");
    cr_expect_eq(n_found, n, "%s: %zu results", text, n_found);
}

Test(lex_sarif, regions)
{
    expect_results("fine", 0);
    expect_results("", 0);
    expect_results("}", 1);
    expect_results("a\xF0\x9D\x92\x9C}e\xCC\x81}\xC3\xA9{", 3); /* astral; combining */
    expect_results("\xEF\xBB\xBF}a}\n}", 3);                    /* byte-order mark */
    expect_results("\xF0\x9F\x98\x80\xE2\x80\xAE\t}\r\n\xE8\xAA\x9E\xC2\xA0}", 4);
    expect_results("}\r}\n}\r\n}\r\r\n}", 7); /* of those that end lines, lone and mixed ones too */
    expect_results("a $x\n\nb", 1);
    expect_results("$x\r\n\r\n\\begin{a}\\end{b}\\scantokens x", 3);
    expect_results("{a % }\n", 2);
    expect_results("\\verb|x\n\\begin{verbatim}\n}", 2);
}

Test(lex_sarif, names_of_files)
{
    put("a b%\xC3\xA9?#:.tex", "}");
    cr_expect_eq(run_lex("", "--sarif a*.tex"), 1);
    cr_expect_eq(check_log("}", "a%20b%25%C3%A9%3F%23%3A.tex"), 1u);
    cr_expect_eq(run_lex("printf '}' >$(printf 'b\\377.tex');", "--sarif b*.tex"), 1);
    cr_expect_eq(check_log("}", "b%FF.tex"), 1u);
    put("c.tex", "}");
    cr_expect_eq(run_lex("", "--sarif - <c.tex"), 1);
    cr_expect_eq(check_log("}", "%3Cstdin%3E"), 1u);
    char uri[PATH_MAX + 32];
    snprintf(uri, sizeof uri, "file://%s/c.tex", scratch.dir);
    cr_expect_eq(run_lex("", "--sarif \"$PWD\"/c.tex"), 1);
    cr_expect_eq(check_log("}", uri), 1u);
}

Test(lex_sarif, many_files)
{
    put("a.tex", "}");
    put("b.tex", "fine");
    put("c.tex", "{\n\n$");
    cr_expect_eq(run_lex("", "--sarif a.tex b.tex c.tex"), 1);
    json_t *const log = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
    json_t *results = NULL;
    cr_assert_not_null(log, "%s", output);
    cr_assert_eq(json_unpack(log, "{s:[{s:o}]}", "runs", "results", &results), 0);
    cr_expect_eq(json_array_size(results), 3u);
    json_decref(log);
}

/* What cannot be read is said on standard error; the log is whole all the same. */
Test(lex_sarif, nothing_to_read)
{
    cr_expect_eq(run_lex("", "--sarif missing.tex"), 2);
    expect_said("missing.tex: No such file");
    cr_expect_eq(run_lex("", "--sarif missing.tex 2>/dev/null #"), 2);
    cr_expect_eq(check_log("", ""), 0u);
}
