#include "gate/compare_runs.h"

#include "gate/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAY(field, ...) snprintf((field).text, sizeof(field).text, __VA_ARGS__)

static const uint32_t quantiles_default[] = {500000, 990000, QUANTILE_P999_PPM};

static bool is_valid_at(const struct evidence *side, size_t i)
{
    return i >= side->n_runs || side->runs[i].valid;
}

static void drop(struct evidence *side, size_t i)
{
    run_free(&side->runs[i]);
    side->n_runs--;
    memmove(&side->runs[i], &side->runs[i + 1], (side->n_runs - i) * sizeof *side->runs);
}

/* Takes out the runs that are not valid, of pairs with the other one, so that pairs stay pairs. How
 * many pairs, or runs. */
static size_t drop_invalid(struct evidence sides[2], bool paired)
{
    size_t most = sides[0].n_runs > sides[1].n_runs ? sides[0].n_runs : sides[1].n_runs;
    size_t n_dropped = 0;
    for (size_t i = most; i-- > 0;) {
        bool valid[2] = {is_valid_at(&sides[0], i), is_valid_at(&sides[1], i)};
        for (int side = 0; side < 2; side++) {
            if (!valid[side] || (paired && !valid[1 - side])) {
                drop(&sides[side], i);
                n_dropped += !paired;
            }
        }
        n_dropped += paired && !(valid[0] && valid[1]);
    }
    return n_dropped;
}

/* A run cannot be compared with itself. 0, or -1 with *error set. */
static int check_apart(const struct evidence sides[2], struct gate_error *error)
{
    for (size_t i = 0; i < sides[0].n_runs; i++) {
        for (size_t j = 0; j < sides[1].n_runs; j++) {
            if (run_is_same(&sides[0].runs[i], &sides[1].runs[j])) {
                return gate_error_set(
                    error, GATE_DATA,
                    "%s and %s are one run, on both sides: expected every run once",
                    sides[0].runs[i].path, sides[1].runs[j].path);
            }
        }
    }
    return 0;
}

/* Were the runs made in pairs, one beside the other? Then no other run began between those of a
 * pair. */
static bool is_paired(const struct evidence sides[2])
{
    if (sides[0].n_runs != sides[1].n_runs) {
        return false;
    }
    for (size_t i = 0; i < sides[0].n_runs; i++) {
        double a = sides[0].runs[i].started_s;
        double b = sides[1].runs[i].started_s;
        if (!(a > 0 && b > 0)) {
            return false;
        }
        for (size_t j = 0; j < 2 * sides[0].n_runs; j++) {
            double other = sides[j % 2].runs[j / 2].started_s;
            if (j / 2 != i && other > fmin(a, b) && other < fmax(a, b)) {
                return false;
            }
        }
    }
    return true;
}

static int make_side(const struct compare_runs *compare, int side, struct shift_side *out)
{
    const struct evidence *evidence = &compare->sides[side];
    double *logs = calloc(compare->n_quantiles * evidence->n_runs, sizeof *logs);
    if (logs == NULL) {
        return -1;
    }
    out->n_runs = evidence->n_runs;
    for (size_t k = 0; k < compare->n_quantiles; k++) {
        out->logs[k] = logs + k * evidence->n_runs;
        for (size_t i = 0; i < evidence->n_runs; i++) {
            out->logs[k][i] =
                shift_log_quantile(&evidence->runs[i].latency, compare->quantiles_ppm[k]);
        }
    }
    return 0;
}

static double percent(double change)
{
    return expm1(change) * 100;
}

static void judge_shift(const struct shift *shift, double effect, struct judgement *judgement)
{
    static const struct {
        enum verdict verdict;
        enum gate_exit exit;
    } meaning[] = {
        [SHIFT_NO_DIFFERENCE] = {VERDICT_PASS, GATE_PASS},
        [SHIFT_BETTER] = {VERDICT_PASS, GATE_PASS},
        [SHIFT_WORSE] = {VERDICT_FAIL, GATE_FAILED},
        [SHIFT_CANNOT_TELL] = {VERDICT_INCONCLUSIVE, GATE_DATA},
    };
    judgement->word = shift_verdict_text(shift->verdict);
    judgement->verdict = meaning[shift->verdict].verdict;
    judgement->exit = meaning[shift->verdict].exit;
    SAY(judgement->limit, "+-%.3g %%", effect * 100);
    if (!shift->known) {
        SAY(judgement->value, "unknown");
        SAY(judgement->note, "too few runs, or too few samples in a run for this quantile, or "
                             "requests without a reply");
        return;
    }
    SAY(judgement->value, "%.6g -> %.6g ms (%+.2f %%)", exp(shift->base), exp(shift->new),
        percent(shift->change));
    SAY(judgement->margin, "%+.2f %%", (effect * 100) - percent(shift->change));
    SAY(judgement->interval, "%+.2f .. %+.2f %%", percent(shift->low), percent(shift->high));
    if (shift->verdict == SHIFT_CANNOT_TELL) {
        SAY(judgement->note, "the interval reaches over the smallest effect: more runs");
    } else if (shift->verdict == SHIFT_NO_DIFFERENCE) {
        SAY(judgement->note, "by itself, with 90 %%: %+.2f .. %+.2f %%", percent(shift->own_low),
            percent(shift->own_high));
    }
}

static size_t count_unknown_machines(const struct evidence sides[2])
{
    size_t n = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < sides[side].n_runs; i++) {
            n += !run_says_machine(&sides[side].runs[i]);
        }
    }
    return n;
}

static const char *say_notes(const struct compare_runs *compare, bool paired, size_t n_dropped,
                             char notes[640])
{
    size_t n = 0;
    size_t n_unknown = count_unknown_machines(compare->sides);
    n += (size_t)snprintf(notes, 200, "runs: %zu and %zu, %s\n", compare->sides[0].n_runs,
                          compare->sides[1].n_runs,
                          paired ? "compared in pairs that were made one beside the other"
                                 : "not interleaved: what drifted in between looks like a "
                                   "difference (l0-bench ab interleaves)");
    if (n_dropped > 0) {
        n += (size_t)snprintf(notes + n, 80, "left out: %zu %s not valid\n", n_dropped,
                              paired ? "pairs with a run that is" : "runs that are");
    }
    if (n_unknown > 0) {
        n += (size_t)snprintf(
            notes + n, 120, "%zu runs do not say what machine they were measured on\n", n_unknown);
    }
    if (compare->sides[0].n_runs < SHIFT_RUNS_MIN || compare->sides[1].n_runs < SHIFT_RUNS_MIN) {
        snprintf(notes + n, 160, "a side has fewer than %d runs: nothing can be told from so few\n",
                 SHIFT_RUNS_MIN);
    }
    return notes;
}

static void report(const struct compare_runs *compare, const struct shift_report *shifts,
                   bool paired, const struct emit *emit, struct gate_error *error)
{
    if (compare->json) {
        json_t *json = emit_json(emit);
        for (size_t k = 0; k < compare->n_quantiles && json != NULL; k++) {
            const struct shift *shift = &shifts->shifts[k];
            json_t *one = json_array_get(json_object_get(json, "judgements"), k);
            if (shift->known) {
                json_object_set_new(one, "change_percent", json_real(percent(shift->change)));
                json_object_set_new(one, "low_percent", json_real(percent(shift->low)));
                json_object_set_new(one, "high_percent", json_real(percent(shift->high)));
                json_object_set_new(one, "own_low_percent", json_real(percent(shift->own_low)));
                json_object_set_new(one, "own_high_percent", json_real(percent(shift->own_high)));
            }
        }
        json_object_set_new(json, "paired", json_boolean(paired));
        report_print_json(json, error);
    } else {
        emit_table(emit, isatty(STDOUT_FILENO) == 1, stdout);
    }
    if (error->code == GATE_PASS && emit_to_targets(emit, compare->targets, error) == 0) {
        report_flush(error);
    }
}

/* All runs must be valid, or the verdict is that they are not. */
static void judge_validity(const struct evidence sides[2], struct judgement *judgements, size_t n)
{
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < sides[side].n_runs; i++) {
            const struct run *run = &sides[side].runs[i];
            if (run->valid) {
                continue;
            }
            for (size_t k = 0; k < n; k++) {
                judgements[k].verdict = VERDICT_INVALID;
                judgements[k].exit = GATE_INVALID;
                judgements[k].word = NULL;
                SAY(judgements[k].note, "%.30s is not valid: %.70s", run->path, run->why_invalid);
            }
            return;
        }
    }
}

static int compare_sides(struct compare_runs *compare, size_t n_dropped, struct gate_error *error)
{
    struct shift_side sides[2] = {{.n_runs = 0}, {.n_runs = 0}};
    struct shift_report shifts;
    struct judgement judgements[SHIFT_QUANTILES_MAX] = {0};
    struct report_text names[SHIFT_QUANTILES_MAX];
    double effects[SHIFT_QUANTILES_MAX] = {0};
    bool paired = is_paired(compare->sides);
    for (size_t k = 0; k < compare->n_quantiles; k++) {
        effects[k] = effects_of(&compare->effects, compare->quantiles_ppm[k]);
    }
    char title[512];
    char notes[640];
    snprintf(title, sizeof title, "%.200s against %.200s", compare->sides[1].runs[0].path,
             compare->sides[0].runs[0].path);
    struct emit emit = {.suite = "l0-gate compare",
                        .title = title,
                        .notes = say_notes(compare, paired, n_dropped, notes),
                        .judgements = judgements,
                        .n = compare->n_quantiles};
    if (make_side(compare, 0, &sides[0]) != 0 || make_side(compare, 1, &sides[1]) != 0 ||
        shift_compare(&sides[0], &sides[1], compare->n_quantiles, paired, effects, &shifts) != 0) {
        gate_error_set(error, GATE_USAGE, "out of memory while comparing");
    } else {
        for (size_t k = 0; k < compare->n_quantiles; k++) {
            names[k] = report_quantile_name(compare->quantiles_ppm[k]);
            judgements[k].name = names[k].text;
            judge_shift(&shifts.shifts[k], effects[k], &judgements[k]);
        }
        judge_validity(compare->sides, judgements, compare->n_quantiles);
        emit_conclude(&emit);
        if (emit.verdict == VERDICT_PASS || emit.verdict == VERDICT_FAIL ||
            emit.verdict == VERDICT_INCONCLUSIVE) {
            emit.word = shift_verdict_text(emit.verdict == VERDICT_INCONCLUSIVE ? SHIFT_CANNOT_TELL
                                                                                : shifts.verdict);
        }
        report(compare, &shifts, paired, &emit, error);
    }
    free(sides[0].logs[0]);
    free(sides[1].logs[0]);
    return (int)emit.exit;
}

int compare_runs(struct compare_runs *compare, struct gate_error *error)
{
    if (compare->n_quantiles == 0) {
        memcpy(compare->quantiles_ppm, quantiles_default, sizeof quantiles_default);
        compare->n_quantiles = sizeof quantiles_default / sizeof quantiles_default[0];
    }
    if (!compare->allow_different && evidence_check_alike(compare->sides, 2, error) != 0) {
        return (int)error->code;
    }
    if (check_apart(compare->sides, error) != 0) {
        return (int)error->code;
    }
    size_t n_dropped =
        compare->drop_invalid ? drop_invalid(compare->sides, is_paired(compare->sides)) : 0;
    if (compare->sides[0].n_runs == 0 || compare->sides[1].n_runs == 0) {
        return gate_error_set(error, GATE_INVALID, "no pair of runs is valid");
    }
    return compare_sides(compare, n_dropped, error);
}
