#include "gate/page_charts.h"

#include "gate/decimal.h"
#include "gate/lines.h"
#include "gate/quantile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH    960.0
#define LEFT     70.0
#define PLANE    (WIDTH - LEFT - 20)
#define COLUMNS  435 /* of the timeline, two pixels each */
#define DOTS_MAX 2000

static double ms(uint64_t value_ps)
{
    return (double)value_ps / (double)GATE_PS_PER_MS;
}

/* ---- percentiles ---------------------------------------------------------------------------- */

static struct chart_point point(double x, uint64_t value_ps)
{
    return (struct chart_point){x, ms(value_ps)};
}

void page_curve(const struct sample *pooled, struct page_curve *curve)
{
    double x_last = log10((double)pooled->n);
    curve->n = 0;
    curve->n_bounded = 0;
    for (int i = 0; i < PAGE_CURVE_POINTS; i++) {
        double x = x_last * i / (PAGE_CURVE_POINTS - 1);
        uint32_t q_ppm = (uint32_t)llround((1 - pow(10, -x)) * GATE_PPM);
        q_ppm = q_ppm == 0 ? 1 : q_ppm >= GATE_PPM ? GATE_PPM - 1 : q_ppm;
        struct quantile q = quantile_of(pooled, q_ppm);
        if (q.value_ps == RUN_UNANSWERED_PS) {
            break;
        }
        curve->value[curve->n] = point(x, q.value_ps);
        if (curve->n_bounded == curve->n && q.interval.high != 0 &&
            q.high_ps != RUN_UNANSWERED_PS) {
            curve->low[curve->n] = point(x, q.interval.low != 0 ? q.low_ps : q.value_ps);
            curve->high[curve->n] = point(x, q.high_ps);
            curve->n_bounded++;
        }
        curve->n++;
    }
}

/* A decade's multiple of 1, 2 or 5 below or above. */
static double round_out(double value, bool up)
{
    static const double steps[] = {1, 2, 5, 10};
    double decade = pow(10, floor(log10(value)));
    for (int i = 0; i < 4; i++) {
        int step = up ? i : 3 - i;
        if (up ? steps[step] * decade >= value : steps[step] * decade <= value) {
            return steps[step] * decade;
        }
    }
    return up ? decade * 10 : decade;
}

/* The range of y that holds both samples; a latency of 0 is drawn at the bottom. */
static void set_range(struct chart *chart, const struct page *page)
{
    const struct evidence *sides[] = {page->run, page->base};
    uint64_t low_ps = UINT64_MAX;
    uint64_t high_ps = GATE_PS_PER_NS;
    for (int side = 0; side < 2 && sides[side] != NULL; side++) {
        const struct sample *pooled = &sides[side]->pooled;
        for (size_t i = 0; i < pooled->n; i++) {
            uint64_t value_ps = pooled->values[i].value_ps;
            if (value_ps != RUN_UNANSWERED_PS && value_ps > 0) {
                low_ps = value_ps < low_ps ? value_ps : low_ps;
                high_ps = value_ps > high_ps ? value_ps : high_ps;
            }
        }
    }
    low_ps = low_ps == UINT64_MAX ? GATE_PS_PER_NS : low_ps;
    chart->y_scale = CHART_LOG;
    chart->y_low = round_out(fmax(ms(low_ps), 1e-6), false);
    chart->y_high = round_out(ms(high_ps), true);
    if (chart->y_high <= chart->y_low * 2) {
        chart->y_high = chart->y_low * 10;
    }
}

static void draw_curve(const struct chart *chart, const struct sample *pooled, const char *line,
                       const char *band)
{
    static struct page_curve curve;
    page_curve(pooled, &curve);
    chart_band(chart, band, curve.low, curve.high, curve.n_bounded);
    chart_line(chart, line, curve.value, curve.n);
}

void page_percentile_range(const struct page *page, double *x_high, double *y_low, double *y_high)
{
    struct chart chart = {.x_low = 0};
    size_t most = page->run->pooled.n;
    if (page->base != NULL && page->base->pooled.n > most) {
        most = page->base->pooled.n;
    }
    set_range(&chart, page);
    *x_high = fmax(log10((double)most), 1);
    *y_low = chart.y_low;
    *y_high = chart.y_high;
}

void page_percentile_chart(const struct page *page, FILE *out)
{
    struct chart chart = {.out = out, .left = LEFT, .top = 26, .width = PLANE, .height = 330};
    chart.y_scale = CHART_LOG;
    page_percentile_range(page, &chart.x_high, &chart.y_low, &chart.y_high);
    chart_svg_begin(out, WIDTH, 400, "Latency by percentile, with 95 % intervals");
    chart_frame(
        &chart,
        "latency; the band is the 95 % interval, and ends where there are too few samples for one");
    chart_nines_axis(&chart);
    if (page->base != NULL) {
        draw_curve(&chart, &page->base->pooled, "line base", "band base");
    }
    draw_curve(&chart, &page->run->pooled, "line run", "band run");
    chart_svg_end(out);
}

/* ---- time ----------------------------------------------------------------------------------- */

/* What happened in a column of the timeline. */
struct column {
    double low, high; /* ms; high 0: nothing */
};

static double row_ms(const struct row *row)
{
    return (double)(row->done_ns - row->intended_ns) / 1e6;
}

static void fill_columns(const struct rows *rows, double span_s, struct column *columns)
{
    memset(columns, 0, COLUMNS * sizeof *columns);
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->values[i];
        size_t at = (size_t)((double)row->intended_ns / 1e9 / span_s * COLUMNS);
        if (!row->ok || at >= COLUMNS) {
            continue;
        }
        double latency_ms = row_ms(row);
        struct column *column = &columns[at];
        column->low = column->high == 0 || latency_ms < column->low ? latency_ms : column->low;
        column->high = latency_ms > column->high ? latency_ms : column->high;
    }
}

static void draw_columns(const struct chart *chart, const struct rows *rows, const char *class)
{
    static struct column columns[COLUMNS];
    fill_columns(rows, chart->x_high, columns);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (columns[i].high > 0) {
            chart_bar(chart, class, chart->x_high * (double)i / COLUMNS, columns[i].low,
                      columns[i].high, PLANE / COLUMNS);
        }
    }
}

/* Replies that came from a hedge, and requests that got none. */
static void draw_rows(const struct chart *chart, const struct rows *rows)
{
    size_t n_dots = 0;
    for (size_t i = 0; i < rows->n && n_dots < DOTS_MAX; i++) {
        const struct row *row = &rows->values[i];
        double at_s = (double)row->intended_ns / 1e9;
        char words[96];
        if (!row->ok) {
            snprintf(words, sizeof words, "request %zu at %.6f s: no right reply", i + 1, at_s);
            chart_dot(chart, "lost", at_s, chart->y_high, words);
        } else if (row->origin == 'H') {
            snprintf(words, sizeof words, "request %zu at %.6f s: %.6f ms, replied by a hedge",
                     i + 1, at_s, row_ms(row));
            chart_dot(chart, "hedge", at_s, row_ms(row), words);
        } else {
            continue;
        }
        n_dots++;
    }
}

/* Seconds since the run's start, or a negative number when it lies outside of it. */
static double since_start(uint64_t at_ns, uint64_t start_ns, double span_s)
{
    double at_s = at_ns < start_ns ? -1 : (double)(at_ns - start_ns) / 1e9;
    return at_s > span_s ? -1 : at_s;
}

/* What the service said: when hedges were fired; and what the caller says. */
static void draw_marks(const struct chart *chart, const struct page *page, uint64_t start_ns)
{
    for (size_t i = 0; page->tail != NULL && i < page->tail->n; i++) {
        const struct tail_row *row = &page->tail->rows[i];
        double at_s = since_start(row->hedge_fire_ns, start_ns, chart->x_high);
        if (row->hedged && at_s >= 0) {
            chart_mark(chart, "fired", at_s, NULL);
        }
    }
    for (size_t i = 0; i < page->n_marks; i++) {
        double at_s = since_start(page->marks[i].at_ns, start_ns, chart->x_high);
        if (at_s >= 0) {
            chart_mark(chart, "fault", at_s, page->n_marks <= 20 ? page->marks[i].label : NULL);
        }
    }
}

/* ---- files beside a run --------------------------------------------------------------------- */

#define COLUMNS_MAX 3

/* Calls draw for each line of whole numbers of the run's file after its header; never where there
 * is no such file. 0, or -1 with *error set. */
static int draw_file(const struct chart *chart, const struct run *run, const char *name,
                     const char *header, size_t n_columns,
                     void (*draw)(const struct chart *chart, const uint64_t *values),
                     struct gate_error *error)
{
    struct lines lines;
    struct text_span line;
    char *path = run_file(run, name);
    if (path == NULL || lines_open(&lines, path, error) != 0) {
        free(path);
        return error->code == GATE_PASS ? 0 : -1;
    }
    int got = lines_next(&lines, &line, error);
    if (got == 0 || (got > 0 && !text_span_equals(line, header))) {
        got = lines_bad(&lines, got > 0 ? line : (struct text_span){"", 0}, header, error);
    }
    while (got > 0 && (got = lines_next(&lines, &line, error)) > 0) {
        struct text_span fields[COLUMNS_MAX];
        uint64_t values[COLUMNS_MAX] = {0};
        bool good = text_span_split(line, ',', fields, n_columns) == n_columns;
        for (size_t i = 0; i < n_columns && good; i++) {
            good =
                decimal_parse_integer(fields[i].bytes, fields[i].length, &values[i]) == DECIMAL_OK;
        }
        if (good) {
            draw(chart, values);
        } else {
            got = lines_bad(&lines, line, header, error);
        }
    }
    lines_close(&lines);
    free(path);
    return got < 0 ? -1 : 0;
}

static void draw_stall(const struct chart *chart, const uint64_t *values)
{
    if ((double)values[0] / 1e9 <= chart->x_high) {
        chart_bar(chart, "stall", (double)values[0] / 1e9, chart->y_low, (double)values[1] / 1e6,
                  fmax(PLANE * 0.1 / chart->x_high, 1));
    }
}

static void draw_fault(const struct chart *chart, const uint64_t *values)
{
    char words[96];
    if ((double)values[0] / 1e9 <= chart->x_high) {
        snprintf(words, sizeof words, "injected stalls of %.6g ms between %.3f and %.3f s",
                 (double)values[2] / 1e6, (double)values[0] / 1e9, (double)values[1] / 1e9);
        chart_area(chart, "injected", (double)values[0] / 1e9, (double)values[1] / 1e9, words);
    }
}

static double span_of(const struct rows *rows)
{
    uint64_t last_ns = 0;
    for (size_t i = 0; i < rows->n; i++) {
        uint64_t at_ns = rows->values[i].intended_ns;
        last_ns = at_ns > last_ns ? at_ns : last_ns;
    }
    return fmax((double)last_ns / 1e9, 1e-3);
}

int page_timeline_chart(const struct page *page, FILE *out, struct gate_error *error)
{
    const struct run *run = &page->run->runs[0];
    if (run->rows.n == 0) {
        fputs("<p>No timeline: this run has latencies only, not when they were.</p>\n", out);
        return 0;
    }
    struct chart above = {.out = out, .left = LEFT, .top = 26, .width = PLANE, .height = 260};
    struct chart below = {.out = out,
                          .left = LEFT,
                          .top = 336,
                          .width = PLANE,
                          .height = 90,
                          .y_low = 0.001,
                          .y_high = 100,
                          .y_scale = CHART_LOG};
    uint64_t start_ns = (uint64_t)json_integer_value(json_object_get(run->summary, "start_ns"));
    above.x_high = below.x_high = span_of(&run->rows);
    set_range(&above, page);
    chart_svg_begin(out, WIDTH, 480, "Latency over time, and the machine's own stalls");
    chart_frame(&above, "latency of the first run, by when a request was due");
    chart_time_axis(&above, NULL);
    if (draw_file(&above, run, RUN_FAULTS_NAME, FAULTS_HEADER, 3, draw_fault, error) != 0) {
        return -1;
    }
    if (page->base != NULL && page->base->runs[0].rows.n > 0) {
        draw_columns(&above, &page->base->runs[0].rows, "column base");
    }
    draw_columns(&above, &run->rows, "column run");
    draw_marks(&above, page, start_ns);
    draw_rows(&above, &run->rows);
    chart_frame(&below, "the machine itself: longest stall of any processor");
    chart_time_axis(&below, "seconds since the run began");
    int result =
        draw_file(&below, run, RUN_JITTER_NAME, "begin_ns,worst_stall_ns", 2, draw_stall, error);
    chart_svg_end(out);
    return result;
}
