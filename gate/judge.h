/* The gates of `l0-gate check`: pure functions from data to judgements. */
#ifndef L0_GATE_JUDGE_H
#define L0_GATE_JUDGE_H

#include "gate/counters.h"
#include "gate/error.h"
#include "gate/quantile.h"
#include "gate/report.h"
#include "gate/sample.h"
#include "gate/tail_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct judge_limits {
    uint64_t p999_ps;
    uint32_t hedge_rate_ppm;
    uint64_t n_min;
    bool counters_optional; /* a gate without its counters is left out, not inconclusive */
};

#define JUDGE_P999_MS_DEFAULT        20
#define JUDGE_HEDGE_RATE_PPM_DEFAULT 20000
#define JUDGE_N_MIN_DEFAULT          100000

enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_INCONCLUSIVE,
    VERDICT_NOT_JUDGED,
    VERDICT_INVALID,
};

/* One gate. exit is what this gate asks for: GATE_PASS, GATE_DATA or GATE_FAILED. Fields that do
 * not apply are empty. */
struct judgement {
    const char *name;
    const char *word; /* what the verdict is called, where it has a name of its own; else NULL */
    enum verdict verdict;
    enum gate_exit exit;
    struct report_text value;
    struct report_text limit;
    struct report_text margin;
    struct report_text interval;
    struct report_text note; /* why it is not a plain pass */
};

enum judge_gate {
    JUDGE_SAMPLES,    /* N >= n_min */
    JUDGE_P999,       /* P99.9 <= limit */
    JUDGE_HEDGE_RATE, /* hedges fired / requests <= limit, and the counts can be true */
    JUDGE_ERRORS,     /* none */
    JUDGE_REQUESTS,   /* consistency: every sample is one of the counted requests */
    JUDGE_TAIL_ROWS,  /* consistency: the tail is long enough to hold P99.9 */
    JUDGE_BRACKETS,   /* consistency: j-th slowest bracket <= j-th slowest round trip */
    JUDGE_N_GATES,
};

struct judge_report {
    struct quantile p999;
    struct judgement gates[JUDGE_N_GATES];
    enum verdict verdict;
    enum gate_exit exit; /* GATE_DATA before GATE_FAILED: bad data proves nothing */
};

/* round_trips: sorted, not empty. */
void judge(struct judge_report *report, const struct sample *round_trips,
           const struct tail_file *tail, const struct counters *counters,
           const struct judge_limits *limits);

/* "PASS", "FAIL", "INCONCLUSIVE", "NOT JUDGED", "INVALID" */
const char *verdict_text(enum verdict verdict);

#endif
