/* A connection: its word, its input, its reply, and how it is closed.
 *
 * A connection belongs to a pair of shards: its home, where its descriptor lives and dies, and its
 * home's sibling, which serves it when the home stands still. The word says who may touch the rest:
 *
 *     seq:48 | state:7 | HEDGED:1 | owner:8
 *
 *     FREE -> IDLE                 adopted (home)
 *     IDLE -> RECV(me)             claim: compare-and-swap; one receive
 *     RECV(me) -> IDLE             yield: the frame is not complete yet
 *     RECV(me) -> AHEAD(me)        lexes what is here of an incomplete frame
 *     AHEAD(me) -> IDLE            yield: compare-and-swap
 *     AHEAD(other) -> RECV(me)     take: compare-and-swap; the other one stands still
 *     RECV(me) -> PROC(me)         a whole frame is here
 *     PROC(other) -> PROC|HEDGED   hedge: compare-and-swap; the other one stands still, and I lex
 *                                  the same bytes (once a request)
 *     PROC[|HEDGED](me) -> REPLY(me)     decide: compare-and-swap; only the winner sends
 *     PROC|HEDGED(other) -> REPLY(me)    win: the same for the hedger
 *     RECV(me) -> REPLY(me)        reject: an error reply without a result
 *     REPLY(me) -> IDLE            finish: the reply is out, seq + 1
 *     REPLY(me) -> REPLY(home)     hand over: the socket is full, and the home can wait for it
 *     IDLE -> CLOSING(home)        close: compare-and-swap
 *     RECV|PROC|REPLY(home) -> CLOSING(home)
 *     CLOSING -> FREE              the last completion is reaped, the descriptor closed; seq + 1
 *
 * Every transition makes its writer the only one who may touch the fields under the word; the
 * compare-and-swaps are acq_rel and the stores release, so what the last owner wrote is visible to
 * the next. In AHEAD and PROC the owner only reads the input, and another may read it as well; who
 * is last to hold it gives it back (request.h, holders). seq never goes back, not even when the
 * slot is reused: there is no ABA.
 *
 * A sibling that is done with a connection makes it IDLE and returns it (returns.h): the home looks
 * at it again, because the event that announced its next bytes may have come meanwhile.
 *
 * Input is announced by one multishot poll for the connection's whole life, on its home's ring: it
 * costs nothing per request (a one-shot poll, re-armed for each, costs a microsecond). Its events
 * are edges, so readable keeps what they said until a receive finds the socket empty. The sibling
 * learns of input by the home's watch set (watch.h).
 *
 * Closing: shutdown(2), cancel the polls that are armed, wait for the last completion, close(2), by
 * the home only; so a descriptor's number is never reused while an operation on it is under way. */
#ifndef L0_ENGINE_CONN_H
#define L0_ENGINE_CONN_H

#include "engine/arena.h"
#include "engine/deadline.h"
#include "engine/request.h"
#include "engine/returns.h"
#include "engine/ring.h"
#include "proto/wire.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum conn_state {
    CONN_FREE,
    CONN_IDLE,
    CONN_RECV,
    CONN_AHEAD,
    CONN_PROC,
    CONN_REPLY,
    CONN_CLOSING
};

#define CONN_OWNER_NONE UINT64_C(0xff)
#define CONN_HEDGED     UINT64_C(0x100)

/* Bytes [off, have) of the block are received and not yet answered; the current frame, header
 * first, begins at off. Invariant: off <= have <= block.cap_bytes. */
struct conn_input {
    struct arena_block block;
    uint32_t off, have;
    uint64_t seen_ns; /* before the receive that brought the last bytes */
    uint64_t recv_ns; /* after it */
    bool more;        /* that receive did not empty the socket */
};

/* What each shard of the pair notes for itself. */
struct conn_arm {
    struct request *working; /* in PROC by this shard, until it knows the outcome */
    struct conn *next_ready;
    bool queued;          /* in this shard's ready queue */
    uint64_t denied_word; /* the last request whose hedge was denied, which is counted once */
};

enum conn_role { CONN_HOME, CONN_SIBLING };

struct conn {
    /* shared */
    _Alignas(64) _Atomic uint64_t word;
    _Atomic(struct request *) lent; /* in PROC: whose input a hedger may read. Relaxed, written */
    _Atomic uint64_t since_ns;      /* before the word; and since when. The hedger's successful */
                                    /* compare-and-swap proves that it read what belongs to it */
    _Atomic bool is_returned;       /* it lies in its home's returns */
    struct returned returned;       /* by who set is_returned, until the home has taken it */

    /* constant while the slot is used */
    int fd;
    uint32_t slot;       /* index in the engine's array, for ever */
    uint32_t generation; /* of the slot; in every user_data of the home */
    uint8_t home;        /* shard, for ever */

    struct conn_arm arms[2]; /* by enum conn_role; each shard its own */

    /* home's bookkeeping */
    bool in_armed;  /* the poll for input is under way */
    bool out_armed; /* the poll for room to send is under way */
    bool readable;  /* the socket may hold bytes, or the end, that was not received yet */
    bool peer_done; /* the peer sends no more: no edge follows, so always readable */
    uint8_t ops;    /* operations whose last completion is outstanding: polls, cancellations */
    struct deadline deadline;
    enum deadline_kind wait_kind; /* what it waited for; valid while wait_at_ns is not 0 */
    uint64_t wait_at_ns;          /* end of the back-pressure wait it was called from; 0 none */
    uint64_t wait_since_ns;       /* when that wait began; 0 none */

    /* under the word */
    struct conn_input in;
    struct request *request; /* NULL: no byte of the next frame seen, or no place for it yet */
    uint8_t keeper;          /* the shard whose memory in.block and request are */
    bool accepted;           /* counted as accepted, and neither answered nor aborted yet */
    bool lingering;          /* an error reply is out: discard input, then close */
    bool close_after;        /* the reply under way is the last one */
    bool broken;             /* a sibling could not send: to be closed */
    bool for_home;           /* a sibling has received what only the home may answer */
    bool taken_ahead;        /* taken in AHEAD: who had it may still read the request's input, and
                                use its lexer, until it drops its hold */
    bool out_counted;        /* the reply is out, and in the metrics */
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

static inline uint64_t conn_word(const struct conn *c)
{
    return atomic_load_explicit(&c->word, memory_order_acquire);
}

static inline enum conn_state conn_state(const struct conn *c)
{
    return conn_word_state(conn_word(c));
}

static inline struct conn_arm *conn_arm(struct conn *c, uint8_t me)
{
    return &c->arms[c->home == me ? CONN_HOME : CONN_SIBLING];
}

/* The transitions. The bool ones fail when another shard was first; the others may only be called
 * by the owner, which is asserted. */
void conn_adopt(struct conn *c, int fd);
bool conn_claim(struct conn *c, uint8_t me);
void conn_yield(struct conn *c, uint8_t me);
void conn_ahead(struct conn *c, uint8_t me);
bool conn_ahead_yield(struct conn *c, uint8_t me);
bool conn_take(struct conn *c, uint8_t other, uint8_t me);
/* Lends the request's input, and notes the word that says so in it; and from when the hedge delay
 * counts. */
void conn_begin(struct conn *c, uint8_t me, struct request *request, uint64_t since_ns);
bool conn_hedge(struct conn *c, uint64_t proc_word);
/* Still in PROC as conn_begin noted, hedged or not. */
bool conn_in_proc(const struct conn *c, uint64_t proc_word);
enum conn_decided { CONN_LOST, CONN_WON_ALONE, CONN_WON_HEDGED };
enum conn_decided conn_decide(struct conn *c, uint8_t me, uint64_t proc_word);
/* Fails where another one hedges. */
bool conn_decide_alone(struct conn *c, uint8_t me, uint64_t proc_word);
bool conn_win(struct conn *c, uint8_t me, uint64_t proc_word);
void conn_reject(struct conn *c, uint8_t me);
void conn_finish(struct conn *c, uint8_t me);
void conn_hand_over(struct conn *c, uint8_t me);
bool conn_begin_close(struct conn *c, uint8_t me);

/* Home only, from here on. Arm the poll unless it is armed. */
void conn_poll_in(struct conn *c, struct ring *ring);
void conn_poll_out(struct conn *c, struct ring *ring);

/* In CLOSING: shuts the socket down and cancels its polls. */
void conn_shut(struct conn *c, struct ring *ring);

/* In CLOSING with nothing outstanding: closes the descriptor and frees the slot. false: a
 * completion, a turn in the ready queue or a lost race's end is still to come. */
bool conn_finish_close(struct conn *c);

#endif
