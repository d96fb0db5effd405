/* How far a quantile moved between two sides of several runs each, and what of it is chance.
 *
 * A run is one observation: the logarithm of its quantile. Runs that were made one beside the other
 * (A B B A ...) are paired, and their difference is free of what drifted slowly; else the sides are
 * compared as a whole. The location of the differences is their 20 % trimmed mean, whose error
 * comes from the winsorised variance (K. K. Yuen, Biometrika 61, 1974): a run that the machine
 * disturbed does not decide. The interval is a bootstrap over runs as blocks: whole runs, or pairs
 * of them, are drawn with replacement, and in each draw the largest distance from what was found,
 * in errors of its quantile, counts (A. C. Davison and D. V. Hinkley, Bootstrap Methods and their
 * Application, chapter 5). So all intervals hold together with 95 %: looking at three quantiles
 * does not triple the false alarms. That there is no difference is told by a quantile's own
 * interval of 90 %: two tests of 5 % each, that the change is not as low as the one limit and not
 * as high as the other (D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15,
 * 1987). To say it of all quantiles, each must pass, so nothing has to be made up for. Both are
 * widened for few runs, as a t interval is wider than a normal one (T. C. Hesterberg, The American
 * Statistician 69, 2015). How well all this does is measured: l0-gate simulate. */
#ifndef L0_GATE_SHIFT_H
#define L0_GATE_SHIFT_H

#include "gate/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHIFT_QUANTILES_MAX 8
#define SHIFT_RUNS_MIN      6    /* a side; below, nothing can be told */
#define SHIFT_RUNS_MAX      1000 /* a side */
#define SHIFT_RESAMPLES     2000

enum shift_verdict {
    SHIFT_NO_DIFFERENCE, /* none that matters: the own interval is within the smallest effect */
    SHIFT_BETTER,        /* lower for sure, and by the smallest effect at least */
    SHIFT_WORSE,         /* higher for sure, and by the smallest effect at least */
    SHIFT_CANNOT_TELL,
};

/* "no difference", "better", "worse", "cannot tell" */
const char *shift_verdict_text(enum shift_verdict verdict);

/* logs[k][i]: of quantile k in run i, in natural logarithms; NAN where a run is too small for it or
 * it is not a time. */
struct shift_side {
    double *logs[SHIFT_QUANTILES_MAX];
    size_t n_runs;
};

struct shift {
    bool known;
    double base, new; /* the location of each side's logs */
    double change;    /* in logarithms; so are low and high, the 95 % interval of all together */
    double low, high;
    double own_low, own_high; /* the 90 % interval of this quantile by itself */
    enum shift_verdict verdict;
};

struct shift_report {
    struct shift shifts[SHIFT_QUANTILES_MAX];
    double critical; /* how many standard errors the intervals reach */
    enum shift_verdict verdict;
};

/* The logarithm of a run's quantile in ms; NAN when the run is too small to bound it from above, or
 * when the value is 0 or that of an unanswered request. */
double shift_log_quantile(const struct sample *sample, uint32_t q_ppm);

/* Compares n_quantiles <= SHIFT_QUANTILES_MAX of both sides. paired: run i of one side belongs to
 * run i of the other, equally many. effects: of each, the smallest change that matters, as 0.05. 0
 * or -ENOMEM.
 */
int shift_compare(const struct shift_side *base, const struct shift_side *new, size_t n_quantiles,
                  bool paired, const double effects[], struct shift_report *report);

#endif
