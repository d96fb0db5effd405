#include "engine/receive.h"

#include "engine/clock.h"
#include "engine/limits.h"
#include "engine/shard.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

uint64_t receive_need_bytes(const struct conn *c)
{
    uint32_t body_bytes = c->request != NULL ? c->request->body_bytes : 0;
    return LIMIT_HEADROOM_BYTES + WIRE_HEADER_BYTES + (uint64_t)body_bytes;
}

static bool receive_is_home(const struct shard *s, const struct conn *c)
{
    return c->home == s->index;
}

/* Others came first and still wait for the same; a guest comes behind all of them. */
static bool receive_must_queue(const struct shard *s, const struct conn *c, enum deadline_kind kind)
{
    bool called = receive_is_home(s, c) && c->wait_at_ns != 0;
    return !called && deadline_first(&s->deadlines, kind) != NULL;
}

/* Looks at the received bytes only. RECEIVE_PARTIAL: they do not make a frame yet. */
static enum receive_result receive_parse(struct shard *s, struct conn *c)
{
    const struct conn_input *in = &c->in;
    uint32_t avail = in->have - in->off;
    if (avail == 0)
        return RECEIVE_PARTIAL;
    if (c->request == NULL) {
        if (!receive_must_queue(s, c, DEADLINE_WAIT_PLACE))
            c->request = request_open(&s->requests, in->seen_ns);
        if (c->request == NULL)
            return RECEIVE_WAIT_PLACE;
        c->keeper = (uint8_t)s->index;
        c->accepted = true;
        metric_add(&s->metrics.requests_accepted, 1);
    }
    struct request *r = c->request;
    if (r->body_bytes == 0) {
        if (avail < WIRE_HEADER_BYTES)
            return RECEIVE_PARTIAL;
        uint32_t body_bytes = wire_get_u32(in->block.data + in->off);
        if (body_bytes == 0)
            return RECEIVE_BAD_LENGTH;
        if (body_bytes > s->options->max_req_bytes)
            return RECEIVE_TOO_LARGE;
        request_begin(r, body_bytes, &s->set->lexer_options);
    }
    if (avail - WIRE_HEADER_BYTES < r->body_bytes)
        return RECEIVE_PARTIAL;
    r->bracket.t_in_done = in->recv_ns;
    return RECEIVE_FRAME;
}

static enum receive_result receive_failed(struct shard *s)
{
    if (errno == EAGAIN)
        return RECEIVE_PARTIAL;
    metric_add(&s->metrics.peer_resets, 1);
    return RECEIVE_RESET;
}

/* There is no memory to receive into: is it worth waiting for, or is there nothing to receive? */
static enum receive_result receive_look(struct shard *s, struct conn *c)
{
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    c->in.more = n > 0;
    if (n > 0)
        return RECEIVE_WAIT_GRANULE;
    if (n == 0)
        return RECEIVE_CLOSED;
    return receive_failed(s);
}

/* Into the granule that every frame begins in. */
static bool receive_first_granule(struct shard *s, struct conn *c)
{
    struct conn_input *in = &c->in;
    if (receive_must_queue(s, c, DEADLINE_WAIT_GRANULE) ||
        !arena_alloc(&s->arenas, LIMIT_GRANULE_BYTES, &in->block))
        return false;
    in->off = in->have = LIMIT_HEADROOM_BYTES;
    c->keeper = (uint8_t)s->index;
    board_hold(&s->board, c->slot, true);
    return true;
}

/* Makes [have, cap) of the block non-empty. It grows with the bytes that have come, never with the
 * length that was declared; but before it first grows, the room for all of the frame is promised to
 * it. false: there is no room now. */
static bool receive_make_room(struct shard *s, struct conn *c)
{
    struct conn_input *in = &c->in;
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
        return true;
    assert(in->off == LIMIT_HEADROOM_BYTES && need_bytes > cap_bytes);
    if (cap_bytes == LIMIT_GRANULE_BYTES && receive_must_queue(s, c, DEADLINE_WAIT_GROW))
        return false;
    uint64_t most = (uint64_t)cap_bytes * LIMIT_GROWTH;
    return arena_grow(&s->arenas, &in->block, need_bytes < most ? need_bytes : most, need_bytes,
                      in->have);
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

/* When the bytes that are about to be received could be seen first. */
static uint64_t receive_seen_ns(const struct shard *s, const struct conn *c)
{
    return receive_is_home(s, c) && c->wait_since_ns != 0 ? c->wait_since_ns : clock_now_ns();
}

enum receive_result receive_step(struct shard *s, struct conn *c)
{
    struct conn_input *in = &c->in;
    enum receive_result parsed = receive_parse(s, c);
    if (parsed != RECEIVE_PARTIAL)
        return parsed;
    bool between_frames = c->request == NULL;
    if (in->block.data == NULL && !receive_first_granule(s, c))
        return receive_look(s, c);
    if (!receive_make_room(s, c))
        return RECEIVE_WAIT_GROW;
    uint32_t ask = receive_ask_bytes(s, c);
    uint64_t before_ns = receive_seen_ns(s, c);
    ssize_t got;
    do
        got = recv(c->fd, in->block.data + in->have, ask, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    in->more = got == (ssize_t)ask; /* else a short receive has emptied it */
    if (got == 0)
        return RECEIVE_CLOSED;
    if (got < 0)
        return receive_failed(s);
    in->seen_ns = before_ns;
    in->recv_ns = clock_now_ns();
    in->have += (uint32_t)got;
    metric_add(&s->metrics.bytes_received, (uint64_t)got);
    if (between_frames && s->draining)
        return RECEIVE_REFUSED;
    return receive_parse(s, c);
}

bool receive_is_for_home(enum receive_result result)
{
    switch (result) {
    case RECEIVE_FRAME:
    case RECEIVE_PARTIAL:
    case RECEIVE_WAIT_PLACE:
    case RECEIVE_WAIT_GRANULE:
    case RECEIVE_WAIT_GROW:
        return false;
    case RECEIVE_CLOSED:
    case RECEIVE_RESET:
    case RECEIVE_BAD_LENGTH:
    case RECEIVE_TOO_LARGE:
    case RECEIVE_REFUSED:
        break;
    }
    return true;
}

/* A whole frame lies in the block. */
static bool receive_is_parsable(const struct conn *c)
{
    uint32_t avail = c->in.have - c->in.off;
    if (c->in.block.data == NULL || avail < WIRE_HEADER_BYTES)
        return false;
    return avail - WIRE_HEADER_BYTES >= wire_get_u32(c->in.block.data + c->in.off);
}

bool receive_is_due(const struct conn *c)
{
    int bytes = 0; /* asked for without a receive, which would take an error off the socket */
    return receive_is_parsable(c) || (ioctl(c->fd, FIONREAD, &bytes) == 0 && bytes > 0);
}
