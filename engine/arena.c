#include "engine/arena.h"

#include "engine/limits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Since Linux 5.14 and 5.18; the floor is 6.1. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

struct arena_config arena_configure(const struct options *o)
{
    return (struct arena_config){.size_bytes = o->arena_mib * LIMIT_MIB,
                                 .small_granules = LIMIT_SMALL_GRANULES(o->arena_mib),
                                 .mlock = o->mlock,
                                 .huge = o->huge};
}

static uint32_t arena_granules(size_t bytes)
{
    return (uint32_t)((bytes + LIMIT_GRANULE_BYTES - 1) / LIMIT_GRANULE_BYTES);
}

static bool arena_bit(const uint64_t *bitmap, uint32_t i)
{
    return (bitmap[i / 64] >> (i % 64) & 1) != 0;
}

static void arena_set(uint64_t *bitmap, uint32_t from, uint32_t to, bool value)
{
    for (uint32_t i = from; i < to; i++) {
        uint64_t bit = UINT64_C(1) << (i % 64);
        bitmap[i / 64] = value ? bitmap[i / 64] | bit : bitmap[i / 64] & ~bit;
    }
}

static void arena_mark(struct arena *a, uint32_t first, uint32_t count, bool taken)
{
    for (uint32_t i = first; i < first + count; i++)
        assert(arena_bit(a->taken, i) != taken);
    arena_set(a->taken, first, first + count, taken);
    arena_set(a->promised, first, first + count, false);
    a->used_granules = taken ? a->used_granules + count : a->used_granules - count;
}

/* Debug builds take released memory away, so that a late reader or a late write by the kernel is
 * seen (a fault, or EFAULT) instead of being silently wrong. */
static void arena_guard(const struct arena *a, uint32_t first, uint32_t count, bool usable)
{
#ifdef L0_DEBUG
    int rc = mprotect(a->base + first * LIMIT_GRANULE_BYTES, count * LIMIT_GRANULE_BYTES,
                      usable ? PROT_READ | PROT_WRITE : PROT_NONE);
    assert(rc == 0);
#else
    (void)a, (void)first, (void)count, (void)usable;
#endif
}

static int arena_map(struct arena *a, const struct arena_config *config)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void *base = MAP_FAILED;
    if (config->huge == OPTIONS_HUGE_TLB)
        base = mmap(NULL, config->size_bytes, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB, -1, 0);
    if (base == MAP_FAILED)
        base = mmap(NULL, config->size_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (base == MAP_FAILED)
        return -errno;
    a->base = base;
    a->size_bytes = config->size_bytes;
    if (config->huge == OPTIONS_HUGE_THP)
        (void)madvise(base, config->size_bytes, MADV_HUGEPAGE); /* a wish; the kernel may refuse */
    return 0;
}

static int arena_touch_and_lock(struct arena *a, const struct arena_config *config)
{
    if (madvise(a->base, a->size_bytes, MADV_POPULATE_WRITE) != 0)
        return -errno;
    if (config->mlock == OPTIONS_MLOCK_OFF || a->locked)
        return 0;
    a->locked = mlock(a->base, a->size_bytes) == 0;
    if (!a->locked && config->mlock == OPTIONS_MLOCK_REQUIRE)
        return errno == ENOMEM ? -EPERM : -errno; /* ENOMEM here means above RLIMIT_MEMLOCK */
    return 0;
}

static int arena_open(struct arena *a, const struct arena_config *config)
{
    assert(config->size_bytes % LIMIT_GRANULE_BYTES == 0);
    assert(config->small_granules < config->size_bytes / LIMIT_GRANULE_BYTES);
    *a = (struct arena){.n_granules = arena_granules(config->size_bytes),
                        .small_granules = config->small_granules};
    int rc = arena_map(a, config);
    if (rc != 0)
        return rc;
    a->taken = calloc((a->n_granules + 63) / 64, sizeof *a->taken);
    a->promised = calloc((a->n_granules + 63) / 64, sizeof *a->promised);
    if (a->taken == NULL || a->promised == NULL)
        return -ENOMEM;
    rc = arena_touch_and_lock(a, config);
    if (rc != 0)
        return rc;
    arena_guard(a, 0, a->n_granules, false);
    atomic_init(&a->state, ARENA_READY);
    return 0;
}

static void arena_close(struct arena *a)
{
    if (a->base != NULL)
        (void)munmap(a->base, a->size_bytes);
    free(a->taken);
    free(a->promised);
    *a = (struct arena){0};
}

int arena_pair_open(struct arena_pair *pair, const struct arena_config *config)
{
    *pair = (struct arena_pair){0};
    for (uint32_t i = 0; i < 2; i++) {
        int rc = arena_open(&pair->arenas[i], config);
        if (rc != 0) {
            arena_pair_close(pair);
            return rc;
        }
        if (config->mlock != OPTIONS_MLOCK_OFF && !pair->arenas[i].locked)
            pair->lock_failed = true;
    }
    atomic_store_explicit(&pair->arenas[0].state, ARENA_ACTIVE, memory_order_relaxed);
    return 0;
}

void arena_pair_close(struct arena_pair *pair)
{
    for (uint32_t i = 0; i < 2; i++)
        arena_close(&pair->arenas[i]);
}

/* First run of count granules in [from, to) that are neither taken nor promised; to: there is none.
 */
static uint32_t arena_search(const struct arena *a, uint32_t from, uint32_t to, uint32_t count)
{
    uint32_t run = 0;
    for (uint32_t i = from; i < to; i++) {
        if (i % 64 == 0 && a->taken[i / 64] == UINT64_MAX) {
            run = 0;
            i += 63;
            continue;
        }
        run = arena_bit(a->taken, i) || arena_bit(a->promised, i) ? 0 : run + 1;
        if (run == count)
            return i + 1 - count;
    }
    return to;
}

/* Where a block that may become room granules goes. n_granules: nowhere. */
static uint32_t arena_place(const struct arena *a, uint32_t room)
{
    uint32_t from = room > 1 ? a->small_granules : 0;
    uint32_t to = room > 1 || a->small_granules == 0 ? a->n_granules : a->small_granules;
    uint32_t begin = a->hint > from && a->hint < to ? a->hint : from;
    uint32_t first = arena_search(a, begin, to, room);
    if (first == to && begin > from)
        first = arena_search(a, from, to, room);
    return first < to ? first : a->n_granules;
}

bool arena_alloc_room(struct arena_pair *pair, size_t min_bytes, size_t room_bytes,
                      struct arena_block *block)
{
    struct arena *a = &pair->arenas[pair->active];
    uint32_t count = arena_granules(min_bytes);
    uint32_t room = arena_granules(room_bytes);
    assert(count > 0 && room >= count);
    if (pair->fail_after > 0 && --pair->fail_after == 0)
        return false;
    if (count > a->n_granules - a->used_granules)
        return false;
    uint32_t first = arena_place(a, room);
    if (first == a->n_granules)
        return false;
    arena_mark(a, first, count, true);
    arena_guard(a, first, count, true);
    arena_set(a->promised, first + count, first + room, true);
    if (room == 1)
        a->hint = first;
    *block = (struct arena_block){.data = a->base + first * LIMIT_GRANULE_BYTES,
                                  .cap_bytes = (uint32_t)(count * LIMIT_GRANULE_BYTES),
                                  .arena = pair->active,
                                  .room_granules = room};
    return true;
}

bool arena_alloc(struct arena_pair *pair, size_t min_bytes, struct arena_block *block)
{
    return arena_alloc_room(pair, min_bytes, min_bytes, block);
}

static uint32_t arena_first(const struct arena *a, const struct arena_block *block)
{
    size_t offset = (size_t)(block->data - a->base);
    assert(block->data >= a->base && offset < a->size_bytes && offset % LIMIT_GRANULE_BYTES == 0);
    return (uint32_t)(offset / LIMIT_GRANULE_BYTES);
}

/* Takes the granules behind the block, up to count in all. */
static void arena_extend(struct arena *a, struct arena_block *block, uint32_t count)
{
    uint32_t first = arena_first(a, block);
    uint32_t have = arena_granules(block->cap_bytes);
    arena_mark(a, first + have, count - have, true);
    arena_guard(a, first + have, count - have, true);
    block->cap_bytes = (uint32_t)(count * LIMIT_GRANULE_BYTES);
}

bool arena_grow(struct arena_pair *pair, struct arena_block *block, size_t min_bytes,
                size_t room_bytes, size_t keep_bytes)
{
    assert(min_bytes > block->cap_bytes && keep_bytes <= block->cap_bytes);
    assert(room_bytes >= min_bytes);
    struct arena *a = &pair->arenas[block->arena];
    uint32_t first = arena_first(a, block);
    uint32_t end = first + arena_granules(block->cap_bytes);
    uint32_t count = arena_granules(min_bytes);
    uint32_t room = arena_granules(room_bytes);
    if (block->room_granules >= count) {
        arena_extend(a, block, count);
        return true;
    }
    if (block->arena == pair->active && first >= a->small_granules &&
        first + room <= a->n_granules &&
        arena_search(a, end, first + room, first + room - end) == end) {
        arena_extend(a, block, count);
        arena_set(a->promised, first + count, first + room, true);
        block->room_granules = room;
        return true;
    }
    struct arena_block bigger;
    if (!arena_alloc_room(pair, min_bytes, room_bytes, &bigger))
        return false;
    memcpy(bigger.data, block->data, keep_bytes);
    arena_free(pair, block);
    *block = bigger;
    return true;
}

void arena_free(struct arena_pair *pair, struct arena_block *block)
{
    if (block->data == NULL)
        return;
    struct arena *a = &pair->arenas[block->arena];
    uint32_t first = arena_first(a, block);
    uint32_t count = arena_granules(block->cap_bytes);
    arena_guard(a, first, count, false);
    arena_mark(a, first, count, false);
    if (block->room_granules > count)
        arena_set(a->promised, first + count, first + block->room_granules, false);
    if (count == 1 && first < a->hint)
        a->hint = first; /* low and warm memory first */
    if (a->used_granules == 0 && block->arena != pair->active)
        atomic_store_explicit(&a->state, ARENA_EMPTY, memory_order_release);
    *block = (struct arena_block){0};
#ifdef L0_DEBUG
    arena_check(pair);
#endif
}

bool arena_rotate(struct arena_pair *pair)
{
    struct arena *old = &pair->arenas[pair->active];
    struct arena *next = &pair->arenas[1 - pair->active];
    /* acquire: the supervisor's work on it is visible. */
    if (atomic_load_explicit(&next->state, memory_order_acquire) != ARENA_READY)
        return false;
    atomic_store_explicit(&next->state, ARENA_ACTIVE, memory_order_relaxed);
    pair->active = 1 - pair->active;
    pair->lexed_bytes = 0;
    pair->requests = 0;
    /* release: the shard is done with an empty one, and the supervisor may take it. */
    atomic_store_explicit(&old->state, old->used_granules == 0 ? ARENA_EMPTY : ARENA_DRAINING,
                          memory_order_release);
    return true;
}

bool arena_rebuild_empty(struct arena_pair *pair, const struct arena_config *config)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct arena *a = &pair->arenas[i];
        if (atomic_load_explicit(&a->state, memory_order_acquire) != ARENA_EMPTY)
            continue;
        assert(a->used_granules == 0);
        a->hint = 0;
        arena_guard(a, 0, a->n_granules, true);
        /* Failing to give pages back or to touch them costs speed only: the mapping stays valid. */
        (void)madvise(a->base, a->size_bytes, MADV_DONTNEED_LOCKED);
        (void)arena_touch_and_lock(a, config);
        arena_guard(a, 0, a->n_granules, false);
        atomic_store_explicit(&a->state, ARENA_READY, memory_order_release);
        return true;
    }
    return false;
}

size_t arena_used_bytes(const struct arena_pair *pair)
{
    size_t granules = 0;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t state = atomic_load_explicit(&pair->arenas[i].state, memory_order_relaxed);
        if (state == ARENA_ACTIVE || state == ARENA_DRAINING)
            granules += pair->arenas[i].used_granules;
    }
    return granules * LIMIT_GRANULE_BYTES;
}

void arena_check(const struct arena_pair *pair)
{
    for (uint32_t i = 0; i < 2; i++) {
        const struct arena *a = &pair->arenas[i];
        uint32_t state = atomic_load_explicit(&a->state, memory_order_relaxed);
        if (state != ARENA_ACTIVE && state != ARENA_DRAINING)
            continue; /* not the shard's */
        uint32_t taken = 0;
        for (uint32_t w = 0; w < (a->n_granules + 63) / 64; w++) {
            taken += (uint32_t)__builtin_popcountll(a->taken[w]);
            assert((a->taken[w] & a->promised[w]) == 0);
        }
        assert(taken == a->used_granules && taken <= a->n_granules);
        assert(i == pair->active || taken > 0);
        assert(a->hint <= a->n_granules);
    }
}
