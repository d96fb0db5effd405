#include "gate/run.h"

#include "gate/rows_binary.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_directory(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

/* "DIR/NAME" or "FILESUFFIX" (malloc), or NULL. */
static char *join(const char *head, const char *separator, const char *tail)
{
    char *path = NULL;
    return asprintf(&path, "%s%s%s", head, separator, tail) < 0 ? NULL : path;
}

static int out_of_memory(const char *path, struct gate_error *error)
{
    return gate_error_set(error, GATE_USAGE, "%s: out of memory", path);
}

static int latencies_of_rows(struct run *run, struct gate_error *error)
{
    for (size_t i = 0; i < run->rows.n; i++) {
        const struct row *row = &run->rows.values[i];
        uint64_t latency_ps =
            row->ok ? (row->done_ns - row->intended_ns) * GATE_PS_PER_NS : RUN_UNANSWERED_PS;
        run->n_unanswered += !row->ok;
        run->hedge_wins.value += row->ok && row->origin == 'H';
        if (sample_add(&run->latency, latency_ps, i + 2) != 0) {
            return out_of_memory(run->path, error);
        }
    }
    run->hedge_wins.known = true;
    sample_sort(&run->latency);
    return 0;
}

static int read_validity(struct run *run, const char *path, struct gate_error *error)
{
    const json_t *valid = json_object_get(run->summary, "valid");
    if (valid == NULL) {
        return 0;
    }
    if (!json_is_boolean(valid)) {
        return gate_error_set(error, GATE_DATA, "%s: \"valid\" is neither true nor false", path);
    }
    run->valid = json_is_true(valid);
    const char *reason =
        json_string_value(json_array_get(json_object_get(run->summary, "invalid"), 0));
    snprintf(run->why_invalid, sizeof run->why_invalid, "%s",
             run->valid       ? ""
             : reason != NULL ? reason
                              : "the run does not say why");
    for (char *c = run->why_invalid; *c != '\0'; c++) { /* it goes to terminals and into reports */
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c;
    }
    return 0;
}

/* What l0-bench writes says what it is; a summary that lacks a part of it was cut or is another
 * file. */
static int check_format(const struct run *run, const char *path, struct gate_error *error)
{
    const char *format = json_string_value(json_object_get(run->summary, "format"));
    if (format == NULL || strcmp(format, RUN_FORMAT) != 0) {
        return gate_error_set(error, GATE_DATA,
                              "%s: \"format\" is not \"" RUN_FORMAT
                              "\": not the summary of a run, or of another version",
                              path);
    }
    if (json_object_get(run->summary, "valid") == NULL ||
        json_object_get(run->summary, "rows") == NULL) {
        return gate_error_set(error, GATE_DATA, "%s: \"valid\" or \"rows\" is missing", path);
    }
    return 0;
}

/* The parts of a run are of the same run: as many rows, and of each kind, as it says. */
static int check_count(const struct run *run, const char *path, struct gate_error *error)
{
    const json_t *n = json_object_get(run->summary, "rows");
    if (!json_is_integer(n) || (uint64_t)json_integer_value(n) != run->rows.n) {
        return gate_error_set(error, GATE_DATA,
                              "%s: \"rows\" is not %zu, the number of rows beside it: they are of "
                              "different runs, or one was cut",
                              path, run->rows.n);
    }
    if (run->counters.errors.known && run->counters.errors.value != run->n_unanswered) {
        return gate_error_set(error, GATE_DATA,
                              "%s: \"errors\" is not %llu, the number of rows beside it that are "
                              "not ok: they are of different runs, or one was changed",
                              path, (unsigned long long)run->n_unanswered);
    }
    if (run->counters.requests.known && run->counters.requests.value < run->rows.n) {
        return gate_error_set(error, GATE_DATA,
                              "%s: \"requests\" is less than the %zu rows beside it", path,
                              run->rows.n);
    }
    return 0;
}

static int load_summary(struct run *run, const char *path, struct gate_error *error)
{
    json_error_t cause;
    if (counters_load(&run->counters, path, error) != 0) {
        return -1;
    }
    run->summary = json_load_file(path, JSON_REJECT_DUPLICATES, &cause);
    if (run->summary == NULL) {
        return gate_error_set(error, GATE_DATA, "%s:%d: %s", path, cause.line, cause.text);
    }
    run->started_s = json_number_value(json_object_get(run->summary, "started_s"));
    return read_validity(run, path, error);
}

/* The requests of a closed loop that were not answered rightly are not in its file, but counted. */
static int add_unanswered(struct run *run, const char *path, struct gate_error *error)
{
    uint64_t n = run->counters.errors.known ? run->counters.errors.value : 0;
    if (n > RUN_UNANSWERED_MAX) {
        return gate_error_set(error, GATE_DATA, "%s: \"errors\" is %llu, expected at most %llu",
                              path, (unsigned long long)n, (unsigned long long)RUN_UNANSWERED_MAX);
    }
    for (uint64_t i = 0; i < n; i++) {
        if (sample_add(&run->latency, RUN_UNANSWERED_PS, run->latency.n + 1) != 0) {
            return out_of_memory(path, error);
        }
    }
    run->n_unanswered = n;
    return 0;
}

/* What nobody counted is counted from the rows. */
static void complete_counters(struct run *run)
{
    if (run->rows.n > 0 && !run->counters.errors.known) {
        run->counters.errors = (struct counter){true, run->n_unanswered};
    }
    if (run->rows.n > 0 && !run->counters.requests.known) {
        run->counters.requests = (struct counter){true, run->rows.n};
    }
}

static int load_rows(struct run *run, struct gate_error *error)
{
    char *text = join(run->path, "/", RUN_ROWS_NAME);
    char *binary = join(run->path, "/", RUN_BINARY_NAME);
    int result = -1;
    if (text == NULL || binary == NULL) {
        out_of_memory(run->path, error);
    } else if (!exists(binary)) {
        result = rows_load(&run->rows, text, error);
    } else if (exists(text)) {
        gate_error_set(error, GATE_DATA, "%s: there is %s as well: expected one of them", text,
                       RUN_BINARY_NAME);
    } else {
        result = rows_binary_load(&run->rows, binary, error);
    }
    free(text);
    free(binary);
    return result;
}

static int load_directory(struct run *run, struct gate_error *error)
{
    char *summary = join(run->path, "/", RUN_SUMMARY_NAME);
    int result = -1;
    if (summary == NULL) {
        out_of_memory(run->path, error);
    } else if (!exists(summary)) {
        gate_error_set(error, GATE_USAGE,
                       "%s: no %s in it: not a run, or one that did not end (expected a directory "
                       "that l0-bench open made, or a file of latencies)",
                       run->path, RUN_SUMMARY_NAME);
    } else if (load_rows(run, error) == 0 && latencies_of_rows(run, error) == 0) {
        result = load_summary(run, summary, error);
        if (result == 0) {
            result = check_format(run, summary, error);
        }
        if (result == 0) {
            result = check_count(run, summary, error);
        }
    }
    free(summary);
    return result;
}

static int load_file(struct run *run, struct gate_error *error)
{
    static const struct sample_format one_value_a_line = {0};
    if (sample_load(&run->latency, run->path, &one_value_a_line, error) != 0) {
        return -1;
    }
    char *summary = join(run->path, "", ".json");
    int result = 0;
    if (summary == NULL) {
        result = out_of_memory(run->path, error);
    } else if (exists(summary)) {
        result = load_summary(run, summary, error);
        if (result == 0) {
            result = add_unanswered(run, summary, error);
        }
    }
    free(summary);
    return result;
}

int run_load(struct run *run, const char *path, struct gate_error *error)
{
    *run = (struct run){.valid = true, .path = strdup(path)};
    if (run->path == NULL) {
        return out_of_memory(path, error);
    }
    int result = is_directory(path) ? load_directory(run, error) : load_file(run, error);
    if (result == 0) {
        complete_counters(run);
    }
    return result;
}

void run_free(struct run *run)
{
    free(run->path);
    sample_free(&run->latency);
    rows_free(&run->rows);
    json_decref(run->summary);
    *run = (struct run){0};
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat about_a;
    struct stat about_b;
    return stat(a, &about_a) == 0 && stat(b, &about_b) == 0 && about_a.st_dev == about_b.st_dev &&
           about_a.st_ino == about_b.st_ino;
}

bool run_is_same(const struct run *a, const struct run *b)
{
    json_int_t a_ns = json_integer_value(json_object_get(a->summary, "start_ns"));
    json_int_t b_ns = json_integer_value(json_object_get(b->summary, "start_ns"));
    bool same_moment = a->started_s > 0 && a_ns > 0 && a_ns == b_ns &&
                       a->started_s - b->started_s < 1e-3 && b->started_s - a->started_s < 1e-3;
    return same_moment || is_same_file(a->path, b->path);
}

char *run_file(const struct run *run, const char *name)
{
    char *path = is_directory(run->path) ? join(run->path, "/", name) : NULL;
    if (path != NULL && !exists(path)) {
        free(path);
        path = NULL;
    }
    return path;
}

bool run_says_machine(const struct run *run)
{
    return json_object_size(json_object_get(run->summary, "machine")) > 0;
}

bool run_differs(const struct run *a, const struct run *b, char what[128])
{
    static const char *const parts[] = {"machine", "workload", "build"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        json_t *left = json_object_get(a->summary, parts[i]);
        const json_t *right = json_object_get(b->summary, parts[i]);
        const char *key;
        json_t *value;
        if (left == NULL || right == NULL) {
            continue;
        }
        json_object_foreach(left, key, value)
        {
            json_t *other = json_object_get(right, key);
            if (strcmp(parts[i], "build") == 0 && strcmp(key, "id") != 0) {
                continue; /* the command line names where the run is stored */
            }
            if (other != NULL && !json_equal(value, other)) {
                snprintf(what, 128, "%s.%.100s", parts[i], key);
                return true;
            }
        }
    }
    return false;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int add_name(char ***names, int *n, char *name)
{
    char **grown = name == NULL ? NULL : reallocarray(*names, (size_t)*n + 1, sizeof **names);
    if (grown == NULL) {
        free(name);
        return -1;
    }
    *names = grown;
    grown[(*n)++] = name;
    return 0;
}

/* Every entry that is itself a directory. */
static int list_entries(const char *path, DIR *directory, char ***names, struct gate_error *error)
{
    int n = 0;
    int result = 0;
    const struct dirent *entry;
    while (result == 0 && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char *name = join(path, "/", entry->d_name);
        if (name != NULL && !is_directory(name)) {
            free(name);
        } else {
            result = add_name(names, &n, name);
        }
    }
    if (result != 0) {
        run_list_free(*names, n);
        *names = NULL;
        return out_of_memory(path, error);
    }
    if (n > 1) {
        qsort(*names, (size_t)n, sizeof **names, compare_names);
    }
    return n;
}

static bool has_summary(const char *path)
{
    char *summary = join(path, "/", RUN_SUMMARY_NAME);
    bool has = summary != NULL && exists(summary);
    free(summary);
    return has;
}

/* All must be runs, or none: one that did not end must not drop out of a verdict unseen. How many
 * stay, or -1 with *error set. */
static int keep_runs(char ***names, int n, struct gate_error *error)
{
    int n_runs = 0;
    const char *other = NULL;
    for (int i = 0; i < n; i++) {
        bool is_run = has_summary((*names)[i]);
        n_runs += is_run;
        other = is_run ? other : (*names)[i];
    }
    if (n_runs == n) {
        return n;
    }
    if (n_runs > 0) {
        gate_error_set(
            error, GATE_DATA,
            "%s: no %s in it: a run that did not end (remove it, or name the runs one by "
            "one)",
            other, RUN_SUMMARY_NAME);
    }
    run_list_free(*names, n);
    *names = NULL;
    return n_runs > 0 ? -1 : 0;
}

int run_list(const char *path, char ***names, struct gate_error *error)
{
    *names = NULL;
    if (has_summary(path) || !is_directory(path)) {
        return 0;
    }
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return gate_error_set(error, GATE_USAGE, "%s: cannot open: %s", path, strerror(errno));
    }
    int n = list_entries(path, directory, names, error);
    closedir(directory);
    return n > 0 && *names != NULL ? keep_runs(names, n, error) : n;
}

void run_list_free(char **names, int n)
{
    for (int i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
}
