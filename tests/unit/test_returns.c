/* What goes back to its shard, the board, and the ring of shards. */
#include "engine/board.h"
#include "engine/returns.h"
#include "engine/topology.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>

Test(returns, all_of_it_once)
{
    static struct returns stack;
    struct returned items[5];
    cr_expect_null(returns_take(&stack));
    for (int round = 0; round < 3; round++) {
        unsigned seen = 0;
        for (int i = 0; i < 5; i++) {
            items[i].kind = RETURNED_BLOCK;
            cr_expect_eq(returns_push(&stack, &items[i]), i == 0, "the first one rings the bell");
        }
        for (struct returned *item = returns_take(&stack); item != NULL; item = item->next)
            seen |= 1U << (item - items);
        cr_expect_eq(seen, 31);
        cr_expect_null(returns_take(&stack));
    }
}

Test(board, says_whether_it_moves_and_whether_it_sleeps)
{
    static struct board b;
    uint64_t before = board_progress(&b);
    cr_expect_not(board_awake(before));
    board_wake(&b);
    cr_expect(board_awake(board_progress(&b)));
    cr_expect_neq(board_progress(&b), before);
    before = board_progress(&b);
    board_step(&b);
    cr_expect_neq(board_progress(&b), before);
    cr_expect(board_awake(board_progress(&b)));
    before = board_progress(&b);
    board_sleep(&b);
    cr_expect_not(board_awake(board_progress(&b)));
    cr_expect_neq(board_progress(&b), before);
    before = board_progress(&b);
    board_sleep(&b);
    cr_expect_neq(board_progress(&b), before, "a turn that found nothing is progress");
}

Test(board, holds_connections)
{
    static _Atomic uint64_t words[2];
    static struct board b = {.in_hand = words, .n_words = 2};
    static const uint32_t slots[] = {0, 1, 63, 64, 127};
    for (int i = 0; i < 5; i++)
        board_hold(&b, slots[i], true);
    cr_expect_eq(board_in_hand(&b, 0), UINT64_C(0x8000000000000003));
    cr_expect_eq(board_in_hand(&b, 1), UINT64_C(0x8000000000000001));
    for (int i = 0; i < 5; i++)
        board_hold(&b, slots[i], false);
    cr_expect_eq(board_in_hand(&b, 0) | board_in_hand(&b, 1), 0);
}

Test(topology, a_ring_has_every_core_once)
{
    cpu_set_t cores, seen;
    int ring[CPU_SETSIZE];
    cr_assert_eq(sched_getaffinity(0, sizeof cores, &cores), 0);
    CPU_SET(1000, &cores); /* one that does not exist has its place, too */
    topology_ring(&cores, ring);
    CPU_ZERO(&seen);
    for (int i = 0; i < CPU_COUNT(&cores); i++) {
        cr_expect(CPU_ISSET((size_t)ring[i], &cores));
        CPU_SET((size_t)ring[i], &seen);
    }
    cr_expect(CPU_EQUAL(&seen, &cores));
}
