/* What a shard shows its siblings: whether it gets on, and which connections it has in hand.
 *
 * One writer, the shard itself; the readers take hints from it and verify them by the connection's
 * word. So everything here is relaxed, but for one order: a shard that wakes says so before it
 * receives anything (board_wake), and a watcher that arms its poll looks at the board after that
 * (watch.c). Then a watcher that finds the shard asleep and nothing to receive cannot have missed
 * bytes that the shard has taken: its poll would have seen them. (Both are seq_cst, and the socket
 * lies between them.) */
#ifndef L0_ENGINE_BOARD_H
#define L0_ENGINE_BOARD_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct board {
    /* Grows with every turn, and in its upper half with every step of work; bit 0: awake, that is,
     * not waiting in the ring. */
    _Alignas(64) _Atomic uint64_t progress;
    /* One bit a connection (of all shards): this shard has bytes of it that are not answered. */
    _Atomic uint64_t *in_hand;
    uint32_t n_words;
};

static inline void board_wake(struct board *b)
{
    uint64_t now = atomic_load_explicit(&b->progress, memory_order_relaxed);
    atomic_store_explicit(&b->progress, (now + 2) | 1, memory_order_seq_cst);
}

static inline void board_step(struct board *b)
{
    uint64_t now = atomic_load_explicit(&b->progress, memory_order_relaxed);
    atomic_store_explicit(&b->progress, now + (UINT64_C(1) << 32), memory_order_relaxed);
}

static inline void board_sleep(struct board *b)
{
    uint64_t now = atomic_load_explicit(&b->progress, memory_order_relaxed);
    atomic_store_explicit(&b->progress, (now + 2) & ~UINT64_C(1), memory_order_relaxed);
}

/* Any shard. */
static inline uint64_t board_progress(const struct board *b)
{
    return atomic_load_explicit(&b->progress, memory_order_seq_cst);
}

/* A turn without a step, as for a look at a sibling, is no work. */
static inline bool board_worked(uint64_t before, uint64_t now)
{
    return before >> 32 != now >> 32;
}

static inline bool board_awake(uint64_t progress)
{
    return (progress & 1) != 0;
}

static inline void board_hold(struct board *b, uint32_t slot, bool in_hand)
{
    assert(slot / 64 < b->n_words);
    _Atomic uint64_t *word = &b->in_hand[slot / 64];
    uint64_t bit = UINT64_C(1) << (slot % 64);
    uint64_t now = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, in_hand ? now | bit : now & ~bit, memory_order_relaxed);
}

/* Any shard: the connections [64 * i, 64 * i + 64) in hand, i < n_words. */
static inline uint64_t board_in_hand(const struct board *b, uint32_t i)
{
    return atomic_load_explicit(&b->in_hand[i], memory_order_relaxed);
}

#endif
