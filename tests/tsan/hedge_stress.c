/* The whole engine in one process, its shards stalled at random anywhere: by a signal whose handler
 * sleeps, so also inside system calls and between any two instructions, by injected sleeps before
 * and after lexing, and with slices that fail. Clients pipeline documents of many sizes, leave in
 * the middle of frames, and know by the number of tokens whose reply each one is. Not a Criterion
 * program, because those do not run under the thread sanitizer.
 *
 *     hedge_stress [REQUESTS] [SHARDS] [SEED]
 *
 * Exit 0, or 1 after lines that say what was wrong; the seed is printed. */
#include "engine/clock.h"
#include "engine/serve.h"
#include "engine/shard.h"
#include "engine/work.h"
#include "tests/draw.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    CLIENTS = 6,
    DOCS = 400,
    DEPTH = 4, /* requests under way on one connection */
    CONNS = 32,
    BIG_EVERY = 40,
    STALL_MS_MAX = 4,
#ifdef L0_SANITIZED
    REQUESTS = 20000,
#else
    REQUESTS = 1000000,
#endif
};

struct doc {
    uint8_t *frame; /* header and body */
    uint32_t frame_bytes, n_tokens;
};

struct client {
    pthread_t thread;
    uint64_t random, want, answered, errors, left;
    const char *failure;
};

static struct {
    struct options options;
    struct shard_set set;
    struct doc docs[DOCS];
    struct sockaddr_un address;
    socklen_t address_bytes;
    int listen_fd;
    struct client clients[CLIENTS];
    _Atomic bool done;
    uint64_t stalls;
} w;

static _Atomic uint64_t stall_random; /* a Weyl sequence: good enough, and safe in a handler */

static void stall(int signal_number)
{
    int error = errno;
    (void)signal_number;
    uint64_t random = atomic_fetch_add(&stall_random, UINT64_C(0x9e3779b97f4a7c15));
    const struct timespec ts = {.tv_nsec = (long)(random % (STALL_MS_MAX * CLOCK_NS_PER_MS))};
    (void)nanosleep(&ts, NULL);
    errno = error;
}

static void die(const char *what)
{
    fprintf(stderr, "hedge_stress: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* ---- documents ------------------------------------------------------------------------------ */

/* Letters, as many as no other document has; every BIG_EVERYth one is large. */
static void make_docs(void)
{
    for (uint32_t i = 0; i < DOCS; i++) {
        struct doc *doc = &w.docs[i];
        uint32_t n = i % BIG_EVERY == BIG_EVERY - 1 ? 20000 + i * 500 : 1 + i * 7;
        doc->frame_bytes = WIRE_HEADER_BYTES + n;
        doc->frame = malloc(doc->frame_bytes);
        if (doc->frame == NULL)
            die("malloc");
        wire_put_u32(doc->frame, n);
        memset(doc->frame + WIRE_HEADER_BYTES, 'a', n);
        doc->n_tokens = n + 1; /* and the space of the line's end */
    }
}

/* ---- clients -------------------------------------------------------------------------------- */

static bool send_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static int client_connect(struct client *c)
{
    const struct timeval limit = {.tv_sec = 30};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&w.address, w.address_bytes) != 0)
        c->failure = "cannot connect";
    else
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

/* What is known of connections that hang, read without any order: for people only. */
__attribute__((no_sanitize("thread"))) static void show_connections(void)
{
    static _Atomic bool shown;
    if (atomic_exchange(&shown, true))
        return;
    for (uint32_t i = 0; i < w.set.n_shards; i++) {
        const struct shard *s = &w.set.shards[i];
        fprintf(stderr, "  shard %u: progress %llx, %u ready, watch %s%s look in %lld us\n", i,
                (unsigned long long)board_progress(&s->board), s->n_ready,
                s->watches[0].armed ? "armed " : "", s->watches[0].guarding ? "guarding" : "",
                (long long)(s->watches[0].look_ns - clock_now_ns()) / 1000);
    }
    for (uint32_t i = 0; i < w.options.max_conns; i++) {
        const struct conn *c = &w.set.conns[i];
        if (conn_state(c) == CONN_FREE)
            continue;
        fprintf(
            stderr,
            "  conn %u: home %u, state %d, owner %u, keeper %u, deadline %d, bytes %u, request %d, "
            "returned %d, queued %d %d, working %d %d, readable %d, more %d, taken %d\n",
            i, c->home, (int)conn_state(c), (unsigned)conn_word_owner(conn_word(c)), c->keeper,
            (int)c->deadline.kind, c->in.have - c->in.off, c->request != NULL,
            atomic_load(&c->is_returned), c->arms[0].queued, c->arms[1].queued,
            c->arms[0].working != NULL, c->arms[1].working != NULL, c->readable, c->in.more,
            c->taken_ahead);
    }
}

static void client_reply(struct client *c, int fd, const struct doc *doc)
{
    uint8_t bytes[WIRE_REPLY_BYTES];
    struct wire_reply reply;
    if (recv(fd, bytes, sizeof bytes, MSG_WAITALL) != (ssize_t)sizeof bytes) {
        c->failure = "a reply that did not come within 30 s";
        show_connections();
    } else if (wire_decode_reply(bytes, &reply) != 0)
        c->failure = "not a reply";
    else if (reply.status == WIRE_INTERNAL && w.options.fault_error_rate_ppm > 0)
        c->errors++;
    else if (reply.status != WIRE_OK)
        c->failure = wire_status_name(reply.status);
    else if (reply.n_tokens != doc->n_tokens)
        c->failure = "the reply of another request";
    c->answered++;
}

/* Leaves with a frame half sent and replies not taken. */
static void client_leave(struct client *c, int fd)
{
    const struct doc *doc = &w.docs[draw(&c->random, DOCS)];
    (void)send_all(fd, doc->frame, draw(&c->random, doc->frame_bytes));
    c->left++;
    (void)close(fd);
}

static void *client_main(void *arg)
{
    struct client *c = arg;
    int fd = client_connect(c);
    while (c->failure == NULL && c->answered < c->want) {
        const struct doc *docs[DEPTH];
        uint32_t n = 1 + draw(&c->random, DEPTH);
        for (uint32_t i = 0; i < n; i++) {
            docs[i] = &w.docs[draw(&c->random, DOCS)];
            if (!send_all(fd, docs[i]->frame, docs[i]->frame_bytes))
                c->failure = "the connection broke";
        }
        if (draw(&c->random, 500) == 0) {
            client_leave(c, fd);
            fd = client_connect(c);
            continue;
        }
        for (uint32_t i = 0; i < n && c->failure == NULL; i++)
            client_reply(c, fd, docs[i]);
    }
    (void)close(fd);
    return NULL;
}

/* Stalls a shard now and then, sometimes all of them. */
static void *bully_main(void *arg)
{
    uint64_t random = *(const uint64_t *)arg;
    while (!atomic_load(&w.done)) {
        const struct timespec pause = {.tv_nsec = (long)draw(&random, 4 * CLOCK_NS_PER_MS)};
        uint32_t which = draw(&random, w.set.n_shards);
        bool all = draw(&random, 8) == 0;
        (void)nanosleep(&pause, NULL);
        for (uint32_t i = 0; i < w.set.n_shards; i++)
            if (all || i == which)
                w.stalls += pthread_kill(w.set.shards[i].thread, SIGUSR1) == 0;
    }
    return NULL;
}

/* ---- the engine ------------------------------------------------------------------------------ */

static void engine_open(uint32_t n_shards)
{
    struct shard_set *set = &w.set;
    cpu_set_t allowed;
    int cpu = -1;
    *set = (struct shard_set){.options = &w.options,
                              .n_shards = n_shards,
                              .lexer_options = {.regime = LEXER_LUALATEX},
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    set->shards = aligned_alloc(64, n_shards * sizeof *set->shards);
    set->conns = aligned_alloc(64, w.options.max_conns * sizeof *set->conns);
    if (set->shards == NULL || set->conns == NULL || sched_getaffinity(0, sizeof allowed, &allowed))
        die("set-up");
    memset(set->shards, 0, n_shards * sizeof *set->shards);
    memset(set->conns, 0, w.options.max_conns * sizeof *set->conns);
    shard_set_pair(set);
    uint32_t cap = w.options.max_conns / n_shards;
    for (uint32_t i = 0; i < n_shards; i++) {
        do
            cpu = (cpu + 1) % CPU_SETSIZE;
        while (!CPU_ISSET((size_t)cpu, &allowed)); /* round and round, where there are too few */
        struct shard *s = &set->shards[i];
        if (shard_prepare(s, set, i, cpu, &set->conns[(size_t)i * cap], i * cap, cap) != 0)
            die("shard_prepare");
        s->listeners[s->n_listeners++] = (struct listener){.fd = w.listen_fd};
        if (shard_start(s) != 0)
            die("shard_start");
    }
    if (shard_set_wait(set, n_shards) != 0)
        die("a shard's start");
    shard_set_go(set, SHARD_GO_RUN);
}

static uint64_t sum(size_t offset)
{
    const struct metrics_shard *metrics[LIMIT_SHARDS_MAX];
    for (uint32_t i = 0; i < w.set.n_shards; i++)
        metrics[i] = &w.set.shards[i].metrics;
    return metrics_sum(metrics, w.set.n_shards, offset);
}

#define SUM(field) sum(offsetof(struct metrics_shard, field))

static bool expect(bool holds, const char *what)
{
    if (!holds)
        fprintf(stderr, "hedge_stress: %s\n", what);
    return holds;
}

static bool engine_close(void)
{
    bool ok = true;
    uint64_t replied = 0;
    for (uint32_t i = 0; i < w.set.n_shards; i++)
        shard_control(&w.set.shards[i], SHARD_DRAIN);
    for (uint32_t i = 0; i < w.set.n_shards; i++)
        (void)pthread_join(w.set.shards[i].thread, NULL);
    for (size_t status = 0; status < WIRE_STATUS_COUNT; status++)
        replied += sum(offsetof(struct metrics_shard, replied) + status * sizeof(metric_u64));
    ok &= expect(SUM(requests_accepted) == replied + SUM(requests_aborted),
                 "accepted is not replied + aborted");
    ok &= expect(SUM(hedge_fired) == SUM(hedge_wins) + SUM(hedge_lost) + SUM(hedge_abandoned),
                 "hedges begun are not won + lost + abandoned");
    ok &= expect(SUM(conns_live) == 0, "a connection is left");
    for (uint32_t i = 0; i < w.set.n_shards; i++) {
        struct shard *s = &w.set.shards[i];
        work_take_back(s);
        ok &= expect(s->requests.in_hand == 0, "a request is left");
        ok &= expect(arena_used_bytes(&s->arenas) == 0, "a block is left");
        shard_release(s);
    }
    free(w.set.shards);
    free(w.set.conns);
    return ok;
}

static void open_listener(void)
{
    const struct sockaddr_un any = {.sun_family = AF_UNIX};
    w.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    w.address_bytes = sizeof w.address;
    if (w.listen_fd < 0 ||
        bind(w.listen_fd, (const struct sockaddr *)&any, sizeof any.sun_family) ||
        listen(w.listen_fd, 128) != 0 ||
        getsockname(w.listen_fd, (struct sockaddr *)&w.address, &w.address_bytes) != 0)
        die("listener");
}

static bool run_clients(uint64_t requests, uint64_t seed)
{
    bool ok = true;
    pthread_t bully;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct client *c = &w.clients[i];
        *c = (struct client){.random = seed * 1000 + i + 1, .want = requests / CLIENTS};
        if (pthread_create(&c->thread, NULL, client_main, c) != 0)
            die("pthread_create");
    }
    if (pthread_create(&bully, NULL, bully_main, &seed) != 0)
        die("pthread_create");
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)pthread_join(w.clients[i].thread, NULL);
        ok &= expect(w.clients[i].failure == NULL, w.clients[i].failure);
    }
    atomic_store(&w.done, true);
    (void)pthread_join(bully, NULL);
    return ok;
}

int main(int argc, char **argv)
{
    uint64_t requests = argc > 1 ? strtoull(argv[1], NULL, 10) : REQUESTS;
    uint32_t shards = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 3;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : clock_now_ns() % 1000000 + 1;
    const struct sigaction action = {.sa_handler = stall}; /* no SA_RESTART: EINTR is met as well */
    w.options =
        (struct options){.max_req_bytes = 1 << 20,
                         .max_conns = CONNS * shards,
                         .max_inflight = 64,
                         .arena_mib = 2,
                         .slice_bytes = 16 * LIMIT_KIB,
                         .backpressure_ns = 60 * CLOCK_NS_PER_S,
                         .frame_ns = 60 * CLOCK_NS_PER_S,
                         .idle_ns = 60 * CLOCK_NS_PER_S,
                         .reply_ns = 60 * CLOCK_NS_PER_S,
                         .drain_ns = 10 * CLOCK_NS_PER_S,
                         .rotate_requests = 5000,
                         .tail_k = 16,
                         .hedge_ns = LIMIT_HEDGE_US_MIN * CLOCK_NS_PER_US,
                         .hedge_budget_ppm = 1000000,
                         .fault_ns = 2 * CLOCK_NS_PER_MS,
                         .fault_rate_ppm = 5000,
                         .fault_phase = seed % 2 == 0 ? OPTIONS_FAULT_PRE : OPTIONS_FAULT_POST,
                         .fault_error_rate_ppm = 200,
                         .fault_seed = seed};
    if (lexer_init(NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0 || shards < 2 ||
        shards > LIMIT_SHARDS_MAX)
        die("set-up");
    printf("hedge_stress: %llu requests, %u shards, seed %llu\n", (unsigned long long)requests,
           shards, (unsigned long long)seed);
    (void)fflush(stdout);
    make_docs();
    open_listener();
    engine_open(shards);
    bool ok = run_clients(requests, seed);
    /* While shards still drain, the figures are only read. */
    printf("hedge_stress: %llu stalls seen, %llu hedged (%llu won, %llu lost, %llu abandoned), "
           "%llu claimed first, %llu taken over\n",
           (unsigned long long)SUM(watch_stalls), (unsigned long long)SUM(hedge_fired),
           (unsigned long long)SUM(hedge_wins), (unsigned long long)SUM(hedge_lost),
           (unsigned long long)SUM(hedge_abandoned), (unsigned long long)SUM(hedge_claimed_first),
           (unsigned long long)SUM(hedge_taken_over));
    ok &= engine_close();
    (void)close(w.listen_fd);
    for (uint32_t i = 0; i < DOCS; i++)
        free(w.docs[i].frame);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
