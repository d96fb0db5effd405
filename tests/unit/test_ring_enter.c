/* Faults of io_uring itself, the real one behind engine/ring.c: completions that its queue cannot
 * hold (u01), io_uring_enter refused or taking only a part (u04), a full submission queue that the
 * kernel does not empty (u08). A shim stands between ring.c and the system call: the linker sends
 * this program's calls of syscall(2) through __wrap_syscall. What the loop makes of faults is in
 * test_ring_faults.c. */
#include "engine/ring.h"

#include "engine/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    EMPTY_TURNS_MAX = 200, /* of WAIT_NS: then what is waited for is lost */
    SQ_ENTRIES = 4,
    HELPING = 5, /* events taken in one turn: fewer than any queue holds */
};

#define WAIT_NS (20 * CLOCK_NS_PER_MS)
#define FOREVER UINT32_MAX

/* ---- the shim ------------------------------------------------------------------------------- */

static struct {
    uint32_t n_calls;     /* of io_uring_enter */
    uint32_t first, last; /* calls [first, last) are answered with the error */
    int error;            /* 0: one submission is taken, and nothing waited for */
    bool spare_waits;     /* but calls that submit nothing are let through */
} shim;

long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_io_uring_enter) {
        uint32_t call = shim.n_calls++;
        bool hit = call >= shim.first && call < shim.last;
        uint32_t to_submit = (uint32_t)a[1];
        if (hit && shim.error != 0 && !(shim.spare_waits && to_submit == 0)) {
            errno = shim.error;
            return -1;
        }
        if (hit && shim.error == 0 && to_submit > 1)
            return __real_syscall(number, a[0], 1, 0, a[3], a[4], a[5]);
    }
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void shim_refuse(int error, uint32_t first, uint32_t n)
{
    shim.error = error;
    shim.n_calls = 0;
    shim.first = first;
    shim.last = n == FOREVER ? FOREVER : first + n;
}

static void shim_allow(void)
{
    shim_refuse(0, 0, 0);
    shim.spare_waits = false;
}

/* ---- a ring, its events, and what was seen of them ------------------------------------------ */

enum { SEEN_MAX = 1000 };

static struct ring *ring;
static struct {
    uint32_t times[SEEN_MAX]; /* by user_data */
    int32_t res[SEEN_MAX];
    uint32_t n;
} seen;

static void open_ring(uint32_t cq_entries)
{
    seen.n = 0;
    for (int i = 0; i < SEEN_MAX; i++)
        seen.times[i] = 0;
    cr_assert_eq(ring_open(&ring, SQ_ENTRIES, cq_entries), 0, "io_uring is needed for these tests");
    cr_assert_eq(ring_enable(ring), 0);
}

static int new_bell(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    cr_assert_geq(fd, 0);
    return fd;
}

static void ring_bell(int fd)
{
    cr_assert_eq(eventfd_write(fd, 1), 0);
}

static void quiet_bell(int fd)
{
    eventfd_t count;
    cr_assert_eq(eventfd_read(fd, &count), 0);
}

static uint32_t take(struct ring_event *events)
{
    uint32_t n = ring_turn(ring, WAIT_NS, events, HELPING);
    for (uint32_t i = 0; i < n; i++) {
        cr_assert_lt(events[i].user_data, SEEN_MAX);
        seen.times[events[i].user_data]++;
        seen.res[events[i].user_data] = events[i].res;
    }
    seen.n += n;
    return n;
}

static void take_until(uint32_t n_seen)
{
    struct ring_event events[HELPING];
    for (int empty = 0; seen.n < n_seen;)
        if (take(events) == 0)
            cr_assert_lt(++empty, EMPTY_TURNS_MAX, "lost: %u of %u came", seen.n, n_seen);
}

static void expect_quiet(void)
{
    struct ring_event event;
    cr_expect_eq(ring_turn(ring, CLOCK_NS_PER_MS, &event, 1), 0, "an event nobody waits for");
}

/* ---- u01: completions beyond the queue ------------------------------------------------------ */

enum { CONNS = SEEN_MAX };

/* As connections are polled: multishot, and what the kernel ends for want of room is armed again.
 */
static void take_from_all(const int *bells)
{
    struct ring_event events[HELPING];
    uint32_t n_want = seen.n + CONNS;
    for (int empty = 0; seen.n < n_want;) {
        uint32_t n = take(events);
        if (n == 0)
            cr_assert_lt(++empty, EMPTY_TURNS_MAX, "lost: %u to come", n_want - seen.n);
        for (uint32_t i = 0; i < n; i++) {
            quiet_bell(bells[events[i].user_data]);
            if (!events[i].more)
                ring_poll(ring, bells[events[i].user_data], POLLIN, true, events[i].user_data);
        }
    }
}

Test(ring_faults, u01_a_completion_queue_that_is_far_too_small, .timeout = 60)
{
    static int bells[CONNS];
    struct rlimit files;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    if (files.rlim_max < CONNS + 100 || setrlimit(RLIMIT_NOFILE, &files) != 0)
        cr_skip_test("RLIMIT_NOFILE is %llu", (unsigned long long)files.rlim_max);
    open_ring(8);
    for (uint32_t i = 0; i < CONNS; i++) {
        bells[i] = new_bell();
        ring_poll(ring, bells[i], POLLIN, true, i);
    }
    expect_quiet();
    for (uint32_t round = 1; round <= 2; round++) {
        for (uint32_t i = 0; i < CONNS; i++)
            ring_bell(bells[i]);
        take_from_all(bells);
        expect_quiet();
        for (uint32_t i = 0; i < CONNS; i++)
            cr_assert_eq(seen.times[i], round, "connection %u: %u times", i, seen.times[i]);
    }
    cr_expect_gt(ring_overflows(ring), 0, "the queue was never too small");
    ring_close(ring);
    for (uint32_t i = 0; i < CONNS; i++)
        (void)close(bells[i]);
}

/* ---- u04: io_uring_enter refused, or taking only a part -------------------------------------- */

enum { POLLS = 10, CANCELLED = 3, CANCEL = POLLS, TIMER, DOOR, EXERCISED = DOOR + 2 };

/* Every kind of operation, more of them than the queue holds, and every kind of end. */
static void exercise(void)
{
    int bell = new_bell();
    int door = new_bell();
    open_ring(64);
    ring_timer(ring, clock_now_ns() + CLOCK_NS_PER_MS, TIMER);
    ring_poll(ring, door, POLLIN, true, DOOR);
    for (uint32_t i = 0; i < POLLS; i++)
        ring_poll(ring, bell, POLLIN, false, i);
    ring_cancel(ring, CANCELLED, CANCEL);
    take_until(3);
    ring_bell(door);
    take_until(4);
    quiet_bell(door);
    ring_bell(bell);
    take_until(4 + POLLS - 1);
    ring_bell(door);
    take_until(EXERCISED);
    expect_quiet();
    ring_close(ring);
    (void)close(bell);
    (void)close(door);
}

static void expect_exercised(const char *how)
{
    for (uint32_t i = 0; i < DOOR; i++)
        cr_assert_eq(seen.times[i], 1, "%s: operation %u completed %u times", how, i,
                     seen.times[i]);
    cr_assert_eq(seen.times[DOOR], 2, "%s: the multishot poll told %u of 2", how, seen.times[DOOR]);
    for (uint32_t i = 0; i < POLLS; i++)
        cr_assert_eq(seen.res[i], i == CANCELLED ? -ECANCELED : POLLIN, "%s: poll %u: %d", how, i,
                     seen.res[i]);
    cr_assert_eq(seen.res[CANCEL], 0, "%s: the cancellation came before its target", how);
    cr_assert_eq(seen.res[TIMER], -ETIME, "%s: timer: %d", how, seen.res[TIMER]);
}

Test(ring_faults, u04_nothing_is_lost_wherever_enter_is_refused, .timeout = 60)
{
    static const int errors[] = {0, EINTR, EAGAIN, EBUSY};
    static const uint32_t lengths[] = {1, 3, 8};
    char how[64];
    shim_allow();
    exercise();
    expect_exercised("undisturbed");
    const uint32_t n_calls = shim.n_calls;
    cr_assert_gt(n_calls, POLLS / SQ_ENTRIES);
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
            for (uint32_t first = 0; first < n_calls; first++) {
                shim_refuse(errors[e], first, lengths[l]);
                exercise();
                snprintf(how, sizeof how, "error %d, calls %u to %u", errors[e], first, shim.last);
                expect_exercised(how);
            }
}

/* Nothing is taken, nothing is waited for, nothing can be reaped: the loop must not turn at once.
 */
Test(ring_faults, u04_no_spinning_while_enter_is_refused, .timeout = 60)
{
    enum { TURNS = 20 };
    static const int errors[] = {EAGAIN, EBUSY};
    for (size_t e = 0; e < 2; e++) {
        struct ring_event event;
        int bell = new_bell();
        open_ring(64);
        ring_poll(ring, bell, POLLIN, false, 1);
        shim_refuse(errors[e], 0, FOREVER);
        uint64_t begin_ns = clock_now_ns();
        for (int i = 0; i < TURNS; i++)
            cr_assert_eq(ring_turn(ring, RING_WAIT_FOREVER, &event, 1), 0);
        cr_expect_geq(clock_now_ns() - begin_ns, TURNS * CLOCK_NS_PER_MS);
        cr_expect_leq(shim.n_calls, 2 * TURNS);
        shim_allow();
        ring_bell(bell);
        take_until(1);
        cr_expect_eq(seen.times[1], 1);
        ring_close(ring);
        (void)close(bell);
    }
}

/* Who is connected is served, although the kernel takes nothing new. */
Test(ring_faults, u04_completions_come_while_submissions_are_refused, .timeout = 60)
{
    int bell = new_bell();
    int later = new_bell();
    open_ring(64);
    ring_poll(ring, bell, POLLIN, false, 1);
    expect_quiet();
    shim_refuse(EAGAIN, 0, FOREVER);
    shim.spare_waits = true;
    for (uint32_t i = 0; i < 2 * SQ_ENTRIES; i++)
        ring_poll(ring, later, POLLIN, false, 2 + i);
    ring_bell(bell);
    take_until(1);
    cr_expect_eq(seen.times[1], 1);
    shim_allow();
    ring_bell(later);
    take_until(1 + 2 * SQ_ENTRIES);
    expect_quiet();
    ring_close(ring);
    (void)close(bell);
    (void)close(later);
}

/* ---- u08: the submission queue is full ------------------------------------------------------- */

enum { PUT = 40, TIMERS = 3 };

/* Far more than the queue holds: polls, cancellations of the odd ones, timers. */
static void put_many(int bell)
{
    for (uint32_t i = 0; i < PUT; i++)
        ring_poll(ring, bell, POLLIN, false, i);
    for (uint32_t i = 1; i < PUT; i += 2)
        ring_cancel(ring, i, PUT + i);
    for (uint32_t i = 0; i < TIMERS; i++)
        ring_timer(ring, clock_now_ns() + i * CLOCK_NS_PER_MS, 2 * PUT + i);
}

static void expect_many(int bell, const char *how)
{
    take_until(PUT + TIMERS); /* the cancelled, their cancellations, the timers */
    ring_bell(bell);
    take_until(PUT + TIMERS + PUT / 2);
    expect_quiet();
    for (uint32_t i = 0; i < PUT; i++) {
        bool cancelled = i % 2 == 1;
        cr_assert_eq(seen.times[i], 1, "%s: poll %u: %u times", how, i, seen.times[i]);
        cr_assert_eq(seen.res[i], cancelled ? -ECANCELED : POLLIN, "%s: poll %u: %d", how, i,
                     seen.res[i]);
        cr_assert(!cancelled || (seen.times[PUT + i] == 1 && seen.res[PUT + i] == 0),
                  "%s: a cancellation came before its target, or not at all", how);
    }
    for (uint32_t i = 2 * PUT; i < 2 * PUT + TIMERS; i++)
        cr_assert(seen.times[i] == 1 && seen.res[i] == -ETIME, "%s: timer: %d", how, seen.res[i]);
}

Test(ring_faults, u08_a_full_queue_that_the_kernel_does_not_empty, .timeout = 60)
{
    static const int errors[] = {0, EINTR, EAGAIN, EBUSY};
    static const uint32_t lengths[] = {0, 1, 2, 7, 60, 150, FOREVER};
    char how[64];
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            int bell = new_bell();
            open_ring(256);
            shim_refuse(errors[e], 0, lengths[l]);
            put_many(bell);
            if (lengths[l] == FOREVER)
                shim_allow();
            snprintf(how, sizeof how, "error %d, %u times", errors[e], lengths[l]);
            expect_many(bell, how);
            ring_close(ring);
            (void)close(bell);
        }
}

/* The kernel wants completions reaped before it takes more: only a turn can do that. */
Test(ring_faults, u08_busy_until_completions_are_reaped, .timeout = 60)
{
    enum { FIRST = 6 };
    struct ring_event events[HELPING];
    int bell = new_bell();
    int later = new_bell();
    open_ring(8);
    for (uint32_t i = 0; i < FIRST; i++)
        ring_poll(ring, bell, POLLIN, false, i);
    expect_quiet();
    ring_bell(bell);
    cr_assert_eq(ring_turn(ring, WAIT_NS, events, 1), 1);
    shim_refuse(EBUSY, 0, FOREVER);
    for (uint32_t i = 0; i < 3 * SQ_ENTRIES; i++)
        ring_poll(ring, later, POLLIN, false, FIRST + i);
    while (seen.n < FIRST - 1)
        cr_assert_gt(take(events), 0, "completions are not reaped");
    shim_allow();
    ring_bell(later);
    take_until(FIRST - 1 + 3 * SQ_ENTRIES);
    expect_quiet();
    ring_close(ring);
    (void)close(bell);
    (void)close(later);
}

/* What the kernel has not taken yet may be what would wake the sleeper. */
Test(ring_faults, u08_no_sleep_while_operations_wait_for_room, .timeout = 60)
{
    for (uint32_t n_refused = 0; n_refused < 12; n_refused++) {
        struct ring_event event;
        int silent = new_bell();
        int bell = new_bell();
        ring_bell(bell);
        open_ring(64);
        shim_refuse(EAGAIN, 0, n_refused);
        for (uint32_t i = 0; i < SQ_ENTRIES; i++)
            ring_poll(ring, silent, POLLIN, false, i);
        for (uint32_t i = 0; i < SQ_ENTRIES; i++)
            ring_poll(ring, bell, POLLIN, false, SQ_ENTRIES + i);
        while (ring_turn(ring, RING_WAIT_FOREVER, &event, 1) == 0)
            cr_assert_leq(shim.n_calls, n_refused + 4);
        cr_expect_geq(event.user_data, SQ_ENTRIES);
        ring_close(ring);
        (void)close(silent);
        (void)close(bell);
    }
}
