/* l0-lex: the command-line lexer. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lexer/document.h"
#include "lexer/lexer.h"
#include "lexer/print.h"
#include "proto/version.h"

enum exit_code {
    EXIT_CLEAN = 0,
    EXIT_DOCUMENT_ERRORS = 1,
    EXIT_UNREADABLE = 2,
    EXIT_USAGE = 64,
    EXIT_WRITE_FAILED = 74,
    EXIT_CONFIG = 78,
};

enum output { OUTPUT_SUMMARY, OUTPUT_TOKENS, OUTPUT_SPANS, OUTPUT_JSON, OUTPUT_COUNTS };
enum {
    KEY_REGIME = 'r',
    KEY_TOKENS = 256,
    KEY_SPANS,
    KEY_JSON,
    KEY_COUNT,
    KEY_STATIC,
    KEY_KERNELS
};

struct settings {
    enum lexer_regime regime;
    enum output output;
    bool lists_kernels;
    char **paths;
    int n_paths;
};

const char *argp_program_version = "l0-lex " L0_VERSION;

static const struct argp_option argp_options[] = {
    {"tokens", KEY_TOKENS, NULL, 0,
     "TeX's tokens, one a line: catcode U+XXXX line, or cs name line", 0},
    {"spans", KEY_SPANS, NULL, 0, "The spans, one a line: start end kind", 0},
    {"json", KEY_JSON, NULL, 0, "Counts and diagnostics as one JSON object a file", 0},
    {"count", KEY_COUNT, NULL, 0, "Counts only", 0},
    {"regime", KEY_REGIME, "NAME", 0, "lualatex (default; UTF-8) or pdflatex (bytes)", 0},
    {"static", KEY_STATIC, NULL, 0, "Category codes never change (always so in this version)", 0},
    {"kernels", KEY_KERNELS, NULL, 0,
     "The kernels built in, one a line: name, supported or not by this processor, chosen", 0},
    {0},
};

static const char doc_text[] =
    "Lexes LaTeX sources as TeX does, and reports what is wrong with them."
    "\vWithout --tokens, --spans, --json or --count: diagnostics as "
    "\"file:line:column: severity: text [id]\" and a summary. FILE \"-\" is standard input.\n\n"
    "Environment: L0_KERNEL chooses the kernel (auto, or one built in).\n\n"
    "Exit status: 0 no errors; 1 errors in a document; 2 a file could not be read; "
    "64 usage; 74 output could not be written; 78 bad L0_KERNEL.";

static void choose_output(struct settings *settings, enum output output, struct argp_state *state)
{
    if (settings->output != OUTPUT_SUMMARY && settings->output != output)
        argp_error(state, "choose one of --tokens, --spans, --json and --count");
    settings->output = output;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct settings *const settings = state->input;
    switch (key) {
    case KEY_TOKENS:
        choose_output(settings, OUTPUT_TOKENS, state);
        return 0;
    case KEY_SPANS:
        choose_output(settings, OUTPUT_SPANS, state);
        return 0;
    case KEY_JSON:
        choose_output(settings, OUTPUT_JSON, state);
        return 0;
    case KEY_COUNT:
        choose_output(settings, OUTPUT_COUNTS, state);
        return 0;
    case KEY_STATIC:
        return 0;
    case KEY_KERNELS:
        settings->lists_kernels = true;
        return 0;
    case KEY_REGIME:
        if (strcmp(arg, "lualatex") != 0 && strcmp(arg, "pdflatex") != 0)
            argp_error(state, "--regime %s: must be lualatex or pdflatex", arg);
        settings->regime = *arg == 'p' ? LEXER_PDFLATEX : LEXER_LUALATEX;
        return 0;
    case ARGP_KEY_ARGS:
        settings->paths = state->argv + state->next;
        settings->n_paths = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        if (settings->lists_kernels)
            return 0;
        argp_error(state, "no FILE given; - is standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int init_kernel(void)
{
    const char *const name = getenv("L0_KERNEL");
    const int rc = lexer_init(name);
    if (rc == 0)
        return 0;
    fprintf(stderr, "l0-lex: L0_KERNEL=%s: %s; allowed: auto", name,
            rc == -ENOTSUP ? "this processor cannot run it" : "no such kernel is built in");
    for (size_t i = 0; lexer_kernel_list(i); i++)
        fprintf(stderr, ", %s", lexer_kernel_list(i));
    fputc('\n', stderr);
    return rc;
}

static void print_kernels(FILE *to)
{
    for (size_t i = 0; lexer_kernel_list(i); i++) {
        const char *const name = lexer_kernel_list(i);
        fprintf(to, "%s\t%s%s\n", name, lexer_kernel_can_run(i) ? "supported" : "not supported",
                strcmp(name, lexer_kernel_name()) == 0 ? "\tchosen" : "");
    }
}

static int print_document(struct document *doc, const struct settings *settings)
{
    if (settings->output == OUTPUT_COUNTS) {
        print_counts(doc, stdout);
        return 0;
    }
    const int rc = document_lex(doc);
    if (rc < 0)
        return rc;
    switch (settings->output) {
    case OUTPUT_TOKENS:
        print_tokens(doc, stdout);
        break;
    case OUTPUT_SPANS:
        print_spans(doc, stdout);
        break;
    case OUTPUT_JSON:
        return print_json(doc, stdout);
    case OUTPUT_SUMMARY:
    case OUTPUT_COUNTS:
        print_summary(doc, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"), stdout);
        break;
    }
    return 0;
}

static enum exit_code lex_file(const char *path, const struct settings *settings)
{
    struct document doc;
    enum exit_code code = EXIT_CLEAN;
    int rc = document_open(&doc, path, settings->regime);
    if (rc == 0)
        rc = print_document(&doc, settings);
    if (rc < 0) {
        fprintf(stderr, "l0-lex: %s: %s\n", doc.name,
                rc == -EFBIG ? "larger than 1 GiB - 1 byte" : strerror(-rc));
        code = EXIT_UNREADABLE;
    } else if (doc.counts.n_errors > 0) {
        code = EXIT_DOCUMENT_ERRORS;
    }
    document_close(&doc);
    return code;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = argp_options, .parser = parse_option, .args_doc = "FILE...", .doc = doc_text};
    struct settings settings = {.regime = LEXER_LUALATEX};
    enum exit_code worst = EXIT_CLEAN;

    argp_err_exit_status = EXIT_USAGE;
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error, reported as such */
    argp_parse(&argp, argc, argv, 0, NULL, &settings);
    if (init_kernel() < 0)
        return EXIT_CONFIG;
    if (settings.lists_kernels)
        print_kernels(stdout);
    for (int i = 0; i < settings.n_paths && !ferror(stdout); i++) {
        const enum exit_code code = lex_file(settings.paths[i], &settings);
        if (code > worst)
            worst = code;
    }
    if (ferror(stdout) || fclose(stdout) != 0) {
        fprintf(stderr, "l0-lex: standard output could not be written: %s\n", strerror(errno));
        return EXIT_WRITE_FAILED;
    }
    return (int)worst;
}
