/* What the shard's loop makes of the faults of io_uring, over a fake ring in simulated time. A test
 * is a list of steps; each is taken when nothing is under way and the shard would sleep, so that
 * whatever a step looks at has come to rest. Faults of the real ring are in test_ring_enter.c.
 *
 * Receives are plain recv(2) into the arena: no buffers are provided to the ring, so none can run
 * out there (-ENOBUFS). In its place u02 has memory run short for a receive. */
#include "tests/sim/steps.h"

#include <criterion/criterion.h>

static void init_lexer(void)
{
    cr_assert_eq(lexer_init(NULL), 0);
}

TestSuite(ring_faults, .init = init_lexer, .timeout = 60);

static uint32_t count_waiting(enum deadline_kind kind)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < sim.shard->conn_cap; i++)
        n += sim.conns[i].deadline.kind == kind;
    return n;
}

/* ---- u02: memory is short for a receive ------------------------------------------------------ */

enum { HOLDERS = LIMIT_SMALL_GRANULES(1), WAITERS = 3, HELD_BYTES = 100 };

/* Each holds a granule: a frame has begun. */
static bool u02_take_all(void)
{
    const uint8_t begun[WIRE_HEADER_BYTES + 1] = {0, 0, 0, HELD_BYTES, 'a'};
    for (uint32_t i = 0; i < HOLDERS; i++) {
        sim_connect(&sim.clients[i]);
        frames_client_queue(&sim.clients[i], begun, sizeof begun);
    }
    return true;
}

static bool u02_come_too_late(void)
{
    frames_require(count_waiting(DEADLINE_FRAME) == HOLDERS, "frames have not begun");
    for (uint32_t i = HOLDERS; i < HOLDERS + WAITERS; i++)
        steps_ask(i, 1);
    return true;
}

static void u02_complete(uint32_t client)
{
    uint8_t rest[HELD_BYTES - 1];
    memset(rest, 'b', sizeof rest);
    frames_client_queue(&sim.clients[client], rest, sizeof rest);
}

static bool u02_give_one_back(void)
{
    frames_require(count_waiting(DEADLINE_WAIT_GRANULE) == WAITERS, "they do not wait in line");
    frames_require(metric_get(&sim.shard->metrics.backpressure_waits) == WAITERS,
                   "each wait is not counted once");
    u02_complete(HOLDERS / 2);
    return true;
}

static bool u02_give_all_back(void)
{
    frames_require(count_waiting(DEADLINE_WAIT_GRANULE) == 0, "somebody waits for what is free");
    steps_expect_replied(HOLDERS / 2, 1);
    for (uint32_t i = HOLDERS; i < HOLDERS + WAITERS; i++)
        steps_expect_replied(i, 1);
    for (uint32_t i = 0; i < HOLDERS; i++)
        if (i != HOLDERS / 2)
            u02_complete(i);
    return true;
}

static bool u02_see_all(void)
{
    for (uint32_t i = 0; i < HOLDERS + WAITERS; i++)
        steps_expect_replied(i, 1);
    frames_require(fake_clock_ns == began_ns, "it took a timer to go on");
    return true;
}

Test(ring_faults, u02_memory_short_for_a_receive)
{
    static steps_fn *const steps[] = {u02_take_all,      u02_come_too_late, u02_give_one_back,
                                      u02_give_all_back, u02_see_all,       NULL};
    steps_begin(HOLDERS + WAITERS);
    sim.options.max_conns = HOLDERS + WAITERS;
    steps_run(steps);
}

/* ---- u03: every send is short -----------------------------------------------------------------
 */

enum { U03_CLIENTS = 2, U03_FRAMES = 5 };

static bool u03_ask(void)
{
    kernel.short_sends = true;
    for (uint32_t i = 0; i < U03_CLIENTS; i++)
        steps_ask(i, U03_FRAMES);
    return true;
}

/* That they are the right ones, in order, is what a client requires. */
static bool u03_see(void)
{
    for (uint32_t i = 0; i < U03_CLIENTS; i++)
        steps_expect_replied(i, U03_FRAMES);
    frames_require(kernel.n_sends >= 3 * U03_CLIENTS * U03_FRAMES * (WIRE_REPLY_BYTES - 1),
                   "sends were not short");
    return true;
}

Test(ring_faults, u03_every_send_is_short)
{
    static steps_fn *const steps[] = {u03_ask, u03_see, NULL};
    steps_begin(U03_CLIENTS);
    steps_run(steps);
}

/* ---- u05: every answer of a cancellation, its and its target's completion in either order -----
 */

static int u05_fd;
static enum op_kind u05_order[2]; /* in which the last completions come */

static bool u05_begin(void)
{
    steps_ask(0, 1);
    return true;
}

static void u05_hold_all(void)
{
    steps_expect_replied(0, 1);
    u05_fd = sim.conns[0].fd;
    steps_hold(0, u05_order[0]);
    steps_hold(0, u05_order[1]);
}

static void u05_expect_closing(uint8_t ops)
{
    const struct conn *c = &sim.conns[0];
    steps_expect_state(0, CONN_CLOSING);
    frames_require(c->ops == ops, "the completions to come are not counted right");
    frames_require(c->fd == u05_fd && steps_is_open(u05_fd), "closed before its last completion");
}

static int32_t u05_answer(void)
{
    const struct ring *ring = sim.shard->ring;
    for (uint32_t i = 0; i < ring->n_done; i++)
        if (op_unpack(ring->done[i].user_data).kind == OP_CONN_CANCEL)
            return ring->done[i].res;
    return INT32_MAX;
}

/* The peer's end is told while the poll goes on: it is armed when the connection is closed. */
static bool u05_leave(void)
{
    u05_hold_all();
    frames_client_close(&sim.clients[0]);
    return true;
}

/* The peer's end is the poll's last completion, and kept back; so it is the deadline that closes.
 */
static bool u05_shut(void)
{
    u05_hold_all();
    kernel.ends_polls = true;
    sim.clients[0].shut = true;
    frames_require(shutdown(sim.clients[0].fd, SHUT_WR) == 0, "shutdown");
    return true;
}

static bool u05_expire(void)
{
    steps_expect_state(0, CONN_IDLE);
    return false;
}

static bool u05_first(void)
{
    u05_expect_closing(2);
    int32_t expected = kernel.ends_polls ? -ENOENT : (kernel.cancel_how & 2) != 0 ? -EALREADY : 0;
    frames_require(u05_answer() == expected, "not the answer that was to be tested");
    steps_release(u05_order[0]);
    return true;
}

static bool u05_second(void)
{
    u05_expect_closing(1);
    steps_release(u05_order[1]);
    return true;
}

static bool u05_closed(void)
{
    steps_expect_state(0, CONN_FREE);
    frames_require(!steps_is_open(u05_fd) && sim.conns[0].ops == 0,
                   "not closed by its last completion");
    return true;
}

static void u05_run(uint32_t cancel_how, bool target_ended, enum op_kind first)
{
    static steps_fn *const armed[] = {u05_begin,  u05_leave,  u05_first,
                                      u05_second, u05_closed, NULL};
    static steps_fn *const ended[] = {u05_begin,  u05_shut,   u05_expire, u05_first,
                                      u05_second, u05_closed, NULL};
    steps_begin(1);
    kernel.cancel_how = cancel_how;
    u05_order[0] = first;
    u05_order[1] = first == OP_CONN_IN ? OP_CONN_CANCEL : OP_CONN_IN;
    steps_run(target_ended ? ended : armed);
}

Test(ring_faults, u05_every_answer_of_a_cancellation)
{
    static const enum op_kind firsts[] = {OP_CONN_IN, OP_CONN_CANCEL};
    for (int i = 0; i < 2; i++) {
        for (uint32_t cancel_how = 0; cancel_how < 4; cancel_how++)
            u05_run(cancel_how, false, firsts[i]);
        u05_run(0, true, firsts[i]);
    }
}

/* ---- u06: every multishot poll ends with what it tells ----------------------------------------
 */

enum { U06_CLIENTS = 3 };

static uint32_t u06_round;

static void u06_expect_all_armed(void)
{
    uint64_t rearms = metric_get(&sim.shard->metrics.ring_rearms);
    frames_require(atomic_load(&sim.shard->control) == 0, "the doorbell was not heard");
    frames_require(rearms == sim.connects + u06_round, "a poll was not armed again once");
    steps_expect_armed(op_pack(OP_LISTEN_POLL, 0, 0));
    steps_expect_armed(op_pack(OP_DOORBELL, 0, 0));
    for (uint32_t i = 0; i < sim.shard->conn_cap; i++)
        if (conn_state(&sim.conns[i]) != CONN_FREE)
            steps_expect_armed(op_pack(OP_CONN_IN, i, sim.conns[i].generation));
}

/* A connection, then frames on it and on the older ones. */
static bool u06_connect(void)
{
    u06_expect_all_armed();
    uint32_t client = (uint32_t)sim.connects;
    steps_ask(client, 0);
    return true;
}

static bool u06_ask(void)
{
    u06_expect_all_armed();
    for (uint32_t i = 0; i < sim.connects; i++)
        steps_ask(i, 2);
    return true;
}

static bool u06_ring(void)
{
    u06_expect_all_armed();
    for (uint32_t i = 0; i < U06_CLIENTS; i++)
        steps_expect_replied(i, 2 * (U06_CLIENTS - (size_t)i));
    u06_round++;
    shard_control(sim.shard, SHARD_ROTATE);
    return true;
}

static bool u06_leave(void)
{
    u06_expect_all_armed();
    frames_client_close(&sim.clients[1]);
    return true;
}

static bool u06_see(void)
{
    u06_expect_all_armed();
    frames_require(metric_get(&sim.shard->metrics.conns_live) == U06_CLIENTS - 1,
                   "the end of a client was not seen");
    return true;
}

Test(ring_faults, u06_every_multishot_poll_ends)
{
    static steps_fn *const steps[] = {u06_connect, u06_ask, u06_connect, u06_ask,
                                      u06_connect, u06_ask, u06_ring,    u06_ring,
                                      u06_leave,   u06_see, NULL};
    steps_begin(U06_CLIENTS);
    u06_round = 0;
    kernel.ends_polls = true;
    steps_run(steps);
}

/* ---- u07: closed with a reply to be sent; then the descriptor's number is another's ------------
 */

enum { U07_A, U07_B, U07_C, U07_CLIENTS, U07_FRAMES = 400 };

static int u07_fd;

/* More replies than the socket takes: a poll for room is armed. */
static bool u07_fill(void)
{
    steps_ask(U07_A, U07_FRAMES);
    sim.clients[U07_A].deaf = true;
    return true;
}

static bool u07_reply_expires(void)
{
    const struct conn *a = &sim.conns[U07_A];
    u07_fd = a->fd;
    steps_expect_state(U07_A, CONN_REPLY);
    frames_require(a->in_armed && a->out_armed, "no reply is under way");
    steps_hold(U07_A, OP_CONN_IN);
    steps_hold(U07_A, OP_CONN_OUT);
    steps_hold(U07_A, OP_CONN_CANCEL);
    return false;
}

static void u07_expect_closing(uint8_t ops)
{
    steps_expect_state(U07_A, CONN_CLOSING);
    frames_require(sim.conns[U07_A].ops == ops && sim.conns[U07_A].fd == u07_fd &&
                       steps_is_open(u07_fd),
                   "the number is free while operations are under way");
}

static bool u07_connect_meanwhile(void)
{
    u07_expect_closing(4);
    steps_ask(U07_B, 3);
    return true;
}

static bool u07_cancelled(void)
{
    steps_expect_replied(U07_B, 3);
    frames_require(sim.conns[U07_B].fd != u07_fd, "another one has the number");
    u07_expect_closing(4);
    steps_release(OP_CONN_CANCEL);
    return true;
}

static bool u07_out_ended(void)
{
    u07_expect_closing(2);
    steps_release(OP_CONN_OUT);
    return true;
}

static bool u07_in_ended(void)
{
    u07_expect_closing(1);
    steps_release(OP_CONN_IN);
    return true;
}

static bool u07_connect_again(void)
{
    steps_expect_state(U07_A, CONN_FREE);
    frames_require(!steps_is_open(u07_fd), "the number is not free");
    steps_ask(U07_C, 3);
    return true;
}

/* That what came are their own replies is what clients require. */
static bool u07_see(void)
{
    frames_require(sim.conns[U07_A].fd == u07_fd, "not the number that was to be used again");
    steps_expect_replied(U07_B, 3);
    steps_expect_replied(U07_C, 3);
    (void)frames_client_receive(&sim.clients[U07_A], &sim.limits, fake_clock_ns);
    frames_require(sim.clients[U07_A].ended && sim.clients[U07_A].n_replied < U07_FRAMES,
                   "the first one's stream goes on");
    return true;
}

Test(ring_faults, u07_closed_with_a_send_under_way_and_the_number_used_again)
{
    static steps_fn *const steps[] = {u07_fill,          u07_reply_expires, u07_connect_meanwhile,
                                      u07_cancelled,     u07_out_ended,     u07_in_ended,
                                      u07_connect_again, u07_see,           NULL};
    steps_begin(U07_CLIENTS);
    steps_run(steps);
}

/* ---- u09: completions of who had the slot before ----------------------------------------------
 */

static uint32_t u09_generation;

static bool u09_first(void)
{
    steps_ask(0, 1);
    return true;
}

static bool u09_leave(void)
{
    steps_expect_replied(0, 1);
    u09_generation = sim.conns[0].generation;
    frames_client_close(&sim.clients[0]);
    return true;
}

static bool u09_second(void)
{
    steps_expect_state(0, CONN_FREE);
    steps_ask(1, 1);
    return true;
}

static bool u09_late(void)
{
    struct ring *ring = sim.shard->ring;
    steps_expect_replied(1, 1);
    steps_expect_state(0, CONN_IDLE);
    frames_require(sim.conns[0].generation != u09_generation, "not another generation");
    fake_ring_complete(ring, op_pack(OP_CONN_IN, 0, u09_generation), POLLIN | POLLHUP, false);
    fake_ring_complete(ring, op_pack(OP_CONN_IN, 0, u09_generation), POLLIN, true);
    fake_ring_complete(ring, op_pack(OP_CONN_OUT, 0, u09_generation), POLLOUT, false);
    fake_ring_complete(ring, op_pack(OP_CONN_CANCEL, 0, u09_generation), -ENOENT, false);
    return true;
}

static bool u09_dropped(void)
{
    const struct conn *c = &sim.conns[0];
    frames_require(metric_get(&sim.shard->metrics.ring_stale_events) == 4, "not counted");
    frames_require(c->ops == 1 && c->in_armed && !c->readable && !c->peer_done,
                   "they were taken for its own");
    steps_expect_state(0, CONN_IDLE);
    steps_ask(1, 2);
    return true;
}

static bool u09_see(void)
{
    steps_expect_replied(1, 3);
    return true;
}

Test(ring_faults, u09_late_completions_for_a_slot_used_again)
{
    static steps_fn *const steps[] = {u09_first,   u09_leave, u09_second, u09_late,
                                      u09_dropped, u09_see,   NULL};
    steps_begin(2);
    steps_run(steps);
}
