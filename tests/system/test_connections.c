/* Connections: many, idle, too many, too few descriptors for them, and how they are spread. */
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void connections_start(struct daemon *d, const char *option, const char *value)
{
    const char *args[] = {"--admin", "127.0.0.1:0", option, value, NULL};
    traffic_raise_nofile();
    daemon_start(d, args, NULL);
}

/* Opens n, asking for an answer now and then: a storm that is faster than a shard takes what others
 * hand it may be refused. */
static void connections_open_many(const struct daemon *d, const struct traffic_doc *doc, int *fds,
                                  int n)
{
    for (int i = 0; i < n; i++) {
        fds[i] = daemon_connect(d);
        if (i % 100 >= 98) /* two in a row have different homes */
            traffic_expect_answer(fds[i], doc);
    }
}

/* ---- idle, and many -------------------------------------------------------------------------- */

Test(connections, a_thousand_idle_ones_are_closed_at_the_idle_limit)
{
    enum { IDLE = 1000 };
    struct traffic_baseline base;
    struct traffic_control control;
    struct traffic_doc doc;
    struct daemon d;
    int fds[IDLE];
    connections_start(&d, "--idle-ms", "1500");
    traffic_doc_make(&doc, 100, 1);
    traffic_baseline_take(&base, &d);
    traffic_control_start(&control, &d);
    connections_open_many(&d, &doc, fds, IDLE);
    for (int i = 0; i < IDLE; i++) {
        cr_assert(daemon_closes(fds[i], 20000), "connection %d", i);
        (void)close(fds[i]);
    }
    traffic_control_stop(&control);
    traffic_doc_free(&doc);
    cr_assert_eq(daemon_metric(&d, "l0_timeouts_total{kind=\"idle\"}"), IDLE);
    traffic_baseline_expect(&base, &d, 8U << 20);
    daemon_stop(&d);
}

Test(connections, a_thousand_idle_ones_do_not_disturb_a_busy_one)
{
    enum { IDLE = 1000, REQUESTS = 200 };
    struct traffic_doc doc;
    struct daemon d;
    int fds[IDLE];
    connections_start(&d, NULL, NULL);
    traffic_doc_make(&doc, 4096, 1);
    connections_open_many(&d, &doc, fds, IDLE);
    int fd = daemon_connect(&d);
    for (int i = 0; i < REQUESTS; i++)
        traffic_expect_answer(fd, &doc);
    traffic_expect_settled(&d, IDLE + 1);
    for (int i = 0; i < IDLE; i++)
        traffic_expect_answer(fds[i], &doc);
    for (int i = 0; i < IDLE; i++)
        (void)close(fds[i]);
    (void)close(fd);
    traffic_expect_settled(&d, 0);
    traffic_doc_free(&doc);
    daemon_stop(&d);
}

/* Every slot is still there at the end: as many connections as there may be are served at once. */
Test(connections, connecting_and_closing_leaks_no_descriptor_and_no_slot)
{
    enum { SLOTS = 250 };
    struct traffic_baseline base;
    struct traffic_control control;
    struct traffic_doc doc;
    struct daemon d;
    int fds[SLOTS];
    connections_start(&d, "--max-conns", "250");
    unsigned rounds = traffic_scaled(&d, 20000);
    traffic_doc_make(&doc, 300, 2);
    traffic_baseline_take(&base, &d);
    traffic_control_start(&control, &d);
    for (unsigned i = 0; i < rounds; i++) {
        int fd = daemon_connect(&d);
        if (i % 2 == 0)
            traffic_expect_answer(fd, &doc);
        (void)close(fd);
    }
    traffic_control_stop(&control);
    traffic_baseline_expect(&base, &d, 8U << 20);
    traffic_expect_settled(&d, 0);
    connections_open_many(&d, &doc, fds, SLOTS);
    for (int i = 0; i < SLOTS; i++)
        traffic_expect_answer(fds[i], &doc);
    for (int i = 0; i < SLOTS; i++)
        (void)close(fds[i]);
    cr_assert_eq(daemon_metric(&d, "l0_connections_refused_total"), 0);
    traffic_doc_free(&doc);
    traffic_expect_settled(&d, 0);
    daemon_stop(&d);
}

/* ---- too many -------------------------------------------------------------------------------- */

Test(connections, above_max_conns_they_are_refused_and_a_place_is_given_again)
{
    enum { CAP = 20, MORE = 30 };
    struct traffic_doc doc;
    struct daemon d;
    int fds[CAP];
    connections_start(&d, "--max-conns", "20");
    traffic_doc_make(&doc, 2000, 3);
    for (int i = 0; i < CAP; i++) {
        fds[i] = daemon_connect(&d);
        traffic_expect_answer(fds[i], &doc);
    }
    for (int i = 0; i < MORE; i++) {
        int fd = daemon_connect(&d);
        traffic_expect_refusal(fd, WIRE_BUSY);
        (void)close(fd);
    }
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_connections_refused_total", MORE, 20000), MORE);
    cr_assert_eq(daemon_metric_sum(&d, "l0_connections"), CAP);
    for (int i = 0; i < CAP; i++)
        traffic_expect_answer(fds[i], &doc);
    (void)close(fds[0]);
    cr_assert_eq(daemon_await_metric_sum(&d, "l0_connections", CAP - 1, 20000), CAP - 1);
    fds[0] = daemon_connect(&d);
    for (int i = 0; i < CAP; i++) {
        traffic_expect_answer(fds[i], &doc);
        (void)close(fds[i]);
    }
    traffic_expect_settled(&d, 0);
    traffic_doc_free(&doc);
    daemon_stop(&d);
}

/* C09. No new descriptor can be had for a second: the admin server cannot be asked meanwhile. */
Test(connections, without_descriptors_accept_backs_off_and_recovers)
{
    enum { WAITING = 20, OUTAGE_MS = 1000, BACKOFF_MS = 200 };
    struct traffic_baseline base;
    struct traffic_control control;
    struct traffic_doc doc;
    struct rlimit before, none;
    struct daemon d;
    int fds[WAITING];
    connections_start(&d, NULL, NULL);
    traffic_doc_make(&doc, 2000, 4);
    traffic_baseline_take(&base, &d);
    traffic_control_start(&control, &d);

    uint64_t began_ns = traffic_now_ns();
    cr_assert_eq(prlimit(d.pid, RLIMIT_NOFILE, NULL, &before), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    cr_assert_eq(prlimit(d.pid, RLIMIT_NOFILE, &none, NULL), 0);
    for (int i = 0; i < WAITING; i++) {
        fds[i] = daemon_connect(&d);
        cr_assert_eq(l0_send(fds[i], doc.bytes, doc.n_bytes), 0);
    }
    traffic_sleep_ms(OUTAGE_MS);
    cr_assert_eq(prlimit(d.pid, RLIMIT_NOFILE, &before, NULL), 0);
    for (int i = 0; i < WAITING; i++) {
        cr_assert_eq(daemon_read_status(fds[i]), WIRE_OK);
        (void)close(fds[i]);
    }
    uint64_t outage_ms = (traffic_now_ns() - began_ns) / 1000000;

    traffic_control_stop(&control);
    uint64_t shards = daemon_metric(&d, "l0_shards");
    uint64_t errors = daemon_metric(&d, "l0_accept_errors_total");
    cr_assert(errors > 0 && errors <= shards * (outage_ms / BACKOFF_MS + 1),
              "%llu failed accepts in %llu ms", (unsigned long long)errors,
              (unsigned long long)outage_ms);
    traffic_doc_free(&doc);
    traffic_baseline_expect(&base, &d, 8U << 20);
    daemon_stop(&d);
}

/* ---- C12 ---------------------------------------------------------------------------------------
 */

static void connections_send_with_descriptors(int fd, const struct traffic_script *frame)
{
    enum { PASSED = 10 };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(PASSED * sizeof(int))] = {0};
    int passed[PASSED];
    struct iovec bytes = {.iov_base = frame->bytes, .iov_len = frame->n_bytes};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof passed);
    for (int i = 0; i < PASSED; i++)
        passed[i] = fd;
    memcpy(CMSG_DATA(head), passed, sizeof passed);
    cr_assert_eq(sendmsg(fd, &message, MSG_NOSIGNAL), (ssize_t)frame->n_bytes);
}

Test(connections, passed_descriptors_are_dropped_and_the_frame_is_served)
{
    struct traffic_script frame = {0};
    struct traffic_baseline base;
    struct daemon d;
    connections_start(&d, NULL, NULL);
    traffic_script_add_text(&frame, 500, 5);
    const struct traffic_script reply = {.want = frame.want, .want_bytes = frame.want_bytes};
    traffic_baseline_take(&base, &d);
    int fd = daemon_connect(&d);
    for (int i = 0; i < 50; i++) {
        connections_send_with_descriptors(fd, &frame);
        traffic_script_run(fd, &reply, 0, 0);
    }
    (void)close(fd);
    traffic_script_free(&frame);
    traffic_baseline_expect(&base, &d, 8U << 20);
    daemon_stop(&d);
}

/* ---- spreading ------------------------------------------------------------------------------- */

/* Starts with two shards, or skips the test. */
static void connections_start_two_shards(struct daemon *d)
{
    char cores[32];
    if (!traffic_cores(cores, sizeof cores, 2))
        cr_skip_test("needs two processors");
    /* A shard that is found standing still gets no new ones: not what is tested here. */
    const char *args[] = {"--admin", "127.0.0.1:0", "--cores", cores, "--hedge-ms", "0", NULL};
    daemon_start(d, args, NULL);
}

static void connections_expect_spread(const struct daemon *d, uint64_t total)
{
    cr_assert_eq(daemon_await_metric_sum(d, "l0_connections", total, 20000), total);
    cr_assert_eq(daemon_metric(d, "l0_connections{shard=\"0\"}"), total / 2);
    cr_assert_eq(daemon_metric(d, "l0_connections{shard=\"1\"}"), total / 2);
}

Test(connections, four_on_two_shards_are_two_and_two)
{
    struct daemon d;
    int fds[4];
    connections_start_two_shards(&d);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 4; i++)
            fds[i] = daemon_connect(&d);
        connections_expect_spread(&d, 4);
        for (int i = 0; i < 4; i++)
            (void)close(fds[i]);
        traffic_expect_settled(&d, 0);
    }
    daemon_stop(&d);
}

/* All threads connect at the same moment. */
struct connections_crowd {
    const char *path;
    pthread_barrier_t begin;
    int fds[8];
};

struct connections_member {
    struct connections_crowd *crowd;
    pthread_t thread;
    int index;
};

static void *connections_member_main(void *arg)
{
    struct connections_member *m = arg;
    (void)pthread_barrier_wait(&m->crowd->begin);
    m->crowd->fds[m->index] = l0_connect(m->crowd->path, 20000);
    return NULL;
}

Test(connections, eight_at_once_on_two_shards_are_four_and_four)
{
    enum { CROWD = 8 };
    struct connections_crowd crowd;
    struct connections_member members[CROWD];
    struct daemon d;
    connections_start_two_shards(&d);
    crowd.path = d.unix_path;
    for (int round = 0; round < 10; round++) {
        cr_assert_eq(pthread_barrier_init(&crowd.begin, NULL, CROWD), 0);
        for (int i = 0; i < CROWD; i++) {
            members[i] = (struct connections_member){.crowd = &crowd, .index = i};
            cr_assert_eq(
                pthread_create(&members[i].thread, NULL, connections_member_main, &members[i]), 0);
        }
        for (int i = 0; i < CROWD; i++) {
            (void)pthread_join(members[i].thread, NULL);
            cr_assert_geq(crowd.fds[i], 0, "%s", strerror(-crowd.fds[i]));
        }
        (void)pthread_barrier_destroy(&crowd.begin);
        connections_expect_spread(&d, CROWD);
        for (int i = 0; i < CROWD; i++)
            (void)close(crowd.fds[i]);
        traffic_expect_settled(&d, 0);
    }
    daemon_stop(&d);
}
