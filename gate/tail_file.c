#include "gate/tail_file.h"

#include "gate/decimal.h"
#include "gate/lines.h"

#include <stdlib.h>
#include <string.h>

enum column {
    MS_TOTAL,
    T_IN_START,
    T_IN_DONE,
    T_PROC_START,
    T_HEDGE_FIRE,
    T_FIRST_REPLY,
    T_REPLY_READY,
    HEDGED,
    ORIGIN,
    N_COLUMNS,
};

#define FIRST_CAPACITY ((size_t)128)

/* Syntax only. 0, or -1 with *error set. */
static int parse_row(struct tail_row *row, const struct lines *lines, struct text_span line,
                     struct gate_error *error)
{
    uint64_t *const times[N_COLUMNS] = {
        [T_IN_START] = &row->in_start_ns,       [T_IN_DONE] = &row->in_done_ns,
        [T_PROC_START] = &row->proc_start_ns,   [T_HEDGE_FIRE] = &row->hedge_fire_ns,
        [T_FIRST_REPLY] = &row->first_reply_ns, [T_REPLY_READY] = &row->reply_ready_ns,
    };
    struct text_span fields[N_COLUMNS];
    if (text_span_split(line, ',', fields, N_COLUMNS) != N_COLUMNS) {
        return lines_bad(lines, line, "9 columns: " TAIL_FILE_HEADER, error);
    }
    for (int i = 0; i < N_COLUMNS; i++) {
        fields[i] = text_span_trim(fields[i]);
    }
    if (decimal_parse(fields[MS_TOTAL].bytes, fields[MS_TOTAL].length, GATE_PS_PER_MS_LOG10,
                      &row->total_ps) != DECIMAL_OK) {
        return lines_bad(lines, fields[MS_TOTAL], "ms_total, a latency in ms such as 0.123456",
                         error);
    }
    for (int i = T_IN_START; i <= T_REPLY_READY; i++) {
        if (decimal_parse_integer(fields[i].bytes, fields[i].length, times[i]) != DECIMAL_OK) {
            return lines_bad(lines, fields[i], "a timestamp, a whole number of ns", error);
        }
    }
    row->hedged = text_span_equals(fields[HEDGED], "1");
    if (!row->hedged && !text_span_equals(fields[HEDGED], "0")) {
        return lines_bad(lines, fields[HEDGED], "hedged, 0 or 1", error);
    }
    row->by_hedge = text_span_equals(fields[ORIGIN], "H");
    if (!row->by_hedge && !text_span_equals(fields[ORIGIN], "P")) {
        return lines_bad(lines, fields[ORIGIN], "origin, P or H", error);
    }
    return 0;
}

/* What must hold within a row, see the header. Origin H without a hedge is possible: a sibling may
 * take a request that nobody had begun. */
static int check_row(const struct tail_row *row, const struct lines *lines, struct text_span line,
                     struct gate_error *error)
{
    if (row->in_start_ns > row->in_done_ns || row->in_done_ns > row->proc_start_ns ||
        row->proc_start_ns > row->first_reply_ns || row->first_reply_ns > row->reply_ready_ns) {
        return lines_bad(lines, line,
                         "timestamps in order: t_in_start <= t_in_done <= t_proc_start <= "
                         "t_first_reply <= t_reply_ready",
                         error);
    }
    if (row->hedged != (row->hedge_fire_ns != 0)) {
        return lines_bad(lines, line, "t_hedge_fire 0 exactly when hedged is 0", error);
    }
    if (row->hedged &&
        (row->hedge_fire_ns < row->proc_start_ns || row->hedge_fire_ns > row->reply_ready_ns)) {
        return lines_bad(lines, line, "t_hedge_fire between t_proc_start and t_reply_ready", error);
    }
    uint64_t bracket_ns = row->reply_ready_ns - row->in_start_ns;
    if (row->total_ps % GATE_PS_PER_NS != 0 || row->total_ps / GATE_PS_PER_NS != bracket_ns) {
        return lines_bad(lines, line, "ms_total equal to t_reply_ready - t_in_start", error);
    }
    return 0;
}

static int add_row(struct tail_file *tail, const struct tail_row *row)
{
    if (tail->n == tail->capacity) {
        size_t capacity = tail->capacity == 0 ? FIRST_CAPACITY : tail->capacity * 2;
        void *grown = reallocarray(tail->rows, capacity, sizeof *tail->rows);
        if (grown == NULL) {
            return -1;
        }
        tail->rows = grown;
        tail->capacity = capacity;
    }
    tail->rows[tail->n++] = *row;
    tail->n_hedged += row->hedged;
    return sample_add(&tail->brackets, row->total_ps, row->line) == 0 ? 0 : -1;
}

static int out_of_memory(const struct lines *lines, struct gate_error *error)
{
    return gate_error_set(error, GATE_USAGE, "%s: out of memory", lines->path);
}

static int load_rows(struct tail_file *tail, struct lines *lines, struct gate_error *error)
{
    struct text_span line;
    int got = lines_next(lines, &line, error);
    if (got < 0) {
        return got;
    }
    if (got == 0) {
        return gate_error_set(error, GATE_DATA, "%s: found an empty file, expected the header %s",
                              lines->path, TAIL_FILE_HEADER);
    }
    if (!text_span_equals(text_span_trim(line), TAIL_FILE_HEADER)) {
        return lines_bad(lines, line, "the header " TAIL_FILE_HEADER, error);
    }
    while ((got = lines_next(lines, &line, error)) > 0) {
        struct tail_row row = {.line = lines->number};
        if (parse_row(&row, lines, line, error) != 0 || check_row(&row, lines, line, error) != 0) {
            return -1;
        }
        if (tail->n > 0 && row.total_ps > tail->rows[tail->n - 1].total_ps) {
            return lines_bad(lines, line, "rows ordered by ms_total, slowest first", error);
        }
        if (add_row(tail, &row) != 0) {
            return out_of_memory(lines, error);
        }
    }
    return got;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_times(const void *left, const void *right)
{
    const struct tail_row *a = left;
    const struct tail_row *b = right;
    int order = compare_u64(a->in_start_ns, b->in_start_ns);
    order = order != 0 ? order : compare_u64(a->in_done_ns, b->in_done_ns);
    order = order != 0 ? order : compare_u64(a->proc_start_ns, b->proc_start_ns);
    order = order != 0 ? order : compare_u64(a->first_reply_ns, b->first_reply_ns);
    return order != 0 ? order : compare_u64(a->reply_ready_ns, b->reply_ready_ns);
}

/* 0, or -1 with *error set when two rows are the same request. */
static int check_distinct(const struct tail_file *tail, const struct lines *lines,
                          struct gate_error *error)
{
    if (tail->n < 2) {
        return 0;
    }
    struct tail_row *sorted = malloc(tail->n * sizeof *sorted);
    if (sorted == NULL) {
        return out_of_memory(lines, error);
    }
    memcpy(sorted, tail->rows, tail->n * sizeof *sorted);
    qsort(sorted, tail->n, sizeof *sorted, compare_times);
    int result = 0;
    for (size_t i = 1; i < tail->n && result == 0; i++) {
        if (compare_times(&sorted[i - 1], &sorted[i]) == 0) {
            result = gate_error_set(
                error, GATE_DATA,
                "%s:%llu: found the timestamps of line %llu again, expected every request once",
                lines->path, (unsigned long long)sorted[i].line,
                (unsigned long long)sorted[i - 1].line);
        }
    }
    free(sorted);
    return result;
}

int tail_file_load(struct tail_file *tail, const char *path, struct gate_error *error)
{
    struct lines lines;
    if (lines_open(&lines, path, error) != 0) {
        return -1;
    }
    int result = load_rows(tail, &lines, error);
    if (result == 0) {
        result = check_distinct(tail, &lines, error);
    }
    lines_close(&lines);
    return result;
}

void tail_file_free(struct tail_file *tail)
{
    free(tail->rows);
    sample_free(&tail->brackets);
    *tail = (struct tail_file){0};
}
