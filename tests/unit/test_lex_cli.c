/* bin/l0-lex as its users meet it. */
#include "tests/unit/scratch.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <limits.h>
#include <sys/wait.h>

static struct scratch scratch;
static char output[65536];

static void open_scratch(void)
{
    scratch_open(&scratch);
}

static void close_scratch(void)
{
    scratch_close(&scratch);
}

TestSuite(lex_cli, .init = open_scratch, .fini = close_scratch);

/* Runs "l0-lex ARGUMENTS" in the shell, in the scratch directory, from $L0_BIN or bin/; fills
 * output with both its streams and returns the exit code. */
static int run_lex(const char *environment, const char *arguments)
{
    char command[2 * PATH_MAX], program[PATH_MAX];
    const char *const bin = getenv("L0_BIN");
    cr_assert_not_null(realpath(bin ? bin : "bin", program));
    snprintf(command, sizeof command, "cd '%s' && %s '%s/l0-lex' %s 2>&1", scratch.dir, environment,
             program, arguments);
    FILE *const pipe = popen(command, "re");
    cr_assert_not_null(pipe);
    output[fread(output, 1, sizeof output - 1, pipe)] = 0;
    const int status = pclose(pipe);
    cr_assert(WIFEXITED(status), "%s: ended by a signal", command);
    return WEXITSTATUS(status);
}

static void put(const char *name, const char *text)
{
    scratch_write(&scratch, name, text, strlen(text));
}

static void expect_said(const char *part)
{
    cr_expect_not_null(strstr(output, part), "\"%s\" is not in: %s", part, output);
}

Test(lex_cli, tokens)
{
    put("a.tex", "a~\\b@\\% \\\xC3\xA9{\n\n\\ \xF0\x9D\x92\x9C}");
    cr_expect_eq(run_lex("", "--static --tokens a.tex"), 0);
    cr_expect_str_eq(output, "11\tU+0061\t1\n13\tU+007E\t1\ncs\tb\t1\n12\tU+0040\t1\ncs\t%25\t1\n"
                             "10\tU+0020\t1\ncs\t\xC3\xA9\t1\n1\tU+007B\t1\n10\tU+0020\t1\n"
                             "cs\tpar\t2\ncs\t%20\t3\n11\tU+1D49C\t3\n2\tU+007D\t3\n"
                             "10\tU+0020\t3\n");
    put("b.tex", "\\\xE9\\^^7f%");
    cr_expect_eq(run_lex("", "--tokens --regime pdflatex b.tex"), 0);
    cr_expect_str_eq(output, "cs\t\xE9\t1\ncs\t%7F\t1\n");
}

Test(lex_cli, spans_and_counts)
{
    put("a.tex", "ab ^^41\n");
    cr_expect_eq(run_lex("", "--spans a.tex"), 0);
    cr_expect_str_eq(output, "0\t2\tletters\n2\t3\tspace\n3\t7\tletters+caret\n7\t8\teol-space\n");
    cr_expect_eq(run_lex("", "--count - a.tex <a.tex"), 0);
    cr_expect_str_eq(output,
                     "tokens=5 spans=4 lines=1 bytes=8 issues=0 errors=0 warnings=0 <stdin>\n"
                     "tokens=5 spans=4 lines=1 bytes=8 issues=0 errors=0 warnings=0 a.tex\n");
}

Test(lex_cli, diagnostics)
{
    put("a.tex", "\xC3\xA9 }\n\\begin{a}\\end{b}\n");
    cr_expect_eq(run_lex("", "a.tex"), 1);
    expect_said("a.tex:1:3: error: ");
    expect_said("[unopened-brace]\n");
    expect_said("a.tex:2:10: error: ");
    expect_said("a.tex:2:1: note: ");
    expect_said("a.tex: 13 tokens, 13 spans, 2 lines, 22 bytes: 2 errors, 0 warnings, 0 remarks\n");
    cr_expect_null(strchr(output, '\033'), "colours although this is no terminal");
    put("b.tex", "fine\n");
    cr_expect_eq(run_lex("", "b.tex"), 0);
    cr_expect_str_eq(output, "b.tex: 5 tokens, 2 spans, 1 lines, 5 bytes: nothing to report\n");
}

Test(lex_cli, json)
{
    put("a.tex", "{");
    cr_expect_eq(run_lex("", "--json a.tex"), 1);
    json_t *const object = json_loads(output, 0, NULL);
    json_int_t tokens = 0, line = 0;
    const char *id = NULL, *file = NULL;
    cr_assert_not_null(object, "%s", output);
    cr_assert_eq(json_unpack(object, "{s:s, s:I, s:[{s:s, s:{s:I}}]}", "file", &file, "tokens",
                             &tokens, "issues", "id", &id, "at", "line", &line),
                 0);
    cr_expect_str_eq(file, "a.tex");
    cr_expect_str_eq(id, "unclosed-brace");
    cr_expect_eq(tokens, 2);
    cr_expect_eq(line, 1);
    json_decref(object);
}

Test(lex_cli, what_cannot_be_read)
{
    put("a.tex", "}");
    cr_expect_eq(run_lex("", "missing.tex a.tex"), 2);
    expect_said("l0-lex: missing.tex: No such file");
    expect_said("a.tex:1:1: error:");
    cr_expect_eq(run_lex("", "/dev/null/x"), 2);
}

Test(lex_cli, check_shows_the_line)
{
    put("a.tex", "\xC3\xA9 \t}\n$x\xE2\x80\xAE\n\n");
    cr_expect_eq(run_lex("", "--check a.tex"), 1);
    cr_expect_str_eq(
        output,
        "a.tex:1:4: error: this } closes nothing: remove it, or add the missing { "
        "[unopened-brace]\n     1 | \xC3\xA9  }\n       |    ^\n"
        "a.tex:2:3: warning: a bidirectional control, with which text can look other than it "
        "reads: remove it, or write it as ^^^^ [bidi-control]\n     2 | $x<U+202E>\n"
        "       |   ^~~~~~~~\n"
        "a.tex:3:1: error: the formula is not closed before the paragraph ends: add $ "
        "[unclosed-math]\n     3 | \n       | ^\n"
        "a.tex:2:1: note: the formula begins here\n     2 | $x<U+202E>\n       | ^\n");
    put("b.tex", "fine\n");
    cr_expect_eq(run_lex("", "--check b.tex"), 0);
    cr_expect_str_eq(output, "");
}

Test(lex_cli, lines_and_stats)
{
    put("a.tex", "ab c\n\n\\x");
    cr_expect_eq(run_lex("", "--lines a.tex"), 0);
    cr_expect_str_eq(output, "1\t0\t5\t4\n2\t5\t6\t1\n3\t6\t8\t1\n");
    cr_expect_eq(run_lex("", "--stats a.tex"), 0);
    expect_said("a.tex: 7 tokens, 3 lines\n");
    expect_said("\nletters                   2          3  37.50%\n");
    expect_said("\ncontrol-word              1          2  25.00%\n");
    expect_said("\nall                       6          8 100.00%\n");
    put("empty.tex", "");
    cr_expect_eq(run_lex("", "--stats empty.tex"), 0);
}

Test(lex_cli, layer_and_file_types)
{
    put("a.tex", "\\a@b\\verb|%|");
    put("a.sty", "\\a@b");
    cr_expect_eq(run_lex("", "--count a.tex"), 0);
    expect_said("tokens=8 ");
    cr_expect_eq(run_lex("", "--static --count a.tex"), 0);
    expect_said("tokens=5 ");
    cr_expect_eq(run_lex("", "--count a.sty"), 0);
    expect_said("tokens=1 ");
    cr_expect_eq(run_lex("", "--static --count a.sty"), 0);
    expect_said("tokens=4 ");
    put("v.tex", "\\begin{mine}%\n\\end{mine}\n");
    cr_expect_eq(run_lex("", "--spans --verbatim other --verbatim mine v.tex"), 0);
    expect_said("12\t14\tverbatim\n");
    cr_expect_eq(run_lex("", "--verbatim '' v.tex"), 64);
    cr_expect_eq(run_lex("", "--verbatim 'a}' v.tex"), 64);
    cr_expect_eq(run_lex("", "$(for i in $(seq 64); do echo --verbatim v$i; done) v.tex"), 0);
    cr_expect_eq(run_lex("", "$(for i in $(seq 65); do echo --verbatim v$i; done) v.tex"), 64);
    expect_said("at most 64 names");
}

/* In the order of the names, however many threads there are. */
Test(lex_cli, many_files)
{
    cr_expect_eq(run_lex("for i in $(seq 100 299); do yes '\\x' | head -n $i >f$i.tex; done;",
                         "--jobs 7 --count . >all"),
                 0);
    cr_expect_eq(run_lex("awk '{ split($1, t, \"=\"); if (t[2] != NR + 99) exit 1 }' all &&",
                         "--count f100.tex"),
                 0);
    cr_expect_eq(run_lex("rm -f f*.tex all; mkdir d;", "d"), 2);
    expect_said("no LaTeX source");
    cr_expect_eq(run_lex("echo '}' >d/x.tex; echo a >d/y.txt; ln -s x.tex d/z.tex;", "d"), 1);
    expect_said("d/x.tex:1:1: error");
    cr_expect_null(strstr(output, "y.txt"));
    cr_expect_null(strstr(output, "z.tex"));
    cr_expect_eq(run_lex("rm -r d;", "--jobs 0 x"), 64);
    cr_expect_eq(run_lex("", "--jobs 257 x"), 64);
    cr_expect_eq(run_lex("", "--jobs -1 x"), 64);
}

/* The structure that SARIF 2.1.0 demands of a log, as far as it concerns one like ours. */
static void check_result(json_t *run, json_t *result)
{
    const char *rule = NULL, *level = NULL, *text = NULL, *uri = NULL, *rule_id = NULL;
    json_int_t index = -1, line = 0, column = 0, end_line = 0, end_column = 0;
    json_t *rules = NULL;
    cr_assert_eq(json_unpack(result,
                             "{s:s, s:I, s:s, s:{s:s}, s:[{s:{s:{s:s}, s:{s:I, s:I, s:I, s:I}}}]}",
                             "ruleId", &rule, "ruleIndex", &index, "level", &level, "message",
                             "text", &text, "locations", "physicalLocation", "artifactLocation",
                             "uri", &uri, "region", "startLine", &line, "startColumn", &column,
                             "endLine", &end_line, "endColumn", &end_column),
                 0);
    cr_assert_eq(json_unpack(run, "{s:{s:{s:o}}}", "tool", "driver", "rules", &rules), 0);
    cr_assert_eq(json_unpack(json_array_get(rules, (size_t)index), "{s:s}", "id", &rule_id), 0);
    cr_expect_str_eq(rule, rule_id);
    cr_expect(strcmp(level, "error") == 0 || strcmp(level, "warning") == 0 ||
              strcmp(level, "note") == 0);
    cr_expect(line >= 1 && column >= 1 && end_line >= line &&
              (end_line > line || end_column >= column));
    cr_expect(strlen(text) > 0 && strpbrk(uri, " %") == strchr(uri, '%'));
}

Test(lex_cli, sarif)
{
    put("a b.tex", "}\n$x\n\n\xC2\xA0\\scantokens x");
    put("c.tex", "fine");
    put("d.tex", "{");
    cr_expect_eq(run_lex("", "--sarif 'a b.tex' c.tex d.tex"), 1);
    json_t *const log = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
    const char *version = NULL, *name = NULL;
    json_t *run = NULL, *results = NULL;
    cr_assert_not_null(log, "%s", output);
    cr_assert_eq(json_unpack(log, "{s:s, s:[o!]}", "version", &version, "runs", &run), 0);
    cr_expect_str_eq(version, "2.1.0");
    cr_assert_eq(json_unpack(run, "{s:{s:{s:s}}, s:o}", "tool", "driver", "name", &name, "results",
                             &results),
                 0);
    cr_expect_str_eq(name, "l0-lex");
    cr_assert_eq(json_array_size(results), 5u);
    for (size_t i = 0; i < json_array_size(results); i++)
        check_result(run, json_array_get(results, i));
    cr_expect_not_null(json_object_get(json_array_get(results, 1), "relatedLocations"));
    expect_said("a%20b.tex");
    json_decref(log);
    cr_expect_eq(run_lex("", "--sarif missing.tex"), 2);
    expect_said("missing.tex: No such file");
    cr_expect_eq(run_lex("", "--sarif missing.tex 2>/dev/null #"), 2);
    json_t *const empty = json_loads(output, 0, NULL);
    cr_expect_not_null(empty, "%s", output);
    json_decref(empty);
}

Test(lex_cli, usage)
{
    cr_expect_eq(run_lex("", ""), 64);
    cr_expect_eq(run_lex("", "--no-such-option x"), 64);
    cr_expect_eq(run_lex("", "--regime xetex x"), 64);
    expect_said("lualatex or pdflatex");
    cr_expect_eq(run_lex("", "--tokens --spans x"), 64);
    cr_expect_eq(run_lex("", "--help"), 0);
    expect_said("Exit status");
    cr_expect_eq(run_lex("", "--version"), 0);
}

Test(lex_cli, kernel_by_environment)
{
    put("a.tex", "a");
    cr_expect_eq(run_lex("L0_KERNEL=portable", "--count a.tex"), 0);
    cr_expect_eq(run_lex("L0_KERNEL=auto", "--count a.tex"), 0);
    cr_expect_eq(run_lex("L0_KERNEL=fast", "--count a.tex"), 78);
    expect_said("L0_KERNEL=fast");
    expect_said("auto, ");
    expect_said("portable");
}

Test(lex_cli, kernels)
{
    cr_expect_eq(run_lex("L0_KERNEL=portable", "--kernels"), 0);
    expect_said("portable\tsupported\tchosen\n");
}

Test(lex_cli, output_that_cannot_be_written)
{
    put("a.tex", "a");
    cr_expect_eq(run_lex("{", "--tokens a.tex >/dev/full; }"), 74);
    expect_said("could not be written");
    /* A reader that has gone, and more output than a pipe holds. */
    cr_expect_eq(run_lex("exec 3>&1; yes a | head -n 99999 >b.tex; {",
                         "--tokens b.tex 2>&3; echo code=$? >&3; } | :"),
                 0);
    expect_said("code=74");
}
