/* Input blocks and requests on their way between the shards of a pair: whose memory they are, how
 * another shard goes on with them, and how they get back to their keeper.
 *
 * Memory is given out and taken back by its keeper's thread only. A shard that claims a connection
 * whose memory is another's moves in: it copies what has been received into memory of its own, goes
 * on from there, and gives the other's back. */
#ifndef L0_ENGINE_WORK_H
#define L0_ENGINE_WORK_H

#include "engine/conn.h"

#include <stdbool.h>

struct shard;

/* In RECV. The memory of the connection is this shard's afterwards; false: there is none to be had
 * now, and all is as it was. Where the one that it was taken from still works (taken_ahead), the
 * lexer begins anew. */
bool work_move_in(struct shard *shard, struct conn *conn);

/* Under the word: gives the input block back to its keeper. */
void work_free_input(struct shard *shard, struct conn *conn);

/* Under the word, and not lent: gives the request back; the block stays the connection's. */
void work_close_request(struct shard *shard, struct conn *conn);

/* In REPLY, the reply is out: what belongs to its frame is left behind. A hedger may still read the
 * block; bytes behind the frame then move into a fresh one. false: there is no memory for that now,
 * and all is as it was (the hedger stops soon and gives the old one back). */
bool work_leave_frame(struct shard *shard, struct conn *conn);

/* The same before the connection is closed: bytes behind the frame are lost with it. */
void work_abandon_frame(struct shard *shard, struct conn *conn);

/* A fresh block for the bytes behind a lent request's frame, if there are any; false: no memory. */
bool work_carry_room(struct shard *shard, const struct request *lent, struct arena_block *room);
/* In REPLY: they are what the connection holds from now on. */
void work_carry(struct shard *shard, struct conn *conn, const struct request *lent,
                struct arena_block room);

/* Drops this shard's hold on a lent request; the last one gives request and block back. */
void work_drop(struct shard *shard, struct request *request);

/* Takes back what others have returned: memory here, connections through serve_returned. */
void work_take_back(struct shard *shard);

#endif
