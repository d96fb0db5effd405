#include "lexer/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lexer/print.h"

static int append(struct files *files, const char *dir, const char *name)
{
    if (files->n == files->cap) {
        const size_t cap = files->cap ? 2 * files->cap : 64;
        char **const paths = realloc(files->paths, cap * sizeof *paths);
        if (!paths)
            return -ENOMEM;
        files->paths = paths;
        files->cap = cap;
    }
    const size_t n_dir = strlen(dir);
    const char *const slash = n_dir > 0 && dir[n_dir - 1] != '/' ? "/" : "";
    char *path;
    if (asprintf(&path, "%s%s%s", dir, slash, name) < 0)
        return -ENOMEM;
    files->paths[files->n++] = path;
    return 0;
}

static bool is_source(const char *name)
{
    static const char *const endings[] = {".tex", ".sty", ".cls", ".def", ".ltx",
                                          ".dtx", ".fd",  ".clo", ".bbl"};
    const char *const dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool has_mode(const char *path, mode_t mode, int (*get)(const char *, struct stat *))
{
    struct stat status;
    return get(path, &status) == 0 && (status.st_mode & S_IFMT) == mode;
}

/* Adds the sources of the directory to files, its directories to pending. */
static int read_directory(struct files *files, struct files *pending, const char *dir)
{
    struct dirent **entries;
    const int n = scandir(dir, &entries, NULL, alphasort);
    int rc = 0;
    if (n < 0) {
        const int failure = errno;
        print_failure(dir, strerror(failure));
        files->n_unreadable++;
        return failure == ENOMEM ? -ENOMEM : 0;
    }
    for (int i = 0; i < n; i++) {
        const char *const name = entries[i]->d_name;
        struct files *to = pending;
        if (rc == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
            (rc = append(to, dir, name)) == 0) {
            const char *const path = to->paths[to->n - 1];
            const bool is_dir = has_mode(path, S_IFDIR, lstat);
            if (!is_dir && is_source(name) && has_mode(path, S_IFREG, lstat))
                rc = append(files, "", path);
            if (!is_dir)
                free(to->paths[--to->n]);
        }
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int add_directory(struct files *files, const char *dir)
{
    struct files pending = {0};
    const size_t n_before = files->n, n_unreadable_before = files->n_unreadable;
    int rc = append(&pending, "", dir);
    while (rc == 0 && pending.n > 0) {
        char *const next = pending.paths[--pending.n];
        rc = read_directory(files, &pending, next);
        free(next);
    }
    files_free(&pending);
    if (rc == 0 && files->n == n_before && files->n_unreadable == n_unreadable_before) {
        print_failure(dir, "no LaTeX source in this directory");
        files->n_unreadable++;
    }
    return rc;
}

int files_list(struct files *files, char *const *names, size_t n_names)
{
    int rc = 0;
    *files = (struct files){0};
    for (size_t i = 0; i < n_names && rc == 0; i++)
        rc = has_mode(names[i], S_IFDIR, stat) ? add_directory(files, names[i])
                                               : append(files, "", names[i]);
    return rc;
}

void files_free(struct files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->paths[i]);
    free(files->paths);
    *files = (struct files){0};
}
