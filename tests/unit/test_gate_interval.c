/* Ranks of confidence intervals against hand-derived values and an independent summation. */
#include "gate/interval.h"

#include "gate/quantile.h"

#include <criterion/criterion.h>
#include <math.h>

static void expect_ranks(uint64_t n, uint32_t q_ppm, uint64_t low, uint64_t high)
{
    struct interval_ranks ranks = interval_of_quantile(n, q_ppm);
    cr_expect(ranks.low == low && ranks.high == high,
              "N %llu q %u: %llu .. %llu, expected %llu .. %llu", (unsigned long long)n, q_ppm,
              (unsigned long long)ranks.low, (unsigned long long)ranks.high,
              (unsigned long long)low, (unsigned long long)high);
}

/* An upper bound exists from the first N with q^N <= 0.025, that is N >= ln 0.025 / ln q. */
Test(gate_interval, where_bounds_begin_by_hand)
{
    expect_ranks(1, 500000, 0, 0);
    expect_ranks(5, 500000, 0, 0); /* 2^-5 = 0.031 */
    expect_ranks(6, 500000, 1, 6); /* 2^-6 = 0.016 */
    expect_ranks(100, 990000, 97, 0);
    expect_ranks(3687, 999000, 3679, 0);
    expect_ranks(3688, 999000, 3680, 3688);
    expect_ranks(36886, 999900, 36878, 0);
    expect_ranks(36887, 999900, 36879, 36887);
}

/* The median's interval for 100 samples stands in every table of order statistics; the others were
 * computed once with exact integer and 60-digit decimal arithmetic. */
Test(gate_interval, known_values)
{
    expect_ranks(100, 500000, 40, 61);
    expect_ranks(1000, 500000, 469, 532);
    expect_ranks(1000, 990000, 983, 997);
    expect_ranks(10000, 995000, 9936, 9964);
    expect_ranks(10000, 999000, 9983, 9997);
    expect_ranks(99999, 999000, 99879, 99919);
    expect_ranks(100000, 999000, 99880, 99920);
    expect_ranks(100001, 999000, 99881, 99921);
    expect_ranks(100000, 999900, 99983, 99997);
    expect_ranks(1000000, 999000, 998938, 999062);
    expect_ranks(1000000, 999900, 999880, 999920);
}

/* P(B = k) from gamma functions: shares nothing with the recurrence under test. */
static long double binomial_term(uint64_t n, long double q, uint64_t k)
{
    return expl(lgammal((long double)n + 1) - lgammal((long double)k + 1) -
                lgammal((long double)(n - k) + 1) + (long double)k * logl(q) +
                (long double)(n - k) * log1pl(-q));
}

static struct interval_ranks interval_by_definition(uint64_t n, uint32_t q_ppm)
{
    long double q = (long double)q_ppm / 1e6L;
    struct interval_ranks ranks = {0, 0};
    long double below = 0; /* P(B <= k - 1) */
    for (uint64_t k = 0; k <= n; k++) {
        if (k >= 1 && below <= 0.025L) {
            ranks.low = k;
        }
        if (k >= 1 && ranks.high == 0 && 1 - below <= 0.025L) {
            ranks.high = k;
        }
        below += binomial_term(n, q, k);
    }
    return ranks;
}

Test(gate_interval, same_as_direct_summation)
{
    static const uint64_t counts[] = {1, 2, 3, 10, 99, 100, 101, 1000, 3700, 20011};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (int j = 0; j < QUANTILES_REPORTED; j++) {
            uint32_t q_ppm = quantiles_reported_ppm[j];
            struct interval_ranks expected = interval_by_definition(counts[i], q_ppm);
            expect_ranks(counts[i], q_ppm, expected.low, expected.high);
        }
    }
}

Test(gate_interval, same_as_direct_summation_at_the_gates_size)
{
    for (uint64_t n = 99999; n <= 100001; n++) {
        struct interval_ranks expected = interval_by_definition(n, QUANTILE_P999_PPM);
        expect_ranks(n, QUANTILE_P999_PPM, expected.low, expected.high);
    }
}

/* For large N the ranks lie 1.96 standard deviations around q N. */
Test(gate_interval, a_billion_samples)
{
    for (int j = 0; j < QUANTILES_REPORTED; j++) {
        uint64_t n = 1000000000;
        double q = quantiles_reported_ppm[j] / 1e6;
        double half_width = 1.959964 * sqrt((double)n * q * (1 - q));
        struct interval_ranks ranks = interval_of_quantile(n, quantiles_reported_ppm[j]);
        cr_expect_float_eq((double)ranks.low, (double)n * q - half_width, 3);
        cr_expect_float_eq((double)ranks.high, (double)n * q + half_width, 3);
    }
}

Test(gate_interval, contains_the_nearest_rank)
{
    for (uint64_t n = 1; n < 3000; n++) {
        for (int j = 0; j < QUANTILES_REPORTED; j++) {
            uint32_t q_ppm = quantiles_reported_ppm[j];
            struct interval_ranks ranks = interval_of_quantile(n, q_ppm);
            uint64_t rank = sample_rank(n, q_ppm);
            cr_expect(ranks.low <= rank && (ranks.high == 0 || ranks.high >= rank), "N %llu q %u",
                      (unsigned long long)n, q_ppm);
        }
    }
}

Test(gate_interval, extreme_quantiles)
{
    expect_ranks(1, 1, 0, 1); /* the single sample lies above P0.0001 with near certainty */
    expect_ranks(1, 999999, 1, 0);
    expect_ranks(2, 1, 0, 1);
}
