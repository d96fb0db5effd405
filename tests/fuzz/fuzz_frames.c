/* Fuzzes the service's path from accepted connection to reply: the shard's own loop, unchanged,
 * over a ring that behaves as badly as a kernel may, in simulated time. The input is a script of
 * what up to four clients do; a model of the protocol knows what they are due.
 *
 * Required at any time: replies in order, each the right one, and error statuses and ends of
 * streams only for a reason. When the shard sleeps: no whole frame unanswered, but behind
 * back-pressure. In the end: accepted == replied + aborted, and everything is released. */
#include "tests/draw.h"
#include "tests/sim/sim.h"

enum {
    CLIENTS = 4,
    CONNS_MAX = 4,
    TURNS_MAX = 200000,
    QUEUE_BYTES_MAX = 2 << 20,
};

static struct {
    const uint8_t *at, *end; /* the script */
    uint64_t random;         /* never 0 */
    uint32_t pause;          /* turns to let pass */
    uint32_t turns;
    size_t queued_bytes;
} w;

uint32_t fake_ring_choose(enum fake_choice choice, uint32_t n)
{
    (void)choice;
    return draw(&w.random, n);
}

bool fake_ring_holds(const struct ring_event *event, bool asleep)
{
    (void)event;
    return !asleep && draw(&w.random, 8) == 0;
}

static uint32_t take(void)
{
    return w.at < w.end ? *w.at++ : 0;
}

/* ---- what clients do ------------------------------------------------------------------------ */

static bool may_queue(const struct frames_client *c, size_t n)
{
    if (c->fd < 0 || w.queued_bytes + n > QUEUE_BYTES_MAX)
        return false;
    w.queued_bytes += n;
    return true;
}

static void queue_frame(struct frames_client *c, uint32_t n, uint32_t seed)
{
    if (may_queue(c, WIRE_HEADER_BYTES + (size_t)n))
        sim_queue_frame(c, n, seed);
}

static void do_time(uint32_t choice)
{
    const uint64_t steps_ns[] = {1,
                                 CLOCK_NS_PER_MS,
                                 sim.limits.backpressure_ns,
                                 sim.limits.frame_ns - 1,
                                 sim.limits.frame_ns,
                                 sim.limits.reply_ns,
                                 LIMIT_LINGER_MS * CLOCK_NS_PER_MS,
                                 sim.limits.idle_ns};
    fake_clock_advance(steps_ns[choice % 8]);
}

/* One step of the script; true: the shard's turn. */
static bool step(void)
{
    static const size_t bursts[] = {1, 3, 4, 17, 4096, 8188, 65536, SIZE_MAX};
    uint32_t op = take();
    struct frames_client *c = &sim.clients[(op >> 4) % CLIENTS];
    uint32_t n;
    switch (op & 15) {
    case 0:
        sim_connect(c);
        return false;
    case 1:
        n = take() % 32;
        n = (size_t)(w.end - w.at) < n ? (uint32_t)(w.end - w.at) : n;
        if (may_queue(c, n))
            frames_client_queue(c, w.at, n);
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
        (void)frames_client_receive(c, &sim.limits, fake_clock_ns);
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
            sim_drain();
        return true;
    default:
        sim.shard->arenas.fail_after = take();
        sim.memory_failed = true;
        return false;
    }
}

/* ---- the simulation's part of each turn ------------------------------------------------------ */

void fake_ring_act(void)
{
    const struct arena_config arena = arena_configure(&sim.options);
    frames_require(++w.turns < TURNS_MAX, "it does not come to rest");
    sim_make_server_buffers_small();
    if (draw(&w.random, 4) == 0)
        (void)arena_rebuild_empty(&sim.shard->arenas, &arena);
    if (w.pause > 0)
        w.pause--;
    else
        while (w.at < w.end && !step())
            ;
    for (int i = 0; i < CLIENTS; i++)
        (void)frames_client_send(&sim.clients[i], &sim.limits, fake_clock_ns);
}

bool fake_ring_asleep(uint64_t wait_ns)
{
    bool moved = sim_exchange();
    if (moved || w.at < w.end || w.pause > 0)
        return true;
    sim_expect_all_served();
    /* The script is over. Some clients wait for their deadlines, in the end comes the drain. */
    if (sim.limits.draining || (wait_ns != RING_WAIT_FOREVER && draw(&w.random, 4) != 0))
        return false;
    sim_drain();
    return true;
}

/* ---- one input ------------------------------------------------------------------------------ */

static void choose_options(void)
{
    static const uint32_t max_req_bytes[] = {1, 100, 4096, 8188, 70000, 400000};
    uint32_t a = take();
    uint32_t b = take();
    sim.options.max_req_bytes = max_req_bytes[a % 6];
    sim.options.max_conns = 1 + b % CONNS_MAX;
    sim.options.max_inflight = 1 + (a >> 4) % 4;
    sim.options.slice_bytes = (uint32_t)((b & 16) != 0 ? 64 * LIMIT_KIB : 4 * LIMIT_KIB);
    sim.options.rotate_requests = (b & 32) != 0 ? 3 : 0;
    w.random = UINT64_C(0x9e3779b97f4a7c15) ^ take();
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
    memset(&w, 0, sizeof w);
    w.at = data;
    w.end = data + n_bytes;
    sim_init(CLIENTS);
    choose_options();
    sim_run();
    return 0;
}
