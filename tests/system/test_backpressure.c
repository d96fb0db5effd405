/* When memory or places run out: requests wait, and are answered rightly, or busy in the end. All
 * with one shard, whose arena has room for one document of the largest size and half another. */
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGEST_BYTES = 500000, CLIENTS = 6 };

struct pressure {
    struct daemon d;
    struct traffic_doc large, middle, small;
};

/* more: NULL-terminated options; of two equal ones the last counts. */
static void pressure_start(struct pressure *p, const char *const *more)
{
    char core[16];
    cr_assert(traffic_cores(core, sizeof core, 1));
    const char *args[32] = {"--admin", "127.0.0.1:0",     "--cores", core,         "--arena-mb",
                            "1",       "--max-req-bytes", "500000",  "--frame-ms", "60000"};
    for (int n = 10; *more != NULL; more++)
        args[n++] = *more;
    daemon_start(&p->d, args, NULL);
    traffic_doc_make(&p->large, LARGEST_BYTES, 1);
    traffic_doc_make(&p->middle, 240000, 5);
    traffic_doc_make(&p->small, 100000, 2);
}

static void pressure_stop(struct pressure *p)
{
    traffic_expect_settled(&p->d, 0);
    daemon_expect_well(&p->d);
    daemon_stop(&p->d);
    traffic_doc_free(&p->large);
    traffic_doc_free(&p->middle);
    traffic_doc_free(&p->small);
}

/* Sends all of the document but its last byte, and waits until that is received. */
static int pressure_hold(struct pressure *p, const struct traffic_doc *doc)
{
    uint64_t before = daemon_metric_sum(&p->d, "l0_received_bytes_total");
    uint64_t after = before + WIRE_HEADER_BYTES + doc->n_bytes - 1;
    int fd = daemon_connect(&p->d);
    traffic_send_partial(fd, doc->n_bytes, doc->bytes, doc->n_bytes - 1);
    cr_assert_eq(daemon_await_metric_sum(&p->d, "l0_received_bytes_total", after, 20000), after);
    return fd;
}

static void pressure_expect_reply(int fd, const struct traffic_doc *doc)
{
    const struct traffic_script reply = {.want = malloc(WIRE_REPLY_BYTES),
                                         .want_bytes = WIRE_REPLY_BYTES};
    wire_encode_reply(reply.want, &doc->want);
    traffic_script_run(fd, &reply, 0, 0);
    free(reply.want);
}

/* The last byte of what was held: the document is answered. */
static void pressure_complete(int fd, const struct traffic_doc *doc)
{
    cr_assert(daemon_write(fd, doc->bytes + doc->n_bytes - 1, 1));
    pressure_expect_reply(fd, doc);
    (void)close(fd);
}

/* The document is sent on a new connection; it is made to wait, and no reply comes yet. The whole
 * of it fits the socket's buffers. */
static int pressure_wait(struct pressure *p, const struct traffic_doc *doc)
{
    uint64_t waits = daemon_metric(&p->d, "l0_backpressure_waits_total") + 1;
    int fd = daemon_connect(&p->d);
    cr_assert_eq(l0_send(fd, doc->bytes, doc->n_bytes), 0);
    cr_assert_eq(daemon_await_metric_sum(&p->d, "l0_backpressure_waits_total", waits, 20000),
                 waits);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&readable, 1, 50), 0);
    return fd;
}

/* ---- places -------------------------------------------------------------------------------- */

Test(backpressure, a_request_waits_for_a_place)
{
    struct pressure p;
    pressure_start(&p, (const char *const[]){"--max-inflight", "1", NULL});
    int holder = pressure_hold(&p, &p.small);
    int waiters[3];
    for (int i = 0; i < 3; i++)
        waiters[i] = pressure_wait(&p, &p.small);
    pressure_complete(holder, &p.small);
    for (int i = 0; i < 3; i++) {
        pressure_expect_reply(waiters[i], &p.small);
        (void)close(waiters[i]);
    }
    pressure_stop(&p);
}

Test(backpressure, a_request_that_waited_too_long_for_a_place_is_told_busy)
{
    struct pressure p;
    pressure_start(&p,
                   (const char *const[]){"--max-inflight", "1", "--backpressure-ms", "500", NULL});
    int holder = pressure_hold(&p, &p.small);
    int waiter = pressure_wait(&p, &p.small);
    traffic_expect_refusal(waiter, WIRE_BUSY);
    (void)close(waiter);
    pressure_complete(holder, &p.small);
    cr_assert_eq(daemon_metric(&p.d, "l0_errors_total{status=\"busy\"}"), 1);
    pressure_stop(&p);
}

/* ---- memory -------------------------------------------------------------------------------- */

Test(backpressure, a_request_waits_for_memory)
{
    struct pressure p;
    pressure_start(&p, (const char *const[]){NULL});
    int holders[2] = {pressure_hold(&p, &p.large), pressure_hold(&p, &p.middle)};
    int waiter = pressure_wait(&p, &p.small);
    pressure_complete(holders[0], &p.large);
    pressure_expect_reply(waiter, &p.small);
    pressure_complete(holders[1], &p.middle);
    (void)close(waiter);
    pressure_stop(&p);
}

Test(backpressure, a_request_that_waited_too_long_for_memory_is_told_busy)
{
    struct pressure p;
    pressure_start(&p, (const char *const[]){"--backpressure-ms", "500", NULL});
    int holders[2] = {pressure_hold(&p, &p.large), pressure_hold(&p, &p.middle)};
    int waiter = pressure_wait(&p, &p.small);
    traffic_expect_refusal(waiter, WIRE_BUSY);
    (void)close(waiter);
    pressure_complete(holders[0], &p.large);
    pressure_complete(holders[1], &p.middle);
    cr_assert_eq(daemon_metric(&p.d, "l0_errors_total{status=\"busy\"}"), 1);
    pressure_stop(&p);
}

Test(backpressure, memory_comes_back_when_its_holder_leaves)
{
    struct pressure p;
    pressure_start(&p, (const char *const[]){NULL});
    int holders[2] = {pressure_hold(&p, &p.large), pressure_hold(&p, &p.middle)};
    int gone = pressure_wait(&p, &p.small);
    int waiter = pressure_wait(&p, &p.small);
    (void)close(gone); /* is noticed when its turn comes */
    (void)close(holders[0]);
    pressure_expect_reply(waiter, &p.small);
    pressure_complete(holders[1], &p.middle);
    (void)close(waiter);
    pressure_stop(&p);
}

Test(backpressure, memory_comes_back_when_its_holder_is_too_slow)
{
    struct pressure p;
    pressure_start(&p, (const char *const[]){"--frame-ms", "2000", NULL});
    int holders[2] = {pressure_hold(&p, &p.large), pressure_hold(&p, &p.middle)};
    int waiter = pressure_wait(&p, &p.small);
    pressure_expect_reply(waiter, &p.small);
    for (int i = 0; i < 2; i++) {
        traffic_expect_refusal(holders[i], WIRE_TIMED_OUT);
        (void)close(holders[i]);
    }
    (void)close(waiter);
    pressure_stop(&p);
}

/* ---- crowds -------------------------------------------------------------------------------- */

/* A thread that has the document answered so many times; told busy, it comes again. */
struct pressure_client {
    const struct daemon *d;
    const struct traffic_doc *doc;
    unsigned answers_due, busy;
    const char *failure; /* NULL: none */
    pthread_t thread;
};

static void *pressure_client_main(void *arg)
{
    struct pressure_client *c = arg;
    uint64_t until_ns = traffic_now_ns() + UINT64_C(90000000000);
    int fd = l0_connect(c->d->unix_path, 60000);
    while (c->answers_due > 0 && c->failure == NULL) {
        const char *error = traffic_doc_request(fd, c->doc);
        if (error == NULL) {
            c->answers_due--;
        } else if (strcmp(error, wire_status_name(WIRE_BUSY)) == 0 && traffic_now_ns() < until_ns) {
            c->busy++;
            (void)close(fd);
            fd = l0_connect(c->d->unix_path, 60000);
        } else {
            c->failure = error;
        }
    }
    (void)close(fd);
    return NULL;
}

/* How often they were told busy, in all. */
static unsigned pressure_crowd(const struct pressure *p, const struct traffic_doc *doc,
                               unsigned answers)
{
    struct pressure_client clients[CLIENTS];
    unsigned busy = 0;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct pressure_client){.d = &p->d, .doc = doc, .answers_due = answers};
        cr_assert_eq(pthread_create(&clients[i].thread, NULL, pressure_client_main, &clients[i]),
                     0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        (void)pthread_join(clients[i].thread, NULL);
        busy += clients[i].busy;
    }
    for (int i = 0; i < CLIENTS; i++)
        cr_assert_null(clients[i].failure, "%s", clients[i].failure);
    return busy;
}

Test(backpressure, a_crowd_for_one_place_is_served_one_by_one)
{
    struct pressure p;
    pressure_start(
        &p, (const char *const[]){"--max-inflight", "1", "--backpressure-ms", "120000", NULL});
    cr_assert_eq(pressure_crowd(&p, &p.small, 20), 0);
    cr_assert_gt(daemon_metric(&p.d, "l0_backpressure_waits_total"), 0);
    pressure_stop(&p);
}

/* Six documents that together take four times the memory there is: who has begun to grow can
 * finish, so nobody waits for ever and nobody is told busy. */
Test(backpressure, a_crowd_for_little_memory_is_served)
{
    struct pressure p;
    pressure_start(&p, (const char *const[]){"--backpressure-ms", "120000", NULL});
    cr_assert_eq(pressure_crowd(&p, &p.large, 5), 0);
    cr_assert_gt(daemon_metric(&p.d, "l0_backpressure_waits_total"), 0);
    /* The last one is counted right after its reply. */
    cr_assert_eq(daemon_await_metric_sum(&p.d, "l0_requests_total", UINT64_C(5) * CLIENTS, 20000),
                 UINT64_C(5) * CLIENTS);
    pressure_stop(&p);
}

/* The same for few places as well, on connections that all have more to send: those who wait for a
 * place hold nothing that those who have one need. */
Test(backpressure, a_crowd_for_few_places_and_little_memory_is_served)
{
    struct pressure p;
    pressure_start(
        &p, (const char *const[]){"--max-inflight", "2", "--backpressure-ms", "120000", NULL});
    cr_assert_eq(pressure_crowd(&p, &p.middle, 10), 0);
    /* The last one is counted right after its reply. */
    cr_assert_eq(daemon_await_metric_sum(&p.d, "l0_requests_total", UINT64_C(10) * CLIENTS, 20000),
                 UINT64_C(10) * CLIENTS);
    pressure_stop(&p);
}

/* ---- fairness ------------------------------------------------------------------------------ */

/* Sends its document again and again on one connection, never waiting for a reply. */
struct pressure_greedy {
    const struct traffic_script *script;
    int fd;
    atomic_bool stop;
    pthread_t thread;
};

static void *pressure_greedy_main(void *arg)
{
    struct pressure_greedy *g = arg;
    while (!atomic_load(&g->stop) && daemon_write(g->fd, g->script->bytes, g->script->n_bytes))
        ;
    return NULL;
}

/* The greedy client's next document is always there already when the last one is answered; the
 * place must go to the one who waits all the same. */
Test(backpressure, a_pipelining_client_does_not_keep_the_place)
{
    struct traffic_script script = {0};
    struct traffic_doc tiny, two_slices;
    struct pressure p;
    pressure_start(&p, (const char *const[]){"--max-inflight", "1", "--slice-kb", "4",
                                             "--backpressure-ms", "5000", NULL});
    traffic_doc_make(&tiny, 10, 3);
    traffic_doc_make(&two_slices, 6000, 4);
    for (int i = 0; i < 100; i++)
        traffic_script_add(&script, &two_slices);
    struct pressure_greedy greedy = {.script = &script, .fd = daemon_connect(&p.d)};
    cr_assert_eq(pthread_create(&greedy.thread, NULL, pressure_greedy_main, &greedy), 0);
    cr_assert_eq(daemon_read_status(greedy.fd), WIRE_OK);
    int waiter = daemon_connect(&p.d);
    cr_assert_eq(l0_send(waiter, tiny.bytes, tiny.n_bytes), 0);
    struct pollfd readable = {.fd = waiter, .events = POLLIN};
    while (poll(&readable, 1, 0) == 0)
        cr_assert_eq(daemon_read_status(greedy.fd), WIRE_OK);
    pressure_expect_reply(waiter, &tiny);
    atomic_store(&greedy.stop, true);
    (void)shutdown(greedy.fd, SHUT_RDWR);
    (void)pthread_join(greedy.thread, NULL);
    (void)close(greedy.fd);
    (void)close(waiter);
    traffic_script_free(&script);
    traffic_doc_free(&tiny);
    traffic_doc_free(&two_slices);
    pressure_stop(&p);
}
