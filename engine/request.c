#include "engine/request.h"

#include "engine/limits.h"

#include <assert.h>
#include <string.h>

void request_pool_init(struct request_pool *pool, struct heap *heap, uint32_t cap, uint8_t keeper)
{
    *pool = (struct request_pool){.heap = heap, .cap = cap, .keeper = keeper};
}

struct request *request_open(struct request_pool *pool, uint64_t t_in_start_ns)
{
    struct request *r;
    if (pool->free != NULL) {
        r = request_of_returned(pool->free);
        pool->free = pool->free->next;
    } else {
        if (pool->made == pool->cap)
            return NULL;
        r = heap_zalloc(pool->heap, 1, sizeof *r);
        if (r == NULL)
            return NULL;
        pool->made++;
        r->keeper = pool->keeper;
    }
    pool->in_hand++;
    r->block = (struct arena_block){0};
    r->bracket = (struct bracket){.t_in_start = t_in_start_ns};
    r->body_bytes = 0;
    r->fed_bytes = 0;
    r->moved = false;
    r->duplicate = false;
    atomic_store_explicit(&r->arm_failed, false, memory_order_relaxed);
    atomic_store_explicit(&r->hedge_fire_ns, 0, memory_order_relaxed);
    return r;
}

void request_close(struct request_pool *pool, struct request *request)
{
    assert(pool->in_hand > 0 && request->keeper == pool->keeper && request->block.data == NULL);
    pool->in_hand--;
    request->returned.next = pool->free;
    pool->free = &request->returned;
}

void request_begin(struct request *request, uint32_t body_bytes,
                   const struct lexer_options *options)
{
    assert(body_bytes > 0 && request->body_bytes == 0);
    request->body_bytes = body_bytes;
    /* Version-1 replies carry counts only, so nothing else is computed (count mode). */
    lexer_begin(&request->lexer, options, NULL);
}

void request_resume(struct request *request, const struct request *from)
{
    request->moved = true;
    request->bracket = from->bracket;
    request->body_bytes = from->body_bytes;
    request->fed_bytes = from->fed_bytes;
    request->lexer = from->lexer;
}

void request_mark(struct request *request)
{
    request->ahead_bytes = request->fed_bytes;
    request->has_mark = request->ahead_bytes >= LIMIT_MARK_BYTES;
    if (request->has_mark)
        request->mark = request->lexer;
}

void request_duplicate(struct request *own, const struct request *lent,
                       const struct lexer_options *options)
{
    own->duplicate = true;
    request_begin(own, lent->body_bytes, options);
    if (!lent->has_mark)
        return;
    own->lexer = lent->mark;
    own->fed_bytes = lent->ahead_bytes;
}

int request_lex(struct request *request, const uint8_t *body, uint32_t have_bytes,
                uint32_t slice_bytes)
{
    assert(request->body_bytes > 0 && have_bytes <= request->body_bytes);
    assert(request->fed_bytes <= have_bytes);
    uint32_t left = have_bytes - request->fed_bytes;
    if (left == 0)
        return 0;
    request->fed_bytes += left < slice_bytes ? left : slice_bytes;
    if (request_lexed(request))
        return lexer_finish(&request->lexer, body, request->body_bytes, &request->counts);
    return lexer_feed(&request->lexer, body, request->fed_bytes);
}
