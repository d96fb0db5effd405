/* What was counted over a whole run: the metrics' difference from its start to its end. */
#ifndef L0_GATE_COUNTERS_H
#define L0_GATE_COUNTERS_H

#include "gate/error.h"

#include <stdbool.h>
#include <stdint.h>

struct counter {
    bool known;
    uint64_t value;
};

struct counters {
    struct counter requests;
    struct counter errors;
    struct counter hedges_fired;
};

/* Reads the run summary that l0-bench writes beside its raw file: a JSON object with "requests",
 * "errors" and "hedges_fired", each a whole number, or null or absent when it is not known; other
 * keys are ignored. 0, or -1 with *error set: GATE_USAGE when it cannot be read, GATE_DATA when it
 * is not such an object. */
int counters_load(struct counters *counters, const char *path, struct gate_error *error);

#endif
