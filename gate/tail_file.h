/* The tail: a CSV of the slowest requests as the service saw them (the bracket), slowest first. */
#ifndef L0_GATE_TAIL_FILE_H
#define L0_GATE_TAIL_FILE_H

#include "gate/error.h"
#include "gate/sample.h"

#define TAIL_FILE_HEADER                                                                           \
    "ms_total,t_in_start,t_in_done,t_proc_start,t_hedge_fire,t_first_reply,t_reply_ready,hedged,"  \
    "origin"

/* Reads the totals of all rows into *brackets, in the order of the file, which is checked to be
 * slowest first. A row must make sense by itself: the five timestamps (ns) in order; t_hedge_fire 0
 * exactly when hedged is 0, else between t_proc_start and t_reply_ready; ms_total equal to
 * t_reply_ready - t_in_start; origin P or H. A file with a header only is valid and empty.
 *
 * 0, or -1 with *error set: GATE_USAGE when it cannot be read, GATE_DATA for a bad row or header.
 * sample_free(brackets) is due either way. */
int tail_file_load(struct sample *brackets, const char *path, struct gate_error *error);

#endif
