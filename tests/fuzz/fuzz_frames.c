/* Fuzzes the service's path from accepted connection to reply: the shard's own loop, unchanged,
 * over a ring that behaves as badly as a kernel may, in simulated time. The input is a script of
 * what up to four clients do; a model of the protocol knows what they are due.
 *
 * Required at any time: replies in order, each the right one, and error statuses and ends of
 * streams only for a reason. When the shard sleeps: no whole frame unanswered, but behind
 * back-pressure. In the end: accepted == replied + aborted, and everything is released. */
#include "engine/serve.h"
#include "engine/shard.h"

#include "tests/fuzz/fake_ring.h"
#include "tests/fuzz/frames_client.h"

#include <sched.h>
#include <stddef.h>
#include <sys/un.h>

enum {
    CLIENTS = 4,
    CONNS_MAX = 4,
    TURNS_MAX = 200000,
    QUEUE_BYTES_MAX = 2 << 20,
    SERVER_SEND_BYTES = 1, /* the kernel rounds it up: a few replies fill the buffer */
};

struct world {
    /* the script */
    const uint8_t *at, *end;
    uint64_t random; /* never 0 */
    uint32_t pause;  /* turns to let pass */
    uint32_t turns;

    struct options options;
    struct frames_limits limits;
    struct shard_set set;
    struct shard *shard;
    struct conn *conns;
    int listen_fd;
    struct sockaddr_un address;
    socklen_t address_bytes;
    int small_fd[CONNS_MAX]; /* whose send buffer has been made small */
    struct frames_client clients[CLIENTS];
    size_t queued_bytes;
    uint64_t connects;
    bool memory_failed; /* an allocation was made to fail: somebody may wait for nothing */
};

static struct world w;

uint32_t fake_ring_draw(uint32_t n)
{
    w.random ^= w.random >> 12;
    w.random ^= w.random << 25;
    w.random ^= w.random >> 27;
    return (uint32_t)((w.random >> 32) * n >> 32);
}

static uint32_t take(void)
{
    return w.at < w.end ? *w.at++ : 0;
}

/* ---- what clients do ------------------------------------------------------------------------ */

static void queue(struct frames_client *c, const uint8_t *bytes, size_t n)
{
    if (c->fd < 0 || w.queued_bytes + n > QUEUE_BYTES_MAX)
        return;
    w.queued_bytes += n;
    frames_client_queue(c, bytes, n);
}

/* A frame of n bytes of something like LaTeX. */
static void queue_frame(struct frames_client *c, uint32_t n, uint32_t seed)
{
    static const char pattern[] = "a \\b{c}  % d\n\n$x^^41_1$ \xc3\xa9\xff & # ~ \\\t}\r\n";
    uint8_t *frame = malloc(WIRE_HEADER_BYTES + (size_t)n);
    frames_require(frame != NULL, "memory is short");
    wire_put_u32(frame, n);
    for (uint32_t i = 0; i < n; i++)
        frame[WIRE_HEADER_BYTES + i] = (uint8_t)pattern[(i + seed) % (sizeof pattern - 1)];
    queue(c, frame, WIRE_HEADER_BYTES + (size_t)n);
    free(frame);
}

static void do_connect(struct frames_client *c)
{
    frames_client_close(c);
    c->burst_bytes = SIZE_MAX;
    c->active_ns = fake_clock_ns;
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    frames_require(c->fd >= 0, "socket");
    if (connect(c->fd, (struct sockaddr *)&w.address, w.address_bytes) != 0) {
        frames_require(w.limits.draining, "connect");
        frames_client_close(c);
        return;
    }
    /* Those in the backlog count, also when their client has left again. */
    uint64_t places = ++w.connects - metric_get(&w.shard->metrics.conns_accepted);
    for (uint32_t i = 0; i < w.shard->conn_cap; i++)
        places += conn_state(&w.conns[i]) != CONN_FREE;
    w.limits.conns_were_up |= places > w.shard->conn_cap;
}

static void do_drain(void)
{
    w.limits.draining = true;
    shard_control(w.shard, SHARD_DRAIN);
}

static void do_time(uint32_t choice)
{
    const uint64_t steps_ns[] = {1,
                                 CLOCK_NS_PER_MS,
                                 w.limits.backpressure_ns,
                                 w.limits.frame_ns - 1,
                                 w.limits.frame_ns,
                                 w.limits.reply_ns,
                                 LIMIT_LINGER_MS * CLOCK_NS_PER_MS,
                                 w.limits.idle_ns};
    fake_clock_advance(steps_ns[choice % 8]);
}

/* One step of the script; true: the shard's turn. */
static bool step(void)
{
    static const size_t bursts[] = {1, 3, 4, 17, 4096, 8188, 65536, SIZE_MAX};
    uint32_t op = take();
    struct frames_client *c = &w.clients[(op >> 4) % CLIENTS];
    uint32_t n;
    switch (op & 15) {
    case 0:
        do_connect(c);
        return false;
    case 1:
        n = take() % 32;
        n = (size_t)(w.end - w.at) < n ? (uint32_t)(w.end - w.at) : n;
        queue(c, w.at, n);
        w.at += n;
        return false;
    case 2:
        n = take();
        queue_frame(c, n, take());
        return false;
    case 3:
        n = take() << 8;
        queue_frame(c, n | take(), op);
        return false;
    case 4:
        queue_frame(c, take() * 1024, op);
        return false;
    case 5:
        for (n = take(); n > 0; n--)
            queue_frame(c, 1 + n % 5, n);
        return false;
    case 6:
        c->burst_bytes = bursts[take() % 8];
        return false;
    case 7:
        return true;
    case 8:
        w.pause = take();
        return true;
    case 9:
        do_time(take());
        return false;
    case 10:
        (void)frames_client_receive(c, &w.limits, fake_clock_ns);
        return false;
    case 11:
        c->deaf = !c->deaf;
        c->active_ns = fake_clock_ns;
        return false;
    case 12:
        c->shut = true;
        if (c->fd >= 0)
            (void)shutdown(c->fd, SHUT_WR);
        return false;
    case 13:
        frames_client_close(c);
        return false;
    case 14:
        if (take() % 4 == 0)
            do_drain();
        return true;
    default:
        w.shard->arenas.fail_after = take();
        w.memory_failed = true;
        return false;
    }
}

/* ---- the simulation's part of each turn ------------------------------------------------------ */

static void make_server_buffers_small(void)
{
    const int bytes = SERVER_SEND_BYTES;
    for (uint32_t i = 0; i < w.shard->conn_cap; i++) {
        int fd = w.conns[i].fd;
        if (fd >= 0 && fd != w.small_fd[i])
            (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        w.small_fd[i] = fd;
    }
}

void fake_ring_act(void)
{
    const struct arena_config arena = {.size_bytes = w.options.arena_mib * LIMIT_MIB,
                                       .mlock = w.options.mlock,
                                       .huge = w.options.huge};
    frames_require(++w.turns < TURNS_MAX, "it does not come to rest");
    make_server_buffers_small();
    if (fake_ring_draw(4) == 0)
        (void)arena_rebuild_empty(&w.shard->arenas, &arena);
    if (w.pause > 0)
        w.pause--;
    else
        while (w.at < w.end && !step())
            ;
    for (int i = 0; i < CLIENTS; i++)
        (void)frames_client_send(&w.clients[i], &w.limits, fake_clock_ns);
}

/* Does the first one of a line, who alone is called, wait for something that others hold? */
static bool first_waiter_must_wait(const struct conn *c)
{
    const struct arena *active = &w.shard->arenas.arenas[w.shard->arenas.active];
    if (c->deadline.kind == DEADLINE_WAIT_PLACE)
        return w.shard->requests.in_hand == w.shard->requests.cap;
    if (c->deadline.kind == DEADLINE_WAIT_GRANULE) {
        uint32_t taken = 0;
        for (uint32_t i = 0; i < active->small_granules; i++)
            taken += (uint32_t)(active->taken[i / 64] >> (i % 64) & 1);
        return taken == active->small_granules;
    }
    for (uint32_t i = 0; i < w.shard->conn_cap; i++)
        if (&w.conns[i] != c && w.conns[i].in.block.room_granules > 1)
            return true;
    return false;
}

/* Nothing is under way: who has no reply is waiting, and not for what is free. */
static void expect_all_served(void)
{
    uint32_t waiting_clients = 0;
    uint32_t waiting_conns = 0;
    for (int i = 0; i < CLIENTS; i++)
        waiting_clients += frames_client_waits(&w.clients[i]);
    for (uint32_t i = 0; i < w.shard->conn_cap; i++)
        waiting_conns += deadline_is_wait(w.conns[i].deadline.kind);
    frames_require(waiting_clients <= waiting_conns, "it sleeps on a whole frame");
    for (int kind = DEADLINE_WAIT_PLACE; kind <= DEADLINE_WAIT_GROW; kind++) {
        struct deadline *first = deadline_first(&w.shard->deadlines, (enum deadline_kind)kind);
        frames_require(first == NULL || w.memory_failed ||
                           first_waiter_must_wait(shard_conn_of(first)),
                       "it waits for what is free");
    }
}

bool fake_ring_asleep(uint64_t wait_ns)
{
    bool moved = w.at < w.end || w.pause > 0;
    for (int i = 0; i < CLIENTS; i++) {
        struct frames_client *c = &w.clients[i];
        moved |= frames_client_send(c, &w.limits, fake_clock_ns);
        if (!c->deaf)
            moved |= frames_client_receive(c, &w.limits, fake_clock_ns);
    }
    if (moved)
        return true;
    expect_all_served();
    /* The script is over. Some clients wait for their deadlines, in the end comes the drain. */
    if (w.limits.draining || (wait_ns != RING_WAIT_FOREVER && fake_ring_draw(4) != 0))
        return false;
    do_drain();
    return true;
}

/* ---- set-up and end -------------------------------------------------------------------------- */

static void choose_options(void)
{
    static const uint32_t max_req_bytes[] = {1, 100, 4096, 8188, 70000, 400000};
    uint32_t a = take();
    uint32_t b = take();
    w.options = (struct options){
        .max_req_bytes = max_req_bytes[a % 6],
        .max_conns = 1 + b % CONNS_MAX,
        .max_inflight = 1 + (a >> 4) % 4,
        .arena_mib = 1,
        .slice_bytes = (uint32_t)((b & 16) != 0 ? 64 * LIMIT_KIB : 4 * LIMIT_KIB),
        .backpressure_ns = 150 * CLOCK_NS_PER_MS,
        .frame_ns = 100 * CLOCK_NS_PER_MS,
        .idle_ns = 1000 * CLOCK_NS_PER_MS,
        .reply_ns = 200 * CLOCK_NS_PER_MS,
        .drain_ns = 500 * CLOCK_NS_PER_MS,
        .rotate_requests = (b & 32) != 0 ? 3 : 0,
        .mlock = OPTIONS_MLOCK_OFF,
        .huge = OPTIONS_HUGE_OFF,
        .tail_k = 4,
    };
    w.limits = (struct frames_limits){
        .max_req_bytes = w.options.max_req_bytes,
        .backpressure_ns = w.options.backpressure_ns,
        .frame_ns = w.options.frame_ns,
        .idle_ns = w.options.idle_ns,
        .reply_ns = w.options.reply_ns,
    };
    w.random = UINT64_C(0x9e3779b97f4a7c15) ^ take();
}

/* An abstract address, chosen by the kernel: no file. */
static void open_listener(void)
{
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    w.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    w.address_bytes = sizeof w.address;
    frames_require(w.listen_fd >= 0 &&
                       bind(w.listen_fd, (struct sockaddr *)&any, sizeof any.sun_family) == 0 &&
                       listen(w.listen_fd, CLIENTS * 256) == 0 &&
                       getsockname(w.listen_fd, (struct sockaddr *)&w.address, &w.address_bytes) ==
                           0,
                   "no listener");
}

static void open_shard(void)
{
    w.set = (struct shard_set){.options = &w.options,
                               .n_shards = 1,
                               .lexer_options = {.regime = LEXER_LUALATEX},
                               .lock = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER};
    w.shard = aligned_alloc(64, sizeof *w.shard);
    w.conns = aligned_alloc(64, w.options.max_conns * sizeof *w.conns);
    frames_require(w.shard != NULL && w.conns != NULL, "memory is short");
    memset(w.shard, 0, sizeof *w.shard);
    memset(w.conns, 0, w.options.max_conns * sizeof *w.conns);
    w.set.shards = w.shard;
    w.set.conns = w.conns;
    frames_require(
        shard_prepare(w.shard, &w.set, 0, sched_getcpu(), w.conns, 0, w.options.max_conns) == 0,
        "shard_prepare");
    w.shard->listeners[0] = (struct listener){.fd = w.listen_fd};
    w.shard->n_listeners = 1;
}

static void expect_released(void)
{
    const struct shard *s = w.shard;
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

static void run_shard(void)
{
    frames_require(shard_start(w.shard) == 0, "shard_start");
    frames_require(shard_set_wait(&w.set, 1) == 0, "the shard's start");
    shard_set_go(&w.set, SHARD_GO_RUN);
    (void)pthread_join(w.shard->thread, NULL);
}

const char *__asan_default_options(void);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* What was freed is kept out of use for a while, but documents are large and there are many. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=32";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return lexer_init(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    w = (struct world){.at = data, .end = data + n_bytes};
    fake_clock_ns = 1000 * CLOCK_NS_PER_S;
    for (int i = 0; i < CLIENTS; i++)
        w.clients[i] = (struct frames_client){.fd = -1};
    for (int i = 0; i < CONNS_MAX; i++)
        w.small_fd[i] = -1;
    choose_options();
    open_listener();
    open_shard();
    run_shard();
    expect_released();
    for (int i = 0; i < CLIENTS; i++) {
        struct frames_client *c = &w.clients[i];
        (void)frames_client_receive(c, &w.limits, fake_clock_ns);
        frames_require(c->fd < 0 || c->ended, "a client sees no end");
        frames_client_close(c);
    }
    shard_release(w.shard);
    (void)close(w.listen_fd);
    free(w.shard);
    free(w.conns);
    return 0;
}
