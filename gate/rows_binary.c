#include "gate/rows_binary.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MAGIC "L0ROWS1\n"
#define END   255

enum { OK = 1, SENT = 2, FIRST = 4, DONE = 8, PRIMARY = 16, HEDGE = 32, ALL_FLAGS = 63 };

/* ---- writing -------------------------------------------------------------------------------- */

static void put_number(uint64_t value, FILE *out)
{
    for (; value >= 0x80; value >>= 7) {
        putc((int)(value & 0x7f) | 0x80, out);
    }
    putc((int)value, out);
}

void rows_binary_begin(FILE *out)
{
    fputs(MAGIC, out);
}

void rows_binary_print(struct rows_binary *state, const struct row *row, const char *status,
                       FILE *out)
{
    const uint64_t times[] = {row->sent_ns, row->first_ns, row->done_ns};
    int flags =
        (row->ok ? OK : 0) | (row->origin == 'P' ? PRIMARY : 0) | (row->origin == 'H' ? HEDGE : 0);
    for (int i = 0; i < 3; i++) {
        flags |= row->ok || times[i] != 0 ? SENT << i : 0;
    }
    putc(flags, out);
    assert(row->intended_ns >= state->last_ns);
    put_number(row->intended_ns - state->last_ns, out);
    for (int i = 0; i < 3; i++) {
        if ((flags & SENT << i) != 0) {
            assert(times[i] >= row->intended_ns);
            put_number(times[i] - row->intended_ns, out);
        }
    }
    put_number(row->bytes, out);
    if (!row->ok) {
        put_number(strlen(status), out);
        fputs(status, out);
    }
    state->last_ns = row->intended_ns;
    state->n++;
}

void rows_binary_end(const struct rows_binary *state, FILE *out)
{
    putc(END, out);
    put_number(state->n, out);
}

/* ---- reading -------------------------------------------------------------------------------- */

struct reader {
    const char *path;
    FILE *in;
    const struct rows *rows;
};

static int bad(const struct reader *reader, const char *expected, struct gate_error *error)
{
    if (ferror(reader->in)) {
        return gate_error_set(error, GATE_USAGE, "%s: cannot read: %s", reader->path,
                              strerror(errno));
    }
    return gate_error_set(error, GATE_DATA, "%s: row %zu: found %s, expected %s", reader->path,
                          reader->rows->n + 1,
                          feof(reader->in) ? "the end of the file" : "something else", expected);
}

static int get_number(const struct reader *reader, uint64_t *value, struct gate_error *error)
{
    *value = 0;
    for (unsigned shift = 0;; shift += 7) {
        int byte = getc_unlocked(reader->in);
        uint64_t bits = (uint64_t)byte & 0x7f;
        if (byte == EOF || shift > 63 || (shift == 63 && bits > 1)) {
            return bad(reader, "a number of at most 64 bits", error);
        }
        *value |= bits << shift;
        if ((byte & 0x80) == 0) {
            return 0;
        }
    }
}

/* A time that far from `from`. */
static int get_time(const struct reader *reader, uint64_t from, uint64_t *time_ns,
                    struct gate_error *error)
{
    uint64_t distance;
    if (get_number(reader, &distance, error) != 0) {
        return -1;
    }
    if (__builtin_add_overflow(from, distance, time_ns) || *time_ns > INT64_MAX) {
        return bad(reader, "a time below 2^63 ns", error);
    }
    return 0;
}

static int get_status(const struct reader *reader, struct gate_error *error)
{
    char letters[ROWS_STATUS_BYTES_MAX];
    uint64_t length;
    if (get_number(reader, &length, error) != 0) {
        return -1;
    }
    if (length > sizeof letters || fread(letters, 1, length, reader->in) != length ||
        !rows_is_status(letters, length) || (length == 2 && memcmp(letters, "ok", 2) == 0)) {
        return bad(reader, "status, a word such as timeout", error);
    }
    return 0;
}

static int get_row(const struct reader *reader, int flags, uint64_t last_ns, struct row *row,
                   struct gate_error *error)
{
    uint64_t *const times[] = {&row->sent_ns, &row->first_ns, &row->done_ns};
    uint64_t bytes = 0;
    const int all_times = SENT | FIRST | DONE;
    *row = (struct row){.ok = (flags & OK) != 0};
    if ((flags & ~ALL_FLAGS) != 0 || (flags & (PRIMARY | HEDGE)) == (PRIMARY | HEDGE) ||
        (row->ok && (flags & all_times) != all_times)) {
        return bad(reader, "flags of a row", error);
    }
    row->origin = (flags & PRIMARY) != 0 ? 'P' : (flags & HEDGE) != 0 ? 'H' : '-';
    if (get_time(reader, last_ns, &row->intended_ns, error) != 0) {
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        if ((flags & SENT << i) != 0 && get_time(reader, row->intended_ns, times[i], error) != 0) {
            return -1;
        }
    }
    if (get_number(reader, &bytes, error) != 0) {
        return -1;
    }
    if (bytes > UINT32_MAX) {
        return bad(reader, "bytes below 2^32", error);
    }
    row->bytes = (uint32_t)bytes;
    const char *wrong = rows_wrong(reader->rows, row);
    if (wrong != NULL) {
        return bad(reader, wrong, error);
    }
    return row->ok ? 0 : get_status(reader, error);
}

static int load(struct rows *rows, const struct reader *reader, struct gate_error *error)
{
    char magic[sizeof MAGIC - 1];
    uint64_t last_ns = 0;
    uint64_t n;
    int flags;
    if (fread(magic, 1, sizeof magic, reader->in) != sizeof magic ||
        memcmp(magic, MAGIC, sizeof magic) != 0) {
        return bad(reader, "a file of rows that begins with L0ROWS1", error);
    }
    while ((flags = getc_unlocked(reader->in)) != END && flags != EOF) {
        struct row row;
        if (get_row(reader, flags, last_ns, &row, error) != 0) {
            return -1;
        }
        if (rows_add(rows, &row) != 0) {
            return gate_error_set(error, GATE_USAGE, "%s: out of memory after %zu rows",
                                  reader->path, rows->n);
        }
        last_ns = row.intended_ns;
    }
    if (flags == EOF) {
        return bad(reader, "another row, or the number of rows", error);
    }
    if (get_number(reader, &n, error) != 0) {
        return -1;
    }
    if (n != rows->n || getc_unlocked(reader->in) != EOF) {
        return bad(reader, "the number of rows, and nothing after it", error);
    }
    if (n == 0) {
        return gate_error_set(error, GATE_DATA, "%s: found no rows, expected at least one request",
                              reader->path);
    }
    return 0;
}

int rows_binary_load(struct rows *rows, const char *path, struct gate_error *error)
{
    struct reader reader = {.path = path, .in = fopen(path, "re"), .rows = rows};
    if (reader.in == NULL) {
        return gate_error_set(error, GATE_USAGE, "%s: cannot open: %s", path, strerror(errno));
    }
    int result = load(rows, &reader, error);
    fclose(reader.in);
    return result;
}
