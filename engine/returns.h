/* What goes back to the shard it came from: connections that a sibling has served, and the memory
 * of requests that were read or finished elsewhere. Only a shard's own thread works on its
 * connections' home part, its arena and its pools, so whoever is done with one of them pushes it
 * here and rings the doorbell.
 *
 * A stack of links that lie in what is returned: it needs no memory and is never full, which a
 * mailbox could be just when its reader stands still. Any shard pushes; the owner takes all of it
 * at once, so there is no ABA. */
#ifndef L0_ENGINE_RETURNS_H
#define L0_ENGINE_RETURNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum returned_kind { RETURNED_CONN, RETURNED_REQUEST, RETURNED_BLOCK };

/* Embedded in what is returned; in at most one stack, once. */
struct returned {
    struct returned *next;
    enum returned_kind kind;
};

struct returns {
    /* Release by who pushes, acquire by who takes: what was done to the thing is visible. */
    _Alignas(64) _Atomic(struct returned *) top;
};

/* Any shard. true: the stack was empty, so the owner must be told. */
static inline bool returns_push(struct returns *stack, struct returned *item)
{
    struct returned *top = atomic_load_explicit(&stack->top, memory_order_relaxed);
    do
        item->next = top;
    while (!atomic_compare_exchange_weak_explicit(&stack->top, &top, item, memory_order_release,
                                                  memory_order_relaxed));
    return top == NULL;
}

/* Owner: all of it, the last one pushed first; NULL: nothing. */
static inline struct returned *returns_take(struct returns *stack)
{
    if (atomic_load_explicit(&stack->top, memory_order_relaxed) == NULL)
        return NULL;
    return atomic_exchange_explicit(&stack->top, NULL, memory_order_acquire);
}

#endif
