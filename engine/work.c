#include "engine/work.h"

#include "engine/limits.h"
#include "engine/receive.h"
#include "engine/serve.h"
#include "engine/shard.h"

#include <assert.h>
#include <string.h>

/* Lies at the beginning of a block that is on its way back without a request: in the headroom,
 * where no input is. */
struct work_block_head {
    struct returned returned;
    struct arena_block block;
};

static_assert(sizeof(struct work_block_head) <= LIMIT_HEADROOM_BYTES, "no input is overwritten");

static struct shard *work_keeper(const struct shard *s, uint8_t keeper)
{
    return &s->set->shards[keeper];
}

/* ---- giving back --------------------------------------------------------------------------- */

static void work_give_block(struct shard *s, struct arena_block block, uint8_t keeper)
{
    if (keeper == s->index) {
        arena_free(&s->arenas, &block);
        return;
    }
    struct work_block_head *head = (struct work_block_head *)(void *)block.data;
    *head = (struct work_block_head){.returned.kind = RETURNED_BLOCK, .block = block};
    shard_return(work_keeper(s, keeper), &head->returned);
}

/* With its block, if it holds one. */
static void work_give_request(struct shard *s, struct request *r)
{
    assert(r != NULL);
    if (r->keeper == s->index) {
        arena_free(&s->arenas, &r->block);
        request_close(&s->requests, r);
        return;
    }
    r->returned.kind = RETURNED_REQUEST;
    shard_return(work_keeper(s, r->keeper), &r->returned);
}

void work_drop(struct shard *s, struct request *r)
{
    if (request_drop(r)) {
        work_give_request(s, r);
        serve_wake_waiter(s);
    }
}

void work_free_input(struct shard *s, struct conn *c)
{
    board_hold(&s->board, c->slot, false);
    if (c->in.block.data != NULL)
        work_give_block(s, c->in.block, c->keeper);
    c->in.block = (struct arena_block){0};
    c->in.off = c->in.have = 0;
}

void work_close_request(struct shard *s, struct conn *c)
{
    struct request *r = c->request;
    c->request = NULL;
    if (r == NULL)
        return;
    r->block = (struct arena_block){0};
    work_give_request(s, r);
}

void work_take_back(struct shard *s)
{
    struct returned *next;
    bool memory = false;
    for (struct returned *item = returns_take(&s->returns); item != NULL; item = next) {
        next = item->next; /* before it is used again */
        struct work_block_head *head;
        switch (item->kind) {
        case RETURNED_CONN:
            serve_returned(s, (struct conn *)((char *)item - offsetof(struct conn, returned)));
            break;
        case RETURNED_REQUEST:
            work_give_request(s, request_of_returned(item));
            memory = true;
            break;
        case RETURNED_BLOCK:
            head = (struct work_block_head *)((char *)item -
                                              offsetof(struct work_block_head, returned));
            work_give_block(s, head->block, (uint8_t)s->index);
            memory = true;
            break;
        }
    }
    if (memory)
        serve_wake_waiter(s);
}

/* ---- moving in ----------------------------------------------------------------------------- */

static struct request *work_open_like(struct shard *s, const struct request *from, bool from_ahead)
{
    struct request *r = request_open(&s->requests, from->bracket.t_in_start);
    if (r == NULL)
        return NULL;
    if (!from_ahead) {
        request_resume(r, from);
        return r;
    }
    r->moved = true;
    if (from->body_bytes > 0)
        request_begin(r, from->body_bytes, &s->set->lexer_options);
    return r;
}

/* Copies the received bytes; false: no memory. */
static bool work_copy_input(struct shard *s, const struct conn *c, struct arena_block *block)
{
    const struct conn_input *in = &c->in;
    uint32_t bytes = in->have - in->off;
    uint64_t min_bytes = LIMIT_HEADROOM_BYTES + (uint64_t)bytes;
    uint64_t room_bytes = receive_need_bytes(c);
    if (!arena_alloc_room(&s->arenas, min_bytes, room_bytes > min_bytes ? room_bytes : min_bytes,
                          block))
        return false;
    memcpy(block->data + LIMIT_HEADROOM_BYTES, in->block.data + in->off, bytes);
    return true;
}

bool work_move_in(struct shard *s, struct conn *c)
{
    bool from_ahead = c->taken_ahead && !request_is_ours(c->request);
    if (c->in.block.data == NULL || c->keeper == s->index) {
        assert(!from_ahead && (c->in.block.data != NULL || c->request == NULL));
        c->taken_ahead = false;
        return true;
    }
    struct arena_block block;
    struct request *old = c->request;
    struct request *r = NULL;
    if (old != NULL && (r = work_open_like(s, old, from_ahead)) == NULL)
        return false;
    if (!work_copy_input(s, c, &block)) {
        if (r != NULL)
            request_close(&s->requests, r);
        return false;
    }
    struct arena_block old_block = c->in.block;
    c->in.have = c->in.have - c->in.off + LIMIT_HEADROOM_BYTES;
    c->in.off = LIMIT_HEADROOM_BYTES;
    c->in.block = block;
    c->request = r;
    c->taken_ahead = false;
    uint8_t old_keeper = c->keeper;
    c->keeper = (uint8_t)s->index;
    board_hold(&s->board, c->slot, true);
    if (from_ahead) {
        work_drop(s, old); /* who it was taken from has noted the block before it drops its hold */
    } else if (old != NULL) {
        old->block = old_block;
        work_give_request(s, old);
    } else {
        work_give_block(s, old_block, old_keeper);
    }
    return true;
}

/* ---- leaving a frame ----------------------------------------------------------------------- */

bool work_carry_room(struct shard *s, const struct request *lent, struct arena_block *room)
{
    *room = (struct arena_block){0};
    return lent->behind_bytes == 0 ||
           arena_alloc(&s->arenas, LIMIT_HEADROOM_BYTES + (uint64_t)lent->behind_bytes, room);
}

void work_carry(struct shard *s, struct conn *c, const struct request *lent,
                struct arena_block room)
{
    c->in.block = room;
    c->in.off = c->in.have = 0;
    c->keeper = (uint8_t)s->index;
    board_hold(&s->board, c->slot, room.data != NULL);
    if (room.data == NULL)
        return; /* there is nothing behind it */
    c->in.off = LIMIT_HEADROOM_BYTES;
    c->in.have = LIMIT_HEADROOM_BYTES + lent->behind_bytes;
    memcpy(room.data + c->in.off, lent->body + lent->body_bytes, lent->behind_bytes);
}

/* A hedger came, so it may still read the block; a duplicate's own request has none. */
static bool work_is_lent(const struct request *r)
{
    return !r->duplicate && r->bracket.t_hedge_fire != 0;
}

bool work_leave_frame(struct shard *s, struct conn *c)
{
    struct request *r = c->request;
    if (work_is_lent(r)) {
        struct arena_block room;
        if (!work_carry_room(s, r, &room))
            return false;
        work_carry(s, c, r, room);
        c->request = NULL;
        work_drop(s, r);
        return true;
    }
    if (!r->duplicate)
        c->in.off += WIRE_HEADER_BYTES + r->body_bytes;
    work_close_request(s, c);
    return true;
}

void work_abandon_frame(struct shard *s, struct conn *c)
{
    struct request *r = c->request;
    if (r != NULL && (work_is_lent(r) || c->taken_ahead)) {
        c->taken_ahead = false;
        c->request = NULL;
        c->in.block = (struct arena_block){0};
        work_drop(s, r);
    }
    work_close_request(s, c);
    work_free_input(s, c);
}
