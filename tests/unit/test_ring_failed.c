/* Operations that the kernel cannot begin, or goes on with, for want of memory: they complete with
 * -ENOMEM, and nothing has happened. The loop tries again, and does not turn for nothing. */
#include "tests/sim/steps.h"

#include <criterion/criterion.h>

static void init_lexer(void)
{
    cr_assert_eq(lexer_init(NULL), 0);
}

TestSuite(ring_failed, .init = init_lexer, .timeout = 60);

/* Ends a poll that is armed. */
static void fail(uint64_t user_data)
{
    struct ring *ring = sim.shard->ring;
    steps_expect_armed(user_data);
    for (uint32_t i = 0; i < ring->n_polls; i++)
        if (ring->polls[i].user_data == user_data) {
            fake_ring_disarm(ring, i);
            break;
        }
    fake_ring_complete(ring, user_data, -ENOMEM, false);
}

/* ---- polls ---------------------------------------------------------------------------------- */

static bool connect_and_ask(void)
{
    steps_ask(0, 1);
    return true;
}

static bool fail_polls(void)
{
    steps_expect_replied(0, sim.clients[0].n_due);
    fail(op_pack(OP_CONN_IN, 0, sim.conns[0].generation));
    fail(op_pack(OP_LISTEN_POLL, 0, 0));
    fail(op_pack(OP_DOORBELL, 0, 0));
    return true;
}

static bool use_them(void)
{
    steps_expect_armed(op_pack(OP_CONN_IN, 0, sim.conns[0].generation));
    frames_require(!sim.conns[0].readable && !sim.conns[0].peer_done, "it is read in vain");
    steps_ask(0, 2);
    steps_ask(1, 1);
    shard_control(sim.shard, SHARD_ROTATE);
    return true;
}

static bool see_them(void)
{
    steps_expect_replied(0, sim.clients[0].n_due);
    steps_expect_replied(1, sim.clients[1].n_due);
    frames_require(atomic_load(&sim.shard->control) == 0, "the doorbell was not heard");
    return true;
}

Test(ring_failed, polls)
{
    static steps_fn *const steps[] = {connect_and_ask, fail_polls, use_them, see_them,
                                      fail_polls,      use_them,   see_them, NULL};
    steps_begin(2);
    steps_run(steps);
}

/* A reply waits for room that nobody tells of. */
static bool fill(void)
{
    steps_ask(0, 400);
    sim.clients[0].deaf = true;
    return true;
}

static bool fail_out(void)
{
    steps_expect_state(0, CONN_REPLY);
    fail(op_pack(OP_CONN_OUT, 0, sim.conns[0].generation));
    return true;
}

static bool hear(void)
{
    steps_expect_state(0, CONN_REPLY);
    steps_expect_armed(op_pack(OP_CONN_OUT, 0, sim.conns[0].generation));
    sim.clients[0].deaf = false;
    return true;
}

static bool see_all(void)
{
    steps_expect_replied(0, 400);
    return true;
}

Test(ring_failed, poll_for_room)
{
    static steps_fn *const steps[] = {fill, fail_out, hear, see_all, NULL};
    steps_begin(1);
    steps_run(steps);
}

/* ---- the timer ------------------------------------------------------------------------------ */

/* As if a watch had set it: one shard alone has nobody to watch. */
static bool fail_timer(void)
{
    sim.shard->timer_ns = fake_clock_ns + CLOCK_NS_PER_S;
    fake_ring_complete(sim.shard->ring, op_pack(OP_TIMER, 0, 0), -ENOMEM, false);
    return true;
}

static bool see_timer(void)
{
    frames_require(sim.shard->timer_ns == UINT64_MAX, "a timer that failed is waited for");
    return true;
}

Test(ring_failed, timer)
{
    static steps_fn *const steps[] = {fail_timer, see_timer, NULL};
    steps_begin(0);
    steps_run(steps);
}
