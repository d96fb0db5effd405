/* Peers that mean no good, or another protocol: the daemon answers or closes, serves the others
 * meanwhile, and has everything back afterwards. */
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A line for each bad connection would be more than this. */
enum { HOSTILE_LOG_BYTES = 16 * 1024, HOSTILE_GROW_BYTES = 8 * 1024 * 1024 };

static void hostile_start(struct daemon *d, const char *option, const char *value,
                          const char *const *env)
{
    const char *args[] = {"--admin", "127.0.0.1:0", "--tcp", "127.0.0.1:0", option, value, NULL};
    traffic_raise_nofile();
    daemon_start(d, args, env);
}

static void hostile_expect_quiet_log(const struct daemon *d)
{
    char *log = daemon_log(d);
    size_t n_bytes = strlen(log);
    free(log);
    cr_assert_lt(n_bytes, HOSTILE_LOG_BYTES);
}

/* ---- another protocol --------------------------------------------------------------------------
 */

/* Sends as much as the peer takes; it must end the stream long before the minute that a frame may
 * take, having answered too_large or nothing. */
static void hostile_expect_end(int fd, const uint8_t *bytes, size_t n_bytes)
{
    (void)daemon_write(fd, bytes, n_bytes);
    int64_t status = daemon_read_status(fd);
    cr_assert(status == WIRE_TOO_LARGE || status == -1, "status %lld", (long long)status);
    cr_assert(daemon_closes(fd, 20000));
    (void)close(fd);
}

Test(hostile, other_protocols_are_turned_away)
{
    static const uint8_t http[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const uint8_t tls[] = {0x16, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0xaa, 0xbb};
    enum { NOISE_BYTES = 1024 * 1024, EACH = 50 };
    struct traffic_baseline base;
    struct traffic_control control;
    struct daemon d;
    uint8_t *noise = malloc(NOISE_BYTES);
    uint32_t random = 12345;
    for (size_t i = 0; i < NOISE_BYTES; i++) {
        random = random * 1664525U + 1013904223U;
        noise[i] = (uint8_t)(random >> 24);
    }
    noise[0] |= 0x80; /* no length that is allowed */
    hostile_start(&d, "--frame-ms", "60000", NULL);
    traffic_baseline_take(&base, &d);
    traffic_control_start(&control, &d);
    for (int i = 0; i < EACH; i++) {
        bool tcp = i % 2 != 0;
        hostile_expect_end(traffic_connect(&d, tcp), http, sizeof http - 1);
        hostile_expect_end(traffic_connect(&d, tcp), tls, sizeof tls);
        if (i < 4)
            hostile_expect_end(traffic_connect(&d, tcp), noise, NOISE_BYTES);
    }
    traffic_control_stop(&control);
    free(noise);
    traffic_baseline_expect(&base, &d, HOSTILE_GROW_BYTES);
    hostile_expect_quiet_log(&d);
    daemon_stop(&d);
}

/* ---- C02 ---------------------------------------------------------------------------------------
 */

/* One byte more to everyone, until each has been told; bytes that came must not extend the time.
 * In the second half not even the header becomes complete. */
static void hostile_dribble(int *fds, int n)
{
    static const uint8_t header[WIRE_HEADER_BYTES] = {0, 0, 0x40, 0};
    uint64_t until_ns = traffic_now_ns() + UINT64_C(60000000000);
    int told = 0;
    for (size_t at = 0; told < n; at++) {
        cr_assert_lt(traffic_now_ns(), until_ns, "%d of %d were told", told, n);
        for (int i = 0; i < n; i++) {
            struct pollfd readable = {.fd = fds[i], .events = POLLIN};
            size_t limit = i < n / 2 ? SIZE_MAX : 1;
            if (fds[i] < 0)
                continue;
            if (poll(&readable, 1, 0) == 0) {
                if (at < limit)
                    (void)send(fds[i], at < sizeof header ? &header[at] : header, 1, MSG_NOSIGNAL);
                continue;
            }
            traffic_expect_refusal(fds[i], WIRE_TIMED_OUT);
            (void)close(fds[i]);
            fds[i] = -1;
            told++;
        }
        traffic_sleep_ms(10);
    }
}

Test(hostile, slowloris_is_timed_out_however_it_dribbles)
{
    enum { SLOW = 200 };
    struct traffic_baseline base;
    struct traffic_control control;
    struct daemon d;
    int fds[SLOW];
    hostile_start(&d, "--frame-ms", "500", NULL);
    traffic_baseline_take(&base, &d);
    traffic_control_start(&control, &d);
    for (int i = 0; i < SLOW; i++)
        fds[i] = traffic_connect(&d, i % 2 != 0);
    hostile_dribble(fds, SLOW);
    traffic_control_stop(&control);
    cr_assert_eq(daemon_metric(&d, "l0_timeouts_total{kind=\"frame\"}"), SLOW);
    cr_assert_eq(daemon_metric(&d, "l0_errors_total{status=\"timed_out\"}"), SLOW);
    traffic_baseline_expect(&base, &d, HOSTILE_GROW_BYTES);
    hostile_expect_quiet_log(&d);
    daemon_stop(&d);
}

/* ---- C04 ---------------------------------------------------------------------------------------
 */

Test(hostile, resets_in_mid_frame_are_counted_and_nothing_more)
{
    enum { BODY_BYTES = 50000 };
    static const size_t sent_bytes[] = {0, 20000, 40000};
    struct traffic_baseline base;
    struct traffic_control control;
    struct traffic_doc doc;
    struct daemon d;
    hostile_start(&d, NULL, NULL, NULL);
    unsigned resets = traffic_scaled(&d, 2000);
    traffic_doc_make(&doc, BODY_BYTES, 1);
    traffic_baseline_take(&base, &d);
    traffic_control_start(&control, &d);
    for (unsigned i = 0; i < resets; i++) {
        int fd = traffic_connect(&d, true);
        traffic_send_partial(fd, BODY_BYTES, doc.bytes, sent_bytes[i % 3]);
        traffic_reset(fd);
        if (i % 50 == 0) /* a storm that is too fast for a shard's mailbox may be refused */
            cr_assert_eq(daemon_await_metric_sum(&d, "l0_peer_resets_total", i + 1, 30000), i + 1);
    }
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_peer_resets_total", resets, 30000), resets);
    traffic_control_stop(&control);
    traffic_doc_free(&doc);
    traffic_baseline_expect(&base, &d, HOSTILE_GROW_BYTES);
    hostile_expect_quiet_log(&d);
    daemon_stop(&d);
}

/* Every request is stalled before lexing, and its client leaves in that time: the reply meets a
 * closed socket. (On a busy machine some clients may be too late, and get their reply.) */
static void hostile_leave_with_a_reply_in_flight(bool tcp)
{
    static const char *const stalled[] = {"L0_FAULT_MS=100", "L0_FAULT_RATE_PPM=1000000", NULL};
    enum { ROUNDS = 10 };
    struct traffic_doc doc;
    struct daemon d;
    hostile_start(&d, NULL, NULL, stalled);
    traffic_doc_make(&doc, 3000, 2);
    for (unsigned i = 0; i < ROUNDS; i++) {
        int fd = traffic_connect(&d, tcp);
        cr_assert_eq(l0_send(fd, doc.bytes, doc.n_bytes), 0);
        cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_accepted_total", i + 1, 20000),
                     i + 1);
        if (tcp)
            traffic_reset(fd);
        else
            (void)close(fd);
        traffic_expect_settled(&d, 0);
    }
    cr_assert_gt(daemon_metric(&d, "l0_requests_aborted_total"), 0);
    cr_assert_gt(daemon_metric(&d, "l0_peer_resets_total"), 0);
    hostile_expect_quiet_log(&d);
    traffic_doc_free(&doc);
    daemon_expect_well(&d);
    daemon_stop(&d);
}

Test(hostile, a_reset_while_a_reply_is_in_flight)
{
    hostile_leave_with_a_reply_in_flight(true);
}

Test(hostile, a_unix_peer_gone_while_a_reply_is_in_flight)
{
    hostile_leave_with_a_reply_in_flight(false);
}

/* ---- C05 ---------------------------------------------------------------------------------------
 */

/* Sends without reading until the daemon takes no more for a while or ends the connection; how many
 * bytes it took. */
static size_t hostile_flood(int fd, const struct traffic_script *flood)
{
    size_t sent = 0;
    while (sent < flood->n_bytes) {
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        if (poll(&writable, 1, 300) == 0)
            break;
        ssize_t n =
            send(fd, flood->bytes + sent, flood->n_bytes - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            break;
        sent += n > 0 ? (size_t)n : 0;
    }
    return sent;
}

Test(hostile, replies_that_are_never_read_stop_the_reading)
{
    enum { REQUESTS = 10000, BLOCK_BYTES = 64 * 1024 };
    struct traffic_script flood = {0};
    struct traffic_baseline base;
    struct traffic_control control;
    struct traffic_doc doc;
    struct daemon d;
    hostile_start(&d, "--reply-ms", "2000", NULL);
    traffic_doc_make(&doc, 400, 3);
    for (int i = 0; i < REQUESTS; i++)
        traffic_script_add(&flood, &doc);
    traffic_baseline_take(&base, &d);
    traffic_control_start(&control, &d);
    int fd = daemon_connect(&d);
    size_t taken = hostile_flood(fd, &flood);
    cr_assert_lt(taken, flood.n_bytes, "everything was read");
    /* At most this connection's block and the control client's. */
    cr_assert_leq(daemon_metric_sum(&d, "l0_arena_used_bytes"), BLOCK_BYTES);
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_connections", 1, 20000), 1,
                 "not closed at the reply deadline");
    cr_assert_eq(daemon_metric(&d, "l0_timeouts_total{kind=\"reply\"}"), 1);
    cr_assert_eq(daemon_metric(&d, "l0_requests_aborted_total"), 1);
    (void)close(fd);
    traffic_control_stop(&control);
    traffic_doc_free(&doc);
    traffic_script_free(&flood);
    traffic_baseline_expect(&base, &d, HOSTILE_GROW_BYTES);
    hostile_expect_quiet_log(&d);
    daemon_stop(&d);
}
