/* A quantile of a sample with its confidence interval. */
#ifndef L0_GATE_QUANTILE_H
#define L0_GATE_QUANTILE_H

#include "gate/interval.h"
#include "gate/sample.h"

#include <stdint.h>

#define QUANTILE_P999_PPM UINT32_C(999000)

#define QUANTILES_REPORTED 7
extern const uint32_t quantiles_reported_ppm[QUANTILES_REPORTED]; /* P50 ... P99.99 */

struct quantile {
    uint32_t q_ppm;
    uint64_t rank; /* nearest rank, 1-based */
    uint64_t value_ps;
    struct interval_ranks interval; /* 0: open on that side, and the value below means nothing */
    uint64_t low_ps;
    uint64_t high_ps;
};

/* sample is sorted and not empty. */
struct quantile quantile_of(const struct sample *sample, uint32_t q_ppm);

/* Whether a quantile keeps to a limit. With too few samples to bound it from above, the answer is
 * neither yes nor no, unless even its lower bound lies above the limit. */
enum quantile_verdict {
    QUANTILE_WITHIN,
    QUANTILE_ABOVE,
    QUANTILE_UNBOUNDED,
};
enum quantile_verdict quantile_judge(const struct quantile *quantile, uint64_t limit_ps);

/* Whether two samples differ in a quantile: exactly when their intervals do not overlap. */
enum quantile_change {
    QUANTILE_NOISE,   /* they overlap */
    QUANTILE_CHANGED, /* more than noise */
    QUANTILE_TOO_FEW, /* a bound that would decide does not exist */
};
enum quantile_change quantile_compare(const struct quantile *a, const struct quantile *b);

#endif
