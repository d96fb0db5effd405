/* Duplicates: a shard lexes the bytes of a request that another one has in hand and does not get on
 * with; the connection's word says whose result counts.
 *
 * A duplicate reads the lent input, with a request of its own, from where the lexer was when the
 * frame became whole (request_mark), or from its beginning; slice by slice, and looks at the word
 * before each: once the owner has decided, it is given up. */
#ifndef L0_ENGINE_HEDGE_H
#define L0_ENGINE_HEDGE_H

#include "engine/hedge_policy.h"
#include "engine/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct request;
struct shard;

struct hedge_duplicate {
    struct hedge_duplicate *next; /* in the queue, or in the free list */
    struct conn *conn;
    struct request *lent; /* a hold on it is ours */
    struct request *own;
    bool begun;
};

/* One of a shard; its own thread's. */
struct hedger {
    struct hedge_budget budget;
    struct hedge_duplicate *first, *last, *free;
    struct hedge_duplicate duplicates[LIMIT_HEDGE_DUPLICATES];
};

void hedge_init(struct hedger *hedger, uint32_t share_ppm);

/* The connection is in PROC by another shard, which stands still: hedges its request if that is due
 * and allowed. When it will be due; UINT64_MAX: there is nothing to wait for. */
uint64_t hedge_consider(struct shard *shard, struct conn *conn, uint64_t proc_word);

/* A few slices, of the oldest duplicate first: it is the latest. */
void hedge_run(struct shard *shard);

static inline bool hedge_busy(const struct hedger *hedger)
{
    return hedger->first != NULL;
}

#endif
