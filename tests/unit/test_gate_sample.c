/* Loading, ranks, quantiles. */
#include "gate/sample.h"

#include "gate/decimal.h"
#include "gate/lines.h"
#include "gate/quantile.h"
#include "tests/unit/gate_files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(gate_sample, .init = gate_files_begin, .fini = gate_files_end);

static const struct sample_format plain;

Test(gate_sample, nearest_ranks)
{
    static const struct {
        uint64_t n;
        uint32_t q_ppm;
        uint64_t rank;
    } cases[] = {
        {1, 500000, 1},          {1, 999900, 1},          {2, 500000, 1},
        {2, 500001, 2},          {2, 999000, 2},          {3, 500000, 2},
        {100, 500000, 50},       {100, 990000, 99},       {100, 995000, 100},
        {100, 999000, 100},      {1000, 999000, 999},     {1001, 999000, 1000},
        {99999, 999000, 99900},  {100000, 999000, 99900}, {100001, 999000, 99901},
        {100000, 999900, 99990}, {100000, 500000, 50000}, {1000000000, 999900, 999900000},
        {999999999, 1, 1000},    {1000000001, 1, 1001},   {7, 1000000, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(sample_rank(cases[i].n, cases[i].q_ppm), cases[i].rank, "N %llu q %u",
                     (unsigned long long)cases[i].n, cases[i].q_ppm);
    }
}

/* The rank is the least one with rank / N >= q, for every N. */
Test(gate_sample, rank_is_the_least_that_covers_q)
{
    for (uint64_t n = 1; n < 5000; n++) {
        for (int j = 0; j < QUANTILES_REPORTED; j++) {
            uint64_t q = quantiles_reported_ppm[j];
            uint64_t rank = sample_rank(n, (uint32_t)q);
            cr_assert(rank * GATE_PPM >= q * n && (rank - 1) * GATE_PPM < q * n);
        }
    }
}

Test(gate_sample, slowest_needed_for_p999)
{
    cr_expect_eq(sample_slowest_needed(1, QUANTILE_P999_PPM), 1);
    cr_expect_eq(sample_slowest_needed(2, QUANTILE_P999_PPM), 1);
    cr_expect_eq(sample_slowest_needed(100, QUANTILE_P999_PPM), 1);
    cr_expect_eq(sample_slowest_needed(1000, QUANTILE_P999_PPM), 2);
    cr_expect_eq(sample_slowest_needed(99999, QUANTILE_P999_PPM), 100);
    cr_expect_eq(sample_slowest_needed(100000, QUANTILE_P999_PPM), 101);
    cr_expect_eq(sample_slowest_needed(100001, QUANTILE_P999_PPM), 101);
}

/* Loads text; 0 or the error's code, with the message in message. */
static enum gate_exit load(const char *text, size_t n_bytes, const struct sample_format *format,
                           struct sample *sample, char message[512])
{
    struct gate_error error = {0};
    const char *path = gate_files_write_bytes("in", text, n_bytes);
    *sample = (struct sample){0};
    int result = sample_load(sample, path, format, &error);
    cr_assert_eq(result == 0, error.code == GATE_PASS);
    snprintf(message, 512, "%.511s", error.text);
    return error.code;
}

static void expect_values(const char *text, const struct sample_format *format, size_t n,
                          const uint64_t *values_ns)
{
    struct sample sample;
    char message[512];
    cr_assert_eq(load(text, strlen(text), format, &sample, message), GATE_PASS, "%s", message);
    cr_assert_eq(sample.n, n);
    for (size_t i = 0; i < n; i++) {
        cr_expect_eq(sample.values[i].value_ps, values_ns[i] * GATE_PS_PER_NS);
    }
    sample_free(&sample);
}

static void expect_bad(const char *text, const struct sample_format *format, const char *excerpt)
{
    struct sample sample;
    char message[512];
    cr_expect_eq(load(text, strlen(text), format, &sample, message), GATE_DATA);
    cr_expect_not_null(strstr(message, excerpt), "'%s' lacks '%s'", message, excerpt);
    sample_free(&sample);
}

Test(gate_sample, sorts_what_is_unsorted)
{
    expect_values("3.5\n0.000001\n2\n3.5\n", &plain, 4,
                  (const uint64_t[]){1, 2000000, 3500000, 3500000});
}

Test(gate_sample, ties_keep_file_order)
{
    struct sample sample;
    char message[512];
    cr_assert_eq(load("5\n1\n5\n5\n", 8, &plain, &sample, message), GATE_PASS);
    cr_expect_eq(sample.values[0].line, 2);
    cr_expect_eq(sample.values[1].line, 1);
    cr_expect_eq(sample.values[2].line, 3);
    cr_expect_eq(sample.values[3].line, 4);
    sample_free(&sample);
}

Test(gate_sample, line_ends_and_blanks)
{
    const uint64_t two[] = {1000000, 2000000};
    expect_values("1\r\n2\r\n", &plain, 2, two);
    expect_values("1\n2", &plain, 2, two);
    expect_values("1\r\n2\r", &plain, 2, two);
    expect_values(" \t1 \n2\t\n", &plain, 2, two);
}

Test(gate_sample, bad_lines_are_named)
{
    expect_bad("1\n2\nabc\n", &plain, ":3: found 'abc', expected a latency in ms");
    expect_bad("1\n\n2\n", &plain, ":2: found nothing ''");
    expect_bad("1\n-2\n", &plain, ":2: found '-2'");
    expect_bad("nan\n", &plain, ":1: found 'nan'");
    expect_bad("1\ninf\n", &plain, ":2: found 'inf'");
    expect_bad("0x10\n", &plain, ":1: found '0x10'");
    expect_bad("1 2\n", &plain, ":1: found '1 2'");
    expect_bad("1.5ms\n", &plain, ":1: found '1.5ms'");
    expect_bad("1\n99999999999\n", &plain, ":2: found '99999999999', expected a latency below");
    expect_bad("1\n\x01\xff\n", &plain, ":2: found '\\x01\\xff'");
}

Test(gate_sample, embedded_nul)
{
    struct sample sample;
    char message[512];
    cr_expect_eq(load("1\n2\0003\n", 6, &plain, &sample, message), GATE_DATA);
    cr_expect_not_null(strstr(message, ":2: found '2\\x003'"), "%s", message);
    sample_free(&sample);
}

Test(gate_sample, empty_files)
{
    struct sample_format header = {.skip_header = true};
    expect_bad("", &plain, "found no values");
    expect_bad("ms\n", &header, "found no values");
}

static char *repeated(char c, size_t n, const char *end)
{
    char *text = malloc(n + strlen(end) + 1);
    cr_assert_not_null(text);
    memset(text, c, n);
    strcpy(text + n, end);
    return text;
}

Test(gate_sample, long_lines)
{
    const uint64_t zero[] = {0};
    char *longest = repeated('0', LINES_MAX_BYTES, "\r\n");
    expect_values(longest, &plain, 1, zero);
    free(longest);
    char *too_long = repeated('0', LINES_MAX_BYTES + 1, "\n");
    expect_bad(too_long, &plain, ":1: found a line of more than 65536 bytes");
    free(too_long);
    char *endless = repeated('0', 5 * LINES_MAX_BYTES, "");
    expect_bad(endless, &plain, ":1: found a line of more than 65536 bytes");
    free(endless);
    char *garbage = repeated('x', 1000, "\n");
    expect_bad(garbage, &plain, "xxx'..., expected");
    free(garbage);
}

/* Lines that straddle every boundary of the reader's buffer. */
Test(gate_sample, many_buffers)
{
    enum { N = 60000 };
    const char *path = gate_files_path("many");
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    for (int i = N; i > 0; i--) {
        fprintf(file, "%d.%0*d\n", i / 1000, 3 + i % 4,
                i % 1000 * (int[]){1, 10, 100, 1000}[i % 4]);
    }
    fclose(file);
    struct sample sample = {0};
    struct gate_error error = {0};
    cr_assert_eq(sample_load(&sample, path, &plain, &error), 0, "%s", error.text);
    cr_assert_eq(sample.n, N);
    for (uint64_t i = 0; i < N; i++) {
        cr_assert_eq(sample.values[i].value_ps, (i + 1) * (GATE_PS_PER_MS / 1000));
        cr_assert_eq(sample.values[i].line, N - i);
    }
    sample_free(&sample);
}

Test(gate_sample, csv_columns)
{
    const uint64_t two[] = {1000000, 2000000};
    struct sample_format second = {.csv = true, .delimiter = ',', .column = 2};
    expect_values("x,1,z\ny, 2 ,w\n", &second, 2, two);
    expect_bad("a,ms\nx,1\n", &second, ":1: found 'ms'");
    expect_bad("x,1\nalone\n", &second, ":2: found 'alone', expected at least 2 columns");
    second.skip_header = true;
    expect_values("a,ms\nx,2\ny,1\n", &second, 2, two);

    struct sample_format named = {.csv = true, .delimiter = ';', .column_name = "ms"};
    expect_values("a; ms ;b\n1;2;3\n7;1;9\n", &named, 2, two);
    expect_bad("a;b\n1;2\n", &named, ":1: found 'a;b', expected a header line with a column named");
    expect_bad("", &named, "found no values");

    struct sample_format last = {.csv = true, .delimiter = '\t', .column = 3};
    expect_values("a\tb\t2\na\tb\t1", &last, 2, two);
    expect_bad("a\tb\t\n", &last, ":1: found nothing ''");
}

Test(gate_sample, unreadable_files)
{
    struct sample sample = {0};
    struct gate_error error = {0};
    cr_expect_eq(sample_load(&sample, gate_files_path("none"), &plain, &error), -1);
    cr_expect_eq(error.code, GATE_USAGE);
    cr_expect_not_null(strstr(error.text, "none: cannot open: No such file or directory"));
    error = (struct gate_error){0};
    cr_expect_eq(sample_load(&sample, gate_files_dir(), &plain, &error), -1);
    cr_expect_eq(error.code, GATE_USAGE);
    cr_expect_not_null(strstr(error.text, "cannot read: Is a directory"), "%s", error.text);
    sample_free(&sample);
}

/* A sum that loses its small parts in a double keeps them here. */
Test(gate_sample, mean_is_exact)
{
    struct sample sample = {0};
    cr_assert_eq(sample_add(&sample, GATE_DECIMAL_MAX, 1), 0);
    for (uint64_t i = 0; i < 9; i++) {
        cr_assert_eq(sample_add(&sample, 1, i + 2), 0);
    }
    /* (9223372036854775807 + 9) / 10 = 922337203685477581.6 */
    cr_expect_eq(sample_mean_ps(&sample), UINT64_C(922337203685477582));
    sample_free(&sample);
}

/* N values 1 .. N in a scrambled order: the value at a rank is the rank itself. */
static void expect_quantiles_of_ramp(uint64_t n)
{
    struct sample sample = {0};
    for (uint64_t i = 0; i < n; i++) {
        cr_assert_eq(sample_add(&sample, i * 7919 % n + 1, i + 1), 0); /* 7919 is prime to n */
    }
    sample_sort(&sample);
    for (int j = 0; j < QUANTILES_REPORTED; j++) {
        struct quantile q = quantile_of(&sample, quantiles_reported_ppm[j]);
        cr_expect_eq(q.value_ps, sample_rank(n, quantiles_reported_ppm[j]));
        cr_expect(q.interval.low == 0 || q.low_ps == q.interval.low);
        cr_expect(q.interval.high == 0 || q.high_ps == q.interval.high);
    }
    sample_free(&sample);
}

Test(gate_sample, quantiles_of_ramps)
{
    static const uint64_t counts[] = {1, 2, 100, 99999, 100000, 100001};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        expect_quantiles_of_ramp(counts[i]);
    }
}

/* What quantile_judge says of N equal values under a limit. */
static enum quantile_verdict judge_equal(uint64_t n, uint64_t value_ps, uint64_t limit_ps)
{
    struct sample sample = {0};
    for (uint64_t i = 0; i < n; i++) {
        cr_assert_eq(sample_add(&sample, value_ps, i + 1), 0);
    }
    struct quantile p999 = quantile_of(&sample, QUANTILE_P999_PPM);
    sample_free(&sample);
    return quantile_judge(&p999, limit_ps);
}

Test(gate_sample, judging_a_quantile)
{
    cr_expect_eq(judge_equal(3688, 20, 20), QUANTILE_WITHIN);
    cr_expect_eq(judge_equal(3688, 21, 20), QUANTILE_ABOVE);
    cr_expect_eq(judge_equal(3687, 20, 20), QUANTILE_UNBOUNDED);
    cr_expect_eq(judge_equal(3687, 21, 20), QUANTILE_ABOVE); /* even its lower bound is above */
    cr_expect_eq(judge_equal(1, 20, 20), QUANTILE_UNBOUNDED);
}

Test(gate_sample, comparing_quantiles)
{
    struct quantile a = {.value_ps = 10, .interval = {1, 2}, .low_ps = 9, .high_ps = 11};
    struct quantile b = {.value_ps = 13, .interval = {1, 2}, .low_ps = 12, .high_ps = 14};
    cr_expect_eq(quantile_compare(&a, &b), QUANTILE_CHANGED);
    cr_expect_eq(quantile_compare(&b, &a), QUANTILE_CHANGED);
    b.low_ps = 11;
    cr_expect_eq(quantile_compare(&a, &b), QUANTILE_NOISE);
    b.interval.high = 0; /* not the bound that decides */
    b.low_ps = 12;
    cr_expect_eq(quantile_compare(&a, &b), QUANTILE_CHANGED);
    a.interval.high = 0;
    cr_expect_eq(quantile_compare(&a, &b), QUANTILE_TOO_FEW);
    b.value_ps = a.value_ps;
    cr_expect_eq(quantile_compare(&a, &b), QUANTILE_NOISE);
}
