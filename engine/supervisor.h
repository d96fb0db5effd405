/* What the main thread does while the shards serve: signals, log lines, the tail file, rebuilding
 * arenas, watching memory. Never on the way of a request. */
#ifndef L0_ENGINE_SUPERVISOR_H
#define L0_ENGINE_SUPERVISOR_H

#include "engine/metrics.h"
#include "engine/options.h"
#include "engine/shard.h"
#include "engine/tail.h"

#include <stdint.h>

struct supervisor {
    const struct options *options;
    struct shard_set *set;
    const struct metrics_shard *metrics[LIMIT_SHARDS_MAX];
    struct tail *tails[LIMIT_SHARDS_MAX];
    uint64_t next_log_requests;
    uint64_t next_tail_ns;
    uint64_t next_memory_ns;
};

/* Blocks the signals it will read; in main, before any thread starts. Returns a signalfd or
 * negative errno. */
int supervisor_block_signals(void);

void supervisor_init(struct supervisor *sv, const struct options *options, struct shard_set *set);

/* Works until SIGTERM, SIGINT or SIGHUP. SIGUSR1 writes the tail file, SIGUSR2 writes it and begins
 * anew.
 */
void supervisor_run(struct supervisor *sv, int signal_fd);

/* While the shards drain: the same work, until all threads have ended. A second signal ends the
 * process at once with 128 + its number. */
void supervisor_drain(struct supervisor *sv, int signal_fd);

/* The last words: the tail file and a log line. */
void supervisor_finish(struct supervisor *sv);

#endif
