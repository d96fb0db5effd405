#include "engine/reply.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

void reply_format(struct conn *c, const struct wire_reply *reply)
{
    assert(conn_state(c) == CONN_REPLY);
    wire_encode_reply(c->out, reply);
    c->out_sent = 0;
    c->out_counted = false;
    c->out_status = reply->status;
}

enum reply_result reply_send(struct conn *c)
{
    assert(conn_state(c) == CONN_REPLY);
    while (c->out_sent < WIRE_REPLY_BYTES) {
        ssize_t n = send(c->fd, c->out + c->out_sent, WIRE_REPLY_BYTES - (size_t)c->out_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? REPLY_BLOCKED : REPLY_GONE;
        c->out_sent = (uint8_t)(c->out_sent + n);
    }
    return REPLY_SENT;
}
