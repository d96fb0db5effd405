#include "engine/receive.h"

#include "engine/clock.h"
#include "engine/limits.h"
#include "engine/shard.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Looks at the received bytes only. RECEIVE_EMPTY: they do not make a frame yet. */
static enum receive_result receive_parse(struct shard *s, struct conn *c)
{
    const struct conn_input *in = &c->in;
    uint32_t avail = in->have - in->off;
    if (avail == 0)
        return RECEIVE_EMPTY;
    if (c->request == NULL) {
        c->request = request_open(&s->requests, in->seen_ns);
        if (c->request == NULL)
            return RECEIVE_WAIT;
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

/* Makes [have, cap) non-empty and, in the end, large enough for the frame. The block grows with the
 * bytes that have come, never with the length that was declared. */
static bool receive_make_room(struct shard *s, struct conn *c)
{
    struct conn_input *in = &c->in;
    if (in->block.data == NULL) {
        in->off = in->have = LIMIT_HEADROOM_BYTES;
        return arena_alloc(&s->arenas, LIMIT_GRANULE_BYTES, &in->block);
    }
    uint32_t body_bytes = c->request != NULL ? c->request->body_bytes : 0;
    uint64_t need_bytes = LIMIT_HEADROOM_BYTES + WIRE_HEADER_BYTES + (uint64_t)body_bytes;
    uint32_t cap_bytes = in->block.cap_bytes;
    uint32_t surplus = in->off - LIMIT_HEADROOM_BYTES; /* answered frames before this one */
    if (surplus > 0 && surplus + need_bytes > cap_bytes) {
        uint8_t *first = in->block.data + LIMIT_HEADROOM_BYTES;
        memmove(first, first + surplus, in->have - in->off);
        in->have -= surplus;
        in->off -= surplus;
    }
    if (in->have < cap_bytes)
        return true;
    assert(in->off == LIMIT_HEADROOM_BYTES && need_bytes > cap_bytes);
    uint64_t most = (uint64_t)cap_bytes * LIMIT_GROWTH;
    uint64_t least = cap_bytes + LIMIT_GRANULE_BYTES;
    uint64_t next = need_bytes < most ? need_bytes : most;
    return arena_grow(&s->arenas, &in->block, next, need_bytes, in->have) ||
           arena_grow(&s->arenas, &in->block, least, least, in->have);
}

enum receive_result receive_step(struct shard *s, struct conn *c)
{
    struct conn_input *in = &c->in;
    enum receive_result parsed = receive_parse(s, c);
    if (parsed != RECEIVE_EMPTY)
        return parsed;
    bool between_frames = c->request == NULL;
    if (!receive_make_room(s, c))
        return RECEIVE_WAIT;

    uint32_t room = in->block.cap_bytes - in->have;
    uint32_t ask = room < s->options->slice_bytes ? room : s->options->slice_bytes;
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
