/* Every bound of the engine, and how the bounds relate. Options (options.c) take their default and
 * their allowed range from here; PROTOCOL.md repeats the ones a client can notice. */
#ifndef L0_ENGINE_LIMITS_H
#define L0_ENGINE_LIMITS_H

#include "lexer/lexer.h"
#include "proto/wire.h"

#include <assert.h>
#include <stdint.h>

#define LIMIT_KIB UINT64_C(1024)
#define LIMIT_MIB (UINT64_C(1024) * LIMIT_KIB)

/* Shards: the owner in a connection's word has 8 bits, and every pair of shards has a mailbox. */
#define LIMIT_SHARDS_MAX 64

/* Documents. */
#define LIMIT_REQ_BYTES_DEFAULT (4 * LIMIT_MIB)
#define LIMIT_REQ_BYTES_MAX     ((uint64_t)WIRE_REQ_BYTES_MAX)

/* Connections over all shards; a slot number has 24 bits in user_data. */
#define LIMIT_CONNS_DEFAULT 4096
#define LIMIT_CONNS_MAX     65536

/* Requests in hand on one shard: first byte seen, not yet answered. */
#define LIMIT_INFLIGHT_DEFAULT 1024
#define LIMIT_INFLIGHT_MAX     65536

/* Arena: each shard has two; a block is a run of granules. */
#define LIMIT_GRANULE_BYTES     (8 * LIMIT_KIB)
#define LIMIT_ARENA_MIB_DEFAULT 32
#define LIMIT_ARENA_MIB_MAX     4096

/* The part of an arena that only blocks of one granule lie in: a quarter; what is left holds the
 * largest document, since an arena holds two. */
#define LIMIT_SMALL_GRANULES(arena_mib)                                                            \
    ((uint32_t)((arena_mib)*LIMIT_MIB / LIMIT_GRANULE_BYTES / 4))

/* One turn of one connection receives and lexes at most this much, so that a 4 KB request never
 * waits for a 4 MB one. */
#define LIMIT_SLICE_KIB_DEFAULT 64
#define LIMIT_SLICE_KIB_MIN     4
#define LIMIT_SLICE_KIB_MAX     4096

/* The first receive into a block goes this far behind its page's beginning: the kernel copies from
 * a page-aligned buffer, and a copy between addresses that agree in their low 12 bits takes 1 us
 * longer for 4 KB (measured on Zen 4: 5.9 against 4.9 us for the receive). */
#define LIMIT_HEADROOM_BYTES 64

/* A block grows at most to this multiple of the bytes it has received: a declared length alone
 * never takes memory. */
#define LIMIT_GROWTH 8

/* Deadlines in ms. */
#define LIMIT_MS_MAX            UINT64_C(86400000)
#define LIMIT_BACKPRESSURE_MS   30000
#define LIMIT_FRAME_MS          10000
#define LIMIT_IDLE_MS           300000
#define LIMIT_REPLY_MS          10000
#define LIMIT_DRAIN_MS          5000
/* After an error reply the rest of the input is discarded for this long before the close, so that
 * the reply is not destroyed by a reset. */
#define LIMIT_LINGER_MS         500
/* While draining, an idle connection stays open this long for a request that is on its way. */
#define LIMIT_DRAIN_GRACE_MS    100
/* accept(2) is tried again this long after EMFILE: at most 5 failures a second. */
#define LIMIT_ACCEPT_BACKOFF_MS 200
#define LIMIT_LISTEN_BACKLOG    1024

/* The tail keeps the slowest requests. The gate needs 101 rows of 100 000 requests (P99.9). */
#define LIMIT_TAIL_K_DEFAULT 128
#define LIMIT_TAIL_K_MAX     65536

/* Ranges of the options that have no other bound. */
#define LIMIT_SPIN_US_MAX         UINT64_C(1000000)
#define LIMIT_ROTATE_MIB_MAX      (UINT64_C(1) << 24)
#define LIMIT_ROTATE_REQUESTS_MAX UINT64_C(1000000000000)
#define LIMIT_RSS_BUDGET_MIB_MAX  (UINT64_C(1) << 24)
#define LIMIT_FAULT_MS_MAX        UINT64_C(60000)

/* The admin server: connections at a time, memory MHD may use for each (the longest request line
 * and headers), and how long a connection may live in all, so that neither slow headers nor a slow
 * reader hold one. */
#define LIMIT_ADMIN_CONNS      16
#define LIMIT_ADMIN_CONN_BYTES (16 * LIMIT_KIB)
#define LIMIT_ADMIN_CONN_MS    5000

/* Hedging. A shorter delay than the minimum would fire on what is no stall; the automatic delay
 * needs a window of history. Few duplicates can be under way at once: each is a request in hand. */
#define LIMIT_HEDGE_MS_DEFAULT     10
#define LIMIT_HEDGE_US_MIN         UINT64_C(500)
#define LIMIT_HEDGE_MS_MAX         UINT64_C(60000)
#define LIMIT_HEDGE_AUTO_MIN_US    LIMIT_HEDGE_US_MIN
#define LIMIT_HEDGE_AUTO_MAX_MS    UINT64_C(100)
/* A fixed delay runs from the request's first byte, since its client waits from there; but this
 * part of it must have passed since the last one. A request that only took long to arrive is not
 * hedged for the first short pause. (Under overload all have waited so long: then the budget
 * bounds.) */
#define LIMIT_HEDGE_WHOLE_DIVISOR  4
#define LIMIT_HEDGE_HISTORY        2048
#define LIMIT_HEDGE_DUPLICATES     32
/* Where at least this much was lexed while the rest arrived, a duplicate goes on from there: worth
 * the copy of the lexer, some 5 KB. */
#define LIMIT_MARK_BYTES           (32 * LIMIT_KIB)
/* Duplicates begin no slice after this long in one turn: more than others get, since they are late
 * already. */
#define LIMIT_HEDGE_TURN_US        UINT64_C(1500)
/* Of n requests at most max(burst, share * n) are duplicated; after a quiet time at most what a
 * window of requests has earned. */
#define LIMIT_HEDGE_BUDGET_PERCENT 2
#define LIMIT_HEDGE_BURST          8
#define LIMIT_HEDGE_WINDOW         10000
/* How often a sibling is looked at while it works: a tenth of the delay, within these. */
#define LIMIT_WATCH_MIN_US         UINT64_C(250)
#define LIMIT_WATCH_MAX_US         UINT64_C(1000)
/* A shard that has rested for so long is not looked at any more until something comes in. */
#define LIMIT_WATCH_REST_MS        UINT64_C(100)
/* Who has stood still for so long gets no new connections for now. */
#define LIMIT_WATCH_STILL_MS       UINT64_C(10)

/* A log line every so many requests. */
#define LIMIT_LOG_EVERY 10000

/* Ring: submissions of one turn and completions in flight. Each connection has at most one poll and
 * one cancellation under way. */
#define LIMIT_SQ_ENTRIES  256
#define LIMIT_TURN_EVENTS 256
#define LIMIT_TURN_STEPS  64
/* A turn of the loop begins no step after this long: steps of 64 KB would take 6 ms otherwise. */
#define LIMIT_TURN_US     UINT64_C(300)

static_assert(LIMIT_REQ_BYTES_MAX <= LEXER_INPUT_BYTES_MAX, "every document fits the lexer");
static_assert(LIMIT_REQ_BYTES_DEFAULT <= LIMIT_REQ_BYTES_MAX, "default within range");
static_assert(LIMIT_CONNS_MAX < (1 << 24), "slots fit user_data");
static_assert(LIMIT_SHARDS_MAX < 255, "owner fits 8 bits and leaves one for nobody");
static_assert(LIMIT_ACCEPT_BACKOFF_MS >= 100, "at most 10 EMFILE completions a second");
static_assert(LIMIT_LINGER_MS < 1000, "a broken stream is closed within a second");
static_assert(LIMIT_ARENA_MIB_DEFAULT * LIMIT_MIB >= 2 * LIMIT_REQ_BYTES_DEFAULT,
              "one request of the largest size fits the default arena while another grows");

#endif
