/* Input memory: blocks, growth, rotation. */
#include "engine/arena.h"

#include "engine/limits.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { GRANULES = 64 };

#define GRANULE LIMIT_GRANULE_BYTES

static const struct arena_config config = {
    .size_bytes = GRANULES * GRANULE, .mlock = OPTIONS_MLOCK_OFF, .huge = OPTIONS_HUGE_OFF};

static struct arena_pair pair;

static void open_pair(void)
{
    cr_assert_eq(arena_pair_open(&pair, &config), 0);
}

static void close_pair(void)
{
    arena_pair_close(&pair);
}

TestSuite(arena, .init = open_pair, .fini = close_pair);

static enum arena_state state_of(uint32_t i)
{
    return (enum arena_state)atomic_load(&pair.arenas[i].state);
}

static void fill(const struct arena_block *b, uint8_t seed)
{
    for (size_t i = 0; i < b->cap_bytes; i++)
        b->data[i] = (uint8_t)(seed + i * 7);
}

static bool filled(const struct arena_block *b, uint8_t seed, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (b->data[i] != (uint8_t)(seed + i * 7))
            return false;
    return true;
}

/* ---- blocks --------------------------------------------------------------------------------- */

Test(arena, to_exhaustion_and_back)
{
    struct arena_block blocks[GRANULES];
    struct arena_block one_more;
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < GRANULES; i++) {
            cr_assert(arena_alloc(&pair, 1, &blocks[i]));
            cr_assert_eq(blocks[i].cap_bytes, GRANULE);
            fill(&blocks[i], (uint8_t)i);
        }
        cr_expect_eq(arena_used_bytes(&pair), config.size_bytes);
        cr_expect_not(arena_alloc(&pair, 1, &one_more));
        for (unsigned i = 0; i < GRANULES; i++)
            cr_assert(filled(&blocks[i], (uint8_t)i, GRANULE), "block %u was written to", i);
        for (unsigned i = 0; i < GRANULES; i++) /* in another order each round */
            arena_free(&pair, &blocks[(i * 5 + (unsigned)round) % GRANULES]);
        cr_expect_eq(arena_used_bytes(&pair), 0);
        arena_check(&pair);
    }
}

Test(arena, exact_capacity)
{
    struct arena_block whole;
    struct arena_block none = {0};
    cr_assert_not(arena_alloc(&pair, config.size_bytes + 1, &whole));
    cr_assert(arena_alloc(&pair, config.size_bytes, &whole));
    cr_expect_eq(whole.cap_bytes, config.size_bytes);
    cr_expect_not(arena_alloc(&pair, 1, &none));
    fill(&whole, 3);
    arena_free(&pair, &whole);
    cr_expect_null(whole.data);
    cr_expect_eq(whole.cap_bytes, 0);
    arena_free(&pair, &none); /* no block: nothing happens */
    cr_expect_eq(arena_used_bytes(&pair), 0);
}

Test(arena, capacity_is_rounded_up)
{
    static const size_t bytes[] = {1, GRANULE - 1, GRANULE, GRANULE + 1, 3 * GRANULE};
    static const uint32_t granules[] = {1, 1, 1, 2, 3};
    for (size_t i = 0; i < 5; i++) {
        struct arena_block b;
        cr_assert(arena_alloc(&pair, bytes[i], &b));
        cr_expect_eq(b.cap_bytes, granules[i] * GRANULE);
        arena_free(&pair, &b);
    }
}

Test(arena, a_hole_must_be_wide_enough)
{
    struct arena_block blocks[GRANULES];
    struct arena_block two;
    for (unsigned i = 0; i < GRANULES; i++)
        cr_assert(arena_alloc(&pair, 1, &blocks[i]));
    for (unsigned i = 0; i < GRANULES; i += 2)
        arena_free(&pair, &blocks[i]);
    cr_expect_not(arena_alloc(&pair, 2 * GRANULE, &two), "only holes of one granule are free");
    uint8_t *hole = blocks[33].data;
    arena_free(&pair, &blocks[33]); /* 32, 33, 34 are free now */
    cr_assert(arena_alloc(&pair, 3 * GRANULE, &two));
    cr_expect_eq(two.data, hole - GRANULE);
    arena_free(&pair, &two);
    for (unsigned i = 1; i < GRANULES; i += 2)
        arena_free(&pair, &blocks[i]);
    cr_assert(arena_alloc(&pair, config.size_bytes, &two), "what was freed has grown together");
    arena_free(&pair, &two);
}

/* ---- growth --------------------------------------------------------------------------------- */

Test(arena, grows_in_place)
{
    struct arena_block b;
    cr_assert(arena_alloc(&pair, GRANULE, &b));
    uint8_t *before = b.data;
    fill(&b, 9);
    cr_assert(arena_grow(&pair, &b, 5 * GRANULE, 5 * GRANULE, GRANULE));
    cr_expect_eq(b.data, before);
    cr_expect_eq(b.cap_bytes, 5 * GRANULE);
    cr_expect(filled(&b, 9, GRANULE));
    fill(&b, 1);
    cr_assert(arena_grow(&pair, &b, config.size_bytes, config.size_bytes, b.cap_bytes));
    cr_expect(filled(&b, 1, 5 * GRANULE));
    cr_expect_eq(arena_used_bytes(&pair), config.size_bytes);
    arena_free(&pair, &b);
}

Test(arena, grows_by_moving)
{
    struct arena_block b;
    struct arena_block neighbour;
    cr_assert(arena_alloc(&pair, 2 * GRANULE, &b));
    cr_assert(arena_alloc(&pair, GRANULE, &neighbour));
    cr_assert_eq(neighbour.data, b.data + 2 * GRANULE);
    uint8_t *before = b.data;
    fill(&b, 4);
    fill(&neighbour, 5);
    cr_assert(arena_grow(&pair, &b, 4 * GRANULE, 4 * GRANULE, 2 * GRANULE));
    cr_expect_neq(b.data, before);
    cr_expect(filled(&b, 4, 2 * GRANULE));
    cr_expect(filled(&neighbour, 5, GRANULE));
    cr_expect_eq(arena_used_bytes(&pair), 5 * GRANULE);
    arena_free(&pair, &b);
    arena_free(&pair, &neighbour);
    cr_expect_eq(arena_used_bytes(&pair), 0);
}

/* Two documents that grow side by side move once each, from their first granule. */
Test(arena, growth_with_room_stays_where_it_is)
{
    struct arena_block b[2];
    struct arena_block small;
    for (int i = 0; i < 2; i++) {
        cr_assert(arena_alloc(&pair, GRANULE, &b[i]));
        cr_assert(arena_grow(&pair, &b[i], 4 * GRANULE, 20 * GRANULE, GRANULE));
    }
    cr_expect_eq(arena_used_bytes(&pair), 8 * GRANULE, "a promise takes nothing");
    cr_assert(arena_alloc(&pair, GRANULE, &small));
    uint8_t *const at[2] = {b[0].data, b[1].data};
    for (int i = 0; i < 2; i++) {
        fill(&b[i], (uint8_t)(7 + i));
        cr_assert(arena_grow(&pair, &b[i], 20 * GRANULE, 20 * GRANULE, 4 * GRANULE));
        cr_expect_eq(b[i].data, at[i]);
        cr_expect(filled(&b[i], (uint8_t)(7 + i), 4 * GRANULE));
    }
    arena_check(&pair);
    arena_free(&pair, &b[0]);
    arena_free(&pair, &b[1]);
    arena_free(&pair, &small);
    cr_assert(arena_alloc(&pair, config.size_bytes, &small), "no promise outlives its block");
    arena_free(&pair, &small);
}

Test(arena, a_promise_is_kept_where_nothing_else_is_left)
{
    struct arena_block grown;
    struct arena_block others[GRANULES];
    struct arena_block one_more;
    cr_assert(arena_alloc(&pair, GRANULE, &grown));
    cr_assert(arena_grow(&pair, &grown, 2 * GRANULE, 40 * GRANULE, GRANULE));
    for (unsigned i = 0; i < GRANULES - 40; i++)
        cr_assert(arena_alloc(&pair, GRANULE, &others[i]), "granule %u", i);
    cr_expect_not(arena_alloc(&pair, GRANULE, &one_more), "all that is left is promised");
    cr_assert(arena_grow(&pair, &grown, 40 * GRANULE, 40 * GRANULE, 2 * GRANULE));
    arena_check(&pair);
    arena_free(&pair, &grown);
    for (unsigned i = 0; i < GRANULES - 40; i++)
        arena_free(&pair, &others[i]);
    cr_assert(arena_alloc(&pair, config.size_bytes, &grown));
    arena_free(&pair, &grown);
}

/* Whoever waits to grow holds nothing that those who grow need. */
Test(arena, small_blocks_and_growing_ones_do_not_meet)
{
    enum { SMALL = 16 };
    struct arena_config split = config;
    struct arena_pair two;
    struct arena_block small[SMALL];
    struct arena_block large;
    struct arena_block one_more;
    split.small_granules = SMALL;
    cr_assert_eq(arena_pair_open(&two, &split), 0);
    for (unsigned i = 0; i < SMALL; i++)
        cr_assert(arena_alloc(&two, GRANULE, &small[i]));
    cr_expect_not(arena_alloc(&two, GRANULE, &one_more), "the small part is full");
    cr_expect_not(
        arena_grow(&two, &small[0], 2 * GRANULE, (GRANULES - SMALL + 1) * GRANULE, GRANULE));
    cr_assert(arena_grow(&two, &small[0], 2 * GRANULE, (GRANULES - SMALL) * GRANULE, GRANULE));
    cr_expect_not(arena_grow(&two, &small[1], 2 * GRANULE, 2 * GRANULE, GRANULE),
                  "all of the large part is promised");
    cr_assert(arena_alloc(&two, GRANULE, &one_more), "and a small granule is free again");
    large = small[0];
    cr_assert(arena_grow(&two, &large, (GRANULES - SMALL) * GRANULE, (GRANULES - SMALL) * GRANULE,
                         2 * GRANULE));
    cr_expect_eq(large.data, small[0].data);
    arena_free(&two, &large);
    cr_assert(arena_grow(&two, &small[1], 2 * GRANULE, 2 * GRANULE, GRANULE));
    for (unsigned i = 1; i < SMALL; i++)
        arena_free(&two, &small[i]);
    arena_free(&two, &one_more);
    cr_expect_eq(arena_used_bytes(&two), 0);
    arena_pair_close(&two);
}

Test(arena, growth_that_fails_changes_nothing)
{
    struct arena_block b;
    struct arena_block rest;
    cr_assert(arena_alloc(&pair, 2 * GRANULE, &b));
    cr_assert(arena_alloc(&pair, config.size_bytes - 3 * GRANULE, &rest));
    const struct arena_block before = b;
    fill(&b, 6);
    cr_expect_not(arena_grow(&pair, &b, 4 * GRANULE, 4 * GRANULE, 2 * GRANULE));
    cr_expect_not(arena_grow(&pair, &b, config.size_bytes + 1, config.size_bytes + 1, 2 * GRANULE));
    cr_expect_eq(b.data, before.data);
    cr_expect_eq(b.cap_bytes, before.cap_bytes);
    cr_expect_eq(b.room_granules, before.room_granules);
    cr_expect(filled(&b, 6, 2 * GRANULE));
    arena_free(&pair, &rest);
    arena_free(&pair, &b);
}

/* ---- failure injected at the nth allocation, for all n -------------------------------------- */

Test(arena, every_allocation_fails_once)
{
    for (uint32_t n = 1; n <= 12; n++) {
        struct arena_block blocks[10];
        uint32_t failures = 0;
        uint32_t calls = 0;
        pair.fail_after = n;
        for (unsigned i = 0; i < 10; i++) {
            calls++;
            if (arena_alloc(&pair, GRANULE, &blocks[i]))
                continue;
            cr_expect_eq(calls, n);
            failures++;
            calls++;
            cr_assert(arena_alloc(&pair, GRANULE, &blocks[i]), "the next one succeeds");
        }
        cr_expect_eq(failures, n <= 10 ? 1 : 0);
        pair.fail_after = 0;
        for (unsigned i = 0; i < 10; i++)
            arena_free(&pair, &blocks[i]);
        cr_expect_eq(arena_used_bytes(&pair), 0);
    }
}

/* ---- rotation ------------------------------------------------------------------------------- */

Test(arena, rotates_when_empty)
{
    cr_expect_eq(state_of(0), ARENA_ACTIVE);
    cr_expect_eq(state_of(1), ARENA_READY);
    cr_expect_not(arena_rebuild_empty(&pair, &config));
    pair.lexed_bytes = pair.requests = 5;
    cr_assert(arena_rotate(&pair));
    cr_expect_eq(pair.lexed_bytes + pair.requests, 0);
    cr_expect_eq(state_of(0), ARENA_EMPTY);
    cr_expect_eq(state_of(1), ARENA_ACTIVE);
    cr_expect_not(arena_rotate(&pair), "the other one has not been rebuilt");
    cr_assert(arena_rebuild_empty(&pair, &config));
    cr_expect_eq(state_of(0), ARENA_READY);
    cr_expect_not(arena_rebuild_empty(&pair, &config));
    cr_expect(arena_rotate(&pair));
    cr_expect_eq(state_of(0), ARENA_ACTIVE);
}

Test(arena, drains_while_blocks_are_out)
{
    struct arena_block old[3];
    struct arena_block young;
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(arena_alloc(&pair, GRANULE, &old[i]));
        fill(&old[i], (uint8_t)i);
    }
    cr_assert(arena_rotate(&pair));
    cr_expect_eq(state_of(0), ARENA_DRAINING);
    cr_expect_not(arena_rotate(&pair));
    cr_expect_not(arena_rebuild_empty(&pair, &config), "it is not empty");
    cr_assert(arena_alloc(&pair, GRANULE, &young));
    cr_expect_eq(young.arena, 1);
    cr_expect_eq(arena_used_bytes(&pair), 4 * GRANULE);

    cr_assert(arena_grow(&pair, &old[0], 2 * GRANULE, 2 * GRANULE, GRANULE),
              "a block of the old one moves");
    cr_expect_eq(old[0].arena, 1);
    cr_expect(filled(&old[0], 0, GRANULE));
    arena_free(&pair, &old[1]);
    cr_expect_eq(state_of(0), ARENA_DRAINING);
    cr_expect(filled(&old[2], 2, GRANULE));
    arena_free(&pair, &old[2]);
    cr_expect_eq(state_of(0), ARENA_EMPTY);
    cr_assert(arena_rebuild_empty(&pair, &config));
    cr_assert(arena_rotate(&pair));
    cr_expect_eq(state_of(1), ARENA_DRAINING);
    arena_free(&pair, &old[0]);
    arena_free(&pair, &young);
    cr_expect_eq(state_of(1), ARENA_EMPTY);
    cr_expect_eq(arena_used_bytes(&pair), 0);
}

Test(arena, a_rebuilt_one_is_as_good_as_new)
{
    struct arena_block b;
    cr_assert(arena_alloc(&pair, config.size_bytes, &b));
    fill(&b, 1);
    cr_assert(arena_rotate(&pair));
    arena_free(&pair, &b);
    cr_assert(arena_rebuild_empty(&pair, &config));
    cr_assert(arena_rotate(&pair));
    cr_assert(arena_alloc(&pair, config.size_bytes, &b));
    cr_expect_eq(b.arena, 0);
    cr_expect_eq(b.data[0] | b.data[b.cap_bytes - 1], 0, "its pages were given back");
    arena_free(&pair, &b);
}

/* Random blocks against a plain account of which bytes belong to whom. */
Test(arena, random_use)
{
    enum { BLOCKS = 24, STEPS = 20000 };
    struct arena_block blocks[BLOCKS] = {0};
    size_t used = 0;
    uint32_t random = 12345;
    for (unsigned step = 0; step < STEPS; step++) {
        random = random * 1664525u + 1013904223u;
        unsigned i = (random >> 8) % BLOCKS;
        size_t bytes = 1 + (random >> 13) % (6 * GRANULE);
        struct arena_block *b = &blocks[i];
        used -= b->cap_bytes;
        if (b->data == NULL) {
            if (arena_alloc(&pair, bytes, b))
                memset(b->data, (int)i, b->cap_bytes);
        } else {
            cr_assert(b->data[0] == i && b->data[b->cap_bytes - 1] == i, "block %u, step %u", i,
                      step);
            size_t keep = b->cap_bytes;
            if (random % 3 == 0 && bytes > keep && arena_grow(&pair, b, bytes, bytes, keep)) {
                cr_assert(b->data[0] == i && b->data[keep - 1] == i, "block %u grew", i);
                memset(b->data, (int)i, b->cap_bytes);
            } else {
                arena_free(&pair, b);
            }
        }
        used += b->cap_bytes;
        cr_assert_eq(arena_used_bytes(&pair), used);
        if (random % 64 == 0) {
            (void)arena_rotate(&pair);
            (void)arena_rebuild_empty(&pair, &config);
        }
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        arena_free(&pair, &blocks[i]);
    arena_check(&pair);
    cr_expect_eq(arena_used_bytes(&pair), 0);
}

/* ---- opening -------------------------------------------------------------------------------- */

Test(arena_open, memory_is_short)
{
    const struct arena_config huge = {
        .size_bytes = (size_t)1 << 52, .mlock = OPTIONS_MLOCK_OFF, .huge = OPTIONS_HUGE_OFF};
    struct arena_pair none;
    cr_expect_eq(arena_pair_open(&none, &huge), -ENOMEM);
    cr_expect_null(none.arenas[0].base);
    arena_pair_close(&none);
}

Test(arena_open, huge_pages_are_a_wish)
{
    for (int huge = OPTIONS_HUGE_OFF; huge <= OPTIONS_HUGE_TLB; huge++) {
        const struct arena_config c = {
            .size_bytes = 4 << 20, .mlock = OPTIONS_MLOCK_OFF, .huge = (enum options_huge)huge};
        struct arena_pair p;
        struct arena_block b;
        cr_assert_eq(arena_pair_open(&p, &c), 0);
        cr_assert(arena_alloc(&p, c.size_bytes, &b));
        memset(b.data, 1, b.cap_bytes);
        arena_free(&p, &b);
        arena_pair_close(&p);
    }
}
