/* What the load generator itself adds and can do, on this machine, now: rounds in which bare
 * clients and the generator take turns, and targets that are met, missed, or not to be told. */
#ifndef L0_BENCH_CALIBRATE_H
#define L0_BENCH_CALIBRATE_H

#include "bench/open.h"

#include <stdbool.h>
#include <stdint.h>

#define CALIBRATE_ROUNDS_MAX 1000

/* What one round measures; times in us, but for the verdict's in s. */
enum calibrate_figure {
    CALIBRATE_BARE_P50,
    CALIBRATE_BARE_P99,
    CALIBRATE_OPEN_P50,
    CALIBRATE_OPEN_P99,
    CALIBRATE_BARE_LAG_P99,
    CALIBRATE_BARE_LAG_P999,
    CALIBRATE_OPEN_LAG_P999,
    CALIBRATE_STALL_P999, /* the machine's own, by the jitter probe */
    CALIBRATE_BARE_RPS,
    CALIBRATE_OPEN_RPS,
    CALIBRATE_VERDICT_S, /* loading and judging a run of n_samples */
    CALIBRATE_FIGURES,
};

/* "bare_p50_us" */
const char *calibrate_figure_name(enum calibrate_figure figure);

struct calibrate {
    struct open_options load;
    const char *flood_target; /* where both are to send as fast as they can */
    uint32_t n_flood;         /* requests of each flood */
    uint32_t n_samples;       /* 0: no verdict is timed */
    unsigned n_rounds;
    double (*rounds)[CALIBRATE_FIGURES]; /* n_rounds of them */
};

/* Makes round r, in the other order every second time. 0, or negative errno with the reason in
 * failure where it is known: -EPROTO for a reply that is wrong or missing, -EINTR when a signal
 * ended it. */
int calibrate_round(struct calibrate *calibrate, const struct document *document, unsigned r,
                    char failure[512]);

/* Over the rounds, of a figure, or of its difference from or ratio to another one's. */
struct calibrate_median {
    double value;
    double low, high; /* 95 % interval from order statistics; not there with fewer than 6 rounds */
    bool bounded;
};

enum calibrate_how { CALIBRATE_PLAIN, CALIBRATE_MINUS, CALIBRATE_OVER };
struct calibrate_median calibrate_median(const struct calibrate *calibrate,
                                         enum calibrate_figure figure, enum calibrate_how how,
                                         enum calibrate_figure other);

enum calibrate_verdict {
    CALIBRATE_MET,
    CALIBRATE_MISSED,
    CALIBRATE_CANNOT_TELL,
};

/* "met", "missed", "cannot tell" */
const char *calibrate_verdict_text(enum calibrate_verdict verdict);

enum { CALIBRATE_ADDS, CALIBRATE_LAG, CALIBRATE_RATE, CALIBRATE_JUDGES, CALIBRATE_TARGETS };

struct calibrate_target {
    const char *name; /* "adds_p99_us" */
    const char *what; /* for people */
    const char *unit;
    double limit;
    bool at_least; /* else at most */
    struct calibrate_median median;
    enum calibrate_verdict verdict;
    const char *note; /* why it cannot be told; "" */
};

/* Judges all but the last when no verdict was timed; how many. A target is met or missed when the
 * whole interval says so; a miss that the bare client shares by being late itself is the machine's,
 * and cannot be told from the generator's. */
unsigned calibrate_judge(const struct calibrate *calibrate,
                         struct calibrate_target targets[CALIBRATE_TARGETS]);

#endif
