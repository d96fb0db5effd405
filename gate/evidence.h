/* All runs that a verdict is about, put together. */
#ifndef L0_GATE_EVIDENCE_H
#define L0_GATE_EVIDENCE_H

#include "gate/blocks.h"
#include "gate/error.h"
#include "gate/quantile.h"
#include "gate/run.h"

#include <stddef.h>

#define EVIDENCE_RUNS_MAX BLOCKS_RUNS_MAX

/* Owns its runs. Zero-initialised it is empty. */
struct evidence {
    struct run *runs;
    size_t n_runs;
    struct sample pooled; /* the latencies of all runs, sorted */
    uint64_t n_unanswered;
    struct counters counters; /* sums; known only if every run knows its own */
    struct counter hedge_wins;
    const struct run *invalid; /* the first run that is not valid, or NULL */
};

/* Adds a run, or every run of a directory of runs. 0, or -1 with *error set as run_load does.
 * evidence_free is due either way. */
int evidence_add(struct evidence *evidence, const char *path, struct gate_error *error);

/* Refuses runs of another machine or load than the first one's; sides[0] has a run. 0, or -1 with
 * *error set (GATE_DATA). */
int evidence_check_alike(const struct evidence *sides, size_t n_sides, struct gate_error *error);

/* Pools what was added. 0, or -1 with *error set. */
int evidence_pool(struct evidence *evidence, struct gate_error *error);
void evidence_free(struct evidence *evidence);

/* The quantile of the pooled latencies. Its interval is that of independent samples, widened by the
 * one that takes runs as blocks where there are several. 0, or -1 with *error set (memory). */
int evidence_quantile(const struct evidence *evidence, uint32_t q_ppm, struct quantile *quantile,
                      struct gate_error *error);

#endif
