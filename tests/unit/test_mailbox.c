/* The ring between two shards; with two threads: tests/tsan/mailbox_stress.c. */
#include "engine/mailbox.h"

#include <criterion/criterion.h>

static struct mailbox box;

static void begin_at(uint32_t index)
{
    atomic_init(&box.tail, index);
    atomic_init(&box.head, index);
}

static bool post(int n)
{
    const struct mail mail = {.fd = n, .accepted_ns = (uint64_t)n * 3};
    return mailbox_post(&box, &mail);
}

static void expect_take(int n)
{
    struct mail mail;
    cr_assert(mailbox_take(&box, &mail));
    cr_assert_eq(mail.fd, n);
    cr_assert_eq(mail.accepted_ns, (uint64_t)n * 3);
}

Test(mailbox, empty)
{
    struct mail mail;
    begin_at(0);
    cr_expect_not(mailbox_take(&box, &mail));
    cr_assert(post(1));
    expect_take(1);
    cr_expect_not(mailbox_take(&box, &mail));
}

/* From every interesting place of the indices, among them their wrap-around. */
Test(mailbox, full_and_one_past)
{
    static const uint32_t begins[] = {0, 1, MAILBOX_CAP - 1, UINT32_MAX - 3, UINT32_MAX, 1u << 31};
    for (size_t b = 0; b < sizeof begins / sizeof *begins; b++) {
        begin_at(begins[b]);
        for (int i = 0; i < MAILBOX_CAP; i++)
            cr_assert(post(i), "message %d", i);
        cr_expect_not(post(MAILBOX_CAP));
        expect_take(0);
        cr_expect(post(MAILBOX_CAP), "one was taken");
        cr_expect_not(post(MAILBOX_CAP + 1));
        for (int i = 1; i <= MAILBOX_CAP; i++)
            expect_take(i);
        struct mail mail;
        cr_expect_not(mailbox_take(&box, &mail));
    }
}

Test(mailbox, order_across_the_wrap)
{
    int posted = 0;
    int taken = 0;
    begin_at(UINT32_MAX - 1000);
    while (taken < 3000) {
        for (int i = 0; i < 1 + posted % 7; i++)
            posted += post(posted);
        for (int i = 0; i < 1 + taken % 5 && taken < posted; i++)
            expect_take(taken++);
    }
}
