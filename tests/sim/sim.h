/* One shard and its clients in simulated time: the shard's own loop, unchanged, over a fake ring.
 * To be included by exactly one file of a program, which says by the functions of fake_ring.h what
 * clients and kernel do; they all run in the shard's thread, where nothing else does. */
#ifndef L0_TESTS_SIM_SIM_H
#define L0_TESTS_SIM_SIM_H

#include "engine/serve.h"
#include "engine/shard.h"

#include "tests/sim/fake_ring.h"
#include "tests/sim/frames_client.h"

#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/un.h>

enum {
    SIM_CLIENTS_MAX = 40,
    SIM_CONNS_MAX = 40,
    SIM_CLIENT_FD_MIN = 200,   /* so that a number which the shard closes is what it gets next */
    SIM_SERVER_SEND_BYTES = 1, /* the kernel rounds it up: a few replies fill the buffer */
};

struct sim {
    struct options options;
    struct frames_limits limits;
    struct shard_set set;
    struct shard *shard;
    struct conn *conns;
    int listen_fd;
    struct sockaddr_un address;
    socklen_t address_bytes;
    int small_fd[SIM_CONNS_MAX]; /* whose send buffer has been made small */
    struct frames_client clients[SIM_CLIENTS_MAX];
    uint32_t n_clients;
    uint64_t connects;
    bool memory_failed; /* an allocation was made to fail: somebody may wait for nothing */
};

static struct sim sim;

/* ---- what clients do ------------------------------------------------------------------------ */

/* A frame of n bytes of something like LaTeX. */
static inline void sim_queue_frame(struct frames_client *c, uint32_t n, uint32_t seed)
{
    static const char pattern[] = "a \\b{c}  % d\n\n$x^^41_1$ \xc3\xa9\xff & # ~ \\\t}\r\n";
    uint8_t *frame = malloc(WIRE_HEADER_BYTES + (size_t)n);
    frames_require(frame != NULL, "memory is short");
    wire_put_u32(frame, n);
    for (uint32_t i = 0; i < n; i++)
        frame[WIRE_HEADER_BYTES + i] = (uint8_t)pattern[(i + seed) % (sizeof pattern - 1)];
    frames_client_queue(c, frame, WIRE_HEADER_BYTES + (size_t)n);
    free(frame);
}

static inline void sim_connect(struct frames_client *c)
{
    frames_client_close(c);
    c->burst_bytes = SIZE_MAX;
    c->active_ns = c->taken_ns = fake_clock_ns;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    c->fd = fcntl(fd, F_DUPFD_CLOEXEC, SIM_CLIENT_FD_MIN);
    frames_require(fd >= 0 && close(fd) == 0 && c->fd >= 0, "socket");
    if (connect(c->fd, (struct sockaddr *)&sim.address, sim.address_bytes) != 0) {
        frames_require(sim.limits.draining, "connect");
        frames_client_close(c);
        return;
    }
    /* Those in the backlog count, also when their client has left again. */
    uint64_t places = ++sim.connects - metric_get(&sim.shard->metrics.conns_accepted);
    for (uint32_t i = 0; i < sim.shard->conn_cap; i++)
        places += conn_state(&sim.conns[i]) != CONN_FREE;
    sim.limits.conns_were_up |= places > sim.shard->conn_cap;
}

static inline void sim_drain(void)
{
    sim.limits.draining = true;
    shard_control(sim.shard, SHARD_DRAIN);
}

static inline void sim_make_server_buffers_small(void)
{
    const int bytes = SIM_SERVER_SEND_BYTES;
    for (uint32_t i = 0; i < sim.shard->conn_cap; i++) {
        int fd = sim.conns[i].fd;
        if (fd >= 0 && fd != sim.small_fd[i])
            (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        sim.small_fd[i] = fd;
    }
}

/* Every client sends a burst, and reads what is there unless it is deaf; true: something moved. */
static inline bool sim_exchange(void)
{
    bool moved = false;
    for (uint32_t i = 0; i < sim.n_clients; i++) {
        struct frames_client *c = &sim.clients[i];
        moved |= frames_client_send(c, &sim.limits, fake_clock_ns);
        if (!c->deaf)
            moved |= frames_client_receive(c, &sim.limits, fake_clock_ns);
    }
    return moved;
}

/* ---- when the shard sleeps ------------------------------------------------------------------ */

/* Does the first one of a line, who alone is called, wait for something that others hold? */
static inline bool sim_first_waiter_must_wait(const struct conn *c)
{
    const struct arena *active = &sim.shard->arenas.arenas[sim.shard->arenas.active];
    if (c->deadline.kind == DEADLINE_WAIT_PLACE)
        return sim.shard->requests.in_hand == sim.shard->requests.cap;
    if (c->deadline.kind == DEADLINE_WAIT_GRANULE) {
        uint32_t taken = 0;
        for (uint32_t i = 0; i < active->small_granules; i++)
            taken += (uint32_t)(active->taken[i / 64] >> (i % 64) & 1);
        return taken == active->small_granules;
    }
    for (uint32_t i = 0; i < sim.shard->conn_cap; i++)
        if (&sim.conns[i] != c && sim.conns[i].in.block.room_granules > 1)
            return true;
    return false;
}

/* Nothing is under way: who has no reply is waiting, and not for what is free. */
static inline void sim_expect_all_served(void)
{
    uint32_t waiting_clients = 0;
    uint32_t waiting_conns = 0;
    for (uint32_t i = 0; i < sim.n_clients; i++)
        waiting_clients += frames_client_waits(&sim.clients[i]);
    for (uint32_t i = 0; i < sim.shard->conn_cap; i++)
        waiting_conns += deadline_is_wait(sim.conns[i].deadline.kind);
    frames_require(waiting_clients <= waiting_conns, "it sleeps on a whole frame");
    for (int kind = DEADLINE_WAIT_PLACE; kind <= DEADLINE_WAIT_GROW; kind++) {
        struct deadline *first = deadline_first(&sim.shard->deadlines, (enum deadline_kind)kind);
        frames_require(first == NULL || sim.memory_failed ||
                           sim_first_waiter_must_wait(shard_conn_of(first)),
                       "it waits for what is free");
    }
}

/* ---- set-up and end -------------------------------------------------------------------------- */

static inline void sim_init(uint32_t n_clients)
{
    sim = (struct sim){
        .options = {.max_req_bytes = 4096,
                    .max_conns = 4,
                    .max_inflight = SIM_CONNS_MAX,
                    .arena_mib = 1,
                    .slice_bytes = (uint32_t)(64 * LIMIT_KIB),
                    .backpressure_ns = 150 * CLOCK_NS_PER_MS,
                    .frame_ns = 100 * CLOCK_NS_PER_MS,
                    .idle_ns = 1000 * CLOCK_NS_PER_MS,
                    .reply_ns = 200 * CLOCK_NS_PER_MS,
                    .drain_ns = 500 * CLOCK_NS_PER_MS,
                    .mlock = OPTIONS_MLOCK_OFF,
                    .huge = OPTIONS_HUGE_OFF,
                    .tail_k = 4},
        .n_clients = n_clients,
    };
    fake_clock_ns = 1000 * CLOCK_NS_PER_S;
    for (uint32_t i = 0; i < n_clients; i++)
        sim.clients[i] = (struct frames_client){.fd = -1};
    for (int i = 0; i < SIM_CONNS_MAX; i++)
        sim.small_fd[i] = -1;
}

/* An abstract address, chosen by the kernel: no file. */
static inline void sim_open_listener(void)
{
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    sim.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sim.address_bytes = sizeof sim.address;
    frames_require(
        sim.listen_fd >= 0 &&
            bind(sim.listen_fd, (struct sockaddr *)&any, sizeof any.sun_family) == 0 &&
            listen(sim.listen_fd, 1024) == 0 &&
            getsockname(sim.listen_fd, (struct sockaddr *)&sim.address, &sim.address_bytes) == 0,
        "no listener");
}

static inline void sim_open_shard(void)
{
    sim.set = (struct shard_set){.options = &sim.options,
                                 .n_shards = 1,
                                 .lexer_options = {.regime = LEXER_LUALATEX},
                                 .lock = PTHREAD_MUTEX_INITIALIZER,
                                 .changed = PTHREAD_COND_INITIALIZER};
    sim.shard = aligned_alloc(64, sizeof *sim.shard);
    sim.conns = aligned_alloc(64, sim.options.max_conns * sizeof *sim.conns);
    frames_require(sim.shard != NULL && sim.conns != NULL, "memory is short");
    memset(sim.shard, 0, sizeof *sim.shard);
    memset(sim.conns, 0, sim.options.max_conns * sizeof *sim.conns);
    sim.set.shards = sim.shard;
    sim.set.conns = sim.conns;
    frames_require(shard_prepare(sim.shard, &sim.set, 0, sched_getcpu(), sim.conns, 0,
                                 sim.options.max_conns) == 0,
                   "shard_prepare");
    sim.shard->listeners[0] = (struct listener){.fd = sim.listen_fd};
    sim.shard->n_listeners = 1;
}

static inline void sim_expect_released(void)
{
    const struct shard *s = sim.shard;
    const struct metrics_shard *m = &s->metrics;
    uint64_t replied = 0;
    uint32_t free_conns = 0;
    for (int status = 0; status < WIRE_STATUS_COUNT; status++)
        replied += metric_get(&m->replied[status]);
    frames_require(metric_get(&m->requests_accepted) == replied + metric_get(&m->requests_aborted),
                   "accepted is not replied + aborted");
    frames_require(metric_get(&m->conns_live) == 0 && atomic_load(&s->load) == 0,
                   "a connection is left");
    for (const struct conn *c = s->free_conns; c != NULL; c = c->arms[CONN_HOME].next_ready) {
        frames_require(conn_state(c) == CONN_FREE && c->fd == -1 && c->request == NULL &&
                           c->in.block.data == NULL && c->ops == 0 && !c->arms[CONN_HOME].queued &&
                           c->arms[CONN_HOME].working == NULL,
                       "a free connection holds something");
        free_conns++;
    }
    frames_require(free_conns == s->conn_cap, "a connection's place is lost");
    frames_require(s->ready_first == NULL, "somebody is still ready");
    frames_require(s->requests.in_hand == 0, "a request is left");
    frames_require(s->arenas.arenas[0].used_granules + s->arenas.arenas[1].used_granules == 0,
                   "a block is left");
    frames_require(deadline_next_ns(&s->deadlines) == UINT64_MAX, "a deadline is left");
}

static inline void sim_run_shard(void)
{
    frames_require(shard_start(sim.shard) == 0, "shard_start");
    frames_require(shard_set_wait(&sim.set, 1) == 0, "the shard's start");
    shard_set_go(&sim.set, SHARD_GO_RUN);
    (void)pthread_join(sim.shard->thread, NULL);
}

/* Until the shard has drained; everything must be released then. After sim_init, and with
 * lexer_init done. */
static inline void sim_run(void)
{
    sim.limits = (struct frames_limits){
        .max_req_bytes = sim.options.max_req_bytes,
        .backpressure_ns = sim.options.backpressure_ns,
        .frame_ns = sim.options.frame_ns,
        .idle_ns = sim.options.idle_ns,
        .reply_ns = sim.options.reply_ns,
    };
    sim_open_listener();
    sim_open_shard();
    sim_run_shard();
    sim_expect_released();
    for (uint32_t i = 0; i < sim.n_clients; i++) {
        struct frames_client *c = &sim.clients[i];
        (void)frames_client_receive(c, &sim.limits, fake_clock_ns);
        frames_require(c->fd < 0 || c->ended, "a client sees no end");
        frames_client_close(c);
    }
    shard_release(sim.shard);
    (void)close(sim.listen_fd);
    free(sim.shard);
    free(sim.conns);
}

#endif
