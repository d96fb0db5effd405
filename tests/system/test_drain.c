/* S07: what SIGTERM does to requests in hand, to clients that go on sending, and to a drain that
 * will not end. */
#include "tests/system/daemon.h"

#include "proto/wire.h"
#include "tests/system/refused.h"
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(drain);

enum { END_MS = 60000 };

static void begin_drain(const struct daemon *d, int signal_number)
{
    cr_assert_eq(kill(d->pid, signal_number), 0);
    cr_assert(log_await(d, "draining"));
}

static void expect_end(struct daemon *d, int exit_code)
{
    cr_expect_eq(daemon_wait(d, END_MS), exit_code);
    cr_expect_neq(access(d->unix_path, F_OK), 0, "the socket is still there");
    if (d->pid > 0)
        (void)kill(d->pid, SIGKILL);
    daemon_cleanup(d);
}

/* ---- under load ----------------------------------------------------------------------------- */

/* A client that sends window requests at a time and reads their replies, until the stream ends. */
struct drain_client {
    int fd;
    unsigned window;
    const struct traffic_doc *doc;
    uint64_t sent, replied; /* whole ones; the thread's until it is joined */
    const char *failure;
    pthread_t thread;
};

/* A reply; 0, 1 at the end of the stream, with *failure set where that lies inside a reply. */
static int read_reply(int fd, struct wire_reply *reply, const char **failure)
{
    uint8_t bytes[WIRE_REPLY_BYTES];
    size_t had = 0;
    while (had < sizeof bytes) {
        ssize_t n = recv(fd, bytes + had, sizeof bytes - had, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != ECONNRESET)
            *failure = "neither a reply nor an end within the time limit";
        else if (n <= 0 && had > 0)
            *failure = "the stream ends within a reply";
        if (n <= 0)
            return 1;
        had += (size_t)n;
    }
    if (wire_decode_reply(bytes, reply) != 0)
        *failure = "not a reply";
    return *failure != NULL;
}

static bool read_window(struct drain_client *c)
{
    for (unsigned i = 0; i < c->window; i++) {
        struct wire_reply reply;
        if (read_reply(c->fd, &reply, &c->failure) != 0)
            return false;
        c->replied++;
        if (reply.status == WIRE_SHUTTING_DOWN)
            return false;
        if (reply.status != WIRE_OK || reply.n_tokens != c->doc->want.n_tokens ||
            reply.issues_len != c->doc->want.issues_len || reply.origin == WIRE_ORIGIN_ERROR) {
            c->failure = "a wrong reply";
            return false;
        }
    }
    return true;
}

static void *drain_client_run(void *arg)
{
    struct drain_client *c = arg;
    bool going = true;
    while (going) {
        int rc = 0;
        for (unsigned i = 0; i < c->window && rc == 0; i++)
            if ((rc = l0_send(c->fd, c->doc->bytes, c->doc->n_bytes)) == 0)
                c->sent++;
        if (rc != 0 && rc != -EPIPE && rc != -ECONNRESET)
            c->failure = "sending failed";
        going = read_window(c) && rc == 0;
    }
    return NULL;
}

/* The last line of the log says how many replies went out in all. */
static unsigned long long replies_logged(const struct daemon *d)
{
    unsigned long long n = 0;
    char *log = daemon_log(d);
    for (const char *line = log; (line = strstr(line, "[hedge] req=")) != NULL; line++)
        (void)sscanf(line, "[hedge] req=%llu", &n);
    free(log);
    return n;
}

static void wait_for_end_of_others(const struct daemon *d)
{
    for (int i = 0; i < 1000 && daemon_metric_sum(d, "l0_connections") > 1; i++)
        traffic_sleep_ms(10);
}

/* One half-sent document keeps the drain open until the books have been read. */
Test(drain, s07_every_accepted_request_is_answered)
{
    enum { CLIENTS = 6, CLOSED_LOOP = 4, WINDOW = 32, HELD_BYTES = 300000 };
    struct daemon d;
    struct traffic_doc small;
    struct traffic_doc held;
    struct drain_client clients[CLIENTS];
    uint64_t replied = 0;
    traffic_doc_make(&small, 4096, 7);
    traffic_doc_make(&held, HELD_BYTES, 8);
    daemon_start(&d, ARGS("--admin", "127.0.0.1:0", "--drain-ms", "60000", "--frame-ms", "60000"),
                 NULL);
    int holder = daemon_connect(&d);
    traffic_send_partial(holder, HELD_BYTES, held.bytes, HELD_BYTES / 2);
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_accepted_total", 1, END_MS), 1);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct drain_client){
            .fd = daemon_connect(&d), .window = i < CLOSED_LOOP ? 1 : WINDOW, .doc = &small};
        cr_assert_eq(pthread_create(&clients[i].thread, NULL, drain_client_run, &clients[i]), 0);
    }
    traffic_sleep_ms(300);
    begin_drain(&d, SIGTERM);
    for (int i = 0; i < CLIENTS; i++) {
        cr_assert_eq(pthread_join(clients[i].thread, NULL), 0);
        cr_expect_null(clients[i].failure, "client %d: %s", i, clients[i].failure);
        cr_expect_leq(clients[i].replied, clients[i].sent);
        cr_expect_gt(clients[i].replied, 0);
        replied += clients[i].replied;
        (void)close(clients[i].fd);
    }
    wait_for_end_of_others(&d);
    cr_expect_eq(daemon_metric_sum(&d, "l0_requests_aborted_total"), 0);
    cr_expect_eq(daemon_metric_sum(&d, "l0_requests_total"), replied);
    cr_expect_eq(daemon_metric_sum(&d, "l0_requests_accepted_total"), replied + 1);

    struct wire_reply reply;
    cr_assert(daemon_write(holder, held.bytes + HELD_BYTES / 2, HELD_BYTES - HELD_BYTES / 2));
    cr_assert_eq(l0_recv(holder, &reply), 0);
    cr_expect_eq(reply.status, WIRE_OK);
    cr_expect_eq(reply.n_tokens, held.want.n_tokens);
    cr_expect_eq(l0_recv(holder, &reply), -ENODATA);
    (void)close(holder);
    cr_expect_eq(daemon_wait(&d, END_MS), 0);
    cr_expect_eq(replies_logged(&d), replied + 1);
    cr_expect_neq(access(d.unix_path, F_OK), 0);
    daemon_cleanup(&d);
    traffic_doc_free(&small);
    traffic_doc_free(&held);
}

/* Connections that nobody has accepted yet when the signal comes are not left hanging. */
Test(drain, s07_backlog)
{
    enum { CLIENTS = 8 };
    struct daemon d;
    int fds[CLIENTS];
    daemon_start(&d, NULL, NULL);
    cr_assert_eq(kill(d.pid, SIGSTOP), 0);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = daemon_connect(&d);
        cr_assert_eq(l0_send(fds[i], "a", 1), 0);
    }
    cr_assert_eq(kill(d.pid, SIGTERM), 0);
    cr_assert_eq(kill(d.pid, SIGCONT), 0);
    for (int i = 0; i < CLIENTS; i++) {
        struct wire_reply reply = {0};
        const char *failure = NULL;
        if (read_reply(fds[i], &reply, &failure) == 0)
            cr_expect(reply.status == WIRE_OK || reply.status == WIRE_SHUTTING_DOWN);
        cr_expect_null(failure, "client %d: %s", i, failure);
        cr_expect(daemon_closes(fds[i], END_MS));
        (void)close(fds[i]);
    }
    expect_end(&d, 0);
}

/* ---- one client at a time ------------------------------------------------------------------- */

Test(drain, s07_idle_connections_end_quietly)
{
    struct daemon d;
    struct wire_reply reply;
    daemon_start(&d, NULL, NULL);
    int silent = daemon_connect(&d);
    int used = daemon_connect(&d);
    daemon_expect_ok(used, "a", 1);
    begin_drain(&d, SIGINT);
    cr_expect_eq(l0_recv(silent, &reply), -ENODATA);
    cr_expect_eq(l0_recv(used, &reply), -ENODATA);
    (void)close(silent);
    (void)close(used);
    expect_end(&d, 0);
}

Test(drain, s07_nobody_new_is_let_in)
{
    struct daemon d;
    daemon_start(&d,
                 ARGS("--tcp", "127.0.0.1:0", "--drain-ms", "60000", "--frame-ms", "60000",
                      "--admin", "127.0.0.1:0"),
                 NULL);
    int holder = daemon_connect(&d);
    traffic_send_partial(holder, 2, "a", 1);
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_accepted_total", 1, END_MS), 1);
    begin_drain(&d, SIGTERM);
    cr_expect_eq(l0_connect(d.unix_path, 20000), -ENOENT);
    int tcp = -ECONNREFUSED;
    for (int i = 0; i < 500 && (tcp = l0_connect(d.tcp, 20000)) >= 0; i++) {
        (void)close(tcp); /* a shard that has not closed its listener yet */
        traffic_sleep_ms(10);
    }
    cr_expect_eq(tcp, -ECONNREFUSED);
    cr_assert(daemon_write(holder, "b", 1));
    cr_expect_eq(daemon_read_status(holder), WIRE_OK);
    (void)close(holder);
    expect_end(&d, 0);
}

Test(drain, s07_half_a_request_is_told_at_the_limit)
{
    struct daemon d;
    daemon_start(&d, ARGS("--drain-ms", "700", "--admin", "127.0.0.1:0"), NULL);
    int in_header = daemon_connect(&d);
    int in_body = daemon_connect(&d);
    cr_assert(daemon_write(in_header, "\0\0", 2));
    traffic_send_partial(in_body, 1000, "abc", 3);
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_accepted_total", 2, END_MS), 2);
    begin_drain(&d, SIGTERM);
    traffic_expect_refusal(in_header, WIRE_SHUTTING_DOWN);
    traffic_expect_refusal(in_body, WIRE_SHUTTING_DOWN);
    (void)close(in_header);
    (void)close(in_body);
    expect_end(&d, 0);
}

/* A client that neither reads nor leaves does not hold the end up. */
Test(drain, s07_replies_nobody_takes)
{
    enum { FRAMES = 200000 };
    struct daemon d;
    static const uint8_t frame[] = {0, 0, 0, 1, 'a'};
    daemon_start(&d, ARGS("--drain-ms", "500", "--reply-ms", "60000"), NULL);
    int fd = daemon_connect(&d);
    for (int i = 0; i < FRAMES; i++)
        if (send(fd, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && i > 0)
            break; /* the daemon does not read on: its replies are stuck */
    begin_drain(&d, SIGTERM);
    expect_end(&d, 0);
    (void)close(fd);
}

/* ---- signals -------------------------------------------------------------------------------- */

static void expect_second_signal_ends(int first, int second)
{
    struct daemon d;
    daemon_start(&d,
                 ARGS("--drain-ms", "86400000", "--frame-ms", "86400000", "--admin", "127.0.0.1:0"),
                 NULL);
    int holder = daemon_connect(&d);
    daemon_expect_ok(holder, "a", 1);
    traffic_send_partial(holder, 2, "a", 1);
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_accepted_total", 2, END_MS), 2);
    begin_drain(&d, first);
    traffic_sleep_ms(200);
    cr_expect_eq(daemon_wait(&d, 0), -1, "it waits for the request");
    cr_assert_eq(kill(d.pid, second), 0);
    expect_end(&d, 128 + second);
    (void)close(holder);
}

Test(drain, s07_second_signal_ends_at_once)
{
    expect_second_signal_ends(SIGTERM, SIGTERM);
    expect_second_signal_ends(SIGTERM, SIGINT);
}

Test(drain, s07_tail_signals_do_not_end_a_drain)
{
    struct daemon d;
    daemon_start(&d, ARGS("--drain-ms", "60000", "--frame-ms", "60000", "--admin", "127.0.0.1:0"),
                 NULL);
    int holder = daemon_connect(&d);
    traffic_send_partial(holder, 2, "a", 1);
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_accepted_total", 1, END_MS), 1);
    begin_drain(&d, SIGTERM);
    cr_assert_eq(kill(d.pid, SIGUSR1), 0);
    for (int i = 0; i < 1000 && access(d.tail_csv, F_OK) != 0; i++)
        traffic_sleep_ms(10);
    cr_expect_eq(access(d.tail_csv, F_OK), 0);
    cr_assert(daemon_write(holder, "b", 1));
    cr_expect_eq(daemon_read_status(holder), WIRE_OK);
    (void)close(holder);
    expect_end(&d, 0);
}

Test(drain, s07_at_once_after_the_start)
{
    for (int i = 0; i < 5; i++) {
        struct daemon d;
        daemon_start(&d, NULL, NULL); /* returns at READY=1 */
        daemon_stop(&d);
    }
}

/* Kills the daemon as soon as it exists, after a pause. */
struct early_killer {
    struct daemon *d;
    unsigned pause_us;
};

static void *early_kill(void *arg)
{
    const struct early_killer *killer = arg;
    pid_t pid;
    while ((pid = __atomic_load_n(&killer->d->pid, __ATOMIC_ACQUIRE)) <= 0)
        (void)usleep(10);
    (void)usleep(killer->pause_us);
    (void)kill(pid, SIGTERM);
    return NULL;
}

/* Whenever it comes: a drain, or the signal's default where nothing had been set up; and no socket
 * is left either way. */
Test(drain, s07_during_the_start)
{
    for (unsigned i = 0; i < 20; i++) {
        struct daemon d;
        struct early_killer killer = {.d = &d, .pause_us = i * i * 100};
        pthread_t thread;
        int code = -1;
        daemon_prepare(&d);
        cr_assert_eq(pthread_create(&thread, NULL, early_kill, &killer), 0);
        if (daemon_try_start(&d, NULL, NULL, &code))
            code = daemon_wait(&d, END_MS);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_expect(code == 0 || code == 128 + SIGTERM, "after %u us: %d", killer.pause_us, code);
        cr_expect_neq(access(d.unix_path, F_OK), 0, "after %u us: a socket", killer.pause_us);
        daemon_cleanup(&d);
    }
}
