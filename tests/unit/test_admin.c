#include "engine/admin.h"

#include "engine/address.h"
#include "engine/limits.h"
#include "tests/unit/scratch.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { K = 3, REPLY_BYTES = 1 << 16, PATIENCE_MS = 60000 };

static struct metrics_shard shards[2];
static const struct metrics_shard *const metrics[] = {&shards[0], &shards[1]};
static struct tail *tails[2];
static _Atomic bool ready;
static struct admin *admin;
static char reply[REPLY_BYTES]; /* of the last request, headers included */

static struct admin_view make_view(uint32_t k)
{
    return (struct admin_view){
        .metrics = metrics,
        .tails = tails,
        .n_shards = 2,
        .tail_k = k,
        .build = {"1", "portable", "lualatex"},
        .ready = &ready,
    };
}

static void start_with(uint32_t k, const char *tail_csv)
{
    for (int i = 0; i < 2; i++)
        cr_assert_not_null(tails[i] = tail_new(k));
    struct admin_view view = make_view(k);
    view.tail_csv = tail_csv;
    cr_assert_eq(admin_start(&admin, "127.0.0.1:0", false, &view), 0);
    cr_assert_neq(admin_port(admin), 0);
}

static void stop(void)
{
    admin_stop(admin);
    for (int i = 0; i < 2; i++)
        tail_free(tails[i]);
}

TestSuite(admin, .fini = stop);

static void add_row(uint32_t shard, uint64_t total_ns)
{
    const struct tail_row row = {.bracket = {.t_in_start = 1, .t_reply_ready = 1 + total_ns},
                                 .origin = 'P'};
    tail_add(tails[shard], &row);
}

static int dial(int receive_bytes)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(admin_port(admin)),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    if (receive_bytes > 0)
        cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes),
                     0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* The server may answer and close before it has read everything: not an error here. */
static void send_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = send(fd, text, bytes, MSG_NOSIGNAL);
        if (n < 0) {
            cr_assert(errno == EPIPE || errno == ECONNRESET, "%s", strerror(errno));
            return;
        }
        text += n;
        bytes -= (size_t)n;
    }
}

/* Reads until the server closes. */
static void receive_reply(int fd)
{
    size_t n = 0;
    ssize_t got;
    while ((got = recv(fd, reply + n, sizeof reply - 1 - n, 0)) > 0)
        n += (size_t)got;
    cr_assert(got == 0 || errno == ECONNRESET, "%s", strerror(errno));
    reply[n] = '\0';
    close(fd);
}

/* Sends one request and returns the status code of its reply, 0 when there was none. */
static int request_bytes(const char *text, size_t bytes)
{
    int fd = dial(0), status = 0;
    send_all(fd, text, bytes);
    receive_reply(fd);
    if (sscanf(reply, "HTTP/1.1 %d ", &status) != 1)
        (void)sscanf(reply, "HTTP/1.0 %d ", &status);
    return status;
}

static int request(const char *method, const char *path)
{
    char text[512];
    int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, path);
    cr_assert_lt((size_t)n, sizeof text);
    return request_bytes(text, (size_t)n);
}

static const char *body(void)
{
    const char *end = strstr(reply, "\r\n\r\n");
    cr_assert_not_null(end, "no end of headers in \"%s\"", reply);
    return end + 4;
}

static void expect_in_reply(const char *text)
{
    cr_expect_not_null(strstr(reply, text), "no \"%s\" in \"%.400s\"", text, reply);
}

/* ---- what it serves ---- */

Test(admin, metrics)
{
    start_with(K, NULL);
    metric_set(&shards[1].replied[WIRE_OK], 42);
    cr_expect_eq(request("GET", "/metrics"), 200);
    expect_in_reply("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    expect_in_reply("Connection: close\r\n");
    expect_in_reply("\nl0_requests_total 42\n");
    expect_in_reply("\nl0_shards 2\n");
    metric_set(&shards[1].replied[WIRE_OK], 43);
    cr_expect_eq(request("GET", "/metrics?x=%00"), 200);
    expect_in_reply("\nl0_requests_total 43\n");
}

Test(admin, health_and_readiness)
{
    start_with(K, NULL);
    cr_expect_eq(request("GET", "/healthz"), 200);
    cr_expect_str_eq(body(), "ok\n");
    cr_expect_eq(request("GET", "/readyz"), 503);
    cr_expect_str_eq(body(), "not ready\n");
    ready = true;
    cr_expect_eq(request("GET", "/readyz"), 200);
    cr_expect_str_eq(body(), "ready\n");
    ready = false;
    cr_expect_eq(request("GET", "/readyz"), 503);
}

Test(admin, head_is_get_without_the_body)
{
    start_with(K, NULL);
    cr_expect_eq(request("HEAD", "/healthz"), 200);
    expect_in_reply("Content-Length: 3\r\n");
    cr_expect_str_empty(body());
}

Test(admin, tail_and_its_reset)
{
    start_with(K, NULL);
    add_row(0, 1000000);
    add_row(1, 2000000);
    cr_expect_eq(request("GET", "/tail.csv"), 200);
    expect_in_reply("Content-Type: text/csv");
    const char *rows = strchr(body(), '\n') + 1;
    cr_expect_str_eq(rows, "2.000000,1,0,0,0,0,2000001,0,P\n1.000000,1,0,0,0,0,1000001,0,P\n");
    cr_expect_eq(request("POST", "/tail/reset"), 200);
    cr_expect_eq(request("GET", "/tail.csv"), 200);
    cr_expect_str_empty(strchr(body(), '\n') + 1);
}

Test(admin, tail_is_also_written_to_its_file)
{
    struct scratch s;
    struct stat info;
    scratch_open(&s);
    start_with(K, scratch_path(&s, "tail.csv"));
    cr_expect_eq(request("HEAD", "/tail.csv"), 200);
    cr_expect_neq(stat(s.path, &info), 0, "only GET writes");
    cr_expect_eq(request("GET", "/tail.csv"), 200);
    cr_assert_eq(stat(s.path, &info), 0);
    cr_expect_eq((size_t)info.st_size, strlen(body()));
    scratch_close(&s);
    cr_expect_eq(request("GET", "/tail.csv"), 200, "also where the file cannot be written");
}

Test(admin, a_body_is_discarded)
{
    static const char text[] =
        "POST /tail/reset HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345";
    start_with(K, NULL);
    cr_expect_eq(request_bytes(text, strlen(text)), 200);
}

/* ---- what it refuses ---- */

Test(admin, other_paths_and_methods)
{
    static const char *const unknown[] = {
        "/",         "/metrics/",   "/metrics%00",  "/metrics%00x",       "/%6detrics",
        "//metrics", "/../metrics", "/tail",        "/tail/reset/",       "/etc/passwd",
        "/METRICS",  "/metrics;x",  "/tail.csv%20", "/%2e%2e/etc/passwd", "/metrics\x01"};
    start_with(K, NULL);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        cr_expect_eq(request("GET", unknown[i]), 404, "%s", unknown[i]);
        cr_expect_str_eq(body(), "not found\n");
    }
    cr_expect_eq(request("DELETE", "/nothing"), 404);
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "X"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        cr_expect_eq(request(methods[i], "/metrics"), 405, "%s", methods[i]);
        expect_in_reply("Allow: GET, HEAD\r\n");
    }
    add_row(0, 1);
    cr_expect_eq(request("GET", "/tail/reset"), 405);
    expect_in_reply("Allow: POST\r\n");
    cr_expect_eq(request("GET", "/tail.csv"), 200);
    cr_expect_str_not_empty(strchr(body(), '\n') + 1, "nothing was reset");
}

Test(admin, long_lines_and_headers)
{
    enum { LONG = 1 << 20 };
    start_with(K, NULL);
    char *text = malloc(LONG + 64);
    cr_assert_not_null(text);
    int begun = sprintf(text, "GET /");
    memset(text + begun, 'a', LONG - (size_t)begun);
    int status = request_bytes(text, LONG);
    cr_expect(status == 414 || status == 0, "%d", status); /* the reply may be lost to a reset */

    size_t n = (size_t)sprintf(text, "GET /metrics HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(text + n, "X-%d: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", i);
    n += (size_t)sprintf(text + n, "\r\n");
    status = request_bytes(text, n);
    cr_expect(status == 431 || status == 0, "%d", status);

    for (size_t i = 0; i < LONG; i++)
        text[i] = (char)(i * 2654435761u >> 24);
    status = request_bytes(text, LONG);
    cr_expect(status == 0 || status >= 400, "%d", status);
    free(text);
    cr_expect_eq(request("GET", "/healthz"), 200);
}

Test(admin, addresses)
{
    struct admin *other = NULL;
    start_with(K, NULL);
    struct admin_view view = make_view(K);
    cr_expect_eq(admin_start(&other, "0.0.0.0:0", false, &view), -EACCES);
    cr_expect_eq(admin_start(&other, "[::]:0", false, &view), -EACCES);
    cr_expect_eq(admin_start(&other, "localhost:0", false, &view), -EINVAL);
    cr_expect_eq(admin_start(&other, "", false, &view), -EINVAL);
    char same[32];
    snprintf(same, sizeof same, "127.0.0.1:%u", admin_port(admin));
    cr_expect_eq(admin_start(&other, same, false, &view), -EADDRINUSE);
    cr_expect_null(other);
    cr_assert_eq(admin_start(&other, "0.0.0.0:0", true, &view), 0);
    cr_expect_neq(admin_port(other), admin_port(admin));
    admin_stop(other);
    admin_stop(NULL);
}

Test(admin, loopback)
{
    static const char *const inside[] = {"127.0.0.1:1", "127.255.255.255:1", "[::1]:1",
                                         "[::ffff:127.0.0.1]:1"};
    static const char *const outside[] = {"0.0.0.0:1",  "126.0.0.1:1", "128.0.0.1:1",
                                          "[::]:1",     "[::2]:1",     "[::ffff:10.0.0.1]:1",
                                          "[fe80::1]:1"};
    struct sockaddr_storage address;
    socklen_t bytes;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        cr_assert_eq(address_parse(inside[i], &address, &bytes), 0, "%s", inside[i]);
        cr_expect(address_is_loopback(&address), "%s", inside[i]);
    }
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        cr_assert_eq(address_parse(outside[i], &address, &bytes), 0, "%s", outside[i]);
        cr_expect_not(address_is_loopback(&address), "%s", outside[i]);
    }
}

/* ---- clients that hold on ---- */

/* Waits until the server has ended the connection; whatever it sent before is left unread. */
static void expect_cut(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    cr_expect_eq(poll(&p, 1, PATIENCE_MS), 1, "still open");
    close(fd);
}

/* A byte now and then keeps no connection open, and others are served meanwhile. */
Test(admin, slow_headers_are_cut)
{
    start_with(K, NULL);
    int fd = dial(0);
    send_all(fd, "GET /metrics HTTP/1.1\r\nX: ", 25);
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    int n_bytes = 0;
    while (poll(&p, 1, 100) == 0 && n_bytes++ < PATIENCE_MS / 100)
        (void)send(fd, "y", 1, MSG_NOSIGNAL);
    cr_expect_neq(p.revents, 0, "still open after %d bytes", n_bytes);
    close(fd);
    cr_expect_eq(request("GET", "/healthz"), 200);
}

Test(admin, a_slow_reader_is_cut)
{
    enum { MANY = 65536 };
    start_with(MANY, NULL);
    for (uint64_t i = 0; i < MANY; i++)
        add_row(0, UINT64_MAX / 2 + i); /* more text than the sockets' buffers hold */
    int fd = dial(4096);
    static const char text[] = "GET /tail.csv HTTP/1.1\r\nHost: x\r\n\r\n";
    send_all(fd, text, strlen(text));
    expect_cut(fd);
}

Test(admin, silent_connections_do_not_lock_others_out)
{
    enum { N = 3 * LIMIT_ADMIN_CONNS };
    int fds[N];
    start_with(K, NULL);
    for (int i = 0; i < N; i++)
        fds[i] = dial(0);
    for (int i = 0; i < LIMIT_ADMIN_CONNS; i++)
        expect_cut(fds[i]);
    for (int i = LIMIT_ADMIN_CONNS; i < N; i++)
        close(fds[i]);
    cr_expect_eq(request("GET", "/healthz"), 200);
}

Test(admin, stops_with_connections_open)
{
    start_with(K, NULL);
    int silent = dial(0), half = dial(0);
    send_all(half, "GET /met", 8);
    cr_expect_eq(request("GET", "/healthz"), 200);
    admin_stop(admin);
    admin = NULL;
    expect_cut(silent);
    expect_cut(half);
}

/* Signals sent to the process go to the thread that wants them. */
static _Atomic int signals;
static pthread_t signal_thread;

static void on_signal(int number)
{
    (void)number;
    signal_thread = pthread_self();
    signals++;
}

Test(admin, takes_no_signals)
{
    start_with(K, NULL);
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    cr_assert_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    cr_assert_eq(kill(getpid(), SIGUSR1), 0);
    cr_expect_eq(request("GET", "/healthz"), 200);
    cr_expect_eq(request("GET", "/healthz"), 200);
    cr_expect_eq(signals, 0, "another thread took it");
    cr_assert_eq(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    cr_expect_eq(signals, 1);
    cr_expect(pthread_equal(signal_thread, pthread_self()));
}
