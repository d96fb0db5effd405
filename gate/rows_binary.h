/* The rows of a run in few bytes: a quarter of the CSV's (gate/rows.h), and as much.
 *
 *   8 bytes   "L0ROWS1\n"
 *   per row   flags, 1 byte: 1 ok, 2 sent_ns, 4 first_ns, 8 done_ns is there; 16 origin P, 32 H
 *             intended_ns, from that of the row before
 *             sent_ns, first_ns, done_ns, those that are there, from intended_ns
 *             bytes
 *             status, where it is not ok: its length and its letters
 *   at last   a byte 255, and the number of rows
 *
 * Numbers are LEB128: seven bits a byte, the lowest first, the eighth bit set but in the last byte,
 * at most ten bytes. */
#ifndef L0_GATE_ROWS_BINARY_H
#define L0_GATE_ROWS_BINARY_H

#include "gate/rows.h"

#include <stdio.h>

/* Begin with {0}. Errors are the stream's. */
struct rows_binary {
    uint64_t n;
    uint64_t last_ns; /* intended_ns of the row before */
};

/* Rows come in the order of intended_ns, and no time of theirs is before it. */
void rows_binary_begin(FILE *out);
void rows_binary_print(struct rows_binary *state, const struct row *row, const char *status,
                       FILE *out);
void rows_binary_end(const struct rows_binary *state, FILE *out);

/* As rows_load. */
int rows_binary_load(struct rows *rows, const char *path, struct gate_error *error);

#endif
