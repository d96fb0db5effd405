#include "gate/page.h"

#include "gate/decimal.h"
#include "gate/emit.h"
#include "gate/lines.h"
#include "gate/page_charts.h"
#include "gate/report.h"

#include <stdlib.h>
#include <string.h>

#define MARKS_MAX 10000

static const char style[] =
    ":root{--ink:#1b1f24;--dim:#667;--paper:#fff;--grid:#e3e6ea;--run:#0b62c4;--base:#c46a0b;"
    "--hedge:#8a2be2;--bad:#c4160b;--stall:#5a8f29;--injected:#f3c4d4}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--dim:#9aa3ad;--paper:#15181c;"
    "--grid:#2c3138;--run:#6db1ff;--base:#ffb05c;--hedge:#c99bff;--bad:#ff7b70;--stall:#9bd45f;--"
    "injected:#5c2438}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:980px;margin:2em auto;padding:0 1em}\n"
    "table{border-collapse:collapse;width:100%;margin:.5em 0 1.5em}\n"
    "th,td{text-align:right;padding:.2em .6em;border-bottom:1px solid var(--grid)}\n"
    "th:first-child,td:first-child{text-align:left}\n"
    "td.text,th.text{text-align:left;overflow-wrap:anywhere}\n"
    ".interval{color:var(--dim);font-size:85%}\n.bad{color:var(--bad);font-weight:bold}\n"
    "svg{width:100%;height:auto;margin:0 0 1em}\n"
    "svg text{font:12px system-ui,sans-serif;fill:var(--dim)}\n"
    ".frame{fill:none;stroke:var(--dim)}\n.grid{stroke:var(--grid)}\n"
    ".line{fill:none;stroke-width:2}\n.line.run{stroke:var(--run)}\n.line.base{stroke:var(--base)}"
    "\n"
    ".band{opacity:.2}\n.band.run{fill:var(--run)}\n.band.base{fill:var(--base)}\n"
    ".column.run{fill:var(--run);opacity:.75}\n.column.base{fill:var(--base);opacity:.4}\n"
    ".hedge{fill:var(--hedge)}\n.fired{stroke:var(--hedge);stroke-dasharray:2 3}\n"
    ".lost{fill:var(--bad)}\n.fault{stroke:var(--bad);stroke-dasharray:5 3}\n"
    ".injected{fill:var(--injected)}\n.stall{fill:var(--stall)}\n"
    ".key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em;border-radius:2px}\n";

/* ---- marks ---------------------------------------------------------------------------------- */

static int parse_mark(const struct lines *lines, struct text_span line, struct page_mark *mark,
                      struct gate_error *error)
{
    struct text_span fields[2];
    if (text_span_split(line, ',', fields, 2) != 2 ||
        decimal_parse_integer(fields[0].bytes, fields[0].length, &mark->at_ns) != DECIMAL_OK) {
        return lines_bad(lines, line, "t_ns,label", error);
    }
    size_t length =
        fields[1].length < sizeof mark->label ? fields[1].length : sizeof mark->label - 1;
    memcpy(mark->label, fields[1].bytes, length);
    mark->label[length] = '\0';
    return 0;
}

static int read_marks(struct lines *lines, struct page_mark *marks, struct gate_error *error)
{
    struct text_span line;
    int n = 0;
    int got = lines_next(lines, &line, error);
    if (got == 0 || (got > 0 && !text_span_equals(line, "t_ns,label"))) {
        return lines_bad(lines, got > 0 ? line : (struct text_span){"", 0}, "the header t_ns,label",
                         error);
    }
    while ((got = lines_next(lines, &line, error)) > 0) {
        if (n == MARKS_MAX) {
            return gate_error_set(error, GATE_DATA, "%s: more than %d marks", lines->path,
                                  MARKS_MAX);
        }
        if (parse_mark(lines, line, &marks[n++], error) != 0) {
            return -1;
        }
    }
    return got < 0 ? -1 : n;
}

int page_load_marks(const char *path, struct page_mark **marks, struct gate_error *error)
{
    struct lines lines;
    *marks = NULL;
    if (lines_open(&lines, path, error) != 0) {
        return -1;
    }
    int n = -1;
    *marks = calloc(MARKS_MAX, sizeof **marks);
    if (*marks == NULL) {
        gate_error_set(error, GATE_USAGE, "%s: out of memory", path);
    } else {
        n = read_marks(&lines, *marks, error);
    }
    lines_close(&lines);
    return n;
}

/* ---- tables --------------------------------------------------------------------------------- */

static void put_cell(const char *class, const char *text, FILE *out)
{
    fprintf(out, "<td class=\"%s\">", class);
    emit_xml_text(text, out);
    fputs("</td>", out);
}

static void put_quantile(const struct evidence *side, uint32_t q_ppm, FILE *out,
                         struct gate_error *error)
{
    struct quantile q;
    if (evidence_quantile(side, q_ppm, &q, error) != 0) {
        return;
    }
    if (q.value_ps == RUN_UNANSWERED_PS) {
        put_cell("bad", "unanswered", out);
        put_cell("interval", "", out);
        return;
    }
    struct report_text low = {"none"};
    struct report_text high = {"none"};
    struct report_text interval;
    if (q.interval.low != 0) {
        low = report_ms(q.low_ps);
    }
    if (q.interval.high != 0) {
        high = report_ms(q.high_ps);
    }
    snprintf(interval.text, sizeof interval.text, "%.40s .. %.40s", low.text,
             q.interval.high != 0 && q.high_ps == RUN_UNANSWERED_PS ? "unanswered" : high.text);
    put_cell("", report_ms(q.value_ps).text, out);
    put_cell("interval", interval.text, out);
}

static void put_quantiles(const struct page *page, FILE *out, struct gate_error *error)
{
    fputs("<table id=\"quantiles\"><tr><th></th><th>ms</th><th>95 % interval</th>", out);
    fputs(page->base != NULL ? "<th>base, ms</th><th>95 % interval</th></tr>\n" : "</tr>\n", out);
    for (size_t i = 0; i < QUANTILES_REPORTED && error->code == GATE_PASS; i++) {
        uint32_t q_ppm = quantiles_reported_ppm[i];
        fprintf(out, "<tr><td>%s</td>", report_quantile_name(q_ppm).text);
        put_quantile(page->run, q_ppm, out, error);
        if (page->base != NULL && error->code == GATE_PASS) {
            put_quantile(page->base, q_ppm, out, error);
        }
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

static struct report_text counter_text(struct counter counter)
{
    struct report_text text = {"unknown"};
    if (counter.known) {
        snprintf(text.text, sizeof text.text, "%llu", (unsigned long long)counter.value);
    }
    return text;
}

/* "1.234567" from a quantile of an object such as "lag" in the summary, or "unknown". */
static struct report_text summary_quantile(const struct run *run, const char *object)
{
    struct report_text text = {"unknown"};
    json_t *quantiles = json_object_get(json_object_get(run->summary, object), "quantiles");
    size_t i;
    json_t *one;
    json_array_foreach(quantiles, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name != NULL && strcmp(name, "P99.9") == 0) {
            snprintf(text.text, sizeof text.text, "%.6f ms",
                     json_number_value(json_object_get(one, "ms")));
        }
    }
    return text;
}

static void put_row(const char *name, const char *run, const char *base, FILE *out)
{
    fputs("<tr><td>", out);
    emit_xml_text(name, out);
    fputs("</td>", out);
    put_cell("text", run, out);
    if (base != NULL) {
        put_cell("text", base, out);
    }
    fputs("</tr>\n", out);
}

static void say_validity(const struct evidence *side, char *text, size_t bytes)
{
    bool valid = side == NULL || side->invalid == NULL;
    snprintf(text, bytes, "%s%s", valid ? "yes" : "no: ", valid ? "" : side->invalid->why_invalid);
}

static void put_counts(const struct page *page, FILE *out)
{
    const struct evidence *run = page->run;
    const struct evidence *base = page->base;
    struct report_text n_run = counter_text((struct counter){true, run->pooled.n});
    struct report_text n_base =
        counter_text((struct counter){base != NULL, base != NULL ? base->pooled.n : 0});
    fputs("<table id=\"counts\">\n", out);
    if (base != NULL) {
        fputs("<tr><th></th><th class=\"text\">this run</th><th class=\"text\">base</th></tr>\n",
              out);
    }
#define COUNT(name, field)                                                                         \
    put_row(name, counter_text(run->field).text,                                                   \
            base != NULL ? counter_text(base->field).text : NULL, out)
    put_row("samples", n_run.text, base != NULL ? n_base.text : NULL, out);
    COUNT("requests", counters.requests);
    COUNT("errors", counters.errors);
    COUNT("hedges fired", counters.hedges_fired);
    COUNT("replies by a hedge", hedge_wins);
#undef COUNT
    char valid[2][sizeof run->invalid->why_invalid + sizeof "no: "];
    say_validity(run, valid[0], sizeof valid[0]);
    say_validity(base, valid[1], sizeof valid[1]);
    put_row("valid", valid[0], base != NULL ? valid[1] : NULL, out);
    put_row("P99.9 of the client's lag, first run", summary_quantile(&run->runs[0], "lag").text,
            base != NULL ? summary_quantile(&base->runs[0], "lag").text : NULL, out);
    put_row("P99.9 of the machine's stalls, first run",
            summary_quantile(&run->runs[0], "jitter").text,
            base != NULL ? summary_quantile(&base->runs[0], "jitter").text : NULL, out);
    fputs("</table>\n", out);
}

/* The members of an object of the first run's summary, texts and numbers. */
static void put_object(const struct run *run, const char *object, const char *title, FILE *out)
{
    json_t *members = json_object_get(run->summary, object);
    const char *key;
    json_t *value;
    if (json_object_size(members) == 0) {
        return;
    }
    fprintf(out, "<h2>%s</h2>\n<table>\n", title);
    json_object_foreach(members, key, value)
    {
        char *text = json_is_string(value) ? strdup(json_string_value(value))
                                           : json_dumps(value, JSON_ENCODE_ANY);
        put_row(key, text != NULL ? text : "", NULL, out);
        free(text);
    }
    fputs("</table>\n", out);
}

/* ---- the page ------------------------------------------------------------------------------- */

static void put_key(const char *variable, const char *words, FILE *out)
{
    fprintf(out, "<span class=\"key\" style=\"background:var(--%s)\"></span>%s", variable, words);
}

static void put_legend(const struct page *page, FILE *out)
{
    fputs("<p class=\"interval\" id=\"legend\">", out);
    put_key("run", "this run", out);
    if (page->base != NULL) {
        put_key("base", "base", out);
    }
    put_key("hedge", "replied by a hedge; dotted line: hedge fired", out);
    put_key("bad", "no right reply; dashed line: mark, such as an injected fault", out);
    put_key("injected", "stalls injected by the service", out);
    put_key("stall", "machine stalled", out);
    fputs("</p>\n", out);
}

int page_write(const struct page *page, FILE *out, struct gate_error *error)
{
    const struct run *first = &page->run->runs[0];
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
          out);
    emit_xml_text(page->title, out);
    fprintf(out, "</title><style>\n%s</style></head><body>\n<h1>", style);
    emit_xml_text(page->title, out);
    fputs("</h1>\n", out);
    if (page->run->invalid != NULL) {
        fputs("<p class=\"bad\" id=\"invalid\">Not valid: ", out);
        emit_xml_text(page->run->invalid->why_invalid, out);
        fputs("</p>\n", out);
    }
    put_quantiles(page, out, error);
    put_legend(page, out);
    page_percentile_chart(page, out);
    if (error->code == GATE_PASS) {
        page_timeline_chart(page, out, error);
    }
    fputs("<h2>Counted</h2>\n", out);
    put_counts(page, out);
    put_object(first, "hedge_counters", "Hedging, as the service counted it", out);
    put_object(first, "workload", "Load", out);
    put_object(first, "machine", "Machine", out);
    put_object(first, "build", "Build", out);
    fputs("</body></html>\n", out);
    return error->code == GATE_PASS ? 0 : -1;
}
