/* A shard: one thread pinned to one core, with its own ring, arenas, pools and connections.
 *
 * What other threads may touch of it is marked "shared"; everything else is the shard's own. */
#ifndef L0_ENGINE_SHARD_H
#define L0_ENGINE_SHARD_H

#include "engine/arena.h"
#include "engine/board.h"
#include "engine/conn.h"
#include "engine/deadline.h"
#include "engine/fault.h"
#include "engine/heap.h"
#include "engine/hedge.h"
#include "engine/hedge_policy.h"
#include "engine/listener.h"
#include "engine/mailbox.h"
#include "engine/metrics.h"
#include "engine/options.h"
#include "engine/request.h"
#include "engine/returns.h"
#include "engine/ring.h"
#include "engine/tail.h"
#include "engine/watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What main asks of a shard; bits of shard.control. */
enum {
    SHARD_DRAIN = 1,  /* stop accepting, answer what is in hand, return */
    SHARD_ROTATE = 2, /* turn to the other arena */
};

enum shard_go { SHARD_GO_WAIT, SHARD_GO_RUN, SHARD_GO_ABORT };

struct shard;

/* What all shards share; set up by main before the threads start and constant from then on, but for
 * what says otherwise. */
struct shard_set {
    const struct options *options;
    struct shard *shards;
    uint32_t n_shards;
    struct conn *conns; /* options->max_conns of them, by slot */
    struct lexer_options lexer_options;

    /* The start: shards get their memory and report; only when all have it does main open the
     * listeners and let them run. Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t n_reported;
    enum shard_go go;
    uint32_t
        n_ended; /* that have left their loops: from n_shards on nobody uses another's memory */

    _Atomic uint32_t swept; /* draining shards that accept no more; each adds 1 (release), all read
                               (acquire): from n_shards on no more mail comes */
};

struct shard {
    uint32_t index;
    int cpu;
    struct shard_set *set;
    const struct options *options;

    struct ring *ring;
    int doorbell; /* shared: eventfd, written by those who post mail or control bits */
    struct heap *heap;
    struct arena_pair arenas;
    struct request_pool requests;
    struct deadlines deadlines;
    struct fault fault;
    struct hedger hedger;
    struct hedge_history history;
    struct watch watches[WATCH_COUNT];
    uint64_t timer_ns; /* the earliest timer under way for them; UINT64_MAX: none */
    uint8_t *scratch;  /* options->slice_bytes of room for input that is thrown away */

    struct conn *conns; /* conn_cap of them; slots are conns[i].slot */
    uint32_t conn_cap, first_slot;
    struct conn *free_conns;
    struct conn *ready_first, *ready_last; /* linked through this shard's arm of each */
    uint32_t n_ready;

    struct listener listeners[LISTENER_MAX];
    uint32_t n_listeners;

    bool draining, swept;
    uint64_t drain_until_ns;
    uint64_t now_ns; /* the loop's clock, read once a turn; handlers that measure read their own */

    struct shard *sibling; /* constant: serves ours when we stand still; NULL: no hedging */
    struct shard *ward;    /* constant: whose sibling we are */

    struct board board;           /* shared: readable by its siblings (board.h) */
    struct returns returns;       /* shared: pushed by its siblings (returns.h) */
    int watch_set;                /* shared: epoll instance, waited for by the sibling; -1: none */
    struct tail *tail;            /* shared: readable by anyone (tail.h) */
    struct metrics_shard metrics; /* shared: readable by anyone, written by the shard */
    struct mailbox *inboxes;      /* shared: one for each sender, indexed by its shard */
    _Alignas(
        64) _Atomic uint32_t control;   /* shared: bits set by main (release), taken by the shard */
    _Alignas(64) _Atomic uint32_t load; /* shared: connections at home here or on their way; a
                                           count only, it orders nothing: relaxed, but
                                           compare-and-swap so that two acceptors never pick the
                                           same last place */
    _Atomic bool stands_still;          /* shared: written by its sibling; a hint, relaxed */
    _Atomic uint64_t
        auto_delay_ns; /* shared: written by the shard, read by its siblings;
                          UINT64_MAX:     no history yet. A number by itself: relaxed */
    int start_error;   /* shared: under set->lock until all have reported */
    pthread_t thread;
};

/* In main, before shard_prepare: each shard is the sibling of the one before it, round the ring. */
void shard_set_pair(struct shard_set *set);

/* In main: ring (disabled), doorbell, tail, inboxes, board, watch set. 0 or negative errno. */
int shard_prepare(struct shard *shard, struct shard_set *set, uint32_t index, int cpu,
                  struct conn *conns, uint32_t first_slot, uint32_t conn_cap);

/* Starts the thread, which initializes, reports, and waits for shard_set_go. 0 or negative errno.
 */
int shard_start(struct shard *shard);

/* Main: waits until n shards have reported; 0, or the first one's error. */
int shard_set_wait(struct shard_set *set, uint32_t n);
/* Main: lets them run, or end. */
void shard_set_go(struct shard_set *set, enum shard_go go);

/* Any thread: sets control bits and rings the doorbell. */
void shard_control(struct shard *shard, uint32_t bits);

/* Main, after the thread ended (or never started): releases the rest. */
void shard_release(struct shard *shard);

/* Any thread. */
void shard_ring_doorbell(struct shard *shard);

/* Any shard: somebody has sent it a connection that it has not adopted yet. A hint. */
bool shard_has_mail(const struct shard *shard);
/* The shard, or its sibling while it stands still: such a connection, counted in the shard's load;
 * or -1. */
int shard_take_mail(struct shard *shard);

/* Any thread: gives something back, and rings the doorbell where nothing lay there. */
void shard_return(struct shard *shard, struct returned *item);

static inline bool shard_is_home(const struct shard *shard, const struct conn *conn)
{
    return conn->home == shard->index;
}

static inline struct conn *shard_conn(const struct shard_set *set, uint32_t slot)
{
    return &set->conns[slot];
}

/* The connection that a deadline is part of. */
static inline struct conn *shard_conn_of(struct deadline *d)
{
    return (struct conn *)((char *)d - offsetof(struct conn, deadline));
}

/* The shard's own thread: a connection that wants a turn, once. */
void shard_make_ready(struct shard *shard, struct conn *conn);

#endif
