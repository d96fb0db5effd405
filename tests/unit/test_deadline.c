/* Lists of deadlines: one a kind, in order by themselves. */
#include "engine/deadline.h"

#include <criterion/criterion.h>

static struct deadlines all;

static void begin(void)
{
    const uint64_t after_ns[DEADLINE_KINDS] = {
        [DEADLINE_IDLE] = 0,    [DEADLINE_FRAME] = 100, [DEADLINE_WAIT_PLACE] = 50,
        [DEADLINE_REPLY] = 100, [DEADLINE_LINGER] = 10, [DEADLINE_GRACE] = 20,
    };
    deadlines_init(&all, after_ns);
}

TestSuite(deadline, .init = begin);

Test(deadline, empty)
{
    cr_expect_eq(deadline_next_ns(&all), UINT64_MAX);
    cr_expect_null(deadline_expired(&all, UINT64_MAX - 1));
    for (int k = 0; k < DEADLINE_KINDS; k++)
        cr_expect_null(deadline_first(&all, (enum deadline_kind)k));
}

Test(deadline, first_in_first_out)
{
    struct deadline d[3];
    for (unsigned i = 0; i < 3; i++) {
        deadline_init(&d[i]);
        deadline_set(&all, &d[i], DEADLINE_FRAME, i);
    }
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_eq(deadline_next_ns(&all), 100 + i);
        cr_expect_null(deadline_expired(&all, 99 + i));
        cr_expect_eq(deadline_expired(&all, 100 + i), &d[i]);
        cr_expect_eq(deadline_first(&all, DEADLINE_FRAME), &d[i]);
        deadline_clear(&d[i]);
        cr_expect_eq(d[i].kind, DEADLINE_NONE);
    }
    cr_expect_eq(deadline_next_ns(&all), UINT64_MAX);
}

Test(deadline, the_earliest_of_all_kinds)
{
    struct deadline frame;
    struct deadline linger;
    deadline_init(&frame);
    deadline_init(&linger);
    deadline_set(&all, &frame, DEADLINE_FRAME, 0);
    deadline_set(&all, &linger, DEADLINE_LINGER, 80);
    cr_expect_eq(deadline_next_ns(&all), 90);
    cr_expect_eq(deadline_expired(&all, 95), &linger);
    deadline_clear(&linger);
    cr_expect_eq(deadline_next_ns(&all), 100);
    deadline_clear(&frame);
}

Test(deadline, setting_again_moves_to_the_end)
{
    struct deadline a;
    struct deadline b;
    deadline_init(&a);
    deadline_init(&b);
    deadline_set(&all, &a, DEADLINE_FRAME, 0);
    deadline_set(&all, &b, DEADLINE_FRAME, 1);
    deadline_set(&all, &a, DEADLINE_FRAME, 2);
    cr_expect_eq(deadline_first(&all, DEADLINE_FRAME), &b);
    deadline_set(&all, &b, DEADLINE_REPLY, 3); /* another kind: it leaves this list */
    cr_expect_eq(deadline_first(&all, DEADLINE_FRAME), &a);
    cr_expect_eq(deadline_first(&all, DEADLINE_REPLY), &b);
    deadline_clear(&a);
    deadline_clear(&b);
    cr_expect_eq(deadline_next_ns(&all), UINT64_MAX);
}

Test(deadline, return_to_the_front_keeps_the_time)
{
    struct deadline d[3];
    for (unsigned i = 0; i < 3; i++) {
        deadline_init(&d[i]);
        deadline_set(&all, &d[i], DEADLINE_WAIT_PLACE, i);
    }
    uint64_t at_ns = d[0].at_ns;
    deadline_clear(&d[0]);
    cr_expect_eq(deadline_first(&all, DEADLINE_WAIT_PLACE), &d[1]);
    deadline_return(&all, &d[0], DEADLINE_WAIT_PLACE, at_ns);
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_eq(deadline_first(&all, DEADLINE_WAIT_PLACE), &d[i]);
        cr_expect_eq(d[i].at_ns, 50 + i);
        deadline_clear(&d[i]);
    }
}

Test(deadline, zero_means_never_but_keeps_the_order)
{
    struct deadline a;
    struct deadline b;
    deadline_init(&a);
    deadline_init(&b);
    deadline_set(&all, &a, DEADLINE_IDLE, 5);
    deadline_set(&all, &b, DEADLINE_IDLE, 6);
    cr_expect_eq(deadline_next_ns(&all), UINT64_MAX);
    cr_expect_null(deadline_expired(&all, UINT64_MAX - 1));
    cr_expect_eq(deadline_first(&all, DEADLINE_IDLE), &a);
    deadline_clear(&a);
    cr_expect_eq(deadline_first(&all, DEADLINE_IDLE), &b);
    deadline_clear(&b);
}

Test(deadline, clearing_twice_and_in_the_middle)
{
    struct deadline d[3];
    for (unsigned i = 0; i < 3; i++) {
        deadline_init(&d[i]);
        deadline_set(&all, &d[i], DEADLINE_GRACE, i);
    }
    deadline_clear(&d[1]);
    deadline_clear(&d[1]);
    cr_expect_eq(deadline_first(&all, DEADLINE_GRACE), &d[0]);
    deadline_clear(&d[0]);
    cr_expect_eq(deadline_first(&all, DEADLINE_GRACE), &d[2]);
    deadline_clear(&d[2]);
    cr_expect_null(deadline_first(&all, DEADLINE_GRACE));
}
