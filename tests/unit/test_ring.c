/* The seam at io_uring, with the real one behind it. */
#include "engine/ring.h"

#include "engine/clock.h"
#include "engine/limits.h"
#include "engine/options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct ring *ring;

static void begin(void)
{
    cr_assert_eq(ring_probe(), 0, "io_uring is needed for these tests");
    cr_assert_eq(ring_open(&ring, 64, 4096), 0);
    cr_assert_eq(ring_enable(ring), 0);
}

static void end(void)
{
    ring_close(ring);
}

TestSuite(ring, .init = begin, .fini = end);

static int new_eventfd(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    cr_assert_geq(fd, 0);
    return fd;
}

static void ring_the_bell(int fd)
{
    const uint64_t one = 1;
    cr_assert_eq(write(fd, &one, sizeof one), (ssize_t)sizeof one);
}

static struct ring_event take_one(void)
{
    struct ring_event event;
    cr_assert_eq(ring_turn(ring, RING_WAIT_FOREVER, &event, 1), 1);
    return event;
}

static void expect_quiet(void)
{
    struct ring_event event;
    cr_expect_eq(ring_turn(ring, 0, &event, 1), 0);
}

Test(ring, nothing_to_do)
{
    expect_quiet();
    cr_expect_eq(ring_overflows(ring), 0);
}

Test(ring, probe_leaves_nothing_behind)
{
    int before = dup(0);
    (void)close(before);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(ring_probe(), 0);
    int after = dup(0);
    (void)close(after);
    cr_expect_eq(before, after);
}

Test(ring, one_shot_poll)
{
    int fd = new_eventfd();
    ring_poll(ring, fd, POLLIN, false, 77);
    expect_quiet();
    ring_the_bell(fd);
    struct ring_event event = take_one();
    cr_expect_eq(event.user_data, 77);
    cr_expect_eq(event.res & POLLIN, POLLIN);
    cr_expect_not(event.more);
    ring_the_bell(fd);
    expect_quiet();
    (void)close(fd);
}

Test(ring, a_poll_looks_at_the_level_when_it_is_armed)
{
    int fd = new_eventfd();
    ring_the_bell(fd);
    ring_poll(ring, fd, POLLIN, false, 78);
    cr_expect_eq(take_one().user_data, 78);
    (void)close(fd);
}

Test(ring, multishot_poll)
{
    uint64_t count;
    int fd = new_eventfd();
    ring_poll(ring, fd, POLLIN, true, 79);
    for (int i = 0; i < 10; i++) {
        expect_quiet();
        ring_the_bell(fd);
        struct ring_event event = take_one();
        cr_expect_eq(event.user_data, 79);
        cr_expect(event.more);
        cr_assert_eq(read(fd, &count, sizeof count), (ssize_t)sizeof count);
    }
    (void)close(fd);
}

Test(ring, cancel_of_an_armed_poll)
{
    int fd = new_eventfd();
    unsigned seen = 0;
    ring_poll(ring, fd, POLLIN, false, 1);
    expect_quiet();
    ring_cancel(ring, 1, 2);
    for (int i = 0; i < 2; i++) {
        struct ring_event event = take_one();
        cr_assert(event.user_data == 1 || event.user_data == 2);
        seen |= (unsigned)event.user_data;
        cr_expect_eq(event.res, event.user_data == 1 ? -ECANCELED : 0);
        cr_expect_not(event.more);
    }
    cr_expect_eq(seen, 3);
    ring_the_bell(fd);
    expect_quiet();
    (void)close(fd);
}

Test(ring, cancel_of_a_multishot_poll)
{
    int fd = new_eventfd();
    unsigned seen = 0;
    ring_poll(ring, fd, POLLIN, true, 1);
    expect_quiet();
    ring_cancel(ring, 1, 2);
    for (int i = 0; i < 2; i++) {
        struct ring_event event = take_one();
        seen |= (unsigned)event.user_data;
        cr_expect_not(event.more);
    }
    cr_expect_eq(seen, 3);
    (void)close(fd);
}

Test(ring, cancel_of_nothing)
{
    ring_cancel(ring, 4711, 5);
    struct ring_event event = take_one();
    cr_expect_eq(event.user_data, 5);
    cr_expect_eq(event.res, -ENOENT);
}

/* The wait ends, and not before its time. */
Test(ring, a_wait_ends)
{
    static const uint64_t waits_ns[] = {1, 1000, 5 * CLOCK_NS_PER_MS, 30 * CLOCK_NS_PER_MS};
    for (size_t i = 0; i < 4; i++) {
        struct ring_event event;
        uint64_t begin_ns = clock_now_ns();
        cr_expect_eq(ring_turn(ring, waits_ns[i], &event, 1), 0);
        cr_expect_geq(clock_now_ns() - begin_ns, waits_ns[i]);
    }
}

Test(ring, a_wait_ends_with_an_event)
{
    struct ring_event event;
    int fd = new_eventfd();
    ring_poll(ring, fd, POLLIN, false, 6);
    ring_the_bell(fd);
    cr_expect_eq(ring_turn(ring, 3600 * CLOCK_NS_PER_S, &event, 1), 1);
    cr_expect_eq(event.user_data, 6);
    (void)close(fd);
}

/* Far more than the submission queue holds, before a single turn; and taken in small helpings. */
Test(ring, more_polls_than_entries)
{
    enum { POLLS = 3 * LIMIT_SQ_ENTRIES, HELPING = 100 };
    static bool seen[POLLS];
    struct ring_event events[HELPING];
    int fd = new_eventfd();
    unsigned n = 0;
    for (unsigned i = 0; i < POLLS; i++)
        ring_poll(ring, fd, POLLIN, false, i);
    expect_quiet();
    ring_the_bell(fd);
    while (n < POLLS) {
        uint32_t got = ring_turn(ring, RING_WAIT_FOREVER, events, HELPING);
        for (uint32_t i = 0; i < got; i++) {
            cr_assert_lt(events[i].user_data, POLLS);
            cr_assert_not(seen[events[i].user_data], "an event came twice");
            seen[events[i].user_data] = true;
        }
        n += got;
    }
    expect_quiet();
    cr_expect_eq(ring_overflows(ring), 0);
    (void)close(fd);
}

Test(ring, absurd_sizes)
{
    struct ring *none;
    cr_expect_eq(ring_open(&none, 0, 16), -EINVAL);
    ring_close(NULL);
}

/* ---- what is said when there is none -------------------------------------------------------- */

static void expect_said(int error, int exit_code, const char *text)
{
    char *said = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&said, &bytes);
    cr_assert_not_null(out);
    cr_expect_eq(ring_explain(error, out), exit_code);
    cr_assert_eq(fclose(out), 0);
    cr_expect_not_null(strstr(said, text), "'%s' lacks '%s'", said, text);
    const char *newline = strchr(said, '\n');
    cr_expect(newline != NULL && newline[1] == '\0', "one line: %s", said);
    free(said);
}

Test(ring_explain, every_cause)
{
    expect_said(-EPERM, OPTIONS_EXIT_UNAVAILABLE, "io_uring is not available");
    expect_said(-EACCES, OPTIONS_EXIT_UNAVAILABLE, "io_uring is not available");
    expect_said(-ENOSYS, OPTIONS_EXIT_UNAVAILABLE, "ENOSYS");
    expect_said(-EINVAL, OPTIONS_EXIT_UNAVAILABLE, "6.1 or newer");
    expect_said(-ENOMEM, OPTIONS_EXIT_RESOURCE, "RLIMIT_MEMLOCK is");
    expect_said(-EMFILE, OPTIONS_EXIT_RESOURCE, "LimitNOFILE=");
    expect_said(-ENFILE, OPTIONS_EXIT_RESOURCE, strerror(ENFILE));
    expect_said(-EIO, OPTIONS_EXIT_UNAVAILABLE, strerror(EIO));
}
