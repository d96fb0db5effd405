/* l0-gate report: a run, or two sides of runs, as a page or a picture. */
#include "gate/programs.h"

#include "gate/graph.h"
#include "gate/hgrm.h"
#include "gate/outfile.h"
#include "gate/page.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_BASE = 0x200,
    OPTION_TAIL,
    OPTION_MARKS,
    OPTION_TITLE,
    OPTION_HTML,
    OPTION_SVG,
    OPTION_PNG,
    OPTION_HGRM,
};

struct settings {
    struct evidence sides[2]; /* the runs, and the base's */
    const char *tail_path;
    const char *marks_path;
    const char *title;
    const char *html;
    const char *svg;
    const char *png;
    const char *hgrm;
    struct gate_error error;
};

static const struct argp_option options[] = {
    {"base", OPTION_BASE, "RUN", 0, "A run of the base, drawn beside (again for more)", 1},
    {"tail", OPTION_TAIL, "FILE", 0,
     "The service's tail CSV: when hedges were fired (default: tail.csv of the first RUN)", 1},
    {"marks", OPTION_MARKS, "FILE", 0,
     "A CSV t_ns,label (CLOCK_MONOTONIC): marked on the timeline, such as injected faults", 1},
    {"title", OPTION_TITLE, "TEXT", 0, "Title (default: the first RUN)", 1},
    {"html", OPTION_HTML, "FILE", 0, "Write a page that needs nothing else", 2},
    {"svg", OPTION_SVG, "FILE", 0, "Draw the percentiles with gnuplot, as SVG", 2},
    {"png", OPTION_PNG, "FILE", 0, "The same as PNG", 2},
    {"hgrm", OPTION_HGRM, "FILE", 0, "Write the percentiles for HdrHistogram's tools", 2},
    {0},
};

static void add_run(struct settings *settings, int side, const char *path)
{
    if (settings->error.code == GATE_PASS) {
        (void)evidence_add(&settings->sides[side], path, &settings->error);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;
    const char **texts[] = {&settings->tail_path, &settings->marks_path, &settings->title,
                            &settings->html,      &settings->svg,        &settings->png,
                            &settings->hgrm};
    switch (key) {
    case OPTION_BASE:
        add_run(settings, 1, argument);
        return 0;
    case ARGP_KEY_ARG:
        add_run(settings, 0, argument);
        return 0;
    case ARGP_KEY_END:
        if (settings->error.code == GATE_PASS && settings->sides[0].n_runs == 0) {
            argp_error(state, "expected a RUN");
        }
        if (settings->html == NULL && settings->svg == NULL && settings->png == NULL &&
            settings->hgrm == NULL) {
            argp_error(state, "expected --html, --svg, --png or --hgrm FILE");
        }
        return 0;
    default:
        if (key >= OPTION_TAIL && key <= OPTION_HGRM) {
            *texts[key - OPTION_TAIL] = argument;
            return 0;
        }
        return ARGP_ERR_UNKNOWN;
    }
}

/* Unanswered requests are the last of the sorted ones. */
static void write_hgrm(const struct evidence *run, const char *path, FILE *out,
                       struct gate_error *error)
{
    struct sample answered = run->pooled;
    answered.n -= run->n_unanswered;
    if (answered.n == 0) {
        gate_error_set(error, GATE_DATA,
                       "%s: no request had a right reply: there are no percentiles", path);
    } else {
        hgrm_print(&answered, run->n_unanswered, out);
    }
}

static int write_file(const struct page *page, const char *path, bool html,
                      struct gate_error *error)
{
    struct outfile out;
    int rc = outfile_open(&out, path);
    if (rc == 0) {
        if (html) {
            page_write(page, out.stream, error);
        } else {
            write_hgrm(page->run, path, out.stream, error);
        }
        if (error->code != GATE_PASS) {
            outfile_abort(&out);
            return -1;
        }
        rc = outfile_commit(&out);
    }
    if (rc != 0) {
        return gate_error_set(error, GATE_USAGE, "%s: cannot write: %s", path, strerror(-rc));
    }
    return 0;
}

static void write_all(const struct settings *settings, const struct page *page,
                      struct gate_error *error)
{
    if (settings->html != NULL) {
        write_file(page, settings->html, true, error);
    }
    if (settings->hgrm != NULL && error->code == GATE_PASS) {
        write_file(page, settings->hgrm, false, error);
    }
    if (settings->svg != NULL && error->code == GATE_PASS) {
        graph_write(page, GRAPH_SVG, settings->svg, error);
    }
    if (settings->png != NULL && error->code == GATE_PASS) {
        graph_write(page, GRAPH_PNG, settings->png, error);
    }
}

static void make_report(struct settings *settings, struct gate_error *error)
{
    struct tail_file tail = {0};
    struct page_mark *marks = NULL;
    int n_marks = 0;
    struct page page = {.run = &settings->sides[0]};
    for (int side = 0; side < 2 && error->code == GATE_PASS; side++) {
        evidence_pool(&settings->sides[side], error);
    }
    char *beside = error->code == GATE_PASS ? run_file(&page.run->runs[0], RUN_TAIL_NAME) : NULL;
    const char *tail_path = settings->tail_path != NULL ? settings->tail_path : beside;
    if (error->code == GATE_PASS && tail_path != NULL) {
        tail_file_load(&tail, tail_path, error);
        page.tail = &tail;
    }
    free(beside);
    if (error->code == GATE_PASS && settings->marks_path != NULL) {
        n_marks = page_load_marks(settings->marks_path, &marks, error);
        page.marks = marks;
        page.n_marks = n_marks > 0 ? (size_t)n_marks : 0;
    }
    if (error->code == GATE_PASS) {
        page.base = settings->sides[1].n_runs > 0 ? &settings->sides[1] : NULL;
        page.title = settings->title != NULL ? settings->title : settings->sides[0].runs[0].path;
        write_all(settings, &page, error);
    }
    tail_file_free(&tail);
    free(marks);
}

int gate_report(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        "RUN...",
        "Shows runs: as a page with percentiles, timeline, hedges, the machine's stalls and what "
        "was measured on, or as a picture. RUN as in check --rule.\v"
        "Exit codes: 0 written; 2 usage, or input that is missing or unreadable, or output that "
        "cannot be written; 3 data malformed or inconsistent.",
        NULL,
        NULL,
        NULL};
    struct settings settings = {.title = NULL};
    argp_parse(&argp, argc, argv, 0, NULL, &settings);
    struct gate_error error = settings.error;
    if (error.code == GATE_PASS) {
        make_report(&settings, &error);
    }
    evidence_free(&settings.sides[0]);
    evidence_free(&settings.sides[1]);
    if (error.code != GATE_PASS) {
        fprintf(stderr, "%s: %s\n", argv[0], error.text);
    }
    return (int)error.code;
}
