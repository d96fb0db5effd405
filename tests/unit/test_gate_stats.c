/* Intervals and comparisons against answers that are known from elsewhere. */
#include "gate/blocks.h"
#include "gate/decimal.h"
#include "gate/hgrm.h"
#include "gate/proportion.h"
#include "gate/shift.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a proportion --------------------------------------------------------------------------- */

static void expect_interval(uint64_t k, uint64_t n, double low, double high, double within)
{
    struct proportion p = proportion_interval(k, n);
    cr_expect_float_eq(p.low, low, within, "%lu of %lu: low %.9f", k, n, p.low);
    cr_expect_float_eq(p.high, high, within, "%lu of %lu: high %.9f", k, n, p.high);
}

Test(gate_stats, proportions_as_r_gives_them)
{
    expect_interval(682, 925, 0.7076683, 0.7654066, 1e-7); /* the example of R's binom.test */
    expect_interval(10, 100, 0.04900469, 0.17622260, 1e-7);
    /* By hand: (1 - p)^n = 0.025 for k = 0, p^n = 0.025 for k = n. */
    expect_interval(0, 100, 0, 1 - pow(0.025, 0.01), 1e-12);
    expect_interval(100, 100, pow(0.025, 0.01), 1, 1e-12);
    expect_interval(0, 1, 0, 0.975, 1e-12);
    expect_interval(1, 1, 0.025, 1, 1e-12);
    expect_interval(0, 1000000, 0, -expm1(log(0.025) / 1e6), 1e-15);
    /* k = 1: 1 - (1 - p)^n = 0.025 at the lower end. */
    expect_interval(1, 1000, -expm1(log1p(-0.025) / 1000), 0.005558924, 1e-8);
}

Test(gate_stats, proportions_of_many)
{
    for (uint64_t n = 1000000; n <= UINT64_C(1000000000000000000); n *= 10) {
        struct proportion p = proportion_interval(n / 50, n);
        double reach = 1.959964 * sqrt(0.02 * 0.98 / (double)n);
        cr_expect_float_eq(p.low, 0.02 - reach, reach * 0.02);
        cr_expect_float_eq(p.high, 0.02 + reach, reach * 0.02);
    }
}

/* ---- runs as blocks ------------------------------------------------------------------------- */

static struct sample constant(uint64_t value_ps, size_t n)
{
    struct sample sample = {0};
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(sample_add(&sample, value_ps, i), 0);
    }
    return sample;
}

/* Two runs, each of one value: half of the draws hold both, a quarter the one or the other alone,
 * so the middle 95 % of the medians reaches from one to the other. Independent samples would not.
 */
Test(gate_stats, blocks_show_how_runs_differ)
{
    struct sample a = constant(1000, 5000), b = constant(2000, 5000), pooled = constant(1000, 5000);
    for (size_t i = 0; i < b.n; i++) {
        cr_assert_eq(sample_add(&pooled, 2000, i), 0);
    }
    const struct sample *runs[] = {&a, &b};
    uint64_t low = 0, high = 0;
    cr_assert_eq(blocks_interval(runs, 2, &pooled, 900000, &low, &high), 0);
    cr_expect_eq(low, 1000);
    cr_expect_eq(high, 2000);
    const struct sample *same[] = {&a, &a};
    cr_assert_eq(blocks_interval(same, 2, &pooled, 900000, &low, &high), 0);
    cr_expect(low == 1000 && high == 1000);
    sample_free(&a);
    sample_free(&b);
    sample_free(&pooled);
}

/* ---- shifts --------------------------------------------------------------------------------- */

#define RUNS 12
static const double effects[] = {0.05, 0.05};

/* base: small differences between runs; new: the same runs, each moved by `by` and a little of its
 * own. */
static struct shift_report compare(double by, double own, bool paired, size_t n)
{
    static double base[RUNS], new[RUNS];
    struct shift_report report;
    for (size_t i = 0; i < n; i++) {
        base[i] = 0.01 * (double)(i * 7 % 11);
        new[i] = base[i] + by + own *((double)(i * 5 % 12) - 5.5);
    }
    struct shift_side a = {.logs = {base}, .n_runs = n}, b = {.logs = {new}, .n_runs = n};
    cr_assert_eq(shift_compare(&a, &b, 1, paired, effects, &report), 0);
    return report;
}

Test(gate_stats, shifts_are_called_by_their_names)
{
    cr_expect_eq(compare(0, 0.001, true, RUNS).verdict, SHIFT_NO_DIFFERENCE);
    cr_expect_eq(compare(0.2, 0.001, true, RUNS).verdict, SHIFT_WORSE);
    cr_expect_eq(compare(-0.2, 0.001, true, RUNS).verdict, SHIFT_BETTER);
    cr_expect_eq(compare(0.03, 0.001, true, RUNS).verdict, SHIFT_NO_DIFFERENCE,
                 "sure, but less than what matters");
    cr_expect_eq(compare(0.1, 0.1, true, RUNS).verdict, SHIFT_CANNOT_TELL);
    cr_expect_eq(compare(0.2, 0.001, true, SHIFT_RUNS_MIN - 1).verdict, SHIFT_CANNOT_TELL);
    cr_expect_eq(compare(0.2, 0.001, true, SHIFT_RUNS_MIN).verdict, SHIFT_WORSE);
    cr_expect_eq(compare(0.3, 0.001, false, RUNS).verdict, SHIFT_WORSE);
    struct shift_report exact = compare(0.2, 0, true, RUNS);
    cr_expect_float_eq(exact.shifts[0].low, 0.2, 1e-12);
    cr_expect_float_eq(exact.shifts[0].high, 0.2, 1e-12);
}

/* Two one-sided tests of 5 % say that there is no difference, not the wider interval that holds for
 * all quantiles together; and no such thing is said where either end is out. */
Test(gate_stats, no_difference_is_told_by_two_tests)
{
    const double least = log1p(0.05);
    size_t n_sooner = 0;
    for (int step = 0; step < 95; step++) {
        double own = 0.0005 * pow(1.05, step);
        struct shift shift = compare(0.02, own, true, RUNS).shifts[0];
        cr_expect(shift.low < shift.own_low && shift.own_high < shift.high);
        cr_expect_eq(shift.verdict == SHIFT_NO_DIFFERENCE,
                     shift.own_low > -least && shift.own_high < least);
        n_sooner += shift.verdict == SHIFT_NO_DIFFERENCE && shift.high >= least;
    }
    cr_expect_gt(n_sooner, 0);
    /* Both are t intervals in the limit: 2.365 and 1.895 with the 7 degrees of freedom of 8 kept,
     * the first of them as much wider as 97 % of a normal distribution is than 95 %. */
    struct shift shift = compare(0.02, 0.004, true, RUNS).shifts[0];
    double ratio = (shift.high - shift.change) / (shift.own_high - shift.change);
    cr_expect_float_eq(ratio, 2.365 * (2.170 / 1.960) / 1.895, 0.08, "%g", ratio);
}

Test(gate_stats, each_quantile_has_its_smallest_effect)
{
    static double base[RUNS], new[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        new[i] = base[i] + 0.15 + 0.001 * (double)(i % 5);
    }
    struct shift_side a = {.logs = {base, base}, .n_runs = RUNS};
    struct shift_side b = {.logs = {new, new}, .n_runs = RUNS};
    struct shift_report report;
    cr_assert_eq(shift_compare(&a, &b, 2, true, (const double[]){0.05, 0.25}, &report), 0);
    cr_expect_eq(report.shifts[0].verdict, SHIFT_WORSE);
    cr_expect_eq(report.shifts[1].verdict, SHIFT_NO_DIFFERENCE);
}

/* Pairing removes what both runs of a pair have in common; without it the interval is as wide as
 * the runs differ. */
Test(gate_stats, pairs_are_sharper)
{
    struct shift paired = compare(0.05, 0.001, true, RUNS).shifts[0];
    struct shift apart = compare(0.05, 0.001, false, RUNS).shifts[0];
    cr_expect_lt(3 * (paired.high - paired.low), apart.high - apart.low);
}

/* A fifth is cut off at both ends: of ten values two, and the mean of the six in the middle stays,
 * whatever the others are. */
Test(gate_stats, disturbed_runs_do_not_decide)
{
    double base[10] = {0}, new[10] = {5, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 9, -1};
    struct shift_side a = {.logs = {base}, .n_runs = 10}, b = {.logs = {new}, .n_runs = 10};
    struct shift_report report;
    cr_assert_eq(shift_compare(&a, &b, 1, true, effects, &report), 0);
    cr_expect_float_eq(report.shifts[0].change, (0.02 + 0.03 + 0.04 + 0.05 + 0.06 + 0.07) / 6,
                       1e-12);
}

Test(gate_stats, what_is_not_known_is_not_compared)
{
    double base[RUNS] = {0}, new[RUNS], unknown[RUNS];
    for (size_t i = 0; i < RUNS; i++) {
        new[i] = 0.5;
        unknown[i] = i == 3 ? NAN : 0;
    }
    struct shift_side a = {.logs = {base, base}, .n_runs = RUNS};
    struct shift_side b = {.logs = {unknown, new}, .n_runs = RUNS};
    struct shift_report report;
    cr_assert_eq(shift_compare(&a, &b, 2, true, effects, &report), 0);
    cr_expect_eq(report.shifts[0].verdict, SHIFT_CANNOT_TELL);
    cr_expect_eq(report.shifts[1].verdict, SHIFT_WORSE);
    cr_expect_eq(report.verdict, SHIFT_WORSE);
    struct sample few = constant(GATE_PS_PER_MS, 3687), enough = constant(GATE_PS_PER_MS, 3688);
    struct sample zero = constant(0, 3688);
    cr_expect(isnan(shift_log_quantile(&few, 999000)));
    cr_expect_eq(shift_log_quantile(&enough, 999000), 0);
    cr_expect(isnan(shift_log_quantile(&zero, 999000)));
    sample_free(&few);
    sample_free(&enough);
    sample_free(&zero);
}

/* ---- .hgrm ---------------------------------------------------------------------------------- */

Test(gate_stats, hgrm_of_a_hundred)
{
    struct sample sample = {0};
    char *text = NULL;
    size_t bytes;
    for (uint64_t i = 1; i <= 100; i++) {
        cr_assert_eq(sample_add(&sample, i * GATE_PS_PER_MS, i), 0);
    }
    FILE *out = open_memstream(&text, &bytes);
    hgrm_print(&sample, 3, out);
    fclose(out);
    cr_expect_not_null(strstr(text, "not in it = 3]\n"));
    cr_expect_not_null(strstr(text, "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
    cr_expect_not_null(strstr(text, "    1.000000 0.000000000000          1           1.00\n"));
    cr_expect_not_null(strstr(text, "   50.000000 0.500000000000         50           2.00\n"));
    cr_expect_not_null(strstr(text, "   75.000000 0.750000000000         75           4.00\n"));
    cr_expect_not_null(strstr(text, "  100.000000 1.000000000000        100\n"));
    /* of 1..100: sqrt((100^2 - 1) / 12) */
    cr_expect_not_null(strstr(text, "#[Mean    =       50.500, StdDeviation   =       28.866]\n"),
                       "%s", text);
    cr_expect_not_null(strstr(text, "#[Max     =      100.000, Total count    =          100]\n"));
    free(text);
    sample.n = 1;
    out = open_memstream(&text, &bytes);
    hgrm_print(&sample, 0, out);
    fclose(out);
    cr_expect_null(strstr(text, "not in it"));
    cr_expect_not_null(strstr(text, "    1.000000 0.000000000000          1           1.00\n"));
    cr_expect_not_null(strstr(text, "    1.000000 1.000000000000          1\n"), "%s", text);
    free(text);
    sample_free(&sample);
}

/* HdrHistogram's own iteration, worked out by hand for 1 and nine times 2 with 5 ticks a half: 0 is
 * reached by the 1, 0.1 too (one of ten), 0.2 by the 2, which is the largest. */
Test(gate_stats, hgrm_rows_are_those_of_hdrhistogram)
{
    struct sample sample = constant(2 * GATE_PS_PER_MS, 10);
    char *text = NULL;
    size_t bytes;
    sample.values[0].value_ps = GATE_PS_PER_MS;
    FILE *out = open_memstream(&text, &bytes);
    hgrm_print(&sample, 0, out);
    fclose(out);
    cr_expect_not_null(strstr(text, "\n\n"
                                    "    1.000000 0.000000000000          1           1.00\n"
                                    "    1.000000 0.100000000000          1           1.11\n"
                                    "    2.000000 0.200000000000         10           1.25\n"
                                    "    2.000000 1.000000000000         10\n#[Mean"),
                       "%s", text);
    free(text);
    sample_free(&sample);
}
