/* From a result to bytes on the socket. */
#ifndef L0_ENGINE_REPLY_H
#define L0_ENGINE_REPLY_H

#include "engine/conn.h"

#include <stdint.h>

enum reply_result {
    REPLY_SENT,    /* all of it */
    REPLY_BLOCKED, /* the peer's buffer is full: poll for POLLOUT */
    REPLY_GONE,    /* the peer is gone */
};

/* In REPLY: formats the reply into the connection. */
void reply_format(struct conn *conn, const struct wire_reply *reply);

/* In REPLY: sends what is left of it. */
enum reply_result reply_send(struct conn *conn);

#endif
