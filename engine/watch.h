/* Watching a sibling, and serving its connections while it stands still.
 *
 * Each shard has a watch set, an epoll instance with all its connections and listeners
 * (edge-triggered). Its sibling, the watcher, asks that set whether anything waits, or has it tell
 * by a poll on its own ring: once, and not again before it is armed again. So watching costs the
 * same however many connections and requests there are, and nothing where nothing happens.
 *
 * QUIET: the set is armed; no timer.
 *
 * WATCHING: looks at the shard's board, once a period where the watcher has turns anyway, else by a
 * timer of half the delay. If the board has not moved between two looks while the shard is awake,
 * or while it sleeps and something waits for it that still waits a quarter of a period later, it
 * stands still. If it has rested for long, the set is armed; and if that has told nothing by the
 * next look, QUIET.
 *
 * GUARDING: serves what the set tells, what was mailed to it and what the board says is in hand, at
 * once when something comes in and otherwise each period: new connections are adopted, idle ones
 * claimed, those lexed ahead taken, those in PROC hedged when that is due. Ends when the board
 * moves, or the shard sleeps and nothing waits for it.
 *
 * Nothing is missed between armed and QUIET: see board.h. A shard that is slow, not stalled, is
 * seen as moving, because every step of its work shows on the board.
 *
 * Why not a poll of each connection, or a timer for each request: waking the watcher for each
 * request costs more than the request (in a virtual machine 65 us of CPU, and 13 us of latency,
 * where requests come one at a time).
 *
 * With more than two shards the watcher of a shard is not the one it watches; then a second watch,
 * without a set, looks after the connections that are at home here while the sibling has them. */
#ifndef L0_ENGINE_WATCH_H
#define L0_ENGINE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct shard;

enum { WATCH_WARD, WATCH_SIBLING, WATCH_COUNT };

struct watch {
    struct shard *target; /* NULL: none */
    bool armed;           /* the poll of its set is under way */
    bool waits;           /* at the last look, something had come in and it had not moved */
    bool guarding;
    uint64_t since_ns; /* of guarding */
    uint64_t moved_ns; /* when it was last seen to move */
    uint64_t seen;     /* its board's progress at the last look */
    uint64_t look_ns;  /* the next look, by a turn from then on; UINT64_MAX: when the set tells */
    uint64_t wake_ns;  /* by then a turn must come; >= look_ns */
};

/* Creates the shard's watch set. 0 or negative errno. */
int watch_open(struct shard *shard);
void watch_close(struct shard *shard);

/* In the shard's thread, before its loop. */
void watch_start(struct shard *shard);

/* This shard's own descriptors, from birth; they leave the set when they are closed. */
void watch_add_conn(struct shard *shard, const struct conn *conn);
void watch_add_listener(struct shard *shard, uint32_t index, int fd);

/* The poll of watch i's set completed. */
void watch_event(struct shard *shard, uint32_t i);

/* A connection that is at home here is in that shard's hands. */
void watch_alert(struct shard *shard, const struct shard *other);

/* Looks where that is due; and when it must be called again. */
void watch_run(struct shard *shard);
uint64_t watch_wake_ns(const struct shard *shard);

/* Does that shard stand still, as far as this one knows? */
bool watch_guards(const struct shard *shard, const struct shard *other);

#endif
