/* The language of rules, and their verdicts over evidence made up here. */
#include "gate/rule.h"

#include "gate/decimal.h"
#include "tests/unit/gate_files.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(gate_rule, .init = gate_files_begin, .fini = gate_files_end);

#define MS GATE_PS_PER_MS

static const struct rule *parse(const char *text)
{
    static struct rules rules;
    struct gate_error error = {0};
    rules.n = 0;
    cr_assert_eq(rule_add(&rules, text, "--rule", &error), 0, "%s", error.text);
    return &rules.rules[0];
}

Test(gate_rule, what_they_mean)
{
    const struct rule *rule = parse(" p99.9 <= 20 ms");
    cr_expect_str_eq(rule->text, "p99.9<=20ms");
    cr_expect(rule->metric == RULE_QUANTILE && rule->q_ppm == 999000);
    cr_expect(rule->relation == RULE_LE && rule->limit == 20 * MS);
    cr_expect_eq(parse("p50<1.5s")->limit, 1500 * MS);
    cr_expect_eq(parse("P99.9999>=3us")->q_ppm, 999999);
    cr_expect_eq(parse("max>7ns")->limit, 7000);
    cr_expect_eq(parse("hedge_rate<=2%")->limit, 20000000);
    cr_expect_eq(parse("error_rate<0.02")->limit, 20000000);
    cr_expect_eq(parse("errors==0")->relation, RULE_EQ);
    cr_expect_eq(parse("n>=100000")->limit, 100000);
    cr_expect_eq(parse("hedge_wins!=3")->metric, RULE_WINS);
}

Test(gate_rule, what_is_none)
{
    static const char *const bad[] = {
        "",
        "p99.9",
        "p99.9<=",
        "p99.9<=20",
        "p99.9=20ms",
        "p100<=1ms",
        "p0<=1ms",
        "p99.99999<1ms",
        "p<1ms",
        "p9x<1ms",
        "p99<=-1ms",
        "p99<=nanms",
        "p99<=1e3ms",
        "p99==1ms",
        "n>=1.5",
        "n>=-1",
        "n>=1%",
        "hedge_rate<=101%",
        "rate<=2%",
        "hedge_rate==2%",
        "errors==0 errors==0",
        "<=20ms",
        "p99<=99999999999999s",
        "p99<<=1ms",
        "p99.9<=20ms;",
        "p..9<1ms",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        static struct rules rules;
        struct gate_error error = {0};
        cr_expect_eq(rule_add(&rules, bad[i], "--rule", &error), -1, "%s", bad[i]);
        cr_expect_eq(error.code, GATE_USAGE);
        cr_expect_not_null(strstr(error.text, "--rule: found"));
    }
    char longest[200];
    memset(longest, '9', sizeof longest);
    memcpy(longest, "n>=", 3);
    longest[199] = '\0';
    static struct rules rules;
    struct gate_error error = {0};
    cr_expect_eq(rule_add(&rules, longest, "--rule", &error), -1);
    for (int i = 0; i < RULES_MAX; i++) {
        error = (struct gate_error){0};
        cr_expect_eq(rule_add(&rules, "n>=1", "--rule", &error), 0);
    }
    cr_expect_eq(rule_add(&rules, "n>=1", "--rule", &error), -1, "one more than the limit");
}

Test(gate_rule, a_file_of_rules)
{
    static struct rules rules;
    struct gate_error error = {0};
    const char *path = gate_files_write("rules", "# ours\n\n  p99.9 <= 20ms\r\nerrors==0");
    cr_assert_eq(rule_add_file(&rules, path, &error), 0, "%s", error.text);
    cr_expect_eq(rules.n, 2);
    cr_expect_eq(rule_add_file(&rules, gate_files_write("bad", "n>=1\nfast\n"), &error), -1);
    cr_expect_not_null(strstr(error.text, "bad:2: found 'fast'"), "%s", error.text);
    error = (struct gate_error){0};
    cr_expect_eq(rule_add_file(&rules, gate_files_path("none"), &error), -1);
    error = (struct gate_error){0};
    cr_expect_eq(rule_add_file(&rules, gate_files_write_bytes("nul", "n>=\0001", 5), &error), -1);
    cr_expect_eq(error.code, GATE_DATA);
}

/* One run of n latencies of 1 ms to n ms. */
static struct evidence evidence_of(size_t n)
{
    struct evidence evidence = {.runs = calloc(1, sizeof(struct run)), .n_runs = 1};
    struct gate_error error = {0};
    evidence.runs[0] = (struct run){.path = strdup("r"), .valid = true};
    for (size_t i = 1; i <= n; i++) {
        cr_assert_eq(sample_add(&evidence.runs[0].latency, i * MS, i), 0);
    }
    evidence.runs[0].counters = (struct counters){{true, 1000}, {true, 0}, {true, 20}};
    cr_assert_eq(evidence_pool(&evidence, &error), 0);
    return evidence;
}

static enum verdict verdict(const struct evidence *evidence, const char *text)
{
    struct judgement judgement;
    struct gate_error error = {0};
    cr_assert_eq(rule_judge(parse(text), evidence, &judgement, &error), 0);
    static const enum gate_exit exits[] = {[VERDICT_PASS] = GATE_PASS,
                                           [VERDICT_FAIL] = GATE_FAILED,
                                           [VERDICT_INCONCLUSIVE] = GATE_DATA,
                                           [VERDICT_INVALID] = GATE_INVALID};
    cr_expect_eq(judgement.exit, exits[judgement.verdict]);
    return judgement.verdict;
}

/* P50 of 1..1000: rank 500, and by the binomial (1000, 1/2) its interval has the ranks 469 and 532
 * (R: qbinom(c(.025, .975), 1000, .5) + 0:1 gives 469 and 532). */
Test(gate_rule, the_whole_interval_decides)
{
    struct evidence evidence = evidence_of(1000);
    cr_expect_eq(verdict(&evidence, "p50<=532ms"), VERDICT_PASS);
    cr_expect_eq(verdict(&evidence, "p50<532ms"), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict(&evidence, "p50<=531ms"), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict(&evidence, "p50<=469ms"), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict(&evidence, "p50<=468ms"), VERDICT_FAIL);
    cr_expect_eq(verdict(&evidence, "p50<469ms"), VERDICT_FAIL);
    cr_expect_eq(verdict(&evidence, "p50>=469ms"), VERDICT_PASS);
    cr_expect_eq(verdict(&evidence, "p50>469ms"), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict(&evidence, "p50>=533ms"), VERDICT_FAIL);
    cr_expect_eq(verdict(&evidence, "max<=1s"), VERDICT_PASS);
    cr_expect_eq(verdict(&evidence, "min>1ms"), VERDICT_FAIL);
    evidence_free(&evidence);
}

Test(gate_rule, too_few_samples_prove_nothing_good)
{
    struct evidence evidence = evidence_of(1000); /* P99.9 needs 3688 for an upper bound */
    cr_expect_eq(verdict(&evidence, "p99.9<=100s"), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict(&evidence, "p99.9<=900ms"), VERDICT_FAIL, "its lower bound is above");
    cr_expect_eq(verdict(&evidence, "p99.9>=900ms"), VERDICT_PASS);
    cr_expect_eq(verdict(&evidence, "n>=1001"), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict(&evidence, "n>=1000"), VERDICT_PASS);
    evidence_free(&evidence);
}

/* 20 of 1000: R's binom.test gives 0.01225 to 0.03072. */
Test(gate_rule, rates_and_counts)
{
    struct evidence evidence = evidence_of(10);
    cr_expect_eq(verdict(&evidence, "hedge_rate<=3.1%"), VERDICT_PASS);
    cr_expect_eq(verdict(&evidence, "hedge_rate<=2%"), VERDICT_INCONCLUSIVE);
    cr_expect_eq(verdict(&evidence, "hedge_rate<=1.2%"), VERDICT_FAIL);
    cr_expect_eq(verdict(&evidence, "errors==0"), VERDICT_PASS);
    cr_expect_eq(verdict(&evidence, "errors>0"), VERDICT_FAIL);
    cr_expect_eq(verdict(&evidence, "hedges<=19"), VERDICT_FAIL);
    cr_expect_eq(verdict(&evidence, "hedge_wins==0"), VERDICT_INCONCLUSIVE, "not known");
    evidence.counters.requests.value = 19;
    cr_expect_eq(verdict(&evidence, "hedge_rate<=100%"), VERDICT_INCONCLUSIVE, "impossible");
    evidence.counters.requests.known = false;
    cr_expect_eq(verdict(&evidence, "hedge_rate<=100%"), VERDICT_INCONCLUSIVE);
    evidence_free(&evidence);
}

Test(gate_rule, a_run_that_is_not_valid_is_no_evidence)
{
    struct evidence evidence = evidence_of(1000);
    evidence.runs[0].valid = false;
    evidence.invalid = &evidence.runs[0];
    cr_expect_eq(verdict(&evidence, "p50<=1s"), VERDICT_INVALID);
    cr_expect_eq(verdict(&evidence, "n>=1"), VERDICT_INVALID);
    evidence_free(&evidence);
}
