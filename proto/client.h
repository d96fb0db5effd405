/* libl0: the blocking client. One connection is used by one thread at a time.
 * Errors are negative errno; -EBADMSG means the server broke the protocol, -ENODATA that it closed
 * the connection where a reply was due. */
#ifndef L0_PROTO_CLIENT_H
#define L0_PROTO_CLIENT_H

#include "proto/wire.h"

#include <stdint.h>

/* Connects to "unix:PATH", a path with a '/' in it, "tcp:HOST:PORT" or "HOST:PORT".
 * timeout_ms bounds connect, and later every send and receive (0: none).
 * Returns the descriptor (close-on-exec, blocking), which the caller closes, or negative errno. */
int l0_connect(const char *target, unsigned timeout_ms);

/* Sends one request frame, whole. 0 or negative errno (-EPIPE: the peer is gone; no SIGPIPE). */
int l0_send(int fd, const void *document, uint32_t document_bytes);

/* Receives one reply. 0 or negative errno. */
int l0_recv(int fd, struct wire_reply *reply);

/* l0_send, then l0_recv. When sending fails because the server replied and closed early (an error
 * status such as too_large), that reply is still read and returned. */
int l0_request(int fd, const void *document, uint32_t document_bytes, struct wire_reply *reply);

#endif
