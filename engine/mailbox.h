/* One way from one shard to another: a bounded ring with one producer and one consumer. The
 * doorbell (an eventfd the consumer polls) is rung by the producer after posting. */
#ifndef L0_ENGINE_MAILBOX_H
#define L0_ENGINE_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MAILBOX_CAP 256 /* a power of two */

/* A connection that the consumer is to adopt. */
struct mail {
    int fd;
    uint64_t accepted_ns;
};

/* head and tail count for ever; their difference (unsigned) is the number of messages. */
struct mailbox {
    _Alignas(64) _Atomic uint32_t tail; /* written by the producer: release, after the slot */
    _Alignas(64) _Atomic uint32_t head; /* written by the consumer: release, after the copy */
    _Alignas(64) struct mail slots[MAILBOX_CAP];
};

/* Producer only. false: full. */
bool mailbox_post(struct mailbox *box, const struct mail *mail);

/* Anyone: a message may wait. A hint, relaxed. */
bool mailbox_has_mail(const struct mailbox *box);

/* Consumer only. false: empty. */
bool mailbox_take(struct mailbox *box, struct mail *mail);

#endif
