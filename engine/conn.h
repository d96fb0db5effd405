/* A connection: its word, its input, its reply, and how it is closed.
 *
 * The word says who may touch the rest:
 *
 *     seq:48 | state:7 | HEDGED:1 | owner:8
 *
 *     FREE -> IDLE            adopted (home)
 *     IDLE -> RECV(me)        claim: compare-and-swap; one receive
 *     RECV(me) -> IDLE        yield: the frame is not complete yet
 *     RECV(me) -> PROC(me)    a whole frame is here
 *     PROC(me) -> REPLY(me)   decide: compare-and-swap; only the winner sends
 *     RECV(me) -> REPLY(me)   reject: an error reply without a result
 *     REPLY(me) -> IDLE       finish: the reply is out, seq + 1
 *     IDLE -> CLOSING(home)   close: compare-and-swap
 *     RECV|PROC|REPLY(me) -> CLOSING(me)
 *     CLOSING -> FREE         the last completion is reaped, the descriptor closed; seq + 1
 *
 * Every transition makes its writer the only one who may touch the other fields; the
 * compare-and-swaps are acq_rel and the stores release, so what the last owner wrote is visible to
 * the next. seq never goes back, not even when the slot is reused: there is no ABA. (Today the home
 * shard is the only claimant; the HEDGED bit is reserved for a sibling.)
 *
 * Input is announced by one multishot poll for the connection's whole life: it costs nothing per
 * request (a one-shot poll, re-armed for each, costs a microsecond). Its events are edges, so
 * readable keeps what they said until a receive finds the socket empty.
 *
 * Closing: shutdown(2), cancel the polls that are armed, wait for the last completion, close(2); so
 * a descriptor's number is never reused while an operation on it is under way. */
#ifndef L0_ENGINE_CONN_H
#define L0_ENGINE_CONN_H

#include "engine/arena.h"
#include "engine/deadline.h"
#include "engine/request.h"
#include "engine/ring.h"
#include "proto/wire.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum conn_state { CONN_FREE, CONN_IDLE, CONN_RECV, CONN_PROC, CONN_REPLY, CONN_CLOSING };

#define CONN_OWNER_NONE UINT64_C(0xff)
#define CONN_HEDGED     UINT64_C(0x100)

/* Bytes [off, have) of the block are received and not yet answered; the current frame, header
 * first, begins at off. Invariant: off <= have <= block.cap_bytes. */
struct conn_input {
    struct arena_block block;
    uint32_t off, have;
    uint64_t seen_ns; /* before the receive that brought the last bytes */
    uint64_t recv_ns; /* after it */
};

struct conn {
    _Alignas(64) _Atomic uint64_t word;
    int fd;
    uint32_t slot;       /* index in the engine's array, for ever */
    uint32_t generation; /* of the slot; in every user_data */
    uint8_t home;        /* shard */

    /* home's bookkeeping of the ring and its queues */
    bool queued;      /* in the ready queue */
    bool in_armed;    /* the poll for input is under way */
    bool out_armed;   /* the poll for room to send is under way */
    bool readable;    /* the socket may hold bytes, or the end, that was not received yet */
    bool peer_done;   /* the peer sends no more: no edge follows, so always readable */
    uint8_t ops;      /* operations whose last completion is outstanding: polls, cancellations */
    bool lingering;   /* an error reply is out: discard input, then close */
    bool close_after; /* the reply under way is the last one */
    struct conn *next_ready;
    struct deadline deadline;
    enum deadline_kind wait_kind; /* what it waited for; valid while wait_at_ns is not 0 */
    uint64_t wait_at_ns;          /* end of the back-pressure wait it was called from; 0 none */
    uint64_t wait_since_ns;       /* when that wait began; 0 none */

    /* under the word */
    struct conn_input in;
    struct request *request; /* NULL: no byte of the next frame seen, or no place for it yet */
    bool accepted;           /* counted as accepted, and neither answered nor aborted yet */
    uint8_t out[WIRE_REPLY_BYTES];
    uint8_t out_sent;
    uint32_t out_status;
};

static inline uint64_t conn_word_make(uint64_t seq, enum conn_state state, uint64_t owner)
{
    return seq << 16 | (uint64_t)state << 9 | owner;
}

static inline enum conn_state conn_word_state(uint64_t word)
{
    return (enum conn_state)(word >> 9 & 0x7f);
}

static inline uint64_t conn_word_owner(uint64_t word)
{
    return word & 0xff;
}

static inline uint64_t conn_word_seq(uint64_t word)
{
    return word >> 16;
}

static inline enum conn_state conn_state(const struct conn *c)
{
    return conn_word_state(atomic_load_explicit(&c->word, memory_order_acquire));
}

/* The transitions. The bool ones fail when another shard was first; the others may only be called
 * by the owner, which is asserted. */
void conn_adopt(struct conn *c, int fd);
bool conn_claim(struct conn *c, uint8_t me);
void conn_yield(struct conn *c, uint8_t me);
void conn_begin(struct conn *c, uint8_t me);
bool conn_decide(struct conn *c, uint8_t me);
void conn_reject(struct conn *c, uint8_t me);
void conn_finish(struct conn *c, uint8_t me);
bool conn_begin_close(struct conn *c, uint8_t me);

/* Arm the poll unless it is armed. */
void conn_poll_in(struct conn *c, struct ring *ring);
void conn_poll_out(struct conn *c, struct ring *ring);

/* In CLOSING: shuts the socket down and cancels its polls. */
void conn_shut(struct conn *c, struct ring *ring);

/* In CLOSING with nothing outstanding: closes the descriptor and frees the slot. false: a
 * completion, or a turn in the ready queue, is still to come. */
bool conn_finish_close(struct conn *c);

#endif
