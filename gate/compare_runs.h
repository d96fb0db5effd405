/* `l0-gate compare` over two sides of several runs. */
#ifndef L0_GATE_COMPARE_RUNS_H
#define L0_GATE_COMPARE_RUNS_H

#include "gate/effects.h"
#include "gate/emit.h"
#include "gate/error.h"
#include "gate/evidence.h"
#include "gate/shift.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct compare_runs {
    struct evidence sides[2]; /* base and new; what was added, not pooled */
    uint32_t quantiles_ppm[SHIFT_QUANTILES_MAX];
    size_t n_quantiles;     /* 0: P50, P99, P99.9 */
    struct effects effects; /* the smallest changes that matter */
    bool allow_different;
    bool drop_invalid;
    bool json;
    const struct emit_targets *targets;
};

/* Compares and reports. The exit code: GATE_PASS for no difference or better, GATE_FAILED for
 * worse, GATE_DATA where it cannot be told, GATE_INVALID for a run that is not valid; *error is set
 * when there is none. */
int compare_runs(struct compare_runs *compare, struct gate_error *error);

#endif
