#include "gate/emit_options.h"

#include "gate/emit.h"

enum {
    OPTION_MARKDOWN = 0x300,
    OPTION_JUNIT,
    OPTION_ANNOTATIONS,
};

static const struct argp_option options[] = {
    {"markdown", OPTION_MARKDOWN, "FILE", 0,
     "Write the verdict as Markdown, for a CI's step summary (-: standard output)", 1},
    {"junit", OPTION_JUNIT, "FILE", 0, "Write it as JUnit XML", 1},
    {"annotations", OPTION_ANNOTATIONS, NULL, 0,
     "Print an ::error or ::warning line for everything that is not a pass, as GitHub's runners "
     "read them",
     1},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct emit_targets *targets = state->input;
    switch (key) {
    case OPTION_MARKDOWN:
        targets->markdown = argument;
        return 0;
    case OPTION_JUNIT:
        targets->junit = argument;
        return 0;
    case OPTION_ANNOTATIONS:
        targets->annotations = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp emit_options_argp = {.options = options, .parser = parse};
