/* Stored runs through the built l0-gate: rules, comparisons, reports, and what they refuse. */
#include "tests/unit/gate_files.h"
#include "tests/unit/run_files.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

TestSuite(gate_runs, .init = gate_files_begin, .fini = gate_files_end);

#define VALID "\"valid\":true,\"requests\":5000,\"errors\":0,\"hedges_fired\":10"

/* 5000 rows of 1 ms. */
static void write_good(const char *name, const char *summary)
{
    run_files_write(
        &(struct run_file){.name = name, .n = 5000, .fast_ns = 1000000, .summary = summary});
}

#define HEADER "intended_ns,sent_ns,first_byte_ns,done_ns,bytes,origin,status\n"

static void expect_bad_rows(const char *rows, const char *excerpt)
{
    write_good("run", VALID);
    gate_files_write("run/rows.csv", rows);
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, excerpt);
}

/* ---- rules ---------------------------------------------------------------------------------- */

Test(gate_runs, one_exit_code_each)
{
    write_good("run", VALID);
    gate_files_expect(
        gate_files_run("check --rule 'p99.9<=20ms' --rule 'hedge_rate<=2%%' --rule errors==0 "
                       "--rule 'n>=5000' run"),
        0, "\nverdict: PASS\n");
    gate_files_expect(gate_files_run("check --rule 'p50<=999us' --rule 'n>=5001' run"), 4,
                      "p50<=999us  1.000000 ms  -0.001000 ms  1.000000 ms .. 1.000000 ms  FAIL\n");
    gate_files_expect(gate_files_run("check --rule 'p99.99<=1s' run"), 3,
                      "too few samples to bound");
    write_good("bad", "\"valid\":false,\"invalid\":[\"it was the client\"]");
    gate_files_expect(gate_files_run("check --rule 'p50<=1ns' bad"), 5, "it was the client");
    gate_files_expect(gate_files_run("check --rule 'p50<=1s' run bad"), 5, "verdict: INVALID");
    gate_files_expect(gate_files_run("check --rule 'fast' run"), 2, "--rule: found 'fast'");
    gate_files_expect(gate_files_run("check --rule 'n>=1'"), 2, "expected a RUN to judge");
    gate_files_expect(gate_files_run("check run"), 2, "or a --rule to judge it by");
    gate_files_expect(gate_files_run("check --rule 'n>=1' --raw run --tail run"), 2,
                      "rules judge runs");
    gate_files_expect(gate_files_run("check --rules none run"), 2, "none: cannot open");
    gate_files_write("rules", "# ours\np99<=2ms\nerrors==0\n");
    gate_files_expect(gate_files_run("check --rules rules run"), 0, "errors==0  0 ");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run >/dev/full"), 2,
                      "cannot write the report");
    gate_files_expect(gate_files_run("check --rule 'n>=1' --junit /dev/full run"), 2,
                      "/dev/full: cannot");
}

Test(gate_runs, unanswered_requests_are_the_slowest)
{
    run_files_write(&(struct run_file){
        .name = "run", .n = 5000, .fast_ns = 1000000, .n_lost = 20, .summary = "\"valid\":true"});
    struct gate_files_run run =
        gate_files_run("check --rule 'p99<=2ms' --rule 'p99.9<=20s' --rule 'max<=1h' run");
    gate_files_expect(run, 2, "found 'max<=1h'");
    run = gate_files_run("check --rule 'p99<=2ms' --rule 'p99.9<=20s' --rule errors==20 run");
    gate_files_expect(run, 4, "p99.9<=20s  unanswered ");
    gate_files_expect(run, 4, "p99<=2ms    1.000000 ms ");
    gate_files_expect(run, 4, "errors==20  20 ");
    gate_files_expect(run, 4, "20 requests had no right reply and count as slower than all others");
}

Test(gate_runs, files_of_latencies_are_runs)
{
    gate_files_write_raw("raw", 5000, "1", 0, "");
    gate_files_expect(gate_files_run("check --rule 'p99.9<=1ms' raw"), 0, "verdict: PASS");
    gate_files_expect(gate_files_run("check --rule errors==0 raw"), 3, "no counter: errors");
    gate_files_write("raw.json", "{\"requests\":5000,\"errors\":3,\"hedges_fired\":null}");
    gate_files_expect(gate_files_run("check --rule errors==0 raw"), 4, "errors==0  3 ");
    gate_files_expect(gate_files_run("check --rule 'p99.9<=1ms' raw"), 3,
                      "3 requests had no right reply");
    gate_files_write("raw.json", "{\"requests\":5000,\"errors\":50,\"hedges_fired\":null}");
    gate_files_expect(gate_files_run("check --rule 'p99.9<=1ms' raw"), 4,
                      "p99.9<=1ms  unanswered ");
    gate_files_write("raw.json", "{\"errors\":9000000000000000000}");
    gate_files_expect(gate_files_run("check --rule 'p99.9<=1ms' raw"), 3,
                      "expected at most 50000000");
    gate_files_write("raw.json", "{");
    gate_files_expect(gate_files_run("check --rule errors==0 raw"), 3, "raw.json:");
}

Test(gate_runs, several_runs_are_blocks)
{
    write_good("all/1", VALID);
    run_files_write(
        &(struct run_file){.name = "all/2", .n = 5000, .fast_ns = 3000000, .summary = VALID});
    struct gate_files_run run = gate_files_run("check --rule 'p90<=2ms' --rule 'n>=10000' all");
    gate_files_expect(run, 3, "all/1 and 1 more, N = 10000");
    gate_files_expect(
        run, 3, "p90<=2ms  3.000000 ms  -1.000000 ms  1.000000 ms .. 3.000000 ms  INCONCLUSIVE");
    gate_files_expect(gate_files_run("check --rule 'requests==10000' all"), 0, "PASS");
    gate_files_expect(gate_files_run("check --rule 'n>=1' all/1 none"), 2, "none: cannot open");
    write_good("all/3", VALID ",\"workload\":{\"rate\":5}");
    gate_files_expect(gate_files_run("check --rule 'n>=1' all"), 0, "PASS");
    write_good("all/1", VALID ",\"workload\":{\"rate\":6}");
    gate_files_expect(gate_files_run("check --rule 'n>=1' all"), 3,
                      "all/1 and all/3 differ in workload.rate");
    gate_files_expect(gate_files_run("check --rule 'n>=1' --allow-different all"), 0, "PASS");
    gate_files_shell("mkdir empty");
    gate_files_expect(gate_files_run("check --rule 'n>=1' empty"), 2,
                      "no run.json in it: not a run");
}

Test(gate_runs, malformed_runs)
{
    expect_bad_rows("", "found an empty file");
    expect_bad_rows(HEADER, "found no rows");
    expect_bad_rows("a,b\n", "expected the header");
    expect_bad_rows(HEADER "1,2,3,4,5,P\n", "7 columns");
    expect_bad_rows(HEADER "1,2,3,nan,5,P,ok\n", "found 'nan'");
    expect_bad_rows(HEADER "1,2,3,-4,5,P,ok\n", "found '-4'");
    expect_bad_rows(HEADER "1,2,3,,5,P,ok\n", "found nothing");
    expect_bad_rows(HEADER "1,3,2,4,5,P,ok\n", "intended_ns <= sent_ns");
    expect_bad_rows(HEADER "1,2,3,4,5000000000,P,ok\n", "bytes below 2^32");
    expect_bad_rows(HEADER "1,2,3,4,5,X,ok\n", "origin");
    expect_bad_rows(HEADER "1,2,3,4,5,P,OK\n", "status");
    expect_bad_rows(HEADER "1,2,3,9223372036854775807,5,P,ok\n", "a latency below");
    expect_bad_rows(HEADER "1,2,3,18446744073709551616,5,P,ok\n", "whole number");
    expect_bad_rows(HEADER "1,2,3,4,5,P,ok\n", "\"rows\" is not 1");
    expect_bad_rows(HEADER "2,2,3,4,5,P,ok\n1,2,3,4,5,P,ok\n", "in the order of intended_ns");
    expect_bad_rows(HEADER "1,2,3,1e3,5,P,ok\n", "whole number");
    write_good("run", "\"valid\":1");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, "neither true nor false");
    write_good("run", "\"errors\":-1");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, "\"errors\" is not a counter");
    write_good("run", "\"valid\":true,\"errors\":1");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3,
                      "\"errors\" is not 0, the number of rows");
    write_good("run", "\"valid\":true,\"requests\":4999");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3,
                      "\"requests\" is less than the 5000 rows");
    write_good("run", "\"requests\":5000");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3,
                      "\"valid\" or \"rows\" is missing");
    write_good("run", "\"valid\":true,\"errors\":99999999999999999999");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, "not JSON");
    write_good("run", "\"valid\":true,\"started_s\":1e999");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, "not JSON");
    write_good("run", "\"valid\":true,\"started_s\":NaN");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, "not JSON");
    gate_files_write("run/run.json", "{\"valid\":true,\"rows\":5000}");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3,
                      "\"format\" is not \"l0-run 1\"");
    gate_files_write("run/run.json", "{\"format\":\"l0-run 2\",\"valid\":true,\"rows\":5000}");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, "or of another version");
    gate_files_shell("head -c 100 /dev/zero | tr '\\0' '[' >run/run.json");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, "not JSON");
    gate_files_write("run/run.json", "[1]");
    gate_files_expect(gate_files_run("check --rule 'n>=1' run"), 3, "expected an object");
}

/* ---- forms of a verdict --------------------------------------------------------------------- */

Test(gate_runs, forms_for_machines)
{
    write_good("a&b<c>", VALID);
    struct gate_files_run run =
        gate_files_run("check --rule 'p99<=2ms' --rule 'p50<1ms' --rule 'n>5000' --annotations "
                       "--junit junit.xml --markdown summary.md 'a&b<c>'");
    gate_files_expect(run, 4,
                      "\n::error title=l0-gate check p50<1ms::FAIL: 1.000000 ms, limit <1ms");
    gate_files_expect(run, 4, "\n::warning title=l0-gate check n>5000::INCONCLUSIVE: ");
    run = gate_files_shell("cat junit.xml");
    gate_files_expect(run, 0, "tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"0\"");
    gate_files_expect(run, 0,
                      "<testcase classname=\"a&amp;b&lt;c&gt;, N = 5000\" name=\"p50&lt;1ms\">");
    gate_files_expect(run, 0, "<failure message=\"FAIL\">FAIL: 1.000000 ms");
    run = gate_files_shell("cat summary.md");
    gate_files_expect(run, 0, "l0-gate check: FAIL\n");
    gate_files_expect(run, 0, " p99\\<=2ms | 1.000000 ms |");
    run = gate_files_run("check --json --rule 'p99<=2ms' 'a&b<c>'");
    json_t *json = json_loads(run.output, 0, NULL);
    cr_assert_not_null(json, "%s", run.output);
    cr_expect_str_eq(json_string_value(json_object_get(json, "verdict")), "PASS");
    cr_expect_eq(json_array_size(json_object_get(json, "judgements")), 1);
    json_decref(json);
}

/* Texts of a run go to terminals, tables and pages: they may not act there. */
Test(gate_runs, hostile_texts)
{
    write_good("bad\xff\xc3\xa9", "\"valid\":false,\"invalid\":[\"\\u001b[2J\\n## <b>PASS</b>\"]");
    struct gate_files_run run =
        gate_files_run("check --rule 'p50<=1s' --junit j --markdown m bad*");
    gate_files_expect(run, 5, "not valid:  [2J ## <b>PASS</b>");
    cr_expect_null(strchr(run.output, '\033'));
    gate_files_expect(gate_files_shell("grep -c '^## ' m"), 1, "0");
    gate_files_expect(gate_files_shell("cat m"), 0, "\\# \\<b\\>PASS");
    gate_files_expect(gate_files_shell("cat j"), 0, "classname=\"bad?\xc3\xa9, N = 5000\"");
    gate_files_expect(
        gate_files_run("report --html page.html bad* && iconv -f UTF-8 page.html >p && echo fine"),
        0, "fine");
}

/* ---- comparisons ---------------------------------------------------------------------------- */

Test(gate_runs, sides_are_compared)
{
    run_files_write_sides("same", 12, 0);
    run_files_write_sides("slow", 12, 20);
    struct gate_files_run run = gate_files_run("compare same/a same/b");
    gate_files_expect(run, 0, "verdict: no difference\n");
    gate_files_expect(run, 0, "runs: 12 and 12, compared in pairs");
    gate_files_expect(gate_files_run("compare slow/a slow/b"), 4,
                      "verdict: worse; P50 worse, P99 worse");
    gate_files_expect(gate_files_run("compare slow/b slow/a"), 0, "verdict: better\n");
    gate_files_expect(gate_files_run("compare --min-effect 50%% slow/a slow/b"), 0,
                      "verdict: no difference");
    gate_files_expect(
        gate_files_run("compare --min-effect p50=50%% --min-effect p99=0.5 slow/a slow/b"), 4,
        "verdict: worse; P99.9 worse\n");
    gate_files_expect(gate_files_run("compare --at p50 --json slow/a slow/b"), 4,
                      "\"paired\": true");
    gate_files_expect(gate_files_run("compare --at p99.99 slow/a slow/b"), 3, "P99.99  unknown");
    gate_files_expect(gate_files_run("compare --base slow/a/001 --new slow/b/001"), 3,
                      "a side has fewer than 6 runs");
    gate_files_expect(gate_files_run("compare slow/a/001 slow/b"), 3, "not interleaved");
}

Test(gate_runs, what_compare_refuses)
{
    run_files_write_sides("ab", 6, 0);
    run_files_write(
        &(struct run_file){.name = "ab/b/004",
                           .n = 4000,
                           .fast_ns = 1000000,
                           .summary = "\"valid\":true,\"machine\":{\"cpu\":\"slide rule\"}"});
    gate_files_expect(gate_files_run("compare ab/a ab/b"), 3,
                      "ab/a/001 and ab/b/004 differ in machine.cpu");
    gate_files_expect(gate_files_run("compare --allow-different --at p50 ab/a ab/b"), 0,
                      "not interleaved");
    run_files_write(&(struct run_file){.name = "ab/b/004",
                                       .n = 4000,
                                       .fast_ns = 1000000,
                                       .summary =
                                           "\"valid\":true,\"machine\":{\"cpu\":\"abacus\"}, "
                                           "\"build\":{\"id\":\"1\",\"options\":\"-o x\"}"});
    run_files_write(&(struct run_file){
        .name = "ab/a/001",
        .n = 4000,
        .fast_ns = 1000000,
        .summary = "\"valid\":true,\"build\":{\"id\":\"2\",\"options\":\"-o y\"}"});
    gate_files_expect(gate_files_run("compare ab/a ab/b"), 3,
                      "ab/a/001 and ab/b/004 differ in build.id");
    run_files_write_sides("ab", 6, 0);
    run_files_write(&(struct run_file){
        .name = "ab/b/004", .n = 4000, .fast_ns = 1000000, .summary = "\"valid\":true"});
    gate_files_expect(gate_files_run("compare --allow-different --at p50 ab/a ab/b"), 0,
                      "1 runs do not say what machine");
    run_files_write(&(struct run_file){.name = "ab/b/004",
                                       .n = 4000,
                                       .fast_ns = 1000000,
                                       .summary = "\"valid\":false,\"invalid\":[\"client\"]"});
    gate_files_expect(gate_files_run("compare ab/a ab/b"), 5, "verdict: INVALID");
    gate_files_expect(gate_files_run("compare --drop-invalid ab/a ab/b"), 3,
                      "runs: 6 and 5, not interleaved");
    gate_files_expect(gate_files_run("compare --drop-invalid ab/a ab/b"), 3,
                      "left out: 1 runs that are not");
    run_files_write(&(struct run_file){
        .name = "ab/b/004",
        .n = 4000,
        .fast_ns = 1000000,
        .summary = "\"valid\":false,\"invalid\":[\"client\"],\"started_s\":160"});
    gate_files_expect(gate_files_run("compare --drop-invalid ab/a ab/b"), 3,
                      "runs: 5 and 5, compared in");
    gate_files_expect(gate_files_run("compare --drop-invalid ab/a ab/b"), 3,
                      "left out: 1 pairs with a run");
    gate_files_expect(gate_files_run("compare --base ab/a --base ab/a/002 --new ab/b"), 3,
                      "ab/a/002 and ab/a/002 are one run");
    gate_files_expect(gate_files_run("compare ab/a ab/a"), 3, "one run, on both sides");
    gate_files_expect(gate_files_run("compare --base ab/a --new ab/b --new ab/a/003"), 3,
                      "one run, on both");
    gate_files_shell("mkdir ab/a/007");
    gate_files_expect(gate_files_run("compare ab/a ab/b"), 3,
                      "ab/a/007: no run.json in it: a run that did");
    gate_files_shell("rmdir ab/a/007");
    gate_files_expect(gate_files_run("compare --base ab/a"), 2, "expected runs of both sides");
    gate_files_expect(gate_files_run("compare --base ab/a --new ab/b x"), 2, "found 'x' beside");
    gate_files_expect(gate_files_run("compare --at p50,p0 ab/a ab/b"), 2, "--at: found");
    gate_files_expect(gate_files_run("compare --at '' ab/a ab/b"), 2, "--at: found");
    gate_files_expect(gate_files_run("compare --min-effect 200%% ab/a ab/b"), 2,
                      "--min-effect: found");
    gate_files_expect(gate_files_run("compare --min-effect p0=5%% ab/a ab/b"), 2,
                      "--min-effect: found 'p0=5%");
    gate_files_expect(gate_files_run("compare --min-effect p50= ab/a ab/b"), 2,
                      "--min-effect: found ''");
    gate_files_expect(gate_files_run("compare ab/a none"), 2, "none: cannot open");
}

Test(gate_runs, simulation_runs_small)
{
    struct gate_files_run run = gate_files_run("simulate --trials 3 --samples 4000 --pairs 6");
    gate_files_expect(run, 0, "3 trials: 6 pairs of runs of 4000 samples");
    gate_files_expect(gate_files_run("simulate --trials 3 --samples 4000 --pairs 6 --json"), 0,
                      "\"P99.9\"");
    gate_files_expect(gate_files_run("simulate --pairs 0"), 2, "--pairs: found '0'");
    /* The seed decides everything. */
    cr_expect_str_eq(run.output,
                     gate_files_run("simulate --trials 3 --samples 4000 --pairs 6").output);
}

/* ---- reports -------------------------------------------------------------------------------- */

Test(gate_runs, a_page_that_needs_nothing_else)
{
    run_files_write(&(struct run_file){
        .name = "run",
        .n = 5000,
        .fast_ns = 1000000,
        .slow_ns = 15000000,
        .n_slow = 50,
        .n_hedged = 20,
        .n_lost = 2,
        .summary = "\"valid\":true,\"start_ns\":1000,\"hedges_fired\":25,\"hedge_counters\":{"
                   "\"l0_hedge_wins_total\":20},\"machine\":{\"cpu\":\"<abacus>\"}"});
    gate_files_write("run/jitter.csv", "begin_ns,worst_stall_ns\n0,50000\n100000000,70000\n");
    gate_files_write("marks", "t_ns,label\n4000001000,<stall>\n");
    gate_files_write("tail",
                     "ms_total,t_in_start,t_in_done,t_proc_start,t_hedge_fire,t_first_reply,"
                     "t_reply_ready,hedged,origin\n"
                     "15.000000,4000000000,4000000001,4000000002,4010000000,4014999999,4015000000,"
                     "1,H\n");
    gate_files_expect(
        gate_files_run("report run --base run --tail tail --marks marks --title 'a <b>' --html "
                       "page.html && echo done"),
        0, "done");
    struct gate_files_run run = gate_files_shell("tr -d '\\n' <page.html | cut -c 1-3000");
    gate_files_expect(run, 0, "<title>a &lt;b&gt;</title>");
    run = gate_files_shell("grep -c 'class=\"hedge\"' page.html");
    gate_files_expect(run, 0, "20");
    gate_files_expect(gate_files_shell("grep -c 'class=\"lost\"' page.html"), 0, "2");
    gate_files_expect(gate_files_shell("grep -c 'class=\"fired\"' page.html"), 0, "1");
    gate_files_expect(gate_files_shell("grep -o 'class=\"fault\"\\|&lt;stall&gt;' page.html"), 0,
                      "&lt;stall");
    gate_files_expect(gate_files_shell("grep -c 'l0_hedge_wins_total' page.html"), 0, "1");
    gate_files_expect(gate_files_shell("grep -c 'http\\|<script\\|<link\\|<img\\|url(' page.html"),
                      1, "0");
}

/* What l0-bench found out of a run's hedges and faults lies beside its rows, and is drawn unasked.
 */
Test(gate_runs, what_lies_beside_a_run_is_drawn)
{
    write_good("run", "\"valid\":true,\"start_ns\":1000");
    gate_files_write("run/tail.csv",
                     "ms_total,t_in_start,t_in_done,t_proc_start,t_hedge_fire,t_first_reply,"
                     "t_reply_ready,hedged,origin\n"
                     "15.000000,4000000000,4000000001,4000000002,4010000000,4014999999,4015000000,"
                     "1,H\n");
    gate_files_write("run/faults.csv", "begin_ns,end_ns,stalled_ns\n100000000,200000000,15000000\n"
                                       "99900000000,99900000001,1\n");
    gate_files_expect(gate_files_run("report run --html page.html && echo done"), 0, "done");
    gate_files_expect(gate_files_shell("grep -c 'class=\"fired\"' page.html"), 0, "1");
    gate_files_expect(gate_files_shell("grep -c 'class=\"injected\"' page.html"), 0, "1");
    gate_files_expect(
        gate_files_shell("cat page.html | tr -d '\\n' | grep -o 'injected stalls of 15 ms between "
                         "0.100 and 0.200 s'"),
        0, "15 ms");
    gate_files_write("run/faults.csv", "begin_ns,end_ns,stalled_ns\n1,2\n");
    gate_files_expect(gate_files_run("report run --html x"), 3, "faults.csv:2: found '1,2'");
    gate_files_write("run/faults.csv", "");
    gate_files_expect(gate_files_run("report run --html x"), 3, "faults.csv:0: found nothing");
    gate_files_shell("rm run/faults.csv; echo junk >run/tail.csv");
    gate_files_expect(gate_files_run("report run --html x"), 3, "tail.csv:1: found 'junk'");
}

Test(gate_runs, reports_refuse)
{
    write_good("run", VALID);
    gate_files_expect(gate_files_run("report run"), 2, "expected --html");
    gate_files_expect(gate_files_run("report --html x"), 2, "expected a RUN");
    gate_files_expect(gate_files_run("report none --html x"), 2, "none: cannot open");
    gate_files_expect(gate_files_run("report run --html none/x"), 2, "none/x: cannot write");
    gate_files_expect(gate_files_run("report run --html /dev/full"), 2, "/dev/full: cannot write");
    gate_files_write("marks", "t_ns,label\nx,y\n");
    gate_files_expect(gate_files_run("report run --marks marks --html x"), 3,
                      "marks:2: found 'x,y'");
    gate_files_write("run/jitter.csv", "begin_ns,worst_stall_ns\n0,-1\n");
    gate_files_expect(gate_files_run("report run --html x"), 3, "jitter.csv:2");
    gate_files_expect(gate_files_shell("ls x"), 2, "No such file");
    gate_files_expect(gate_files_run("report run --hgrm x && cat run/../x"), 0,
                      "#[Mean    =        1.000");
    gate_files_write("empty_path", "");
    struct gate_files_run run = gate_files_run("report run --svg x.svg");
    cr_expect(run.exit == 0 || strstr(run.output, "cannot start gnuplot") != NULL, "%s",
              run.output);
    gate_files_expect(gate_files_run("report run --png /dev/full"), 2, "/dev/full: cannot ");
}
