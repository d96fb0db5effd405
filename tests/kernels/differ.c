/* Compares the kernels that run on this processor with the portable one: the fixed cases, the files
 * given, and documents made at random. Needs libc only, so that it can be built for and run on any
 * processor; what tests/unit/test_lexer_kernels.c and the fuzzer do too goes by the same code. */
#include <argp.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>

#include "tests/kernels/cases.h"
#include "tests/kernels/words.h"
#include "tests/kernels/difference.h"

#define DOCUMENT_BYTES_MAX 6000u
/* Files are lexed in pieces too, which takes the square of their length: by parts of that many. */
#define PART_BYTES_MAX     8192u
#define FILE_BYTES_MAX     (64u << 20)

struct settings {
    uint64_t seed;
    bool has_seed;
    uint32_t seconds, documents;
    struct cases_sample sample;
    const char *only, *dictionary;
    struct word *files; /* their contents */
    uint32_t n_files;
};

static const struct argp_option options[] = {
    {"seconds", 's', "N", 0, "Make documents for N seconds (default: 5)", 0},
    {"documents", 'n', "N", 0, "Make N documents instead", 0},
    {"seed", 'S', "N", 0, "Begin with this seed (default: a random one; it is printed)", 0},
    {"every", 'e', "N", 0, "Of very many cases take every Nth (default: 1)", 0},
    {"first", 'f', "N", 0, "Begin with the Nth of these, from 0 on (default: 0)", 0},
    {"only", 'o', "NAME", 0, "Only this case, or \"files\", or \"documents\"", 0},
    {"dictionary", 'd', "FILE", 0, "Make documents of these words too, as libFuzzer reads them", 0},
    {0}};

static uint64_t parse_number(const char *text, uint64_t max, struct argp_state *state)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value > max)
        argp_error(state, "%s: not a number of at most %llu", text, (unsigned long long)max);
    return value;
}

static void read_file(struct settings *settings, const char *path, struct argp_state *state)
{
    FILE *const file = fopen(path, "rb");
    if (!file)
        argp_failure(state, EX_NOINPUT, errno, "%s", path);
    struct word *const files =
        realloc(settings->files, (settings->n_files + 1) * sizeof *settings->files);
    if (!files)
        abort();
    settings->files = files;
    struct word *const content = &files[settings->n_files++];
    content->bytes = lexed_alloc(FILE_BYTES_MAX, 1); /* untouched pages cost nothing */
    content->n_bytes = (uint32_t)fread(content->bytes, 1, FILE_BYTES_MAX, file);
    if (ferror(file) || content->n_bytes == FILE_BYTES_MAX)
        argp_failure(state, EX_NOINPUT, errno, "%s: not read, or not shorter than %u bytes", path,
                     FILE_BYTES_MAX);
    fclose(file);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct settings *const settings = state->input;
    switch (key) {
    case 's':
        settings->seconds = (uint32_t)parse_number(arg, 86400, state);
        return 0;
    case 'n':
        settings->documents = (uint32_t)parse_number(arg, UINT32_MAX, state);
        return 0;
    case 'S':
        settings->seed = parse_number(arg, UINT64_MAX, state);
        settings->has_seed = true;
        return 0;
    case 'e':
        settings->sample.every = (uint32_t)parse_number(arg, 64, state);
        return 0;
    case 'f':
        settings->sample.first = (uint32_t)parse_number(arg, 63, state);
        return 0;
    case 'o':
        settings->only = arg;
        return 0;
    case 'd':
        settings->dictionary = arg;
        return 0;
    case ARGP_KEY_ARG:
        read_file(settings, arg, state);
        return 0;
    case ARGP_KEY_END:
        if (settings->sample.first >= settings->sample.every)
            argp_error(state, "--first %u, --every %u: the first one must be the smaller",
                       settings->sample.first, settings->sample.every);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static double seconds_since(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

static bool is_wanted(const struct settings *settings, const char *name)
{
    return !settings->only || strcmp(settings->only, name) == 0;
}

/* Says how a part of the work ended; false if it failed. */
static bool report(const char *name, const struct timespec *began, const char *difference)
{
    printf("%s %-26s %6.1f s%s%s\n", difference ? "FAIL" : "ok  ", name, seconds_since(began),
           difference ? "  " : "", difference ? difference : "");
    fflush(stdout);
    return !difference;
}

struct named_case {
    const char *name;
    const char *(*difference)(struct cases_sample sample);
};

static bool run_cases(const struct settings *settings, bool *found)
{
#define CASE_NAMED(name) {#name, case_##name},
    static const struct named_case cases[] = {KERNELS_CASES(CASE_NAMED)};
    bool same = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!is_wanted(settings, cases[i].name))
            continue;
        *found = true;
        struct timespec began;
        clock_gettime(CLOCK_MONOTONIC, &began);
        same &= report(cases[i].name, &began, cases[i].difference(settings->sample));
    }
    return same;
}

/* A file as it is, and part by part, cut into pieces. */
static const char *file_difference(const struct word *file, struct cases_sample sample,
                                   uint64_t where)
{
    const char *difference = cases_long_difference(file->bytes, file->n_bytes, where);
    for (uint32_t at = sample.first * PART_BYTES_MAX; at < file->n_bytes && !difference;
         at += sample.every * PART_BYTES_MAX) {
        const uint32_t left = file->n_bytes - at;
        const uint32_t n = left < PART_BYTES_MAX ? left : PART_BYTES_MAX;
        difference = cases_difference_in_both(file->bytes + at, n, "a part of file", where);
    }
    return difference;
}

static bool run_files(const struct settings *settings)
{
    const char *difference = NULL;
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (uint32_t i = 0; i < settings->n_files && !difference; i++)
        for (unsigned way = 0; way < LEXED_WAYS && !difference; way++) {
            cases_choose_way(way);
            difference = file_difference(&settings->files[i], settings->sample, i);
        }
    return report("files", &began, difference);
}

/* The document of that seed, in a way, a regime and a length that go by it too. */
static const char *document_difference(const struct settings *settings, const struct words *words,
                                       uint64_t seed, uint64_t *n_bytes)
{
    static const struct word nothing;
    uint64_t state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    for (int i = 0; i < 8; i++) /* neighbours part */
        (void)draw(&state, 1);
    const uint32_t n_max = 1 + draw(&state, DOCUMENT_BYTES_MAX >> draw(&state, 5));
    const struct word *const sample =
        settings->n_files ? &settings->files[draw(&state, settings->n_files)] : &nothing;
    const unsigned regime = draw(&state, 4) ? LEXER_LUALATEX : LEXER_PDFLATEX;
    uint8_t *const text = lexed_alloc(n_max, 1);
    cases_choose_way(draw(&state, LEXED_WAYS));
    const uint32_t n = words_document(text, n_max, words, sample, &state);
    /* At the exact size on the heap, so that a byte read behind it is seen. */
    uint8_t *const exact = lexed_alloc(n, 1);
    memcpy(exact, text, n);
    const char *const difference = cases_difference(regime, exact, n, "document of seed", seed);
    *n_bytes += n;
    free(text);
    free(exact);
    return difference;
}

static bool run_documents(struct settings *settings, const struct words *words)
{
    if (!settings->has_seed &&
        getrandom(&settings->seed, sizeof settings->seed, 0) != sizeof settings->seed)
        abort();
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    const char *difference = NULL;
    uint64_t n_bytes = 0;
    uint32_t n = 0;
    while (!difference && (settings->documents ? n < settings->documents
                                               : seconds_since(&began) < settings->seconds))
        difference = document_difference(settings, words, settings->seed + n++, &n_bytes);
    printf("     %u documents, %.1f MB, from seed %llu on\n", n, 1e-6 * (double)n_bytes,
           (unsigned long long)settings->seed);
    return report("documents", &began, difference);
}

/* Which kernels there are; how many are compared. */
static unsigned print_kernels(void)
{
    unsigned n = 0;
    for (size_t i = 0; lexer_kernel_list(i); i++) {
        const char *const name = lexer_kernel_list(i);
        n += kernels_to_compare(i);
        printf("%s\t%s%s\n", name, lexer_kernel_can_run(i) ? "supported" : "not supported",
               strcmp(name, lexer_kernel_name()) == 0 ? "\tchosen" : "");
    }
    return n;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "[FILE...]",
        .doc = "Compares every kernel that runs here with the portable one."
               "\vExit status: 0 no difference, 1 a difference, 64 usage, 66 a file that cannot be "
               "read, 69 no kernel but the portable one runs here."};
    struct settings settings = {.seconds = 5, .sample.every = 1};
    struct words words = {0};
    argp_err_exit_status = EX_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &settings);
    const int rc = settings.dictionary ? words_read(&words, settings.dictionary) : 0;
    if (rc != 0) {
        fprintf(stderr, "differ: %s: %s\n", settings.dictionary,
                rc == -EINVAL ? "a line is no word in quotes" : strerror(-rc));
        return EX_NOINPUT;
    }
    lexer_init(NULL);
    if (print_kernels() == 0) {
        fprintf(stderr, "differ: no kernel but the portable one runs here\n");
        return EX_UNAVAILABLE;
    }

    bool found = false;
    bool same = run_cases(&settings, &found);
    if (is_wanted(&settings, "files") && settings.n_files > 0) {
        found = true;
        same &= run_files(&settings);
    }
    if (is_wanted(&settings, "documents")) {
        found = true;
        same &= run_documents(&settings, &words);
    }
    words_free(&words);
    for (uint32_t i = 0; i < settings.n_files; i++)
        free(settings.files[i].bytes);
    free(settings.files);
    if (!found) {
        fprintf(stderr, "differ: --only %s: there is no such case, or no FILE\n", settings.only);
        return EX_USAGE;
    }
    return same ? 0 : 1;
}
