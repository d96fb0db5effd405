/* Several servers side by side: the same load on each in turn, round after round, so that whatever
 * disturbs the machine meets all of them. The first contender is the one that is judged. */
#ifndef L0_BENCH_SIDE_H
#define L0_BENCH_SIDE_H

#include "bench/document.h"
#include "bench/load.h"
#include "gate/sample.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SIDE_CONTENDERS_MAX 8
#define SIDE_ROUNDS_MAX     1000

/* What is compared in every round. */
enum side_figure { SIDE_P50, SIDE_P99, SIDE_P999, SIDE_RPS, SIDE_FIGURES };

struct side_contender {
    const char *name, *target; /* the caller's */
    bool expected;             /* else the document's counts are expected */
    uint32_t n_tokens, issues_len;
    uint32_t n_idle;

    /* filled by side_run */
    struct sample pooled;           /* the round trips of all rounds, sorted at the end */
    double (*rounds)[SIDE_FIGURES]; /* ms, and requests a second */
};

struct side {
    struct side_contender contenders[SIDE_CONTENDERS_MAX];
    size_t n_contenders;
    uint32_t n_rounds;
    struct load_options load; /* target, counts and idle are the contender's */
};

/* Runs all rounds: A B C, C B A, … 0, or negative errno after a failure whose text is in failure:
 * -EPROTO for a wrong or missing reply. side_free is due either way. */
int side_run(struct side *side, const struct document *document, char failure[640]);
void side_free(struct side *side);

/* Medians over the rounds with the least and the greatest, and the ratios of the first contender to
 * each other one, taken round by round. */
void side_print(const struct side *side, const struct document *document, FILE *out);
json_t *side_json(const struct side *side, const struct document *document);

#endif
