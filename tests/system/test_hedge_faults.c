/* Group H of the catalogue, end to end: shards stopped by a debugger, clients that leave, arms that
 * fail, budgets and places that run out, draining. */
#include "tests/system/hedging.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- group H --------------------------------------------------------------------------------- */

/* H04. Shard i's thread, found by its name. */
static pid_t shard_thread(const struct daemon *d, int i)
{
    char path[64], name[32] = "", want[32];
    pid_t found = -1;
    snprintf(path, sizeof path, "/proc/%d/task", (int)d->pid);
    snprintf(want, sizeof want, "l0-shard-%d\n", i);
    DIR *dir = opendir(path);
    cr_assert_not_null(dir);
    for (struct dirent *e; found < 0 && (e = readdir(dir)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/comm", (int)d->pid, e->d_name);
        FILE *f = fopen(path, "re");
        if (f != NULL && fgets(name, sizeof name, f) != NULL && strcmp(name, want) == 0)
            found = (pid_t)atoi(e->d_name);
        if (f != NULL)
            (void)fclose(f);
    }
    (void)closedir(dir);
    cr_assert_gt(found, 0, "no thread is named %s", want);
    return found;
}

/* As a debugger does; skips the test where that is forbidden. */
static void thread_stop(pid_t thread)
{
    int status;
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0)
        cr_skip_test("ptrace is forbidden here");
    cr_assert_eq(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL), 0);
    cr_assert_eq(waitpid(thread, &status, __WALL), thread);
    cr_assert(WIFSTOPPED(status));
}

static void thread_go_on(pid_t thread)
{
    cr_assert_eq(ptrace(PTRACE_DETACH, thread, NULL, NULL), 0);
}

Test(hedge_faults, h04_a_stopped_shard_is_not_noticed, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "5", NULL};
    struct traffic_doc small, large;
    struct daemon d;
    int fds[CLIENTS];
    hedge_start(&d, 2, options, NULL);
    traffic_doc_make(&small, 3000, 1);
    traffic_doc_make(&large, 700000, 2);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = daemon_connect(&d);
        traffic_expect_answer(fds[i], &small);
    }
    for (int shard = 0; shard < 2; shard++) {
        pid_t thread = shard_thread(&d, shard);
        traffic_sleep_ms(50); /* at rest: between sending a reply and letting go nobody can help */
        thread_stop(thread);  /* and only the test lets it go on: every answer comes without it */
        for (int round = 0; round < 5; round++)
            for (int i = 0; i < CLIENTS; i++)
                traffic_expect_answer(fds[i], round % 2 == 0 ? &small : &large);
        thread_go_on(thread);
    }
    for (int i = 0; i < CLIENTS; i++)
        (void)close(fds[i]);
    hedge_expect_settled(&d);
    cr_expect_gt(hedge_count(&d, "claimed_first"), 0);
    daemon_expect_well(&d);
    daemon_stop(&d);
    traffic_doc_free(&small);
    traffic_doc_free(&large);
}

/* New connections, while a shard is stopped: each is answered without it. */
static void expect_connections_answered(bool tcp)
{
    static const char *const options[] = {"--hedge-ms", "5", "--tcp", "127.0.0.1:0", NULL};
    struct traffic_doc doc;
    struct daemon d;
    int fds[3];
    hedge_start(&d, 2, options, NULL);
    traffic_doc_make(&doc, 3000, 1);
    /* Two at home on the first shard, so that the other one is the next one's: both are in their
     * loops. */
    for (int i = 0; i < 3; i++) {
        fds[i] = daemon_connect(&d);
        traffic_expect_answer(fds[i], &doc);
    }
    traffic_sleep_ms(50);
    pid_t thread = shard_thread(&d, 1);
    thread_stop(thread);
    for (int i = 0; i < 40; i++) {
        int fd = traffic_connect(&d, tcp);
        traffic_expect_answer(fd, &doc);
        (void)close(fd);
    }
    cr_expect_gt(hedge_count(&d, "adopted"), 0);
    thread_go_on(thread);
    for (int i = 0; i < 3; i++)
        (void)close(fds[i]);
    hedge_expect_settled(&d);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

/* The first ones are handed to it before it is known to stand still. */
Test(hedge_faults, h04_new_connections_are_adopted_by_the_sibling, .timeout = 120)
{
    expect_connections_answered(false);
}

/* Over TCP each shard has a listener of its own as well. */
Test(hedge_faults, h04_new_connections_of_a_stopped_shard_are_accepted, .timeout = 120)
{
    expect_connections_answered(true);
}

/* What a sibling has received and may not answer is answered when the home goes on, at once. */
Test(hedge_faults, h04_refusals_are_left_to_the_home, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "5", NULL};
    static const uint8_t lengths[2][WIRE_HEADER_BYTES] = {{0xFF, 0xFF, 0xFF, 0xFF}, {0}};
    static const enum wire_status statuses[2] = {WIRE_TOO_LARGE, WIRE_BAD_LENGTH};
    struct traffic_doc doc;
    struct daemon d;
    int fds[CLIENTS];
    traffic_doc_make(&doc, 3000, 1);
    for (int round = 0; round < 2; round++) {
        hedge_start(&d, 2, options, NULL);
        for (int i = 0; i < CLIENTS; i++) {
            fds[i] = daemon_connect(&d);
            traffic_expect_answer(fds[i], &doc);
        }
        pid_t thread = shard_thread(&d, 0);
        traffic_sleep_ms(50);
        thread_stop(thread);
        for (int i = 0; i < CLIENTS; i++)
            cr_assert(daemon_write(fds[i], lengths[round], WIRE_HEADER_BYTES));
        traffic_sleep_ms(100); /* time enough for the sibling to look */
        thread_go_on(thread);
        for (int i = 0; i < CLIENTS; i++) {
            traffic_expect_refusal(fds[i], statuses[round]);
            (void)close(fds[i]);
        }
        hedge_expect_settled(&d);
        daemon_stop(&d);
    }
    traffic_doc_free(&doc);
}

/* More guests than a shard serves in one look at the stopped one: none is sent back to it. */
Test(hedge_faults, h04_many_connections_of_a_stopped_shard, .timeout = 120)
{
    enum { CONNECTIONS = 80 };
    static const char *const options[] = {"--hedge-ms", "10", NULL};
    struct traffic_doc doc;
    struct daemon d;
    int fds[CONNECTIONS];
    hedge_start(&d, 2, options, NULL);
    traffic_letters_make(&doc, 100000);
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = daemon_connect(&d);
        traffic_expect_answer(fds[i], &doc);
    }
    traffic_sleep_ms(50);
    pid_t threads[2] = {shard_thread(&d, 0), shard_thread(&d, 1)};
    for (int i = 0; i < 2; i++)
        thread_stop(threads[i]);
    for (int i = 0; i < CONNECTIONS; i++)
        traffic_send_partial(fds[i], doc.n_bytes, doc.bytes, doc.n_bytes);
    thread_go_on(threads[1]);
    for (int i = 0; i < CONNECTIONS; i++)
        cr_assert_eq(daemon_read_status(fds[i]), WIRE_OK, "connection %d", i);
    thread_go_on(threads[0]);
    for (int i = 0; i < CONNECTIONS; i++)
        (void)close(fds[i]);
    hedge_expect_settled(&d);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

/* The loops' turns so far; asking for them costs the shards none. */
static uint64_t turns(const struct daemon *d)
{
    return daemon_metric_sum(d, "l0_loop_turns_total");
}

/* Where nothing happens, nobody wakes: neither the shards nor those who watch them. */
Test(hedge_faults, comes_to_rest, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "1", NULL};
    struct traffic_doc doc;
    struct daemon d;
    int fds[CLIENTS];
    hedge_start(&d, 2, options, NULL);
    traffic_doc_make(&doc, 3000, 1);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = daemon_connect(&d);
        traffic_expect_answer(fds[i], &doc);
    }
    uint64_t before = 0;
    bool rests = false;
    for (int i = 0; i < 50 && !rests; i++) {
        before = turns(&d);
        traffic_sleep_ms(200);
        rests = turns(&d) == before;
    }
    cr_expect(rests, "the shards do not come to rest within 10 s");
    for (int i = 0; i < CLIENTS; i++) {
        traffic_expect_answer(fds[i], &doc);
        (void)close(fds[i]);
    }
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

/* All shards stopped: everybody waits, nothing is lost. */
Test(hedge_faults, all_shards_stopped_and_gone_on, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "1", NULL};
    struct traffic_script script = {0};
    struct daemon d;
    hedge_start(&d, 2, options, NULL);
    for (uint32_t i = 0; i < 50; i++)
        traffic_script_add_text(&script, 100 + 300 * i, i);
    pid_t threads[2] = {shard_thread(&d, 0), shard_thread(&d, 1)};
    int fd = daemon_connect(&d);
    daemon_expect_well(&d);
    for (int i = 0; i < 2; i++)
        thread_stop(threads[i]);
    cr_assert(daemon_write(fd, script.bytes, 5000));
    traffic_sleep_ms(50);
    for (int i = 0; i < 2; i++)
        thread_go_on(threads[i]);
    const struct traffic_script rest = {.bytes = script.bytes + 5000,
                                        .n_bytes = script.n_bytes - 5000,
                                        .want = script.want,
                                        .want_bytes = script.want_bytes};
    traffic_script_run(fd, &rest, 0, 0);
    (void)close(fd);
    hedge_expect_settled(&d);
    daemon_stop(&d);
    traffic_script_free(&script);
}

Test(hedge_faults, h05_clients_leave_while_both_arms_work, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "1", "--hedge-budget", "100", NULL};
    const char *env[] = {"L0_FAULT_MS=6", "L0_FAULT_RATE_PPM=1000000", NULL};
    struct traffic_doc doc;
    struct traffic_baseline base;
    struct daemon d;
    hedge_start(&d, 2, options, env);
    traffic_doc_make(&doc, 4000, 9);
    traffic_baseline_take(&base, &d);
    for (int i = 0; i < 60; i++) {
        int fd = daemon_connect(&d);
        traffic_send_partial(fd, doc.n_bytes, doc.bytes, doc.n_bytes);
        traffic_sleep_ms((unsigned)i % 8);
        (void)close(fd);
    }
    traffic_baseline_expect(&base, &d, 8U << 20);
    hedge_expect_settled(&d);
    cr_expect_gt(hedge_count(&d, "fired"), 0);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

Test(hedge_faults, h06_slow_everywhere_the_budget_holds, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "1", NULL};
    const char *env[] = {"L0_FAULT_MS=8", "L0_FAULT_RATE_PPM=80000", NULL};
    struct traffic_doc doc;
    struct daemon d;
    hedge_start(&d, 2, options, env);
    traffic_letters_make(&doc, 50);
    run_load(&d, &doc, 400);
    hedge_expect_settled(&d);
    uint64_t n = daemon_metric_sum(&d, "l0_requests_total");
    /* Each of the two: 2 % of its requests, but 8 from the beginning on. */
    uint64_t most = n / 50 > 16 ? n / 50 : 16;
    cr_expect_leq(hedge_count(&d, "fired"), most);
    cr_expect_gt(daemon_metric(&d, "l0_hedge_denied_total{cause=\"budget\"}"), 0);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

/* H07. The sibling has no place for a duplicate's request: the original answers. */
Test(hedge_faults, h07_no_place_for_a_duplicate, .timeout = 120)
{
    static const char *const options[] = {
        "--hedge-ms", "1", "--hedge-budget", "100", "--max-inflight", "1", NULL};
    const char *env[] = {"L0_FAULT_MS=30", "L0_FAULT_RATE_PPM=1000000", NULL};
    struct traffic_doc doc;
    struct daemon d;
    int fds[2], held[2];
    hedge_start(&d, 2, options, env);
    traffic_letters_make(&doc, 1000);
    for (int i = 0; i < 2; i++)
        held[i] = daemon_connect(&d); /* one at home on each shard */
    for (int i = 0; i < 2; i++)
        fds[i] = daemon_connect(&d);
    traffic_send_partial(held[0], doc.n_bytes, doc.bytes, 10); /* takes its shard's only place */
    traffic_sleep_ms(100);
    /* One of these has the other shard as its home. */
    struct load load = {.d = &d, .doc = &doc, .n = 5};
    cr_assert_eq(pthread_create(&load.thread, NULL, load_main, &load), 0);
    traffic_sleep_ms(200);
    cr_assert(daemon_write(held[0], doc.bytes + 10, doc.n_bytes - 10));
    cr_expect_eq(daemon_read_status(held[0]), WIRE_OK);
    (void)pthread_join(load.thread, NULL);
    cr_expect_null(load.failure, "%s", load.failure);
    for (int i = 0; i < 2; i++) {
        (void)close(fds[i]);
        (void)close(held[i]);
    }
    hedge_expect_settled(&d);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

/* H08. One arm fails: the other one's answer; both: the error, and the connection goes on. */
Test(hedge_faults, h08_arms_that_fail, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "1", "--hedge-budget", "100", NULL};
    static const char *const rates[] = {"L0_FAULT_ERROR_RATE_PPM=500000",
                                        "L0_FAULT_ERROR_RATE_PPM=1000000"};
    for (int i = 0; i < 2; i++) {
        const char *env[] = {"L0_FAULT_MS=4", "L0_FAULT_RATE_PPM=500000", rates[i], NULL};
        struct traffic_doc doc;
        struct daemon d;
        unsigned good = 0, internal = 0;
        hedge_start(&d, 2, options, env);
        traffic_letters_make(&doc, 200);
        int fd = daemon_connect(&d);
        for (int n = 0; n < 200; n++) {
            traffic_send_partial(fd, doc.n_bytes, doc.bytes, doc.n_bytes);
            int64_t status = daemon_read_status(fd);
            good += status == WIRE_OK;
            internal += status == WIRE_INTERNAL;
        }
        (void)close(fd);
        cr_expect_eq(good + internal, 200);
        cr_expect(i == 0 ? good > 0 && internal > 0 : good == 0);
        hedge_expect_settled(&d);
        daemon_stop(&d);
        traffic_doc_free(&doc);
    }
}

/* The daemon drains while shards stall and duplicates are under way. */
Test(hedge_faults, drains_with_stalls, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "1", "--hedge-budget", "100", NULL};
    const char *env[] = {"L0_FAULT_MS=20", "L0_FAULT_RATE_PPM=500000", NULL};
    struct traffic_doc doc;
    struct daemon d;
    int fds[CLIENTS];
    hedge_start(&d, 2, options, env);
    traffic_letters_make(&doc, 2000);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = daemon_connect(&d);
        traffic_expect_answer(fds[i], &doc);
        traffic_send_partial(fds[i], doc.n_bytes, doc.bytes, doc.n_bytes);
    }
    traffic_sleep_ms(50); /* all of them are in hand, or answered */
    cr_assert_eq(kill(d.pid, SIGTERM), 0);
    for (int i = 0; i < CLIENTS; i++) {
        cr_expect_eq(daemon_read_status(fds[i]), WIRE_OK);
        cr_expect_eq(daemon_read_status(fds[i]), -1, "then the end");
        (void)close(fds[i]);
    }
    cr_expect_eq(daemon_wait(&d, 10000), 0);
    daemon_cleanup(&d);
    traffic_doc_free(&doc);
}
