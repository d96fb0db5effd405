/* Charts as SVG, drawn directly: axes, lines, bands and marks in the coordinates of the data. What
 * they look like is the page's style sheet; a chart names classes only. */
#ifndef L0_GATE_CHART_H
#define L0_GATE_CHART_H

#include "gate/sample.h"

#include <stdio.h>

enum chart_scale {
    CHART_LINEAR,
    CHART_LOG, /* base 10; values above 0 */
};

/* The plane of one chart; all in pixels of the page but the data's ranges. */
struct chart {
    FILE *out;
    double left, top, width, height;
    double x_low, x_high;
    double y_low, y_high;
    enum chart_scale y_scale;
};

struct chart_point {
    double x, y;
};

/* Opens and closes an <svg> of that size with a title for those who do not see it. */
void chart_svg_begin(FILE *out, double width, double height, const char *title);
void chart_svg_end(FILE *out);

/* Positions, held within the plane. */
double chart_x(const struct chart *chart, double x);
double chart_y(const struct chart *chart, double y);

/* The frame, the y axis with ticks (times in ms on a logarithmic scale), and the name of what it
 * shows. */
void chart_frame(const struct chart *chart, const char *y_name);

/* x is log10(1/(1-p)): ticks at P0, P50, P90, P99, P99.9 ... */
void chart_nines_axis(const struct chart *chart);

/* x is seconds; name NULL: none. */
void chart_time_axis(const struct chart *chart, const char *name);

void chart_line(const struct chart *chart, const char *class, const struct chart_point *points,
                size_t n);

/* The area between two lines over the same x. */
void chart_band(const struct chart *chart, const char *class, const struct chart_point *low,
                const struct chart_point *high, size_t n);

/* From one y to another at x; `width` pixels wide. */
void chart_bar(const struct chart *chart, const char *class, double x, double y_from, double y_to,
               double width);

/* From one x to another, over the whole height, with a text that shows on pointing at it. */
void chart_area(const struct chart *chart, const char *class, double x_from, double x_to,
                const char *text);

/* A dot with a text that shows on pointing at it. */
void chart_dot(const struct chart *chart, const char *class, double x, double y, const char *text);

/* A line from the top to the bottom; label NULL: none. */
void chart_mark(const struct chart *chart, const char *class, double x, const char *label);

#endif
