/* The percentile plot as a picture by itself, drawn by gnuplot. */
#ifndef L0_GATE_GRAPH_H
#define L0_GATE_GRAPH_H

#include "gate/error.h"
#include "gate/page.h"

enum graph_format { GRAPH_SVG, GRAPH_PNG };

/* Draws to path. 0, or -1 with *error set (GATE_USAGE): gnuplot is not there, or failed. */
int graph_write(const struct page *page, enum graph_format format, const char *path,
                struct gate_error *error);

#endif
