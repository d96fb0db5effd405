#include "gate/shift.h"

#include "gate/decimal.h"
#include "gate/quantile.h"
#include "gate/random.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRIM_PERCENT   20
/* Of all intervals together: 95 %, and so much more as the bootstrap falls short of it where runs
 * differ by a tenth among themselves (l0-gate simulate --run-noise 10%). */
#define CONFIDENCE     0.97
#define CONFIDENCE_OWN 0.90 /* of one by itself: a test of 5 % at either end */
#define NORMAL_975     1.959963984540054
#define NORMAL_950     1.644853626951472

/* A location and its standard error. */
struct location {
    double mean;
    double error;
};

const char *shift_verdict_text(enum shift_verdict verdict)
{
    static const char *const texts[] = {
        [SHIFT_NO_DIFFERENCE] = "no difference",
        [SHIFT_BETTER] = "better",
        [SHIFT_WORSE] = "worse",
        [SHIFT_CANNOT_TELL] = "cannot tell",
    };
    return texts[verdict];
}

double shift_log_quantile(const struct sample *sample, uint32_t q_ppm)
{
    if (interval_of_quantile(sample->n, q_ppm).high == 0) {
        return NAN;
    }
    uint64_t value_ps = sample_at_rank(sample, sample_rank(sample->n, q_ppm));
    if (value_ps == 0 || value_ps == GATE_DECIMAL_MAX) {
        return NAN;
    }
    return log((double)value_ps / (double)GATE_PS_PER_MS);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Few values are sorted faster by insertion. */
static void sort(double *values, size_t n)
{
    if (n > 32) {
        qsort(values, n, sizeof *values, compare_doubles);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        double value = values[i];
        size_t j = i;
        for (; j > 0 && values[j - 1] > value; j--) {
            values[j] = values[j - 1];
        }
        values[j] = value;
    }
}

/* Sorts the values, and locates them: trimmed mean, error from the winsorised variance. */
static struct location locate(double *values, size_t n)
{
    size_t cut = n * TRIM_PERCENT / 100;
    double sum = 0;
    double kept = 0;
    double squares = 0;
    sort(values, n);
    for (size_t i = 0; i < n; i++) {
        bool inner = i >= cut && i < n - cut;
        kept += inner ? values[i] : 0;
        values[i] = i < cut ? values[cut] : i >= n - cut ? values[n - cut - 1] : values[i];
        sum += values[i];
    }
    for (size_t i = 0; i < n; i++) {
        double distance = values[i] - sum / (double)n;
        squares += distance * distance;
    }
    double part = (double)(n - 2 * cut) / (double)n;
    return (struct location){
        .mean = kept / (double)(n - 2 * cut),
        .error = sqrt(squares / (double)(n - 1)) / (part * sqrt((double)n)),
    };
}

/* The point of Student's t that has the same probability as z of the normal distribution
 * (Abramowitz and Stegun, 26.7.5). */
static double student(double z, double freedom)
{
    const double z2 = z * z;
    double f = freedom;
    return z + z * (z2 + 1) / (4 * f) + z * ((5 * z2 + 16) * z2 + 3) / (96 * f * f) +
           z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * f * f * f) +
           z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / (92160 * f * f * f * f);
}

/* By how much a bootstrap of n runs is too narrow: its variance lacks a factor n / (n - 1), and it
 * knows nothing of the error of that variance, which has as many degrees of freedom as values that
 * are not trimmed, less one. */
static double widening(size_t n, double z)
{
    size_t cut = n * TRIM_PERCENT / 100;
    size_t n_kept = n - 2 * cut;
    return sqrt((double)n / (double)(n - 1)) * student(z, (double)n_kept - 1) / z;
}

/* What is compared: the sides, and which runs of each are drawn. */
struct draw {
    const struct shift_side *base;
    const struct shift_side *new;
    bool paired;
    const uint32_t *base_runs; /* base->n_runs indices */
    const uint32_t *new_runs;
    double *room; /* for SHIFT_RUNS_MAX values */
};

/* The change in quantile k of the drawn runs. */
static struct location change_of(const struct draw *draw, size_t k)
{
    const double *base = draw->base->logs[k];
    const double *new = draw->new->logs[k];
    size_t n = draw->base->n_runs;
    if (draw->paired) {
        for (size_t i = 0; i < n; i++) {
            draw->room[i] = new[draw->base_runs[i]] - base[draw->base_runs[i]];
        }
        return locate(draw->room, n);
    }
    for (size_t i = 0; i < n; i++) {
        draw->room[i] = base[draw->base_runs[i]];
    }
    struct location a = locate(draw->room, n);
    for (size_t i = 0; i < draw->new->n_runs; i++) {
        draw->room[i] = new[draw->new_runs[i]];
    }
    struct location b = locate(draw->room, draw->new->n_runs);
    return (struct location){b.mean - a.mean, hypot(a.error, b.error)};
}

static bool is_known(const struct shift_side *side, size_t k)
{
    for (size_t i = 0; i < side->n_runs; i++) {
        if (isnan(side->logs[k][i])) {
            return false;
        }
    }
    return true;
}

static void draw_runs(struct random *random, uint32_t *runs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        runs[i] = random_below(random, (uint32_t)n);
    }
}

static void take_all(uint32_t *runs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        runs[i] = (uint32_t)i;
    }
}

/* How far a draw's change is from what was found, in its errors; nothing where nothing varies. */
static double distance(const struct location *drawn, const struct location *found)
{
    return found->error > 0 ? fabs(drawn->mean - found->mean) / found->error : 0;
}

/* Distances over draws: in the first SHIFT_RESAMPLES the largest of all quantiles, then those of
 * each quantile. */
static void draw_distances(struct draw *draw, uint32_t *base_runs, uint32_t *new_runs,
                           size_t n_quantiles, const struct shift_report *report,
                           const struct location *found, double *distances)
{
    struct random random = {.state = 1};
    for (size_t b = 0; b < SHIFT_RESAMPLES; b++) {
        draw_runs(&random, base_runs, draw->base->n_runs);
        draw_runs(&random, new_runs, draw->new->n_runs);
        distances[b] = 0;
        for (size_t k = 0; k < n_quantiles; k++) {
            if (report->shifts[k].known) {
                struct location drawn = change_of(draw, k);
                double far = distance(&drawn, &found[k]);
                distances[(k + 1) * SHIFT_RESAMPLES + b] = far;
                distances[b] = fmax(distances[b], far);
            }
        }
    }
}

/* That part of the distances lies within it; widened for how few runs there are. */
static double critical_value(const struct draw *draw, double *distances, double confidence,
                             double z)
{
    size_t fewest = draw->base->n_runs < draw->new->n_runs ? draw->base->n_runs : draw->new->n_runs;
    qsort(distances, SHIFT_RESAMPLES, sizeof *distances, compare_doubles);
    return distances[(size_t)ceil(confidence * SHIFT_RESAMPLES) - 1] * widening(fewest, z);
}

static enum shift_verdict judge_shift(const struct shift *shift, double effect)
{
    double least = log1p(effect);
    if (shift->low > 0 && shift->change >= least) {
        return SHIFT_WORSE;
    }
    if (shift->high < 0 && shift->change <= -least) {
        return SHIFT_BETTER;
    }
    return shift->own_low > -least && shift->own_high < least ? SHIFT_NO_DIFFERENCE
                                                              : SHIFT_CANNOT_TELL;
}

/* Worse anywhere is worse; and nothing is called better while something cannot be told. */
static enum shift_verdict conclude(const struct shift_report *report, size_t n_quantiles)
{
    static const int weight[] = {
        [SHIFT_NO_DIFFERENCE] = 0,
        [SHIFT_BETTER] = 1,
        [SHIFT_CANNOT_TELL] = 2,
        [SHIFT_WORSE] = 3,
    };
    enum shift_verdict verdict = SHIFT_NO_DIFFERENCE;
    for (size_t k = 0; k < n_quantiles; k++) {
        if (weight[report->shifts[k].verdict] > weight[verdict]) {
            verdict = report->shifts[k].verdict;
        }
    }
    return verdict;
}

static void judge_all(struct draw *draw, uint32_t *base_runs, uint32_t *new_runs,
                      size_t n_quantiles, const double effects[], struct shift_report *report,
                      double *distances)
{
    struct location found[SHIFT_QUANTILES_MAX] = {{0, 0}};
    for (size_t k = 0; k < n_quantiles; k++) {
        struct shift *shift = &report->shifts[k];
        if (!is_known(draw->base, k) || !is_known(draw->new, k)) {
            continue;
        }
        shift->known = true;
        take_all(base_runs, draw->base->n_runs);
        take_all(new_runs, draw->new->n_runs);
        found[k] = change_of(draw, k);
        shift->change = found[k].mean;
        memcpy(draw->room, draw->base->logs[k], draw->base->n_runs * sizeof *draw->room);
        shift->base = locate(draw->room, draw->base->n_runs).mean;
        memcpy(draw->room, draw->new->logs[k], draw->new->n_runs * sizeof *draw->room);
        shift->new = locate(draw->room, draw->new->n_runs).mean;
    }
    draw_distances(draw, base_runs, new_runs, n_quantiles, report, found, distances);
    report->critical = critical_value(draw, distances, CONFIDENCE, NORMAL_975);
    for (size_t k = 0; k < n_quantiles; k++) {
        struct shift *shift = &report->shifts[k];
        if (!shift->known) {
            continue;
        }
        double reach = report->critical * found[k].error;
        double own = critical_value(draw, distances + (k + 1) * SHIFT_RESAMPLES, CONFIDENCE_OWN,
                                    NORMAL_950) *
                     found[k].error;
        shift->low = shift->change - reach;
        shift->high = shift->change + reach;
        shift->own_low = shift->change - own;
        shift->own_high = shift->change + own;
        shift->verdict = judge_shift(shift, effects[k]);
    }
}

int shift_compare(const struct shift_side *base, const struct shift_side *new, size_t n_quantiles,
                  bool paired, const double effects[], struct shift_report *report)
{
    assert(base->n_runs <= SHIFT_RUNS_MAX && new->n_runs <= SHIFT_RUNS_MAX);
    assert(!paired || base->n_runs == new->n_runs);
    *report = (struct shift_report){.critical = NAN, .verdict = SHIFT_CANNOT_TELL};
    for (size_t k = 0; k < n_quantiles; k++) {
        report->shifts[k].verdict = SHIFT_CANNOT_TELL;
    }
    if (base->n_runs < SHIFT_RUNS_MIN || new->n_runs < SHIFT_RUNS_MIN) {
        return 0;
    }
    size_t most = base->n_runs > new->n_runs ? base->n_runs : new->n_runs;
    uint32_t *runs = calloc(2 * most, sizeof *runs);
    double *room = calloc(most + (n_quantiles + 1) * SHIFT_RESAMPLES, sizeof *room);
    int rc = runs == NULL || room == NULL ? -ENOMEM : 0;
    if (rc == 0) {
        struct draw draw = {base, new, paired, runs, runs + most, room};
        judge_all(&draw, runs, runs + most, n_quantiles, effects, report, room + most);
        report->verdict = conclude(report, n_quantiles);
    }
    free(runs);
    free(room);
    return rc;
}
