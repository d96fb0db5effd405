#include "bench/bare.h"

#include "bench/clock.h"
#include "bench/cores.h"
#include "gate/decimal.h"
#include "proto/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define EVENTS_MAX 64

/* Pins the caller as the generator's first thread would be; cores_pin(before) undoes it. */
static void pin(const struct open_options *options, cpu_set_t *before)
{
    if (sched_getaffinity(0, sizeof *before, before) == 0 && options->cores != NULL)
        cores_pin_one(options->cores, 0);
}

/* Until shortly before it is due asleep, then awake. When the wait was over. */
static uint64_t wait_until_due(uint64_t due_ns, uint64_t spin_ns)
{
    uint64_t now_ns = bench_now_ns();
    if (now_ns < due_ns - spin_ns)
        bench_sleep_until(due_ns - spin_ns);
    do
        now_ns = bench_now_ns();
    while (now_ns < due_ns);
    return now_ns;
}

static int ping_pong(int fd, const struct open_options *o, const struct document *document,
                     struct sample *trips, struct sample *lags)
{
    int rc = 0;
    uint64_t start_ns = bench_now_ns() + 2 * o->spin_ns;
    uint64_t n_warm = (uint64_t)((double)o->rate * (double)o->warmup_ns / 1e9);
    uint64_t n = n_warm + (uint64_t)((double)o->rate * (double)o->duration_ns / 1e9);
    uint64_t done_ns = start_ns;
    for (uint64_t i = 0; i < n && rc == 0; i++) {
        struct wire_reply reply;
        uint64_t due_ns = start_ns + i * 1000000000u / o->rate;
        uint64_t could_ns = due_ns > done_ns ? due_ns : done_ns;
        uint64_t sent_ns = wait_until_due(due_ns, o->spin_ns);
        rc = l0_request(fd, document->bytes, document->n_bytes, &reply);
        done_ns = bench_now_ns();
        if (rc == 0 && i >= n_warm)
            rc = sample_add(trips, (done_ns - sent_ns) * GATE_PS_PER_NS, i);
        if (rc == 0 && i >= n_warm)
            rc = sample_add(lags, (sent_ns - could_ns) * GATE_PS_PER_NS, i);
    }
    return rc;
}

int bare_ping_pong(const struct open_options *options, const struct document *document,
                   struct sample *trips, struct sample *lags)
{
    cpu_set_t before;
    int fd = l0_connect(options->target, TIMEOUT_MS);
    if (fd < 0)
        return fd;
    pin(options, &before);
    prctl(PR_SET_TIMERSLACK, 1UL);
    int rc = ping_pong(fd, options, document, trips, lags);
    cores_pin(&before);
    close(fd);
    sample_sort(trips);
    sample_sort(lags);
    return rc;
}

static int send_frame(int fd, const uint8_t *frame, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = send(fd, frame, bytes, MSG_NOSIGNAL);
        if (n < 0)
            return -errno;
        frame += n;
        bytes -= (size_t)n;
    }
    return 0;
}

/* Answers one event: a whole reply, and the next request. 1, 0 for a part of one, or negative
 * errno. */
static int serve_event(int fd, const uint8_t *frame, size_t bytes)
{
    uint8_t reply[WIRE_REPLY_BYTES];
    ssize_t n = recv(fd, reply, sizeof reply, MSG_WAITALL);
    if (n != (ssize_t)sizeof reply)
        return n < 0 ? -errno : -ENODATA;
    int rc = send_frame(fd, frame, bytes);
    return rc == 0 ? 1 : rc;
}

static int saturate(int epoll, const uint8_t *frame, size_t bytes, uint64_t n, double *rate)
{
    struct epoll_event events[EVENTS_MAX];
    uint64_t begin_ns = bench_now_ns(), n_done = 0;
    while (n_done < n) {
        int n_events = epoll_wait(epoll, events, EVENTS_MAX, TIMEOUT_MS);
        if (n_events <= 0)
            return n_events == 0 ? -ETIMEDOUT : -errno;
        for (int i = 0; i < n_events; i++) {
            int rc = serve_event(events[i].data.fd, frame, bytes);
            if (rc < 0)
                return rc;
            n_done += (uint64_t)rc;
        }
    }
    *rate = (double)n_done * 1e9 / (double)(bench_now_ns() - begin_ns);
    return 0;
}

/* Connects, and sends each connection's first request. 0 or negative errno. */
static int begin_all(const char *target, int epoll, int *fds, uint32_t n_conns,
                     const uint8_t *frame, size_t bytes)
{
    int rc = 0;
    for (uint32_t i = 0; i < n_conns && rc == 0; i++) {
        fds[i] = l0_connect(target, TIMEOUT_MS);
        if (fds[i] < 0)
            return fds[i];
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};
        rc = epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) != 0 ? -errno : 0;
        if (rc == 0)
            rc = send_frame(fds[i], frame, bytes);
    }
    return rc;
}

int bare_saturate(const struct open_options *options, const struct document *document, uint64_t n,
                  double *rate)
{
    uint32_t n_conns = options->n_conns;
    size_t bytes = WIRE_HEADER_BYTES + (size_t)document->n_bytes;
    uint8_t *frame = malloc(bytes);
    int *fds = malloc(n_conns * sizeof *fds);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int rc = frame == NULL || fds == NULL ? -ENOMEM : epoll < 0 ? -errno : 0;
    for (uint32_t i = 0; fds != NULL && i < n_conns; i++)
        fds[i] = -1;
    if (rc == 0) {
        cpu_set_t before;
        pin(options, &before);
        wire_put_u32(frame, document->n_bytes);
        memcpy(frame + WIRE_HEADER_BYTES, document->bytes, document->n_bytes);
        rc = begin_all(options->target, epoll, fds, n_conns, frame, bytes);
        if (rc == 0)
            rc = saturate(epoll, frame, bytes, n, rate);
        cores_pin(&before);
    }
    for (uint32_t i = 0; fds != NULL && i < n_conns; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (epoll >= 0)
        close(epoll);
    free(fds);
    free(frame);
    return rc;
}
