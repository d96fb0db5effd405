/* The charts of the page. */
#ifndef L0_GATE_PAGE_CHARTS_H
#define L0_GATE_PAGE_CHARTS_H

#include "gate/chart.h"
#include "gate/page.h"

#define PAGE_CURVE_POINTS 240

/* The percentile curve of a pooled sample and its 95 % interval, x = log10(1/(1-p)), y in ms;
 * unanswered requests are not drawn. */
struct page_curve {
    struct chart_point value[PAGE_CURVE_POINTS];
    struct chart_point low[PAGE_CURVE_POINTS]; /* of the first n_bounded */
    struct chart_point high[PAGE_CURVE_POINTS];
    size_t n;
    size_t n_bounded; /* points whose interval has both bounds */
};

void page_curve(const struct sample *pooled, struct page_curve *curve);

/* What the percentile chart spans: x from 0, y in ms. */
void page_percentile_range(const struct page *page, double *x_high, double *y_low, double *y_high);

void page_percentile_chart(const struct page *page, FILE *out);

/* Latencies of the first run over time, with hedges, marks and, below, the machine's stalls. 0, or
 * -1 with *error set. */
int page_timeline_chart(const struct page *page, FILE *out, struct gate_error *error);

#endif
