#include "proto/client.h"

#include "tests/unit/fake_server.h"
#include "tests/unit/scratch.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

/* A hang is a failure of the test, not of the whole run. */
#define LIMIT_MS 20000

static const struct wire_reply right = {.n_tokens = 7, .issues_len = 1, .origin = 1};

static int connected(const struct fake_server *server)
{
    int fd = l0_connect(server->target, LIMIT_MS);
    cr_assert_geq(fd, 0);
    return fd;
}

/* One request to a server that runs `serve`; what l0_request returned. */
static int request_to(void (*serve)(int fd), const void *document, uint32_t bytes,
                      unsigned timeout_ms, struct wire_reply *reply)
{
    struct scratch scratch;
    struct fake_server server;
    scratch_open(&scratch);
    fake_server_start(&server, scratch_path(&scratch, "s"), serve);
    int fd = l0_connect(server.target, timeout_ms);
    cr_assert_geq(fd, 0);
    int rc = l0_request(fd, document, bytes, reply);
    close(fd);
    fake_server_stop(&server);
    scratch_close(&scratch);
    return rc;
}

/* ---- targets -----------------------------------------------------------------------------------
 */

Test(client, targets_that_are_none)
{
    static const char *const bad[] = {
        "",           "unix:", "tcp:",  "localhost", "tcp:localhost", ":80",
        "127.0.0.1:", "[::1",  "[]:80", "[::1]80:x", "[]80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_lt(l0_connect(bad[i], 1000), 0, "\"%s\" was taken", bad[i]);
    cr_expect_eq(l0_connect("unix:", 1000), -EINVAL);
    cr_expect_eq(l0_connect("localhost", 1000), -EINVAL);
}

Test(client, unix_paths)
{
    char path[200] = "/tmp/";
    memset(path + 5, 'x', sizeof path - 6);
    cr_expect_eq(l0_connect(path, 1000), -ENAMETOOLONG);
    struct scratch scratch;
    scratch_open(&scratch);
    cr_expect_eq(l0_connect(scratch_path(&scratch, "nobody"), 1000), -ENOENT);
    scratch_close(&scratch);
}

static void serve_right(int fd)
{
    while (fake_server_take(fd) > 0)
        fake_server_reply(fd, right);
}

Test(client, both_ways_to_name_a_unix_socket)
{
    struct scratch scratch;
    struct fake_server server;
    scratch_open(&scratch);
    fake_server_start(&server, scratch_path(&scratch, "s"), serve_right);
    const char *const targets[] = {server.target, server.target + strlen("unix:")};
    for (size_t i = 0; i < 2; i++) {
        int fd = l0_connect(targets[i], LIMIT_MS);
        cr_assert_geq(fd, 0);
        cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        cr_expect_not(fcntl(fd, F_GETFL) & O_NONBLOCK);
        for (int n = 0; n < 3; n++) { /* keep-alive */
            struct wire_reply reply;
            cr_assert_eq(l0_request(fd, "abc", 3, &reply), 0);
            cr_expect(reply.status == WIRE_OK && reply.n_tokens == 7 && reply.issues_len == 1 &&
                      reply.origin == 1);
        }
        close(fd);
    }
    fake_server_stop(&server);
    scratch_close(&scratch);
}

static void *serve_one_tcp(void *argument)
{
    int fd = accept(*(const int *)argument, NULL, NULL);
    if (fd >= 0)
        serve_right(fd);
    close(fd);
    return NULL;
}

Test(client, tcp)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    socklen_t size = sizeof address;
    cr_assert_eq(bind(listener, (const struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listener, 4), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    for (size_t i = 0; i < 2; i++) {
        char target[64];
        snprintf(target, sizeof target, "%s127.0.0.1:%u", i == 0 ? "tcp:" : "",
                 ntohs(address.sin_port));
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, serve_one_tcp, &listener), 0);
        int fd = l0_connect(target, LIMIT_MS);
        cr_assert_geq(fd, 0);
        struct wire_reply reply;
        cr_expect_eq(l0_request(fd, "abc", 3, &reply), 0);
        close(fd);
        pthread_join(thread, NULL);
    }
    close(listener);
}

Test(client, nobody_listens)
{
    /* A port that was free a moment ago. */
    int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    socklen_t size = sizeof address;
    cr_assert_eq(bind(holder, (const struct sockaddr *)&address, size), 0);
    cr_assert_eq(getsockname(holder, (struct sockaddr *)&address, &size), 0);
    char target[64]; /* bound but not listening: refused, and nobody else can have it */
    snprintf(target, sizeof target, "127.0.0.1:%u", ntohs(address.sin_port));
    cr_expect_eq(l0_connect(target, 5000), -ECONNREFUSED);
    close(holder);
}

/* ---- sending -----------------------------------------------------------------------------------
 */

Test(client, header_and_document_are_one_packet)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    cr_assert_eq(l0_send(ends[0], "abc", 3), 0);
    char got[64];
    cr_assert_eq(recv(ends[1], got, sizeof got, MSG_DONTWAIT), 7);
    cr_expect_arr_eq(got, "\0\0\0\3abc", 7);
    cr_assert_eq(l0_send(ends[0], NULL, 0), 0);
    cr_assert_eq(recv(ends[1], got, sizeof got, MSG_DONTWAIT), 4);
    cr_expect_arr_eq(got, "\0\0\0\0", 4);
    close(ends[0]);
    close(ends[1]);
}

#define LARGE_BYTES (3u << 20)

static uint8_t *large_document(void)
{
    uint8_t *document = malloc(LARGE_BYTES);
    cr_assert_not_null(document);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        document[i] = (uint8_t)(i * 2654435761u >> 24);
    return document;
}

/* Reads in small and odd steps; answers with the number of bytes that differ from large_document.
 */
static void serve_slow_reader(int fd)
{
    uint8_t header[WIRE_HEADER_BYTES], bytes[4099];
    if (recv(fd, header, sizeof header, MSG_WAITALL) != (ssize_t)sizeof header)
        return;
    uint32_t total = wire_get_u32(header), wrong = 0;
    for (uint32_t at = 0; at < total;) {
        ssize_t n = recv(fd, bytes, 1 + at % sizeof bytes, 0);
        if (n <= 0)
            return;
        for (ssize_t i = 0; i < n; i++, at++)
            wrong += bytes[i] != (uint8_t)((size_t)at * 2654435761u >> 24);
    }
    fake_server_reply(fd, (struct wire_reply){.n_tokens = wrong, .origin = 1});
}

Test(client, a_large_document_arrives_through_short_writes)
{
    uint8_t *document = large_document();
    struct wire_reply reply = {.n_tokens = 1};
    cr_assert_eq(request_to(serve_slow_reader, document, LARGE_BYTES, LIMIT_MS, &reply), 0);
    cr_expect_eq(reply.n_tokens, 0, "%u bytes arrived wrong", reply.n_tokens);
    free(document);
}

static volatile sig_atomic_t n_alarms;

static void on_alarm(int number)
{
    (void)number;
    n_alarms++;
}

Test(client, signals_do_not_disturb)
{
    uint8_t *document = large_document();
    struct scratch scratch;
    struct fake_server server;
    scratch_open(&scratch);
    sigset_t alarm_only, old;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_only, &old); /* the server's threads do not get it */
    fake_server_start(&server, scratch_path(&scratch, "s"), serve_slow_reader);
    int fd = connected(&server);
    const struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
    sigaction(SIGALRM, &action, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    const struct itimerval often = {.it_interval.tv_usec = 200, .it_value.tv_usec = 200};
    setitimer(ITIMER_REAL, &often, NULL);
    struct wire_reply reply = {.n_tokens = 1};
    int rc = l0_request(fd, document, LARGE_BYTES, &reply);
    setitimer(ITIMER_REAL, &(const struct itimerval){0}, NULL);
    cr_expect_eq(rc, 0);
    cr_expect_eq(reply.n_tokens, 0);
    close(fd);
    fake_server_stop(&server);
    scratch_close(&scratch);
    free(document);
    cr_assert_gt(n_alarms, 0, "no signal came: the test shows nothing");
}

/* ---- early ends --------------------------------------------------------------------------------
 */

static void serve_too_large(int fd)
{
    uint8_t header[WIRE_HEADER_BYTES];
    (void)!recv(fd, header, sizeof header, MSG_WAITALL);
    fake_server_reply(fd, (struct wire_reply){.status = WIRE_TOO_LARGE});
}

Test(client, a_reply_before_an_early_close_is_read)
{
    uint8_t *document = large_document();
    struct wire_reply reply = {0};
    cr_assert_eq(request_to(serve_too_large, document, LARGE_BYTES, LIMIT_MS, &reply), 0);
    cr_expect_eq(reply.status, WIRE_TOO_LARGE);
    cr_expect_eq(reply.origin, WIRE_ORIGIN_ERROR);
    free(document);
}

static void serve_early_ok(int fd)
{
    uint8_t header[WIRE_HEADER_BYTES];
    (void)!recv(fd, header, sizeof header, MSG_WAITALL);
    fake_server_reply(fd, right);
}

Test(client, an_early_ok_is_a_lie)
{
    uint8_t *document = large_document();
    struct wire_reply reply;
    cr_expect_eq(request_to(serve_early_ok, document, LARGE_BYTES, LIMIT_MS, &reply), -EBADMSG);
    free(document);
}

static void serve_nothing(int fd)
{
    uint8_t header[WIRE_HEADER_BYTES];
    (void)!recv(fd, header, sizeof header, MSG_WAITALL);
}

Test(client, an_early_close_without_a_reply)
{
    uint8_t *document = large_document();
    struct wire_reply reply;
    int rc = request_to(serve_nothing, document, LARGE_BYTES, LIMIT_MS, &reply);
    cr_expect(rc == -EPIPE || rc == -ECONNRESET, "rc is %d", rc);
    free(document);
}

static void serve_end_instead(int fd)
{
    fake_server_take(fd);
}

static void serve_half_a_reply(int fd)
{
    fake_server_take(fd);
    (void)!send(fd, "\0\0\0\15\0\0\0", 7, MSG_NOSIGNAL);
}

Test(client, the_end_where_a_reply_was_due)
{
    struct wire_reply reply;
    cr_expect_eq(request_to(serve_end_instead, "abc", 3, LIMIT_MS, &reply), -ENODATA);
    cr_expect_eq(request_to(serve_half_a_reply, "abc", 3, LIMIT_MS, &reply), -ENODATA);
}

/* ---- receiving ---------------------------------------------------------------------------------
 */

static void serve_bytewise(int fd)
{
    fake_server_take(fd);
    uint8_t bytes[WIRE_REPLY_BYTES];
    wire_encode_reply(bytes, &right);
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)!send(fd, bytes + i, 1, MSG_NOSIGNAL);
}

Test(client, a_reply_in_pieces)
{
    struct wire_reply reply = {0};
    cr_assert_eq(request_to(serve_bytewise, "abc", 3, LIMIT_MS, &reply), 0);
    cr_expect_eq(reply.n_tokens, 7);
}

/* Until the client leaves. */
static void await_end(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, 0) > 0)
        continue;
}

static void serve_garbage_length(int fd)
{
    fake_server_take(fd);
    (void)!send(fd, "HTTP", 4, MSG_NOSIGNAL);
    await_end(fd); /* a client that waited for 13 bytes more would hang here */
}

static void serve_unknown_origin(int fd)
{
    fake_server_take(fd);
    fake_server_reply(fd, (struct wire_reply){.origin = 3});
}

Test(client, what_is_not_a_reply)
{
    struct wire_reply reply;
    cr_expect_eq(request_to(serve_garbage_length, "abc", 3, LIMIT_MS, &reply), -EBADMSG);
    cr_expect_eq(request_to(serve_unknown_origin, "abc", 3, LIMIT_MS, &reply), -EBADMSG);
}

static void serve_silence(int fd)
{
    fake_server_take(fd);
    await_end(fd);
}

static void serve_no_reading(int fd)
{
    struct pollfd until_gone = {.fd = fd};
    poll(&until_gone, 1, LIMIT_MS);
}

Test(client, silence_is_a_timeout)
{
    uint8_t *document = large_document();
    struct wire_reply reply;
    cr_expect_eq(request_to(serve_silence, "abc", 3, 50, &reply), -ETIMEDOUT);
    cr_expect_eq(request_to(serve_no_reading, document, LARGE_BYTES, 50, &reply), -ETIMEDOUT);
    free(document);
}
