/* Hedging, end to end: what clients, counters and the tail file see when shards sleep. Shards that
 * are stopped, and group H of the catalogue: test_hedge_faults.c. Races inside:
 * tests/tsan/hedge_stress.c. */
#include "tests/system/hedging.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <unistd.h>

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
            cr_expect_geq(rows[i].hedge_fire - rows[i].in_start, 10000000, "not before the delay");
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

/* With a delay of 60 ms, and 55 ms of work for each: ten requests, sent in pieces of so many bytes
 * with 80 ms behind each. The number of those that were hedged, and their rows. */
static unsigned race_in_pieces(size_t piece_bytes, struct row *hedged)
{
    static const char *const options[] = {"--hedge-ms", "60", "--hedge-budget", "100", NULL};
    const char *env[] = {"L0_FAULT_MS=55", "L0_FAULT_RATE_PPM=1000000", NULL};
    struct traffic_script script = {0};
    struct row rows[ROWS_MAX];
    struct daemon d;
    unsigned n_hedged = 0;
    hedge_start(&d, 2, options, env);
    traffic_script_add_text(&script, 1000, 1);
    int fd = daemon_connect(&d);
    for (int i = 0; i < 10; i++)
        traffic_script_run(fd, &script, piece_bytes, 80000);
    (void)close(fd);
    hedge_expect_settled(&d);
    unsigned n = hedge_rows(&d, rows);
    cr_assert_eq(n, 10);
    for (unsigned i = 0; i < n; i++)
        if (rows[i].hedged)
            hedged[n_hedged++] = rows[i];
    traffic_script_free(&script);
    daemon_stop(&d);
    return n_hedged;
}

/* A client waits from its first byte on: that counts, but for the last quarter of the delay. (When
 * within these 45 ms depends on when the sibling looks.) */
Test(timer_race_test, counts_from_the_first_byte)
{
    struct row rows[ROWS_MAX];
    unsigned n = race_in_pieces(600, rows), early = 0;
    for (unsigned i = 0; i < n; i++) {
        uint64_t whole_ns = rows[i].hedge_fire - rows[i].proc_start;
        cr_expect_geq(whole_ns, 15000000, "fired %" PRIu64 " ns after the last byte", whole_ns);
        early += whole_ns < 60000000;
    }
    cr_expect_gt(early, 0, "of 10 requests, %u were hedged, none before the whole delay", n);
}

Test(timer_race_test, at_once_is_in_time)
{
    struct row rows[ROWS_MAX];
    unsigned n = race_in_pieces(0, rows);
    for (unsigned i = 0; i < n; i++) /* these have met a stall of the machine */
        cr_expect_geq(rows[i].hedge_fire - rows[i].in_start, 60000000);
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
