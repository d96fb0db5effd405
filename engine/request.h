/* One document in work: its bracket, its lexer and how far it got. The bytes themselves are in an
 * input block. Requests are pooled per shard; the pool's size is the shard's cap on requests in
 * hand. A request is given back to the shard it is from, its keeper (returns.h).
 *
 * While a connection is in AHEAD or PROC, another shard may come to read the input. So whoever
 * enters these states sets holders to 2, one for himself and one for who may come; when nobody came
 * the request is his alone and the count means nothing. When somebody did (the word says so), each
 * of the two drops one, and the last one gives request and block back. */
#ifndef L0_ENGINE_REQUEST_H
#define L0_ENGINE_REQUEST_H

#include "engine/arena.h"
#include "engine/bracket.h"
#include "engine/heap.h"
#include "engine/returns.h"
#include "lexer/lexer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct request {
    /* Written before the connection is in AHEAD or PROC, constant in there: a hedger reads it. */
    struct arena_block block; /* where the input lies */
    const uint8_t *body;
    uint32_t body_bytes;   /* 0 until the header is here */
    uint32_t behind_bytes; /* received behind the body: of the next frame */
    uint64_t word;         /* the connection's in PROC, noted by conn_begin */
    uint32_t ahead_bytes;  /* lexed before PROC */
    bool has_mark;         /* mark is the lexer after these */
    struct lexer mark;
    struct bracket bracket;

    /* Shared by the owner and a hedger. */
    _Atomic uint32_t holders;       /* acq_rel: who frees has seen the other one's last access */
    _Atomic bool arm_failed;        /* acq_rel exchange: the second one to fail answers */
    _Atomic uint64_t hedge_fire_ns; /* by the hedger, right after its compare-and-swap; relaxed */

    uint8_t keeper;           /* for ever: the shard whose pool, and whose arena's block, it is */
    struct returned returned; /* by who gives it back; in the pool, the link to the next free one */

    /* The worker's own. */
    bool moved;         /* begun by another shard */
    bool duplicate;     /* a hedger's own: its input is in the lent request's block */
    bool by_sibling;    /* answered by another shard than the connection's home */
    uint32_t fed_bytes; /* given to the lexer so far; <= body_bytes */
    struct lexer_counts counts;
    struct lexer lexer;
};

struct request_pool {
    struct heap *heap;
    struct returned *free;       /* linked through request.returned */
    uint32_t made, in_hand, cap; /* in_hand <= made <= cap */
    uint8_t keeper;
};

static inline struct request *request_of_returned(struct returned *returned)
{
    return (struct request *)((char *)returned - offsetof(struct request, returned));
}

void request_pool_init(struct request_pool *pool, struct heap *heap, uint32_t cap, uint8_t keeper);

/* A request whose first byte was seen at t_in_start_ns. NULL: the cap is reached, or memory is
 * short. */
struct request *request_open(struct request_pool *pool, uint64_t t_in_start_ns);
void request_close(struct request_pool *pool, struct request *request);

/* The header is here: body_bytes > 0. */
void request_begin(struct request *request, uint32_t body_bytes,
                   const struct lexer_options *options);

/* Goes on, in a request of one's own, where another shard has stopped. */
void request_resume(struct request *request, const struct request *from);

/* Before PROC: notes how far the lexer has got, so that a duplicate need not lex all of it anew. */
void request_mark(struct request *request);

/* A duplicate's own request begins, where lent was when it was marked. */
void request_duplicate(struct request *own, const struct request *lent,
                       const struct lexer_options *options);

/* Lexes at most slice_bytes more of the have_bytes that are here of the body (which may have
 * moved). 0, or negative errno of the lexer. */
int request_lex(struct request *request, const uint8_t *body, uint32_t have_bytes,
                uint32_t slice_bytes);

/* Before AHEAD or PROC: others may read the input from now on. */
static inline void request_lend(struct request *request)
{
    atomic_store_explicit(&request->holders, 2, memory_order_relaxed);
}

/* The other one, with whom it is lent, has dropped its hold (and what it did is visible). */
static inline bool request_is_ours(const struct request *request)
{
    return atomic_load_explicit(&request->holders, memory_order_acquire) == 1;
}

/* true: it was the last holder, and has to give it back. */
static inline bool request_drop(struct request *request)
{
    return atomic_fetch_sub_explicit(&request->holders, 1, memory_order_acq_rel) == 1;
}

/* All of the body has been lexed and counts are final. */
static inline bool request_lexed(const struct request *request)
{
    return request->body_bytes > 0 && request->fed_bytes == request->body_bytes;
}

#endif
