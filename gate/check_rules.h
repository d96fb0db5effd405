/* The rules of `l0-gate check --rule` over stored runs. */
#ifndef L0_GATE_CHECK_RULES_H
#define L0_GATE_CHECK_RULES_H

#include "gate/emit.h"
#include "gate/rule.h"

#include <stdbool.h>
#include <stddef.h>

struct check_rules {
    struct rules rules;
    char **paths; /* the runs; the caller's */
    size_t n_paths;
    const struct emit_targets *targets;
    bool allow_different; /* pool runs of different machines or loads all the same */
    bool json;
};

/* Loads the runs, judges every rule, and reports. The exit code of the verdict; *error is set when
 * there is none. */
int check_rules_run(const struct check_rules *check, struct gate_error *error);

#endif
