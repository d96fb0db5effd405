#include "engine/listener.h"

#include "engine/clock.h"
#include "engine/limits.h"
#include "engine/op.h"
#include "engine/serve.h"
#include "engine/shard.h"
#include "proto/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* accept4 calls in one turn; the rest waits for the next, so that a connect storm starves nobody.
 */
enum { LISTENER_BATCH = 64 };

void listeners_arm(struct shard *s)
{
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        if (s->listeners[i].tcp) /* the Unix one is polled by every shard anyway */
            watch_add_listener(s, i, s->listeners[i].fd);
        ring_poll(s->ring, s->listeners[i].fd, POLLIN, true, op_pack(OP_LISTEN_POLL, i, 0));
    }
}

void listener_event(struct shard *s, uint32_t index, const struct ring_event *event)
{
    struct listener *l = &s->listeners[index];
    if (s->swept)
        return;
    l->pending = true;
    if (!event->more) {
        metric_add(&s->metrics.ring_rearms, 1);
        ring_poll(s->ring, l->fd, POLLIN, true, op_pack(OP_LISTEN_POLL, index, 0));
    }
}

/* Those that stand still come last. */
static bool listener_prefers(const struct shard *s, uint32_t load, const struct shard *best,
                             uint32_t best_load)
{
    bool still = atomic_load_explicit(&s->stands_still, memory_order_relaxed);
    bool best_still =
        best != NULL && atomic_load_explicit(&best->stands_still, memory_order_relaxed);
    if (best == NULL || still != best_still)
        return best == NULL || best_still;
    return load < best_load;
}

/* Takes a place on the shard with the fewest connections. The compare-and-swap fails when another
 * acceptor changed the count that was smallest, and the choice is made again: so n connections on k
 * shards are spread evenly even when all shards accept at once. NULL: every shard is full. */
static struct shard *listener_choose(struct shard_set *set)
{
    for (;;) {
        struct shard *best = NULL;
        uint32_t best_load = 0;
        for (uint32_t i = 0; i < set->n_shards; i++) {
            struct shard *s = &set->shards[i];
            uint32_t load = atomic_load_explicit(&s->load, memory_order_relaxed);
            if (load < s->conn_cap && listener_prefers(s, load, best, best_load)) {
                best = s;
                best_load = load;
            }
        }
        if (best == NULL ||
            atomic_compare_exchange_strong_explicit(&best->load, &best_load, best_load + 1,
                                                    memory_order_relaxed, memory_order_relaxed))
            return best;
    }
}

/* Above max-conns: says so, as far as the socket takes it at once, and closes. */
static void listener_refuse(struct shard *s, int fd)
{
    uint8_t out[WIRE_REPLY_BYTES];
    const struct wire_reply busy = {.status = WIRE_BUSY};
    wire_encode_reply(out, &busy);
    (void)send(fd, out, sizeof out, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
    metric_add(&s->metrics.conns_refused, 1);
}

static void listener_place(struct shard *s, int fd, bool tcp)
{
    const int on = 1;
    if (tcp)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    metric_add(&s->metrics.conns_accepted, 1);
    struct shard *home = listener_choose(s->set);
    if (home == NULL) {
        listener_refuse(s, fd);
        return;
    }
    if (home == s) {
        serve_adopt(s, fd);
        return;
    }
    if (mailbox_post(&home->inboxes[s->index], fd)) {
        metric_add(&s->metrics.conns_handed_off, 1);
        shard_ring_doorbell(home);
        watch_alert(s, home); /* does it take it? */
        return;
    }
    /* That shard has not emptied its mailbox for 256 connections: it stands still. We do not. */
    (void)atomic_fetch_sub_explicit(&home->load, 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&s->load, 1, memory_order_relaxed);
    serve_adopt(s, fd);
}

/* Takes a place here, if there is one. */
static bool listener_reserve(struct shard *s)
{
    uint32_t load = atomic_load_explicit(&s->load, memory_order_relaxed);
    while (load < s->conn_cap)
        if (atomic_compare_exchange_weak_explicit(&s->load, &load, load + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

void listener_relieve(struct shard *s, struct shard *other)
{
    while (shard_has_mail(other) && listener_reserve(s)) {
        int fd = shard_take_mail(other);
        if (fd < 0) { /* it has woken and taken it */
            (void)atomic_fetch_sub_explicit(&s->load, 1, memory_order_relaxed);
            break;
        }
        (void)atomic_fetch_sub_explicit(&other->load, 1, memory_order_relaxed);
        metric_add(&s->metrics.hedge_adopted, 1);
        serve_adopt(s, fd);
    }
}

static void listener_accept(struct shard *s, struct listener *l)
{
    for (int i = 0; i < LISTENER_BATCH; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            listener_place(s, fd, l->tcp);
            continue;
        }
        switch (errno) {
        case EINTR:
        case ECONNABORTED: /* the peer left before we came */
            continue;
        case EAGAIN:
        case EINVAL: /* shut down: draining */
            l->pending = false;
            return;
        default: /* EMFILE, ENFILE, ENOBUFS, ENOMEM: the backlog stays, so only a timer helps; the
                    errors that TCP passes on from the network are transient as well */
            metric_add(&s->metrics.accept_errors, 1);
            l->pending = false;
            l->retry_at_ns = s->now_ns + LIMIT_ACCEPT_BACKOFF_MS * CLOCK_NS_PER_MS;
            return;
        }
    }
}

void listener_help(struct shard *s, const struct listener *other)
{
    for (int i = 0; i < LISTENER_BATCH && !s->swept; i++) {
        int fd = accept4(other->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return; /* whatever it is, its owner will see it too */
        listener_place(s, fd, other->tcp);
    }
}

void listeners_run(struct shard *s)
{
    if (s->swept)
        return;
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        struct listener *l = &s->listeners[i];
        if (l->retry_at_ns != 0 && s->now_ns < l->retry_at_ns)
            continue;
        if (l->pending || l->retry_at_ns != 0) {
            l->retry_at_ns = 0;
            listener_accept(s, l);
        }
    }
}

uint64_t listeners_next_ns(const struct shard *s)
{
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < s->n_listeners && !s->swept; i++) {
        const struct listener *l = &s->listeners[i];
        if (l->retry_at_ns == 0 && l->pending)
            return 0;
        if (l->retry_at_ns != 0 && l->retry_at_ns < next)
            next = l->retry_at_ns;
    }
    return next;
}

void listeners_sweep(struct shard *s)
{
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        struct listener *l = &s->listeners[i];
        /* From here on connect(2) is refused. A Unix backlog survives the shutdown; TCP's does not,
         * so it is emptied first. */
        if (!l->tcp)
            (void)shutdown(l->fd, SHUT_RDWR);
        do {
            l->pending = true;
            listener_accept(s, l);
        } while (l->pending);
        if (l->tcp)
            (void)shutdown(l->fd, SHUT_RDWR);
        ring_cancel(s->ring, op_pack(OP_LISTEN_POLL, i, 0), op_pack(OP_UNPOLL, i, 0));
    }
    s->swept = true;
}
