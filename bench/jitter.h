/* How long the machine itself stalls: on every processor a thread that sleeps and looks how late it
 * wakes, with real-time priority where that is allowed. Then no service and no client has done what
 * it finds; else it also waits behind busy threads, and the result says so. It stands beside every
 * run. */
#ifndef L0_BENCH_JITTER_H
#define L0_BENCH_JITTER_H

#include "gate/sample.h"

#include <stdbool.h>
#include <stdint.h>

#define JITTER_PERIOD_NS      UINT64_C(10000000) /* between two looks: rare enough not to disturb */
#define JITTER_SLOT_NS        UINT64_C(100000000) /* of each the worst is kept */
#define JITTER_PROCESSORS_MAX 128

struct jitter; /* a running probe */

struct jitter_slot {
    uint64_t begin_ns; /* CLOCK_MONOTONIC */
    uint64_t worst_ns; /* the longest stall of any processor */
};

/* What it saw. Owns its arrays. */
struct jitter_result {
    unsigned n_processors;
    struct jitter_slot *slots;
    size_t n_slots;
    struct sample stalls; /* all looks, sorted */
    bool behind_others;   /* of ordinary priority: what busy threads take is in it */
};

/* Starts it on the processors that this process may use. NULL when memory or threads are short. The
 * run must end within max_ns, else the rest is not recorded. */
struct jitter *jitter_start(uint64_t max_ns);

/* Stops and frees it; *result may be freed with jitter_result_free whatever came of it. jitter may
 * be NULL: then the result is empty. */
void jitter_stop(struct jitter *jitter, struct jitter_result *result);
void jitter_result_free(struct jitter_result *result);

#endif
