/* Hedging, end to end: shards that stand still (by injected sleeps, stopped by a debugger), and
 * what clients, counters and the tail file see of it. Races inside: tests/tsan/hedge_stress.c. */
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 4, ROWS_MAX = 512, SHARDS_MAX = 4 };

struct row {
    uint64_t in_start, proc_start, hedge_fire, first_reply, reply_ready;
    unsigned hedged;
    char origin;
};

/* With so many shards (or the test is skipped), more options and environment; NULL-terminated. */
static void hedge_start(struct daemon *d, int shards, const char *const *more,
                        const char *const *env)
{
    char cores[64];
    if (!traffic_cores(cores, sizeof cores, shards))
        cr_skip_test("needs more processors");
    const char *args[24] = {"--admin", "127.0.0.1:0", "--cores", cores, "--tail-k", "512"};
    for (int n = 6; *more != NULL; more++)
        args[n++] = *more;
    daemon_start(d, args, env);
}

static uint64_t hedge_count(const struct daemon *d, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "l0_hedge_%s_total", name);
    return daemon_metric_sum(d, full);
}

/* Every duplicate came to an end, everything is released. */
static void hedge_expect_settled(const struct daemon *d)
{
    traffic_expect_settled(d, 0);
    uint64_t fired = hedge_count(d, "fired");
    uint64_t ended = 0;
    for (uint64_t until_ns = traffic_now_ns() + UINT64_C(20000000000);
         ended != fired && traffic_now_ns() < until_ns;)
        ended = hedge_count(d, "wins") + hedge_count(d, "lost") + hedge_count(d, "abandoned");
    cr_assert_eq(ended, fired, "%" PRIu64 " hedges begun, %" PRIu64 " ended", fired, ended);
}

/* The tail file's rows after SIGUSR1. */
static unsigned hedge_rows(const struct daemon *d, struct row *rows)
{
    unsigned n = 0;
    char line[512];
    traffic_sleep_ms(300); /* the shards have recorded what they have answered */
    (void)unlink(d->tail_csv);
    cr_assert_eq(kill(d->pid, SIGUSR1), 0);
    FILE *f = NULL;
    for (int i = 0; i < 1000 && f == NULL; i++) {
        traffic_sleep_ms(10);
        f = fopen(d->tail_csv, "re");
    }
    cr_assert_not_null(f);
    cr_assert_not_null(fgets(line, sizeof line, f));
    while (n < ROWS_MAX && fgets(line, sizeof line, f) != NULL) {
        struct row *r = &rows[n++];
        cr_assert_eq(sscanf(line,
                            "%*[0-9.],%" SCNu64 ",%*u,%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64
                            ",%u,%c",
                            &r->in_start, &r->proc_start, &r->hedge_fire, &r->first_reply,
                            &r->reply_ready, &r->hedged, &r->origin),
                     7, "%s", line);
        cr_assert_eq(r->hedged, r->hedge_fire != 0);
        cr_assert(r->origin == 'P' || r->origin == 'H');
    }
    (void)fclose(f);
    return n;
}

/* ---- clients -------------------------------------------------------------------------------- */

struct load {
    pthread_t thread;
    const struct daemon *d;
    const struct traffic_doc *doc;
    unsigned n;
    const char *failure;
    uint64_t longest_ns;
};

static void *load_main(void *arg)
{
    struct load *l = arg;
    int fd = daemon_connect(l->d);
    for (unsigned i = 0; i < l->n && l->failure == NULL; i++) {
        uint64_t begin_ns = traffic_now_ns();
        l->failure = traffic_doc_request(fd, l->doc);
        uint64_t took_ns = traffic_now_ns() - begin_ns;
        if (took_ns > l->longest_ns)
            l->longest_ns = took_ns;
    }
    (void)close(fd);
    return NULL;
}

static void run_load(const struct daemon *d, const struct traffic_doc *doc, unsigned n)
{
    struct load loads[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        loads[i] = (struct load){.d = d, .doc = doc, .n = n};
        cr_assert_eq(pthread_create(&loads[i].thread, NULL, load_main, &loads[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        (void)pthread_join(loads[i].thread, NULL);
        cr_assert_null(loads[i].failure, "%s", loads[i].failure);
    }
}

/* ---- timer_race_test: the delay ------------------------------------------------------------- */

/* Every request's work takes so long, on either shard; the delay is 10 ms. */
static unsigned race(const char *fault, struct row *rows)
{
    static const char *const options[] = {"--hedge-ms", "10", "--hedge-budget", "100", NULL};
    const char *env[] = {fault, "L0_FAULT_RATE_PPM=1000000", NULL};
    struct traffic_doc doc;
    struct daemon d;
    hedge_start(&d, 2, options, env);
    traffic_letters_make(&doc, 1000);
    int fd = daemon_connect(&d);
    for (int i = 0; i < 20; i++)
        traffic_expect_answer(fd, &doc);
    (void)close(fd);
    hedge_expect_settled(&d);
    unsigned n = hedge_rows(&d, rows);
    cr_assert_eq(n, 20);
    daemon_stop(&d);
    traffic_doc_free(&doc);
    return n;
}

Test(timer_race_test, fires_before_a_reply_of_15_ms)
{
    struct row rows[ROWS_MAX];
    unsigned n = race("L0_FAULT_MS=15", rows), hedged = 0;
    for (unsigned i = 0; i < n; i++) {
        hedged += rows[i].hedged;
        if (rows[i].hedged)
            cr_expect_geq(rows[i].hedge_fire - rows[i].proc_start, 10000000,
                          "not before the delay");
    }
    /* The sibling may have been off its core for the 5 ms that it had: not most times. */
    cr_expect_geq(hedged, n / 2, "%u of %u", hedged, n);
}

Test(timer_race_test, does_not_fire_before_a_reply_of_5_ms)
{
    struct row rows[ROWS_MAX];
    unsigned n = race("L0_FAULT_MS=5", rows);
    for (unsigned i = 0; i < n; i++) /* what took 10 ms and more has met a stall of the machine */
        cr_expect(!rows[i].hedged || rows[i].reply_ready - rows[i].proc_start >= 10000000,
                  "fired at %" PRIu64, rows[i].hedge_fire - rows[i].proc_start);
}

/* ---- what it brings ------------------------------------------------------------------------- */

/* The reply is there while the owner still sleeps; and it differs in its origin only. */
Test(hedge, the_sibling_answers_while_the_owner_sleeps, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "2", "--hedge-budget", "100", NULL};
    static const char *const phases[] = {"L0_FAULT_PHASE=pre", "L0_FAULT_PHASE=post"};
    for (int phase = 0; phase < 2; phase++) {
        const char *env[] = {"L0_FAULT_MS=100", "L0_FAULT_RATE_PPM=30000", phases[phase], NULL};
        struct row rows[ROWS_MAX];
        struct traffic_doc doc;
        struct daemon d;
        unsigned early = 0;
        hedge_start(&d, 2, options, env);
        traffic_letters_make(&doc, 3000);
        int fd = daemon_connect(&d); /* one client, so that seldom both shards sleep at once */
        for (int i = 0; i < 300; i++)
            traffic_expect_answer(fd, &doc);
        (void)close(fd);
        hedge_expect_settled(&d);
        cr_expect_gt(hedge_count(&d, "wins"), 0);
        unsigned n = hedge_rows(&d, rows);
        for (unsigned i = 0; i < n; i++)
            early += rows[i].hedged && rows[i].origin == 'H' &&
                     rows[i].first_reply - rows[i].proc_start < 100000000;
        cr_expect_gt(early, 0, "no reply came before its owner's sleep was over");
        daemon_stop(&d);
        traffic_doc_free(&doc);
    }
}

/* A single request, and a document in many pieces. */
Test(hedge, large_documents_are_hedged_and_taken_over, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "1", "--hedge-budget", "100", NULL};
    const char *env[] = {"L0_FAULT_MS=40", "L0_FAULT_RATE_PPM=100000", NULL};
    struct traffic_doc doc;
    struct daemon d;
    hedge_start(&d, 2, options, env);
    traffic_doc_make(&doc, 900000, 3);
    run_load(&d, &doc, 40);
    hedge_expect_settled(&d);
    cr_expect_gt(hedge_count(&d, "fired"), 0);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

Test(hedge, off_means_off)
{
    static const char *const options[] = {"--hedge-ms", "0", NULL};
    const char *env[] = {"L0_FAULT_MS=20", "L0_FAULT_RATE_PPM=100000", NULL};
    struct traffic_doc doc;
    struct daemon d;
    hedge_start(&d, 2, options, env);
    traffic_letters_make(&doc, 100);
    run_load(&d, &doc, 25);
    cr_expect_eq(hedge_count(&d, "fired") + hedge_count(&d, "claimed_first"), 0);
    cr_expect_eq(daemon_metric_sum(&d, "l0_stalls_total"), 0);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

Test(hedge, automatic_delay_waits_for_history_then_fires, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "auto", "--hedge-budget", "5", NULL};
    const char *env[] = {"L0_FAULT_MS=30", "L0_FAULT_RATE_PPM=2000", NULL};
    struct traffic_doc doc;
    struct daemon d;
    hedge_start(&d, 2, options, env);
    traffic_letters_make(&doc, 500);
    run_load(&d, &doc, 100);
    cr_expect_eq(hedge_count(&d, "fired"), 0, "there is no history yet");
    run_load(&d, &doc, traffic_scaled(&d, 4000) + 2500);
    hedge_expect_settled(&d);
    cr_expect_gt(hedge_count(&d, "fired"), 0);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

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

Test(hedge, h04_a_stopped_shard_is_not_noticed, .timeout = 120)
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

/* Over TCP each shard has a listener of its own: new connections of a stopped one are accepted. */
Test(hedge, h04_new_connections_of_a_stopped_shard_are_accepted, .timeout = 120)
{
    static const char *const options[] = {"--hedge-ms", "5", "--tcp", "127.0.0.1:0", NULL};
    struct traffic_doc doc;
    struct daemon d;
    hedge_start(&d, 2, options, NULL);
    traffic_doc_make(&doc, 3000, 1);
    pid_t thread = shard_thread(&d, 1);
    thread_stop(thread);
    traffic_sleep_ms(50); /* known to stand still only when something has come in */
    unsigned answered = 0;
    for (int i = 0; i < 40; i++) {
        int fd = traffic_connect(&d, true);
        struct timeval limit = {.tv_usec = 500000};
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        answered += traffic_doc_request(fd, &doc) == NULL;
        (void)close(fd);
    }
    thread_go_on(thread);
    /* The first ones may have been handed to it before it was known to stand still. */
    cr_expect_geq(answered, 36, "%u of 40", answered);
    hedge_expect_settled(&d);
    daemon_stop(&d);
    traffic_doc_free(&doc);
}

/* More guests than a shard serves in one look at the stopped one: none is sent back to it. */
Test(hedge, h04_many_connections_of_a_stopped_shard, .timeout = 120)
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
Test(hedge, comes_to_rest, .timeout = 120)
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
Test(hedge, all_shards_stopped_and_gone_on, .timeout = 120)
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

Test(hedge, h05_clients_leave_while_both_arms_work, .timeout = 120)
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

Test(hedge, h06_slow_everywhere_the_budget_holds, .timeout = 120)
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
Test(hedge, h07_no_place_for_a_duplicate, .timeout = 120)
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
Test(hedge, h08_arms_that_fail, .timeout = 120)
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
Test(hedge, drains_with_stalls, .timeout = 120)
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
