#include "engine/mailbox.h"

#include <assert.h>

static_assert((MAILBOX_CAP & (MAILBOX_CAP - 1)) == 0, "indices wrap by masking");

bool mailbox_post(struct mailbox *box, const struct mail *mail)
{
    uint32_t tail = atomic_load_explicit(&box->tail, memory_order_relaxed); /* our own */
    /* acquire: the consumer has copied the slot out before we write it again. */
    uint32_t head = atomic_load_explicit(&box->head, memory_order_acquire);
    if (tail - head == MAILBOX_CAP)
        return false;
    box->slots[tail % MAILBOX_CAP] = *mail;
    atomic_store_explicit(&box->tail, tail + 1, memory_order_release);
    return true;
}

bool mailbox_take(struct mailbox *box, struct mail *mail)
{
    uint32_t head = atomic_load_explicit(&box->head, memory_order_relaxed); /* our own */
    /* acquire: the slot's content is there. */
    uint32_t tail = atomic_load_explicit(&box->tail, memory_order_acquire);
    if (tail == head)
        return false;
    *mail = box->slots[head % MAILBOX_CAP];
    atomic_store_explicit(&box->head, head + 1, memory_order_release);
    return true;
}

bool mailbox_has_mail(const struct mailbox *box)
{
    return atomic_load_explicit(&box->tail, memory_order_relaxed) !=
           atomic_load_explicit(&box->head, memory_order_relaxed);
}
