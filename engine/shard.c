#include "engine/shard.h"

#include "engine/clock.h"
#include "engine/op.h"
#include "engine/serve.h"
#include "engine/work.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- set-up and release (main) ------------------------------------------------------------- */

void shard_set_pair(struct shard_set *set)
{
    for (uint32_t i = 0; i < set->n_shards; i++) {
        struct shard *s = &set->shards[i];
        s->sibling = &set->shards[(i + 1) % set->n_shards];
        s->sibling->ward = s;
    }
}

int shard_prepare(struct shard *s, struct shard_set *set, uint32_t index, int cpu,
                  struct conn *conns, uint32_t first_slot, uint32_t conn_cap)
{
    s->index = index;
    s->cpu = cpu;
    s->set = set;
    s->options = set->options;
    s->conns = conns;
    s->first_slot = first_slot;
    s->conn_cap = conn_cap;
    s->watch_set = -1;
    atomic_init(&s->auto_delay_ns, UINT64_MAX);
    s->board.n_words = (s->options->max_conns + 63) / 64;
    s->board.in_hand = calloc(s->board.n_words, sizeof *s->board.in_hand);
    s->doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->doorbell < 0)
        return -errno;
    s->tail = tail_new(s->options->tail_k);
    s->inboxes = aligned_alloc(64, set->n_shards * sizeof *s->inboxes);
    if (s->tail == NULL || s->inboxes == NULL || s->board.in_hand == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < set->n_shards; i++)
        mailbox_init(&s->inboxes[i]);
    /* Room for an event and a cancellation of each connection at once, and a few of our own; what
     * does not fit waits in the kernel's overflow list. (Rings count against RLIMIT_MEMLOCK.) */
    if (s->sibling != NULL) {
        int rc = watch_open(s);
        if (rc != 0)
            return rc;
    }
    uint32_t cq_entries = 2 * conn_cap + 64;
    return ring_open(&s->ring, LIMIT_SQ_ENTRIES,
                     cq_entries > LIMIT_SQ_ENTRIES ? cq_entries : LIMIT_SQ_ENTRIES);
}

void shard_release(struct shard *s)
{
    arena_pair_close(&s->arenas); /* by main, whose rebuilding it must not race with */
    ring_close(s->ring);
    tail_free(s->tail);
    free(s->inboxes);
    free(s->board.in_hand);
    watch_close(s);
    for (uint32_t i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].tcp) /* the Unix socket is shared; main closes it */
            (void)close(s->listeners[i].fd);
    if (s->doorbell >= 0)
        (void)close(s->doorbell);
}

void shard_ring_doorbell(struct shard *s)
{
    const uint64_t one = 1;
    /* EAGAIN: the count is at its maximum, so the shard has been told often enough. */
    ssize_t n = write(s->doorbell, &one, sizeof one);
    (void)n;
}

void shard_return(struct shard *s, struct returned *item)
{
    if (returns_push(&s->returns, item))
        shard_ring_doorbell(s);
}

void shard_control(struct shard *s, uint32_t bits)
{
    (void)atomic_fetch_or_explicit(&s->control, bits, memory_order_release);
    shard_ring_doorbell(s);
}

/* ---- the ready queue ------------------------------------------------------------------------ */

void shard_make_ready(struct shard *s, struct conn *c)
{
    struct conn_arm *arm = conn_arm(c, (uint8_t)s->index);
    if (arm->queued)
        return;
    arm->queued = true;
    arm->next_ready = NULL;
    if (s->ready_last == NULL)
        s->ready_first = c;
    else
        conn_arm(s->ready_last, (uint8_t)s->index)->next_ready = c;
    s->ready_last = c;
    s->n_ready++;
}

/* A bounded number of turns in a bounded time, since a sibling that stands still is looked at
 * between these only; who wants more goes to the end of the queue. */
static void shard_run_ready(struct shard *s)
{
    uint64_t until_ns = s->now_ns + LIMIT_TURN_US * CLOCK_NS_PER_US;
    for (int i = 0; i < LIMIT_TURN_STEPS && s->ready_first != NULL; i++) {
        if (i > 0 && clock_now_ns() >= until_ns)
            break;
        struct conn *c = s->ready_first;
        struct conn_arm *arm = conn_arm(c, (uint8_t)s->index);
        s->ready_first = arm->next_ready;
        if (s->ready_first == NULL)
            s->ready_last = NULL;
        s->n_ready--;
        arm->queued = false;
        board_step(&s->board);
        serve_turn(s, c);
    }
}

/* ---- events -------------------------------------------------------------------------------- */

static void shard_arm_doorbell(struct shard *s)
{
    ring_poll(s->ring, s->doorbell, POLLIN, true, op_pack(OP_DOORBELL, 0, 0));
}

static void shard_event(struct shard *s, const struct ring_event *event)
{
    struct op op = op_unpack(event->user_data);
    struct conn *c;
    uint64_t count;
    ssize_t n;
    switch (op.kind) {
    case OP_CONN_IN:
    case OP_CONN_OUT:
    case OP_CONN_CANCEL:
        assert(op.slot >= s->first_slot && op.slot - s->first_slot < s->conn_cap);
        c = &s->conns[op.slot - s->first_slot];
        if (c->generation != op.generation)
            metric_add(&s->metrics.ring_stale_events, 1);
        else
            serve_event(s, c, &op, event);
        return;
    case OP_LISTEN_POLL:
        listener_event(s, op.slot, event);
        return;
    case OP_DOORBELL:
        n = read(s->doorbell, &count, sizeof count); /* EAGAIN: taken with an earlier event */
        (void)n;
        if (!event->more) {
            metric_add(&s->metrics.ring_rearms, 1);
            shard_arm_doorbell(s);
        }
        return;
    case OP_UNPOLL:
        return;
    case OP_WATCH:
        watch_event(s, op.slot);
        return;
    case OP_TIMER: /* the turn that it has caused looks at the watches, or sets it again */
        if (s->timer_ns <= s->now_ns || event->res != -ETIME)
            s->timer_ns = UINT64_MAX;
        return;
    }
    assert(false && "an unknown kind in user_data");
}

bool shard_has_mail(const struct shard *s)
{
    for (uint32_t i = 0; i < s->set->n_shards; i++)
        if (mailbox_has_mail(&s->inboxes[i]))
            return true;
    return false;
}

int shard_take_mail(struct shard *s)
{
    int fd = -1;
    for (uint32_t i = 0; i < s->set->n_shards && fd < 0; i++)
        fd = mailbox_take(&s->inboxes[i]);
    return fd;
}

static void shard_adopt_mail(struct shard *s)
{
    for (int fd; (fd = shard_take_mail(s)) >= 0;)
        serve_adopt(s, fd);
}

static void shard_begin_drain(struct shard *s)
{
    s->draining = true;
    s->drain_until_ns = s->now_ns + s->options->drain_ns;
    listeners_sweep(s);
    for (uint32_t i = 0; i < s->conn_cap; i++)
        serve_drain(s, &s->conns[i]);
    (void)atomic_fetch_add_explicit(&s->set->swept, 1, memory_order_release);
    for (uint32_t i = 0; i < s->set->n_shards; i++)
        shard_ring_doorbell(&s->set->shards[i]); /* the last one to get here ends their wait */
}

static void shard_obey(struct shard *s)
{
    if (atomic_load_explicit(&s->control, memory_order_relaxed) == 0)
        return;
    uint32_t bits = atomic_exchange_explicit(&s->control, 0, memory_order_acquire);
    if ((bits & SHARD_ROTATE) != 0 && arena_rotate(&s->arenas)) {
        metric_add(&s->metrics.rotations, 1);
        serve_wake_waiter(s);
    }
    if ((bits & SHARD_DRAIN) != 0 && !s->draining)
        shard_begin_drain(s);
}

/* ---- the loop ------------------------------------------------------------------------------ */

static bool shard_done(struct shard *s)
{
    if (!s->swept)
        return false;
    /* acquire: what others posted before they were counted is in our inboxes. */
    if (atomic_load_explicit(&s->set->swept, memory_order_acquire) < s->set->n_shards)
        return false;
    shard_adopt_mail(s);
    return metric_get(&s->metrics.conns_live) == 0 && s->ready_first == NULL &&
           !hedge_busy(&s->hedger);
}

/* How long the ring may wait. */
static uint64_t shard_wait_ns(const struct shard *s)
{
    if (s->ready_first != NULL || hedge_busy(&s->hedger) || watch_wake_ns(s) <= s->now_ns)
        return 0;
    uint64_t next = deadline_next_ns(&s->deadlines);
    uint64_t accept = listeners_next_ns(s);
    if (accept < next)
        next = accept;
    if (s->draining && s->drain_until_ns < next)
        next = s->drain_until_ns > s->now_ns ? s->drain_until_ns : s->now_ns + CLOCK_NS_PER_MS;
    if (next == UINT64_MAX)
        return RING_WAIT_FOREVER;
    return next > s->now_ns ? next - s->now_ns : 0;
}

/* The watches' timer is one in the ring, seldom set, because a short wait costs more. */
static void shard_set_timer(struct shard *s)
{
    uint64_t next_ns = watch_wake_ns(s);
    if (next_ns >= s->timer_ns || next_ns <= s->now_ns)
        return;
    s->timer_ns = next_ns;
    ring_timer(s->ring, next_ns, op_pack(OP_TIMER, 0, 0));
}

/* One turn of the ring. Before it sleeps it may look again for spin_us: for isolated cores only. */
static uint32_t shard_reap(struct shard *s, struct ring_event *events)
{
    uint64_t wait_ns = shard_wait_ns(s);
    shard_set_timer(s);
    uint64_t begin_ns = clock_now_ns();
    uint32_t n = 0;
    metric_add(&s->metrics.busy_ns, begin_ns - s->now_ns);
    if (wait_ns > 0 && s->options->spin_us > 0) {
        uint64_t until_ns = begin_ns + s->options->spin_us * CLOCK_NS_PER_US;
        do
            n = ring_turn(s->ring, 0, events, LIMIT_TURN_EVENTS);
        while (n == 0 && clock_now_ns() < until_ns);
    }
    if (n == 0) {
        if (wait_ns > 0)
            board_sleep(&s->board);
        n = ring_turn(s->ring, wait_ns, events, LIMIT_TURN_EVENTS);
        board_wake(&s->board);
    }
    s->now_ns = clock_now_ns();
    metric_add(wait_ns > 0 ? &s->metrics.idle_ns : &s->metrics.busy_ns, s->now_ns - begin_ns);
    return n;
}

static void shard_gauges(struct shard *s)
{
    metric_add(&s->metrics.loop_turns, 1);
    metric_set(&s->metrics.arena_used_bytes, arena_used_bytes(&s->arenas));
    metric_set(&s->metrics.ring_cq_overflows, ring_overflows(s->ring));
}

static void shard_loop(struct shard *s)
{
    struct ring_event events[LIMIT_TURN_EVENTS];
    struct deadline *due;
    s->now_ns = clock_now_ns();
    listeners_arm(s);
    shard_arm_doorbell(s);
    s->timer_ns = UINT64_MAX;
    watch_start(s);
    while (!shard_done(s)) {
        uint32_t n = shard_reap(s, events);
        for (uint32_t i = 0; i < n; i++)
            shard_event(s, &events[i]);
        shard_adopt_mail(s);
        work_take_back(s);
        shard_obey(s);
        listeners_run(s);
        while ((due = deadline_expired(&s->deadlines, s->now_ns)) != NULL)
            serve_expire(s, shard_conn_of(due));
        if (s->draining && s->now_ns >= s->drain_until_ns)
            for (uint32_t i = 0; i < s->conn_cap; i++)
                serve_force_close(s, &s->conns[i]);
        watch_run(s);
        shard_run_ready(s);
        hedge_run(s);
        shard_gauges(s);
    }
}

/* ---- the thread ---------------------------------------------------------------------------- */

static void shard_init_conns(struct shard *s)
{
    for (uint32_t i = s->conn_cap; i-- > 0;) {
        struct conn *c = &s->conns[i];
        atomic_init(&c->word, conn_word_make(0, CONN_FREE, CONN_OWNER_NONE));
        c->fd = -1;
        c->slot = s->first_slot + i;
        c->home = (uint8_t)s->index;
        deadline_init(&c->deadline);
        c->arms[CONN_HOME].next_ready = s->free_conns;
        s->free_conns = c;
    }
}

/* Pinning comes first, so that every page is first touched on this core's node. */
static int shard_init(struct shard *s)
{
    const struct options *o = s->options;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)s->cpu, &set);
    int rc = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (rc != 0)
        return -rc;
    s->heap = heap_new();
    if (s->heap == NULL)
        return -ENOMEM;
    s->scratch = heap_zalloc(s->heap, 1, o->slice_bytes);
    if (s->scratch == NULL)
        return -ENOMEM;
    const struct arena_config arena = arena_configure(o);
    rc = arena_pair_open(&s->arenas, &arena);
    if (rc != 0)
        return rc;
    metric_set(&s->metrics.arena_size_bytes, 2 * arena.size_bytes);
    metric_set(&s->metrics.arena_locked_bytes,
               s->arenas.lock_failed || o->mlock == OPTIONS_MLOCK_OFF ? 0 : 2 * arena.size_bytes);
    request_pool_init(&s->requests, s->heap, o->max_inflight, (uint8_t)s->index);
    hedge_init(&s->hedger, o->hedge_budget_ppm);
    hedge_history_init(&s->history, o->hedge_budget_ppm);
    const uint64_t after_ns[DEADLINE_KINDS] = {
        [DEADLINE_IDLE] = o->idle_ns,
        [DEADLINE_FRAME] = o->frame_ns,
        [DEADLINE_WAIT_PLACE] = o->backpressure_ns,
        [DEADLINE_WAIT_GRANULE] = o->backpressure_ns,
        [DEADLINE_WAIT_GROW] = o->backpressure_ns,
        [DEADLINE_REPLY] = o->reply_ns,
        [DEADLINE_LINGER] = LIMIT_LINGER_MS * CLOCK_NS_PER_MS,
        [DEADLINE_GRACE] = LIMIT_DRAIN_GRACE_MS * CLOCK_NS_PER_MS,
    };
    deadlines_init(&s->deadlines, after_ns);
    fault_init(&s->fault, o, s->index);
    fault_count(&s->fault, &s->metrics, s->sibling != NULL ? &s->sibling->fault : NULL,
                s->ward != NULL ? &s->ward->fault : NULL);
    shard_init_conns(s);
    return ring_enable(s->ring);
}

/* Tells main how it went, and waits for its word. */
static bool shard_report(struct shard *s, int error)
{
    struct shard_set *set = s->set;
    (void)pthread_mutex_lock(&set->lock);
    s->start_error = error;
    set->n_reported++;
    (void)pthread_cond_broadcast(&set->changed);
    while (set->go == SHARD_GO_WAIT)
        (void)pthread_cond_wait(&set->changed, &set->lock);
    bool run = set->go == SHARD_GO_RUN;
    (void)pthread_mutex_unlock(&set->lock);
    return run;
}

/* A sibling may still read what is in our memory. */
static void shard_end_together(struct shard *s)
{
    struct shard_set *set = s->set;
    (void)pthread_mutex_lock(&set->lock);
    set->n_ended++;
    (void)pthread_cond_broadcast(&set->changed);
    while (set->n_ended < set->n_shards)
        (void)pthread_cond_wait(&set->changed, &set->lock);
    (void)pthread_mutex_unlock(&set->lock);
}

static void *shard_main(void *arg)
{
    struct shard *s = arg;
    char name[16];
    (void)snprintf(name, sizeof name, "l0-shard-%u", s->index); /* for top, perf and debuggers */
    (void)pthread_setname_np(pthread_self(), name);
    int error = shard_init(s);
    if (shard_report(s, error) && error == 0) {
        shard_loop(s);
        shard_end_together(s);
    }
    heap_destroy(s->heap);
    return NULL;
}

int shard_start(struct shard *s)
{
    return -pthread_create(&s->thread, NULL, shard_main, s);
}

int shard_set_wait(struct shard_set *set, uint32_t n)
{
    int error = 0;
    (void)pthread_mutex_lock(&set->lock);
    while (set->n_reported < n)
        (void)pthread_cond_wait(&set->changed, &set->lock);
    for (uint32_t i = n; i-- > 0;)
        if (set->shards[i].start_error != 0)
            error = set->shards[i].start_error;
    (void)pthread_mutex_unlock(&set->lock);
    return error;
}

void shard_set_go(struct shard_set *set, enum shard_go go)
{
    (void)pthread_mutex_lock(&set->lock);
    set->go = go;
    (void)pthread_cond_broadcast(&set->changed);
    (void)pthread_mutex_unlock(&set->lock);
}
