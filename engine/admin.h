/* The admin HTTP server (libmicrohttpd, its own thread): reads snapshots, never waits for a shard.
 *   GET or HEAD /metrics /healthz /readyz /tail.csv, POST /tail/reset; anything else 404 or 405.
 * One request a connection; a connection is cut LIMIT_ADMIN_CONN_MS after it was accepted, whatever
 * it is doing. Paths are compared as sent, never decoded, logged or used as labels. */
#ifndef L0_ENGINE_ADMIN_H
#define L0_ENGINE_ADMIN_H

#include "engine/metrics.h"
#include "engine/tail.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What the admin thread may look at; all of it outlives the server. */
struct admin_view {
    const struct metrics_shard *const *metrics;
    struct tail *const *tails;
    uint32_t n_shards;
    uint32_t tail_k;
    const char *tail_csv; /* GET /tail.csv writes this file too; NULL or "" : it does not */
    struct metrics_build build;
    const _Atomic bool *ready; /* set by main: false while starting and while draining */
};

struct admin;

/* address: "127.0.0.1:9109" or "[::1]:9109"; port 0 picks one (admin_port tells). A non-loopback
 * address needs allow_remote. 0, or negative errno after one line on stderr: -EACCES not loopback,
 * -EINVAL bad address, -EADDRINUSE and so on. */
int admin_start(struct admin **admin, const char *address, bool allow_remote,
                const struct admin_view *view);
uint16_t admin_port(const struct admin *admin);

/* Joins the thread and closes every connection. NULL is allowed. */
void admin_stop(struct admin *admin);

#endif
