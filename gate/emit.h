/* Verdicts for people and for machines: text, Markdown, JUnit XML, annotations of a CI, JSON. */
#ifndef L0_GATE_EMIT_H
#define L0_GATE_EMIT_H

#include "gate/error.h"
#include "gate/judge.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What a program found. Texts are the caller's; those that are NULL are left out. */
struct emit {
    const char *suite; /* "l0-gate check" */
    const char *title; /* what was judged */
    const char *notes; /* lines of text that belong to the verdict, each with its line end */
    const struct judgement *judgements;
    size_t n;
    enum verdict verdict;
    const char *word; /* the verdict's name, NULL: verdict_text */
    enum gate_exit exit;
};

/* Where it goes, besides standard output. */
struct emit_targets {
    const char *markdown; /* path, "-": standard output; NULL: none */
    const char *junit;
    bool annotations; /* on standard output, as GitHub's runners read them */
};

/* The verdict of several judgements and the exit code that goes with it: a run that is not valid
 * before a failure before a doubt. */
void emit_conclude(struct emit *emit);

/* A line a judgement. */
void emit_text(const struct emit *emit, bool colour, FILE *out);

/* The same in columns, under the title. */
void emit_table(const struct emit *emit, bool colour, FILE *out);
void emit_markdown(const struct emit *emit, FILE *out);
void emit_junit(const struct emit *emit, FILE *out);
void emit_annotations(const struct emit *emit, FILE *out);

/* {"title", "verdict", "exit", "judgements": [...]}; a new reference, or NULL when memory is short.
 */
json_t *emit_json(const struct emit *emit);

/* Text with what XML gives a meaning to replaced; control characters and bytes that are no UTF-8
 * become '?'. */
void emit_xml_text(const char *text, FILE *out);

/* Writes to the targets. 0, or -1 with *error set (GATE_USAGE). */
int emit_to_targets(const struct emit *emit, const struct emit_targets *targets,
                    struct gate_error *error);

#endif
