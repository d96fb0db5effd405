#include "gate/evidence.h"

#include <assert.h>
#include <stdlib.h>

static int add_run(struct evidence *evidence, const char *path, struct gate_error *error)
{
    if (evidence->n_runs == EVIDENCE_RUNS_MAX) {
        return gate_error_set(error, GATE_USAGE, "%s: more than %d runs", path, EVIDENCE_RUNS_MAX);
    }
    struct run *grown = reallocarray(evidence->runs, evidence->n_runs + 1, sizeof *grown);
    if (grown == NULL) {
        return gate_error_set(error, GATE_USAGE, "%s: out of memory", path);
    }
    evidence->runs = grown;
    if (run_load(&grown[evidence->n_runs++], path, error) != 0) {
        return -1;
    }
    const struct run *added = &grown[evidence->n_runs - 1];
    for (size_t i = 0; i + 1 < evidence->n_runs; i++) {
        if (run_is_same(&grown[i], added)) {
            return gate_error_set(error, GATE_DATA,
                                  "%s and %s are one run: expected every run once", grown[i].path,
                                  added->path);
        }
    }
    return 0;
}

int evidence_add(struct evidence *evidence, const char *path, struct gate_error *error)
{
    char **names;
    int n = run_list(path, &names, error);
    if (n < 0) {
        return -1;
    }
    int result = n == 0 ? add_run(evidence, path, error) : 0;
    for (int i = 0; i < n && result == 0; i++) {
        result = add_run(evidence, names[i], error);
    }
    run_list_free(names, n);
    return result;
}

int evidence_check_alike(const struct evidence *sides, size_t n_sides, struct gate_error *error)
{
    assert(sides[0].n_runs > 0);
    const struct run *first = &sides[0].runs[0];
    for (size_t side = 0; side < n_sides; side++) {
        for (size_t i = 0; i < sides[side].n_runs; i++) {
            const struct run *run = &sides[side].runs[i];
            char what[128];
            if (run_differs(first, run, what)) {
                return gate_error_set(error, GATE_DATA,
                                      "%s and %s differ in %s: they cannot be put together "
                                      "(--allow-different does it all the same)",
                                      first->path, run->path, what);
            }
        }
    }
    return 0;
}

static void add_counter(struct counter *sum, const struct counter *counter)
{
    sum->known = sum->known && counter->known &&
                 !__builtin_add_overflow(sum->value, counter->value, &sum->value);
}

int evidence_pool(struct evidence *evidence, struct gate_error *error)
{
    evidence->counters = (struct counters){{true, 0}, {true, 0}, {true, 0}};
    evidence->hedge_wins = (struct counter){true, 0};
    for (size_t i = 0; i < evidence->n_runs; i++) {
        const struct run *run = &evidence->runs[i];
        for (size_t j = 0; j < run->latency.n; j++) {
            const struct sample_value *value = &run->latency.values[j];
            if (sample_add(&evidence->pooled, value->value_ps, value->line) != 0) {
                return gate_error_set(error, GATE_USAGE, "%s: out of memory", run->path);
            }
        }
        evidence->n_unanswered += run->n_unanswered;
        add_counter(&evidence->counters.requests, &run->counters.requests);
        add_counter(&evidence->counters.errors, &run->counters.errors);
        add_counter(&evidence->counters.hedges_fired, &run->counters.hedges_fired);
        add_counter(&evidence->hedge_wins, &run->hedge_wins);
        if (!run->valid && evidence->invalid == NULL) {
            evidence->invalid = run;
        }
    }
    if (evidence->n_runs > 1) {
        sample_sort(&evidence->pooled);
    }
    return 0;
}

void evidence_free(struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->n_runs; i++) {
        run_free(&evidence->runs[i]);
    }
    free(evidence->runs);
    sample_free(&evidence->pooled);
    *evidence = (struct evidence){0};
}

/* Moves a bound of the interval outwards; a bound that does not exist stays so. */
static void widen(struct quantile *quantile, uint64_t low_ps, uint64_t high_ps)
{
    if (quantile->interval.low != 0 && low_ps < quantile->low_ps) {
        quantile->low_ps = low_ps;
    }
    if (quantile->interval.high != 0 && high_ps > quantile->high_ps) {
        quantile->high_ps = high_ps;
    }
}

int evidence_quantile(const struct evidence *evidence, uint32_t q_ppm, struct quantile *quantile,
                      struct gate_error *error)
{
    *quantile = quantile_of(&evidence->pooled, q_ppm);
    if (evidence->n_runs < 2) {
        return 0;
    }
    const struct sample *runs[EVIDENCE_RUNS_MAX];
    uint64_t low_ps = 0;
    uint64_t high_ps = 0;
    for (size_t i = 0; i < evidence->n_runs; i++) {
        runs[i] = &evidence->runs[i].latency;
    }
    if (blocks_interval(runs, evidence->n_runs, &evidence->pooled, q_ppm, &low_ps, &high_ps) != 0) {
        return gate_error_set(error, GATE_USAGE, "out of memory while drawing runs");
    }
    widen(quantile, low_ps, high_ps);
    return 0;
}
