/* Frames, whole and broken, however they are cut: the same reply, or the error the protocol names.
 */
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, MAX_BYTES_DEFAULT = 4 * MIB };

static void framing_start(struct daemon *d, const char *option, const char *value)
{
    const char *args[] = {"--admin", "127.0.0.1:0", "--tcp", "127.0.0.1:0", option, value, NULL};
    daemon_start(d, args, NULL);
}

static void framing_stop(struct daemon *d)
{
    traffic_expect_settled(d, 0);
    daemon_expect_well(d);
    daemon_stop(d);
}

static void framing_send_length(int fd, uint32_t length)
{
    traffic_send_partial(fd, length, "", 0);
}

/* ---- lengths that are refused ---------------------------------------------------------------- */

Test(framing, length_zero_is_refused_after_the_frames_before_it)
{
    struct daemon d;
    framing_start(&d, NULL, NULL);
    for (int tcp = 0; tcp < 2; tcp++) {
        struct traffic_script two = {0};
        traffic_script_add_text(&two, 100, 1);
        traffic_script_add_text(&two, 200, 2);
        int fd = traffic_connect(&d, tcp);
        traffic_script_run(fd, &two, 0, 0);
        framing_send_length(fd, 0);
        traffic_expect_refusal(fd, WIRE_BAD_LENGTH);
        (void)close(fd);
        traffic_script_free(&two);
    }
    cr_assert_eq(daemon_metric(&d, "l0_errors_total{status=\"bad_length\"}"), 2);
    framing_stop(&d);
}

/* Where a sign or length + header wraps, just above the limit, and the magic of version 2. */
Test(framing, lengths_above_the_limit_are_refused_at_once)
{
    static const uint32_t lengths[] = {MAX_BYTES_DEFAULT + 1,
                                       0x3fffffff,
                                       0x40000000,
                                       0x4c307632,
                                       0x7fffffff,
                                       0x80000000,
                                       0xfffffffc,
                                       0xfffffffd,
                                       0xfffffffe,
                                       0xffffffff};
    enum { N = sizeof lengths / sizeof *lengths, REFUSED = 2 * N };
    struct daemon d;
    framing_start(&d, NULL, NULL);
    for (unsigned i = 0; i < REFUSED; i++) {
        int fd = traffic_connect(&d, i >= N);
        framing_send_length(fd, lengths[i % N]);
        traffic_expect_refusal(fd, WIRE_TOO_LARGE);
        (void)close(fd);
    }
    cr_assert_eq(daemon_metric(&d, "l0_errors_total{status=\"too_large\"}"), REFUSED);
    framing_stop(&d);
}

Test(framing, a_length_alone_takes_no_memory)
{
    enum { HOLDERS = 64, HELD_BYTES = HOLDERS * 8192 };
    struct traffic_baseline base;
    struct daemon d;
    int fds[HOLDERS];
    framing_start(&d, NULL, NULL);
    traffic_baseline_take(&base, &d);
    for (int i = 0; i < HOLDERS; i++) {
        fds[i] = daemon_connect(&d);
        framing_send_length(fds[i], MAX_BYTES_DEFAULT);
    }
    /* Warm-up took 10 requests, each whole. */
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_accepted_total", 10 + HOLDERS, 20000),
                 10 + HOLDERS);
    cr_assert_leq(daemon_metric_sum(&d, "l0_arena_used_bytes"), HELD_BYTES);
    for (int i = 0; i < HOLDERS; i++) {
        int fd = daemon_connect(&d);
        framing_send_length(fd, UINT32_MAX);
        traffic_expect_refusal(fd, WIRE_TOO_LARGE);
        (void)close(fd);
    }
    for (int i = 0; i < HOLDERS; i++)
        (void)close(fds[i]);
    traffic_baseline_expect(&base, &d, MIB);
    cr_assert_eq(daemon_metric_sum(&d, "l0_requests_aborted_total"), HOLDERS);
    framing_stop(&d);
}

/* max - 1 and max are answered, max + 1 is refused while its body is still being sent. */
static void framing_around_the_limit(struct daemon *d, uint32_t max_bytes)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        struct traffic_script fits = {0};
        struct traffic_doc above;
        struct wire_reply reply;
        traffic_script_add_text(&fits, max_bytes - 1, 3);
        traffic_script_add_text(&fits, max_bytes, 4);
        traffic_doc_make(&above, max_bytes + 1, 5);
        int fd = traffic_connect(d, tcp);
        traffic_script_run(fd, &fits, 0, 0);
        cr_assert_eq(l0_request(fd, above.bytes, above.n_bytes, &reply), 0);
        cr_assert_eq(reply.status, WIRE_TOO_LARGE);
        cr_assert(daemon_closes(fd, 20000));
        (void)close(fd);
        traffic_doc_free(&above);
        traffic_script_free(&fits);
    }
}

Test(framing, the_default_limit_is_exact)
{
    struct daemon d;
    framing_start(&d, NULL, NULL);
    framing_around_the_limit(&d, MAX_BYTES_DEFAULT);
    framing_stop(&d);
}

Test(framing, a_small_limit_is_exact)
{
    struct daemon d;
    framing_start(&d, "--max-req-bytes", "5000");
    framing_around_the_limit(&d, 5000);
    framing_stop(&d);
}

/* ---- how a frame is cut ---------------------------------------------------------------------- */

Test(framing, one_byte_at_a_time)
{
    struct traffic_script script = {0};
    struct daemon d;
    framing_start(&d, NULL, NULL);
    for (uint32_t i = 1; i <= 3; i++)
        traffic_script_add_text(&script, 40 * i, i);
    for (int tcp = 0; tcp < 2; tcp++) {
        int fd = traffic_connect(&d, tcp);
        traffic_script_run(fd, &script, 1, 500);
        (void)close(fd);
    }
    traffic_script_free(&script);
    framing_stop(&d);
}

/* The first cut is at every offset once; below the middle more cuts follow at its multiples. */
Test(framing, cut_at_every_offset)
{
    struct traffic_script script = {0};
    struct daemon d;
    framing_start(&d, NULL, NULL);
    traffic_script_add_text(&script, 250, 11);
    for (int tcp = 0; tcp < 2; tcp++) {
        int fd = traffic_connect(&d, tcp);
        for (size_t cut = 1; cut < script.n_bytes; cut++)
            traffic_script_run(fd, &script, cut, 1000);
        (void)close(fd);
    }
    traffic_script_free(&script);
    framing_stop(&d);
}

/* Frame i is i + 1 letters, so that its token count says which one was answered. */
Test(framing, a_thousand_frames_in_one_write_are_answered_in_order)
{
    enum { FRAMES = 1000, REPLIES = 2 * FRAMES };
    struct traffic_script script = {0};
    struct traffic_doc letters;
    uint32_t tokens = 0;
    struct daemon d;
    framing_start(&d, NULL, NULL);
    for (uint32_t i = 0; i < FRAMES; i++) {
        traffic_letters_make(&letters, i + 1);
        cr_assert(i == 0 || letters.want.n_tokens == tokens + 1);
        tokens = letters.want.n_tokens;
        traffic_script_add(&script, &letters);
        traffic_doc_free(&letters);
    }
    for (int tcp = 0; tcp < 2; tcp++) {
        int fd = traffic_connect(&d, tcp);
        traffic_script_run(fd, &script, 0, 0);
        (void)close(fd);
    }
    traffic_expect_settled(&d, 0);
    cr_assert_eq(daemon_metric(&d, "l0_requests_total"), REPLIES);
    traffic_script_free(&script);
    framing_stop(&d);
}

/* The block grows 8 KiB, 64 KiB, 512 KiB; a slice is 64 KiB or, in the second round, 4 KiB. Frames
 * that end one byte short of such a size, on it and behind it, alone and with others behind them.
 */
static void framing_around_sizes(const struct daemon *d, bool tcp)
{
    static const uint32_t sizes[] = {4096, 8192, 65536, 524288};
    static const int deltas[] = {-5, -4, -3, -1, 0, 1};
    struct traffic_script all = {0};
    int fd = traffic_connect(d, tcp);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (unsigned j = 0; j < sizeof deltas / sizeof *deltas; j++) {
            struct traffic_script one = {0};
            uint32_t n_bytes = (uint32_t)((int)sizes[i] + deltas[j]);
            traffic_script_add_text(&one, n_bytes, i);
            traffic_script_run(fd, &one, 0, 0);
            traffic_script_free(&one);
            if (sizes[i] <= 65536)
                traffic_script_add_text(&all, n_bytes, j);
        }
    traffic_script_run(fd, &all, 0, 0);
    traffic_script_free(&all);
    (void)close(fd);
}

Test(framing, frames_that_end_where_a_block_or_a_slice_ends)
{
    for (int round = 0; round < 2; round++) {
        struct daemon d;
        framing_start(&d, "--slice-kb", round == 0 ? "64" : "4");
        framing_around_sizes(&d, false);
        framing_around_sizes(&d, true);
        framing_stop(&d);
    }
}

/* ---- ends ------------------------------------------------------------------------------------ */

Test(framing, an_end_in_mid_frame_is_an_aborted_request)
{
    static const struct {
        uint32_t header_bytes, body_bytes;
    } cuts[] = {{1, 0}, {3, 0}, {4, 0}, {4, 1}, {4, 999}, {4, 9000}, {4, 99999}};
    enum { BODY_BYTES = 100000, CUTS = sizeof cuts / sizeof *cuts, ENDS = 4 * CUTS };
    struct traffic_doc doc;
    uint8_t header[WIRE_HEADER_BYTES];
    struct daemon d;
    framing_start(&d, NULL, NULL);
    traffic_doc_make(&doc, BODY_BYTES, 6);
    wire_put_u32(header, BODY_BYTES);
    for (unsigned i = 0; i < ENDS; i++) {
        int fd = traffic_connect(&d, i % 2 != 0);
        cr_assert(daemon_write(fd, header, cuts[i / 4].header_bytes));
        cr_assert(daemon_write(fd, doc.bytes, cuts[i / 4].body_bytes));
        if (i % 4 >= 2) { /* half a close: no reply comes, but the end does */
            cr_assert_eq(shutdown(fd, SHUT_WR), 0);
            cr_assert_eq(daemon_read_status(fd), -1);
        }
        (void)close(fd);
    }
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_aborted_total", ENDS, 20000), ENDS);
    traffic_expect_settled(&d, 0);
    cr_assert_eq(daemon_metric(&d, "l0_requests_accepted_total"), ENDS);
    cr_assert_eq(daemon_metric(&d, "l0_requests_total"), 0);
    traffic_doc_free(&doc);
    framing_stop(&d);
}

Test(framing, an_end_between_frames_aborts_nothing)
{
    struct traffic_doc doc;
    struct daemon d;
    framing_start(&d, NULL, NULL);
    traffic_doc_make(&doc, 1000, 8);
    for (int i = 0; i < 20; i++) {
        int fd = traffic_connect(&d, i % 2 != 0);
        if (i >= 10)
            traffic_expect_answer(fd, &doc);
        (void)close(fd);
    }
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_connections_closed_total", 20, 20000), 20);
    traffic_expect_settled(&d, 0);
    cr_assert_eq(daemon_metric(&d, "l0_requests_total"), 10);
    cr_assert_eq(daemon_metric(&d, "l0_requests_aborted_total"), 0);
    traffic_doc_free(&doc);
    framing_stop(&d);
}

/* C03, and one and a half frames before the end. */
Test(framing, what_came_whole_before_the_end_is_answered)
{
    struct traffic_script script = {0};
    struct daemon d;
    framing_start(&d, NULL, NULL);
    for (uint32_t i = 0; i < 5; i++)
        traffic_script_add_text(&script, 1 + 60000 * i, i);
    for (int i = 0; i < 4; i++) {
        int fd = traffic_connect(&d, i % 2 != 0);
        cr_assert(daemon_write(fd, script.bytes, script.n_bytes));
        if (i >= 2)
            traffic_send_partial(fd, 5000, script.bytes, 2500);
        cr_assert_eq(shutdown(fd, SHUT_WR), 0);
        const struct traffic_script replies = {.want = script.want,
                                               .want_bytes = script.want_bytes};
        traffic_script_run(fd, &replies, 0, 0);
        cr_assert_eq(daemon_read_status(fd), -1);
        (void)close(fd);
    }
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_requests_aborted_total", 2, 20000), 2);
    traffic_script_free(&script);
    framing_stop(&d);
}
