#include "engine/options.h"

#include "engine/options_table.h"
#include "tests/unit/options_harness.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 1 << 16 };

TestSuite(options_file, .init = clear_environment, .fini = free_said);

static void expect_bad_file(const char *text, size_t bytes, const char *where, const char *what)
{
    struct scratch s;
    scratch_open(&s);
    expect_refused(load_file_text(&s, text, bytes), where, what);
    scratch_close(&s);
}

Test(options_file, bad_files)
{
    static char big[(1 << 20) + 1];
    memset(big, '\n', sizeof big);
    expect_bad_file("tcp\n", 4, "conf:1:", "neither 'key = value' nor a comment");
    expect_bad_file("\n\nframe-mss = 1", 15, "conf:3: \"frame-mss\"", "did you mean frame-ms?");
    expect_bad_file("xyzzy=1", 7, "conf:1: \"xyzzy\"", "is not an option of this file\n");
    expect_bad_file("config=/x", 9, "conf:1:", "is not an option of this file");
    expect_bad_file("idle-ms=1\nidle-ms=1\n", 20, "conf:2: idle-ms", "first in line 1");
    expect_bad_file("idle-ms=1\0", 10, "conf:1:", "NUL");
    expect_bad_file("idle-ms=1 # one", 15, "conf:1: idle-ms", "six decimals");
    expect_bad_file(big, sizeof big, "conf: cannot read", "too large");
    expect_refused(LOAD("--config=/nonexistent/x"), "/nonexistent/x", "No such file");
    expect_refused(LOAD("--config=/"), "/: cannot read", "directory");
    expect_refused(LOAD("--config="), "--config", "is empty");
}

/* Everything but where the values came from. */
static void expect_same_settings(const struct options *a, const struct options *b)
{
    cr_expect_arr_eq(a->unix_path, b->unix_path,
                     offsetof(struct options, sources) - offsetof(struct options, unix_path));
}

Test(options_file, printed_settings_load_again)
{
    struct scratch s;
    scratch_open(&s);
    cr_assert_eq(LOAD("--unix=/a b#c", "--unix-mode=660", "--frame-ms=2.25", "--rotate-mb=7",
                      "--slice-kb=8", "--mlock=off", "--fault-seed=18446744073709551615",
                      "--admin=[::1]:7"),
                 0, "%s", said);
    FILE *f = fopen(scratch_path(&s, "printed"), "we");
    cr_assert_not_null(f);
    options_print(&got, f);
    fclose(f);
    struct options *printed = malloc(sizeof *printed);
    cr_assert_not_null(printed);
    *printed = got;
    cr_assert_eq(LOAD("--config", s.path), 0, "%s", said);
    expect_same_settings(printed, &got);
    free(printed);
    scratch_close(&s);
}

static size_t read_text(const char *path, char text[TEXT_BYTES])
{
    FILE *f = fopen(path, "re");
    cr_assert_not_null(f, "%s: run from the top of the source tree", path);
    size_t n = fread(text, 1, TEXT_BYTES - 1, f);
    fclose(f);
    text[n] = '\0';
    return n;
}

Test(options_file, sample_file_holds_every_option_with_its_default)
{
    static char text[TEXT_BYTES], plain[TEXT_BYTES];
    read_text("conf/l0-lex.conf", text);
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_spec *spec = &options_table[i];
        char line[128], env[64];
        snprintf(line, sizeof line, "\n#%s =", spec->name);
        snprintf(env, sizeof env, "[%s]", spec->env);
        if (strcmp(spec->name, "config") == 0)
            continue;
        cr_expect_not_null(strstr(text, line), "%s is missing", spec->name);
        cr_expect_not_null(strstr(text, env), "%s is missing", spec->env);
    }
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        bool option = *p == '#' && (p == text || p[-1] == '\n') && islower((unsigned char)p[1]);
        if (!option)
            plain[n++] = *p;
    }
    struct scratch s;
    scratch_open(&s);
    cr_assert_eq(LOAD(), 0, "%s", said);
    struct options *defaults = malloc(sizeof *defaults);
    cr_assert_not_null(defaults);
    *defaults = got;
    cr_assert_eq(load_file_text(&s, plain, n), 0, "%s", said);
    expect_same_settings(defaults, &got);
    for (size_t i = 0; i < options_table_count; i++)
        cr_expect(strcmp(options_table[i].name, "config") == 0 ||
                      got.sources[i].origin == OPTIONS_FROM_FILE,
                  "%s was not read", options_table[i].name);
    free(defaults);
    scratch_close(&s);
}

Test(options_file, manual_names_every_option)
{
    static char text[TEXT_BYTES], plain[TEXT_BYTES];
    read_text("engine/l0-lexd.8", text);
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++)
        if (*p != '\\')
            plain[n++] = *p;
    for (size_t i = 0; i < options_table_count; i++) {
        char flag[64];
        snprintf(flag, sizeof flag, " --%s", options_table[i].name);
        cr_expect_not_null(strstr(plain, flag), "%s is missing", flag);
    }
}
