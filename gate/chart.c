#include "gate/chart.h"

#include "gate/emit.h"

#include <math.h>

void chart_svg_begin(FILE *out, double width, double height, const char *title)
{
    fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\"><title>", width, height);
    emit_xml_text(title, out);
    fputs("</title>\n", out);
}

void chart_svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}

/* Where value lies between low and high, 0 to 1. */
static double part(double value, double low, double high)
{
    double p = (value - low) / (high - low);
    return p < 0 || isnan(p) ? 0 : p > 1 ? 1 : p;
}

double chart_x(const struct chart *c, double x)
{
    return c->left + c->width * part(x, c->x_low, c->x_high);
}

double chart_y(const struct chart *c, double y)
{
    double p = c->y_scale == CHART_LOG
                   ? part(log10(fmax(y, c->y_low)), log10(c->y_low), log10(c->y_high))
                   : part(y, c->y_low, c->y_high);
    return c->top + c->height * (1 - p);
}

static void text(const struct chart *c, double x, double y, const char *anchor, const char *words)
{
    fprintf(c->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    emit_xml_text(words, c->out);
    fputs("</text>\n", c->out);
}

static void line(const struct chart *c, const char *class, double x1, double y1, double x2,
                 double y2)
{
    fprintf(c->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class,
            x1, y1, x2, y2);
}

/* "250 µs", "20 ms", "3 s" */
static void time_words(double ms, char words[32])
{
    if (ms < 0.9995) {
        snprintf(words, 32, "%.4g µs", ms * 1000);
    } else if (ms < 999.5) {
        snprintf(words, 32, "%.4g ms", ms);
    } else {
        snprintf(words, 32, "%.4g s", ms / 1000);
    }
}

static void y_tick(const struct chart *c, double ms)
{
    char words[32];
    double y = chart_y(c, ms);
    time_words(ms, words);
    line(c, "grid", c->left, y, c->left + c->width, y);
    text(c, c->left - 6, y + 4, "end", words);
}

void chart_frame(const struct chart *c, const char *y_name)
{
    static const double steps[] = {1, 2, 5};
    /* Over many decades only their beginnings are labelled. */
    int n_steps = log10(c->y_high / c->y_low) > 3 ? 1 : 3;
    fprintf(c->out,
            "<rect class=\"frame\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            c->left, c->top, c->width, c->height);
    for (int decade = -6; decade <= 9; decade++) {
        for (int i = 0; i < n_steps; i++) {
            double ms = steps[i] * pow(10, decade);
            if (ms >= c->y_low * 0.999 && ms <= c->y_high * 1.001) {
                y_tick(c, ms);
            }
        }
    }
    text(c, c->left, c->top - 8, "start", y_name);
}

void chart_nines_axis(const struct chart *c)
{
    static const struct {
        double percent_above;
        const char *name;
    } ticks[] = {{100, "min"},   {50, "P50"},      {10, "P90"},        {1, "P99"},
                 {0.1, "P99.9"}, {0.01, "P99.99"}, {0.001, "P99.999"}, {0.0001, "P99.9999"}};
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        double x = -log10(ticks[i].percent_above / 100);
        if (x <= c->x_high) {
            line(c, "grid", chart_x(c, x), c->top, chart_x(c, x), c->top + c->height);
            bool at_end = x > c->x_high * 0.97; /* it would be cut in the middle */
            text(c, chart_x(c, x), c->top + c->height + 16, at_end ? "end" : "middle",
                 ticks[i].name);
        }
    }
    text(c, c->left + c->width / 2, c->top + c->height + 33, "middle", "percentile, by its nines");
}

void chart_time_axis(const struct chart *c, const char *name)
{
    double span = c->x_high - c->x_low;
    double step = pow(10, floor(log10(span / 4)));
    step *= span / step > 20 ? 5 : span / step > 8 ? 2 : 1;
    for (int i = 0; i <= 40 && i * step <= span * 1.0001; i++) {
        char words[32];
        double x = chart_x(c, c->x_low + i * step);
        snprintf(words, sizeof words, "%.4g", i * step);
        line(c, "grid", x, c->top, x, c->top + c->height);
        text(c, x, c->top + c->height + 16, "middle", words);
    }
    if (name != NULL) {
        text(c, c->left + c->width / 2, c->top + c->height + 33, "middle", name);
    }
}

static void put_points(const struct chart *c, const struct chart_point *points, size_t n,
                       bool backwards)
{
    for (size_t i = 0; i < n; i++) {
        const struct chart_point *p = &points[backwards ? n - 1 - i : i];
        fprintf(c->out, "%.1f,%.1f ", chart_x(c, p->x), chart_y(c, p->y));
    }
}

void chart_line(const struct chart *c, const char *class, const struct chart_point *points,
                size_t n)
{
    fprintf(c->out, "<polyline class=\"%s\" points=\"", class);
    put_points(c, points, n, false);
    fputs("\"/>\n", c->out);
}

void chart_band(const struct chart *c, const char *class, const struct chart_point *low,
                const struct chart_point *high, size_t n)
{
    fprintf(c->out, "<polygon class=\"%s\" points=\"", class);
    put_points(c, low, n, false);
    put_points(c, high, n, true);
    fputs("\"/>\n", c->out);
}

void chart_bar(const struct chart *c, const char *class, double x, double y_from, double y_to,
               double width)
{
    double top = chart_y(c, y_to);
    double bottom = chart_y(c, y_from);
    double left = chart_x(c, x);
    double room = c->left + c->width - left;
    fprintf(c->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            class, left, top, fmin(width, fmax(room, 1)), fmax(bottom - top, 1));
}

void chart_area(const struct chart *c, const char *class, double x_from, double x_to,
                const char *words)
{
    double left = chart_x(c, x_from);
    fprintf(c->out,
            "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
            class, left, c->top, fmax(chart_x(c, x_to) - left, 1), c->height);
    emit_xml_text(words, c->out);
    fputs("</title></rect>\n", c->out);
}

void chart_dot(const struct chart *c, const char *class, double x, double y, const char *words)
{
    fprintf(c->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"><title>", class,
            chart_x(c, x), chart_y(c, y));
    emit_xml_text(words, c->out);
    fputs("</title></circle>\n", c->out);
}

void chart_mark(const struct chart *c, const char *class, double x, const char *label)
{
    line(c, class, chart_x(c, x), c->top, chart_x(c, x), c->top + c->height);
    if (label != NULL) {
        text(c, chart_x(c, x) + 3, c->top + 12, "start", label);
    }
}
