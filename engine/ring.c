#include "engine/ring.h"

#include "engine/clock.h"
#include "engine/options.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <linux/time_types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Newer than the headers of liburing 2.3; used only where the kernel reports the feature. */
#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1U << 17)
#endif
#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1U << 7)
#endif

/* How soon submissions are tried again that the kernel did not take. */
#define RING_RETRY_NS CLOCK_NS_PER_MS

struct ring_op {
    struct io_uring_sqe sqe;
    struct __kernel_timespec at; /* of a timer; sqe.addr is set when it has its entry */
};

struct ring {
    struct io_uring uring;
    uint32_t enter_flags;
    uint64_t overflows;
    struct __kernel_timespec *timers; /* one for each entry, read by the kernel at submission */

    /* [late_first, late_end): prepared while the submission queue was full and the kernel took
     * nothing from it; in order. No more than are in flight, and seldom any. */
    struct ring_op *late;
    uint32_t late_first, late_end, late_cap;
};

/* SINGLE_ISSUER: one thread per ring, so the kernel takes no lock for submissions.
 *
 * DEFER_TASKRUN: completions are run inside our own enter, never in the middle of lexing.
 *
 * TASKRUN_FLAG: tells when such work waits, so that a turn with nothing else to do skips enter.
 *
 * R_DISABLED: created in main, where a failure is still an exit code, used by the shard's thread.
 *
 * SUBMIT_ALL: one bad entry does not hold back those behind it.
 *
 * CLAMP, CQSIZE: the completion queue holds everything that can be in flight; clamped to the
 * kernel's maximum, above which the overflow list takes over (and is counted). */
static const uint32_t ring_setup_flags =
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
    IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;

int ring_open(struct ring **out, uint32_t sq_entries, uint32_t cq_entries)
{
    struct ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL)
        return -ENOMEM;
    struct io_uring_params params = {.flags = ring_setup_flags, .cq_entries = cq_entries};
    int rc = io_uring_queue_init_params(sq_entries, &ring->uring, &params);
    if (rc < 0) {
        free(ring);
        return rc;
    }
    ring->timers = calloc(params.sq_entries, sizeof *ring->timers);
    if (ring->timers == NULL) {
        ring_close(ring);
        return -ENOMEM;
    }
    /* The index array is the identity for ever: publishing entries is then one store of the tail.
     */
    for (uint32_t i = 0; i < params.sq_entries; i++)
        ring->uring.sq.array[i] = i;
    ring->enter_flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    if ((params.features & IORING_FEAT_NO_IOWAIT) != 0)
        ring->enter_flags |= IORING_ENTER_NO_IOWAIT; /* an idle shard is idle, not in iowait */
    *out = ring;
    return 0;
}

int ring_enable(struct ring *ring)
{
    /* liburing 2.3's shared object does not export io_uring_enable_rings. */
    long rc =
        syscall(__NR_io_uring_register, ring->uring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    if (rc < 0)
        return -errno;
    /* Saves looking the descriptor up in every enter; where it fails, nothing is lost. */
    if (io_uring_register_ring_fd(&ring->uring) == 1)
        ring->enter_flags |= IORING_ENTER_REGISTERED_RING;
    return 0;
}

void ring_close(struct ring *ring)
{
    if (ring == NULL)
        return;
    io_uring_queue_exit(&ring->uring);
    free(ring->timers);
    free(ring->late);
    free(ring);
}

static struct __kernel_timespec ring_timespec(uint64_t ns)
{
    return (struct __kernel_timespec){.tv_sec = (int64_t)(ns / CLOCK_NS_PER_S),
                                      .tv_nsec = (int64_t)(ns % CLOCK_NS_PER_S)};
}

/* Publishes the prepared entries; how many wait for the kernel. */
static uint32_t ring_publish(struct ring *ring)
{
    struct io_uring_sq *sq = &ring->uring.sq;
    io_uring_smp_store_release(sq->ktail, sq->sqe_tail);
    sq->sqe_head = sq->sqe_tail;
    return sq->sqe_tail - io_uring_smp_load_acquire(sq->khead);
}

static void ring_die(int error, const char *what)
{
    fprintf(stderr, "l0-lexd: %s: %s; aborting\n", what, strerror(error));
    abort();
}

enum ring_entered { RING_ENTERED, RING_REFUSED };

/* EINTR, ETIME: nothing happened. EAGAIN, EBUSY: the kernel is short of memory for a moment, or
 * wants completions reaped; entries stay queued. Anything else is a bug in this file or a kernel
 * that broke its contract: better dead than lying. */
static enum ring_entered ring_enter(struct ring *ring, uint32_t to_submit, uint32_t wait_count,
                                    uint64_t wait_ns)
{
    struct __kernel_timespec ts = ring_timespec(wait_ns);
    struct io_uring_getevents_arg arg = {0};
    if (wait_count > 0 && wait_ns != RING_WAIT_FOREVER)
        arg.ts = (uint64_t)(uintptr_t)&ts;
    long rc = syscall(__NR_io_uring_enter, ring->uring.enter_ring_fd, to_submit, wait_count,
                      ring->enter_flags, &arg, sizeof arg);
    if (rc >= 0 || errno == EINTR || errno == ETIME)
        return RING_ENTERED;
    if (errno != EAGAIN && errno != EBUSY)
        ring_die(errno, "io_uring_enter");
    return RING_REFUSED;
}

/* ---- preparing ----------------------------------------------------------------------------- */

/* Gives it an entry. false: there is none, also after what is queued was offered to the kernel. */
static bool ring_place(struct ring *ring, const struct ring_op *op)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    if (sqe == NULL) {
        (void)ring_enter(ring, ring_publish(ring), 0, 0);
        sqe = io_uring_get_sqe(&ring->uring);
    }
    if (sqe == NULL)
        return false;
    *sqe = op->sqe;
    if (sqe->opcode == IORING_OP_TIMEOUT) {
        struct __kernel_timespec *at = &ring->timers[sqe - ring->uring.sq.sqes];
        *at = op->at;
        sqe->addr = (uint64_t)(uintptr_t)at;
    }
    return true;
}

/* Waiting here for a kernel that takes nothing would stop the shard, and might never end: the
 * kernel may want completions reaped first, which only the next turn does. */
static void ring_put_off(struct ring *ring, const struct ring_op *op)
{
    if (ring->late_end == ring->late_cap) {
        uint32_t cap = ring->late_cap == 0 ? ring->uring.sq.ring_entries : 2 * ring->late_cap;
        struct ring_op *late = realloc(ring->late, cap * sizeof *late);
        if (late == NULL)
            ring_die(ENOMEM, "operations that io_uring does not take");
        ring->late = late;
        ring->late_cap = cap;
    }
    ring->late[ring->late_end++] = *op;
}

static void ring_put(struct ring *ring, const struct ring_op *op)
{
    if (ring->late_end > 0 || !ring_place(ring, op))
        ring_put_off(ring, op);
}

/* true: nothing is late any more. */
static bool ring_catch_up(struct ring *ring)
{
    while (ring->late_first < ring->late_end) {
        if (!ring_place(ring, &ring->late[ring->late_first]))
            return false;
        ring->late_first++;
    }
    ring->late_first = ring->late_end = 0;
    return true;
}

void ring_poll(struct ring *ring, int fd, uint32_t poll_mask, bool multishot, uint64_t user_data)
{
    struct ring_op op = {0};
    if (multishot)
        io_uring_prep_poll_multishot(&op.sqe, fd, poll_mask);
    else
        io_uring_prep_poll_add(&op.sqe, fd, poll_mask);
    io_uring_sqe_set_data64(&op.sqe, user_data);
    ring_put(ring, &op);
}

void ring_cancel(struct ring *ring, uint64_t target_user_data, uint64_t user_data)
{
    struct ring_op op = {0};
    io_uring_prep_cancel64(&op.sqe, target_user_data, 0);
    io_uring_sqe_set_data64(&op.sqe, user_data);
    ring_put(ring, &op);
}

void ring_timer(struct ring *ring, uint64_t at_ns, uint64_t user_data)
{
    struct ring_op op = {.at = ring_timespec(at_ns)};
    io_uring_prep_timeout(&op.sqe, NULL, 0, IORING_TIMEOUT_ABS);
    io_uring_sqe_set_data64(&op.sqe, user_data);
    ring_put(ring, &op);
}

/* ---- a turn -------------------------------------------------------------------------------- */

/* The kernel takes no submissions now, and has not run what completes by itself: that needs an
 * enter without any. It also keeps the next try from following at once; where even that is refused,
 * sleep. */
static void ring_turn_refused(struct ring *ring, uint64_t wait_ns)
{
    uint64_t pause_ns = wait_ns < RING_RETRY_NS ? wait_ns : RING_RETRY_NS;
    const struct timespec pause = {.tv_nsec = (long)pause_ns};
    bool wait = pause_ns > 0 && io_uring_cq_ready(&ring->uring) == 0;
    if (ring_enter(ring, 0, wait, pause_ns) == RING_REFUSED && wait &&
        io_uring_cq_ready(&ring->uring) == 0)
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL); /* EINTR: a shorter one */
}

static uint32_t ring_reap(struct ring *ring, struct ring_event *events, uint32_t cap)
{
    uint32_t n = 0;
    uint32_t head;
    struct io_uring_cqe *cqe;
    io_uring_for_each_cqe(&ring->uring, head, cqe)
    {
        if (n == cap)
            break;
        events[n++] = (struct ring_event){.user_data = cqe->user_data,
                                          .res = cqe->res,
                                          .more = (cqe->flags & IORING_CQE_F_MORE) != 0};
    }
    io_uring_cq_advance(&ring->uring, n);
    return n;
}

uint32_t ring_turn(struct ring *ring, uint64_t wait_ns, struct ring_event *events, uint32_t cap)
{
    bool caught_up = ring_catch_up(ring);
    uint32_t kernel_flags = IO_URING_READ_ONCE(*ring->uring.sq.kflags);
    bool have_cqes = io_uring_cq_ready(&ring->uring) > 0;
    uint32_t to_submit = ring_publish(ring);
    enum ring_entered entered = RING_ENTERED;

    if ((kernel_flags & IORING_SQ_CQ_OVERFLOW) != 0)
        ring->overflows++;
    if (!caught_up)
        entered = RING_REFUSED;
    else if (wait_ns > 0 && !have_cqes)
        entered = ring_enter(ring, to_submit, 1, wait_ns);
    else if (to_submit > 0 || (kernel_flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0)
        entered = ring_enter(ring, to_submit, 0, 0);
    if (entered == RING_REFUSED)
        ring_turn_refused(ring, wait_ns);
    return ring_reap(ring, events, cap);
}

uint64_t ring_overflows(const struct ring *ring)
{
    return ring->overflows;
}

int ring_probe(void)
{
    struct ring *ring;
    int rc = ring_open(&ring, 8, 16);
    if (rc == 0)
        ring_close(ring);
    return rc;
}

/* The number behind "key" in a /proc file of "key value" lines, or of a lone number (key ""). */
static long ring_proc_number(const char *path, const char *key)
{
    long value = -1;
    char line[256];
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    while (value < 0 && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtol(line + strlen(key), NULL, 10);
    (void)fclose(f);
    return value;
}

static void ring_explain_eperm(FILE *out)
{
    long disabled = ring_proc_number("/proc/sys/kernel/io_uring_disabled", "");
    if (disabled == 1 || disabled == 2) {
        fprintf(out,
                "l0-lexd: io_uring is not available: /proc/sys/kernel/io_uring_disabled is %ld "
                "(fix: sysctl kernel.io_uring_disabled=0%s)\n",
                disabled, disabled == 1 ? ", or run in the group kernel.io_uring_group" : "");
        return;
    }
    long seccomp = ring_proc_number("/proc/self/status", "Seccomp:");
    if (seccomp > 0)
        fprintf(out,
                "l0-lexd: io_uring is not available: io_uring_setup is denied by a seccomp filter "
                "(Seccomp: %ld in /proc/self/status; fix: allow io_uring_setup, io_uring_enter and "
                "io_uring_register in the container's or unit's system-call filter)\n",
                seccomp);
    else
        fprintf(out, "l0-lexd: io_uring is not available: io_uring_setup: EPERM, with neither "
                     "kernel.io_uring_disabled nor a seccomp filter set (fix: look for a security "
                     "module that denies it)\n");
}

int ring_explain(int error, FILE *out)
{
    struct utsname u = {0};
    struct rlimit memlock = {0};
    switch (-error) {
    case EPERM:
    case EACCES:
        ring_explain_eperm(out);
        return OPTIONS_EXIT_UNAVAILABLE;
    case ENOSYS:
    case EINVAL:
        (void)uname(&u);
        fprintf(out,
                "l0-lexd: io_uring is not available: %s; this kernel is %s and 6.1 or newer is "
                "needed (fix: a newer kernel, or one built with CONFIG_IO_URING)\n",
                error == -ENOSYS ? "io_uring_setup: ENOSYS" : "the kernel refuses our ring's flags",
                u.release);
        return OPTIONS_EXIT_UNAVAILABLE;
    case ENOMEM:
        (void)getrlimit(RLIMIT_MEMLOCK, &memlock);
        fprintf(out,
                "l0-lexd: io_uring_setup: ENOMEM: RLIMIT_MEMLOCK is %llu bytes, %llu are needed "
                "(fix: ulimit -l, or LimitMEMLOCK= in the unit)\n",
                (unsigned long long)memlock.rlim_cur,
                (unsigned long long)LIMIT_SHARDS_MAX * LIMIT_MIB);
        return OPTIONS_EXIT_RESOURCE;
    case EMFILE:
    case ENFILE:
        fprintf(out, "l0-lexd: io_uring_setup: %s (fix: ulimit -n, or LimitNOFILE= in the unit)\n",
                strerror(-error));
        return OPTIONS_EXIT_RESOURCE;
    default:
        fprintf(out, "l0-lexd: io_uring is not available: io_uring_setup: %s\n", strerror(-error));
        return OPTIONS_EXIT_UNAVAILABLE;
    }
}
