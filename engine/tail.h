/* The slowest K requests of one shard: written by the shard, read by anyone at any time.
 *
 * One writer, never waiting: each of the K slots is a sequence lock of its own, whose data words
 * are atomics (release stores between an odd and an even count; no fences, which TSan does not
 * understand). A reader retries one slot while it is being written, so that it cannot starve; what
 * it collects holds every row that stayed among the slowest throughout, and no row twice. The
 * writer's heap of slots has the fastest kept row as its root, so the common case costs one
 * compare. */
#ifndef L0_ENGINE_TAIL_H
#define L0_ENGINE_TAIL_H

#include "engine/bracket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tail_row {
    struct bracket bracket;
    uint8_t hedged; /* 0 or 1 */
    char origin;    /* 'P' or 'H' */
};

struct tail; /* opaque */

/* k rows of room, from calloc. NULL when memory is short. */
struct tail *tail_new(uint32_t k);
void tail_free(struct tail *tail);

/* Shard only. Keeps the row if it is among the k slowest since the last reset. */
void tail_add(struct tail *tail, const struct tail_row *row);

/* Any thread: once it returns, no reader sees a row that was added before it was called (a row
 * added meanwhile may be lost). The shard drops its rows before it adds the next one. */
void tail_reset(struct tail *tail);

/* Any thread: merges n_tails, slowest first (equally slow ones: earliest first), at most k rows in
 * all; writes the CSV with its header line to a temporary file of its own beside path, mode 0644,
 * then renames it. 0, or negative errno with the temporary file removed and path as it was.
 *
 * Columns: ms_total (six decimals), the bracket's six timestamps in ns, hedged 0 or 1, origin P or
 * H. */
int tail_write_csv(struct tail *const *tails, uint32_t n_tails, uint32_t k, const char *path);

/* The same text into memory (malloc; the caller frees). NULL when memory is short. */
char *tail_format_csv(struct tail *const *tails, uint32_t n_tails, uint32_t k, size_t *bytes);

#endif
