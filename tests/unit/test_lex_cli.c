/* bin/l0-lex as its users meet it. */
#include "tests/unit/lex_run.h"

#include <jansson.h>

TestSuite(lex_cli, .init = lex_open_scratch, .fini = lex_close_scratch);

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

/* What a terminal would obey is not written as it stands, and a name fits its line. */
Test(lex_cli, names_that_deceive)
{
    cr_expect_eq(
        run_lex("printf '}' >$(printf 'a\\033[31m\\nb\\t\\342\\200\\256.tex');", "--check a*"), 1);
    expect_said("a<U+001B>[31m<U+000A>b<U+0009><U+202E>.tex:1:1: error: ");
    cr_expect_eq(run_lex("", "--count a*"), 1);
    expect_said(" a<U+001B>[31m<U+000A>b<U+0009><U+202E>.tex\n");
    cr_expect_eq(run_lex("", "\"$(printf 'no\\033c.tex')\""), 2);
    expect_said("l0-lex: no<U+001B>c.tex: No such file");
    cr_expect_eq(run_lex("printf '}' >$(printf 'b\\377\\200.tex');", "b*"), 1);
    expect_said("b<FF><80>.tex:1:1: error: ");
}

/* Time is linear: nothing is looked for back to the beginning of a line for each of its errors. */
Test(lex_cli, many_errors_on_a_line, .timeout = 60)
{
    cr_expect_eq(run_lex("head -c 100000 /dev/zero | tr '\\0' '\\200' >a.tex;",
                         "--check a.tex | tail -n 1 >b; wc -c <b; #"),
                 0);
    cr_expect_lt(strtoul(output, NULL, 10), 1000u);
    cr_expect_gt(strtoul(output, NULL, 10), 10u);
    /* Characters without width take no columns, and are not without end all the same. */
    cr_expect_eq(
        run_lex(
            "{ printf '}'; yes \"$(printf '\\314\\201')\" | head -n 9999 | tr -d '\\n'; } >c.tex;",
            "--check c.tex | wc -c #"),
        0);
    cr_expect_lt(strtoul(output, NULL, 10), 2000u);
}

Test(lex_cli, more_diagnostics_than_are_kept)
{
    cr_expect_eq(run_lex("head -c 1000000 /dev/zero | tr '\\0' '}' >a.tex;", "a.tex 2>&1 >all #"),
                 1);
    cr_expect_str_eq(output, "");
    cr_expect_eq(run_lex("printf '}' >>a.tex;", "a.tex 2>&1 >more #"), 1);
    cr_expect_str_eq(output,
                     "l0-lex: a.tex: only the first 1000000 of 1000001 diagnostics are shown\n");
    cr_expect_eq(run_lex("wc -l <all; wc -l <more;", "--count a.tex"), 1);
    expect_said("1000001\n1000001\n");
    expect_said(" issues=1000001 ");
    cr_expect_null(strstr(output, "only"));
}

/* Standard streams that are closed, and a file that comes byte by byte. */
Test(lex_cli, streams)
{
    put("a.tex", "}\n");
    cr_expect_eq(run_lex("{", "--count a.tex >&-; }"), 74);
    cr_expect_eq(run_lex("", "--count - <&-"), 2);
    cr_expect_eq(
        run_lex("{ printf a; sleep .1; printf '}'; sleep .1; printf '\\n'; } |", "--count -"), 1);
    expect_said("tokens=3 spans=3 lines=1 bytes=3 issues=1 ");
    cr_expect_eq(run_lex("mkfifo f; printf '}' >f &", "--count f"), 1);
    expect_said(" bytes=1 ");
    cr_expect_eq(
        run_lex(
            "mkdir d; ln -s . d/loop; ln -s /nowhere d/b.tex; mkfifo d/f.tex; printf '}' >d/a.tex;",
            "--count d; rm -r d #"),
        0);
    expect_said(" d/a.tex\n");
    cr_expect_null(strstr(output, "loop"));
    cr_expect_null(strstr(output, "f.tex"));
}

/* Diagnostics go by TeX's lines and by columns without the byte-order mark. */
Test(lex_cli, positions)
{
    put("a.tex", "\xEF\xBB\xBF}\r}\r\n\xF0\x9D\x92\x9C"
                 "e\xCC\x81}");
    cr_expect_eq(run_lex("", "a.tex"), 1);
    expect_said("a.tex:1:1: error: ");
    expect_said("a.tex:2:1: error: ");
    expect_said("a.tex:3:4: error: ");
}
