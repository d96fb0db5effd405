/* A run, or two sides of runs, as one self-contained HTML page: figures with their intervals, the
 * percentile plot, a timeline with hedges and marks, the machine's jitter, and what was measured
 * on. No script and nothing from a network. */
#ifndef L0_GATE_PAGE_H
#define L0_GATE_PAGE_H

#include "gate/error.h"
#include "gate/evidence.h"
#include "gate/tail_file.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Something that happened, such as an injected fault. */
struct page_mark {
    uint64_t at_ns; /* CLOCK_MONOTONIC */
    char label[48];
};

struct page {
    const char *title;
    const struct evidence *run;   /* pooled, not empty */
    const struct evidence *base;  /* the same; NULL: none */
    const struct tail_file *tail; /* NULL: none */
    const struct page_mark *marks;
    size_t n_marks;
};

/* Reads "t_ns,label" lines after a header of those words (malloc). The number, or -1 with *error
 * set. */
int page_load_marks(const char *path, struct page_mark **marks, struct gate_error *error);

/* Writes the page. Errors are the stream's; 0, or -1 with *error set when memory is short or a file
 * beside a run is malformed. */
int page_write(const struct page *page, FILE *out, struct gate_error *error);

#endif
