#include "gate/quantile.h"

const uint32_t quantiles_reported_ppm[QUANTILES_REPORTED] = {
    500000, 900000, 950000, 990000, 995000, QUANTILE_P999_PPM, 999900,
};

struct quantile quantile_of(const struct sample *sample, uint32_t q_ppm)
{
    struct quantile quantile = {.q_ppm = q_ppm, .rank = sample_rank(sample->n, q_ppm)};
    quantile.value_ps = sample_at_rank(sample, quantile.rank);
    quantile.interval = interval_of_quantile(sample->n, q_ppm);
    if (quantile.interval.low != 0) {
        quantile.low_ps = sample_at_rank(sample, quantile.interval.low);
    }
    if (quantile.interval.high != 0) {
        quantile.high_ps = sample_at_rank(sample, quantile.interval.high);
    }
    return quantile;
}

enum quantile_verdict quantile_judge(const struct quantile *quantile, uint64_t limit_ps)
{
    if (quantile->interval.high == 0) {
        bool surely_above = quantile->interval.low != 0 && quantile->low_ps > limit_ps;
        return surely_above ? QUANTILE_ABOVE : QUANTILE_UNBOUNDED;
    }
    return quantile->value_ps <= limit_ps ? QUANTILE_WITHIN : QUANTILE_ABOVE;
}

enum quantile_change quantile_compare(const struct quantile *a, const struct quantile *b)
{
    if (a->value_ps == b->value_ps) {
        return QUANTILE_NOISE;
    }
    const struct quantile *lower = a->value_ps < b->value_ps ? a : b;
    const struct quantile *upper = lower == a ? b : a;
    if (lower->interval.high == 0 || upper->interval.low == 0) {
        return QUANTILE_TOO_FEW;
    }
    return lower->high_ps < upper->low_ps ? QUANTILE_CHANGED : QUANTILE_NOISE;
}
