/* What a connection does in its turn: receive -> lex -> reply, each bounded by one slice; and what
 * happens when it cannot go on. */
#ifndef L0_ENGINE_SERVE_H
#define L0_ENGINE_SERVE_H

#include "engine/conn.h"
#include "engine/op.h"

#include <stdbool.h>

struct shard;

/* A new connection whose home is this shard; its place in shard.load is taken already. Owns fd. */
void serve_adopt(struct shard *shard, int fd);

/* One turn of a connection from the ready queue. */
void serve_turn(struct shard *shard, struct conn *conn);

/* A completion of one of its operations (OP_CONN_*). */
void serve_event(struct shard *shard, struct conn *conn, const struct op *op,
                 const struct ring_event *event);

/* Memory or a place came free in a way that no reply shows: the first waiter tries again. */
void serve_wake_waiter(struct shard *shard);

/* Its deadline has passed. */
void serve_expire(struct shard *shard, struct conn *conn);

/* The shard begins to drain: idle connections get a grace period. */
void serve_drain(struct shard *shard, struct conn *conn);

/* The drain limit has passed: says so to who still waits, and closes. */
void serve_force_close(struct shard *shard, struct conn *conn);

#endif
