/* Runs bin/l0-lex for its tests, in a scratch directory. Header only: every test is a program of
 * its own. */
#ifndef L0_TESTS_LEX_RUN_H
#define L0_TESTS_LEX_RUN_H

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scratch.h"
#include "tests/unit/shell.h"

static struct scratch scratch;
static char output[65536];

static inline void lex_open_scratch(void)
{
    scratch_open(&scratch);
}

static inline void lex_close_scratch(void)
{
    scratch_close(&scratch);
}

/* Runs "l0-lex ARGUMENTS" in the shell, in the scratch directory, from $L0_BIN or bin/; fills
 * output with both its streams and returns the exit code. */
static inline int run_lex(const char *environment, const char *arguments)
{
    char command[2 * PATH_MAX], program[PATH_MAX];
    const char *const bin = getenv("L0_BIN");
    cr_assert_not_null(realpath(bin ? bin : "bin", program));
    snprintf(command, sizeof command, "cd '%s' && %s '%s/l0-lex' %s 2>&1", scratch.dir, environment,
             program, arguments);
    const int status = shell_run(command, output, sizeof output);
    cr_assert_geq(status, 0, "%s: ended by a signal", command);
    return status;
}

static inline void put(const char *name, const char *text)
{
    scratch_write(&scratch, name, text, strlen(text));
}

static inline void expect_said(const char *part)
{
    cr_expect_not_null(strstr(output, part), "\"%s\" is not in: %s", part, output);
}

#endif
