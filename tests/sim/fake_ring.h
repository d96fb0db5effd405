/* Another implementation behind engine/ring.h, for simulations: the shard's unchanged loop runs on
 * it, in a time of its own. To be included by exactly one file of a program, whose definitions then
 * take the place of engine/ring.c.
 *
 * Every turn first lets the simulation act (fake_ring_act). Then armed polls are looked at with
 * poll(2). A multishot poll of a stream tells edges only, as the kernel's does: when it is armed on
 * what is ready, when bytes came, when the peer left; never again what it told before. Completions
 * come in any order and as late as the simulation likes, polls fail, multishot ones end without
 * notice, and a cancellation succeeds, or comes too late for what is about to complete or has
 * completed, before or after the completion of its target: all that a kernel may do, by
 * fake_ring_choose. Time stands still but for fake_clock_advance; a wait that nothing ends advances
 * it to the wait's end, after fake_ring_asleep has been told. */
#ifndef L0_TESTS_SIM_FAKE_RING_H
#define L0_TESTS_SIM_FAKE_RING_H

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

/* What a kernel may do one way or the other. */
enum fake_choice {
    FAKE_FAIL,   /* 0: a poll fails for want of memory */
    FAKE_LATE,   /* 0: a ready poll completes a turn later */
    FAKE_END,    /* 0: a multishot poll ends with what it tells */
    FAKE_CANCEL, /* + 1: the target completes first; + 2: by itself, and the answer is -EALREADY */
    FAKE_PICK,   /* which of the completions is taken next */
};

/* A number below n > 0. */
uint32_t fake_ring_choose(enum fake_choice choice, uint32_t n);
/* Is this completion kept back for now? asleep: it could not sleep with it for ever. */
bool fake_ring_holds(const struct ring_event *event, bool asleep);
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
    for (uint32_t i = 0; i < ring->n_polls; i++)
        assert(ring->polls[i].user_data != user_data && "armed twice");
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
    for (uint32_t i = 0; i < ring->n_polls; i++) {
        if (ring->polls[i].user_data != target_user_data)
            continue;
        uint32_t how = fake_ring_choose(FAKE_CANCEL, 4);
        int ready = (how & 2) != 0 ? fake_ring_mask(&ring->polls[i]) : 0;
        int answer = ready != 0 ? -EALREADY : 0;
        fake_ring_disarm(ring, i);
        if ((how & 1) == 0)
            fake_ring_complete(ring, user_data, answer, false);
        fake_ring_complete(ring, target_user_data, ready != 0 ? ready : -ECANCELED, false);
        if ((how & 1) != 0)
            fake_ring_complete(ring, user_data, answer, false);
        return;
    }
    fake_ring_complete(ring, user_data, -ENOENT, false);
}

void ring_timer(struct ring *ring, uint64_t at_ns, uint64_t user_data)
{
    (void)ring, (void)at_ns, (void)user_data;
    assert(false && "one shard alone watches nobody");
}

/* Armed polls that are ready complete; badly: some are late, others fail. true: some were late. */
static bool fake_ring_look(struct ring *ring, bool badly)
{
    struct pollfd fds[FAKE_RING_POLLS];
    bool late = false;
    for (uint32_t i = 0; i < ring->n_polls; i++)
        fds[i] = (struct pollfd){.fd = ring->polls[i].fd, .events = (short)ring->polls[i].mask};
    int ready = poll(fds, ring->n_polls, 0);
    assert(ready >= 0);
    for (uint32_t left = ring->n_polls; left > 0; left--) {
        uint32_t i = left - 1; /* downwards: disarming moves the last one here */
        if (badly && fake_ring_choose(FAKE_FAIL, 100) == 0) {
            fake_ring_complete(ring, ring->polls[i].user_data, -ENOMEM, false);
            fake_ring_disarm(ring, i);
            continue;
        }
        if (fds[i].revents == 0 || !fake_ring_edge(&ring->polls[i], fds[i].revents))
            continue;
        assert((fds[i].revents & POLLNVAL) == 0 && "a poll on a descriptor that was closed");
        if (badly && fake_ring_choose(FAKE_LATE, 6) == 0) {
            late = true;
            continue;
        }
        ring->polls[i].edge = false;
        bool more = ring->polls[i].multishot && fake_ring_choose(FAKE_END, 8) != 0;
        fake_ring_complete(ring, ring->polls[i].user_data, fds[i].revents, more);
        if (!more)
            fake_ring_disarm(ring, i);
    }
    return late;
}

/* Moves the completions that are not held to the front; how many. */
static uint32_t fake_ring_ripe(struct ring *ring, bool asleep)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < ring->n_done; i++) {
        struct ring_event event = ring->done[i];
        if (fake_ring_holds(&event, asleep))
            continue;
        ring->done[i] = ring->done[n];
        ring->done[n++] = event;
    }
    return n;
}

uint32_t ring_turn(struct ring *ring, uint64_t wait_ns, struct ring_event *events, uint32_t cap)
{
    uint32_t n = 0;
    uint32_t ripe;
    fake_ring_sample(ring);
    do {
        fake_ring_act();
        bool late = fake_ring_look(ring, true);
        ripe = fake_ring_ripe(ring, false);
        if (ripe == 0 && wait_ns > 0) {
            if (late)
                (void)fake_ring_look(ring, false);
            ripe = fake_ring_ripe(ring, true);
        }
    } while (ripe == 0 && wait_ns > 0 && fake_ring_asleep(wait_ns));
    if (ripe == 0 && wait_ns > 0) {
        assert(wait_ns != RING_WAIT_FOREVER && "nothing will ever wake it");
        fake_clock_advance(wait_ns);
    }
    for (; ripe > 0 && n < cap; ripe--) {
        uint32_t i = fake_ring_choose(FAKE_PICK, ripe);
        events[n++] = ring->done[i];
        ring->done[i] = ring->done[ripe - 1];
        ring->done[ripe - 1] = ring->done[--ring->n_done];
    }
    return n;
}

uint64_t ring_overflows(const struct ring *ring)
{
    (void)ring;
    return 0;
}

#endif
