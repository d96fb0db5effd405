/* Faults of the ring one by one: the simulation follows a list of steps; each is taken when nothing
 * is under way and the shard would sleep, so that whatever a step looks at has come to rest. To be
 * included by exactly one file of a program. */
#ifndef L0_TESTS_SIM_STEPS_H
#define L0_TESTS_SIM_STEPS_H

#include "tests/sim/sim.h"

enum { STEPS_TURNS_AWAKE_MAX = 100 }; /* of the loop, between two sleeps */

/* true: look again; false: nothing happens until the next deadline. */
typedef bool steps_fn(void);

static steps_fn *const *next_step; /* NULL ends the list */
static uint32_t turns_awake;
static uint64_t began_ns;

/* How the kernel behaves. */
static struct {
    bool ends_polls;     /* whatever a multishot poll tells is the last that it tells */
    uint32_t cancel_how; /* FAKE_CANCEL */
    uint32_t held_slot;  /* the last completions of its operations are kept back, */
    uint32_t held_kinds; /* if their bit (1 << kind) is in here */
    bool short_sends;
    uint32_t n_sends;
} kernel;

/* Takes the C library's place: of three calls for a connection one is interrupted, one takes a
 * single byte, one finds the socket full. Clients have larger descriptors. */
ssize_t send(int fd, const void *bytes, size_t n_bytes, int flags)
{
    if (kernel.short_sends && fd < SIM_CLIENT_FD_MIN) {
        uint32_t which = kernel.n_sends++ % 3;
        n_bytes = 1;
        if (which != 1) {
            errno = which == 0 ? EINTR : EAGAIN;
            return -1;
        }
    }
    return sendto(fd, bytes, n_bytes, flags, NULL, 0);
}

uint32_t fake_ring_choose(enum fake_choice choice, uint32_t n)
{
    switch (choice) {
    case FAKE_CANCEL:
        return kernel.cancel_how;
    case FAKE_END:
        return kernel.ends_polls ? 0 : n - 1;
    case FAKE_FAIL:
    case FAKE_LATE:
    case FAKE_PICK:
        break;
    }
    return n - 1;
}

bool fake_ring_holds(const struct ring_event *event, bool asleep)
{
    struct op op = op_unpack(event->user_data);
    (void)asleep;
    return !event->more && op.slot == kernel.held_slot && (kernel.held_kinds >> op.kind & 1) != 0;
}

void fake_ring_act(void)
{
    frames_require(++turns_awake <= STEPS_TURNS_AWAKE_MAX, "it spins");
    sim_make_server_buffers_small();
}

bool fake_ring_asleep(uint64_t wait_ns)
{
    (void)wait_ns;
    turns_awake = 0;
    if (sim_exchange())
        return true;
    sim_expect_all_served();
    if (*next_step != NULL)
        return (*next_step++)();
    if (sim.limits.draining)
        return false;
    sim_drain();
    return true;
}

static inline void steps_begin(uint32_t n_clients)
{
    memset(&kernel, 0, sizeof kernel);
    turns_awake = 0;
    sim_init(n_clients);
    began_ns = fake_clock_ns;
}

static inline void steps_run(steps_fn *const *steps)
{
    next_step = steps;
    sim_run();
    frames_require(*next_step == NULL, "steps are left");
}

/* ---- what steps do and look at --------------------------------------------------------------- */

static inline void steps_hold(uint32_t slot, enum op_kind kind)
{
    kernel.held_slot = slot;
    kernel.held_kinds |= 1U << kind;
}

static inline void steps_release(enum op_kind kind)
{
    kernel.held_kinds &= ~(1U << kind);
}

static inline bool steps_is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static inline void steps_expect_state(uint32_t slot, enum conn_state state)
{
    frames_require(conn_state(&sim.conns[slot]) == state, "a connection is in another state");
}

static inline void steps_expect_replied(uint32_t client, size_t n_replies)
{
    const struct frames_client *c = &sim.clients[client];
    frames_require(c->n_replied == n_replies && c->in_have == 0 && !c->refused,
                   "a client has not the replies that it is due");
}

static inline void steps_expect_armed(uint64_t user_data)
{
    const struct ring *ring = sim.shard->ring;
    uint32_t n = 0;
    for (uint32_t i = 0; i < ring->n_polls; i++)
        n += ring->polls[i].user_data == user_data;
    frames_require(n == 1, "a poll is not armed exactly once");
}

static inline void steps_ask(uint32_t client, uint32_t n_frames)
{
    if (sim.clients[client].fd < 0)
        sim_connect(&sim.clients[client]);
    for (uint32_t n = 0; n < n_frames; n++)
        sim_queue_frame(&sim.clients[client], 1 + 40 * client + n, n);
}

#endif
