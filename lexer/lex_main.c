/* l0-lex: the command-line lexer. */
#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lexer/crew.h"
#include "lexer/document.h"
#include "lexer/files.h"
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

enum output {
    OUTPUT_SUMMARY,
    OUTPUT_CHECK,
    OUTPUT_TOKENS,
    OUTPUT_SPANS,
    OUTPUT_LINES,
    OUTPUT_STATS,
    OUTPUT_JSON,
    OUTPUT_SARIF,
    OUTPUT_COUNTS
};
enum {
    KEY_REGIME = 'r',
    KEY_JOBS = 'j',
    KEY_STATIC = 256,
    KEY_KERNELS,
    KEY_VERBATIM,
    KEY_OUTPUT /* and enum output added to it */
};

struct settings {
    struct lexer_options options;
    const char *verbatim_names[LEXER_VERBATIM_NAMES_MAX];
    enum output output;
    bool lists_kernels;
    bool colours;
    unsigned n_threads;
    struct files files;
    /* Of the files done so far: */
    enum exit_code worst;
    bool shows_progress, has_results;
    struct timespec progress_at;
};

const char *argp_program_version = "l0-lex " L0_VERSION;

static const struct argp_option argp_options[] = {
    {NULL, 0, NULL, 0, "What is written (without any: diagnostics and a line of counts):", 1},
    {"check", KEY_OUTPUT + OUTPUT_CHECK, NULL, 0,
     "Diagnostics, each with its line and carets below what is meant", 1},
    {"tokens", KEY_OUTPUT + OUTPUT_TOKENS, NULL, 0,
     "TeX's tokens, one a line: catcode U+XXXX line, or cs name line", 1},
    {"spans", KEY_OUTPUT + OUTPUT_SPANS, NULL, 0, "The spans, one a line: start end kind", 1},
    {"lines", KEY_OUTPUT + OUTPUT_LINES, NULL, 0, "The lines, one a line: number start end spans",
     1},
    {"stats", KEY_OUTPUT + OUTPUT_STATS, NULL, 0, "For each kind: spans, bytes, share", 1},
    {"count", KEY_OUTPUT + OUTPUT_COUNTS, NULL, 0, "Counts only", 1},
    {"json", KEY_OUTPUT + OUTPUT_JSON, NULL, 0,
     "Counts and diagnostics as one JSON object a file, one a line", 1},
    {"sarif", KEY_OUTPUT + OUTPUT_SARIF, NULL, 0, "Diagnostics of all files as SARIF 2.1.0", 1},
    {NULL, 0, NULL, 0, "How it is read:", 2},
    {"regime", KEY_REGIME, "NAME", 0, "lualatex (default; UTF-8) or pdflatex (bytes)", 2},
    {"static", KEY_STATIC, NULL, 0,
     "Category codes never change, nothing is verbatim: without the latex context layer", 2},
    {"verbatim", KEY_VERBATIM, "NAME", 0,
     "NAME is a verbatim environment too; may be given several times", 2},
    {"jobs", KEY_JOBS, "N", 0, "Files at a time (default: one a core)", 2},
    {"kernels", KEY_KERNELS, NULL, 0,
     "List the kernels built in, one a line: name, supported or not by this processor, chosen", 2},
    {0},
};

static const char doc_text[] =
    "Lexes LaTeX sources as TeX does, and reports what is wrong with them."
    "\vFILE \"-\" is standard input; a directory stands for the LaTeX sources below it. In .sty, "
    ".cls, .def, .ltx and .dtx files @ is a letter. A diagnostic is written as "
    "\"file:line:column: severity: text [id]\".\n\n"
    "Environment: L0_KERNEL chooses the kernel (auto, or one built in); NO_COLOR turns colours "
    "off.\n\n"
    "Exit status: 0 no errors; 1 errors in a document; 2 a file could not be read; "
    "64 usage; 74 output could not be written; 78 bad L0_KERNEL.";

static void choose_output(struct settings *settings, enum output output, struct argp_state *state)
{
    if (settings->output != OUTPUT_SUMMARY && settings->output != output)
        argp_error(state, "choose one of --check, --tokens, --spans, --lines, --stats, --count, "
                          "--json and --sarif");
    settings->output = output;
}

static void add_verbatim(struct settings *settings, const char *name, struct argp_state *state)
{
    const size_t n = strlen(name);
    if (settings->options.n_verbatim_names == LEXER_VERBATIM_NAMES_MAX)
        argp_error(state, "--verbatim: at most %d names", LEXER_VERBATIM_NAMES_MAX);
    if (n == 0 || n > LEXER_ENV_NAME_BYTES_MAX || strpbrk(name, "{}\\%$&#^~ \t\r\n"))
        argp_error(state,
                   "--verbatim \"%s\": must be a name of 1 to %d letters, digits and the like",
                   name, LEXER_ENV_NAME_BYTES_MAX);
    settings->verbatim_names[settings->options.n_verbatim_names++] = name;
    settings->options.verbatim_names = settings->verbatim_names;
}

static unsigned parse_jobs(const char *text, struct argp_state *state)
{
    char *end;
    errno = 0;
    const unsigned long n = strtoul(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end || n < 1 || n > CREW_THREADS_MAX)
        argp_error(state, "--jobs %s: must be 1 to %u", text, CREW_THREADS_MAX);
    return (unsigned)n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct settings *const settings = state->input;
    if (key > KEY_OUTPUT && key <= KEY_OUTPUT + OUTPUT_COUNTS) {
        choose_output(settings, (enum output)(key - KEY_OUTPUT), state);
        return 0;
    }
    switch (key) {
    case KEY_STATIC:
        settings->options.is_static = true;
        return 0;
    case KEY_KERNELS:
        settings->lists_kernels = true;
        return 0;
    case KEY_VERBATIM:
        add_verbatim(settings, arg, state);
        return 0;
    case KEY_JOBS:
        settings->n_threads = parse_jobs(arg, state);
        return 0;
    case KEY_REGIME:
        if (strcmp(arg, "lualatex") != 0 && strcmp(arg, "pdflatex") != 0)
            argp_error(state, "--regime %s: must be lualatex or pdflatex", arg);
        settings->options.regime = *arg == 'p' ? LEXER_PDFLATEX : LEXER_LUALATEX;
        return 0;
    case ARGP_KEY_ARGS:
        if (files_list(&settings->files, state->argv + state->next,
                       (size_t)(state->argc - state->next)) < 0)
            argp_failure(state, EXIT_UNREADABLE, ENOMEM, "the list of files");
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

static bool shows_diagnostics(enum output output)
{
    return output == OUTPUT_SUMMARY || output == OUTPUT_CHECK || output == OUTPUT_JSON ||
           output == OUTPUT_SARIF;
}

static int print_document(struct document *doc, const struct settings *settings, FILE *to)
{
    if (settings->output == OUTPUT_COUNTS) {
        print_counts(doc, to);
        return 0;
    }
    const int rc = document_lex(doc);
    if (rc < 0)
        return rc;
    if (shows_diagnostics(settings->output))
        print_left_out(doc);
    switch (settings->output) {
    case OUTPUT_TOKENS:
        print_tokens(doc, to);
        break;
    case OUTPUT_SPANS:
        print_spans(doc, to);
        break;
    case OUTPUT_LINES:
        print_lines(doc, to);
        break;
    case OUTPUT_STATS:
        print_stats(doc, to);
        break;
    case OUTPUT_JSON:
        return print_json(doc, to);
    case OUTPUT_SARIF:
        return print_sarif_results(doc, to);
    case OUTPUT_CHECK:
        print_diagnostics(doc, true, settings->colours, to);
        break;
    case OUTPUT_SUMMARY:
    case OUTPUT_COUNTS:
        print_diagnostics(doc, false, settings->colours, to);
        print_summary(doc, to);
        break;
    }
    return 0;
}

/* A negative errno, or whether the document has errors. */
static int lex_file(void *context, size_t index, FILE *to)
{
    const struct settings *const settings = context;
    const char *const path = settings->files.paths[index];
    struct lexer_options options = settings->options;
    struct document doc;
    options.at_is_letter = lexer_name_has_at_letter(path);
    int rc = document_open(&doc, path, &options);
    if (rc == 0)
        rc = print_document(&doc, settings, to);
    if (rc == 0)
        rc = doc.counts.n_errors > 0;
    document_close(&doc);
    return rc;
}

#define PROGRESS_EVERY_NS 100000000

static void show_progress(struct settings *settings, size_t n_done)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t since_ns = (int64_t)(now.tv_sec - settings->progress_at.tv_sec) * 1000000000 +
                             (now.tv_nsec - settings->progress_at.tv_nsec);
    if (since_ns < PROGRESS_EVERY_NS)
        return;
    settings->progress_at = now;
    fprintf(stderr, "\rl0-lex: %zu of %zu files", n_done, settings->files.n);
}

static void clear_progress(const struct settings *settings)
{
    if (settings->shows_progress)
        fputs("\r\033[K", stderr);
}

static bool file_done(void *context, size_t index, int result, const char *text, size_t n_bytes)
{
    struct settings *const settings = context;
    enum exit_code code = result > 0 ? EXIT_DOCUMENT_ERRORS : EXIT_CLEAN;
    if (n_bytes > 0 || result < 0)
        clear_progress(settings);
    if (settings->output == OUTPUT_SARIF && n_bytes > 0) {
        if (settings->has_results)
            putchar(',');
        settings->has_results = true;
    }
    fwrite(text, 1, n_bytes, stdout);
    if (result < 0) {
        code = EXIT_UNREADABLE;
        print_failure(settings->files.paths[index],
                      result == -EFBIG ? "larger than 1 GiB - 1 byte" : strerror(-result));
    }
    if (code > settings->worst)
        settings->worst = code;
    if (settings->shows_progress)
        show_progress(settings, index + 1);
    return !ferror(stdout);
}

static int lex_files(struct settings *settings)
{
    const struct crew_job job = {
        .n = settings->files.n, .work = lex_file, .done = file_done, .context = settings};
    const long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    int rc = 0;
    if (settings->n_threads == 0)
        settings->n_threads = n_cores > 0 ? (unsigned)n_cores : 1;
    if (settings->output == OUTPUT_SARIF)
        rc = print_sarif_begin(L0_VERSION, stdout);
    if (rc == 0)
        rc = crew_run(&job, settings->n_threads);
    clear_progress(settings);
    if (settings->output == OUTPUT_SARIF)
        print_sarif_end(stdout);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = argp_options, .parser = parse_option, .args_doc = "FILE...", .doc = doc_text};
    struct settings settings = {.worst = EXIT_CLEAN};

    argp_err_exit_status = EXIT_USAGE;
    signal(SIGPIPE, SIG_IGN);       /* a closed pipe is a write error, reported as such */
    setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters */
    argp_parse(&argp, argc, argv, 0, NULL, &settings);
    int rc = init_kernel();
    if (rc == 0 && settings.lists_kernels)
        print_kernels(stdout);
    settings.colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    settings.shows_progress = settings.files.n > 1 && isatty(STDERR_FILENO);
    if (settings.files.n_unreadable > 0)
        settings.worst = EXIT_UNREADABLE;
    if (rc < 0)
        settings.worst = EXIT_CONFIG;
    else if (settings.files.n > 0 && (rc = lex_files(&settings)) < 0)
        settings.worst = EXIT_UNREADABLE;
    files_free(&settings.files);
    if (rc < 0 && settings.worst != EXIT_CONFIG)
        fprintf(stderr, "l0-lex: %s\n", strerror(-rc));
    if (ferror(stdout) || fclose(stdout) != 0) {
        fprintf(stderr, "l0-lex: standard output could not be written: %s\n", strerror(errno));
        return EXIT_WRITE_FAILED;
    }
    return (int)settings.worst;
}
