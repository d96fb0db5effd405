/* One thread of the open loop. */
#ifndef L0_BENCH_OPEN_THREAD_H
#define L0_BENCH_OPEN_THREAD_H

#include "bench/meter.h"
#include "bench/open.h"

#include <pthread.h>

#define OPEN_REPLY_BYTES_MAX (UINT32_C(16) << 20) /* any_reply: a longer one is none */

struct open_conn;

/* Filled before it starts, but for what the second part says. */
struct open_thread {
    const struct open_options *options;
    const uint8_t *frame; /* the request, header and document */
    size_t frame_bytes;
    unsigned index;
    uint32_t n_conns;
    struct open_row *rows; /* its share, by due_ns, warm-up included */
    size_t n_rows;
    const _Atomic bool *stop;
    int done_fd; /* an eventfd: 1 is added at the end */
    pthread_t thread;

    /* read while it runs (meter) and afterwards */
    struct meter *meter;
    uint64_t n_sent;
    uint64_t n_reconnects;
    uint64_t n_errors;
    uint64_t busy_ns;    /* time in which it was not waiting for anything */
    uint64_t starved_ns; /* time in which it waited for a processor, as the kernel says */
    uint64_t begin_ns, end_ns;
    int rc; /* negative errno: the connections could not be made, or none is left */
    char failure[512];

    /* its own */
    int epoll;
    int timer;         /* a timerfd in the epoll set */
    uint64_t timer_ns; /* when it goes off, or has */
    struct open_conn *conns;
    /* Connections without a request, a ring of n_conns. The one that has been idle longest is next:
     * so that all of them see load, and with them all of the service's threads. */
    uint32_t *idle;
    uint32_t idle_first, n_idle;
    uint32_t n_alive;
    size_t next;        /* the row that is due next */
    size_t n_open;      /* sent, and not answered */
    uint64_t idle_ns;   /* since when there is an idle one */
    uint64_t expire_ns; /* when to look for timeouts again */
};

/* Opens the connections. 0, or negative errno with failure set; open_thread_close is due either
 * way. */
int open_thread_connect(struct open_thread *thread);

/* The body, for pthread_create: sends all rows when they are due, waits for the replies. */
void *open_thread_work(void *thread);

void open_thread_close(struct open_thread *thread);

#endif
