#include "gate/sample.h"

#include "gate/decimal.h"
#include "gate/lines.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY ((size_t)4096)
#define COLUMNS_MAX    1024

static const char expected_value[] = "a latency in ms, an unsigned decimal number such as 0.123456";

int sample_add(struct sample *sample, uint64_t value_ps, uint64_t line)
{
    if (sample->n == sample->capacity) {
        size_t capacity = sample->capacity == 0 ? FIRST_CAPACITY : sample->capacity * 2;
        void *grown = reallocarray(sample->values, capacity, sizeof *sample->values);
        if (grown == NULL) {
            return -ENOMEM;
        }
        sample->values = grown;
        sample->capacity = capacity;
    }
    sample->values[sample->n++] = (struct sample_value){value_ps, line};
    return 0;
}

/* By value; equal values in file order, so that output does not depend on the sort. */
static int compare_values(const void *left, const void *right)
{
    const struct sample_value *a = left;
    const struct sample_value *b = right;
    if (a->value_ps != b->value_ps) {
        return a->value_ps < b->value_ps ? -1 : 1;
    }
    return (a->line > b->line) - (a->line < b->line);
}

void sample_sort(struct sample *sample)
{
    if (sample->n > 1) {
        qsort(sample->values, sample->n, sizeof *sample->values, compare_values);
    }
}

void sample_free(struct sample *sample)
{
    free(sample->values);
    *sample = (struct sample){0};
}

/* Finds the named column in the header line. Its 1-based number, or 0 with *error set. */
static size_t find_column(const struct lines *lines, struct text_span header,
                          const struct sample_format *format, struct gate_error *error)
{
    struct text_span fields[COLUMNS_MAX];
    size_t n = text_span_split(header, format->delimiter, fields, COLUMNS_MAX);
    for (size_t i = 0; i < n && i < COLUMNS_MAX; i++) {
        if (text_span_equals(text_span_trim(fields[i]), format->column_name)) {
            return i + 1;
        }
    }
    char expected[160];
    snprintf(expected, sizeof expected, "a header line with a column named '%.80s' (see --col)",
             format->column_name);
    lines_bad(lines, header, expected, error);
    return 0;
}

/* The 1-based column of the line. 0, or -1 with *error set. */
static int pick_column(const struct lines *lines, struct text_span line, size_t column,
                       char delimiter, struct text_span *field, struct gate_error *error)
{
    struct text_span fields[COLUMNS_MAX];
    assert(column >= 1);
    if (column > COLUMNS_MAX || text_span_split(line, delimiter, fields, column) < column) {
        char expected[80];
        snprintf(expected, sizeof expected, "at least %zu columns (see --col and --delim)", column);
        return lines_bad(lines, line, expected, error);
    }
    *field = fields[column - 1];
    return 0;
}

static int add_text(struct sample *sample, const struct lines *lines, struct text_span text,
                    struct gate_error *error)
{
    uint64_t value_ps;
    text = text_span_trim(text);
    switch (decimal_parse(text.bytes, text.length, GATE_PS_PER_MS_LOG10, &value_ps)) {
    case DECIMAL_MALFORMED:
        return lines_bad(lines, text, expected_value, error);
    case DECIMAL_OUT_OF_RANGE:
        return lines_bad(lines, text, "a latency below 9223372036 ms", error);
    case DECIMAL_OK:
        break;
    }
    if (sample_add(sample, value_ps, lines->number) != 0) {
        return gate_error_set(error, GATE_USAGE, "%s: out of memory after %zu values", lines->path,
                              sample->n);
    }
    return 0;
}

static int load_lines(struct sample *sample, struct lines *lines,
                      const struct sample_format *format, struct gate_error *error)
{
    size_t column = format->csv ? format->column : 0;
    struct text_span line;
    int got;
    while ((got = lines_next(lines, &line, error)) > 0) {
        if (lines->number == 1 && format->csv && column == 0) {
            column = find_column(lines, line, format, error);
            if (column == 0) {
                return -1;
            }
            continue;
        }
        if (lines->number == 1 && format->skip_header) {
            continue;
        }
        struct text_span field = line;
        if (format->csv &&
            pick_column(lines, line, column, format->delimiter, &field, error) != 0) {
            return -1;
        }
        if (add_text(sample, lines, field, error) != 0) {
            return -1;
        }
    }
    return got;
}

int sample_load(struct sample *sample, const char *path, const struct sample_format *format,
                struct gate_error *error)
{
    struct lines lines;
    assert(!format->csv || format->column != 0 || format->column_name != NULL);
    if (lines_open(&lines, path, error) != 0) {
        return -1;
    }
    int result = load_lines(sample, &lines, format, error);
    if (result == 0 && sample->n == 0) {
        result =
            gate_error_set(error, GATE_DATA,
                           "%s: found no values, expected at least one line with a latency", path);
    }
    lines_close(&lines);
    if (result == 0) {
        sample_sort(sample);
    }
    return result;
}

uint64_t sample_rank(uint64_t n, uint32_t q_ppm)
{
    assert(n >= 1 && n <= UINT64_C(1000000000000));
    assert(q_ppm >= 1 && q_ppm <= GATE_PPM);
    uint64_t rank = (q_ppm * n + (GATE_PPM - 1)) / GATE_PPM;
    assert(rank >= 1 && rank <= n);
    return rank;
}

uint64_t sample_slowest_needed(uint64_t n, uint32_t q_ppm)
{
    return n - sample_rank(n, q_ppm) + 1;
}

uint64_t sample_at_rank(const struct sample *sample, uint64_t rank)
{
    assert(rank >= 1 && rank <= sample->n);
    return sample->values[rank - 1].value_ps;
}

uint64_t sample_mean_ps(const struct sample *sample)
{
    assert(sample->n >= 1);
    unsigned __int128 sum = 0;
    for (size_t i = 0; i < sample->n; i++) {
        sum += sample->values[i].value_ps;
    }
    return (uint64_t)((sum + sample->n / 2) / sample->n);
}
