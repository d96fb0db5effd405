#include "gate/check_rules.h"

#include "gate/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "out/run" or "out/a and 4 more", with what they hold. */
static void say_title(const struct evidence *evidence, char title[512])
{
    int n = snprintf(title, 400, "%s", evidence->runs[0].path);
    n = n < 400 ? n : 399;
    if (evidence->n_runs > 1) {
        n += snprintf(title + n, 64, " and %zu more", evidence->n_runs - 1);
    }
    snprintf(title + n, 512 - (size_t)n, ", N = %zu", evidence->pooled.n);
}

static const char *say_notes(const struct evidence *evidence, char notes[640])
{
    size_t n = 0;
    notes[0] = '\0';
    if (evidence->n_unanswered > 0) {
        n = (size_t)snprintf(notes, 160,
                             "%llu requests had no right reply and count as slower than all "
                             "others\n",
                             (unsigned long long)evidence->n_unanswered);
    }
    if (evidence->invalid != NULL) {
        snprintf(notes + n, 640 - n, "%.80s is not valid: %.380s\n", evidence->invalid->path,
                 evidence->invalid->why_invalid);
    }
    return notes;
}

static int report_verdict(const struct check_rules *check, const struct evidence *evidence,
                          const struct judgement *judgements, struct gate_error *error)
{
    char title[512];
    char notes[640];
    say_title(evidence, title);
    struct emit emit = {
        .suite = "l0-gate check",
        .title = title,
        .notes = say_notes(evidence, notes),
        .judgements = judgements,
        .n = check->rules.n,
    };
    emit_conclude(&emit);
    if (check->json) {
        report_print_json(emit_json(&emit), error);
    } else {
        emit_table(&emit, isatty(STDOUT_FILENO) == 1, stdout);
    }
    if (error->code == GATE_PASS && emit_to_targets(&emit, check->targets, error) == 0) {
        report_flush(error);
    }
    return (int)emit.exit;
}

int check_rules_run(const struct check_rules *check, struct gate_error *error)
{
    struct evidence evidence = {0};
    struct judgement *judgements = calloc(check->rules.n, sizeof *judgements);
    int exit = GATE_USAGE;
    if (judgements == NULL) {
        gate_error_set(error, GATE_USAGE, "out of memory");
    }
    for (size_t i = 0; i < check->n_paths && error->code == GATE_PASS; i++) {
        evidence_add(&evidence, check->paths[i], error);
    }
    if (error->code == GATE_PASS && !check->allow_different) {
        evidence_check_alike(&evidence, 1, error);
    }
    if (error->code == GATE_PASS) {
        evidence_pool(&evidence, error);
    }
    for (size_t i = 0; i < check->rules.n && error->code == GATE_PASS; i++) {
        rule_judge(&check->rules.rules[i], &evidence, &judgements[i], error);
    }
    if (error->code == GATE_PASS) {
        exit = report_verdict(check, &evidence, judgements, error);
    }
    evidence_free(&evidence);
    free(judgements);
    return exit;
}
