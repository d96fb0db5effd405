/* Rows of a run in both forms: what is written is read again, and what is cut or changed is
 * refused. */
#include "gate/rows.h"
#include "gate/rows_binary.h"
#include "tests/unit/gate_files.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

TestSuite(gate_rows, .init = gate_files_begin, .fini = gate_files_end);

static const struct row samples[] = {
    {.intended_ns = 0,
     .sent_ns = 0,
     .first_ns = 127,
     .done_ns = 128,
     .bytes = 1,
     .origin = 'P',
     .ok = true},
    {.intended_ns = 0,
     .sent_ns = 5,
     .first_ns = 16384,
     .done_ns = 16384,
     .bytes = 4096,
     .origin = 'H',
     .ok = true},
    {.intended_ns = 1000, .sent_ns = 2000, .first_ns = 3000, .bytes = 4096, .origin = '-'},
    {.intended_ns = 1000, .bytes = UINT32_MAX, .origin = '-'},
    {.intended_ns = INT64_MAX - 9000000,
     .sent_ns = INT64_MAX - 9000000,
     .first_ns = INT64_MAX - 1,
     .done_ns = INT64_MAX,
     .bytes = 0,
     .origin = 'P',
     .ok = true},
};
#define N (sizeof samples / sizeof samples[0])
static const char *const statuses[N] = {"ok", "ok", "timeout", "unsent", "ok"};

/* The rows in that form (malloc). */
static char *print(bool binary, size_t *bytes)
{
    char *text = NULL;
    struct rows_binary state = {0};
    FILE *out = open_memstream(&text, bytes);
    cr_assert_not_null(out);
    if (binary) {
        rows_binary_begin(out);
    } else {
        fputs(ROWS_HEADER "\n", out);
    }
    for (size_t i = 0; i < N; i++) {
        if (binary) {
            rows_binary_print(&state, &samples[i], statuses[i], out);
        } else {
            rows_print(&samples[i], statuses[i], out);
        }
    }
    if (binary) {
        rows_binary_end(&state, out);
    }
    cr_assert_eq(fclose(out), 0);
    return text;
}

/* Loads these bytes as rows.bin. 0, or the error's code. */
static enum gate_exit load_binary(struct rows *rows, const void *bytes, size_t n_bytes,
                                  struct gate_error *error)
{
    const char *path = gate_files_write_bytes("rows.bin", bytes, n_bytes);
    *rows = (struct rows){0};
    *error = (struct gate_error){0};
    return rows_binary_load(rows, path, error) == 0 ? GATE_PASS : error->code;
}

static void expect_samples(const struct rows *rows)
{
    cr_assert_eq(rows->n, N);
    for (size_t i = 0; i < N; i++) {
        const struct row *a = &rows->values[i];
        const struct row *b = &samples[i];
        cr_expect(a->intended_ns == b->intended_ns && a->sent_ns == b->sent_ns &&
                      a->first_ns == b->first_ns && a->done_ns == b->done_ns &&
                      a->bytes == b->bytes && a->origin == b->origin && a->ok == b->ok,
                  "row %zu", i);
    }
}

Test(gate_rows, both_forms_say_the_same)
{
    struct rows rows = {0};
    struct gate_error error = {0};
    size_t bytes = 0;
    char *text = print(false, &bytes);
    const char *path = gate_files_write_bytes("rows.csv", text, bytes);
    cr_assert_eq(rows_load(&rows, path, &error), 0, "%s", error.text);
    expect_samples(&rows);
    rows_free(&rows);
    free(text);
    char *binary = print(true, &bytes);
    cr_assert_eq(load_binary(&rows, binary, bytes, &error), GATE_PASS, "%s", error.text);
    expect_samples(&rows);
    rows_free(&rows);
    free(binary);
}

/* Wherever it is cut, and whatever follows it, the number at its end does not come out. */
Test(gate_rows, a_cut_is_noticed)
{
    struct rows rows;
    struct gate_error error;
    size_t bytes = 0;
    char *binary = print(true, &bytes);
    for (size_t n = 0; n < bytes; n++) {
        cr_expect_eq(load_binary(&rows, binary, n, &error), GATE_DATA, "%zu of %zu bytes", n,
                     bytes);
        cr_expect_not_null(strstr(error.text, "rows.bin: "), "%s", error.text);
        rows_free(&rows);
    }
    cr_expect_eq(load_binary(&rows, binary, bytes + 1, &error), GATE_DATA); /* its NUL */
    rows_free(&rows);
    free(binary);
}

/* Changed bytes give other rows or an error, and nothing worse: rows that are ok stay in order. */
Test(gate_rows, changed_bytes)
{
    struct rows rows;
    struct gate_error error;
    size_t bytes = 0;
    char *binary = print(true, &bytes);
    for (size_t at = 0; at < bytes; at++) {
        static const unsigned char others[] = {0, 1, 0x3f, 0x7f, 0x80, 0xff};
        char kept = binary[at];
        for (size_t i = 0; i < sizeof others; i++) {
            binary[at] = (char)others[i];
            enum gate_exit code = load_binary(&rows, binary, bytes, &error);
            cr_expect(code == GATE_PASS || code == GATE_DATA);
            for (size_t r = 0; r < rows.n; r++) {
                const struct row *row = &rows.values[r];
                cr_expect(!row->ok ||
                          (row->intended_ns <= row->sent_ns && row->sent_ns <= row->first_ns &&
                           row->first_ns <= row->done_ns));
            }
            rows_free(&rows);
        }
        binary[at] = kept;
    }
    free(binary);
}

Test(gate_rows, what_no_writer_writes)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *said;
    } cases[] = {
#define CASE(bytes, said) {bytes, sizeof(bytes) - 1, said}
        CASE("", "found the end of the file, expected a file of rows"),
        CASE("intended_ns", "found something else, expected a file of rows"),
        CASE("L0ROWS1\n", "row 1: found the end of the file, expected another row"),
        CASE("L0ROWS1\n\xff\0", "found no rows"),
        CASE("L0ROWS1\n\xff\1", "the number of rows, and nothing after it"),
        CASE("L0ROWS1\n\x40", "flags of a row"),
        CASE("L0ROWS1\n\x31", "flags of a row"),                   /* by a hedge and not by one */
        CASE("L0ROWS1\n\x17\1\1\1", "flags of a row"),             /* ok, and never done */
        CASE("L0ROWS1\n\x1f\1\2\1\3\5", "intended_ns <= sent_ns"), /* first before sent */
        CASE("L0ROWS1\n\x1f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
             "a number of at most 64 bits"),
        CASE("L0ROWS1\n\x1f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
             "a number of at most 64 bits"),
        CASE("L0ROWS1\n\x1f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a time below 2^63 ns"),
        CASE("L0ROWS1\n\x1f\1\1\1\1\x80\x80\x80\x80\x10", "bytes below 2^32"),
        CASE("L0ROWS1\n\0\1\1\2ok\xff\1", "status, a word"), /* not ok, and ok */
        CASE("L0ROWS1\n\0\1\1\0\xff\1", "status, a word"),
        CASE("L0ROWS1\n\0\1\1\x20"
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xff\1",
             "status, a word"),
        CASE("L0ROWS1\n\0\1\1\xff\xff\xff\xff\x0f", "status, a word"),
        CASE("L0ROWS1\n\0\1\1\2OK\xff\1", "status, a word"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rows rows;
        struct gate_error error;
        cr_expect_eq(load_binary(&rows, cases[i].bytes, cases[i].n, &error), GATE_DATA, "case %zu",
                     i);
        cr_expect_not_null(strstr(error.text, cases[i].said), "case %zu: %s", i, error.text);
        rows_free(&rows);
    }
    struct rows rows = {0};
    struct gate_error error = {0};
    cr_expect_eq(rows_binary_load(&rows, gate_files_path("none"), &error), -1);
    cr_expect_eq(error.code, GATE_USAGE);
    error = (struct gate_error){0};
    cr_expect_eq(rows_binary_load(&rows, gate_files_dir(), &error), -1);
    cr_expect_eq(error.code, GATE_USAGE, "%s", error.text);
}
