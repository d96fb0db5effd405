#include "tests/unit/gate_files.h"

#include "gate/tail_file.h"
#include "tests/unit/scratch.h"
#include "tests/unit/shell.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct scratch scratch;

void gate_files_begin(void)
{
    scratch_open(&scratch);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

/* With all that is below: a sanitizer's relative log path makes directories there. */
void gate_files_end(void)
{
    cr_expect_eq(nftw(scratch.dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *gate_files_dir(void)
{
    return scratch.dir;
}

const char *gate_files_path(const char *name)
{
    return scratch_path(&scratch, name);
}

static FILE *open_new(const char *name)
{
    FILE *file = fopen(scratch_path(&scratch, name), "we");
    cr_assert_not_null(file);
    return file;
}

const char *gate_files_write_bytes(const char *name, const void *bytes, size_t n_bytes)
{
    return scratch_write(&scratch, name, bytes, n_bytes);
}

const char *gate_files_write(const char *name, const char *text)
{
    return gate_files_write_bytes(name, text, strlen(text));
}

const char *gate_files_write_raw(const char *name, size_t n, const char *fast_ms, size_t n_slow,
                                 const char *slow_ms)
{
    FILE *file = open_new(name);
    for (size_t i = 0; i < n; i++) {
        fprintf(file, "%s\n", i < n - n_slow ? fast_ms : slow_ms);
    }
    cr_assert_eq(fclose(file), 0);
    return scratch.path;
}

const char *gate_files_write_tail(const char *name, size_t n, uint64_t bracket_ns)
{
    FILE *file = open_new(name);
    fputs(TAIL_FILE_HEADER "\n", file);
    for (size_t i = 0; i < n; i++) {
        uint64_t start_ns = 1000000 + i;
        uint64_t end_ns = start_ns + bracket_ns;
        fprintf(file,
                "%" PRIu64 ".%06" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",0,%" PRIu64
                ",%" PRIu64 ",0,P\n",
                bracket_ns / 1000000, bracket_ns % 1000000, start_ns, start_ns, start_ns, end_ns,
                end_ns);
    }
    cr_assert_eq(fclose(file), 0);
    return scratch.path;
}

const char *gate_files_bin(void)
{
    static char path[PATH_MAX];
    const char *bin = getenv("L0_BIN");
    cr_assert_not_null(realpath(bin != NULL ? bin : "bin", path), "L0_BIN: no built programs");
    return path;
}

struct gate_files_run gate_files_shell(const char *command)
{
    struct gate_files_run run = {0};
    char line[4096];
    int n = snprintf(line, sizeof line, "cd %s && { %s ; } 2>&1", scratch.dir, command);
    cr_assert(n > 0 && (size_t)n < sizeof line);
    run.exit = shell_run(line, run.output, sizeof run.output);
    return run;
}

struct gate_files_run gate_files_run(const char *arguments, ...)
{
    char text[2048];
    char command[4000];
    va_list list;
    va_start(list, arguments);
    vsnprintf(text, sizeof text, arguments, list);
    va_end(list);
    snprintf(command, sizeof command, "%s/l0-gate %s", gate_files_bin(), text);
    return gate_files_shell(command);
}

void gate_files_expect(struct gate_files_run run, int exit, const char *excerpt)
{
    cr_expect_eq(run.exit, exit, "exit %d, expected %d: %s", run.exit, exit, run.output);
    cr_expect_not_null(strstr(run.output, excerpt), "lacks '%s': %s", excerpt, run.output);
}
