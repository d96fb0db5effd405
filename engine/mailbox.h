/* New connections on their way from one shard to another: a bounded ring of descriptors with one
 * producer. The doorbell (an eventfd the consumer polls) is rung by the producer after posting.
 *
 * They are the consumer's to take, or its sibling's when it stands still. So head moves by
 * compare-and-swap, and whoever moves it has the descriptor that he read before: a slot is written
 * again only after head has passed it, and head and tail count for ever (64 bits), so that a value
 * that was read too late is never taken for the right one. */
#ifndef L0_ENGINE_MAILBOX_H
#define L0_ENGINE_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MAILBOX_CAP 256 /* a power of two */

struct mailbox {
    _Alignas(64) _Atomic uint64_t tail; /* written by the producer: release, after the slot */
    _Alignas(64) _Atomic uint64_t head; /* by who takes: acq_rel, after the slot was read */
    _Alignas(64) _Atomic int slots[MAILBOX_CAP]; /* relaxed: ordered by tail and head */
};

void mailbox_init(struct mailbox *box);

/* Producer only. false: full. */
bool mailbox_post(struct mailbox *box, int fd);

/* Anyone: something may wait. A hint, relaxed. */
bool mailbox_has_mail(const struct mailbox *box);

/* Anyone: a descriptor, whose owner the caller is from now on, or -1: empty. */
int mailbox_take(struct mailbox *box);

#endif
