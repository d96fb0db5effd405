#include "gate/tail_file.h"

#include "gate/decimal.h"
#include "gate/lines.h"

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

struct row {
    uint64_t total_ps;
    uint64_t t_ns[N_COLUMNS]; /* T_IN_START..T_REPLY_READY are used */
    bool hedged;
};

/* Syntax only. 0, or -1 with *error set. */
static int parse_row(struct row *row, const struct lines *lines, struct text_span line,
                     struct gate_error *error)
{
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
        if (decimal_parse_integer(fields[i].bytes, fields[i].length, &row->t_ns[i]) != DECIMAL_OK) {
            return lines_bad(lines, fields[i], "a timestamp, a whole number of ns", error);
        }
    }
    row->hedged = text_span_equals(fields[HEDGED], "1");
    if (!row->hedged && !text_span_equals(fields[HEDGED], "0")) {
        return lines_bad(lines, fields[HEDGED], "hedged, 0 or 1", error);
    }
    if (!text_span_equals(fields[ORIGIN], "P") && !text_span_equals(fields[ORIGIN], "H")) {
        return lines_bad(lines, fields[ORIGIN], "origin, P or H", error);
    }
    return 0;
}

/* What must hold within a row, see the header. Origin H without a hedge is possible: a sibling may
 * take a request that nobody had begun. */
static int check_row(const struct row *row, const struct lines *lines, struct text_span line,
                     struct gate_error *error)
{
    const uint64_t *t = row->t_ns;
    if (t[T_IN_START] > t[T_IN_DONE] || t[T_IN_DONE] > t[T_PROC_START] ||
        t[T_PROC_START] > t[T_FIRST_REPLY] || t[T_FIRST_REPLY] > t[T_REPLY_READY]) {
        return lines_bad(lines, line,
                         "timestamps in order: t_in_start <= t_in_done <= t_proc_start <= "
                         "t_first_reply <= t_reply_ready",
                         error);
    }
    if (row->hedged != (t[T_HEDGE_FIRE] != 0)) {
        return lines_bad(lines, line, "t_hedge_fire 0 exactly when hedged is 0", error);
    }
    if (row->hedged && (t[T_HEDGE_FIRE] < t[T_PROC_START] || t[T_HEDGE_FIRE] > t[T_REPLY_READY])) {
        return lines_bad(lines, line, "t_hedge_fire between t_proc_start and t_reply_ready", error);
    }
    uint64_t bracket_ns = t[T_REPLY_READY] - t[T_IN_START];
    if (row->total_ps % GATE_PS_PER_NS != 0 || row->total_ps / GATE_PS_PER_NS != bracket_ns) {
        return lines_bad(lines, line, "ms_total equal to t_reply_ready - t_in_start", error);
    }
    return 0;
}

static int load_rows(struct sample *brackets, struct lines *lines, struct gate_error *error)
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
        struct row row = {0};
        if (parse_row(&row, lines, line, error) != 0 || check_row(&row, lines, line, error) != 0) {
            return -1;
        }
        if (brackets->n > 0 && row.total_ps > brackets->values[brackets->n - 1].value_ps) {
            return lines_bad(lines, line, "rows ordered by ms_total, slowest first", error);
        }
        if (sample_add(brackets, row.total_ps, lines->number) != 0) {
            return gate_error_set(error, GATE_USAGE, "%s: out of memory", lines->path);
        }
    }
    return got;
}

int tail_file_load(struct sample *brackets, const char *path, struct gate_error *error)
{
    struct lines lines;
    if (lines_open(&lines, path, error) != 0) {
        return -1;
    }
    int result = load_rows(brackets, &lines, error);
    lines_close(&lines);
    return result;
}
