#include "gate/rows.h"

#include "gate/decimal.h"
#include "gate/lines.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY ((size_t)4096)

enum column { INTENDED, SENT, FIRST_BYTE, DONE, BYTES, ORIGIN, STATUS, N_COLUMNS };

static int parse_whole(const struct lines *lines, struct text_span field, bool may_be_empty,
                       uint64_t *value, struct gate_error *error)
{
    if (field.length == 0 && may_be_empty) {
        *value = 0;
        return 0;
    }
    if (decimal_parse_integer(field.bytes, field.length, value) != DECIMAL_OK) {
        return lines_bad(lines, field, "a whole number (see the header " ROWS_HEADER ")", error);
    }
    return 0;
}

bool rows_is_status(const char *letters, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((letters[i] < 'a' || letters[i] > 'z') && letters[i] != '_') {
            return false;
        }
    }
    return length > 0 && length <= ROWS_STATUS_BYTES_MAX;
}

const char *rows_wrong(const struct rows *rows, const struct row *row)
{
    if (row->ok && (row->intended_ns > row->sent_ns || row->sent_ns > row->first_ns ||
                    row->first_ns > row->done_ns)) {
        return "intended_ns <= sent_ns <= first_byte_ns <= done_ns";
    }
    if (row->ok && row->done_ns - row->intended_ns >= GATE_DECIMAL_MAX / GATE_PS_PER_NS) {
        return "a latency below 9223372036 ms";
    }
    if (rows->n > 0 && row->intended_ns < rows->values[rows->n - 1].intended_ns) {
        return "rows in the order of intended_ns";
    }
    return NULL;
}

static int parse_row(struct row *row, const struct lines *lines, struct text_span line,
                     struct gate_error *error)
{
    struct text_span fields[N_COLUMNS];
    uint64_t bytes = 0;
    if (text_span_split(line, ',', fields, N_COLUMNS) != N_COLUMNS) {
        return lines_bad(lines, line, "7 columns: " ROWS_HEADER, error);
    }
    if (!rows_is_status(fields[STATUS].bytes, fields[STATUS].length)) {
        return lines_bad(lines, fields[STATUS], "status, a word such as ok or timeout", error);
    }
    row->ok = text_span_equals(fields[STATUS], "ok");
    if (parse_whole(lines, fields[INTENDED], false, &row->intended_ns, error) != 0 ||
        parse_whole(lines, fields[SENT], !row->ok, &row->sent_ns, error) != 0 ||
        parse_whole(lines, fields[FIRST_BYTE], !row->ok, &row->first_ns, error) != 0 ||
        parse_whole(lines, fields[DONE], !row->ok, &row->done_ns, error) != 0 ||
        parse_whole(lines, fields[BYTES], false, &bytes, error) != 0) {
        return -1;
    }
    if (bytes > UINT32_MAX) {
        return lines_bad(lines, fields[BYTES], "bytes below 2^32", error);
    }
    row->bytes = (uint32_t)bytes;
    row->origin = fields[ORIGIN].length == 1 ? fields[ORIGIN].bytes[0] : '\0';
    if (row->origin != 'P' && row->origin != 'H' && row->origin != '-') {
        return lines_bad(lines, fields[ORIGIN], "origin: P, H or -", error);
    }
    return 0;
}

int rows_add(struct rows *rows, const struct row *row)
{
    if (rows->n == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? FIRST_CAPACITY : rows->capacity * 2;
        void *grown = reallocarray(rows->values, capacity, sizeof *rows->values);
        if (grown == NULL) {
            return -1;
        }
        rows->values = grown;
        rows->capacity = capacity;
    }
    rows->values[rows->n++] = *row;
    return 0;
}

static int load_lines(struct rows *rows, struct lines *lines, struct gate_error *error)
{
    struct text_span line;
    int got = lines_next(lines, &line, error);
    if (got < 0) {
        return got;
    }
    if (got == 0 || !text_span_equals(line, ROWS_HEADER)) {
        return got == 0 ? gate_error_set(error, GATE_DATA, "%s: found an empty file, expected rows",
                                         lines->path)
                        : lines_bad(lines, line, "the header " ROWS_HEADER, error);
    }
    while ((got = lines_next(lines, &line, error)) > 0) {
        struct row row = {0};
        if (parse_row(&row, lines, line, error) != 0) {
            return -1;
        }
        const char *wrong = rows_wrong(rows, &row);
        if (wrong != NULL) {
            return lines_bad(lines, line, wrong, error);
        }
        if (rows_add(rows, &row) != 0) {
            return gate_error_set(error, GATE_USAGE, "%s: out of memory after %zu rows",
                                  lines->path, rows->n);
        }
    }
    if (got == 0 && rows->n == 0) {
        return gate_error_set(error, GATE_DATA, "%s: found no rows, expected at least one request",
                              lines->path);
    }
    return got;
}

int rows_load(struct rows *rows, const char *path, struct gate_error *error)
{
    struct lines lines;
    if (lines_open(&lines, path, error) != 0) {
        return -1;
    }
    int result = load_lines(rows, &lines, error);
    lines_close(&lines);
    return result;
}

void rows_free(struct rows *rows)
{
    free(rows->values);
    *rows = (struct rows){0};
}

static void print_time(uint64_t time_ns, bool known, FILE *out)
{
    if (known) {
        fprintf(out, "%llu", (unsigned long long)time_ns);
    }
    fputc(',', out);
}

void rows_print(const struct row *row, const char *status, FILE *out)
{
    print_time(row->intended_ns, true, out);
    print_time(row->sent_ns, row->ok || row->sent_ns != 0, out);
    print_time(row->first_ns, row->ok || row->first_ns != 0, out);
    print_time(row->done_ns, row->ok || row->done_ns != 0, out);
    fprintf(out, "%u,%c,%s\n", row->bytes, row->origin, status);
}
