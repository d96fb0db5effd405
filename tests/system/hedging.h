/* Shared by the tests of hedging: a daemon with so many shards, what its counters and its tail file
 * say, and a load of a few clients. Failures are Criterion assertions. */
#ifndef L0_TESTS_SYSTEM_HEDGING_H
#define L0_TESTS_SYSTEM_HEDGING_H

#include "tests/system/traffic.h"

#include <stdint.h>

enum { CLIENTS = 4, ROWS_MAX = 512 };

/* A row of the tail file. */
struct row {
    uint64_t in_start, proc_start, hedge_fire, first_reply, reply_ready;
    unsigned hedged;
    char origin;
};

/* With so many shards (or the test is skipped), more options and environment; NULL-terminated. */
void hedge_start(struct daemon *d, int shards, const char *const *more, const char *const *env);
/* The sum of l0_hedge_NAME_total. */
uint64_t hedge_count(const struct daemon *d, const char *name);
/* Every duplicate came to an end, everything is released. */
void hedge_expect_settled(const struct daemon *d);
/* The tail file's rows after SIGUSR1, at most ROWS_MAX; their number. */
unsigned hedge_rows(const struct daemon *d, struct row *rows);

/* One client's n round trips on a connection of its own; the thread's function, its argument. */
struct load {
    pthread_t thread;
    const struct daemon *d;
    const struct traffic_doc *doc;
    unsigned n;
    const char *failure;
};
void *load_main(void *load);
/* CLIENTS of them at once, each right. */
void run_load(const struct daemon *d, const struct traffic_doc *doc, unsigned n);

#endif
