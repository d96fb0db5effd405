/* Loads the daemon's options in a test and keeps what it said. */
#ifndef L0_TESTS_UNIT_OPTIONS_HARNESS_H
#define L0_TESTS_UNIT_OPTIONS_HARNESS_H

#include "engine/options.h"
#include "tests/unit/scratch.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 8 };

/* Every test is a process of its own, so these are fresh in each. */
static struct options got;
static char *said; /* what options_load wrote to stderr */

/* Loads the options with up to ARGS_MAX flags; the list ends with NULL. */
static inline int load(const char *const args[])
{
    static const char program[] = "l0-lexd";
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t)program};
    int argc = 1;
    for (; args[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)args[argc - 1];
    FILE *real = stderr;
    size_t bytes = 0;
    free(said);
    said = NULL;
    stderr = open_memstream(&said, &bytes);
    cr_assert_not_null(stderr);
    int code = options_load(&got, argc, argv);
    fclose(stderr);
    stderr = real;
    return code;
}

#define LOAD(...) load((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static inline void clear_environment(void)
{
    for (char **e = environ; *e != NULL;) {
        char name[256] = "";
        size_t n = strcspn(*e, "=");
        if (strncmp(*e, "L0_", 3) == 0 && n < sizeof name) {
            memcpy(name, *e, n);
            unsetenv(name);
            e = environ;
        } else {
            e++;
        }
    }
}

static inline void free_said(void)
{
    free(said);
}

static inline void expect_refused(int code, const char *where, const char *what)
{
    cr_assert_eq(code, OPTIONS_EXIT_CONFIG, "%s: %s", where, said);
    cr_assert_not_null(strstr(said, where), "\"%s\" does not say \"%s\"", said, where);
    cr_assert_not_null(strstr(said, what), "\"%s\" does not say \"%s\"", said, what);
    const char *newline = strchr(said, '\n');
    cr_assert(newline != NULL && newline[1] == '\0', "\"%s\" is not one line", said);
}

static inline int load_file_text(struct scratch *s, const char *text, size_t bytes)
{
    return LOAD("--config", scratch_write(s, "conf", text, bytes));
}

#endif
