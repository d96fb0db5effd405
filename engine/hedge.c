#include "engine/hedge.h"

#include "engine/clock.h"
#include "engine/reply.h"
#include "engine/serve.h"
#include "engine/shard.h"
#include "engine/work.h"

#include <assert.h>

void hedge_init(struct hedger *h, uint32_t share_ppm)
{
    *h = (struct hedger){0};
    hedge_budget_init(&h->budget, share_ppm);
    for (size_t i = 0; i < LIMIT_HEDGE_DUPLICATES; i++) {
        h->duplicates[i].next = h->free;
        h->free = &h->duplicates[i];
    }
}

/* ---- firing -------------------------------------------------------------------------------- */

/* The delay that holds for that shard's requests; UINT64_MAX: none yet. */
static uint64_t hedge_delay_ns(const struct shard *owner)
{
    uint64_t delay_ns = owner->options->hedge_ns;
    return delay_ns == OPTIONS_HEDGE_AUTO
               ? atomic_load_explicit(&owner->auto_delay_ns, memory_order_relaxed)
               : delay_ns;
}

static void hedge_deny(struct conn_arm *arm, uint64_t proc_word, metric_u64 *cause)
{
    if (arm->denied_word != proc_word)
        metric_add(cause, 1);
    arm->denied_word = proc_word;
}

/* The owner stands still, so what it has in hand does not count against ours; but where as many
 * requests wait here as one turn serves, a duplicate would only add to what is wrong. */
static bool hedge_overloaded(const struct shard *s)
{
    return s->n_ready >= LIMIT_TURN_STEPS;
}

/* A free duplicate with a request of its own, its cost taken from the budget; NULL: denied. */
static struct hedge_duplicate *hedge_prepare(struct shard *s, struct conn_arm *arm,
                                             uint64_t proc_word)
{
    struct hedger *h = &s->hedger;
    struct hedge_duplicate *d = h->free;
    if (hedge_overloaded(s)) {
        hedge_deny(arm, proc_word, &s->metrics.hedge_denied_load);
        return NULL;
    }
    struct request *own = d != NULL ? request_open(&s->requests, 0) : NULL;
    if (own == NULL) {
        hedge_deny(arm, proc_word, &s->metrics.hedge_denied_full);
        return NULL;
    }
    const struct shard *ward = s->watches[WATCH_WARD].target;
    if (!hedge_budget_take(&h->budget, metric_get(&ward->metrics.requests_accepted))) {
        request_close(&s->requests, own);
        hedge_deny(arm, proc_word, &s->metrics.hedge_denied_budget);
        return NULL;
    }
    h->free = d->next;
    *d = (struct hedge_duplicate){.own = own};
    return d;
}

static void hedge_release(struct shard *s, struct hedge_duplicate *d)
{
    struct hedger *h = &s->hedger;
    if (d->own != NULL)
        request_close(&s->requests, d->own);
    *d = (struct hedge_duplicate){.next = h->free};
    h->free = d;
    serve_wake_waiter(s);
}

static void hedge_queue(struct hedger *h, struct hedge_duplicate *d)
{
    d->next = NULL;
    if (h->first == NULL)
        h->first = d;
    else
        h->last->next = d;
    h->last = d; /* stale where first is NULL */
}

static void hedge_fire(struct shard *s, struct conn *c, uint64_t proc_word,
                       struct hedge_duplicate *d)
{
    /* Only a pointer until the compare-and-swap proves that it is this request's. */
    struct request *lent = atomic_load_explicit(&c->lent, memory_order_relaxed);
    if (!conn_hedge(c, proc_word)) {
        hedge_budget_refund(&s->hedger.budget);
        hedge_release(s, d);
        return;
    }
    uint64_t now_ns = clock_now_ns();
    atomic_store_explicit(&lent->hedge_fire_ns, now_ns, memory_order_relaxed);
    metric_add(&s->metrics.hedge_fired, 1);
    d->conn = c;
    d->lent = lent;
    request_duplicate(d->own, lent, &s->set->lexer_options);
    d->own->bracket = (struct bracket){.t_in_start = lent->bracket.t_in_start,
                                       .t_in_done = lent->bracket.t_in_done,
                                       .t_proc_start = lent->bracket.t_proc_start,
                                       .t_hedge_fire = now_ns};
    hedge_queue(&s->hedger, d);
}

uint64_t hedge_consider(struct shard *s, struct conn *c, uint64_t proc_word)
{
    struct conn_arm *arm = conn_arm(c, (uint8_t)s->index);
    uint64_t delay_ns = hedge_delay_ns(&s->set->shards[conn_word_owner(proc_word)]);
    if ((proc_word & CONN_HEDGED) != 0 || arm->denied_word == proc_word || delay_ns == UINT64_MAX)
        return UINT64_MAX;
    uint64_t due_ns = atomic_load_explicit(&c->since_ns, memory_order_relaxed) + delay_ns;
    if (due_ns > s->now_ns && due_ns > clock_now_ns())
        return due_ns;
    struct hedge_duplicate *d = hedge_prepare(s, arm, proc_word);
    if (d != NULL)
        hedge_fire(s, c, proc_word, d);
    return UINT64_MAX;
}

/* ---- running ------------------------------------------------------------------------------- */

/* The connection is ours, in REPLY: answers, and is done with the lent request. */
static void hedge_answer(struct shard *s, struct hedge_duplicate *d, enum wire_status status,
                         struct arena_block room)
{
    struct conn *c = d->conn;
    struct request *own = d->own;
    d->own = NULL;
    work_carry(s, c, d->lent, room);
    c->in.more = true; /* what has come meanwhile was told to nobody who could receive it */
    work_drop(s, d->lent);
    hedge_release(s, d);
    c->request = own;
    serve_answer(s, c, status);
}

/* This arm gives no result: the other one will. Where that has failed too, somebody must say so,
 * and the second one to fail does. */
static void hedge_fail(struct shard *s, struct hedge_duplicate *d)
{
    struct arena_block room;
    metric_add(&s->metrics.hedge_lost, 1);
    if (atomic_exchange_explicit(&d->lent->arm_failed, true, memory_order_acq_rel) &&
        conn_win(d->conn, (uint8_t)s->index, d->lent->word)) {
        if (!work_carry_room(s, d->lent, &room))
            d->conn->close_after = true; /* what is behind this frame is lost */
        hedge_answer(s, d, WIRE_INTERNAL, room);
        return;
    }
    work_drop(s, d->lent);
    hedge_release(s, d);
}

static void hedge_finish(struct shard *s, struct hedge_duplicate *d)
{
    struct arena_block room;
    fault_maybe_stall(&s->fault, OPTIONS_FAULT_POST);
    if (!work_carry_room(s, d->lent, &room)) {
        hedge_fail(s, d);
    } else if (conn_win(d->conn, (uint8_t)s->index, d->lent->word)) {
        metric_add(&s->metrics.hedge_wins, 1);
        hedge_answer(s, d, WIRE_OK, room);
    } else {
        metric_add(&s->metrics.hedge_lost, 1);
        arena_free(&s->arenas, &room);
        work_drop(s, d->lent);
        hedge_release(s, d);
    }
}

/* One slice; true: it goes on. */
static bool hedge_turn(struct shard *s, struct hedge_duplicate *d)
{
    if (!d->begun)
        fault_maybe_stall(&s->fault, OPTIONS_FAULT_PRE);
    d->begun = true;
    if (!conn_in_proc(d->conn, d->lent->word)) {
        metric_add(&s->metrics.hedge_abandoned, 1);
        work_drop(s, d->lent);
        hedge_release(s, d);
        return false;
    }
    int rc = serve_lex_slice(s, d->own, d->lent->body);
    if (rc == 0 && !request_lexed(d->own))
        return true;
    if (rc == 0)
        hedge_finish(s, d);
    else
        hedge_fail(s, d);
    return false;
}

void hedge_run(struct shard *s)
{
    struct hedger *h = &s->hedger;
    if (h->first == NULL)
        return;
    uint64_t until_ns = clock_now_ns() + LIMIT_HEDGE_TURN_US * CLOCK_NS_PER_US;
    while (h->first != NULL && clock_now_ns() < until_ns) {
        struct hedge_duplicate *d = h->first;
        struct hedge_duplicate *next = d->next;
        board_step(&s->board);
        if (!hedge_turn(s, d)) /* released */
            h->first = next;
    }
}
