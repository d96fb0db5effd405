/* Another implementation behind engine/ring.h, for simulations: the shard's unchanged loop runs on
 * it, in a time of its own. To be included by exactly one file of a program, whose definitions then
 * take the place of engine/ring.c.
 *
 * Every turn first lets the simulation act (fake_ring_act). Then armed polls are looked at with
 * poll(2). A multishot poll of a stream tells edges only, as the kernel's does: when it is armed on
 * what is ready, when bytes came, when the peer left; never again what it told before. Completions
 * come in a drawn order, some a turn late, multishot polls end now and then without further notice,
 * and a cancellation completes before or after what it cancels: all that a kernel may do. Time
 * stands still but for fake_clock_advance; a wait that nothing ends advances it to the wait's end,
 * after fake_ring_asleep has been told. */
#ifndef L0_TESTS_FUZZ_FAKE_RING_H
#define L0_TESTS_FUZZ_FAKE_RING_H

#include "engine/clock.h"
#include "engine/ring.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- what the simulation provides; called in the shard's thread ---- */

/* A number below n > 0. */
uint32_t fake_ring_draw(uint32_t n);
void fake_ring_act(void);
/* Nothing is ready and the shard would wait so long. true: something was done, look again. */
bool fake_ring_asleep(uint64_t wait_ns);

/* ---- the clock: CLOCK_MONOTONIC of the thread that enabled the ring ---- */

static uint64_t fake_clock_ns;
static _Thread_local bool fake_clock_on;

static inline void fake_clock_advance(uint64_t ns)
{
    fake_clock_ns += ns;
}

/* Takes the C library's place, also for the fuzzer itself, whose threads have the real time. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_MONOTONIC || !fake_clock_on)
        return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = (time_t)(fake_clock_ns / CLOCK_NS_PER_S);
    time->tv_nsec = (long)(fake_clock_ns % CLOCK_NS_PER_S);
    return 0;
}

/* ---- the ring ---- */

enum { FAKE_RING_POLLS = 64, FAKE_RING_DONE = 128 };

struct fake_poll {
    int fd;
    uint32_t mask;
    bool multishot;
    bool edge;  /* something to tell; always for what is not a stream */
    short told; /* the poll mask at the turn's begin, or when it was told */
    int bytes;  /* likewise what could be received; -1: not a stream */
    uint64_t user_data;
};

struct ring {
    struct fake_poll polls[FAKE_RING_POLLS];
    uint32_t n_polls;
    struct ring_event done[FAKE_RING_DONE]; /* completed, not yet taken */
    uint32_t n_done;
};

static void fake_ring_complete(struct ring *ring, uint64_t user_data, int32_t res, bool more)
{
    assert(ring->n_done < FAKE_RING_DONE);
    ring->done[ring->n_done++] =
        (struct ring_event){.user_data = user_data, .res = res, .more = more};
}

static void fake_ring_disarm(struct ring *ring, uint32_t i)
{
    ring->polls[i] = ring->polls[--ring->n_polls];
}

int ring_probe(void)
{
    return 0;
}

int ring_explain(int error, FILE *out)
{
    fprintf(out, "fake ring: %s\n", strerror(-error));
    return EXIT_FAILURE;
}

int ring_open(struct ring **ring, uint32_t sq_entries, uint32_t cq_entries)
{
    assert(sq_entries > 0 && cq_entries > 0);
    *ring = calloc(1, sizeof **ring);
    return *ring != NULL ? 0 : -ENOMEM;
}

int ring_enable(struct ring *ring)
{
    (void)ring;
    fake_clock_on = true;
    return 0;
}

void ring_close(struct ring *ring)
{
    free(ring);
}

void ring_poll(struct ring *ring, int fd, uint32_t poll_mask, bool multishot, uint64_t user_data)
{
    assert(ring->n_polls < FAKE_RING_POLLS && fd >= 0);
    ring->polls[ring->n_polls++] = (struct fake_poll){
        .fd = fd, .mask = poll_mask, .multishot = multishot, .edge = true, .user_data = user_data};
}

/* Bytes to be received from a stream; -1 for listeners and eventfds. */
static int fake_ring_bytes(int fd)
{
    int bytes = -1;
    return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : -1;
}

static short fake_ring_mask(const struct fake_poll *p)
{
    struct pollfd now = {.fd = p->fd, .events = (short)p->mask};
    int ready = poll(&now, 1, 0);
    assert(ready >= 0);
    return now.revents;
}

/* How the handlers left things. */
static void fake_ring_sample(struct ring *ring)
{
    for (uint32_t i = 0; i < ring->n_polls; i++) {
        ring->polls[i].told = fake_ring_mask(&ring->polls[i]);
        ring->polls[i].bytes = fake_ring_bytes(ring->polls[i].fd);
    }
}

/* Has it something to tell that it did not tell before? */
static bool fake_ring_edge(struct fake_poll *p, short revents)
{
    const short ends = POLLHUP | POLLRDHUP | POLLERR;
    int bytes = fake_ring_bytes(p->fd);
    if (!p->multishot || bytes < 0 || bytes > p->bytes || (revents & ~p->told & ends) != 0)
        p->edge = true;
    p->told = revents;
    p->bytes = bytes;
    return p->edge;
}

void ring_cancel(struct ring *ring, uint64_t target_user_data, uint64_t user_data)
{
    bool cancel_first = fake_ring_draw(2) == 0;
    for (uint32_t i = 0; i < ring->n_polls; i++) {
        if (ring->polls[i].user_data != target_user_data)
            continue;
        fake_ring_disarm(ring, i);
        if (cancel_first)
            fake_ring_complete(ring, user_data, 0, false);
        fake_ring_complete(ring, target_user_data, -ECANCELED, false);
        if (!cancel_first)
            fake_ring_complete(ring, user_data, 0, false);
        return;
    }
    fake_ring_complete(ring, user_data, -ENOENT, false);
}

void ring_timer(struct ring *ring, uint64_t at_ns, uint64_t user_data)
{
    (void)ring, (void)at_ns, (void)user_data;
    assert(false && "one shard alone watches nobody");
}

/* Armed polls that are ready complete, but for late ones; true: there were late ones. */
static bool fake_ring_look(struct ring *ring, uint32_t late_one_in)
{
    struct pollfd fds[FAKE_RING_POLLS];
    bool late = false;
    for (uint32_t i = 0; i < ring->n_polls; i++)
        fds[i] = (struct pollfd){.fd = ring->polls[i].fd, .events = (short)ring->polls[i].mask};
    int ready = poll(fds, ring->n_polls, 0);
    assert(ready >= 0);
    for (uint32_t left = ring->n_polls; left > 0; left--) {
        uint32_t i = left - 1; /* downwards: disarming moves the last one here */
        if (fds[i].revents == 0 || !fake_ring_edge(&ring->polls[i], fds[i].revents))
            continue;
        assert((fds[i].revents & POLLNVAL) == 0 && "a poll on a descriptor that was closed");
        if (late_one_in > 0 && fake_ring_draw(late_one_in) == 0) {
            late = true;
            continue;
        }
        ring->polls[i].edge = false;
        bool more = ring->polls[i].multishot && fake_ring_draw(8) != 0;
        fake_ring_complete(ring, ring->polls[i].user_data, fds[i].revents, more);
        if (!more)
            fake_ring_disarm(ring, i);
    }
    return late;
}

uint32_t ring_turn(struct ring *ring, uint64_t wait_ns, struct ring_event *events, uint32_t cap)
{
    fake_ring_sample(ring);
    do {
        fake_ring_act();
        if (fake_ring_look(ring, 6) && ring->n_done == 0 && wait_ns > 0)
            (void)fake_ring_look(ring, 0);
    } while (ring->n_done == 0 && wait_ns > 0 && fake_ring_asleep(wait_ns));
    if (ring->n_done == 0 && wait_ns > 0) {
        assert(wait_ns != RING_WAIT_FOREVER && "nothing will ever wake it");
        fake_clock_advance(wait_ns);
    }
    uint32_t n = 0;
    while (ring->n_done > 0 && n < cap) {
        uint32_t i = fake_ring_draw(ring->n_done);
        events[n++] = ring->done[i];
        ring->done[i] = ring->done[--ring->n_done];
    }
    return n;
}

uint64_t ring_overflows(const struct ring *ring)
{
    (void)ring;
    return 0;
}

#endif
