/* Deadlines of one shard: a list for each kind. Every deadline of a kind lies the same time ahead
 * when it is set, so a list is in order by itself: set, clear and "which is next" are O(1). */
#ifndef L0_ENGINE_DEADLINE_H
#define L0_ENGINE_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum deadline_kind {
    DEADLINE_IDLE,  /* no request under way */
    DEADLINE_FRAME, /* a frame has begun and must be complete by then; bytes do not extend it */
    DEADLINE_WAIT_PLACE,   /* back-pressure: waits for a request's place; first in, first served */
    DEADLINE_WAIT_GRANULE, /* likewise for memory to receive into */
    DEADLINE_WAIT_GROW,    /* likewise for the room that all of its frame needs */
    DEADLINE_REPLY,        /* the peer must take its reply */
    DEADLINE_LINGER,       /* after an error reply: input is discarded until then */
    DEADLINE_GRACE,        /* draining: a request may still be on its way */
    DEADLINE_KINDS,
    DEADLINE_NONE = DEADLINE_KINDS,
};

static inline bool deadline_is_wait(enum deadline_kind kind)
{
    return kind >= DEADLINE_WAIT_PLACE && kind <= DEADLINE_WAIT_GROW;
}

/* Embedded in what has the deadline; in at most one list. */
struct deadline {
    struct deadline *prev, *next;
    uint64_t at_ns;
    enum deadline_kind kind; /* DEADLINE_NONE: not set */
};

struct deadlines {
    struct deadline heads[DEADLINE_KINDS]; /* circular; the head's next is the earliest */
    uint64_t after_ns[DEADLINE_KINDS];     /* 0: this kind never expires (but keeps its order) */
};

void deadlines_init(struct deadlines *all, const uint64_t after_ns[DEADLINE_KINDS]);
void deadline_init(struct deadline *d);

/* (Re)sets d to now + the kind's time, at the end of the kind's list. */
void deadline_set(struct deadlines *all, struct deadline *d, enum deadline_kind kind,
                  uint64_t now_ns);
/* Puts d back where it was, by the time it had (a waiter that was called too early). */
void deadline_return(struct deadlines *all, struct deadline *d, enum deadline_kind kind,
                     uint64_t at_ns);
void deadline_clear(struct deadline *d);

/* The earliest of one kind (its first), or NULL. */
struct deadline *deadline_first(const struct deadlines *all, enum deadline_kind kind);
/* One that has expired, or NULL; the caller clears or resets it. */
struct deadline *deadline_expired(const struct deadlines *all, uint64_t now_ns);
/* When the next one expires; UINT64_MAX: never. */
uint64_t deadline_next_ns(const struct deadlines *all);

#endif
