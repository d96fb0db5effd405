#include "engine/watch.h"

#include "engine/clock.h"
#include "engine/hedge.h"
#include "engine/listener.h"
#include "engine/op.h"
#include "engine/serve.h"
#include "engine/shard.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Events of one epoll_wait; the rest comes with the next. */
enum { WATCH_BATCH = 64 };

/* In an event's data: a listener's index instead of a connection's slot. */
#define WATCH_LISTENER (UINT64_C(1) << 32)

/* ---- the watch set ------------------------------------------------------------------------- */

int watch_open(struct shard *s)
{
    s->watch_set = epoll_create1(EPOLL_CLOEXEC);
    return s->watch_set < 0 ? -errno : 0;
}

void watch_close(struct shard *s)
{
    if (s->watch_set >= 0)
        (void)close(s->watch_set);
}

static void watch_add(struct shard *s, int fd, uint64_t data)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = data};
    if (s->watch_set >= 0 && epoll_ctl(s->watch_set, EPOLL_CTL_ADD, fd, &event) != 0)
        metric_add(&s->metrics.hedge_unwatched, 1);
}

void watch_add_conn(struct shard *s, const struct conn *c)
{
    watch_add(s, c->fd, c->slot);
}

void watch_add_listener(struct shard *s, uint32_t index, int fd)
{
    watch_add(s, fd, WATCH_LISTENER | index);
}

/* ---- the watches --------------------------------------------------------------------------- */

/* Looks then, and wakes for it. */
static void watch_set(struct watch *w, uint64_t look_ns)
{
    w->look_ns = w->wake_ns = look_ns;
}

void watch_start(struct shard *s)
{
    s->watches[WATCH_WARD].target = s->ward;
    s->watches[WATCH_SIBLING].target = s->sibling != s->ward ? s->sibling : NULL;
    for (int i = 0; i < WATCH_COUNT; i++)
        watch_set(&s->watches[i], s->watches[i].target != NULL && i == WATCH_WARD ? 0 : UINT64_MAX);
}

/* The hint is for who places new connections: whoever has stood still for long gets none. (A short
 * stall is over before a connection that stays would care, and would only leave it on the wrong
 * shard.) */
static void watch_guard(struct shard *s, struct watch *w, bool guarding)
{
    if (!w->guarding && guarding) {
        w->since_ns = s->now_ns;
        metric_add(&s->metrics.watch_stalls, 1);
    }
    w->guarding = guarding;
    bool still = guarding && s->now_ns - w->since_ns >= LIMIT_WATCH_STILL_MS * CLOCK_NS_PER_MS;
    atomic_store_explicit(&w->target->stands_still, still, memory_order_relaxed);
}

/* A tenth of the delay, so that it is known in time who stands still. */
static uint64_t watch_period_ns(const struct shard *s)
{
    uint64_t period_ns = s->options->hedge_ns / 10;
    if (s->options->hedge_ns == OPTIONS_HEDGE_AUTO || period_ns < LIMIT_WATCH_MIN_US * 1000)
        return LIMIT_WATCH_MIN_US * CLOCK_NS_PER_US;
    if (period_ns > LIMIT_WATCH_MAX_US * CLOCK_NS_PER_US)
        return LIMIT_WATCH_MAX_US * CLOCK_NS_PER_US;
    return period_ns;
}

/* While it works, a shard that has turns itself looks once a period; one that sleeps need not wake
 * for each look, as a wake-up costs more than the look (timers are expensive in a virtual machine):
 * half the delay is early enough. (Two looks tell a stall; a request that had waited before is
 * hedged by then, though it was due earlier.) */
static uint64_t watch_patience_ns(const struct shard *s)
{
    uint64_t period_ns = watch_period_ns(s);
    uint64_t half_ns = s->options->hedge_ns == OPTIONS_HEDGE_AUTO ? 0 : s->options->hedge_ns / 2;
    return half_ns > period_ns ? half_ns : period_ns;
}

/* Has its set tell when something comes in, if there is a set. */
static void watch_arm(struct shard *s, uint32_t i)
{
    struct watch *w = &s->watches[i];
    if (w->armed || i != WATCH_WARD)
        return;
    w->armed = true;
    ring_poll(s->ring, w->target->watch_set, POLLIN, false, op_pack(OP_WATCH, i, 0));
}

static void watch_wake(struct shard *s, struct watch *w)
{
    w->seen = board_progress(&w->target->board);
    w->moved_ns = s->now_ns;
    watch_set(w, s->now_ns + watch_period_ns(s));
}

void watch_event(struct shard *s, uint32_t i)
{
    struct watch *w = &s->watches[i];
    w->armed = false;
    if (w->look_ns == UINT64_MAX)
        watch_wake(s, w);
    else if (w->guarding)
        watch_set(w, s->now_ns);
}

void watch_alert(struct shard *s, const struct shard *other)
{
    for (int i = 0; i < WATCH_COUNT; i++) {
        struct watch *w = &s->watches[i];
        if (w->target == other && w->look_ns == UINT64_MAX)
            watch_wake(s, w);
    }
}

/* ---- guarding ------------------------------------------------------------------------------ */

/* What the set tells: input for idle connections, and new connections. */
static void watch_serve_set(struct shard *s, struct shard *target)
{
    struct epoll_event events[WATCH_BATCH];
    int n;
    do {
        n = epoll_wait(target->watch_set, events, WATCH_BATCH, 0);
        for (int i = 0; i < n; i++) {
            uint64_t data = events[i].data.u64;
            if ((data & WATCH_LISTENER) != 0)
                listener_help(s, &target->listeners[data & ~WATCH_LISTENER]);
            else
                shard_make_ready(s, shard_conn(s->set, (uint32_t)data));
        }
    } while (n == WATCH_BATCH);
}

/* One connection that the target has in hand, in this pair's hands. When to look at it again. */
static uint64_t watch_serve_conn(struct shard *s, const struct shard *target, struct conn *c)
{
    uint64_t word = conn_word(c);
    bool target_owns = conn_word_owner(word) == target->index;
    switch (conn_word_state(word)) {
    case CONN_IDLE: /* bytes that it has received, but no turn yet */
        shard_make_ready(s, c);
        break;
    case CONN_AHEAD:
        if (target_owns)
            serve_take(s, c, target);
        break;
    case CONN_PROC:
        if (target_owns)
            return hedge_consider(s, c, word);
        break;
    case CONN_FREE:
    case CONN_RECV: /* in the middle of a system call: cannot be helped */
    case CONN_REPLY:
    case CONN_CLOSING:
        break;
    }
    return UINT64_MAX;
}

/* What the board says. When to look again. */
static uint64_t watch_serve_board(struct shard *s, const struct shard *target, bool is_ward)
{
    uint64_t next_ns = UINT64_MAX;
    for (uint32_t i = 0; i < target->board.n_words; i++) {
        for (uint64_t bits = board_in_hand(&target->board, i); bits != 0; bits &= bits - 1) {
            struct conn *c = shard_conn(s->set, 64 * i + (uint32_t)__builtin_ctzll(bits));
            if (c->home != s->index && !(is_ward && c->home == target->index))
                continue;
            uint64_t due_ns = watch_serve_conn(s, target, c);
            if (due_ns < next_ns)
                next_ns = due_ns;
        }
    }
    return next_ns;
}

static void watch_serve(struct shard *s, uint32_t i)
{
    struct watch *w = &s->watches[i];
    watch_guard(s, w, true);
    if (i == WATCH_WARD) {
        watch_serve_set(s, w->target);
        listener_relieve(s, w->target);
    }
    uint64_t due_ns = watch_serve_board(s, w->target, i == WATCH_WARD);
    if (due_ns < w->look_ns)
        watch_set(w, due_ns);
}

/* Does something wait to be received, accepted or adopted? Asked without taking it out of the set.
 */
static bool watch_has_input(const struct watch *w, uint32_t i)
{
    struct pollfd set = {.fd = w->target->watch_set, .events = POLLIN};
    return i == WATCH_WARD && (shard_has_mail(w->target) || poll(&set, 1, 0) == 1);
}

/* What the set told is ours to serve now, and some of it still lies in our queues: no guest is sent
 * back to a shard that stands still. */
static bool watch_has_guests(const struct shard *s, const struct watch *w)
{
    return w->guarding && (s->ready_first != NULL || hedge_busy(&s->hedger));
}

/* The target sleeps, has not moved since the last look, and nothing waits for it. */
static void watch_rest(struct shard *s, uint32_t i)
{
    struct watch *w = &s->watches[i];
    if (w->armed || i != WATCH_WARD)
        watch_set(w, UINT64_MAX); /* QUIET */
    else if (s->now_ns - w->moved_ns >= LIMIT_WATCH_REST_MS * CLOCK_NS_PER_MS)
        watch_arm(s, i);
}

static void watch_look(struct shard *s, uint32_t i)
{
    struct watch *w = &s->watches[i];
    uint64_t progress = board_progress(&w->target->board);
    bool moved = progress != w->seen;
    bool worked = board_worked(w->seen, progress);
    bool awake = board_awake(progress);
    w->seen = progress;
    w->look_ns = s->now_ns + watch_period_ns(s);
    w->wake_ns = s->now_ns + watch_patience_ns(s);
    if (worked)
        w->moved_ns = s->now_ns;
    /* Asleep, as far as its board says. But what waits for it should have woken it. */
    bool has_input = !moved && !awake && (watch_has_input(w, i) || watch_has_guests(s, w));
    if (!moved && (awake || (has_input && (w->waits || w->guarding)))) {
        watch_set(w, w->look_ns);
        watch_serve(s, i);
        watch_arm(s, i);
    } else if (w->guarding) {
        watch_guard(s, w, false);
    }
    w->waits = has_input;
    if (has_input && !w->guarding)
        watch_set(w, s->now_ns + watch_period_ns(s) / 4); /* will it wake? */
    else if (!worked && !awake && !has_input)
        watch_rest(s, i);
}

void watch_run(struct shard *s)
{
    for (uint32_t i = 0; i < WATCH_COUNT; i++)
        if (s->watches[i].look_ns <= s->now_ns)
            watch_look(s, i);
}

uint64_t watch_wake_ns(const struct shard *s)
{
    uint64_t wake_ns = UINT64_MAX;
    for (int i = 0; i < WATCH_COUNT; i++)
        if (s->watches[i].wake_ns < wake_ns)
            wake_ns = s->watches[i].wake_ns;
    return wake_ns;
}

bool watch_guards(const struct shard *s, const struct shard *other)
{
    for (int i = 0; i < WATCH_COUNT; i++)
        if (s->watches[i].target == other && s->watches[i].guarding)
            return true;
    return false;
}
