#include "engine/serve.h"

#include "engine/clock.h"
#include "engine/receive.h"
#include "engine/reply.h"
#include "engine/shard.h"

#include <assert.h>
#include <errno.h>
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

static void serve_wait(struct shard *s, struct conn *c, enum deadline_kind kind)
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

/* The connection goes on. Where it had waited, what came free may be enough for the next one too.
 */
static void serve_wait_over(struct shard *s, struct conn *c)
{
    bool waited = c->wait_at_ns != 0;
    c->wait_at_ns = 0;
    c->wait_since_ns = 0;
    if (waited)
        serve_wake_waiter(s);
}

/* ---- the end of a request, the end of a connection ----------------------------------------- */

static void serve_free_input(struct shard *s, struct conn *c)
{
    arena_free(&s->arenas, &c->in.block);
    c->in.off = c->in.have = 0;
}

static void serve_close_request(struct shard *s, struct conn *c)
{
    if (c->request == NULL)
        return;
    request_close(&s->requests, c->request);
    c->request = NULL;
}

static void serve_finish_close(struct shard *s, struct conn *c)
{
    if (!conn_finish_close(c))
        return;
    c->next_ready = s->free_conns;
    s->free_conns = c;
    (void)atomic_fetch_sub_explicit(&s->load, 1, memory_order_relaxed);
    metric_add(&s->metrics.conns_closed, 1);
    metric_set(&s->metrics.conns_live, metric_get(&s->metrics.conns_live) - 1);
}

/* A request that is open, or answered with a reply not yet taken, is lost with its peer. */
static void serve_close(struct shard *s, struct conn *c)
{
    if (!conn_begin_close(c, serve_me(s)))
        return; /* another shard has it; it will find the socket closed by its peer as well */
    if (c->accepted)
        metric_add(&s->metrics.requests_aborted, 1);
    serve_close_request(s, c);
    serve_free_input(s, c);
    serve_wait_over(s, c);
    deadline_clear(&c->deadline);
    conn_shut(c, s->ring);
    serve_finish_close(s, c);
    serve_wake_waiter(s);
}

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
    s->free_conns = c->next_ready;
    conn_adopt(c, fd);
    metric_set(&s->metrics.conns_live, metric_get(&s->metrics.conns_live) + 1);
    deadline_set(&s->deadlines, &c->deadline, s->draining ? DEADLINE_GRACE : DEADLINE_IDLE,
                 s->now_ns);
    conn_poll_in(c, s->ring);
}

/* ---- replies ------------------------------------------------------------------------------- */

static void serve_maybe_rotate(struct shard *s, uint32_t body_bytes)
{
    s->arenas.requests++;
    s->arenas.lexed_bytes += body_bytes;
    bool due =
        (s->options->rotate_bytes != 0 && s->arenas.lexed_bytes >= s->options->rotate_bytes) ||
        (s->options->rotate_requests != 0 && s->arenas.requests >= s->options->rotate_requests);
    if (due && arena_rotate(&s->arenas))
        metric_add(&s->metrics.rotations, 1);
}

static void serve_record(struct shard *s, const struct conn *c)
{
    const struct request *r = c->request;
    const struct tail_row row = {.bracket = r->bracket, .hedged = 0, .origin = 'P'};
    tail_add(s->tail, &row);
    metrics_observe(&s->metrics, bracket_total_ns(&r->bracket));
    metric_add(&s->metrics.bytes_lexed, r->body_bytes);
    metric_add(&s->metrics.tokens, r->counts.n_tokens);
    metric_add(&s->metrics.issues, r->counts.n_issues);
    serve_maybe_rotate(s, r->body_bytes);
}

/* After an error reply on a stream that cannot be followed: nothing more is sent, and what still
 * comes is discarded for a moment, since closing with unread bytes would destroy the reply. */
static void serve_begin_linger(struct shard *s, struct conn *c)
{
    (void)shutdown(c->fd, SHUT_WR);
    c->lingering = true;
    serve_free_input(s, c);
    deadline_set(&s->deadlines, &c->deadline, DEADLINE_LINGER, s->now_ns);
    shard_make_ready(s, c);
}

static void serve_count_reply(struct shard *s, struct conn *c)
{
    c->accepted = false;
    metric_add(&s->metrics.replied[c->out_status], 1);
    metric_add(&s->metrics.bytes_sent, WIRE_REPLY_BYTES);
}

/* Between frames: no memory is held. */
static void serve_go_idle(struct shard *s, struct conn *c)
{
    enum deadline_kind kind = s->draining ? DEADLINE_GRACE : DEADLINE_IDLE;
    serve_free_input(s, c);
    if (c->deadline.kind != kind)
        deadline_set(&s->deadlines, &c->deadline, kind, s->now_ns);
}

/* The reply is out whole. */
static void serve_replied(struct shard *s, struct conn *c)
{
    serve_count_reply(s, c);
    if (c->out_status == WIRE_OK)
        serve_record(s, c);
    if (!c->close_after)
        c->in.off += WIRE_HEADER_BYTES + c->request->body_bytes;
    serve_close_request(s, c);
    conn_finish(c, serve_me(s));
    serve_wake_waiter(s); /* before this connection's next frame takes the place that came free */
    if (c->close_after) {
        serve_begin_linger(s, c);
        return;
    }
    bool pipelined = c->in.have > c->in.off;
    deadline_clear(&c->deadline);
    if (!pipelined)
        serve_go_idle(s, c);
    if (pipelined || c->readable)
        shard_make_ready(s, c); /* the next frame, after the others had their turn */
}

static void serve_send(struct shard *s, struct conn *c)
{
    switch (reply_send(c)) {
    case REPLY_SENT:
        serve_replied(s, c);
        return;
    case REPLY_BLOCKED:
        if (c->deadline.kind != DEADLINE_REPLY)
            deadline_set(&s->deadlines, &c->deadline, DEADLINE_REPLY, s->now_ns);
        conn_poll_out(c, s->ring);
        return;
    case REPLY_GONE:
        metric_add(&s->metrics.peer_resets, 1);
        serve_close(s, c);
        return;
    }
}

/* In RECV: an error reply, then the end of the connection. */
static void serve_reject(struct shard *s, struct conn *c, enum wire_status status)
{
    if (!c->accepted) { /* refused before there was a place for it */
        c->accepted = true;
        metric_add(&s->metrics.requests_accepted, 1);
    }
    conn_reject(c, serve_me(s));
    deadline_clear(&c->deadline);
    c->close_after = true;
    const struct wire_reply reply = {.status = status, .origin = WIRE_ORIGIN_ERROR};
    reply_format(c, &reply);
    serve_send(s, c);
}

/* ---- lexing -------------------------------------------------------------------------------- */

static void serve_result(struct shard *s, struct conn *c, int lex_error)
{
    struct request *r = c->request;
    fault_maybe_stall(&s->fault, OPTIONS_FAULT_POST);
    if (!conn_decide(c, serve_me(s)))
        return;
    r->bracket.t_first_reply = clock_now_ns();
    const struct wire_reply failed = {.status = WIRE_INTERNAL, .origin = WIRE_ORIGIN_ERROR};
    const struct wire_reply ok = {.status = WIRE_OK,
                                  .n_tokens = r->counts.n_tokens,
                                  .issues_len = r->counts.n_issues,
                                  .origin = WIRE_ORIGIN_PRIMARY};
    reply_format(c, lex_error != 0 ? &failed : &ok);
    r->bracket.t_reply_ready = clock_now_ns();
    serve_send(s, c);
}

/* In PROC: one slice. */
static void serve_lex(struct shard *s, struct conn *c)
{
    struct request *r = c->request;
    int rc = request_lex(r, receive_body(c), r->body_bytes, s->options->slice_bytes);
    if (rc != 0 || request_lexed(r))
        serve_result(s, c, rc);
    else
        shard_make_ready(s, c);
}

/* RECV -> PROC: from here on the request can only be answered. */
static void serve_begin(struct shard *s, struct conn *c)
{
    deadline_clear(&c->deadline);
    serve_wait_over(s, c);
    conn_begin(c, serve_me(s));
    c->request->bracket.t_proc_start = clock_now_ns();
    fault_maybe_stall(&s->fault, OPTIONS_FAULT_PRE);
    serve_lex(s, c);
}

/* In RECV, the frame incomplete: lexes what is here of it, so that little is left at its end. */
static void serve_lex_ahead(struct shard *s, struct conn *c)
{
    struct request *r = c->request;
    if (r == NULL || r->body_bytes == 0)
        return;
    /* An error is the same when the frame is complete; it is reported then. */
    (void)request_lex(r, receive_body(c), receive_body_have(c), s->options->slice_bytes);
}

/* ---- turns --------------------------------------------------------------------------------- */

/* In RECV: the frame is not complete, or there is none. */
static void serve_incomplete(struct shard *s, struct conn *c)
{
    serve_wait_over(s, c);
    serve_lex_ahead(s, c);
    if (c->request == NULL)
        serve_go_idle(s, c);
    else if (c->deadline.kind != DEADLINE_FRAME)
        deadline_set(&s->deadlines, &c->deadline, DEADLINE_FRAME, s->now_ns);
    conn_yield(c, serve_me(s));
    if (c->readable)
        shard_make_ready(s, c);
}

static void serve_receive(struct shard *s, struct conn *c)
{
    switch (receive_step(s, c)) {
    case RECEIVE_FRAME:
        serve_begin(s, c);
        return;
    case RECEIVE_MORE:
    case RECEIVE_EMPTY:
        serve_incomplete(s, c);
        return;
    case RECEIVE_WAIT_PLACE:
        serve_wait(s, c, DEADLINE_WAIT_PLACE);
        conn_yield(c, serve_me(s));
        return;
    case RECEIVE_WAIT_GRANULE:
        serve_wait(s, c, DEADLINE_WAIT_GRANULE);
        conn_yield(c, serve_me(s));
        return;
    case RECEIVE_WAIT_GROW:
        serve_wait(s, c, DEADLINE_WAIT_GROW);
        conn_yield(c, serve_me(s));
        return;
    case RECEIVE_CLOSED:
        serve_close(s, c);
        return;
    case RECEIVE_RESET:
        metric_add(&s->metrics.peer_resets, 1);
        serve_close(s, c);
        return;
    case RECEIVE_BAD_LENGTH:
        serve_reject(s, c, WIRE_BAD_LENGTH);
        return;
    case RECEIVE_TOO_LARGE:
        serve_reject(s, c, WIRE_TOO_LARGE);
        return;
    case RECEIVE_REFUSED:
        serve_reject(s, c, WIRE_SHUTTING_DOWN);
        return;
    }
}

static void serve_linger(struct shard *s, struct conn *c)
{
    ssize_t got = recv(c->fd, s->scratch, s->options->slice_bytes, MSG_DONTWAIT);
    if (got > 0 || (got < 0 && errno == EINTR)) {
        conn_yield(c, serve_me(s));
        shard_make_ready(s, c);
    } else if (got < 0 && errno == EAGAIN) {
        conn_yield(c, serve_me(s)); /* an event of the poll for input goes on from here */
    } else {
        serve_close(s, c);
    }
}

void serve_turn(struct shard *s, struct conn *c)
{
    switch (conn_state(c)) {
    case CONN_IDLE:
        if (deadline_is_wait(c->deadline.kind))
            return; /* readable, but its turn for memory has not come */
        if (!conn_claim(c, serve_me(s)))
            return;
        if (c->lingering)
            serve_linger(s, c);
        else
            serve_receive(s, c);
        return;
    case CONN_PROC:
        serve_lex(s, c);
        return;
    case CONN_REPLY:
        serve_send(s, c);
        return;
    case CONN_CLOSING:
        serve_finish_close(s, c);
        return;
    case CONN_FREE:
    case CONN_RECV: /* left within the turn that entered it */
        break;
    }
    assert(false && "a connection without an owner cannot be in the ready queue");
}

void serve_event(struct shard *s, struct conn *c, const struct op *op,
                 const struct ring_event *event)
{
    if (!event->more) {
        assert(c->ops > 0);
        c->ops--;
    }
    if (op->kind == OP_CONN_IN) {
        c->readable = true;
        c->in_armed = event->more;
        if (event->res < 0 || (event->res & (POLLHUP | POLLRDHUP | POLLERR)) != 0)
            c->peer_done = true;
    } else if (op->kind == OP_CONN_OUT) {
        c->out_armed = false;
    }
    enum conn_state state = conn_state(c);
    if (state == CONN_CLOSING) {
        serve_finish_close(s, c);
        return;
    }
    conn_poll_in(c, s->ring); /* the kernel may end a multishot poll on its own */
    if (op->kind == OP_CONN_OUT || state == CONN_IDLE)
        shard_make_ready(s, c);
}

/* The peer has done its part, and it is us who are late (a stall, a long queue): a turn is due, or
 * bytes have come whose event we have not seen yet. */
static bool serve_is_late(struct conn *c, enum deadline_kind kind)
{
    char byte;
    if (kind == DEADLINE_LINGER || deadline_is_wait(kind))
        return false;
    return c->queued ||
           (kind != DEADLINE_REPLY && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

void serve_expire(struct shard *s, struct conn *c)
{
    enum deadline_kind kind = c->deadline.kind;
    deadline_clear(&c->deadline);
    if (serve_is_late(c, kind)) {
        deadline_set(&s->deadlines, &c->deadline, kind, s->now_ns);
        shard_make_ready(s, c);
        return;
    }
    switch (kind) {
    case DEADLINE_IDLE:
        metric_add(&s->metrics.timeouts_idle, 1);
        serve_close(s, c);
        return;
    case DEADLINE_REPLY:
        metric_add(&s->metrics.timeouts_reply, 1);
        serve_close(s, c);
        return;
    case DEADLINE_GRACE:
    case DEADLINE_LINGER:
        serve_close(s, c);
        return;
    case DEADLINE_FRAME:
        metric_add(&s->metrics.timeouts_frame, 1);
        if (conn_claim(c, serve_me(s)))
            serve_reject(s, c, WIRE_TIMED_OUT);
        return;
    case DEADLINE_WAIT_PLACE:
    case DEADLINE_WAIT_GRANULE:
    case DEADLINE_WAIT_GROW:
        if (conn_claim(c, serve_me(s)))
            serve_reject(s, c, WIRE_BUSY);
        return;
    case DEADLINE_KINDS:
        break;
    }
    assert(false && "a deadline that is not set cannot expire");
}

/* ---- draining ------------------------------------------------------------------------------ */

void serve_drain(struct shard *s, struct conn *c)
{
    if (conn_state(c) == CONN_IDLE && c->deadline.kind == DEADLINE_IDLE)
        deadline_set(&s->deadlines, &c->deadline, DEADLINE_GRACE, s->now_ns);
}

void serve_force_close(struct shard *s, struct conn *c)
{
    enum conn_state state = conn_state(c);
    if (state == CONN_FREE || state == CONN_CLOSING)
        return;
    if (c->request != NULL && (state == CONN_IDLE || state == CONN_PROC)) {
        bool mine = state == CONN_IDLE ? conn_claim(c, serve_me(s)) : conn_decide(c, serve_me(s));
        if (mine && state == CONN_IDLE)
            conn_reject(c, serve_me(s));
        if (mine) {
            const struct wire_reply reply = {.status = WIRE_SHUTTING_DOWN};
            reply_format(c, &reply);
            if (reply_send(c) == REPLY_SENT)
                serve_count_reply(s, c);
        }
    }
    serve_close(s, c);
}
