/* The built l0-gate and scripts/acceptance_gate.sh: exit codes and what they print. Built programs
 * are looked for in $L0_BIN, else in bin/; the tests run at the top of the tree. */
#include "tests/unit/gate_files.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(gate_cli, .init = gate_files_begin, .fini = gate_files_end);

/* raw: 100 000 round trips of 2 ms; tail: n_rows brackets of 1 ms. */
static void write_good_run(size_t n_rows)
{
    gate_files_write_raw("raw", 100000, "2.000000", 0, "");
    gate_files_write_tail("tail", n_rows, 1000000);
    gate_files_write("raw.json",
                     "{\"requests\":100000,\"errors\":0,\"hedges_fired\":10,\"hedge_wins\":3}");
}

#define CHECK "check --raw raw --tail tail --run raw.json "

Test(gate_cli, usage)
{
    gate_files_expect(gate_files_run(" "), 2, "Usage: l0-gate");
    gate_files_expect(gate_files_run("nonsense"), 2, "found program 'nonsense'");
    gate_files_expect(gate_files_run("--help"), 0, "Exit codes: 0 pass; 2 usage");
    gate_files_expect(gate_files_run("verify --help"), 0, "--p999-target");
    gate_files_expect(gate_files_run("compare --help"), 0, "intervals do not overlap");
    gate_files_expect(gate_files_run("check --help"), 0, "--hedge-rate-max");
    gate_files_expect(gate_files_run("verify"), 2, "no file given");
    gate_files_expect(gate_files_run("verify a b"), 2, "second file 'b'");
    gate_files_expect(gate_files_run("verify --bogus a"), 2, "unrecognized option");
    gate_files_expect(gate_files_run("verify --slow-k 0 a"), 2, "--slow-k: found '0'");
    gate_files_expect(gate_files_run("verify --slow-k 1x a"), 2, "--slow-k: found '1x'");
    gate_files_expect(gate_files_run("verify --p999-target fast a"), 2,
                      "--p999-target: found 'fast'");
    gate_files_expect(gate_files_run("verify --col 0 a"), 2, "--col: found '0'");
    gate_files_expect(gate_files_run("verify --delim ab a"), 2, "--delim: found 'ab'");
    gate_files_expect(gate_files_run("verify --delim '' a"), 2, "--delim: found ''");
    gate_files_expect(gate_files_run("compare a"), 2, "expected two files");
    gate_files_expect(gate_files_run("compare a b c"), 2, "third file 'c'");
    gate_files_expect(gate_files_run("check --raw a"), 2, "expected --raw FILE and --tail FILE");
    gate_files_expect(gate_files_run("check a"), 2, "found 'a', expected options only");
    gate_files_expect(gate_files_run("check --hedge-rate-max 2"), 2, "found '2', expected a rate");
    gate_files_expect(gate_files_run("check --hedge-rate-max 101%%"), 2,
                      "found '101%', expected a rate");
    gate_files_expect(gate_files_run("check --n-min -1"), 2, "--n-min: found '-1'");
}

Test(gate_cli, verify_known_answers)
{
    gate_files_write_raw("raw", 100000, "2.000000", 101, "9.500000");
    struct gate_files_run run = gate_files_run("verify raw");
    gate_files_expect(run, 0, "N            100000\n");
    gate_files_expect(run, 0, "min          2.000000 ms\n");
    gate_files_expect(run, 0, "mean         2.007575 ms\n"); /* 2 + 101 * 7.5 / 100000 */
    gate_files_expect(run, 0, "max          9.500000 ms\n");
    gate_files_expect(run, 0, "P50          2.000000 ms, rank 50000, ");
    gate_files_expect(run, 0,
                      "P99.9        9.500000 ms, rank 99900, 95 % interval 2.000000 .. 9.500000 ms "
                      "(ranks 99880 .. 99920)\n");
    gate_files_expect(run, 0, "slowest-K    K = 101: 9.500000 .. 9.500000 ms\n");
    gate_files_expect(run, 0, "verdict      PASS\n");
}

Test(gate_cli, verify_of_tiny_samples)
{
    gate_files_write("one", "7\n");
    struct gate_files_run run = gate_files_run("verify one");
    gate_files_expect(
        run, 0,
        "P50          7.000000 ms, rank 1, 95 % interval none .. none ms (ranks none .. none)");
    /* one sample lies below P99.99 with a probability of 99.99 % */
    gate_files_expect(
        run, 0,
        "P99.99       7.000000 ms, rank 1, 95 % interval 7.000000 .. none ms (ranks 1 .. none)");
    gate_files_write("two", "2\n1");
    run = gate_files_run("verify two");
    gate_files_expect(run, 0, "P50          1.000000 ms, rank 1, ");
    gate_files_expect(run, 0, "P90          2.000000 ms, rank 2, ");
    gate_files_expect(run, 0, "mean         1.500000 ms");
}

Test(gate_cli, verify_window)
{
    gate_files_write_raw("raw", 100000, "2", 100, "9");
    gate_files_expect(gate_files_run("verify --slow-k 101 raw"), 0, "K >= 101: CONSISTENT\n");
    gate_files_expect(gate_files_run("verify --slow-k 100 raw"), 3, "K >= 101: INCONSISTENT\n");
    gate_files_expect(gate_files_run("verify --slow-k 99999999 raw"), 0, "K = 100000: ");
    gate_files_write_raw("tied", 100000, "2", 101, "9");
    gate_files_expect(gate_files_run("verify --slow-k 100 tied"), 0,
                      "K >= 101: CONSISTENT BY A TIE\n");
    gate_files_write("few", "1\n30\n20\n");
    gate_files_expect(gate_files_run("verify --slow-k 2 --dump-slowest few"), 0,
                      "       1        30.000000            2\n"
                      "       2        20.000000            3\n");
}

Test(gate_cli, verify_target)
{
    gate_files_write_raw("raw", 100000, "2", 101, "9");
    gate_files_expect(gate_files_run("verify --p999-target 9 raw"), 0, "margin +0.000000 ms: PASS");
    gate_files_expect(gate_files_run("verify --p999-target 8.999999 raw"), 3,
                      "margin -0.000001 ms: FAIL");
    gate_files_write_raw("few", 3687, "2", 0, "");
    gate_files_expect(gate_files_run("verify --p999-target 9 few"), 3,
                      "INCONCLUSIVE (too few samples");
}

Test(gate_cli, verify_csv)
{
    gate_files_write("csv", "id;ms\n1;2.5\n2;4.5\n");
    gate_files_expect(gate_files_run("verify --delim ';' --col ms csv"), 0,
                      "mean         3.500000 ms");
    gate_files_expect(gate_files_run("verify --delim ';' --col 2 --skip-header csv"), 0,
                      "N            2\n");
    gate_files_expect(gate_files_run("verify --csv --delim ';' --col 2 csv"), 3,
                      "csv:1: found 'ms'");
    gate_files_expect(gate_files_run("verify --csv csv --delim ';' --col 3"), 3,
                      "at least 3 columns");
    gate_files_write("plain.csv", "1\t2\n3\t4\n");
    gate_files_expect(gate_files_run("verify --delim '\\t' --col 2 plain.csv"), 0,
                      "mean         3.000000");
    gate_files_expect(gate_files_run("verify --csv --delim '\\t' plain.csv"), 0,
                      "mean         2.000000");
}

Test(gate_cli, bad_input)
{
    gate_files_write("empty", "");
    gate_files_write("bad", "1\nnan\n");
    gate_files_expect(gate_files_run("verify none"), 2,
                      "none: cannot open: No such file or directory");
    gate_files_expect(gate_files_run("verify empty"), 3, "empty: found no values");
    gate_files_expect(gate_files_run("verify bad"), 3,
                      "bad:2: found 'nan', expected a latency in ms");
    gate_files_expect(gate_files_run("compare bad bad"), 3, "bad:2: found 'nan'");
    gate_files_expect(gate_files_run("compare bad none"), 3, "bad:2:");
    gate_files_expect(gate_files_run("verify - <empty"), 3, "-: found no values");
    gate_files_write("good", "1\n");
    gate_files_expect(gate_files_run("verify - <good"), 0, "N            1\n");
    gate_files_expect(gate_files_run("verify good >/dev/full"), 2, "cannot write the report");
    gate_files_expect(gate_files_run("verify --json good >/dev/full"), 2,
                      "cannot write the report");
}

Test(gate_cli, compare)
{
    gate_files_write_raw("a", 1000, "2", 0, "");
    gate_files_write_raw("b", 1000, "3", 0, "");
    struct gate_files_run run = gate_files_run("compare a b");
    gate_files_expect(run, 0, "+1.000000     +50.00 %  MORE THAN NOISE\n");
    gate_files_expect(run, 0, "too few samples\n"); /* P99.9 of 1000 has no upper bound */
    gate_files_expect(run, 0, "rule: a difference is more than noise exactly when");
    gate_files_expect(gate_files_run("compare b a"), 0,
                      "-1.000000     -33.33 %  MORE THAN NOISE\n");
    run = gate_files_run("compare a a");
    gate_files_expect(run, 0, "+0.000000      +0.00 %  within noise\n");
    cr_expect_null(strstr(run.output, "MORE THAN NOISE"));
    gate_files_write_raw("zero", 1000, "0", 0, "");
    gate_files_expect(gate_files_run("compare zero a"), 0,
                      "+2.000000          n/a  MORE THAN NOISE\n");
}

/* The document that a run printed; the caller drops it. */
static json_t *parse_output(const struct gate_files_run *run)
{
    json_error_t error;
    json_t *document = json_loads(run->output, 0, &error);
    cr_assert_not_null(document, "%s: %s", error.text, run->output);
    return document;
}

Test(gate_cli, verify_json)
{
    gate_files_write_raw("raw", 100000, "0.123456", 101, "9.5");
    struct gate_files_run run =
        gate_files_run("verify --json --p999-target 20 --slow-k 102 --dump-slowest raw");
    cr_expect_eq(run.exit, 0);
    cr_expect_not_null(strstr(run.output, "0.123456,")); /* not 0.12345599999 */
    json_t *document = parse_output(&run);
    json_t *p999 = json_array_get(json_object_get(document, "quantiles"), 5);
    cr_expect_str_eq(json_string_value(json_object_get(p999, "name")), "P99.9");
    cr_expect_eq(json_integer_value(json_object_get(p999, "rank")), 99900);
    cr_expect_eq(json_integer_value(json_object_get(p999, "high_rank")), 99920);
    json_t *slowest = json_object_get(document, "slowest");
    cr_expect_eq(json_array_size(json_object_get(slowest, "values")), 102);
    cr_expect_str_eq(json_string_value(json_object_get(document, "verdict")), "PASS");
    json_decref(document);
    gate_files_write("one", "1\n");
    run = gate_files_run("verify --json one");
    cr_expect_not_null(strstr(run.output, "\"high_rank\": null"));
}

Test(gate_cli, compare_and_check_json)
{
    write_good_run(101);
    struct gate_files_run run = gate_files_run("compare --json raw raw");
    cr_expect_eq(run.exit, 0);
    json_t *document = parse_output(&run);
    cr_expect_eq(json_array_size(json_object_get(document, "quantiles")), 7);
    json_decref(document);

    run = gate_files_run(CHECK "--json --errors 1");
    cr_expect_eq(run.exit, 4);
    document = parse_output(&run);
    cr_expect_str_eq(json_string_value(json_object_get(document, "verdict")), "FAIL");
    cr_expect_eq(json_integer_value(json_object_get(document, "exit")), 4);
    cr_expect_eq(json_integer_value(json_object_get(document, "errors")), 1);
    cr_expect_eq(json_array_size(json_object_get(document, "gates")), 7);
    json_decref(document);
}

Test(gate_cli, check_passes)
{
    write_good_run(101);
    struct gate_files_run run = gate_files_run(CHECK);
    gate_files_expect(run, 0, "samples: 100000, limit >= 100000, margin +0: PASS\n");
    gate_files_expect(
        run, 0,
        "P99.9: 2.000000 ms (rank 99900), limit <= 20.000000 ms, margin +18.000000 ms, "
        "95 % interval 2.000000 .. 2.000000 ms (ranks 99880 .. 99920): PASS\n");
    gate_files_expect(
        run, 0, "hedge rate: 10 of 100000 = 0.0100 %, limit <= 2.0000 %, margin +1990 hedges");
    gate_files_expect(run, 0, "tail rows: 101, limit >= 101, margin +0: PASS\n");
    gate_files_expect(run, 0, "margin +1.000000 ms at j = 1: PASS\n");
    gate_files_expect(run, 0, "\nverdict: PASS\n");
}

Test(gate_cli, check_wants_101_rows)
{
    write_good_run(100); /* all round trips are tied, which is no excuse */
    struct gate_files_run run = gate_files_run(CHECK);
    gate_files_expect(run, 3,
                      "tail rows: 100, limit >= 101, margin -1: FAIL; the tail cannot hold P99.9");
    gate_files_expect(run, 3, "\nverdict: FAIL; tail rows FAIL\n");
}

Test(gate_cli, check_limits)
{
    write_good_run(101);
    gate_files_expect(gate_files_run(CHECK "--p999-ms 2"), 0, "verdict: PASS");
    gate_files_expect(gate_files_run(CHECK "--p999-ms 1.999999"), 4, "verdict: FAIL; P99.9 FAIL");
    gate_files_expect(gate_files_run(CHECK "--hedge-rate-max 0.01%%"), 0, "verdict: PASS");
    gate_files_expect(gate_files_run(CHECK "--hedge-rate-max 0.0001"), 0, "verdict: PASS");
    gate_files_expect(gate_files_run(CHECK "--hedge-rate-max 0.0099%%"), 4, "hedge rate FAIL");
    gate_files_expect(gate_files_run(CHECK "--hedges-fired 2001"), 4, "margin -1 hedges: FAIL");
    gate_files_expect(gate_files_run(CHECK "--errors 2"), 4,
                      "errors: 2, limit <= 0, margin -2: FAIL");
    gate_files_expect(gate_files_run(CHECK "--requests 99999"), 3, "of different runs");
    gate_files_expect(gate_files_run(CHECK "--n-min 100001"), 3, "verdict: INCONCLUSIVE; samples");
}

Test(gate_cli, check_without_counters)
{
    write_good_run(101);
    gate_files_expect(gate_files_run("check --raw raw --tail tail"), 3,
                      "verdict: INCONCLUSIVE; hedge rate");
    struct gate_files_run run = gate_files_run("check --raw raw --tail tail --counters-optional");
    gate_files_expect(
        run, 0, "hedge rate: unknown, limit <= 2.0000 %: NOT JUDGED; not judged (no counters");
    gate_files_expect(run, 0, "verdict: PASS; hedge rate NOT JUDGED, errors NOT JUDGED");
    gate_files_write("null.json", "{\"requests\":100000,\"errors\":0,\"hedges_fired\":null}");
    gate_files_expect(gate_files_run("check --raw raw --tail tail --run null.json"), 3,
                      "verdict: INCONCLUSIVE; hedge rate INCONCLUSIVE\n");
    gate_files_expect(gate_files_run("check --raw raw --tail tail --requests 100000 --errors 0 "
                                     "--hedges-fired 0"),
                      0, "\nverdict: PASS\n");
}

Test(gate_cli, check_bad_files)
{
    write_good_run(101);
    gate_files_expect(gate_files_run("check --raw none --tail tail"), 2, "none: cannot open");
    gate_files_expect(gate_files_run("check --raw raw --tail none"), 2, "none: cannot open");
    gate_files_expect(gate_files_run("check --raw raw --tail tail --run none"), 2,
                      "none: cannot open");
    gate_files_expect(gate_files_run("check --raw raw --tail raw"), 3,
                      "raw:1: found '2.000000', expected the");
    gate_files_expect(gate_files_run("check --raw tail --tail tail"), 3,
                      "tail:1: found 'ms_total,");
    gate_files_expect(gate_files_run("check --raw raw --tail tail --run raw"), 3,
                      "raw:1: not JSON");
}

Test(gate_cli, brackets_beyond_round_trips)
{
    write_good_run(101);
    gate_files_write_tail("tail", 101, 2000001);
    gate_files_expect(gate_files_run(CHECK), 3,
                      "j = 1: bracket 2.000001 ms (line 2) > round trip 2.000000 ms");
    gate_files_write_tail("tail", 101, 2000000);
    gate_files_expect(gate_files_run(CHECK), 0, "verdict: PASS");
}

static struct gate_files_run run_acceptance(const char *arguments)
{
    char top[PATH_MAX];
    char command[3 * PATH_MAX];
    cr_assert_not_null(realpath("scripts", top), "run this test at the top of the tree");
    snprintf(command, sizeof command, "BIN=%s %s/acceptance_gate.sh %s", gate_files_bin(), top,
             arguments);
    return gate_files_shell(command);
}

Test(gate_cli, acceptance_script)
{
    write_good_run(101);
    gate_files_expect(run_acceptance("raw"), 2, "usage:");
    gate_files_expect(run_acceptance("raw tail"), 0, "counters: raw.json\n");
    gate_files_expect(run_acceptance("raw tail"), 0, "\nverdict: PASS\n");
    gate_files_expect(run_acceptance("none tail"), 2, "none: cannot open");
    gate_files_write("raw.json", "{\"requests\":100000,\"errors\":1,\"hedges_fired\":null}");
    gate_files_expect(run_acceptance("raw tail"), 4,
                      "verdict: FAIL; hedge rate NOT JUDGED, errors FAIL");
    gate_files_write("run.json", "{\"requests\":100000,\"errors\":0,\"hedges_fired\":null}");
    gate_files_expect(run_acceptance("raw tail run.json"), 3, "verdict: INCONCLUSIVE; hedge rate");
    gate_files_expect(run_acceptance("raw tail none.json"), 2, "none.json: cannot open");
    gate_files_write_raw("lone", 100000, "2", 0, "");
    gate_files_expect(run_acceptance("lone tail"), 0,
                      "no lone.json: hedge rate and errors are not judged");
    gate_files_write_tail("tail", 100, 1000000);
    gate_files_expect(run_acceptance("lone tail"), 3,
                      "tail rows: 100, limit >= 101, margin -1: FAIL");
}
