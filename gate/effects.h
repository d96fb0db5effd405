/* The smallest change that matters, of each quantile: an extreme one is known less well, and a
 * change that would be alarming of the median may be nothing there. */
#ifndef L0_GATE_EFFECTS_H
#define L0_GATE_EFFECTS_H

#include "gate/shift.h"

#include <argp.h>
#include <stdint.h>

#define EFFECTS_DEFAULT 0.05

/* Initialise with .of_all = EFFECTS_DEFAULT. */
struct effects {
    double of_all; /* 0.05: 5 % */
    struct {
        uint32_t q_ppm;
        double effect;
    } own[SHIFT_QUANTILES_MAX];
    size_t n_own;
};

/* The value of --min-effect: "5%", or "p99.9=25%" for one quantile; argp_error else. */
void effects_argument(const struct argp_state *state, struct effects *effects, const char *text);

double effects_of(const struct effects *effects, uint32_t q_ppm);

#endif
