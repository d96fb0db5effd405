/* l0-bench open: arguments, the run, and what is done with its result. */
#include "bench/bench.h"

#include "bench/open_settings.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct command {
    struct open_settings settings;
    const char *out; /* NULL: nothing is stored */
};

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0, "Store the run there, for l0-gate check, compare and report", 4},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &c->settings;
        return 0;
    case 'o':
        c->out = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* "--rate 100 --duration 5 d.tex" (malloc), or NULL. */
static char *join_arguments(int argc, char **argv)
{
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    if (stream == NULL)
        return NULL;
    for (int i = 1; i < argc; i++)
        fprintf(stream, "%s%s", i > 1 ? " " : "", argv[i]);
    fclose(stream);
    return text;
}

static int store_and_print(const struct command *c, const struct open_store *store)
{
    json_t *summary = open_store_json(store);
    int code = c->out == NULL ? BENCH_OK : open_store_keep(store, c->out, summary);
    if (code == BENCH_OK && c->settings.json)
        return bench_print_json(summary);
    json_decref(summary);
    if (code != BENCH_OK)
        return code;
    if (open_store_print(store, stdout) != 0)
        return bench_complain(BENCH_INPUT, "%s", strerror(ENOMEM));
    if (c->out != NULL)
        printf("stored: %s\n", c->out);
    return bench_flush();
}

/* A run that is not valid is said so before a wrong reply: what was wrong may be its fault. */
static int exit_code(const struct open_result *result)
{
    if (result->why_invalid[0] != '\0')
        return bench_complain(BENCH_INVALID, "this run is not valid: %s", result->why_invalid);
    if (result->n_errors > 0)
        return bench_complain(BENCH_WRONG, "%llu requests had no right reply; %s",
                              (unsigned long long)result->n_errors, result->failure);
    return BENCH_OK;
}

int bench_open_main(int argc, char **argv)
{
    static const struct argp_child children[] = {{&open_settings_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .children = children,
        .args_doc = "--rate R --duration S FILE",
        .doc =
            "Sends FILE on an absolute schedule, whether or not earlier requests are answered, "
            "and counts each latency from when its request was due.\v"
            "Beside the latency stand the service time (from when it was sent), the client's own "
            "lag, and how long the machine itself stalled. DIR gets rows.csv, run.json, "
            "latency.hgrm, service.hgrm and jitter.csv.\n\n"
            "Exit codes: 0 all replies right, 1 a wrong or missing reply, 2 a file or the service "
            "could not be reached, 3 the run is not valid: the generator was the bottleneck, or "
            "it was interrupted; 64 usage.",
    };
    struct command c = {.settings = open_settings_default()};
    c.settings.needs_schedule = true;
    struct document document;
    struct open_session session;
    int code = open_settings_begin(&argp, argc, argv, &c, &c.settings, &document);
    if (code != 0)
        return code;
    int rc = c.out == NULL ? 0 : open_store_begin(c.out);
    if (rc != 0) {
        document_free(&document);
        return bench_complain(BENCH_INPUT, "%s: %s", c.out, strerror(-rc));
    }
    code = open_session_run(&session, &c.settings, &document);
    if (code == 0) {
        struct open_store store = open_session_store(&session, &c.settings, &document);
        char *command_line = join_arguments(argc, argv);
        store.command_line = command_line != NULL ? command_line : "";
        code = store_and_print(&c, &store);
        free(command_line);
    }
    if (code == 0)
        code = exit_code(&session.result);
    open_session_free(&session);
    document_free(&document);
    return code;
}
