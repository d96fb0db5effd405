#include "gate/hgrm.h"

#include "gate/decimal.h"

#include <math.h>

static double ms(uint64_t value_ps)
{
    return (double)value_ps / (double)GATE_PS_PER_MS;
}

/* The last of the values equal to that at `rank`. */
static uint64_t last_equal(const struct sample *sample, uint64_t rank)
{
    while (rank < sample->n && sample_at_rank(sample, rank + 1) == sample_at_rank(sample, rank)) {
        rank++;
    }
    return rank;
}

static void print_footer(const struct sample *sample, FILE *out)
{
    double mean = ms(sample_mean_ps(sample));
    double squares = 0;
    for (size_t i = 0; i < sample->n; i++) {
        double distance = ms(sample->values[i].value_ps) - mean;
        squares += distance * distance;
    }
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean,
            sqrt(squares / (double)sample->n));
    fprintf(out, "#[Max     = %12.3f, Total count    = %12zu]\n",
            ms(sample_at_rank(sample, sample->n)), sample->n);
    fputs("#[Buckets =            0, SubBuckets     =            0]\n", out);
}

static void print_row(const struct sample *sample, uint64_t rank, double level, FILE *out)
{
    fprintf(out, "%12.6f %2.12f %10llu", ms(sample_at_rank(sample, rank)), level,
            (unsigned long long)rank);
    if (level < 1) {
        fprintf(out, " %14.2f", 1 / (1 - level));
    }
    fputc('\n', out);
}

void hgrm_print(const struct sample *sample, uint64_t n_left_out, FILE *out)
{
    fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    double level = 0;
    uint64_t rank = 0;
    while (rank < sample->n) {
        uint64_t reached = (uint64_t)ceil(level * (double)sample->n - 1e-9); /* 0.75 is a sum */
        reached = reached < 1 ? 1 : reached < sample->n ? reached : sample->n;
        rank = last_equal(sample, reached);
        print_row(sample, rank, level, out);
        level += 1 / (HGRM_TICKS_PER_HALF * exp2(floor(log2(1 / (1 - level))) + 1));
    }
    print_row(sample, sample->n, 1, out);
    print_footer(sample, out);
    if (n_left_out > 0) {
        fprintf(out, "#[Without a right reply, and not in it = %llu]\n",
                (unsigned long long)n_left_out);
    }
}
