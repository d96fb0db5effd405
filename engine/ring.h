/* The seam at io_uring: the only interface through which the engine waits. ring.c is the only file
 * that includes liburing; a test can put another implementation behind the same functions.
 *
 * One thread uses a ring: the one that called ring_enable (SINGLE_ISSUER). */
#ifndef L0_ENGINE_RING_H
#define L0_ENGINE_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct ring;

struct ring_event {
    uint64_t user_data; /* op_pack of the submission */
    int32_t res;        /* poll mask, or negative errno */
    bool more;          /* multishot: further events follow; false: it has ended */
};

#define RING_WAIT_FOREVER UINT64_MAX

/* Can this process have a ring with our flags? 0 or negative errno: -EPERM, -ENOSYS, -ENOMEM,
 * -EINVAL (kernel older than 6.1). Leaves nothing behind. */
int ring_probe(void);

/* One line that names the cause of a failed probe and its fix; returns the exit code for it. */
int ring_explain(int error, FILE *out);

/* Creates a disabled ring, in any thread. 0 or negative errno. */
int ring_open(struct ring **ring, uint32_t sq_entries, uint32_t cq_entries);
/* Enables it for the calling thread. 0 or negative errno. */
int ring_enable(struct ring *ring);
void ring_close(struct ring *ring);

/* Prepares; submitted by the next ring_turn. A full submission queue is flushed first; what the
 * kernel does not take then goes with a later turn. The order stays. */
void ring_poll(struct ring *ring, int fd, uint32_t poll_mask, bool multishot, uint64_t user_data);
void ring_cancel(struct ring *ring, uint64_t target_user_data, uint64_t user_data);

/* One event, with res -ETIME, at this time of CLOCK_MONOTONIC. A timer in the ring is set once,
 * while a short wait of ring_turn sets the hardware's at each sleep (1.5 us in a virtual machine).
 */
void ring_timer(struct ring *ring, uint64_t at_ns, uint64_t user_data);

/* Submits what was prepared, waits at most wait_ns (0: not at all) for an event, and takes up to
 * cap of them. One system call, none where there is nothing to submit, to wait for or to run. */
uint32_t ring_turn(struct ring *ring, uint64_t wait_ns, struct ring_event *events, uint32_t cap);

/* How often the completion queue overflowed into the kernel's backlog. */
uint64_t ring_overflows(const struct ring *ring);

#endif
