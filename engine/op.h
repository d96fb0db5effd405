/* user_data of a submission, packed and unpacked here only: kind:8 | slot:24 | generation:32.
 * A completion whose generation is not the slot's own is stale: it is counted and dropped. */
#ifndef L0_ENGINE_OP_H
#define L0_ENGINE_OP_H

#include <stdint.h>

enum op_kind {
    OP_CONN_IN = 1,     /* slot: connection; multishot poll for input */
    OP_CONN_OUT = 2,    /* slot: connection; one-shot poll for room to send */
    OP_CONN_CANCEL = 3, /* slot: connection; cancels one of the two */
    OP_LISTEN_POLL = 4, /* slot: listener; multishot */
    OP_DOORBELL = 5,    /* multishot poll of the shard's eventfd */
    OP_UNPOLL = 6,      /* cancels a listener's poll; nobody waits for it */
    OP_WATCH = 7,       /* slot: watch; one-shot poll of its target's watch set */
    OP_TIMER = 8,       /* the watches' timer */
};

struct op {
    enum op_kind kind;
    uint32_t slot;
    uint32_t generation;
};

static inline uint64_t op_pack(enum op_kind kind, uint32_t slot, uint32_t generation)
{
    return (uint64_t)kind << 56 | (uint64_t)(slot & 0xffffffu) << 32 | generation;
}

static inline struct op op_unpack(uint64_t user_data)
{
    return (struct op){.kind = (enum op_kind)(user_data >> 56),
                       .slot = (uint32_t)(user_data >> 32) & 0xffffffu,
                       .generation = (uint32_t)user_data};
}

#endif
