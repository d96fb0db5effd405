/* l0-corpus: writes the documents of the corpus. */
#include "bench/corpus.h"
#include "bench/number.h"
#include "gate/outfile.h"
#include "proto/version.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { EXIT_FILE = 2, EXIT_USAGE = 64 };

const char *argp_program_version = "l0-corpus " L0_VERSION;

struct request {
    const char *directory; /* --all */
    int kind;              /* or -1 */
    size_t bytes;
};

static const struct argp_option options[] = {
    {.name = "all", .key = 'a', .arg = "DIR", .doc = "Write every kind into DIR, as KIND.tex"},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'a':
        request->directory = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0) {
            request->kind = corpus_find(arg);
            if (request->kind < 0)
                argp_error(state, "KIND \"%s\" is unknown; --help lists the kinds", arg);
            request->bytes = corpus_default_bytes((enum corpus_kind)request->kind);
            return 0;
        }
        if (state->arg_num == 1) {
            uint64_t bytes = 0;
            if (number_parse(arg, 0, SIZE_MAX, &bytes) != 0)
                argp_error(state, "BYTES \"%s\" is not a whole number", arg);
            request->bytes = (size_t)bytes;
            return 0;
        }
        return ARGP_ERR_UNKNOWN;
    case ARGP_KEY_END:
        if ((request->directory == NULL) == (request->kind < 0))
            argp_error(state, "give either KIND or --all DIR");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int complain(const char *what, int rc)
{
    fprintf(stderr, "l0-corpus: %s: %s\n", what, strerror(-rc));
    return EXIT_FILE;
}

static int write_one(const struct request *request)
{
    enum corpus_kind kind = (enum corpus_kind)request->kind;
    char *text;
    int rc = corpus_make(kind, request->bytes, &text);
    if (rc == -ERANGE) {
        fprintf(stderr,
                "l0-corpus: %s cannot be made in %zu bytes: its frame alone needs some "
                "hundred, and 1 GiB is the most\n",
                corpus_name(kind), request->bytes);
        return EXIT_USAGE;
    }
    if (rc != 0)
        return complain(corpus_name(kind), rc);
    size_t written = fwrite(text, 1, request->bytes, stdout);
    free(text);
    if (written != request->bytes || fflush(stdout) != 0)
        return complain("standard output", -errno);
    return 0;
}

static int write_file(enum corpus_kind kind, const char *path)
{
    char *text;
    size_t bytes = corpus_default_bytes(kind);
    int rc = corpus_make(kind, bytes, &text);
    if (rc != 0)
        return rc;
    struct outfile out;
    rc = outfile_open(&out, path);
    if (rc == 0) {
        fwrite(text, 1, bytes, out.stream);
        rc = outfile_commit(&out);
    }
    free(text);
    return rc;
}

static int write_all(const char *directory)
{
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return complain(directory, -errno);
    for (int kind = 0; kind < CORPUS_KIND_COUNT; kind++) {
        char *path;
        if (asprintf(&path, "%s/%s.tex", directory, corpus_name((enum corpus_kind)kind)) < 0)
            return complain(directory, -ENOMEM);
        int rc = write_file((enum corpus_kind)kind, path);
        if (rc != 0)
            complain(path, rc);
        free(path);
        if (rc != 0)
            return EXIT_FILE;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "KIND [BYTES]\n--all DIR",
        .doc = "Writes a LaTeX document made by a deterministic generator to standard output: the "
               "same bytes on every machine.\v"
               "KIND is perf_smoke_big (1.1 MB: prose, heavy math, tables, macros, comments, "
               "UTF-8, verbatim), edit_window_4kb, macro_dense (1 MB) or cjk_dense (1 MB).\n\n"
               "Exit codes: 0 done, 2 a file could not be written, 64 usage.",
    };
    argp_err_exit_status = EXIT_USAGE;
    struct request request = {.kind = -1};
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    return request.directory != NULL ? write_all(request.directory) : write_one(&request);
}
