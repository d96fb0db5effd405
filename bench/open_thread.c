#include "bench/open_thread.h"

#include "bench/clock.h"
#include "bench/cores.h"
#include "proto/client.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TIMER_EVENT    UINT32_MAX /* where the number of a connection stands otherwise */
#define EVENTS_MAX     64
#define WAIT_NS_MAX    UINT64_C(50000000) /* so often the stop flag and the timeouts are looked at */
#define RECV_BYTES     4096
#define CONNECT_MS_MAX 2000u

struct open_conn {
    int fd; /* -1: given up */
    bool waits_to_write;
    struct open_row *row; /* under way; NULL: idle */
    size_t sent;          /* bytes of the frame */
    size_t had;           /* bytes of the reply; the first of them are in reply */
    uint8_t reply[WIRE_REPLY_BYTES];
};

/* ---- connections ---------------------------------------------------------------------------- */

static void watch(struct open_thread *t, uint32_t index, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = index};
    epoll_ctl(t->epoll, operation, t->conns[index].fd, &event);
}

/* 0 or negative errno. */
static int open_conn(struct open_thread *t, uint32_t index)
{
    unsigned timeout_ms = t->options->timeout_ms;
    assert(t->conns != NULL);
    struct open_conn *conn = &t->conns[index];
    *conn = (struct open_conn){.fd = -1};
    int fd =
        l0_connect(t->options->target, timeout_ms < CONNECT_MS_MAX ? timeout_ms : CONNECT_MS_MAX);
    if (fd < 0)
        return fd;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    conn->fd = fd;
    t->n_alive++;
    watch(t, index, EPOLL_CTL_ADD, EPOLLIN);
    return 0;
}

static void make_idle(struct open_thread *t, uint32_t index, uint64_t now_ns)
{
    if (t->n_idle == 0)
        t->idle_ns = now_ns;
    t->idle[(t->idle_first + t->n_idle++) % t->n_conns] = index;
}

static uint32_t take_idle(struct open_thread *t)
{
    uint32_t index = t->idle[t->idle_first];
    t->idle_first = (t->idle_first + 1) % t->n_conns;
    t->n_idle--;
    return index;
}

static void forget_idle(struct open_thread *t, uint32_t index)
{
    for (uint32_t n = t->n_idle; n > 0; n--) {
        uint32_t other = take_idle(t);
        if (other != index)
            t->idle[(t->idle_first + t->n_idle++) % t->n_conns] = other;
    }
}

/* ---- requests ------------------------------------------------------------------------------- */

/* Sends what the socket takes. */
static void send_more(struct open_thread *t, uint32_t index)
{
    struct open_conn *conn = &t->conns[index];
    while (conn->sent < t->frame_bytes) {
        ssize_t n = send(conn->fd, t->frame + conn->sent, t->frame_bytes - conn->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        conn->sent += (size_t)n;
    }
    /* Another error than a full socket: receiving tells whether a reply came all the same. */
    bool waits = conn->sent < t->frame_bytes;
    if (waits != conn->waits_to_write) {
        conn->waits_to_write = waits;
        watch(t, index, EPOLL_CTL_MOD, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

static void send_row(struct open_thread *t, struct open_row *row, uint64_t now_ns)
{
    uint32_t index = take_idle(t);
    struct open_conn *conn = &t->conns[index];
    uint64_t could_ns = row->due_ns > t->idle_ns ? row->due_ns : t->idle_ns;
    row->sent_ns = now_ns;
    row->lag_ns = now_ns > could_ns ? now_ns - could_ns : 0;
    conn->row = row;
    conn->sent = 0;
    conn->had = 0;
    t->n_open++;
    t->n_sent++;
    send_more(t, index);
}

/* Sends all that is due as far as there are connections. When that was done: now_ns, when nothing
 * was. */
static uint64_t send_due(struct open_thread *t, uint64_t now_ns)
{
    while (t->next < t->n_rows && t->n_idle > 0 && t->rows[t->next].due_ns <= now_ns) {
        send_row(t, &t->rows[t->next++], now_ns);
        now_ns = bench_now_ns();
    }
    return now_ns;
}

/* ---- replies -------------------------------------------------------------------------------- */

static void note_failure(struct open_thread *t, const struct open_row *row, const char *what)
{
    if (t->failure[0] == '\0')
        snprintf(t->failure, sizeof t->failure, "request %zu of thread %u: %s",
                 (size_t)(row - t->rows) + 1, t->index, what);
}

/* The request is over; its connection is not idle by this yet. */
static void finish(struct open_thread *t, struct open_conn *conn, unsigned status)
{
    struct open_row *row = conn->row;
    row->status = (uint8_t)status;
    conn->row = NULL;
    t->n_open--;
    if (status != OPEN_OK) {
        t->n_errors++;
        meter_add_error(t->meter);
        note_failure(t, row, open_status_name(status));
        return;
    }
    meter_add(t->meter, row->done_ns - row->due_ns);
    if (row->origin == WIRE_ORIGIN_HEDGE)
        meter_add_hedge(t->meter);
}

/* Ends a connection whose stream cannot be followed any more, and opens another in its place. */
static void replace(struct open_thread *t, uint32_t index, unsigned status)
{
    struct open_conn *conn = &t->conns[index];
    if (conn->row != NULL)
        finish(t, conn, status);
    else
        forget_idle(t, index);
    close(conn->fd);
    t->n_alive--;
    t->n_reconnects++;
    /* A server that ends every connection at once must not keep us busy for ever. */
    int rc = t->n_reconnects > t->n_rows + t->n_conns ? -ECONNRESET : open_conn(t, index);
    if (rc == 0) {
        make_idle(t, index, bench_now_ns());
    } else {
        t->conns[index].fd = -1;
        t->rc = t->n_alive == 0 ? rc : 0;
    }
}

/* A whole reply is there. Its status; OPEN_LOST when the stream is broken. */
static unsigned judge_reply(struct open_thread *t, struct open_conn *conn)
{
    const struct open_options *o = t->options;
    struct wire_reply reply;
    if (o->any_reply)
        return OPEN_OK;
    if (wire_decode_reply(conn->reply, &reply) != 0)
        return OPEN_LOST;
    conn->row->origin = reply.origin;
    if (reply.status != WIRE_OK)
        return reply.status < OPEN_PENDING ? reply.status : OPEN_WRONG;
    bool right = reply.n_tokens == o->n_tokens && reply.issues_len == o->issues_len &&
                 reply.origin != WIRE_ORIGIN_ERROR;
    return right ? OPEN_OK : OPEN_WRONG;
}

/* Bytes that the reply has in all, as far as its header tells; 0 when it can be no reply. */
static size_t reply_bytes(const struct open_thread *t, const struct open_conn *conn)
{
    if (!t->options->any_reply)
        return WIRE_REPLY_BYTES;
    if (conn->had < WIRE_HEADER_BYTES)
        return WIRE_HEADER_BYTES + 1;
    uint32_t body = wire_get_u32(conn->reply);
    return body > OPEN_REPLY_BYTES_MAX ? 0 : WIRE_HEADER_BYTES + (size_t)body;
}

/* Takes n bytes that have come. Whether the stream can be followed on. */
static bool take(struct open_thread *t, uint32_t index, const uint8_t *bytes, size_t n,
                 uint64_t now_ns)
{
    struct open_conn *conn = &t->conns[index];
    if (conn->row == NULL)
        return false; /* nothing was due */
    if (conn->had == 0)
        conn->row->first_ns = now_ns;
    size_t room = conn->had < sizeof conn->reply ? sizeof conn->reply - conn->had : 0;
    memcpy(conn->reply + conn->had * (room > 0), bytes, n < room ? n : room);
    conn->had += n;
    size_t whole = reply_bytes(t, conn);
    if (conn->had < whole)
        return true;
    if (conn->had > whole || conn->sent < t->frame_bytes)
        return false; /* more than was due, or before all was asked */
    conn->row->done_ns = now_ns;
    unsigned status = judge_reply(t, conn);
    if (status == OPEN_LOST)
        return false;
    finish(t, conn, status);
    make_idle(t, index, now_ns);
    send_due(t, now_ns); /* what waited for a connection goes out before other replies are read */
    return true;
}

static void receive(struct open_thread *t, uint32_t index)
{
    uint8_t bytes[RECV_BYTES];
    ssize_t n = recv(t->conns[index].fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || !take(t, index, bytes, (size_t)n, bench_now_ns()))
        replace(t, index, OPEN_LOST);
}

/* ---- the loop ------------------------------------------------------------------------------- */

/* Gives up what has waited too long, sent or not. */
static void expire(struct open_thread *t, uint64_t now_ns)
{
    uint64_t limit_ns = (uint64_t)t->options->timeout_ms * 1000000u;
    for (uint32_t i = 0; i < t->n_conns; i++) {
        const struct open_row *row = t->conns[i].row;
        if (row != NULL && now_ns > row->due_ns + limit_ns)
            replace(t, i, OPEN_TIMEOUT);
    }
    while (t->next < t->n_rows && now_ns > t->rows[t->next].due_ns + limit_ns) {
        struct open_row *row = &t->rows[t->next++];
        row->status = OPEN_UNSENT;
        t->n_errors++;
        meter_add_error(t->meter);
        note_failure(t, row, "no connection became free in time");
    }
    t->expire_ns = now_ns + WAIT_NS_MAX;
}

/* When to stop waiting for replies: shortly before the next request is due. */
static uint64_t wake_ns(const struct open_thread *t, uint64_t now_ns)
{
    uint64_t latest_ns = now_ns + WAIT_NS_MAX;
    if (t->next == t->n_rows || t->n_idle == 0)
        return latest_ns;
    uint64_t due_ns = t->rows[t->next].due_ns;
    uint64_t spin_ns = t->options->spin_ns;
    uint64_t wanted_ns = due_ns > spin_ns ? due_ns - spin_ns : 0;
    return wanted_ns < latest_ns ? wanted_ns : latest_ns;
}

/* Waits for events, at most until then. The timer is absolute: being preempted on the way into the
 * wait does not make it longer. One that goes off earlier than wanted only costs a turn. */
static int wait_for_events(struct open_thread *t, uint64_t now_ns, struct epoll_event *events)
{
    uint64_t until_ns = wake_ns(t, now_ns);
    if (t->options->busy_poll || until_ns <= now_ns)
        return epoll_wait(t->epoll, events, EVENTS_MAX, 0);
    if (t->timer_ns <= now_ns || t->timer_ns > until_ns) {
        const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(until_ns / 1000000000u),
                                                   .tv_nsec = (long)(until_ns % 1000000000u)}};
        if (timerfd_settime(t->timer, TFD_TIMER_ABSTIME, &at, NULL) != 0)
            return epoll_wait(t->epoll, events, EVENTS_MAX, 0);
        t->timer_ns = until_ns;
    }
    return epoll_wait(t->epoll, events, EVENTS_MAX, -1);
}

static void handle(struct open_thread *t, const struct epoll_event *event)
{
    uint32_t index = event->data.u32;
    if (index == TIMER_EVENT)
        return;
    if ((event->events & EPOLLOUT) != 0 && t->conns[index].row != NULL)
        send_more(t, index);
    if ((event->events & ~(uint32_t)EPOLLOUT) != 0)
        receive(t, index);
}

/* One turn from now_ns on: send what is due, wait, take what came. When it ended. */
static uint64_t turn(struct open_thread *t, uint64_t now_ns)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t wait_begin_ns = send_due(t, now_ns);
    t->busy_ns += wait_begin_ns - now_ns;
    int n = wait_for_events(t, wait_begin_ns, events);
    uint64_t woken_ns = bench_now_ns();
    if (n <= 0)
        return woken_ns;
    for (int i = 0; i < n; i++)
        handle(t, &events[i]);
    uint64_t end_ns = bench_now_ns();
    t->busy_ns += end_ns - woken_ns;
    return end_ns;
}

/* How long this thread has been runnable without running; 0 where the kernel does not say. */
static uint64_t starved_ns(void)
{
    unsigned long long ran_ns, waited_ns = 0;
    FILE *file = fopen("/proc/thread-self/schedstat", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu %llu", &ran_ns, &waited_ns) != 2)
        waited_ns = 0;
    fclose(file);
    return waited_ns;
}

void *open_thread_work(void *argument)
{
    struct open_thread *t = argument;
    if (t->options->cores != NULL)
        cores_pin_one(t->options->cores, t->index);
    prctl(PR_SET_TIMERSLACK, 1UL); /* of its default, 50 us, every wake-up would be late */
    uint64_t starved_before_ns = starved_ns();
    uint64_t now_ns = t->begin_ns = bench_now_ns();
    while (t->rc == 0 && (t->next < t->n_rows || t->n_open > 0) &&
           !atomic_load_explicit(t->stop, memory_order_relaxed)) {
        now_ns = turn(t, now_ns);
        if (now_ns >= t->expire_ns)
            expire(t, now_ns);
    }
    t->end_ns = now_ns;
    t->starved_ns = starved_ns() - starved_before_ns;
    uint64_t one = 1;
    (void)!write(t->done_fd, &one, sizeof one);
    return NULL;
}

/* The epoll set with its timer, which tells of each time it goes off once. 0 or negative errno. */
static int open_epoll(struct open_thread *t)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = TIMER_EVENT};
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return t->epoll < 0 || t->timer < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->timer, &event) != 0
               ? -errno
               : 0;
}

int open_thread_connect(struct open_thread *t)
{
    int rc = open_epoll(t);
    t->conns = calloc(t->n_conns, sizeof *t->conns);
    t->idle = calloc(t->n_conns, sizeof *t->idle);
    if (rc == 0 && (t->conns == NULL || t->idle == NULL))
        rc = -ENOMEM;
    for (uint32_t i = 0; t->conns != NULL && i < t->n_conns; i++)
        t->conns[i].fd = -1;
    for (uint32_t i = 0; i < t->n_conns && rc == 0; i++) {
        rc = open_conn(t, i);
        t->idle[t->n_idle] = i;
        t->n_idle += rc == 0;
    }
    if (rc != 0)
        snprintf(t->failure, sizeof t->failure, "%s: %s", t->options->target, strerror(-rc));
    return rc;
}

void open_thread_close(struct open_thread *t)
{
    for (uint32_t i = 0; t->conns != NULL && i < t->n_conns; i++)
        if (t->conns[i].fd >= 0)
            close(t->conns[i].fd);
    if (t->epoll >= 0)
        close(t->epoll);
    if (t->timer >= 0)
        close(t->timer);
    free(t->conns);
    free(t->idle);
    t->conns = NULL;
    t->idle = NULL;
    t->epoll = t->timer = -1;
}
