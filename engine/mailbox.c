#include "engine/mailbox.h"

#include <assert.h>

static_assert((MAILBOX_CAP & (MAILBOX_CAP - 1)) == 0, "indices wrap by masking");

void mailbox_init(struct mailbox *box)
{
    atomic_init(&box->tail, 0);
    atomic_init(&box->head, 0);
    for (int i = 0; i < MAILBOX_CAP; i++)
        atomic_init(&box->slots[i], -1);
}

bool mailbox_post(struct mailbox *box, int fd)
{
    uint64_t tail = atomic_load_explicit(&box->tail, memory_order_relaxed); /* our own */
    /* acquire: who took from the slot has read it before we write it again. */
    uint64_t head = atomic_load_explicit(&box->head, memory_order_acquire);
    if (tail - head == MAILBOX_CAP)
        return false;
    atomic_store_explicit(&box->slots[tail % MAILBOX_CAP], fd, memory_order_relaxed);
    atomic_store_explicit(&box->tail, tail + 1, memory_order_release);
    return true;
}

int mailbox_take(struct mailbox *box)
{
    uint64_t head = atomic_load_explicit(&box->head, memory_order_acquire);
    for (;;) {
        /* acquire: the slot's content is there. A tail that is older than head: another one took
         * what was there, and it looks empty, which it was. */
        uint64_t tail = atomic_load_explicit(&box->tail, memory_order_acquire);
        if ((int64_t)(tail - head) <= 0)
            return -1;
        int fd = atomic_load_explicit(&box->slots[head % MAILBOX_CAP], memory_order_relaxed);
        if (atomic_compare_exchange_weak_explicit(&box->head, &head, head + 1, memory_order_acq_rel,
                                                  memory_order_acquire))
            return fd;
    }
}

bool mailbox_has_mail(const struct mailbox *box)
{
    return atomic_load_explicit(&box->tail, memory_order_relaxed) !=
           atomic_load_explicit(&box->head, memory_order_relaxed);
}
