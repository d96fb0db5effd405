/* The tail file and the run summary. */
#include "gate/tail_file.h"

#include "gate/counters.h"
#include "gate/decimal.h"
#include "tests/unit/gate_files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(gate_tail, .init = gate_files_begin, .fini = gate_files_end);

#define H TAIL_FILE_HEADER "\n"

static enum gate_exit load(const char *text, struct tail_file *tail, struct gate_error *error)
{
    *error = (struct gate_error){0};
    *tail = (struct tail_file){0};
    tail_file_load(tail, gate_files_write("tail", text), error);
    return error->code;
}

static void expect_rows(const char *text, size_t n)
{
    struct tail_file tail;
    struct gate_error error;
    cr_expect_eq(load(text, &tail, &error), GATE_PASS, "%s", error.text);
    cr_expect_eq(tail.n, n);
    tail_file_free(&tail);
}

static void expect_bad(const char *text, const char *excerpt)
{
    struct tail_file tail;
    struct gate_error error;
    cr_expect_eq(load(text, &tail, &error), GATE_DATA);
    cr_expect_not_null(strstr(error.text, excerpt), "'%s' lacks '%s'", error.text, excerpt);
    tail_file_free(&tail);
}

Test(gate_tail, sane_rows)
{
    expect_rows(H, 0);
    expect_rows(H "0.000500,100,200,200,0,500,600,0,P\n", 1);
    expect_rows(H "0.000500,100,200,200,300,500,600,1,H\n0.000500,1,1,1,0,501,501,0,P", 2);
    expect_rows(TAIL_FILE_HEADER "\r\n0.000000,5,5,5,0,5,5,0,P\r\n", 1);
    expect_rows(H "0.000500,100,200,200,600,500,600,1,P\n", 1); /* fired after the first reply */
    expect_rows(H "0.000500,100,200,200,0,500,600,0,H\n", 1);   /* claimed before it was begun */
}

Test(gate_tail, values_and_lines)
{
    struct tail_file tail;
    struct gate_error error;
    cr_assert_eq(
        load(H "2.000001,0,1,1,0,2000001,2000001,0,P\n0.5,0,1,1,0,2,500000,0,P\n", &tail, &error),
        GATE_PASS);
    cr_expect_eq(tail.brackets.values[0].value_ps, 2000001 * GATE_PS_PER_NS);
    cr_expect_eq(tail.brackets.values[0].line, 2);
    cr_expect_eq(tail.brackets.values[1].value_ps, 500000 * GATE_PS_PER_NS);
    tail_file_free(&tail);
}

Test(gate_tail, bad_syntax)
{
    expect_bad("", "found an empty file, expected the header ms_total");
    expect_bad("ms_total\n", ":1: found 'ms_total', expected the header");
    expect_bad("0.000500,100,200,200,0,500,600,0,P\n", ":1:");
    expect_bad(H "\n", ":2: found nothing '', expected 9 columns");
    expect_bad(H "0.000500,100,200,200,0,500,600,0\n", ":2:");
    expect_bad(H "0.000500,100,200,200,0,500,600,0,P,\n", "expected 9 columns");
    expect_bad(H "-1,100,200,200,0,500,600,0,P\n", ":2: found '-1', expected ms_total");
    expect_bad(H "0.000500,100,2e2,200,0,500,600,0,P\n", "found '2e2', expected a timestamp");
    expect_bad(H "0.000500,100,200,200,,500,600,0,P\n", "found nothing '', expected a timestamp");
    expect_bad(H "0.000500,100,200,200,0,500,600,2,P\n", "found '2', expected hedged, 0 or 1");
    expect_bad(H "0.000500,100,200,200,0,500,600,0,p\n", "found 'p', expected origin, P or H");
}

Test(gate_tail, insane_rows)
{
    const char *order = "expected timestamps in order";
    expect_bad(H "0.000500,100,99,200,0,500,600,0,P\n", order);
    expect_bad(H "0.000500,100,200,199,0,500,600,0,P\n", order);
    expect_bad(H "0.000500,100,200,200,0,199,600,0,P\n", order);
    expect_bad(H "0.000500,100,200,200,0,601,600,0,P\n", order);
    expect_bad(H "0.000501,100,200,200,0,500,600,0,P\n", "expected ms_total equal to");
    expect_bad(H "0.0005000001,100,200,200,0,500,600,0,P\n", "expected ms_total equal to");
    expect_bad(H "0.000500,100,200,200,300,500,600,0,P\n", "expected t_hedge_fire 0 exactly");
    expect_bad(H "0.000500,100,200,200,0,500,600,1,P\n", "expected t_hedge_fire 0 exactly");
    expect_bad(H "0.000500,100,200,200,199,500,600,1,P\n", "expected t_hedge_fire between");
    expect_bad(H "0.000500,100,200,200,601,500,600,1,P\n", "expected t_hedge_fire between");
}

Test(gate_tail, slowest_first)
{
    expect_bad(H "0.000500,100,200,200,0,500,600,0,P\n0.000501,100,200,200,0,500,601,0,P\n",
               ":3: found '0.000501,");
}

Test(gate_tail, unreadable)
{
    struct tail_file tail = {0};
    struct gate_error error = {0};
    cr_expect_eq(tail_file_load(&tail, gate_files_path("none"), &error), -1);
    cr_expect_eq(error.code, GATE_USAGE);
    tail_file_free(&tail);
}

static enum gate_exit load_counters(const char *text, struct counters *counters)
{
    struct gate_error error = {0};
    counters_load(counters, gate_files_write("run.json", text), &error);
    return error.code;
}

Test(gate_tail, run_summaries)
{
    struct counters c;
    cr_expect_eq(load_counters("{\"requests\":7,\"errors\":1,\"hedges_fired\":2,\"hedge_wins\":1,"
                               "\"elapsed_s\":1.5}",
                               &c),
                 GATE_PASS);
    cr_expect(c.requests.known && c.requests.value == 7);
    cr_expect(c.errors.known && c.errors.value == 1);
    cr_expect(c.hedges_fired.known && c.hedges_fired.value == 2);
    cr_expect_eq(load_counters("{\"requests\":7,\"hedges_fired\":null}", &c), GATE_PASS);
    cr_expect(c.requests.known && !c.errors.known && !c.hedges_fired.known);
}

Test(gate_tail, bad_run_summaries)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "7",
        "{\"errors\":-1}",
        "{\"errors\":1.0}",
        "{\"errors\":\"1\"}",
        "{\"requests\":99999999999999999999}",
        "{\"errors\":1,\"errors\":0}",
        "{} x",
    };
    struct counters counters;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_expect_eq(load_counters(texts[i], &counters), GATE_DATA, "%s", texts[i]);
    }
    struct gate_error error = {0};
    cr_expect_eq(counters_load(&counters, gate_files_path("none"), &error), -1);
    cr_expect_eq(error.code, GATE_USAGE);
}

Test(gate_tail, hedged_rows)
{
    struct tail_file tail;
    struct gate_error error;
    cr_assert_eq(load(H "0.000500,100,200,200,300,500,600,1,H\n0.000500,1,1,1,0,501,501,0,P\n",
                      &tail, &error),
                 GATE_PASS);
    cr_expect_eq(tail.n_hedged, 1);
    cr_expect_eq(tail.rows[0].hedge_fire_ns, 300);
    cr_expect(tail.rows[0].by_hedge && !tail.rows[1].by_hedge);
    tail_file_free(&tail);
}

Test(gate_tail, no_request_stands_there_twice)
{
    expect_bad(H "0.000500,100,200,200,0,500,600,0,P\n0.000500,100,200,200,0,500,600,0,P\n",
               "tail:3: found the timestamps of line 2 again");
    expect_bad(H "0.000500,100,200,200,0,500,600,0,P\n0.000500,101,200,200,0,500,601,0,P\n"
                 "0.000500,100,200,200,0,500,600,0,H\n",
               "timestamps of line");
    expect_rows(H "0.000500,100,200,200,0,500,600,0,P\n0.000500,100,200,200,0,501,600,0,P\n", 2);
}
