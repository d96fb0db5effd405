#include "bench/summary.h"

#include "gate/decimal.h"
#include "gate/quantile.h"
#include "gate/report.h"

static double ms(uint64_t ps)
{
    return (double)ps / (double)GATE_PS_PER_MS;
}

json_t *summary_sample_json(const struct sample *sample)
{
    json_t *quantiles = json_array();
    if (sample->n == 0)
        return json_pack("{s:I, s:o}", "n", (json_int_t)0, "quantiles", quantiles);
    for (size_t i = 0; i < QUANTILES_REPORTED; i++) {
        struct quantile q = quantile_of(sample, quantiles_reported_ppm[i]);
        json_array_append_new(quantiles, report_quantile_json(&q));
    }
    return json_pack("{s:I, s:f, s:f, s:f, s:o}", "n", (json_int_t)sample->n, "min_ms",
                     ms(sample_at_rank(sample, 1)), "mean_ms", ms(sample_mean_ps(sample)), "max_ms",
                     ms(sample_at_rank(sample, sample->n)), "quantiles", quantiles);
}

json_t *summary_jitter_json(const struct jitter_result *jitter)
{
    json_t *json = summary_sample_json(&jitter->stalls);
    json_object_set_new(json, "processors", json_integer(jitter->n_processors));
    json_object_set_new(json, "behind_others", json_boolean(jitter->behind_others));
    return json;
}
