/* One document in work: its bracket, its lexer and how far it got. The bytes themselves are in the
 * connection's input block. Requests are pooled per shard; the pool's size is the shard's cap on
 * requests in hand. */
#ifndef L0_ENGINE_REQUEST_H
#define L0_ENGINE_REQUEST_H

#include "engine/bracket.h"
#include "engine/heap.h"
#include "lexer/lexer.h"

#include <stdbool.h>
#include <stdint.h>

struct request {
    struct request *next_free;
    struct bracket bracket;
    uint32_t body_bytes; /* 0 until the header is here */
    uint32_t fed_bytes;  /* given to the lexer so far; <= body_bytes */
    struct lexer_counts counts;
    struct lexer lexer;
};

struct request_pool {
    struct heap *heap;
    struct request *free;
    uint32_t made, in_hand, cap; /* in_hand <= made <= cap */
};

void request_pool_init(struct request_pool *pool, struct heap *heap, uint32_t cap);

/* A request whose first byte was seen at t_in_start_ns. NULL: the cap is reached, or memory is
 * short. */
struct request *request_open(struct request_pool *pool, uint64_t t_in_start_ns);
void request_close(struct request_pool *pool, struct request *request);

/* The header is here: body_bytes > 0. */
void request_begin(struct request *request, uint32_t body_bytes,
                   const struct lexer_options *options);

/* Lexes at most slice_bytes more of the have_bytes that are here of the body (which may have
 * moved). 0, or negative errno of the lexer. */
int request_lex(struct request *request, const uint8_t *body, uint32_t have_bytes,
                uint32_t slice_bytes);

/* All of the body has been lexed and counts are final. */
static inline bool request_lexed(const struct request *request)
{
    return request->body_bytes > 0 && request->fed_bytes == request->body_bytes;
}

#endif
