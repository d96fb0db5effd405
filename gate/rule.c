#include "gate/rule.h"

#include "gate/decimal.h"
#include "gate/proportion.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PER_RATE UINT64_C(1000000000) /* a rate's limit is in parts of it */

#define SAY(field, ...) snprintf((field).text, sizeof(field).text, __VA_ARGS__)

typedef unsigned long long ull;

/* Does a value keep the rule? */
static bool keeps(enum rule_relation relation, uint64_t value, uint64_t limit)
{
    switch (relation) {
    case RULE_LE:
        return value <= limit;
    case RULE_LT:
        return value < limit;
    case RULE_GE:
        return value >= limit;
    case RULE_GT:
        return value > limit;
    case RULE_EQ:
        return value == limit;
    case RULE_NE:
        break;
    }
    return value != limit;
}

static void settle(struct judgement *judgement, enum verdict verdict)
{
    static const enum gate_exit exits[] = {
        [VERDICT_PASS] = GATE_PASS,         [VERDICT_FAIL] = GATE_FAILED,
        [VERDICT_INCONCLUSIVE] = GATE_DATA, [VERDICT_NOT_JUDGED] = GATE_PASS,
        [VERDICT_INVALID] = GATE_INVALID,
    };
    judgement->verdict = verdict;
    judgement->exit = exits[verdict];
}

/* By both ends of an interval: they agree, or nothing can be said. */
static void settle_ends(struct judgement *judgement, bool low_keeps, bool high_keeps)
{
    if (low_keeps != high_keeps) {
        SAY(judgement->note, "the interval reaches over the limit: more samples, or more runs");
        settle(judgement, VERDICT_INCONCLUSIVE);
    } else {
        settle(judgement, low_keeps ? VERDICT_PASS : VERDICT_FAIL);
    }
}

static struct report_text latency_text(uint64_t value_ps)
{
    struct report_text text;
    if (value_ps == RUN_UNANSWERED_PS) {
        SAY(text, "unanswered");
    } else {
        SAY(text, "%.24s ms", report_ms(value_ps).text);
    }
    return text;
}

/* A margin is positive where the value keeps to the limit: for a floor, when it lies above. */
static bool is_floor(const struct rule *rule)
{
    return rule->relation == RULE_GE || rule->relation == RULE_GT;
}

static void say_latency(struct judgement *judgement, const struct rule *rule, uint64_t value_ps)
{
    judgement->value = latency_text(value_ps);
    if (value_ps != RUN_UNANSWERED_PS) {
        uint64_t above = is_floor(rule) ? value_ps : rule->limit;
        uint64_t below = is_floor(rule) ? rule->limit : value_ps;
        SAY(judgement->margin, "%.32s ms", report_ms_difference(above, below).text);
    }
}

/* The bounds as times, also where an unanswered request is one. */
static struct report_text interval_text(const struct quantile *q)
{
    struct report_text text;
    struct report_text none = {"none"};
    struct report_text low = q->interval.low != 0 ? latency_text(q->low_ps) : none;
    struct report_text high = q->interval.high != 0 ? latency_text(q->high_ps) : none;
    SAY(text, "%.40s .. %.40s", low.text, high.text);
    return text;
}

static int judge_quantile(const struct rule *rule, const struct evidence *evidence,
                          struct judgement *judgement, struct gate_error *error)
{
    struct quantile q;
    if (evidence_quantile(evidence, rule->q_ppm, &q, error) != 0) {
        return -1;
    }
    say_latency(judgement, rule, q.value_ps);
    judgement->interval = interval_text(&q);
    bool upper = rule->relation == RULE_LE || rule->relation == RULE_LT;
    bool low_known = q.interval.low != 0;
    bool high_known = q.interval.high != 0;
    /* A bound that does not exist may be anywhere; the other may decide against the rule all the
     * same. */
    bool low_keeps = low_known ? keeps(rule->relation, q.low_ps, rule->limit) : upper;
    bool high_keeps = high_known ? keeps(rule->relation, q.high_ps, rule->limit) : !upper;
    if ((!low_known || !high_known) && low_keeps != high_keeps) {
        SAY(judgement->note, "too few samples to bound this quantile");
        settle(judgement, VERDICT_INCONCLUSIVE);
    } else {
        settle_ends(judgement, low_keeps, high_keeps);
    }
    return 0;
}

static void judge_extreme(const struct rule *rule, const struct evidence *evidence,
                          struct judgement *judgement)
{
    uint64_t rank = rule->metric == RULE_MIN ? 1 : evidence->pooled.n;
    uint64_t value_ps = sample_at_rank(&evidence->pooled, rank);
    say_latency(judgement, rule, value_ps);
    SAY(judgement->interval, "of these runs: says nothing of others");
    settle(judgement, keeps(rule->relation, value_ps, rule->limit) ? VERDICT_PASS : VERDICT_FAIL);
}

static void missing(struct judgement *judgement, const char *what)
{
    SAY(judgement->value, "unknown");
    SAY(judgement->note, "no counter: %s", what);
    settle(judgement, VERDICT_INCONCLUSIVE);
}

static void judge_count(const struct rule *rule, struct counter counter, const char *what,
                        struct judgement *judgement)
{
    if (!counter.known) {
        missing(judgement, what);
        return;
    }
    SAY(judgement->value, "%llu", (ull)counter.value);
    uint64_t above = is_floor(rule) ? counter.value : rule->limit;
    uint64_t below = is_floor(rule) ? rule->limit : counter.value;
    SAY(judgement->margin, "%c%llu", above >= below ? '+' : '-',
        (ull)(above >= below ? above - below : below - above));
    SAY(judgement->interval, "exact");
    bool kept = keeps(rule->relation, counter.value, rule->limit);
    if (!kept && rule->metric == RULE_N) {
        SAY(judgement->note, "too few or too many samples to judge by");
        settle(judgement, VERDICT_INCONCLUSIVE);
    } else {
        settle(judgement, kept ? VERDICT_PASS : VERDICT_FAIL);
    }
}

static struct report_text rate_text(double rate)
{
    struct report_text text;
    SAY(text, "%.5g %%", rate * 100);
    return text;
}

/* A rate's value and margin are exact, in integers; its interval is not, and decides. */
static void judge_rate(const struct rule *rule, struct counter part, struct counter whole,
                       const char *what, struct judgement *judgement)
{
    if (!part.known || !whole.known || whole.value == 0) {
        missing(judgement, !part.known ? what : "requests");
        return;
    }
    if (part.value > whole.value) {
        SAY(judgement->value, "%llu of %llu", (ull)part.value, (ull)whole.value);
        SAY(judgement->note, "more %s than requests: the counters are not of one run", what);
        settle(judgement, VERDICT_INCONCLUSIVE);
        return;
    }
    double rate = (double)part.value / (double)whole.value;
    double limit = (double)rule->limit / (double)PER_RATE;
    struct proportion p = proportion_interval(part.value, whole.value);
    SAY(judgement->value, "%llu of %llu = %.32s", (ull)part.value, (ull)whole.value,
        rate_text(rate).text);
    SAY(judgement->margin, "%+.5g %%", (is_floor(rule) ? rate - limit : limit - rate) * 100);
    SAY(judgement->interval, "%.32s .. %.32s", rate_text(p.low).text, rate_text(p.high).text);
    /* In parts of 10^9, so that a bound that is the limit counts as such. */
    uint64_t low = (uint64_t)llround(p.low * (double)PER_RATE);
    uint64_t high = (uint64_t)llround(p.high * (double)PER_RATE);
    settle_ends(judgement, keeps(rule->relation, low, rule->limit),
                keeps(rule->relation, high, rule->limit));
}

static int judge_valid(const struct rule *rule, const struct evidence *evidence,
                       struct judgement *judgement, struct gate_error *error)
{
    const struct counters *counters = &evidence->counters;
    switch (rule->metric) {
    case RULE_QUANTILE:
        return judge_quantile(rule, evidence, judgement, error);
    case RULE_MIN:
    case RULE_MAX:
        judge_extreme(rule, evidence, judgement);
        break;
    case RULE_N:
        judge_count(rule, (struct counter){true, evidence->pooled.n}, "samples", judgement);
        break;
    case RULE_REQUESTS:
        judge_count(rule, counters->requests, "requests", judgement);
        break;
    case RULE_ERRORS:
        judge_count(rule, counters->errors, "errors", judgement);
        break;
    case RULE_HEDGES:
        judge_count(rule, counters->hedges_fired, "hedges fired", judgement);
        break;
    case RULE_WINS:
        judge_count(rule, evidence->hedge_wins, "hedge wins", judgement);
        break;
    case RULE_ERROR_RATE:
        judge_rate(rule, counters->errors, counters->requests, "errors", judgement);
        break;
    case RULE_HEDGE_RATE:
        judge_rate(rule, counters->hedges_fired, counters->requests, "hedges fired", judgement);
        break;
    }
    return 0;
}

int rule_judge(const struct rule *rule, const struct evidence *evidence,
               struct judgement *judgement, struct gate_error *error)
{
    *judgement = (struct judgement){.name = rule->text};
    SAY(judgement->limit, "%s", rule->text + strcspn(rule->text, "<>=!"));
    if (judge_valid(rule, evidence, judgement, error) != 0) {
        return -1;
    }
    if (evidence->invalid != NULL) {
        SAY(judgement->note, "%.30s is not valid: %.70s", evidence->invalid->path,
            evidence->invalid->why_invalid);
        settle(judgement, VERDICT_INVALID);
    }
    return 0;
}
