/* From the socket into the input block, and from bytes to frames. */
#ifndef L0_ENGINE_RECEIVE_H
#define L0_ENGINE_RECEIVE_H

#include "engine/conn.h"

#include <stdint.h>

struct shard;

enum receive_result {
    RECEIVE_FRAME,        /* a whole frame is here */
    RECEIVE_PARTIAL,      /* the frame is not complete, or there is none; in.more: go on at once */
    RECEIVE_WAIT_PLACE,   /* too many requests in hand */
    RECEIVE_WAIT_GRANULE, /* no memory to receive into */
    RECEIVE_WAIT_GROW,    /* no room for all of the frame */
    RECEIVE_CLOSED,       /* the peer sends no more */
    RECEIVE_RESET,        /* the connection broke */
    RECEIVE_BAD_LENGTH,   /* the frame's length is 0 */
    RECEIVE_TOO_LARGE,    /* the frame is longer than max-req-bytes */
    RECEIVE_REFUSED,      /* a new frame begins while the shard drains */
};

/* In RECV, in this shard's memory: at most one recv(2) of at most one slice. Opens the request at
 * its first byte. */
enum receive_result receive_step(struct shard *shard, struct conn *conn);

/* The stream's end, or a frame that is refused: what a guest must leave to its home. */
bool receive_is_for_home(enum receive_result result);

/* In RECV: is there anything that a receive_step would bring further? (Not the end of the stream.)
 */
bool receive_is_due(const struct conn *conn);

/* Size of the block that holds all of the frame (or its header) at its beginning. */
uint64_t receive_need_bytes(const struct conn *conn);

/* The body of the frame in work, and how many of its bytes are here. */
static inline const uint8_t *receive_body(const struct conn *c)
{
    return c->in.block.data + c->in.off + WIRE_HEADER_BYTES;
}

static inline uint32_t receive_body_have(const struct conn *c)
{
    uint32_t have = c->in.have - c->in.off - WIRE_HEADER_BYTES;
    return have < c->request->body_bytes ? have : c->request->body_bytes;
}

#endif
