/* An arena pair between its shard, which fills blocks and rotates, and the supervisor, which
 * rebuilds: only the state word hands an arena over. Not a Criterion program, because those do not
 * run under the thread sanitizer. Exit 0, or 1 after a line that says what was wrong. */
#include "engine/arena.h"

#include "engine/limits.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRANULES = 16, BLOCKS = 6, ROTATIONS = 2000 };

static const struct arena_config config = {.size_bytes = GRANULES * LIMIT_GRANULE_BYTES,
                                           .mlock = OPTIONS_MLOCK_OFF,
                                           .huge = OPTIONS_HUGE_OFF};

static struct arena_pair pair;
static _Atomic bool done;

static void *rebuild(void *unused)
{
    (void)unused;
    unsigned long n = 0;
    while (!atomic_load(&done)) {
        n += arena_rebuild_empty(&pair, &config);
        (void)sched_yield();
    }
    return (void *)(uintptr_t)n;
}

/* Every byte of the block is still the one that was written. */
static bool block_intact(const struct arena_block *b, int value)
{
    return b->data[0] == value && memcmp(b->data, b->data + 1, b->cap_bytes - 1) == 0;
}

/* A new block, or an end to the old one; false: its bytes were changed. */
static bool step(struct arena_block *b, int value, uint32_t random)
{
    if (b->data != NULL) {
        bool intact = block_intact(b, value);
        arena_free(&pair, b);
        return intact;
    }
    if (arena_alloc(&pair, 1 + random % (2 * LIMIT_GRANULE_BYTES), b))
        memset(b->data, value, b->cap_bytes);
    return true;
}

int main(void)
{
    pthread_t supervisor;
    struct arena_block blocks[BLOCKS] = {0};
    uint32_t random = 1;
    bool intact = true;
    void *rebuilt;
    if (arena_pair_open(&pair, &config) != 0 ||
        pthread_create(&supervisor, NULL, rebuild, NULL) != 0)
        return EXIT_FAILURE;
    for (int rotations = 0; rotations < ROTATIONS && intact;) {
        random = random * 1664525u + 1013904223u;
        int i = (int)(random >> 16) % BLOCKS;
        intact = step(&blocks[i], i + 1, random >> 8);
        rotations += arena_rotate(&pair);
        arena_check(&pair);
    }
    atomic_store(&done, true);
    (void)pthread_join(supervisor, &rebuilt);
    for (int i = 0; i < BLOCKS; i++)
        arena_free(&pair, &blocks[i]);
    if (!intact || arena_used_bytes(&pair) != 0) {
        fprintf(stderr, "arena_stress: a block was written to by somebody else, or lost\n");
        return EXIT_FAILURE;
    }
    arena_pair_close(&pair);
    printf("arena_stress: %d rotations, %lu rebuilt\n", ROTATIONS,
           (unsigned long)(uintptr_t)rebuilt);
    return EXIT_SUCCESS;
}
