#include "gate/blocks.h"

#include "gate/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* How many values of a sorted sample are at most value_ps. */
static uint64_t count_within(const struct sample *sample, uint64_t value_ps)
{
    size_t low = 0;
    size_t high = sample->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sample->values[middle].value_ps <= value_ps) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The quantile when run i counts times[i] times: the least pooled value that enough values keep to.
 */
static uint64_t weighted_quantile(const struct sample *const runs[], const uint32_t *times,
                                  size_t n_runs, const struct sample *pooled, uint32_t q_ppm)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_runs; i++) {
        n += times[i] * runs[i]->n;
    }
    uint64_t rank = sample_rank(n, q_ppm);
    size_t low = 0;
    size_t high = pooled->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t within = 0;
        for (size_t i = 0; i < n_runs; i++) {
            if (times[i] != 0) {
                within += times[i] * count_within(runs[i], pooled->values[middle].value_ps);
            }
        }
        if (within >= rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return pooled->values[low].value_ps;
}

int blocks_interval(const struct sample *const runs[], size_t n_runs, const struct sample *pooled,
                    uint32_t q_ppm, uint64_t *low_ps, uint64_t *high_ps)
{
    assert(n_runs >= 2 && n_runs <= BLOCKS_RUNS_MAX);
    struct random random = {.state = 1};
    struct sample quantiles = {0};
    uint32_t *times = calloc(n_runs, sizeof *times);
    int rc = times == NULL ? -ENOMEM : 0;
    for (size_t b = 0; b < BLOCKS_RESAMPLES && rc == 0; b++) {
        for (size_t i = 0; i < n_runs; i++) {
            times[i] = 0;
        }
        for (size_t i = 0; i < n_runs; i++) {
            times[random_below(&random, (uint32_t)n_runs)]++;
        }
        rc = sample_add(&quantiles, weighted_quantile(runs, times, n_runs, pooled, q_ppm), b);
    }
    if (rc == 0) {
        sample_sort(&quantiles);
        *low_ps = sample_at_rank(&quantiles, sample_rank(BLOCKS_RESAMPLES, 25000));
        *high_ps = sample_at_rank(&quantiles, sample_rank(BLOCKS_RESAMPLES, 975000));
    }
    sample_free(&quantiles);
    free(times);
    return rc;
}
