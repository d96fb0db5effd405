/* The rows of an open-loop run: one request each, in the order of their schedule. */
#ifndef L0_GATE_ROWS_H
#define L0_GATE_ROWS_H

#include "gate/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ROWS_HEADER "intended_ns,sent_ns,first_byte_ns,done_ns,bytes,origin,status"

/* Times in ns since the run's start ("start_ns" of its run.json, CLOCK_MONOTONIC). A request that
 * has no right reply may lack the later ones: they are empty in the file and 0 here. */
struct row {
    uint64_t intended_ns; /* when it was due */
    uint64_t sent_ns;     /* when its first byte was given to the kernel */
    uint64_t first_ns;    /* when the reply's first byte was read */
    uint64_t done_ns;     /* when its last byte was read */
    uint32_t bytes;       /* of the document */
    char origin;          /* P, H, or '-' where the reply names none */
    bool ok;              /* status is "ok" */
};

/* Owns its values (malloc). Zero-initialised it is empty. */
struct rows {
    struct row *values;
    size_t n;
    size_t capacity;
};

#define ROWS_STATUS_BYTES_MAX 31

/* A lower-case word, as a status is one? */
bool rows_is_status(const char *letters, size_t length);

/* Appends. 0, or -1 when memory is short. */
int rows_add(struct rows *rows, const struct row *row);

/* What is wrong with a row that is to follow these, as the end of "expected ..."; NULL: nothing. A
 * row that is ok has its times in order and a latency that can be counted in ps; rows are in the
 * order of their schedule. */
const char *rows_wrong(const struct rows *rows, const struct row *row);

/* Reads the file. A row that is ok has its times in order, and rows are in the order of their
 * schedule. 0, or -1 with *error set: GATE_USAGE
 * when it cannot be read, GATE_DATA for a bad row, header, or no row. rows_free is due either way.
 */
int rows_load(struct rows *rows, const char *path, struct gate_error *error);
void rows_free(struct rows *rows);

/* Writes one row with its line end; status is a lower-case word, "ok" exactly for a right reply. */
void rows_print(const struct row *row, const char *status, FILE *out);

#endif
