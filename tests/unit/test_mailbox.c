/* The ring between two shards; with threads: tests/tsan/mailbox_stress.c. */
#include "engine/mailbox.h"

#include <criterion/criterion.h>

static struct mailbox box;

static void begin_at(uint64_t index)
{
    mailbox_init(&box);
    atomic_init(&box.tail, index);
    atomic_init(&box.head, index);
}

static void expect_take(int fd)
{
    cr_assert_eq(mailbox_take(&box), fd);
}

Test(mailbox, empty)
{
    mailbox_init(&box);
    cr_expect_not(mailbox_has_mail(&box));
    expect_take(-1);
    cr_assert(mailbox_post(&box, 0));
    cr_expect(mailbox_has_mail(&box));
    expect_take(0);
    cr_expect_not(mailbox_has_mail(&box));
    expect_take(-1);
}

/* From every interesting place of the indices. */
Test(mailbox, full_and_one_past)
{
    static const uint64_t begins[] = {0, 1, MAILBOX_CAP - 1, UINT32_MAX - 3, UINT64_MAX - 3};
    for (size_t b = 0; b < sizeof begins / sizeof *begins; b++) {
        begin_at(begins[b]);
        for (int i = 0; i < MAILBOX_CAP; i++)
            cr_assert(mailbox_post(&box, i), "message %d", i);
        cr_expect_not(mailbox_post(&box, MAILBOX_CAP));
        expect_take(0);
        cr_expect(mailbox_post(&box, MAILBOX_CAP), "one was taken");
        cr_expect_not(mailbox_post(&box, MAILBOX_CAP + 1));
        for (int i = 1; i <= MAILBOX_CAP; i++)
            expect_take(i);
        expect_take(-1);
    }
}

Test(mailbox, order_across_the_wrap)
{
    int posted = 0;
    int taken = 0;
    begin_at(UINT32_MAX - UINT64_C(1000));
    while (taken < 3000) {
        for (int i = 0; i < 1 + posted % 7; i++)
            posted += mailbox_post(&box, posted);
        for (int i = 0; i < 1 + taken % 5 && taken < posted; i++)
            expect_take(taken++);
    }
}
