/* A connection's word: every transition, what each refuses, and the close protocol. Claims from
 * several threads: tests/tsan/conn_stress.c. */
#include "engine/conn.h"

#include "engine/op.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ME = 3, OTHER = 4 };

static struct conn c;
static struct request request;
static int peer;

static void adopt(void)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    peer = fds[1];
    c.slot = 7;
    deadline_init(&c.deadline);
    atomic_init(&c.word, conn_word_make(1000, CONN_FREE, CONN_OWNER_NONE));
    conn_adopt(&c, fds[0]);
}

static void leave(void)
{
    (void)close(peer);
    if (c.fd >= 0)
        (void)close(c.fd);
}

TestSuite(conn, .init = adopt, .fini = leave);

static void expect_word(enum conn_state state, uint64_t owner, uint64_t seq)
{
    uint64_t word = atomic_load(&c.word);
    cr_expect_eq(conn_word_state(word), state, "state %d", (int)conn_word_state(word));
    cr_expect_eq(conn_word_owner(word), owner);
    cr_expect_eq(conn_word_seq(word), seq);
}

static void to_proc(void)
{
    cr_assert(conn_claim(&c, ME));
    conn_begin(&c, ME, &request, 5);
}

static void to_reply(void)
{
    to_proc();
    cr_assert_eq(conn_decide(&c, ME, request.word), CONN_WON_ALONE);
}

/* ---- the word ------------------------------------------------------------------------------- */

Test(conn, word_holds_its_parts)
{
    const uint64_t seq_max = (UINT64_C(1) << 48) - 1;
    for (unsigned state = CONN_FREE; state <= CONN_CLOSING; state++) {
        uint64_t word = conn_word_make(seq_max, (enum conn_state)state, 0xff);
        cr_expect_eq(conn_word_state(word), state);
        cr_expect_eq(conn_word_owner(word), 0xff);
        cr_expect_eq(conn_word_seq(word), seq_max);
        cr_expect_eq(word & CONN_HEDGED, 0);
        cr_expect_eq(conn_word_state(word | CONN_HEDGED), state);
        cr_expect_eq(conn_word_owner(word | CONN_HEDGED), 0xff);
    }
}

Test(conn, life_of_a_request)
{
    expect_word(CONN_IDLE, CONN_OWNER_NONE, 1000);
    cr_assert(conn_claim(&c, ME));
    expect_word(CONN_RECV, ME, 1000);
    conn_yield(&c, ME);
    expect_word(CONN_IDLE, CONN_OWNER_NONE, 1000);
    cr_assert(conn_claim(&c, OTHER));
    expect_word(CONN_RECV, OTHER, 1000);
    conn_begin(&c, OTHER, &request, 5);
    expect_word(CONN_PROC, OTHER, 1000);
    cr_assert_eq(conn_decide(&c, OTHER, request.word), CONN_WON_ALONE);
    expect_word(CONN_REPLY, OTHER, 1000);
    conn_finish(&c, OTHER);
    expect_word(CONN_IDLE, CONN_OWNER_NONE, 1001);
    cr_assert(conn_claim(&c, ME));
    conn_reject(&c, ME);
    expect_word(CONN_REPLY, ME, 1001);
    conn_finish(&c, ME);
    expect_word(CONN_IDLE, CONN_OWNER_NONE, 1002);
}

Test(conn, a_claim_fails_in_every_other_state)
{
    cr_assert(conn_claim(&c, ME));
    cr_expect_not(conn_claim(&c, OTHER));
    cr_expect_not(conn_claim(&c, ME));
    conn_begin(&c, ME, &request, 5);
    cr_expect_not(conn_claim(&c, OTHER));
    cr_assert_eq(conn_decide(&c, ME, request.word), CONN_WON_ALONE);
    cr_expect_not(conn_claim(&c, OTHER));
    conn_finish(&c, ME);
    cr_assert(conn_begin_close(&c, ME));
    cr_expect_not(conn_claim(&c, OTHER));
    cr_assert(conn_finish_close(&c));
    cr_expect_not(conn_claim(&c, OTHER));
}

Test(conn, its_owner_decides_and_only_once)
{
    request.word = conn_word_make(1000, CONN_PROC, ME);
    cr_expect_eq(conn_decide(&c, ME, request.word), CONN_LOST, "not in PROC");
    to_proc();
    cr_expect_eq(request.word, atomic_load(&c.word));
    cr_expect_eq(conn_decide(&c, ME, request.word + (1 << 16)), CONN_LOST, "another request's");
    cr_expect_eq(conn_decide(&c, ME, request.word), CONN_WON_ALONE);
    cr_expect_eq(conn_decide(&c, ME, request.word), CONN_LOST);
    expect_word(CONN_REPLY, ME, 1000);
}

/* ---- two shards ----------------------------------------------------------------------------- */

Test(conn, what_is_lent_is_said_before_the_word)
{
    to_proc();
    cr_expect_eq(atomic_load(&c.lent), &request);
    cr_expect_eq(atomic_load(&c.since_ns), 5);
    cr_expect_eq(atomic_load(&request.holders), 2);
    cr_expect_not(request_drop(&request));
    cr_expect(request_drop(&request), "the second one is the last");
}

Test(conn, a_request_is_hedged_once)
{
    to_proc();
    cr_expect_not(conn_hedge(&c, request.word + (1 << 16)), "another request's word");
    cr_expect(conn_hedge(&c, request.word));
    cr_expect_not(conn_hedge(&c, request.word));
    cr_expect(conn_in_proc(&c, request.word));
    cr_expect_eq(atomic_load(&c.word), request.word | CONN_HEDGED);
}

Test(conn, a_hedger_wins)
{
    to_proc();
    cr_expect_not(conn_win(&c, OTHER, request.word), "it has not said so");
    cr_assert(conn_hedge(&c, request.word));
    cr_expect(conn_win(&c, OTHER, request.word));
    expect_word(CONN_REPLY, OTHER, 1000);
    cr_expect_not(conn_in_proc(&c, request.word));
    cr_expect_eq(conn_decide(&c, ME, request.word), CONN_LOST);
    conn_finish(&c, OTHER);
    expect_word(CONN_IDLE, CONN_OWNER_NONE, 1001);
    cr_expect_eq(conn_decide(&c, ME, request.word), CONN_LOST, "however late it comes");
}

Test(conn, an_owner_wins_over_a_hedger)
{
    to_proc();
    cr_assert(conn_hedge(&c, request.word));
    cr_expect_not(conn_decide_alone(&c, ME, request.word));
    cr_expect_eq(conn_decide(&c, ME, request.word), CONN_WON_HEDGED);
    expect_word(CONN_REPLY, ME, 1000);
    cr_expect_not(conn_win(&c, OTHER, request.word));
}

Test(conn, is_taken_while_lexed_ahead)
{
    cr_assert(conn_claim(&c, ME));
    cr_expect_not(conn_take(&c, ME, OTHER), "not in the middle of a receive");
    conn_ahead(&c, ME);
    expect_word(CONN_AHEAD, ME, 1000);
    cr_expect_not(conn_claim(&c, OTHER));
    cr_expect_not(conn_take(&c, OTHER, ME), "not from who does not have it");
    cr_assert(conn_take(&c, ME, OTHER));
    expect_word(CONN_RECV, OTHER, 1000);
    cr_expect_not(conn_ahead_yield(&c, ME));
    conn_yield(&c, OTHER);
    cr_expect_not(conn_ahead_yield(&c, ME), "however late it comes");
    cr_assert(conn_claim(&c, ME));
    conn_ahead(&c, ME);
    cr_expect(conn_ahead_yield(&c, ME));
    expect_word(CONN_IDLE, CONN_OWNER_NONE, 1000);
    cr_expect_not(conn_take(&c, ME, OTHER));
}

Test(conn, a_reply_is_handed_over_to_the_home)
{
    c.home = OTHER;
    to_reply();
    conn_hand_over(&c, ME);
    expect_word(CONN_REPLY, OTHER, 1000);
    conn_finish(&c, OTHER);
    expect_word(CONN_IDLE, CONN_OWNER_NONE, 1001);
}

/* ---- closing, the word's part --------------------------------------------------------------- */

Test(conn, a_close_needs_nobody_or_the_owner)
{
    cr_assert(conn_claim(&c, OTHER));
    cr_expect_not(conn_begin_close(&c, ME));
    expect_word(CONN_RECV, OTHER, 1000);
    cr_expect(conn_begin_close(&c, OTHER));
    expect_word(CONN_CLOSING, OTHER, 1000);
}

Test(conn, a_close_from_every_state)
{
    for (int state = 0; state < 4; state++) {
        uint64_t seq = conn_word_seq(atomic_load(&c.word));
        uint32_t generation = c.generation;
        if (state == 1)
            cr_assert(conn_claim(&c, ME));
        if (state == 2)
            to_proc();
        if (state == 3)
            to_reply();
        cr_assert(conn_begin_close(&c, ME));
        cr_assert(conn_finish_close(&c));
        expect_word(CONN_FREE, CONN_OWNER_NONE, seq + 1);
        cr_expect_eq(c.generation, generation + 1);
        cr_expect_eq(c.fd, -1);
        (void)close(peer);
        int fds[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        peer = fds[1];
        conn_adopt(&c, fds[0]);
        expect_word(CONN_IDLE, CONN_OWNER_NONE, seq + 1);
    }
}

Test(conn, adopting_forgets_the_last_user)
{
    c.lingering = c.close_after = c.accepted = c.broken = true;
    c.wait_at_ns = c.wait_since_ns = 5;
    c.in.off = c.in.have = 9;
    c.out_sent = 3;
    cr_assert(conn_begin_close(&c, ME));
    cr_assert(conn_finish_close(&c));
    conn_adopt(&c, dup(peer));
    cr_expect_not(c.lingering || c.close_after || c.accepted || c.in_armed || c.out_armed ||
                  c.readable || c.peer_done || c.broken);
    cr_expect_eq(c.wait_at_ns | c.wait_since_ns, 0);
    cr_expect_eq(c.in.off | c.in.have | c.out_sent, 0);
    cr_expect_eq(c.deadline.kind, DEADLINE_NONE);
}

/* What the owner alone may do is asserted. */
#define REFUSES(name, statement)                                                                   \
    Test(conn, refuses_##name, .signal = SIGABRT)                                                  \
    {                                                                                              \
        statement;                                                                                 \
    }

REFUSES(to_adopt_a_live_one, conn_adopt(&c, 0))
REFUSES(to_yield_what_is_idle, conn_yield(&c, ME))
REFUSES(to_yield_another_ones, (void)conn_claim(&c, OTHER); conn_yield(&c, ME))
REFUSES(to_begin_what_is_idle, conn_begin(&c, ME, &request, 5))
REFUSES(to_begin_another_ones, (void)conn_claim(&c, OTHER); conn_begin(&c, ME, &request, 5))
REFUSES(to_decide_for_another_one, to_proc(); (void)conn_decide(&c, OTHER, request.word))
REFUSES(to_win_against_oneself, to_proc(); (void)conn_win(&c, ME, request.word))
REFUSES(to_hedge_what_is_not_in_work, (void)conn_hedge(&c, atomic_load(&c.word)))
REFUSES(to_hand_over_another_ones, to_reply(); conn_hand_over(&c, OTHER))
REFUSES(to_reject_what_is_in_work, to_proc(); conn_reject(&c, ME))
REFUSES(to_finish_what_is_in_work, to_proc(); conn_finish(&c, ME))
REFUSES(to_finish_another_ones, to_reply(); conn_finish(&c, OTHER))
REFUSES(to_close_twice, (void)conn_begin_close(&c, ME); (void)conn_begin_close(&c, ME))
REFUSES(to_free_what_is_not_closing, (void)conn_finish_close(&c))
REFUSES(to_shut_what_is_not_closing, conn_shut(&c, NULL))

/* ---- closing -------------------------------------------------------------------------------- */

static struct ring *open_ring(void)
{
    struct ring *ring;
    cr_assert_eq(ring_open(&ring, 8, 16), 0);
    cr_assert_eq(ring_enable(ring), 0);
    return ring;
}

/* Takes one event, of this kind and of the connection's present life. */
static void expect_event(struct ring *ring, bool poll_first)
{
    struct ring_event event;
    cr_assert_eq(ring_turn(ring, RING_WAIT_FOREVER, &event, 1), 1);
    struct op op = op_unpack(event.user_data);
    cr_expect_eq(op.slot, c.slot);
    cr_expect_eq(op.generation, c.generation);
    cr_assert(op.kind == OP_CONN_IN || op.kind == OP_CONN_OUT || op.kind == OP_CONN_CANCEL);
    cr_assert(!poll_first || op.kind != OP_CONN_CANCEL);
    if (event.more)
        return;
    c.ops--;
    if (op.kind == OP_CONN_IN)
        c.in_armed = false;
    if (op.kind == OP_CONN_OUT)
        c.out_armed = false;
}

Test(conn, polls_once_however_often_it_is_asked)
{
    struct ring *ring = open_ring();
    struct ring_event event;
    for (int i = 0; i < 5; i++)
        conn_poll_in(&c, ring);
    cr_expect_eq(c.ops, 1);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(write(peer, "x", 1), 1);
        expect_event(ring, true);
        cr_expect_eq(c.ops, 1, "the poll for input goes on");
        cr_expect_eq(ring_turn(ring, 0, &event, 1), 0);
    }
    for (int i = 0; i < 5; i++)
        conn_poll_out(&c, ring);
    cr_expect_eq(c.ops, 2);
    expect_event(ring, true);
    cr_expect_eq(c.ops, 1, "the poll for room is over");
    cr_expect_eq(ring_turn(ring, 0, &event, 1), 0);
    ring_close(ring);
}

Test(conn, its_number_is_kept_until_the_last_completion)
{
    struct ring *ring = open_ring();
    struct ring_event event;
    char byte;
    conn_poll_in(&c, ring);
    cr_assert_eq(ring_turn(ring, 0, &event, 1), 0);
    cr_assert(conn_begin_close(&c, ME));
    conn_shut(&c, ring);
    cr_expect_eq(read(peer, &byte, 1), 0, "the peer sees the end at once");
    while (c.ops > 0) {
        cr_expect_not(conn_finish_close(&c));
        cr_expect_geq(c.fd, 0);
        expect_event(ring, false);
    }
    cr_expect(conn_finish_close(&c));
    ring_close(ring);
}

Test(conn, it_is_not_freed_before_its_home_knows_who_won)
{
    struct ring *ring = open_ring();
    c.arms[CONN_HOME].working = &request;
    c.arms[CONN_SIBLING].working = &request; /* the sibling's business */
    cr_assert(conn_begin_close(&c, ME));
    conn_shut(&c, ring);
    cr_expect_not(conn_finish_close(&c));
    c.arms[CONN_HOME].working = NULL;
    cr_expect(conn_finish_close(&c));
    ring_close(ring);
}

Test(conn, it_is_not_freed_while_it_stands_in_the_ready_queue)
{
    struct ring *ring = open_ring();
    c.arms[CONN_HOME].queued = true;
    cr_assert(conn_begin_close(&c, ME));
    conn_shut(&c, ring);
    cr_expect_eq(c.ops, 0, "nothing was armed");
    cr_expect_not(conn_finish_close(&c));
    c.arms[CONN_HOME].queued = false;
    cr_expect(conn_finish_close(&c));
    ring_close(ring);
}

Test(conn, op_packs_and_unpacks)
{
    static const uint32_t slots[] = {0, 1, 0xffffff};
    static const uint32_t generations[] = {0, 1, UINT32_MAX};
    for (unsigned kind = OP_CONN_IN; kind <= OP_WATCH; kind++)
        for (size_t i = 0; i < 9; i++) {
            struct op op = op_unpack(op_pack((enum op_kind)kind, slots[i / 3], generations[i % 3]));
            cr_expect_eq(op.kind, kind);
            cr_expect_eq(op.slot, slots[i / 3]);
            cr_expect_eq(op.generation, generations[i % 3]);
        }
}
