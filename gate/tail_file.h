/* The tail: a CSV of the slowest requests as the service saw them (the bracket), slowest first. */
#ifndef L0_GATE_TAIL_FILE_H
#define L0_GATE_TAIL_FILE_H

#include "gate/error.h"
#include "gate/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAIL_FILE_HEADER                                                                           \
    "ms_total,t_in_start,t_in_done,t_proc_start,t_hedge_fire,t_first_reply,t_reply_ready,hedged,"  \
    "origin"

/* One request of the tail; times in ns of CLOCK_MONOTONIC. */
struct tail_row {
    uint64_t total_ps;
    uint64_t in_start_ns;
    uint64_t in_done_ns;
    uint64_t proc_start_ns;
    uint64_t hedge_fire_ns; /* 0: no hedge */
    uint64_t first_reply_ns;
    uint64_t reply_ready_ns;
    uint64_t line; /* 1-based, in the file */
    bool hedged;
    bool by_hedge; /* origin H: the sibling's result was sent */
};

/* Owns its arrays. Zero-initialised it is the empty tail. */
struct tail_file {
    struct tail_row *rows; /* n of them, in the order of the file */
    size_t n;
    size_t capacity;
    size_t n_hedged;
    struct sample brackets; /* the rows' totals, slowest first */
};

/* Reads all rows, in the order of the file, which is checked to be slowest first. A row must make
 * sense by itself: the five timestamps (ns) in order; t_hedge_fire 0 exactly when hedged is 0, else
 * between t_proc_start and t_reply_ready; ms_total equal to t_reply_ready - t_in_start; origin P or
 * H. No two rows may have all timestamps in common: they would be one request, written twice. A
 * file with a header only is valid and empty.
 *
 * 0, or -1 with *error set: GATE_USAGE when it cannot be read, GATE_DATA for a bad row or header.
 * tail_file_free is due either way. */
int tail_file_load(struct tail_file *tail, const char *path, struct gate_error *error);
void tail_file_free(struct tail_file *tail);

#endif
