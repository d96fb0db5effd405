/* A fresh directory for one test, and files in it. */
#ifndef L0_TESTS_UNIT_SCRATCH_H
#define L0_TESTS_UNIT_SCRATCH_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scratch {
    char dir[64];
    char path[384]; /* of the file named last */
};

static inline void scratch_open(struct scratch *s)
{
    strcpy(s->dir, "/tmp/l0_unit.XXXXXX");
    cr_assert_not_null(mkdtemp(s->dir));
}

/* dir/name, valid until the next call. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
    int n = snprintf(s->path, sizeof s->path, "%s/%s", s->dir, name);
    cr_assert(n > 0 && (size_t)n < sizeof s->path);
    return s->path;
}

/* Writes dir/name and returns its path. */
static inline const char *scratch_write(struct scratch *s, const char *name, const void *bytes,
                                        size_t n)
{
    FILE *f = fopen(scratch_path(s, name), "we");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, n, f), n);
    cr_assert_eq(fclose(f), 0);
    return s->path;
}

static inline size_t scratch_count(const struct scratch *s)
{
    size_t n = 0;
    DIR *dir = opendir(s->dir);
    cr_assert_not_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return n;
}

/* Removes the directory with the files (and empty directories) in it. */
static inline void scratch_close(struct scratch *s)
{
    DIR *dir = opendir(s->dir);
    cr_assert_not_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        bool self = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        if (!self && unlinkat(dirfd(dir), e->d_name, 0) != 0)
            cr_assert_eq(unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR), 0);
    }
    closedir(dir);
    cr_assert_eq(rmdir(s->dir), 0);
}

#endif
