/* Arenas that rotate: the counter grows, and replies stay right, also those of frames that were
 * begun before. */
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rotation {
    struct daemon d;
    struct traffic_doc doc;
    int fd;
};

static void rotation_start(struct rotation *r, const char *option, const char *value)
{
    char core[16];
    cr_assert(traffic_cores(core, sizeof core, 1));
    const char *args[] = {"--admin", "127.0.0.1:0", "--cores", core, "--frame-ms",
                          "100000",  option,        value,     NULL};
    daemon_start(&r->d, args, NULL);
    traffic_doc_make(&r->doc, 30000, 1);
    r->fd = daemon_connect(&r->d);
}

static void rotation_stop(struct rotation *r)
{
    (void)close(r->fd);
    traffic_expect_settled(&r->d, 0);
    daemon_expect_well(&r->d);
    daemon_stop(&r->d);
    traffic_doc_free(&r->doc);
}

/* Requests, until the arenas have rotated so many times more: the one that was left is rebuilt
 * beside the requests, so it takes a moment. */
static void rotation_await(const struct rotation *r, uint64_t more)
{
    uint64_t target = daemon_metric(&r->d, "l0_rotations_total") + more;
    uint64_t until_ns = traffic_now_ns() + UINT64_C(60000000000);
    while (daemon_metric(&r->d, "l0_rotations_total") < target) {
        cr_assert_lt(traffic_now_ns(), until_ns, "no rotation");
        for (int i = 0; i < 20; i++)
            traffic_expect_answer(r->fd, &r->doc);
    }
}

Test(rotation, by_requests)
{
    struct rotation r;
    rotation_start(&r, "--rotate-requests", "10");
    rotation_await(&r, 5);
    cr_assert_leq(daemon_metric(&r.d, "l0_rotations_total"),
                  daemon_metric(&r.d, "l0_requests_total") / 10);
    rotation_stop(&r);
}

Test(rotation, by_bytes)
{
    struct rotation r;
    rotation_start(&r, "--rotate-mb", "1");
    rotation_await(&r, 3);
    cr_assert_leq(daemon_metric(&r.d, "l0_rotations_total"),
                  daemon_metric(&r.d, "l0_lexed_bytes_total") >> 20);
    rotation_stop(&r);
}

Test(rotation, none_unless_asked_for)
{
    struct rotation r;
    rotation_start(&r, NULL, NULL);
    for (int i = 0; i < 300; i++)
        traffic_expect_answer(r.fd, &r.doc);
    cr_assert_eq(daemon_metric(&r.d, "l0_rotations_total"), 0);
    rotation_stop(&r);
}

/* Frames begun in the old arena: in mid-header, with a body that ends in the block they have, and
 * with bodies for which the block must move to the new arena. */
Test(rotation, frames_held_across_a_rotation_are_answered_rightly)
{
    static const struct {
        uint32_t body_bytes, sent_bytes;
    } held[] = {{500, 2}, {5000, 4500}, {50000, 6000}, {300000, 60000}, {2000000, 1100000}};
    enum { HELD = sizeof held / sizeof *held };
    struct traffic_script scripts[HELD] = {{0}};
    struct rotation r;
    int fds[HELD];
    rotation_start(&r, "--rotate-requests", "10");
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < HELD; i++) {
            traffic_script_add_text(&scripts[i], held[i].body_bytes, round * HELD + i);
            fds[i] = daemon_connect(&r.d);
            cr_assert(daemon_write(fds[i], scripts[i].bytes, held[i].sent_bytes));
        }
        rotation_await(&r, 1);
        for (uint32_t i = 0; i < HELD; i++) {
            struct traffic_script rest = scripts[i];
            rest.bytes += held[i].sent_bytes;
            rest.n_bytes -= held[i].sent_bytes;
            traffic_script_run(fds[i], &rest, 0, 0);
            (void)close(fds[i]);
            traffic_script_free(&scripts[i]);
        }
        rotation_await(&r, 2); /* the old arena came back */
    }
    rotation_stop(&r);
}
