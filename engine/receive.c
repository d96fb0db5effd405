#include "engine/receive.h"

#include "engine/clock.h"
#include "engine/limits.h"
#include "engine/shard.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Of the block, for all of the frame (or its header) at its beginning. */
static uint64_t receive_need_bytes(const struct conn *c)
{
    uint32_t body_bytes = c->request != NULL ? c->request->body_bytes : 0;
    return LIMIT_HEADROOM_BYTES + WIRE_HEADER_BYTES + (uint64_t)body_bytes;
}

/* Others came first and still wait for the same. */
static bool receive_must_queue(const struct shard *s, const struct conn *c, enum deadline_kind kind)
{
    return c->wait_at_ns == 0 && deadline_first(&s->deadlines, kind) != NULL;
}

/* Looks at the received bytes only. RECEIVE_EMPTY: they do not make a frame yet. */
static enum receive_result receive_parse(struct shard *s, struct conn *c)
{
    const struct conn_input *in = &c->in;
    uint32_t avail = in->have - in->off;
    if (avail == 0)
        return RECEIVE_EMPTY;
    if (c->request == NULL) {
        if (!receive_must_queue(s, c, DEADLINE_WAIT_PLACE))
            c->request = request_open(&s->requests, in->seen_ns);
        if (c->request == NULL)
            return RECEIVE_WAIT_PLACE;
        c->accepted = true;
        metric_add(&s->metrics.requests_accepted, 1);
    }
    struct request *r = c->request;
    if (r->body_bytes == 0) {
        if (avail < WIRE_HEADER_BYTES)
            return RECEIVE_EMPTY;
        uint32_t body_bytes = wire_get_u32(in->block.data + in->off);
        if (body_bytes == 0)
            return RECEIVE_BAD_LENGTH;
        if (body_bytes > s->options->max_req_bytes)
            return RECEIVE_TOO_LARGE;
        request_begin(r, body_bytes, &s->set->lexer_options);
    }
    if (avail - WIRE_HEADER_BYTES < r->body_bytes)
        return RECEIVE_EMPTY;
    r->bracket.t_in_done = in->recv_ns;
    return RECEIVE_FRAME;
}

/* There is no memory to receive into: is it worth waiting for, or is there nothing to receive? */
static enum receive_result receive_look(struct conn *c)
{
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0)
        return RECEIVE_WAIT_GRANULE;
    if (n == 0)
        return RECEIVE_CLOSED;
    c->readable = c->peer_done;
    return errno == EAGAIN ? RECEIVE_EMPTY : RECEIVE_RESET;
}

/* Makes [have, cap) non-empty. The block grows with the bytes that have come, never with the length
 * that was declared; but before it first grows, the room for all of the frame is promised to it.
 * RECEIVE_MORE: there is room. */
static enum receive_result receive_make_room(struct shard *s, struct conn *c)
{
    struct conn_input *in = &c->in;
    if (in->block.data == NULL) {
        in->off = in->have = LIMIT_HEADROOM_BYTES;
        bool got = !receive_must_queue(s, c, DEADLINE_WAIT_GRANULE) &&
                   arena_alloc(&s->arenas, LIMIT_GRANULE_BYTES, &in->block);
        return got ? RECEIVE_MORE : receive_look(c);
    }
    uint64_t need_bytes = receive_need_bytes(c);
    uint32_t cap_bytes = in->block.cap_bytes;
    uint32_t surplus = in->off - LIMIT_HEADROOM_BYTES; /* answered frames before this one */
    if (surplus > 0 && surplus + need_bytes > cap_bytes) {
        uint8_t *first = in->block.data + LIMIT_HEADROOM_BYTES;
        memmove(first, first + surplus, in->have - in->off);
        in->have -= surplus;
        in->off -= surplus;
    }
    if (in->have < cap_bytes)
        return RECEIVE_MORE;
    assert(in->off == LIMIT_HEADROOM_BYTES && need_bytes > cap_bytes);
    if (cap_bytes == LIMIT_GRANULE_BYTES && receive_must_queue(s, c, DEADLINE_WAIT_GROW))
        return RECEIVE_WAIT_GROW;
    uint64_t most = (uint64_t)cap_bytes * LIMIT_GROWTH;
    bool got = arena_grow(&s->arenas, &in->block, need_bytes < most ? need_bytes : most, need_bytes,
                          in->have);
    return got ? RECEIVE_MORE : RECEIVE_WAIT_GROW;
}

/* A grown block receives its own frame only: it is given back whole, with nothing behind it. */
static uint32_t receive_ask_bytes(const struct shard *s, const struct conn *c)
{
    const struct conn_input *in = &c->in;
    uint64_t ask = in->block.cap_bytes - in->have;
    if (in->block.cap_bytes > LIMIT_GRANULE_BYTES && ask > receive_need_bytes(c) - in->have)
        ask = receive_need_bytes(c) - in->have;
    return ask < s->options->slice_bytes ? (uint32_t)ask : s->options->slice_bytes;
}

enum receive_result receive_step(struct shard *s, struct conn *c)
{
    struct conn_input *in = &c->in;
    enum receive_result parsed = receive_parse(s, c);
    if (parsed != RECEIVE_EMPTY)
        return parsed;
    bool between_frames = c->request == NULL;
    enum receive_result room = receive_make_room(s, c);
    if (room != RECEIVE_MORE)
        return room;
    uint32_t ask = receive_ask_bytes(s, c);
    uint64_t before_ns = c->wait_since_ns != 0 ? c->wait_since_ns : clock_now_ns();
    ssize_t got;
    do
        got = recv(c->fd, in->block.data + in->have, ask, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    c->readable = got == (ssize_t)ask || c->peer_done; /* else a short receive has emptied it */
    if (got == 0)
        return RECEIVE_CLOSED;
    if (got < 0)
        return errno == EAGAIN ? RECEIVE_EMPTY : RECEIVE_RESET;
    in->seen_ns = before_ns;
    in->recv_ns = clock_now_ns();
    in->have += (uint32_t)got;
    metric_add(&s->metrics.bytes_received, (uint64_t)got);
    if (between_frames && s->draining)
        return RECEIVE_REFUSED;
    parsed = receive_parse(s, c);
    if (parsed != RECEIVE_EMPTY)
        return parsed;
    return c->readable ? RECEIVE_MORE : RECEIVE_EMPTY;
}
