/* Listening sockets, and which shard gets a new connection: the one with the fewest. */
#ifndef L0_ENGINE_LISTENER_H
#define L0_ENGINE_LISTENER_H

#include "engine/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LISTENER_MAX = 2 }; /* Unix and TCP */

struct shard;

struct listener {
    int fd;
    bool tcp;
    bool pending;         /* the backlog may hold more: go on without waiting */
    uint64_t retry_at_ns; /* after EMFILE and its like: not before; 0 none */
};

/* Binds and listens. A stale socket (a connect probe is refused) is replaced; anything else at path
 * is left alone. The socket has the mode from birth, whatever the umask.
 * A descriptor, or negative errno: -EADDRINUSE a live server answers there, -EEXIST not a socket,
 * -ENAMETOOLONG; *why gets a constant sentence for the message. */
int listener_open_unix(const char *path, uint32_t mode, const char **why);

/* address: "ADDR:PORT" or "[ADDR]:PORT", numeric. SO_REUSEPORT, so that every shard opens its own.
 * exclusive: refuses an address at which any other socket listens, even with SO_REUSEPORT (a second
 * daemon would otherwise silently share our clients); for a process's first socket.
 * A descriptor or negative errno. */
int listener_open_tcp(const char *address, bool exclusive, const char **why);

/* "ADDR:PORT" as bound. */
void listener_name_tcp(int fd, char *text, size_t text_bytes);

/* The shard's own thread: polls every listener (multishot). */
void listeners_arm(struct shard *shard);
/* A poll completed. */
void listener_event(struct shard *shard, uint32_t index, const struct ring_event *event);
/* Accepts what waits on listeners that are pending or whose back-off has passed. */
void listeners_run(struct shard *shard);
/* Accepts from the listener of a sibling that stands still. */
void listener_help(struct shard *shard, const struct listener *other);
/* Adopts the connections that are on their way to a shard that stands still, as far as there are
 * places here. */
void listener_relieve(struct shard *shard, struct shard *other);
/* When listeners_run must be called again without an event; UINT64_MAX never, 0 at once. */
uint64_t listeners_next_ns(const struct shard *shard);
/* Draining: takes what already waits in the backlog, then accepts no more. */
void listeners_sweep(struct shard *shard);

#endif
