/* l0-bench ab and find-max: servers that are started, measured in turn and ended. */
#include "bench/bench.h"
#include "tests/unit/bench_place.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void close_place(void)
{
    cr_expect_eq(nftw(place.scratch.dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TestSuite(bench_ab, .init = bench_place_open, .fini = close_place);

#define AB                                                                                         \
    "l0-bench ab %s --out %s/ab --rate 200 --duration 100ms --warmup 20ms --max-lag-ms 60000 "     \
    "--expect 0,0 "

static bool exists(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", place.scratch.dir, name);
    return access(path, F_OK) == 0;
}

Test(bench_ab, two_servers_in_turn)
{
    struct bench_outcome o =
        bench_run(AB "--pairs 2 --a '%s/l0-bench-sink --unix \"$L0_UNIX\"' --b 'echo here; exec "
                     "%s/l0-bench-sink --unix \"$L0_UNIX\"'",
                  place.document, place.scratch.dir, place.bin, place.bin);
    cr_expect_eq(o.code, 0, "%s", o.output);
    bench_expect_said(&o, "2 pairs, 2 of them valid");
    static const char *const files[] = {"ab/a/001/run.json", "ab/a/002/rows.csv",
                                        "ab/b/001/server.log", "ab/b/002/jitter.csv"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        cr_expect(exists(files[i]), "%s", files[i]);
    cr_expect_not(exists("ab/a/003"));
    o = bench_run("l0-gate compare %s/ab/a %s/ab/b", place.scratch.dir, place.scratch.dir);
    cr_expect_eq(o.code, 3, "%s", o.output);
    bench_expect_said(&o, "runs: 2 and 2, compared in pairs");
    bench_expect_said(&o, "a side has fewer than 6 runs");
    o = bench_run("l0-gate check --rule 'n>=40' --rule errors==0 %s/ab/a", place.scratch.dir);
    cr_expect_eq(o.code, 0, "%s", o.output);
    o = bench_run(AB "--a x --b y", place.document, place.scratch.dir);
    cr_expect_eq(o.code, BENCH_INPUT, "other runs would be among these: %s", o.output);
    bench_expect_said(&o, "File exists");
}

static void expect_refused(const char *a, int code, const char *said)
{
    struct bench_outcome o =
        bench_run(AB "--pairs 1 --a \"%s\" --b \"%s\"", place.document, place.scratch.dir, a, a);
    cr_expect_eq(o.code, code, "%s: %d, %s", a, o.code, o.output);
    bench_expect_said(&o, said);
    char path[256];
    snprintf(path, sizeof path, "%s/ab", place.scratch.dir);
    cr_expect_eq(nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

Test(bench_ab, servers_that_do_not_serve)
{
    expect_refused("exit 3", BENCH_INPUT, "--a: the server ended before it listened");
    expect_refused("no-such-program", BENCH_INPUT, "--a: the server ended before it listened");
    char command[PATH_MAX + 100];
    /* It lexes, so its counts are not those that are expected. */
    snprintf(command, sizeof command, "exec %s/l0-bench-blocking --unix \\$L0_UNIX", place.bin);
    expect_refused(command, BENCH_WRONG, "had no right reply");
    snprintf(command, sizeof command,
             "trap 'exit 7' TERM; %s/l0-bench-sink --unix \\$L0_UNIX & wait", place.bin);
    expect_refused(command, BENCH_WRONG, "--a: the server did not end well");
}

/* Whenever the signal comes, the server is ended and its socket's directory is gone. */
Test(bench_ab, an_interrupted_session_leaves_nothing_behind)
{
    for (int i = 1; i <= 4; i++) {
        struct bench_outcome o = bench_run(
            AB "--pairs 50 --a 'echo $$ >%s/pid; exec %s/l0-bench-sink --unix \"$L0_UNIX\"' --b "
               "'echo $$ >%s/pid; exec %s/l0-bench-sink --unix \"$L0_UNIX\"' & sleep 0.%d7; kill "
               "-TERM $!; wait $!",
            place.document, place.scratch.dir, place.scratch.dir, place.bin, place.scratch.dir,
            place.bin, i * 2);
        cr_expect_eq(o.code, BENCH_INVALID, "%d: %s", o.code, o.output);
        o = bench_run(
            "l0-bench --version; rm -rf %s/ab; [ ! -s %s/pid ] || ! kill -0 $(cat %s/pid)",
            place.scratch.dir, place.scratch.dir, place.scratch.dir);
        cr_expect_eq(o.code, 0, "the server lives on");
    }
}

Test(bench_ab, find_max)
{
    struct bench_outcome o = bench_run(
        "l0-bench-sink --unix %s >%s/log & sleep 0.3; %s/l0-bench find-max %s --slo 'p50<=10s' "
        "--from 400 --to 1000 --duration 100ms --warmup 0 --max-lag-ms 60000 --target %s --admin "
        "'' "
        "--expect 0,0; code=$?; kill $!; wait $!; exit $code",
        place.socket, place.scratch.dir, place.bin, place.document, place.socket);
    cr_expect_eq(o.code, 0, "%s", o.output);
    bench_expect_said(&o, "highest rate that holds: 1000 requests/s; above it: not tried (--to)");
    o = bench_run("l0-bench-sink --unix %s >%s/log & sleep 0.3; %s/l0-bench find-max %s --slo "
                  "'p50<=1ns' --json --duration 100ms --warmup 0 --max-lag-ms 60000 --target %s "
                  "--admin '' --expect 0,0; code=$?; kill $!; wait $!; exit $code",
                  place.socket, place.scratch.dir, place.bin, place.document, place.socket);
    cr_expect_eq(o.code, BENCH_WRONG, "%s", o.output);
    bench_expect_said(&o, "\"max_rate\": null");
}
