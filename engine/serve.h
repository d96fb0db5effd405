/* What a connection does in its turn: receive -> lex -> reply, each bounded by one slice; and what
 * happens when it cannot go on.
 *
 * The same code serves connections that are at home here and those of a sibling that stands still,
 * the guests. A guest has no deadlines, no polls and no waiting lines here: whenever it cannot go
 * on at once, it is returned to its home (serve_released). */
#ifndef L0_ENGINE_SERVE_H
#define L0_ENGINE_SERVE_H

#include "engine/conn.h"
#include "engine/op.h"

#include <stdbool.h>

struct shard;

/* ---- serve.c: turns -------------------------------------------------------------------------- */

/* One turn of a connection from the ready queue. */
void serve_turn(struct shard *shard, struct conn *conn);

/* A sibling that stands still has the connection in AHEAD: takes it. */
void serve_take(struct shard *shard, struct conn *conn, const struct shard *from);

/* At most one slice of a request in PROC. 0, or negative errno of the lexer (or injected). */
int serve_lex_slice(struct shard *shard, struct request *request, const uint8_t *body);

/* In REPLY, the request as the lexer left it: formats and sends. WIRE_OK or WIRE_INTERNAL. */
void serve_answer(struct shard *shard, struct conn *conn, enum wire_status status);

/* In REPLY, formatted: sends, and finishes. */
void serve_send(struct shard *shard, struct conn *conn);

/* In REPLY, the reply is out whole: counts it, once. */
void serve_count_reply(struct shard *shard, struct conn *conn);

/* In RECV: an error reply, then the end of the connection. Home only. */
void serve_reject(struct shard *shard, struct conn *conn, enum wire_status status);

/* The word has been made IDLE. more: there may be something to do at once. */
void serve_released(struct shard *shard, struct conn *conn, bool more);

/* The word is the home's, or IDLE: the home is to look at it. */
void serve_return(struct shard *shard, struct conn *conn);

/* ---- serve_life.c: from adoption to close; the home's part ----------------------------------- */

/* A new connection whose home is this shard; its place in shard.load is taken already. Owns fd. */
void serve_adopt(struct shard *shard, int fd);

/* A completion of one of its operations (OP_CONN_*). */
void serve_event(struct shard *shard, struct conn *conn, const struct op *op,
                 const struct ring_event *event);

/* A sibling has returned it. */
void serve_returned(struct shard *shard, struct conn *conn);

/* Between frames, or draining: it is closed some time later. */
void serve_set_idle(struct shard *shard, struct conn *conn);

/* Waits in line for memory or for a request's place; yields. */
void serve_wait(struct shard *shard, struct conn *conn, enum deadline_kind kind);
/* The connection goes on. Where it had waited, what came free may be enough for the next one too.
 */
void serve_wait_over(struct shard *shard, struct conn *conn);
/* Memory or a place came free in a way that no reply shows: the first waiter tries again. */
void serve_wake_waiter(struct shard *shard);

/* Its deadline has passed. */
void serve_expire(struct shard *shard, struct conn *conn);

/* A request that is open, or answered with a reply not yet taken, is lost with its peer. A guest is
 * returned to its home, which closes it. */
void serve_close(struct shard *shard, struct conn *conn);
/* In CLOSING: frees the slot, if nothing is outstanding any more. */
void serve_finish_close(struct shard *shard, struct conn *conn);

/* The shard begins to drain: idle connections get a grace period. */
void serve_drain(struct shard *shard, struct conn *conn);

/* The drain limit has passed: says so to who still waits, and closes. */
void serve_force_close(struct shard *shard, struct conn *conn);

#endif
