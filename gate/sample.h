/* A set of latencies: load, sort, exact ranks.
 *
 * Values are integers of picoseconds, each with the line it came from. The q-quantile of N sorted
 * samples is the one at the nearest rank ceil(q N), 1-based, with q in parts per million: integers
 * only. */
#ifndef L0_GATE_SAMPLE_H
#define L0_GATE_SAMPLE_H

#include "gate/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_PPM UINT32_C(1000000)

struct sample_value {
    uint64_t value_ps;
    uint64_t line; /* 1-based, in the file */
};

/* Owns values (malloc). Zero-initialised it is the empty set. */
struct sample {
    struct sample_value *values;
    size_t n;
    size_t capacity;
};

/* How a line of the file is read. All zero: the whole line is the value. */
struct sample_format {
    bool csv;                /* else the whole line is the value */
    char delimiter;          /* csv only */
    bool skip_header;        /* the first line is not data */
    size_t column;           /* csv only: 1-based; 0: column_name is looked up in the first line */
    const char *column_name; /* csv only: implies skip_header */
};

/* Appends. 0 or -ENOMEM. */
int sample_add(struct sample *sample, uint64_t value_ps, uint64_t line);

/* Reads the file at path ("-": standard input) and sorts it. 0, or -1 with *error set: GATE_USAGE
 * when it cannot be read, GATE_DATA for a bad line or a file without values. sample_free is due
 * either way. */
int sample_load(struct sample *sample, const char *path, const struct sample_format *format,
                struct gate_error *error);

void sample_sort(struct sample *sample);
void sample_free(struct sample *sample);

/* ceil(q_ppm * n / 10^6), 1-based; 1 <= n <= 10^12, 1 <= q_ppm <= GATE_PPM. */
uint64_t sample_rank(uint64_t n, uint32_t q_ppm);

/* How many of the slowest are needed so that the q-quantile is among them: n - rank + 1. */
uint64_t sample_slowest_needed(uint64_t n, uint32_t q_ppm);

/* The sorted sample's value at a 1-based rank. */
uint64_t sample_at_rank(const struct sample *sample, uint64_t rank);

/* The mean, rounded to the nearest ps. The sum is exact (128 bits), so there is no rounding error
 * that a compensated sum would have to make up for. */
uint64_t sample_mean_ps(const struct sample *sample);

#endif
