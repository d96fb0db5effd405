#include "bench/bench.h"
#include "bench/cores.h"
#include "bench/document.h"
#include "bench/load_report.h"
#include "bench/micro.h"
#include "bench/number.h"
#include "gate/outfile.h"
#include "bench/progress.h"
#include "bench/service_metrics.h"

#include "tests/unit/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- arguments ------------------------------------------------------------------------------ */

Test(number, whole_numbers_within_a_range)
{
    uint64_t value = 77;
    static const char *const bad[] = {"", " 1", "1 ", "-1", "+1", "1e3", "0x10", "1.0", "a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(number_parse(bad[i], 0, UINT64_MAX, &value), -EINVAL, "\"%s\"", bad[i]);
    cr_expect_eq(number_parse("4", 5, 9, &value), -ERANGE);
    cr_expect_eq(number_parse("10", 5, 9, &value), -ERANGE);
    cr_expect_eq(number_parse("99999999999999999999", 0, UINT64_MAX, &value), -ERANGE);
    cr_expect_eq(value, 77);
    cr_expect_eq(number_parse("5", 5, 9, &value), 0);
    cr_expect_eq(value, 5);
    cr_expect_eq(number_parse("18446744073709551615", 0, UINT64_MAX, &value), 0);
    cr_expect_eq(value, UINT64_MAX);
}

Test(cores, lists)
{
    cpu_set_t cores;
    static const char *const bad[] = {"",   ",",  "0,", ",0",    "a",   "2-1",
                                      "-1", "1-", "0 ", "99999", "0--1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(cores_parse(bad[i], &cores), -EINVAL, "\"%s\"", bad[i]);
    cr_expect_eq(cores_parse("0,2-4,7", &cores), 0);
    cr_expect_eq(CPU_COUNT(&cores), 5);
    cr_expect(CPU_ISSET(0, &cores) && CPU_ISSET(2, &cores) && CPU_ISSET(3, &cores) &&
              CPU_ISSET(4, &cores) && CPU_ISSET(7, &cores));
}

Test(cores, pinning_takes_them_in_turn)
{
    cpu_set_t allowed, now;
    cr_assert_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    unsigned n = (unsigned)CPU_COUNT(&allowed);
    cpu_set_t seen;
    CPU_ZERO(&seen);
    for (unsigned i = 0; i < 2 * n; i++) {
        cr_assert_eq(cores_pin_one(&allowed, i), 0);
        cr_assert_eq(sched_getaffinity(0, sizeof now, &now), 0);
        cr_expect_eq(CPU_COUNT(&now), 1);
        CPU_OR(&seen, &seen, &now);
    }
    cr_expect(CPU_EQUAL(&seen, &allowed));
    cr_expect_eq(cores_pin(&allowed), 0);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void expect_content(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    cr_expect_str_eq(text, expected);
}

Test(outfile, appears_whole_or_not_at_all)
{
    struct scratch scratch;
    struct outfile out;
    scratch_open(&scratch);
    const char *path = scratch_write(&scratch, "f", "old", 3);

    cr_assert_eq(outfile_open(&out, path), 0);
    fputs("half", out.stream);
    fflush(out.stream);
    expect_content(path, "old");
    outfile_abort(&out);
    expect_content(path, "old");
    cr_expect_eq(scratch_count(&scratch), 1);

    cr_assert_eq(outfile_open(&out, path), 0);
    fputs("new", out.stream);
    cr_assert_eq(outfile_commit(&out), 0);
    expect_content(path, "new");
    cr_expect_eq(scratch_count(&scratch), 1);
    struct stat about;
    cr_assert_eq(stat(path, &about), 0);
    cr_expect_eq(about.st_mode & 0777, 0644);
    scratch_close(&scratch);
}

Test(outfile, failures_leave_nothing_behind)
{
    struct scratch scratch;
    struct outfile out;
    scratch_open(&scratch);
    cr_expect_eq(outfile_open(&out, scratch_path(&scratch, "none/f")), -ENOENT);
    cr_assert_eq(mkdir(scratch_path(&scratch, "dir"), 0700), 0);
    cr_expect_eq(outfile_open(&out, scratch.path), -EISDIR);
    cr_expect_eq(scratch_count(&scratch), 1);
    scratch_close(&scratch);

    /* A device is written to, not replaced; and a full one is an error. */
    cr_assert_eq(outfile_open(&out, "/dev/full"), 0);
    fputs("x", out.stream);
    cr_expect_eq(outfile_commit(&out), -ENOSPC);
    struct stat about;
    cr_assert_eq(stat("/dev/full", &about), 0);
    cr_expect(S_ISCHR(about.st_mode));
}

Test(document, load)
{
    struct scratch scratch;
    struct document document;
    scratch_open(&scratch);
    cr_assert_eq(lexer_init(NULL), 0);
    cr_expect_eq(document_load(&document, scratch_path(&scratch, "none"), LEXER_LUALATEX), -ENOENT);
    cr_expect_eq(document_load(&document, scratch_write(&scratch, "empty", "", 0), LEXER_LUALATEX),
                 -ENODATA);
    cr_expect_eq(document_load(&document, scratch.dir, LEXER_LUALATEX), -EISDIR);
    cr_expect_eq(document_load(&document, scratch_write(&scratch, "a", "a {", 3), LEXER_LUALATEX),
                 0);
    cr_expect_eq(document.n_bytes, 3);
    cr_expect_eq(document.n_tokens, 4); /* a, space, {, the line end's space */
    cr_expect_eq(document.issues_len, 1);
    document_free(&document);
    scratch_close(&scratch);
    cr_expect_eq(document_regime("lualatex"), LEXER_LUALATEX);
    cr_expect_eq(document_regime("pdflatex"), LEXER_PDFLATEX);
    cr_expect_eq(document_regime("xelatex"), -ENOENT);
}

/* ---- the service's counters ----------------------------------------------------------------- */

static const char metrics_text[] = "# HELP l0_requests_total Replies sent.\n"
                                   "# TYPE l0_requests_total counter\n"
                                   "l0_requests_total{shard=\"0\"} 70\n"
                                   "l0_requests_total{shard=\"1\"} 30\n"
                                   "l0_requests_total_other 1000\n"
                                   "l0_hedge_fired_total 7\n"
                                   "l0_hedge_wins_total{shard=\"0\"} 2\n"
                                   "l0_hedge_wins_total{shard=\"1\"} 1e0\n"
                                   "l0_hedge_wins_total_created 5";

Test(service_metrics, series_are_added_up)
{
    struct service_metrics m = service_metrics_parse(metrics_text);
    cr_expect(m.known);
    cr_expect_eq(m.requests, 100);
    cr_expect_eq(m.hedges_fired, 7);
    cr_expect_eq(m.hedge_wins, 3);
}

Test(service_metrics, what_is_not_there_is_not_known)
{
    static const char *const texts[] = {
        "",
        "<html>not found</html>",
        "l0_requests_total 1\nl0_hedge_fired_total 1\n",
        "l0_requests_total 1\nl0_hedge_fired_total x\nl0_hedge_wins_total 1\n",
        "l0_requests_total 1\nl0_hedge_fired_total{a=\"\nl0_hedge_wins_total 1\n",
        "l0_requests_total 1\nl0_hedge_fired_total NaN\nl0_hedge_wins_total -1\n",
        "l0_requests_total",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_expect_not(service_metrics_parse(texts[i]).known, "%s", texts[i]);
}

Test(service_metrics, a_difference_is_of_this_run_only)
{
    const struct service_metrics before = {true, 100, 4, 1}, after = {true, 150, 6, 2};
    struct service_metrics m = service_metrics_difference(&before, &after, 50);
    cr_expect(m.known && m.requests == 50 && m.hedges_fired == 2 && m.hedge_wins == 1);
    cr_expect_not(service_metrics_difference(&before, &after, 49).known, "somebody else's too");
    cr_expect_not(service_metrics_difference(&before, &after, 51).known, "not ours");
    cr_expect_not(service_metrics_difference(&after, &before, 50).known, "started anew");
    const struct service_metrics unknown = {.known = false, .requests = 150};
    cr_expect_not(service_metrics_difference(&before, &unknown, 50).known);
    cr_expect_not(service_metrics_difference(&unknown, &after, 0).known);
}

/* ---- progress ------------------------------------------------------------------------------- */

Test(progress, a_plain_line_every_few_seconds)
{
    char text[256] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    cr_assert_not_null(stream);
    progress_ns latency[4];
    const uint64_t ns[4] = {1000000, 3000000, 0, 2000000};
    for (size_t i = 0; i < 4; i++)
        atomic_init(&latency[i], ns[i]);
    struct progress progress;
    progress_begin(&progress, stream, 8, 1000);
    cr_expect_not(progress.terminal);
    progress_tick(&progress, latency, 2, 1000 + UINT64_C(1000000000));
    cr_expect_str_empty(text);
    progress_tick(&progress, latency, 4, 1000 + UINT64_C(5000000000));
    cr_expect_str_eq(text, "l0-bench: 4/8 (50 %)  1 requests/s  P50 2.000 ms  max 3.000 ms\n");
    progress_tick(&progress, latency, 4, 1000 + UINT64_C(10000000000));
    cr_expect_not_null(strstr(text, "0 requests/s  P50 0.000 ms  max 0.000 ms"));
    progress_end(&progress);
    fclose(stream);
}

Test(progress, silent)
{
    struct progress progress;
    progress_begin(&progress, NULL, 8, 0);
    progress_tick(&progress, NULL, 0, UINT64_C(10000000000));
    progress_end(&progress);
}

/* ---- the report ----------------------------------------------------------------------------- */

#define N_REPORT 1000

/* Requests of 1, 2, …, 1000 us in a scrambled order, and one without a right reply. */
static void fill(progress_ns *latency)
{
    for (uint64_t i = 0; i < N_REPORT; i++)
        atomic_init(&latency[i], (i * 7919 % N_REPORT + 1) * 1000);
    atomic_init(&latency[N_REPORT], 0);
}

static double member(const json_t *json, const char *key)
{
    return json_number_value(json_object_get(json, key));
}

Test(load_report, raw_values_and_exact_quantiles)
{
    struct scratch scratch;
    scratch_open(&scratch);
    static progress_ns latency[N_REPORT + 1];
    fill(latency);
    const struct load_options options = {
        .target = "unix:/none", .n_requests = N_REPORT + 1, .n_threads = 4, .n_tokens = 9};
    static uint8_t bytes[2000];
    const struct document document = {.path = "doc.tex", .bytes = bytes, .n_bytes = sizeof bytes};
    const struct load_result result = {
        .latency_ns = latency,
        .n_right = N_REPORT,
        .n_errors = 1,
        .origins = {0, 990, 10},
        .elapsed_ns = 2000000000,
        .failure = "request 1001",
    };
    const struct service_metrics metrics = {.known = true, .hedges_fired = 12, .hedge_wins = 10};
    char raw_path[400];
    strcpy(raw_path, scratch_path(&scratch, "raw"));
    const struct load_report report = {.options = &options,
                                       .document = &document,
                                       .result = &result,
                                       .metrics = &metrics,
                                       .raw_path = raw_path};

    cr_assert_eq(load_report_write_raw(&report), 0);
    FILE *raw = fopen(raw_path, "re");
    cr_assert_not_null(raw);
    char line[64];
    size_t n_lines = 0;
    for (; fgets(line, sizeof line, raw) != NULL; n_lines++)
        if (n_lines < 2)
            cr_expect_str_eq(line, n_lines == 0 ? "0.001000\n" : "0.920000\n");
    fclose(raw);
    cr_expect_eq(n_lines, N_REPORT);

    json_t *json = load_report_json(&report);
    cr_assert_not_null(json);
    cr_expect_eq(member(json, "requests"), N_REPORT);
    cr_expect_eq(member(json, "errors"), 1);
    cr_expect_eq(member(json, "hedges_fired"), 12);
    cr_expect_eq(member(json, "hedge_wins"), 10);
    cr_expect_eq(member(json, "throughput_rps"), 500);
    cr_expect_eq(member(json, "throughput_bytes_per_s"), 1e6);
    cr_expect_eq(member(json_object_get(json, "origins"), "hedge"), 10);
    cr_expect_str_eq(json_string_value(json_object_get(json, "failure")), "request 1001");
    const json_t *times = json_object_get(json, "round_trip_ms");
    cr_expect_eq(member(times, "n"), N_REPORT);
    cr_expect_eq(member(times, "min"), 0.001);
    cr_expect_eq(member(times, "mean"), 0.5005);
    cr_expect_eq(member(times, "max"), 1.0);
    cr_expect_eq(member(times, "P50"), 0.5);
    cr_expect_eq(member(times, "P90"), 0.9);
    cr_expect_eq(member(times, "P99.9"), 0.999);
    cr_expect_eq(member(times, "P99.99"), 1.0);

    cr_assert_eq(bench_write_json(json_incref(json), scratch_path(&scratch, "raw.json")), 0);
    json_t *again = json_load_file(scratch_path(&scratch, "raw.json"), 0, NULL);
    cr_assert_not_null(again);
    cr_expect_eq(member(again, "requests"), N_REPORT);
    json_decref(again);
    json_decref(json);
    scratch_close(&scratch);
}

Test(load_report, unknown_hedges_are_null)
{
    const struct load_options options = {.target = "t", .n_requests = 1, .n_threads = 1};
    uint8_t byte = 'a';
    const struct document document = {.path = "doc.tex", .bytes = &byte, .n_bytes = 1};
    progress_ns latency[1];
    atomic_init(&latency[0], 0);
    const struct load_result result = {.latency_ns = latency, .n_errors = 1};
    const struct service_metrics metrics = {.known = false};
    const struct load_report report = {.options = &options,
                                       .document = &document,
                                       .result = &result,
                                       .metrics = &metrics,
                                       .raw_path = "/none"};
    json_t *json = load_report_json(&report);
    cr_assert_not_null(json);
    cr_expect(json_is_null(json_object_get(json, "hedges_fired")));
    cr_expect(json_is_null(json_object_get(json, "hedge_wins")));
    cr_expect_eq(member(json_object_get(json, "round_trip_ms"), "n"), 0);
    json_decref(json);
}

/* ---- micro ---------------------------------------------------------------------------------- */

Test(micro, every_kernel_in_both_modes_beside_memcpy)
{
    struct scratch scratch;
    struct document document;
    scratch_open(&scratch);
    cr_assert_eq(lexer_init(NULL), 0);
    const char *chosen = lexer_kernel_name();
    static const char text[] = "\\foo{a $x$} % c\n\nb\n";
    cr_assert_eq(document_load(&document, scratch_write(&scratch, "t", text, sizeof text - 1),
                               LEXER_LUALATEX),
                 0);
    const struct micro_options options = {.regime = LEXER_LUALATEX, .n_samples = 3};
    struct micro micro;
    cr_assert_eq(micro_run(&micro, &options, &document), 0);
    cr_expect_geq(micro.n_variants, 3); /* memcpy and the portable kernel at least */
    cr_expect_eq(micro.variants[0].work, MICRO_MEMCPY);
    for (size_t i = 0; i < micro.n_variants; i++) {
        const struct micro_variant *v = &micro.variants[i];
        cr_expect_eq(v->times.n, 3);
        cr_expect_eq(v->n_tokens, i == 0 ? 0 : document.n_tokens);
        cr_expect_eq(v->n_spans > 0, v->work == MICRO_SPANS);
        const struct micro_variant *const without = micro_static_of(&micro, v);
        cr_expect_eq(without != NULL, i > 0 && !v->is_static);
        cr_expect(without == NULL || (without->is_static && without->work == v->work &&
                                      strcmp(without->kernel, v->kernel) == 0));
    }
    cr_expect_str_eq(lexer_kernel_name(), chosen);
    micro_free(&micro);

    document.n_tokens++; /* a lexer that disagrees is noticed */
    cr_expect_eq(micro_run(&micro, &options, &document), -EBADMSG);
    micro_free(&micro);
    document_free(&document);
    scratch_close(&scratch);
}
