#include "gate/emit.h"

#include "gate/outfile.h"

#include <string.h>

static const char *word_of(const char *word, enum verdict verdict)
{
    return word != NULL ? word : verdict_text(verdict);
}

void emit_conclude(struct emit *emit)
{
    static const int weight[] = {
        [VERDICT_PASS] = 0, [VERDICT_NOT_JUDGED] = 0, [VERDICT_INCONCLUSIVE] = 1,
        [VERDICT_FAIL] = 2, [VERDICT_INVALID] = 3,
    };
    emit->verdict = VERDICT_PASS;
    emit->exit = GATE_PASS;
    for (size_t i = 0; i < emit->n; i++) {
        if (weight[emit->judgements[i].verdict] > weight[emit->verdict]) {
            emit->verdict = emit->judgements[i].verdict;
            emit->exit = emit->judgements[i].exit;
        }
    }
}

/* ---- text ----------------------------------------------------------------------------------- */

static const char *colour_of(enum verdict verdict)
{
    static const char *const colours[] = {
        [VERDICT_PASS] = "\033[32m",         [VERDICT_FAIL] = "\033[31m",
        [VERDICT_INCONCLUSIVE] = "\033[33m", [VERDICT_NOT_JUDGED] = "\033[33m",
        [VERDICT_INVALID] = "\033[35m",
    };
    return colours[verdict];
}

static void print_part(const char *label, const struct report_text *part, FILE *out)
{
    if (part->text[0] != '\0') {
        fprintf(out, "%s%s", label, part->text);
    }
}

static void print_word(const char *word, enum verdict verdict, bool colour, FILE *out)
{
    fprintf(out, "%s%s%s", colour ? colour_of(verdict) : "", word_of(word, verdict),
            colour ? "\033[0m" : "");
}

static void print_closing(const struct emit *emit, bool colour, FILE *out)
{
    fputs(emit->notes != NULL ? emit->notes : "", out);
    fputs("verdict: ", out);
    print_word(emit->word, emit->verdict, colour, out);
    const char *separator = "; ";
    for (size_t i = 0; i < emit->n; i++) {
        const struct judgement *j = &emit->judgements[i];
        if (j->verdict != VERDICT_PASS) {
            fprintf(out, "%s%s %s", separator, j->name, word_of(j->word, j->verdict));
            separator = ", ";
        }
    }
    fputc('\n', out);
}

void emit_text(const struct emit *emit, bool colour, FILE *out)
{
    for (size_t i = 0; i < emit->n; i++) {
        const struct judgement *j = &emit->judgements[i];
        fprintf(out, "%s: ", j->name);
        print_part("", &j->value, out);
        print_part(", limit ", &j->limit, out);
        print_part(", margin ", &j->margin, out);
        print_part(", 95 % interval ", &j->interval, out);
        fputs(": ", out);
        print_word(j->word, j->verdict, colour, out);
        print_part("; ", &j->note, out);
        fputc('\n', out);
    }
    print_closing(emit, colour, out);
}

/* What a column of the table says of a judgement. */
static const char *cell(const struct judgement *j, int column)
{
    const char *const cells[] = {j->name, j->value.text, j->margin.text, j->interval.text};
    return cells[column];
}

void emit_table(const struct emit *emit, bool colour, FILE *out)
{
    static const char *const heads[] = {"", "value", "margin", "95 % interval"};
    int widths[sizeof heads / sizeof heads[0]] = {0};
    const int n_columns = (int)(sizeof heads / sizeof heads[0]);
    fprintf(out, "%s\n", emit->title);
    for (int c = 0; c < n_columns; c++) {
        widths[c] = (int)strlen(heads[c]);
        for (size_t i = 0; i < emit->n; i++) {
            int width = (int)strlen(cell(&emit->judgements[i], c));
            widths[c] = width > widths[c] ? width : widths[c];
        }
        fprintf(out, "%-*s  ", widths[c], heads[c]);
    }
    fputs("verdict\n", out);
    for (size_t i = 0; i < emit->n; i++) {
        const struct judgement *j = &emit->judgements[i];
        for (int c = 0; c < n_columns; c++) {
            fprintf(out, "%-*s  ", widths[c], cell(j, c));
        }
        print_word(j->word, j->verdict, colour, out);
        print_part("; ", &j->note, out);
        fputc('\n', out);
    }
    print_closing(emit, colour, out);
}

/* ---- Markdown ------------------------------------------------------------------------------- */

static void put_cell_bytes(const char *text, size_t length, FILE *out)
{
    for (const char *end = text + length; text < end; text++) {
        if (strchr("|\\`*_<>[]&@#", *text) != NULL) {
            fputc('\\', out);
        }
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
}

static void put_cell(const char *text, FILE *out)
{
    put_cell_bytes(text, strlen(text), out);
}

static void put_column(const char *text, FILE *out)
{
    fputc(' ', out);
    put_cell(text, out);
    fputs(" |", out);
}

void emit_markdown(const struct emit *emit, FILE *out)
{
    static const char *const marks[] = {
        [VERDICT_PASS] = "✅",       [VERDICT_FAIL] = "❌",    [VERDICT_INCONCLUSIVE] = "❔",
        [VERDICT_NOT_JUDGED] = "⬜", [VERDICT_INVALID] = "🚫",
    };
    fprintf(out, "### %s %s: ", marks[emit->verdict], emit->suite);
    put_cell(word_of(emit->word, emit->verdict), out);
    fputs("\n\n", out);
    put_cell(emit->title, out);
    fputs("\n\n| | | value | limit | margin | 95 % interval | |\n"
          "|---|---|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < emit->n; i++) {
        const struct judgement *j = &emit->judgements[i];
        fprintf(out, "| %s |", marks[j->verdict]);
        put_column(j->name, out);
        put_column(j->value.text, out);
        put_column(j->limit.text, out);
        put_column(j->margin.text, out);
        put_column(j->interval.text, out);
        fputc(' ', out);
        put_cell(word_of(j->word, j->verdict), out);
        if (j->note.text[0] != '\0') {
            fputs(": ", out);
            put_cell(j->note.text, out);
        }
        fputs(" |\n", out);
    }
    if (emit->notes != NULL) {
        fputc('\n', out);
        for (const char *line = emit->notes; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            fputs("> ", out);
            put_cell_bytes(line, length, out);
            fputc('\n', out);
            line += length + (line[length] == '\n');
        }
    }
    fputc('\n', out);
}

/* ---- JUnit XML ------------------------------------------------------------------------------ */

/* How many bytes the well-formed UTF-8 sequence at text has, 0 if it is none (The Unicode Standard,
 * table 3-7) or one that XML does not allow. */
static size_t sequence_bytes(const char *text)
{
    const unsigned char *u = (const unsigned char *)text;
    if (u[0] < 0x80) {
        return u[0] >= ' ' && u[0] != 0x7f;
    }
    unsigned first = u[1]; /* of the bytes that follow; it is narrower for some */
    unsigned low = u[0] == 0xe0 ? 0xa0 : u[0] == 0xf0 ? 0x90 : 0x80;
    unsigned high = u[0] == 0xed ? 0x9f : u[0] == 0xf4 ? 0x8f : 0xbf;
    size_t n = u[0] >= 0xc2 && u[0] <= 0xdf   ? 2
               : (u[0] & 0xf0) == 0xe0        ? 3
               : u[0] >= 0xf0 && u[0] <= 0xf4 ? 4
                                              : 0;
    if (n == 0 || first < low || first > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_noncharacter = u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe; /* U+FFFE, U+FFFF */
    return is_noncharacter ? 0 : n;
}

void emit_xml_text(const char *text, FILE *out)
{
    for (size_t n; *text != '\0'; text += n > 0 ? n : 1) {
        n = sequence_bytes(text);
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fwrite(n > 0 ? text : "?", 1, n > 0 ? n : 1, out);
        }
    }
}

static void put_attribute(const char *name, const char *text, FILE *out)
{
    fprintf(out, " %s=\"", name);
    emit_xml_text(text, out);
    fputc('"', out);
}

/* The whole of a judgement on one line. */
static void put_sentence(const struct judgement *j, void (*put)(const char *, FILE *), FILE *out)
{
    const struct {
        const char *label;
        const char *text;
    } parts[] = {
        {"", j->value.text},           {", limit ", j->limit.text},
        {", margin ", j->margin.text}, {", 95 % interval ", j->interval.text},
        {"; ", j->note.text},
    };
    put(word_of(j->word, j->verdict), out);
    put(": ", out);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].text[0] != '\0') {
            put(parts[i].label, out);
            put(parts[i].text, out);
        }
    }
}

/* A failure is one; what could not be decided, or was not valid, is an error of the test. */
void emit_junit(const struct emit *emit, FILE *out)
{
    size_t n_failures = 0;
    size_t n_errors = 0;
    size_t n_skipped = 0;
    for (size_t i = 0; i < emit->n; i++) {
        enum verdict verdict = emit->judgements[i].verdict;
        n_failures += verdict == VERDICT_FAIL;
        n_errors += verdict == VERDICT_INCONCLUSIVE || verdict == VERDICT_INVALID;
        n_skipped += verdict == VERDICT_NOT_JUDGED;
    }
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite", out);
    put_attribute("name", emit->suite, out);
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", emit->n,
            n_failures, n_errors, n_skipped);
    for (size_t i = 0; i < emit->n; i++) {
        const struct judgement *j = &emit->judgements[i];
        static const char *const elements[] = {
            [VERDICT_PASS] = "system-out",    [VERDICT_FAIL] = "failure",
            [VERDICT_INCONCLUSIVE] = "error", [VERDICT_NOT_JUDGED] = "skipped",
            [VERDICT_INVALID] = "error",
        };
        const char *element = elements[j->verdict];
        fputs("    <testcase", out);
        put_attribute("classname", emit->title, out);
        put_attribute("name", j->name, out);
        fprintf(out, "><%s", element);
        if (j->verdict != VERDICT_PASS) {
            put_attribute("message", word_of(j->word, j->verdict), out);
        }
        fputc('>', out);
        put_sentence(j, emit_xml_text, out);
        fprintf(out, "</%s></testcase>\n", element);
    }
    fputs("  </testsuite>\n</testsuites>\n", out);
}

/* ---- annotations ---------------------------------------------------------------------------- */

static void put_escaped(const char *text, const char *special, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (strchr(special, *text) != NULL) {
            fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
        } else {
            fputc(*text, out);
        }
    }
}

/* A message ends at the line's end. */
static void put_message(const char *text, FILE *out)
{
    put_escaped(text, "%\r\n", out);
}

/* A property ends at a comma or colon, too. */
static void put_property(const char *text, FILE *out)
{
    put_escaped(text, "%\r\n:,", out);
}

void emit_annotations(const struct emit *emit, FILE *out)
{
    for (size_t i = 0; i < emit->n; i++) {
        const struct judgement *j = &emit->judgements[i];
        if (j->verdict == VERDICT_PASS) {
            continue;
        }
        bool bad = j->verdict == VERDICT_FAIL || j->verdict == VERDICT_INVALID;
        fprintf(out, "::%s title=", bad ? "error" : "warning");
        put_property(emit->suite, out);
        put_property(" ", out);
        put_property(j->name, out);
        fputs("::", out);
        put_sentence(j, put_message, out);
        fputc('\n', out);
    }
}

/* ---- JSON ----------------------------------------------------------------------------------- */

json_t *emit_json(const struct emit *emit)
{
    json_t *judgements = json_array();
    for (size_t i = 0; i < emit->n; i++) {
        const struct judgement *j = &emit->judgements[i];
        json_t *one = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "name", j->name,
                                "verdict", word_of(j->word, j->verdict), "exit", (int)j->exit,
                                "value", j->value.text, "limit", j->limit.text, "margin",
                                j->margin.text, "interval", j->interval.text, "note", j->note.text);
        if (one == NULL || json_array_append_new(judgements, one) != 0) {
            json_decref(judgements);
            return NULL;
        }
    }
    return json_pack("{s:s, s:s, s:s, s:i, s:o}", "suite", emit->suite, "title", emit->title,
                     "verdict", word_of(emit->word, emit->verdict), "exit", (int)emit->exit,
                     "judgements", judgements);
}

/* ---- files ---------------------------------------------------------------------------------- */

static int write_file(const struct emit *emit, const char *path,
                      void (*write)(const struct emit *, FILE *), struct gate_error *error)
{
    struct outfile out;
    if (path == NULL) {
        return 0;
    }
    if (strcmp(path, "-") == 0) {
        write(emit, stdout);
        return 0;
    }
    int rc = outfile_open(&out, path);
    if (rc == 0) {
        write(emit, out.stream);
        rc = outfile_commit(&out);
    }
    if (rc != 0) {
        return gate_error_set(error, GATE_USAGE, "%s: cannot write: %s", path, strerror(-rc));
    }
    return 0;
}

int emit_to_targets(const struct emit *emit, const struct emit_targets *targets,
                    struct gate_error *error)
{
    if (targets->annotations) {
        emit_annotations(emit, stdout);
    }
    return write_file(emit, targets->markdown, emit_markdown, error) != 0
               ? -1
               : write_file(emit, targets->junit, emit_junit, error);
}
