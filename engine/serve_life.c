/* A connection's life outside its turns: adopted, woken, waiting, timed out, closed. All of it runs
 * on its home shard, but for what serve_close does for a guest. */
#include "engine/serve.h"

#include "engine/clock.h"
#include "engine/receive.h"
#include "engine/reply.h"
#include "engine/shard.h"
#include "engine/work.h"

#include <assert.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t serve_me(const struct shard *s)
{
    return (uint8_t)s->index;
}

/* ---- waiting for memory or for a request's place ------------------------------------------- */

/* The first of each line; it goes back to the front if it fails. */
void serve_wake_waiter(struct shard *s)
{
    for (int kind = DEADLINE_WAIT_PLACE; kind <= DEADLINE_WAIT_GROW; kind++) {
        struct deadline *first = deadline_first(&s->deadlines, (enum deadline_kind)kind);
        if (first == NULL)
            continue;
        struct conn *c = shard_conn_of(first);
        c->wait_at_ns = first->at_ns;
        c->wait_kind = first->kind;
        deadline_clear(first);
        shard_make_ready(s, c);
    }
}

static void serve_queue(struct shard *s, struct conn *c, enum deadline_kind kind)
{
    uint64_t waited_until_ns = c->wait_at_ns;
    c->wait_at_ns = 0;
    if (waited_until_ns != 0 && c->wait_kind == kind) {
        deadline_return(&s->deadlines, &c->deadline, kind, waited_until_ns);
        return;
    }
    metric_add(&s->metrics.backpressure_waits, 1);
    if (c->in.have == c->in.off)
        c->wait_since_ns = clock_now_ns(); /* its bytes are seen, but cannot be received yet */
    deadline_set(&s->deadlines, &c->deadline, kind, s->now_ns);
    if (waited_until_ns != 0)
        serve_wake_waiter(s); /* what it got may not have been the last of its kind */
}

void serve_wait(struct shard *s, struct conn *c, enum deadline_kind kind)
{
    serve_queue(s, c, kind);
    conn_yield(c, serve_me(s));
}

void serve_wait_over(struct shard *s, struct conn *c)
{
    bool waited = c->wait_at_ns != 0;
    c->wait_at_ns = 0;
    c->wait_since_ns = 0;
    if (waited)
        serve_wake_waiter(s);
}

/* ---- the beginning and the end ------------------------------------------------------------- */

void serve_adopt(struct shard *s, int fd)
{
    struct conn *c = s->free_conns;
    if (c ==
        NULL) { /* closing slots still wait for a completion, and shard.load is ahead of them */
        (void)atomic_fetch_sub_explicit(&s->load, 1, memory_order_relaxed);
        metric_add(&s->metrics.conns_refused, 1);
        (void)close(fd);
        return;
    }
    s->free_conns = c->arms[CONN_HOME].next_ready;
    conn_adopt(c, fd);
    metric_set(&s->metrics.conns_live, metric_get(&s->metrics.conns_live) + 1);
    deadline_set(&s->deadlines, &c->deadline, s->draining ? DEADLINE_GRACE : DEADLINE_IDLE,
                 s->now_ns);
    conn_poll_in(c, s->ring);
    watch_add_conn(s, c);
}

void serve_finish_close(struct shard *s, struct conn *c)
{
    if (!conn_finish_close(c))
        return;
    c->arms[CONN_HOME].next_ready = s->free_conns;
    s->free_conns = c;
    (void)atomic_fetch_sub_explicit(&s->load, 1, memory_order_relaxed);
    metric_add(&s->metrics.conns_closed, 1);
    metric_set(&s->metrics.conns_live, metric_get(&s->metrics.conns_live) - 1);
}

static void serve_count_aborted(struct shard *s, struct conn *c)
{
    if (c->accepted)
        metric_add(&s->metrics.requests_aborted, 1);
    c->accepted = false;
}

/* In RECV or REPLY: the home closes it. */
static void serve_close_guest(struct shard *s, struct conn *c)
{
    serve_count_aborted(s, c);
    work_abandon_frame(s, c);
    c->broken = true;
    conn_finish(c, serve_me(s));
    serve_wake_waiter(s);
    serve_return(s, c);
}

void serve_close(struct shard *s, struct conn *c)
{
    if (!shard_is_home(s, c)) {
        serve_close_guest(s, c);
        return;
    }
    if (!conn_begin_close(c, serve_me(s)))
        return; /* a sibling has it; it will be returned, and looked at again */
    serve_count_aborted(s, c);
    work_abandon_frame(s, c);
    serve_wait_over(s, c);
    deadline_clear(&c->deadline);
    conn_shut(c, s->ring);
    serve_finish_close(s, c);
    serve_wake_waiter(s);
}

/* ---- what wakes it ------------------------------------------------------------------------- */

void serve_set_idle(struct shard *s, struct conn *c)
{
    enum deadline_kind kind = s->draining ? DEADLINE_GRACE : DEADLINE_IDLE;
    if (c->deadline.kind != kind)
        deadline_set(&s->deadlines, &c->deadline, kind, s->now_ns);
}

static void serve_note_event(struct conn *c, const struct op *op, const struct ring_event *event)
{
    if (!event->more) {
        assert(c->ops > 0);
        c->ops--;
    }
    if (op->kind == OP_CONN_IN) {
        c->readable = true;
        c->in_armed = event->more;
        /* An error is the poll's own: it says nothing of the peer. */
        if (event->res >= 0 && (event->res & (POLLHUP | POLLRDHUP | POLLERR)) != 0)
            c->peer_done = true;
    } else if (op->kind == OP_CONN_OUT) {
        c->out_armed = false;
    }
}

void serve_event(struct shard *s, struct conn *c, const struct op *op,
                 const struct ring_event *event)
{
    serve_note_event(c, op, event);
    uint64_t word = conn_word(c);
    enum conn_state state = conn_word_state(word);
    uint64_t owner = conn_word_owner(word);
    if (state == CONN_CLOSING) {
        serve_finish_close(s, c);
        return;
    }
    conn_poll_in(c, s->ring); /* the kernel may end a multishot poll on its own */
    if (op->kind == OP_CONN_OUT || state == CONN_IDLE)
        shard_make_ready(s, c);
    else if (owner != s->index)
        watch_alert(s, &s->set->shards[owner]); /* it will be returned */
}

void serve_returned(struct shard *s, struct conn *c)
{
    /* acq_rel: from here on the sibling would return it anew; and what it did before is visible. */
    (void)atomic_exchange_explicit(&c->is_returned, false, memory_order_acq_rel);
    uint64_t word = conn_word(c);
    enum conn_state state = conn_word_state(word);
    if (state == CONN_FREE || state == CONN_CLOSING)
        return;
    /* Whatever the home was waiting for may have happened: its turn will tell. */
    c->readable = true;
    if (deadline_is_wait(c->deadline.kind)) {
        deadline_clear(&c->deadline);
        c->wait_since_ns = 0;
    }
    if (state == CONN_REPLY && conn_word_owner(word) == s->index)
        serve_send(s, c); /* handed over */
    else if (state == CONN_IDLE)
        shard_make_ready(s, c);
}

/* ---- deadlines ----------------------------------------------------------------------------- */

/* The peer has done its part, and it is us who are late (a stall, a long queue): a turn is due, or
 * bytes have come whose event we have not seen yet. */
static bool serve_is_late(struct conn *c, enum deadline_kind kind)
{
    char byte;
    if (kind == DEADLINE_LINGER || deadline_is_wait(kind))
        return false;
    return c->arms[CONN_HOME].queued ||
           (kind != DEADLINE_REPLY && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

/* In RECV: a sibling has brought the connection further than the deadline knew. */
static void serve_expired_early(struct shard *s, struct conn *c)
{
    c->readable = true;
    conn_yield(c, serve_me(s));
    shard_make_ready(s, c);
}

/* In RECV: the frame has begun longer ago than it may take. */
static void serve_expire_frame(struct shard *s, struct conn *c)
{
    uint64_t until_ns =
        c->request != NULL ? c->request->bracket.t_in_start + s->options->frame_ns : UINT64_MAX;
    if (until_ns > s->now_ns) {
        if (until_ns != UINT64_MAX)
            deadline_return(&s->deadlines, &c->deadline, DEADLINE_FRAME, until_ns);
        serve_expired_early(s, c);
        return;
    }
    metric_add(&s->metrics.timeouts_frame, 1);
    serve_reject(s, c, WIRE_TIMED_OUT);
}

static void serve_expire_claimed(struct shard *s, struct conn *c, enum deadline_kind kind)
{
    switch (kind) {
    case DEADLINE_IDLE:
    case DEADLINE_GRACE:
        if (c->request != NULL) {
            serve_expired_early(s, c);
            return;
        }
        if (kind == DEADLINE_IDLE)
            metric_add(&s->metrics.timeouts_idle, 1);
        serve_close(s, c);
        return;
    case DEADLINE_LINGER:
        serve_close(s, c);
        return;
    case DEADLINE_FRAME:
        serve_expire_frame(s, c);
        return;
    case DEADLINE_WAIT_PLACE:
    case DEADLINE_WAIT_GRANULE:
    case DEADLINE_WAIT_GROW:
        if (c->request == NULL && !receive_is_due(c) && c->in.have == c->in.off)
            serve_expired_early(s, c); /* answered elsewhere */
        else
            serve_reject(s, c, WIRE_BUSY);
        return;
    case DEADLINE_REPLY:
    case DEADLINE_KINDS:
        break;
    }
    assert(false && "a deadline that is not set cannot expire");
}

void serve_expire(struct shard *s, struct conn *c)
{
    enum deadline_kind kind = c->deadline.kind;
    deadline_clear(&c->deadline);
    if (serve_is_late(c, kind)) {
        deadline_set(&s->deadlines, &c->deadline, kind, s->now_ns);
        shard_make_ready(s, c);
    } else if (kind == DEADLINE_REPLY) {
        metric_add(&s->metrics.timeouts_reply, 1);
        serve_close(s, c);
    } else if (conn_claim(c, serve_me(s))) {
        serve_expire_claimed(s, c, kind);
    } /* else a sibling has it; it will be returned, and a deadline set then */
}

/* ---- draining ------------------------------------------------------------------------------ */

void serve_drain(struct shard *s, struct conn *c)
{
    if (conn_state(c) == CONN_IDLE && c->deadline.kind == DEADLINE_IDLE)
        deadline_set(&s->deadlines, &c->deadline, DEADLINE_GRACE, s->now_ns);
}

/* A request in PROC by this shard becomes one in REPLY, without its result. */
static bool serve_force_decide(struct shard *s, struct conn *c)
{
    struct request *r = c->arms[CONN_HOME].working;
    enum conn_decided decided = conn_decide(c, serve_me(s), r->word);
    if (decided == CONN_LOST)
        return false; /* its turn will find out */
    c->arms[CONN_HOME].working = NULL;
    if (decided == CONN_WON_HEDGED)
        r->bracket.t_hedge_fire = s->now_ns;
    return true;
}

void serve_force_close(struct shard *s, struct conn *c)
{
    uint64_t word = conn_word(c);
    enum conn_state state = conn_word_state(word);
    bool in_proc = c->arms[CONN_HOME].working != NULL;
    if (state == CONN_FREE || state == CONN_CLOSING)
        return;
    if (in_proc && !serve_force_decide(s, c))
        return;
    if (!in_proc && state == CONN_IDLE) {
        if (!conn_claim(c, serve_me(s)))
            return;
        conn_reject(c, serve_me(s));
    } else if (!in_proc && (conn_word_owner(word) != s->index || state == CONN_PROC)) {
        return; /* a sibling has it (or its hedge is the last hope); it will be returned */
    }
    if (c->request != NULL && (in_proc || state == CONN_IDLE)) {
        const struct wire_reply reply = {.status = WIRE_SHUTTING_DOWN};
        reply_format(c, &reply);
        if (reply_send(c) == REPLY_SENT)
            serve_count_reply(s, c);
    }
    serve_close(s, c);
}
