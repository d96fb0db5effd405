/* l0-bench as built, against servers that tell the truth and servers that lie. */
#include "tests/unit/bench_place.h"
#include "tests/unit/fake_server.h"

#include <criterion/criterion.h>
#include <jansson.h>

TestSuite(bench_cli, .init = bench_place_open, .fini = bench_place_close);

static size_t raw_lines(void)
{
    FILE *raw = fopen(place.raw, "re");
    cr_assert_not_null(raw);
    size_t n = 0;
    unsigned long long whole;
    char rest[8];
    while (fscanf(raw, "%llu.%7[0-9]\n", &whole, rest) == 2) {
        cr_expect_eq(strlen(rest), 6);
        n++;
    }
    cr_expect(feof(raw));
    fclose(raw);
    return n;
}

static json_t *summary(void)
{
    char path[160];
    snprintf(path, sizeof path, "%s.json", place.raw);
    json_t *json = json_load_file(path, 0, NULL);
    cr_assert_not_null(json);
    return json;
}

static json_int_t member(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);
    cr_expect(json_is_integer(value), "%s is no whole number", key);
    return json_integer_value(value);
}

/* ---- servers -----------------------------------------------------------------------------------
 */

static struct wire_reply truth(void)
{
    return (struct wire_reply){
        .n_tokens = place.counts.n_tokens,
        .issues_len = place.counts.n_issues,
        .origin = WIRE_ORIGIN_PRIMARY,
    };
}

static void serve_truth(int fd)
{
    for (unsigned n = 0; fake_server_take(fd) > 0; n++) {
        struct wire_reply reply = truth();
        reply.origin = n % 3 == 2 ? WIRE_ORIGIN_HEDGE : WIRE_ORIGIN_PRIMARY;
        fake_server_reply(fd, reply);
    }
}

/* Right replies, but for the third one on each connection. */
static void serve_with_third(int fd, struct wire_reply third)
{
    for (unsigned n = 1; fake_server_take(fd) > 0; n++)
        fake_server_reply(fd, n == 3 ? third : truth());
}

static void serve_wrong_tokens(int fd)
{
    struct wire_reply lie = truth();
    lie.n_tokens++;
    serve_with_third(fd, lie);
}

static void serve_wrong_issues(int fd)
{
    struct wire_reply lie = truth();
    lie.issues_len++;
    serve_with_third(fd, lie);
}

static void serve_no_origin(int fd)
{
    struct wire_reply lie = truth();
    lie.origin = WIRE_ORIGIN_ERROR;
    serve_with_third(fd, lie);
}

static void serve_busy(int fd)
{
    serve_with_third(fd, (struct wire_reply){.status = WIRE_BUSY});
}

static void serve_missing(int fd)
{
    for (unsigned n = 1; fake_server_take(fd) > 0 && n < 3; n++)
        fake_server_reply(fd, truth());
}

static void serve_silent(int fd)
{
    while (fake_server_take(fd) > 0)
        continue;
}

static void serve_garbage(int fd)
{
    if (fake_server_take(fd) > 0)
        (void)!send(fd, "HTTP/1.1 400 Bad Request\r\n", 26, MSG_NOSIGNAL);
}

/* ---- keepalive and oneshot ---------------------------------------------------------------------
 */

Test(bench_cli, keepalive_records_every_round_trip)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_truth);
    struct bench_outcome o =
        bench_run("l0-bench keepalive %s 300 3 --out %s --target %s --admin '' --idle 5 "
                  "--warmup 30",
                  place.document, place.raw, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 0, "%s", o.output);
    bench_expect_said(&o, "300 replies checked, 0 errors");
    cr_expect_eq(raw_lines(), 300);
    json_t *json = summary();
    cr_expect_eq(member(json, "requests"), 300);
    cr_expect_eq(member(json, "errors"), 0);
    cr_expect_eq(member(json, "tokens"), place.counts.n_tokens);
    cr_expect(json_is_null(json_object_get(json, "hedges_fired")));
    const json_t *origins = json_object_get(json, "origins");
    cr_expect_eq(member(origins, "primary") + member(origins, "hedge"), 300);
    cr_expect_gt(member(origins, "hedge"), 0);
    json_decref(json);
}

Test(bench_cli, oneshot_connects_for_each_request)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_truth);
    struct bench_outcome o =
        bench_run("l0-bench oneshot %s 40 2 --out %s --target %s --admin '' --json", place.document,
                  place.raw, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 0, "%s", o.output);
    cr_expect_eq(raw_lines(), 40);
    json_t *json = json_loads(o.output, 0, NULL);
    cr_assert_not_null(json, "%s", o.output);
    const json_t *connects = json_object_get(json, "connect_ms"),
                 *trips = json_object_get(json, "round_trip_ms");
    cr_expect_eq(member(connects, "n"), 40);
    cr_expect_lt(json_number_value(json_object_get(connects, "min")),
                 json_number_value(json_object_get(trips, "max")));
    json_decref(json);
}

Test(bench_cli, a_lying_server_fails_the_run)
{
    static const struct {
        void (*serve)(int fd);
        const char *said;
    } lies[] = {
        {serve_wrong_tokens, "got status 0 (ok), "},
        {serve_wrong_issues, "got status 0 (ok), "},
        {serve_no_origin, "origin 0"},
        {serve_busy, "got status 4 (busy)"},
        {serve_missing, "the server closed the connection"},
        {serve_garbage, "not a reply of this protocol"},
        {serve_silent, "timed out"},
    };
    char expected[64];
    snprintf(expected, sizeof expected, "expected status 0 (ok), %u tokens, %u issues",
             place.counts.n_tokens, place.counts.n_issues);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct fake_server server;
        fake_server_start(&server, place.socket, lies[i].serve);
        struct bench_outcome o = bench_run(
            "l0-bench keepalive %s 100 1 --out %s --target %s --admin '' "
            "--timeout-ms %d",
            place.document, place.raw, server.target, lies[i].serve == serve_silent ? 50 : 20000);
        fake_server_stop(&server);
        unlink(place.socket);
        cr_expect_eq(o.code, 1, "lie %zu: %s", i, o.output);
        bench_expect_said(&o, expected);
        bench_expect_said(&o, lies[i].said);
        bool at_once = lies[i].serve == serve_garbage || lies[i].serve == serve_silent;
        bench_expect_said(&o, at_once ? "request 1 of 100" : "request 3 of 100");
        cr_expect_eq(raw_lines(), at_once ? 0 : 2);
        json_t *json = summary();
        cr_expect_eq(member(json, "errors"), 1);
        cr_expect_not_null(json_object_get(json, "failure"));
        json_decref(json);
    }
}

Test(bench_cli, a_lie_in_the_warmup_fails_the_run_too)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_busy);
    struct bench_outcome o =
        bench_run("l0-bench keepalive %s 100 1 --out %s --target %s --admin '' --warmup 9",
                  place.document, place.raw, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 1, "%s", o.output);
    cr_expect_eq(raw_lines(), 0);
}

Test(bench_cli, a_oneshot_without_replies_fails_the_run)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_garbage);
    struct bench_outcome o = bench_run("l0-bench oneshot %s 10 1 --out %s --target %s --admin ''",
                                       place.document, place.raw, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 1, "%s", o.output);
}

Test(bench_cli, no_service_no_file_no_sense)
{
    struct bench_outcome o = bench_run("l0-bench keepalive %s 1 1 --out %s --target %s",
                                       place.document, place.raw, place.socket);
    cr_expect_eq(o.code, 2);
    bench_expect_said(&o, "make service-run");
    bench_expect_said(&o, place.socket);
    o = bench_run("l0-bench oneshot %s 1 1 --out %s --target %s", place.document, place.raw,
                  place.socket);
    cr_expect_eq(o.code, 2);
    cr_expect_neq(access(place.raw, F_OK), 0, "a run that never began left a raw file");

    o = bench_run("l0-bench keepalive %s/none.tex 1 1 --out %s", place.scratch.dir, place.raw);
    cr_expect_eq(o.code, 2);
    bench_expect_said(&o, "none.tex: No such file or directory");
    o = bench_run("l0-bench micro %s/none.tex", place.scratch.dir);
    cr_expect_eq(o.code, 2);
    o = bench_run("l0-bench keepalive %s 1 1 --tail-reset --admin 127.0.0.1:1", place.document);
    cr_expect_eq(o.code, 2);

    static const char *const nonsense[] = {
        "",
        "--none",
        "fly",
        "keepalive",
        "keepalive d.tex 0 1",
        "keepalive d.tex 1 0",
        "keepalive d.tex 1 1025",
        "keepalive d.tex -5 1",
        "keepalive d.tex 1 1 1",
        "keepalive d.tex 1 1 --cores 0-",
        "keepalive d.tex 1 1 --regime tex",
        "keepalive d.tex 1 1 --expect 3",
        "oneshot d.tex",
        "micro",
        "micro --samples 0 d.tex",
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
        cr_expect_eq(bench_run("l0-bench %s", nonsense[i]).code, 64, "%s", nonsense[i]);
    setenv("L0_KERNEL", "abacus", 1);
    o = bench_run("l0-bench micro %s", place.document);
    unsetenv("L0_KERNEL");
    cr_expect_eq(o.code, 64);
    bench_expect_said(&o, "abacus");
}

Test(bench_cli, an_unwritable_output_is_said)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_truth);
    struct bench_outcome o =
        bench_run("l0-bench keepalive %s 5 1 --out %s/none/raw --target %s --admin ''",
                  place.document, place.scratch.dir, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 2);
    bench_expect_said(&o, "none/raw: No such file or directory");
}

Test(bench_cli, micro_reports_each_file)
{
    struct bench_outcome o =
        bench_run("l0-bench micro --samples 2 --json %s %s", place.document, place.document);
    cr_expect_eq(o.code, 0, "%s", o.output);
    json_t *json = json_loads(o.output, 0, NULL);
    cr_assert_not_null(json, "%s", o.output);
    cr_expect_eq(json_array_size(json), 2);
    cr_expect_eq(member(json_array_get(json, 1), "tokens"), place.counts.n_tokens);
    json_decref(json);
    o = bench_run("l0-bench micro --samples 2 %s", place.document);
    cr_expect_eq(o.code, 0);
    bench_expect_said(&o, "memcpy");
    bench_expect_said(&o, "portable");
}

/* ---- side by side ------------------------------------------------------------------------------
 */

Test(bench_cli, side_compares_the_first_with_each_other)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_truth);
    struct bench_outcome o =
        bench_run("l0-bench side %s 20 2 --rounds 3 --out %s --contender a=%s,idle=3 "
                  "--contender b=%s --contender c=%s",
                  place.document, place.raw, server.target, server.target, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 0, "%s", o.output);
    bench_expect_said(&o, "a / b");
    bench_expect_said(&o, "a / c");
    json_t *json = json_load_file(place.raw, 0, NULL);
    cr_assert_not_null(json);
    const json_t *contenders = json_object_get(json, "contenders"),
                 *ratios = json_object_get(json, "ratios");
    cr_expect_eq(json_array_size(contenders), 3);
    cr_expect_eq(json_array_size(ratios), 2);
    const json_t *first = json_array_get(contenders, 0), *second = json_array_get(contenders, 1);
    const json_t *a = json_object_get(first, "rounds"), *b = json_object_get(second, "rounds");
    cr_expect_eq(member(first, "idle"), 3);
    cr_assert_eq(json_array_size(a), 3);
    /* The median, least and greatest ratio, worked out anew. */
    double ratio[3], low = 1e9, high = 0;
    for (size_t i = 0; i < 3; i++) {
        ratio[i] = json_number_value(json_object_get(json_array_get(a, i), "P50")) /
                   json_number_value(json_object_get(json_array_get(b, i), "P50"));
        low = ratio[i] < low ? ratio[i] : low;
        high = ratio[i] > high ? ratio[i] : high;
    }
    const json_t *said =
        json_object_get(json_object_get(json_array_get(ratios, 0), "over_rounds"), "P50");
    double middle = ratio[0] + ratio[1] + ratio[2] - low - high;
    cr_expect_float_eq(json_number_value(json_object_get(said, "median")), middle, 1e-6);
    cr_expect_float_eq(json_number_value(json_object_get(said, "min")), low, 1e-6);
    cr_expect_float_eq(json_number_value(json_object_get(said, "max")), high, 1e-6);
    json_decref(json);
}

Test(bench_cli, side_fails_with_a_lying_contender)
{
    struct fake_server server;
    fake_server_start(&server, place.socket, serve_wrong_tokens);
    struct bench_outcome o = bench_run("l0-bench side %s 20 2 --rounds 2 --contender liar=%s",
                                       place.document, server.target);
    fake_server_stop(&server);
    cr_expect_eq(o.code, 1, "%s", o.output);
    bench_expect_said(&o, "liar: request ");
    o = bench_run("l0-bench side %s 20 2 --contender nobody=%s/none", place.document,
                  place.scratch.dir);
    cr_expect_eq(o.code, 2);
    bench_expect_said(&o, "nobody: ");
    static const char *const nonsense[] = {"",
                                           "--contender a",
                                           "--contender =x",
                                           "--contender a=x,fast=1",
                                           "--contender a=x,expect=1",
                                           "--contender a=x --rounds 0"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
        cr_expect_eq(bench_run("l0-bench side d.tex 1 1 %s", nonsense[i]).code, 64, "%s",
                     nonsense[i]);
}
