#include "engine/serve.h"

#include "engine/clock.h"
#include "engine/receive.h"
#include "engine/record.h"
#include "engine/reply.h"
#include "engine/shard.h"
#include "engine/work.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

static uint8_t serve_me(const struct shard *s)
{
    return (uint8_t)s->index;
}

/* ---- letting go ---------------------------------------------------------------------------- */

void serve_return(struct shard *s, struct conn *c)
{
    /* acq_rel: the home, when it takes the connection out, sees the word as it was made. */
    if (atomic_exchange_explicit(&c->is_returned, true, memory_order_acq_rel))
        return; /* it lies there already, and the home has yet to look */
    c->returned.kind = RETURNED_CONN;
    shard_return(&s->set->shards[c->home], &c->returned);
}

void serve_released(struct shard *s, struct conn *c, bool more)
{
    if (shard_is_home(s, c)) {
        if (more)
            shard_make_ready(s, c);
    } else if (more && watch_guards(s, &s->set->shards[c->home])) {
        shard_make_ready(s, c);
    } else {
        serve_return(s, c);
    }
}

/* In RECV: nothing more can be done here now. */
static void serve_yield(struct shard *s, struct conn *c, bool more)
{
    conn_yield(c, serve_me(s));
    serve_released(s, c, more);
}

/* ---- replies ------------------------------------------------------------------------------- */

void serve_count_reply(struct shard *s, struct conn *c)
{
    if (c->out_counted)
        return;
    c->out_counted = true;
    c->accepted = false;
    metric_add(&s->metrics.replied[c->out_status], 1);
    metric_add(&s->metrics.bytes_sent, WIRE_REPLY_BYTES);
    if (c->out_status == WIRE_OK)
        record_answered(s, c->request);
}

/* After an error reply on a stream that cannot be followed: nothing more is sent, and what still
 * comes is discarded for a moment, since closing with unread bytes would destroy the reply. (A
 * guest whose stream cannot be followed is closed by its home, without that moment.) */
static void serve_replied_last(struct shard *s, struct conn *c)
{
    bool home = shard_is_home(s, c);
    (void)shutdown(c->fd, SHUT_WR);
    work_abandon_frame(s, c);
    c->lingering = home;
    c->broken = !home;
    conn_finish(c, serve_me(s));
    if (home)
        deadline_set(&s->deadlines, &c->deadline, DEADLINE_LINGER, s->now_ns);
    serve_wake_waiter(s);
    serve_released(s, c, true);
}

/* The reply is out whole. */
static void serve_replied(struct shard *s, struct conn *c)
{
    serve_count_reply(s, c);
    if (c->close_after) {
        serve_replied_last(s, c);
        return;
    }
    if (!work_leave_frame(s, c)) {
        shard_make_ready(s, c); /* tries again, in REPLY */
        return;
    }
    bool pipelined = c->in.have > c->in.off;
    bool more = pipelined || c->in.more;
    if (!pipelined)
        work_free_input(s, c); /* between frames no memory is held */
    conn_finish(c, serve_me(s));
    serve_wake_waiter(s); /* before this connection's next frame takes the place that came free */
    if (shard_is_home(s, c)) {
        more |= c->readable;
        deadline_clear(&c->deadline);
        if (!pipelined)
            serve_set_idle(s, c);
    } else {
        more = true; /* what came meanwhile found it queued, or in PROC: look once */
    }
    serve_released(s, c, more); /* the next frame, after the others had their turn */
}

void serve_send(struct shard *s, struct conn *c)
{
    switch (reply_send(c)) {
    case REPLY_SENT:
        serve_replied(s, c);
        return;
    case REPLY_BLOCKED:
        if (!shard_is_home(s, c)) {
            board_hold(&s->board, c->slot, false);
            conn_hand_over(c, serve_me(s));
            serve_return(s, c);
            return;
        }
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

void serve_reject(struct shard *s, struct conn *c, enum wire_status status)
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

void serve_answer(struct shard *s, struct conn *c, enum wire_status status)
{
    struct request *r = c->request;
    const struct wire_reply failed = {.status = status, .origin = WIRE_ORIGIN_ERROR};
    r->by_sibling = !shard_is_home(s, c);
    const struct wire_reply ok = {.status = WIRE_OK,
                                  .n_tokens = r->counts.n_tokens,
                                  .issues_len = r->counts.n_issues,
                                  .origin =
                                      r->by_sibling ? WIRE_ORIGIN_HEDGE : WIRE_ORIGIN_PRIMARY};
    r->bracket.t_first_reply = clock_now_ns();
    reply_format(c, status != WIRE_OK ? &failed : &ok);
    r->bracket.t_reply_ready = clock_now_ns();
    serve_send(s, c);
}

/* ---- lexing -------------------------------------------------------------------------------- */

int serve_lex_slice(struct shard *s, struct request *r, const uint8_t *body)
{
    return fault_maybe_fail(&s->fault)
               ? -EIO
               : request_lex(r, body, r->body_bytes, s->options->slice_bytes);
}

/* What this request took, for the automatic delay; also where a sibling was faster. */
static void serve_learn(struct shard *s, const struct request *r)
{
    uint64_t delay_ns;
    if (s->options->hedge_ns == OPTIONS_HEDGE_AUTO &&
        hedge_history_add(&s->history, r->body_bytes - r->ahead_bytes,
                          clock_now_ns() - r->bracket.t_proc_start, &delay_ns))
        atomic_store_explicit(&s->auto_delay_ns, delay_ns, memory_order_relaxed);
}

/* The other one has answered, or will: whatever else is the connection's is no longer ours. */
static void serve_lost(struct shard *s, struct conn *c, struct request *r)
{
    conn_arm(c, serve_me(s))->working = NULL;
    board_hold(&s->board, c->slot, false);
    serve_learn(s, r);
    work_drop(s, r);
    /* What has told of the connection meanwhile found it queued already. (In PROC the other one has
     * it, and will let go of it.) */
    if (conn_state(c) != CONN_PROC)
        shard_make_ready(s, c);
}

/* This arm has no result. Alone it says so; beside a hedger, only if that one has failed as well.
 */
static enum conn_decided serve_decide_failed(struct shard *s, struct conn *c, struct request *r)
{
    if (conn_decide_alone(c, serve_me(s), r->word))
        return CONN_WON_ALONE;
    bool other_failed = atomic_exchange_explicit(&r->arm_failed, true, memory_order_acq_rel);
    return other_failed ? conn_decide(c, serve_me(s), r->word) : CONN_LOST;
}

static void serve_result(struct shard *s, struct conn *c, struct request *r, int lex_error)
{
    fault_maybe_stall(&s->fault, OPTIONS_FAULT_POST);
    enum conn_decided decided =
        lex_error == 0 ? conn_decide(c, serve_me(s), r->word) : serve_decide_failed(s, c, r);
    if (decided == CONN_LOST) {
        serve_lost(s, c, r);
        return;
    }
    conn_arm(c, serve_me(s))->working = NULL;
    serve_learn(s, r);
    if (decided == CONN_WON_HEDGED) {
        /* The hedger notes it right after its compare-and-swap, unless it stalls just there. */
        uint64_t fire_ns = atomic_load_explicit(&r->hedge_fire_ns, memory_order_relaxed);
        r->bracket.t_hedge_fire = fire_ns != 0 ? fire_ns : clock_now_ns();
    }
    serve_answer(s, c, lex_error == 0 ? WIRE_OK : WIRE_INTERNAL);
}

/* In PROC by us, as far as we know: one slice. */
static void serve_lex(struct shard *s, struct conn *c, struct request *r)
{
    if (!conn_in_proc(c, r->word)) {
        serve_lost(s, c, r);
        return;
    }
    int rc = serve_lex_slice(s, r, r->body);
    if (rc != 0 || request_lexed(r))
        serve_result(s, c, r, rc);
    else
        shard_make_ready(s, c);
}

static void serve_count_guest(struct shard *s, const struct request *r)
{
    metric_add(r->moved ? &s->metrics.hedge_taken_over : &s->metrics.hedge_claimed_first, 1);
}

/* From when the hedge delay counts, for a request that begins to be processed now: with an
 * automatic delay from when its result is due, as its size predicts; with a fixed one from its
 * first byte, but not from so long ago that less than a part of the delay is left. */
static uint64_t serve_hedge_since_ns(const struct shard *s, const struct request *r)
{
    uint64_t start_ns = r->bracket.t_proc_start, delay_ns = s->options->hedge_ns;
    if (delay_ns == OPTIONS_HEDGE_AUTO)
        return start_ns + hedge_history_predict_ns(&s->history, r->body_bytes - r->fed_bytes);
    uint64_t credit_ns = delay_ns - delay_ns / LIMIT_HEDGE_WHOLE_DIVISOR;
    uint64_t waited_ns = start_ns - r->bracket.t_in_start;
    return start_ns - (waited_ns < credit_ns ? waited_ns : credit_ns);
}

/* RECV -> PROC: from here on the request can only be answered. */
static void serve_begin(struct shard *s, struct conn *c)
{
    struct request *r = c->request;
    if (shard_is_home(s, c)) {
        deadline_clear(&c->deadline);
        serve_wait_over(s, c);
    } else {
        serve_count_guest(s, r);
    }
    r->block = c->in.block;
    r->body = receive_body(c);
    r->behind_bytes = c->in.have - c->in.off - WIRE_HEADER_BYTES - r->body_bytes;
    request_mark(r);
    r->bracket.t_proc_start = clock_now_ns();
    conn_arm(c, serve_me(s))->working = r;
    conn_begin(c, serve_me(s), r, serve_hedge_since_ns(s, r));
    fault_maybe_stall(&s->fault, OPTIONS_FAULT_PRE);
    serve_lex(s, c, r);
}

/* In RECV, the frame incomplete: lexes what is here of it, so that little is left at its end; then
 * lets go of it. In AHEAD, because this takes longer than the receive, and a sibling may take it
 * then. false: it did. */
static bool serve_lex_ahead(struct shard *s, struct conn *c)
{
    struct request *r = c->request;
    const uint8_t *body = receive_body(c);
    uint32_t have_bytes = receive_body_have(c);
    struct arena_block block = c->in.block;
    request_lend(r);
    conn_ahead(c, serve_me(s));
    /* An error is the same when the frame is complete; it is reported then. */
    (void)request_lex(r, body, have_bytes, s->options->slice_bytes);
    if (conn_ahead_yield(c, serve_me(s)))
        return true;
    board_hold(&s->board, c->slot, false);
    r->block = block;
    work_drop(s, r);
    if (shard_is_home(s, c))
        watch_alert(s, s->sibling); /* which has it now */
    return false;
}

/* ---- turns --------------------------------------------------------------------------------- */

/* What the home waits for from now on. */
static void serve_set_waiting(struct shard *s, struct conn *c)
{
    serve_wait_over(s, c);
    if (c->request == NULL)
        serve_set_idle(s, c);
    else if (c->deadline.kind != DEADLINE_FRAME)
        deadline_set(&s->deadlines, &c->deadline, DEADLINE_FRAME, s->now_ns);
}

/* In RECV: the frame is not complete, or there is none. */
static void serve_incomplete(struct shard *s, struct conn *c)
{
    bool home = shard_is_home(s, c);
    bool more = home ? c->readable : c->in.more;
    bool ahead = c->request != NULL && c->request->body_bytes > 0;
    if (home)
        serve_set_waiting(s, c);
    if (c->request == NULL)
        work_free_input(s, c); /* between frames no memory is held */
    if (!ahead)
        serve_yield(s, c, more);
    else if (serve_lex_ahead(s, c))
        serve_released(s, c, more);
}

/* In RECV: there is no memory or place here. The home waits for it in a line; a guest goes back to
 * its home. */
static void serve_without(struct shard *s, struct conn *c, enum deadline_kind kind)
{
    if (shard_is_home(s, c)) {
        serve_wait(s, c, kind);
        return;
    }
    metric_add(&s->metrics.hedge_denied_load, 1);
    serve_yield(s, c, false);
}

static void serve_received(struct shard *s, struct conn *c, enum receive_result result)
{
    switch (result) {
    case RECEIVE_FRAME:
        serve_begin(s, c);
        return;
    case RECEIVE_PARTIAL:
        serve_incomplete(s, c);
        return;
    case RECEIVE_WAIT_PLACE:
        serve_without(s, c, DEADLINE_WAIT_PLACE);
        return;
    case RECEIVE_WAIT_GRANULE:
        serve_without(s, c, DEADLINE_WAIT_GRANULE);
        return;
    case RECEIVE_WAIT_GROW:
        serve_without(s, c, DEADLINE_WAIT_GROW);
        return;
    case RECEIVE_CLOSED:
    case RECEIVE_RESET:
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
    if (c->deadline.kind != DEADLINE_LINGER) /* it expired while a sibling looked at it */
        deadline_set(&s->deadlines, &c->deadline, DEADLINE_LINGER, s->now_ns);
    if (got > 0 || (got < 0 && errno == EINTR))
        serve_yield(s, c, true);
    else if (got < 0 && errno == EAGAIN)
        serve_yield(s, c, false); /* an event of the poll for input goes on from here */
    else
        serve_close(s, c);
}

/* A sibling has begun the frame, and nothing more of it has come since. */
static bool serve_rests_elsewhere(const struct shard *s, const struct conn *c)
{
    return c->in.block.data != NULL && c->keeper != s->index && !c->for_home && !c->peer_done &&
           !receive_is_due(c);
}

static void serve_home(struct shard *s, struct conn *c)
{
    if (deadline_is_wait(c->deadline.kind))
        return; /* readable, but its turn for memory has not come */
    if (!conn_claim(c, serve_me(s)))
        return;
    if (c->broken) {
        serve_close(s, c);
    } else if (c->lingering) {
        serve_linger(s, c);
    } else if (serve_rests_elsewhere(s, c)) {
        c->readable = false;
        serve_set_waiting(s, c);
        serve_yield(s, c, false);
    } else if (!work_move_in(s, c)) {
        serve_without(s, c, DEADLINE_WAIT_GROW);
    } else {
        c->for_home = false;
        c->in.more |= c->readable; /* until a receive says otherwise */
        enum receive_result result = receive_step(s, c);
        c->readable = c->in.more || c->peer_done;
        serve_received(s, c, result);
    }
}

static void serve_guest(struct shard *s, struct conn *c)
{
    if (!watch_guards(s, &s->set->shards[c->home])) {
        serve_return(s, c);
        return;
    }
    if (!conn_claim(c, serve_me(s)))
        return;
    if (c->broken || c->lingering || c->for_home || !receive_is_due(c)) {
        serve_yield(s, c, false);
        return;
    }
    if (!work_move_in(s, c)) {
        serve_without(s, c, DEADLINE_WAIT_GROW);
        return;
    }
    enum receive_result result = receive_step(s, c);
    c->for_home = receive_is_for_home(result);
    if (c->for_home)
        serve_yield(s, c, false);
    else
        serve_received(s, c, result);
}

void serve_take(struct shard *s, struct conn *c, const struct shard *from)
{
    if (conn_arm(c, serve_me(s))->working != NULL)
        return; /* first our own turn is to find out who won */
    if (!conn_take(c, (uint8_t)from->index, serve_me(s)))
        return;
    c->taken_ahead = true;
    if (work_move_in(s, c))
        serve_yield(s, c, true);
    else
        serve_without(s, c, DEADLINE_WAIT_GROW);
}

void serve_turn(struct shard *s, struct conn *c)
{
    struct request *working = conn_arm(c, serve_me(s))->working;
    uint64_t word = conn_word(c);
    bool mine = conn_word_owner(word) == serve_me(s);
    if (working != NULL) {
        serve_lex(s, c, working);
        return;
    }
    switch (conn_word_state(word)) {
    case CONN_IDLE:
        if (shard_is_home(s, c))
            serve_home(s, c);
        else
            serve_guest(s, c);
        return;
    case CONN_REPLY:
        if (mine)
            serve_send(s, c);
        break;
    case CONN_CLOSING:
        if (mine)
            serve_finish_close(s, c);
        return;
    case CONN_FREE: /* a guest that has left */
        assert(!shard_is_home(s, c));
        return;
    case CONN_RECV:
    case CONN_AHEAD:
    case CONN_PROC:
        assert(!mine && "left within the turn that entered it");
        break;
    }
    if (shard_is_home(s, c) && !mine)
        watch_alert(s, &s->set->shards[conn_word_owner(word)]); /* it will be returned */
}
