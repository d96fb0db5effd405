#include "gate/effects.h"

#include "gate/format_options.h"
#include "gate/rule.h"

#include <string.h>

void effects_argument(const struct argp_state *state, struct effects *effects, const char *text)
{
    const char *equals = strchr(text, '=');
    const char *rate = equals != NULL ? equals + 1 : text;
    double effect = format_option_rate_ppm(state, "--min-effect", rate) / (double)GATE_PPM;
    if (equals == NULL) {
        effects->of_all = effect;
        return;
    }
    uint32_t q_ppm = rule_quantile_ppm(text, (size_t)(equals - text));
    if (q_ppm == 0 || effects->n_own == SHIFT_QUANTILES_MAX) {
        argp_error(state, "--min-effect: found '%s', expected up to %d such as p99.9=25%%", text,
                   SHIFT_QUANTILES_MAX);
    }
    effects->own[effects->n_own].q_ppm = q_ppm;
    effects->own[effects->n_own++].effect = effect;
}

double effects_of(const struct effects *effects, uint32_t q_ppm)
{
    double effect = effects->of_all;
    for (size_t i = 0; i < effects->n_own; i++) { /* the last one holds, as with other options */
        effect = effects->own[i].q_ppm == q_ppm ? effects->own[i].effect : effect;
    }
    return effect;
}
