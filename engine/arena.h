/* Input memory of one shard: two arenas, one in use, one in reserve.
 *
 * An arena is mapped once, pre-touched (first touch costs microseconds a page) and locked where
 * that is allowed. A block is a run of granules; bitmaps with one bit a granule, outside the arena,
 * say which are taken and which are promised. Blocks are handed out by the shard's thread only.
 *
 * Nobody who holds memory waits for memory that its holder waits with: a block of one granule lies
 * in the small part of the arena; one that grows moves to the large part once, and only when all
 * the room it will ever need can be promised there. So whoever has begun to grow can finish, and
 * whoever waits to grow holds nothing that those need.
 *
 * Rotation: the shard turns to the other arena when that one is READY; when the last block of the
 * old one is back, the old one is EMPTY, and the supervisor (not the shard: rebuilding takes
 * milliseconds) gives its pages back, touches new ones and makes it READY again. The state word
 * hands the arena over between the two threads: whoever it names owns every other field.
 *
 *     READY    -> ACTIVE      rotate (shard)
 *     ACTIVE   -> DRAINING    rotate (shard)
 *     DRAINING -> EMPTY       the last block is back (shard)
 *     EMPTY    -> READY       rebuilt (supervisor) */
#ifndef L0_ENGINE_ARENA_H
#define L0_ENGINE_ARENA_H

#include "engine/options.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arena_state { ARENA_READY, ARENA_ACTIVE, ARENA_DRAINING, ARENA_EMPTY };

struct arena {
    uint8_t *base;
    size_t size_bytes;
    uint32_t n_granules;
    uint32_t used_granules;
    uint32_t hint;           /* where the next search begins */
    uint64_t *taken;         /* bitmap, one bit a granule */
    uint64_t *promised;      /* likewise: free, but only the block before it may grow into it */
    uint32_t small_granules; /* [0, this): blocks of one granule only; 0: no such part */
    _Atomic uint32_t state;  /* enum arena_state; release by who hands over, acquire by who takes */
    bool locked;
};

struct arena_pair {
    struct arena arenas[2];
    uint32_t active;      /* index */
    uint64_t lexed_bytes; /* since the last rotation */
    uint64_t requests;    /* since the last rotation */
    bool lock_failed;
    uint32_t fail_after; /* fault injection of the tests: 0 off, n: the nth arena_alloc fails */
};

struct arena_config {
    size_t size_bytes;       /* of each arena; a multiple of the granule */
    uint32_t small_granules; /* of each arena, for blocks of one granule; 0: no such part */
    enum options_mlock mlock;
    enum options_huge huge;
};

/* A run of granules; cap_bytes is all of it. data == NULL: none. */
struct arena_block {
    uint8_t *data;
    uint32_t cap_bytes;
    uint32_t arena;         /* index in the pair */
    uint32_t room_granules; /* what is promised to it, with what it has; 0: nothing */
};

/* As the options say. */
struct arena_config arena_configure(const struct options *options);

/* Maps, touches, locks. 0 or negative errno (-ENOMEM, or -EPERM when mlock is required and
 * refused). On failure nothing is left. */
int arena_pair_open(struct arena_pair *pair, const struct arena_config *config);
void arena_pair_close(struct arena_pair *pair);

/* At least min_bytes. false: no room now. */
bool arena_alloc(struct arena_pair *pair, size_t min_bytes, struct arena_block *block);

/* The same, and room_bytes (>= min_bytes) are promised to it as by arena_grow. */
bool arena_alloc_room(struct arena_pair *pair, size_t min_bytes, size_t room_bytes,
                      struct arena_block *block);

/* Makes the block at least min_bytes large, in place where that was promised or is free, else by
 * moving its first keep_bytes; and promises it room_bytes (>= min_bytes): growing up to there will
 * not fail nor move. false: no room now; the block is as it was. */
bool arena_grow(struct arena_pair *pair, struct arena_block *block, size_t min_bytes,
                size_t room_bytes, size_t keep_bytes);

/* Gives the block back and empties *block; no-op without one. */
void arena_free(struct arena_pair *pair, struct arena_block *block);

/* Shard: turns to the other arena if that one is ready. */
bool arena_rotate(struct arena_pair *pair);

/* Supervisor: rebuilds an EMPTY arena. true if there was one. */
bool arena_rebuild_empty(struct arena_pair *pair, const struct arena_config *config);

size_t arena_used_bytes(const struct arena_pair *pair);

/* Walks the bitmaps; asserts that they agree with the counts. Debug builds call it on every free.
 */
void arena_check(const struct arena_pair *pair);

#endif
