/* The language of the gate: METRIC RELATION LIMIT, such as p99.9<=20ms, and its verdicts. */
#ifndef L0_GATE_RULE_H
#define L0_GATE_RULE_H

#include "gate/error.h"
#include "gate/evidence.h"
#include "gate/judge.h"

#include <stddef.h>
#include <stdint.h>

enum rule_metric {
    RULE_QUANTILE,   /* p50 ... p99.9999, of the latency */
    RULE_MIN,        /* of the latency, of these runs */
    RULE_MAX,        /* the same */
    RULE_N,          /* samples */
    RULE_REQUESTS,   /* counted */
    RULE_ERRORS,     /* counted */
    RULE_HEDGES,     /* counted: fired */
    RULE_WINS,       /* counted: replies that came from a hedge */
    RULE_ERROR_RATE, /* errors / requests */
    RULE_HEDGE_RATE, /* hedges fired / requests */
};

enum rule_relation { RULE_LE, RULE_LT, RULE_GE, RULE_GT, RULE_EQ, RULE_NE };

#define RULE_TEXT_BYTES 80
#define RULES_MAX       256

/* The limit is in ps for a latency, a count for a count, and in parts of 10^9 for a rate. */
struct rule {
    char text[RULE_TEXT_BYTES]; /* as it was written, without blanks */
    enum rule_metric metric;
    uint32_t q_ppm; /* RULE_QUANTILE only */
    enum rule_relation relation;
    uint64_t limit;
};

struct rules {
    struct rule rules[RULES_MAX];
    size_t n;
};

/* Adds the rule that the text is. `where` begins the message ("--rule" or "FILE:LINE"). 0, or -1
 * with *error set (GATE_USAGE): what was found, and what was expected. */
int rule_add(struct rules *rules, const char *text, const char *where, struct gate_error *error);

/* Adds the rules of a file: one a line; blank lines and those that begin with '#' are skipped. */
int rule_add_file(struct rules *rules, const char *path, struct gate_error *error);

/* "p99.9" (so many bytes of it) in parts per million; 0 when it is no quantile of the language. */
uint32_t rule_quantile_ppm(const char *name, size_t length);

/* Judges one rule. PASS and FAIL only when the whole 95 % interval lies on one side of the limit,
 * else INCONCLUSIVE, as it is when samples or a counter are missing; INVALID for every rule when a
 * run is. 0, or -1 with *error set (memory). */
int rule_judge(const struct rule *rule, const struct evidence *evidence,
               struct judgement *judgement, struct gate_error *error);

#endif
