#include "engine/conn.h"

#include "engine/op.h"

#include <assert.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static_assert(CONN_CLOSING < 0x80, "a state fits 7 bits");

/* The owner's own transition: nobody else may change the word, but for setting HEDGED. */
static void conn_move(struct conn *c, uint8_t me, enum conn_state from, enum conn_state to,
                      uint64_t owner, uint64_t seq_step)
{
    uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);
    assert(conn_word_state(word) == from && conn_word_owner(word) == me);
    atomic_store_explicit(&c->word, conn_word_make(conn_word_seq(word) + seq_step, to, owner),
                          memory_order_release);
}

/* A transition that another shard may have made first, or prevented. */
static bool conn_exchange(struct conn *c, uint64_t expected, uint64_t desired)
{
    /* acq_rel: what the one before did is visible here, what was done here to the next. */
    return atomic_compare_exchange_strong_explicit(&c->word, &expected, desired,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

static bool conn_swap(struct conn *c, enum conn_state from, uint64_t from_owner, enum conn_state to,
                      uint8_t me)
{
    uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);
    return conn_word_state(word) == from && conn_word_owner(word) == from_owner &&
           conn_exchange(c, word, conn_word_make(conn_word_seq(word), to, me));
}

void conn_adopt(struct conn *c, int fd)
{
    uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);
    assert(conn_word_state(word) == CONN_FREE && c->ops == 0 && c->request == NULL);
    assert(!c->arms[CONN_HOME].queued && c->arms[CONN_HOME].working == NULL);
    c->fd = fd;
    c->in_armed = false;
    c->out_armed = false;
    c->readable = false;
    c->peer_done = false;
    c->lingering = false;
    c->close_after = false;
    c->broken = false;
    c->for_home = false;
    c->taken_ahead = false;
    c->accepted = false;
    c->wait_at_ns = 0;
    c->wait_since_ns = 0;
    c->in = (struct conn_input){0};
    c->out_sent = 0;
    deadline_init(&c->deadline);
    atomic_store_explicit(&c->word, conn_word_make(conn_word_seq(word), CONN_IDLE, CONN_OWNER_NONE),
                          memory_order_release);
}

bool conn_claim(struct conn *c, uint8_t me)
{
    return conn_swap(c, CONN_IDLE, CONN_OWNER_NONE, CONN_RECV, me);
}

void conn_yield(struct conn *c, uint8_t me)
{
    conn_move(c, me, CONN_RECV, CONN_IDLE, CONN_OWNER_NONE, 0);
}

void conn_ahead(struct conn *c, uint8_t me)
{
    conn_move(c, me, CONN_RECV, CONN_AHEAD, me, 0);
}

bool conn_ahead_yield(struct conn *c, uint8_t me)
{
    return conn_swap(c, CONN_AHEAD, me, CONN_IDLE, (uint8_t)CONN_OWNER_NONE);
}

bool conn_take(struct conn *c, uint8_t other, uint8_t me)
{
    return conn_swap(c, CONN_AHEAD, other, CONN_RECV, me);
}

void conn_begin(struct conn *c, uint8_t me, struct request *request, uint64_t since_ns)
{
    uint64_t seq = conn_word_seq(atomic_load_explicit(&c->word, memory_order_relaxed));
    request->word = conn_word_make(seq, CONN_PROC, me); /* before the word: a hedger reads it */
    request_lend(request);
    atomic_store_explicit(&c->lent, request, memory_order_relaxed);
    atomic_store_explicit(&c->since_ns, since_ns, memory_order_relaxed);
    conn_move(c, me, CONN_RECV, CONN_PROC, me, 0);
}

bool conn_hedge(struct conn *c, uint64_t proc_word)
{
    assert(conn_word_state(proc_word) == CONN_PROC && (proc_word & CONN_HEDGED) == 0);
    return conn_exchange(c, proc_word, proc_word | CONN_HEDGED);
}

bool conn_in_proc(const struct conn *c, uint64_t proc_word)
{
    uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);
    return (word & ~CONN_HEDGED) == proc_word;
}

static uint64_t conn_word_reply(uint64_t word, uint8_t me)
{
    return conn_word_make(conn_word_seq(word), CONN_REPLY, me);
}

bool conn_decide_alone(struct conn *c, uint8_t me, uint64_t proc_word)
{
    assert(conn_word_owner(proc_word) == me);
    return conn_exchange(c, proc_word, conn_word_reply(proc_word, me));
}

enum conn_decided conn_decide(struct conn *c, uint8_t me, uint64_t proc_word)
{
    if (conn_decide_alone(c, me, proc_word))
        return CONN_WON_ALONE;
    return conn_exchange(c, proc_word | CONN_HEDGED, conn_word_reply(proc_word, me))
               ? CONN_WON_HEDGED
               : CONN_LOST;
}

bool conn_win(struct conn *c, uint8_t me, uint64_t proc_word)
{
    assert(conn_word_owner(proc_word) != me);
    return conn_exchange(c, proc_word | CONN_HEDGED, conn_word_reply(proc_word, me));
}

void conn_reject(struct conn *c, uint8_t me)
{
    conn_move(c, me, CONN_RECV, CONN_REPLY, me, 0);
}

void conn_finish(struct conn *c, uint8_t me)
{
    conn_move(c, me, CONN_REPLY, CONN_IDLE, CONN_OWNER_NONE, 1);
}

void conn_hand_over(struct conn *c, uint8_t me)
{
    conn_move(c, me, CONN_REPLY, CONN_REPLY, c->home, 0);
}

bool conn_begin_close(struct conn *c, uint8_t me)
{
    uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);
    uint64_t owner = conn_word_owner(word);
    assert(conn_word_state(word) != CONN_FREE && conn_word_state(word) != CONN_CLOSING);
    return (owner == CONN_OWNER_NONE || owner == me) &&
           conn_exchange(c, word, conn_word_make(conn_word_seq(word), CONN_CLOSING, me));
}

void conn_poll_in(struct conn *c, struct ring *ring)
{
    if (c->in_armed)
        return;
    c->in_armed = true;
    c->ops++;
    ring_poll(ring, c->fd, POLLIN | POLLRDHUP, true, op_pack(OP_CONN_IN, c->slot, c->generation));
}

void conn_poll_out(struct conn *c, struct ring *ring)
{
    if (c->out_armed)
        return;
    c->out_armed = true;
    c->ops++;
    ring_poll(ring, c->fd, POLLOUT, false, op_pack(OP_CONN_OUT, c->slot, c->generation));
}

static void conn_cancel(struct conn *c, struct ring *ring, enum op_kind kind)
{
    c->ops++;
    ring_cancel(ring, op_pack(kind, c->slot, c->generation),
                op_pack(OP_CONN_CANCEL, c->slot, c->generation));
}

void conn_shut(struct conn *c, struct ring *ring)
{
    assert(conn_state(c) == CONN_CLOSING);
    (void)shutdown(c->fd, SHUT_RDWR); /* ENOTCONN when the peer was first */
    if (c->in_armed)
        conn_cancel(c, ring, OP_CONN_IN);
    if (c->out_armed)
        conn_cancel(c, ring, OP_CONN_OUT);
}

bool conn_finish_close(struct conn *c)
{
    uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);
    assert(conn_word_state(word) == CONN_CLOSING);
    if (c->ops > 0 || c->arms[CONN_HOME].queued || c->arms[CONN_HOME].working != NULL)
        return false;
    (void)close(c->fd);
    c->fd = -1;
    c->generation++;
    atomic_store_explicit(&c->word,
                          conn_word_make(conn_word_seq(word) + 1, CONN_FREE, CONN_OWNER_NONE),
                          memory_order_release);
    return true;
}
