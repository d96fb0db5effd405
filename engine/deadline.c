#include "engine/deadline.h"

#include <assert.h>

void deadlines_init(struct deadlines *all, const uint64_t after_ns[DEADLINE_KINDS])
{
    for (int k = 0; k < DEADLINE_KINDS; k++) {
        struct deadline *head = &all->heads[k];
        *head = (struct deadline){.prev = head, .next = head, .at_ns = UINT64_MAX};
        all->after_ns[k] = after_ns[k];
    }
}

void deadline_init(struct deadline *d)
{
    *d = (struct deadline){.kind = DEADLINE_NONE};
}

static void deadline_insert(struct deadline *d, struct deadline *behind)
{
    d->prev = behind;
    d->next = behind->next;
    behind->next->prev = d;
    behind->next = d;
}

void deadline_set(struct deadlines *all, struct deadline *d, enum deadline_kind kind,
                  uint64_t now_ns)
{
    assert(kind < DEADLINE_KINDS);
    deadline_clear(d);
    d->kind = kind;
    d->at_ns = all->after_ns[kind] == 0 ? UINT64_MAX : now_ns + all->after_ns[kind];
    deadline_insert(d, all->heads[kind].prev);
}

void deadline_return(struct deadlines *all, struct deadline *d, enum deadline_kind kind,
                     uint64_t at_ns)
{
    assert(kind < DEADLINE_KINDS);
    deadline_clear(d);
    d->kind = kind;
    d->at_ns = at_ns;
    struct deadline *behind = &all->heads[kind];
    while (behind->next->at_ns < at_ns) /* ends at the head, whose time is UINT64_MAX */
        behind = behind->next;
    deadline_insert(d, behind);
}

void deadline_clear(struct deadline *d)
{
    if (d->kind == DEADLINE_NONE)
        return;
    d->prev->next = d->next;
    d->next->prev = d->prev;
    deadline_init(d);
}

struct deadline *deadline_first(const struct deadlines *all, enum deadline_kind kind)
{
    struct deadline *first = all->heads[kind].next;
    return first == &all->heads[kind] ? NULL : first;
}

struct deadline *deadline_expired(const struct deadlines *all, uint64_t now_ns)
{
    for (int k = 0; k < DEADLINE_KINDS; k++) {
        struct deadline *first = deadline_first(all, (enum deadline_kind)k);
        if (first != NULL && first->at_ns <= now_ns)
            return first;
    }
    return NULL;
}

uint64_t deadline_next_ns(const struct deadlines *all)
{
    uint64_t next = UINT64_MAX;
    for (int k = 0; k < DEADLINE_KINDS; k++) /* an empty list's head says UINT64_MAX itself */
        if (all->heads[k].next->at_ns < next)
            next = all->heads[k].next->at_ns;
    return next;
}
