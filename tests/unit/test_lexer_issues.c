/* Issues: what is reported and where, and what is near to it and not reported. */
#include "tests/unit/test_lexer_support.h"

#include <criterion/criterion.h>

/* The issues as "name start-end[<rel_start-rel_end]", blanks between. Nothing lies behind the
 * input, so that sanitizers see who reads there. */
static void expect_issues_in(enum lexer_regime regime, const char *input, const char *expected)
{
    const uint32_t n = (uint32_t)strlen(input);
    uint8_t *const bytes = lexed_alloc(n, 1);
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)input[i];
    struct lexed lexed = lexed_whole(regime, bytes, n);
    const char *const broken = lexed_broken(&lexed, bytes, n);
    char text[512] = "";
    size_t length = 0;
    for (uint32_t i = 0; i < lexed.counts.n_issues; i++) {
        const struct lexer_issue *issue = &lexed.issues[i];
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s %u-%u", i ? " " : "",
                                   lexer_issue_name(issue->id), issue->start, issue->end);
        if (issue->rel_end)
            length += (size_t)snprintf(text + length, sizeof text - length, "<%u-%u",
                                       issue->rel_start, issue->rel_end);
    }
    cr_expect_str_eq(text, expected, "%s: %s", input, text);
    cr_expect_null(broken, "%s: %s", input, broken);
    lexed_free(&lexed);
    free(bytes);
}

static void expect_issues(const char *input, const char *expected)
{
    expect_issues_in(LEXER_LUALATEX, input, expected);
}

static void expect_none(const char *input)
{
    expect_issues(input, "");
}

Test(lexer_issues, characters)
{
    expect_issues("a\xFF b", "invalid-utf8 1-2");
    expect_issues("\xE2\x80z\xC3", "invalid-utf8 0-2 invalid-utf8 3-4");
    expect_issues("\\\xFF", "invalid-utf8 1-2");
    expect_issues("a\x01\x7F", "invalid-character 1-2 invalid-character 2-3");
    expect_issues("^^00", "invalid-character 0-4");
    expect_none("\\\x01 %\x01\xFF\n");
    expect_none("\xEF\xBF\xBD");
    expect_issues_in(LEXER_PDFLATEX, "\xFF\x01\f", "control-character 1-2");
    expect_issues_in(LEXER_PDFLATEX, "\x7F", "invalid-character 0-1");
}

Test(lexer_issues, carets)
{
    expect_issues("^^^^zz", "malformed-caret 0-4");
    expect_issues("ab^^^^^^1234", "malformed-caret 2-8");
    expect_issues("^^^^^^110000", "malformed-caret 0-6");
    expect_issues("\\a^^^^1", "malformed-caret 2-6");
    expect_issues("^^^^12", "malformed-caret 0-4");
    expect_issues("^^^^zz ^^^^zz", "malformed-caret 0-4 malformed-caret 7-11");
    expect_none("^^^^0041 ^^4 ^^41 a^b x^");
    expect_issues_in(LEXER_PDFLATEX, "^^^^zz", "");
}

Test(lexer_issues, braces)
{
    expect_issues("a}", "unopened-brace 1-2");
    expect_issues("{}}{}", "unopened-brace 2-3");
    expect_issues("{a{b}", "unclosed-brace 0-1");
    expect_issues("{{}{", "unclosed-brace 3-4 unclosed-brace 0-1");
    expect_issues("}{", "unopened-brace 0-1 unclosed-brace 1-2");
    expect_issues("^^7b", "unclosed-brace 0-4");
    expect_none("{\\}}\\{%}\n{}");
}

Test(lexer_issues, math)
{
    expect_issues("a $x\n\nb", "unclosed-math 5-6<2-3");
    expect_issues("a $x", "unclosed-math 2-3");
    expect_issues("$$x$\n\n", "");
    expect_issues("$$x\n\n$y$", "unclosed-math 4-5<0-1");
    expect_issues("$a$ $", "unclosed-math 4-5");
    expect_issues("$a\n \t\n", "unclosed-math 5-6<0-1");
    expect_none("$a$ $$b$$ $$$$ $a\nb$\n\n\\$");
    expect_none("$ \\hbox{ $x$\n\n } $");
    expect_none("$ \\hbox{ if $x$ } y$");
    expect_none("\\begin{tabular}{>{$}c<{$}}\\end{tabular}\n\n");
    expect_none("\\def\\m{$}\n\nx");
    /* Delimiters of parameters, and mentions */
    expect_none("\\def\\x#1$#2\\y{#1}\n\n");
    expect_none("\\long\\gdef\\x#1$\n");
    expect_none("\\let\\x=$\n\n\\let\\x$");
    expect_none("\\string$\n\n");
    expect_issues("\\def\\x#1{} $\n\n", "unclosed-math 13-14<11-12");
    expect_issues("\\def\\x#1\n$\n\n", "unclosed-math 11-12<9-10");
    expect_issues("a=$x\n\n", "unclosed-math 5-6<2-3");
    expect_issues("\\defs\\x$x\n\n", "unclosed-math 10-11<7-8");
}

Test(lexer_issues, environments)
{
    expect_issues("\\begin{a}x\\end{b}", "environment-mismatch 10-17<0-9");
    expect_issues("\\begin{a}", "unclosed-environment 0-9");
    expect_issues("x\\end{a}", "unopened-environment 1-8");
    expect_issues("\\begin{a}\\begin{b}\\end{a}", "environment-mismatch 18-25<9-18");
    expect_issues("\\begin{ab}\\end{a}", "environment-mismatch 10-17<0-10");
    expect_issues("\\begin{a}\\end{ab}", "environment-mismatch 9-17<0-9");
    expect_issues("\\begin {a}", "unclosed-environment 0-10");
    expect_issues("\\begin%\n{a}", "unclosed-environment 0-11");
    expect_none("\\begin{a*}\\begin{b}\\end {b}\\end%\n  {a*}");
    expect_none("\\newenvironment{x}{\\begin{y}}{\\end{y}}");
    expect_none("\\begin{a}\\newenvironment{x}{\\begin{y}}{\\end{y}}\\end{a}");
    expect_none("\\begin{\\x}\\end{#1}\\begin x\\end\n\n{a}\\begina{x}\\bye");
    expect_none("%\\begin{a}\n\\\\begin{a}");
}

Test(lexer_issues, verbatim_text)
{
    expect_issues("a\\verb|x\n", "verb-broken 1-8");
    expect_issues("\\verb*|x", "verb-broken 0-8");
    expect_issues("\\lstinline{{}\n", "verb-broken 0-13");
    expect_issues("x\\begin{verbatim}\n}", "unclosed-verbatim 1-17");
    expect_issues("\\begin{a}\\begin{minted}\n}",
                  "unclosed-verbatim 9-23 unclosed-environment 0-9");
    expect_none("\\verb|}$|\\verb*|{|\\begin{verbatim}}$\n\\end{verbatim}");
    expect_issues("\\begin{verbatim}\xFF\x7F\\end{verbatim}",
                  "invalid-utf8 16-17 invalid-character 17-18");
}

Test(lexer_issues, control_characters)
{
    expect_issues_in(LEXER_PDFLATEX, "a\x1B[\v", "control-character 1-2 control-character 3-4");
    expect_issues("a\xC2\x85", "control-character 1-3");
    expect_none("a\tb\f\n");
    expect_issues_in(LEXER_PDFLATEX, "\tb\f%\x1B", "");
    expect_none("^^^^0085");
}

Test(lexer_issues, line_ends)
{
    expect_issues("a\rb\r", "lone-cr 1-2");
    expect_issues("a\nb\rc\n", "lone-cr 3-4");
    expect_issues("a\r", "lone-cr 1-2");
    expect_issues("a\nb\r\nc\nd\r\n", "mixed-line-ends 3-5");
    expect_issues("a\r\n%b\nc\n", "mixed-line-ends 5-6");
    expect_issues("\\begin{verbatim}\n\r\n\\end{verbatim}\n", "mixed-line-ends 17-19");
    expect_none("a\r\nb\r\n");
    expect_none("a\nb");
}

Test(lexer_issues, characters_that_deceive)
{
    expect_issues("a\xE2\x80\xAE\n", "bidi-control 1-4");
    expect_issues("% \xE2\x80\xAA\n\\verb|\xE2\x81\xA6|\n", "bidi-control 2-5 bidi-control 12-15");
    expect_issues("\xE2\x81\xA9\\\xE2\x80\xAC", "bidi-control 0-3 bidi-control 4-7");
    expect_issues("\\end{document}\xE2\x80\xAD\n",
                  "unopened-environment 0-14 bidi-control 14-17 text-after-end 14-17");
    expect_issues("a\xE2\x80\x8B\xE2\x81\xA0", "zero-width 1-4 zero-width 4-7");
    expect_issues("\xC2\xA0\xE2\x80\xAF\xE2\x80\x87",
                  "no-break-space 0-2 no-break-space 2-5 no-break-space 5-8");
    expect_issues("a\xEF\xBB\xBF", "misplaced-bom 1-4");
    expect_issues_in(LEXER_PDFLATEX, "a\xE2\x80\xAE\xC2\xA0\n",
                     "bidi-control 1-4 no-break-space 4-6");
    /* Neighbours of those above, comments, and what ^^ notation makes */
    expect_none("\xE2\x80\xA9\xE2\x80\xB0\xE2\x81\xA5\xE2\x81\xAA\xE2\x80\x8E\xE2\x80\x8A\xC2\xA1");
    expect_none("\xEF\xBB\xBF%\xE2\x80\x8B\xC2\xA0\n");
    expect_none("^^^^202e\xE2\x80\x94");
    expect_none("% \xE2\x80l \xE2\x80\xEE\n");
}

Test(lexer_issues, text_after_the_end)
{
    expect_issues("\\begin{document}\\end{document} x \n\ny", "text-after-end 31-33");
    expect_issues("\\begin{document}\\end{document}\n% c\n  y", "text-after-end 37-38");
    expect_none("\\begin{document}\\end{document}\n% x\n \t\n");
    expect_none("\\begin{documents}\\end{documents} x");
}

Test(lexer_issues, comments_that_hide)
{
    expect_issues("{a % }\n", "unclosed-brace 0-1 comment-hides 5-6<0-1");
    expect_issues("% \\x{\n}", "unopened-brace 6-7 comment-hides 4-5<6-7");
    expect_issues("$x % $\n\ny", "unclosed-math 7-8<0-1 comment-hides 5-6<0-1");
    expect_issues("$x % $", "unclosed-math 0-1 comment-hides 5-6<0-1");
    expect_issues("{\\\\% }%}\n", "unclosed-brace 0-1 comment-hides 5-6<0-1");
    expect_issues("}\\\\\\%%{\n}", "unopened-brace 0-1 unopened-brace 8-9 comment-hides 6-7<8-9");
    /* Formulas in others: what hides stands before, behind or in the inner one. */
    expect_issues("$ a %$\n {$ b %\n\n} c\n\n",
                  "unclosed-math 15-16<9-10 unclosed-math 20-21<0-1 comment-hides 5-6<0-1");
    expect_issues("$ a\n {$ b %\n\n} c %$\n\n",
                  "unclosed-math 12-13<6-7 unclosed-math 20-21<0-1 comment-hides 18-19<0-1");
    expect_issues("$ {$ %$\n\n} d\n\n",
                  "unclosed-math 8-9<3-4 comment-hides 6-7<3-4 unclosed-math 13-14<0-1 "
                  "comment-hides 6-7<0-1");
    /* It would not have balanced, or nothing is missing */
    expect_issues("{a\n% }\n", "unclosed-brace 0-1");
    expect_issues("{a % {} \\}\n", "unclosed-brace 0-1");
    expect_issues("% {}\n}", "unopened-brace 5-6");
    expect_issues("$x % $$\n\ny", "unclosed-math 8-9<0-1");
    expect_none("{a % }\n}");
    expect_none("% {\n$x$ % $\n");
}

Test(lexer_issues, escaped_blanks)
{
    expect_issues("a\\ \nb", "escaped-blank 2-3");
    expect_issues("a\\  \r\n", "escaped-blank 2-4");
    expect_issues("a\\\t\nb", "escaped-blank 2-3");
    expect_issues("a\\ \t \n", "escaped-blank 2-5");
    expect_issues("a\\\t", "escaped-blank 2-3");
    expect_none("a\\\nb\\ c\\\td \\ %\n\\a \n");
}

Test(lexer_issues, limits_of_nesting)
{
    cr_expect_eq(LEXER_ISSUE_ENVIRONMENT_TOO_DEEP, 10, "ids are stable");
    cr_expect_eq(LEXER_ISSUE_NOT_FOLLOWED, 23, "ids are stable");
    cr_expect_eq(LEXER_ISSUE_NAME_TOO_LONG, 25, "ids are stable");
    expect_issues("\\scantokens x", "not-followed 0-11");
    expect_issues("a\\catcode`\\@=\\x y", "not-followed 1-15");
    expect_issues("x\\let\\begin\\y", "not-followed 5-11");
    expect_issues("a\\x{\\makeatletter}", "not-followed 4-17");
}

/* Where the first such issue is: offset and length. */
static void expect_at(const char *input, unsigned id, uint32_t start, uint32_t n_bytes)
{
    const uint32_t n = (uint32_t)strlen(input);
    struct lexed lexed = lexed_whole(LEXER_LUALATEX, (const uint8_t *)input, n);
    uint32_t i = 0;
    while (i < lexed.counts.n_issues && lexed.issues[i].id != id)
        i++;
    cr_assert_lt(i, lexed.counts.n_issues, "no %s", lexer_issue_name(id));
    cr_expect_eq(lexed.issues[i].start, start);
    cr_expect_eq(lexed.issues[i].end, start + n_bytes);
    lexed_free(&lexed);
}

static uint32_t count_of(const char *input, unsigned id)
{
    const uint32_t n = (uint32_t)strlen(input);
    struct lexed lexed = lexed_whole(LEXER_LUALATEX, (const uint8_t *)input, n);
    uint32_t n_found = 0;
    for (uint32_t i = 0; i < lexed.counts.n_issues; i++)
        n_found += lexed.issues[i].id == id;
    lexed_free(&lexed);
    return n_found;
}

Test(lexer_issues, formulas_at_the_limit)
{
    for (uint32_t more = 0; more < 3; more++) {
        char input[LEXER_MATH_DEPTH_MAX * 2 + 8] = "";
        for (uint32_t i = 0; i < LEXER_MATH_DEPTH_MAX + more; i++)
            strcat(input, "${");
        cr_expect_eq(count_of(input, LEXER_ISSUE_UNCLOSED_MATH), LEXER_MATH_DEPTH_MAX);
        cr_expect_eq(count_of(input, LEXER_ISSUE_MATH_TOO_DEEP), more > 0, "once");
        if (more > 0)
            expect_at(input, LEXER_ISSUE_MATH_TOO_DEEP, LEXER_MATH_DEPTH_MAX * 2, 1);
    }
}

Test(lexer_issues, environments_at_the_limit)
{
    for (uint32_t more = 0; more < 3; more++) {
        char input[(LEXER_ENV_DEPTH_MAX + 2) * 10 + 1] = "";
        char *to = input;
        for (uint32_t i = 0; i < LEXER_ENV_DEPTH_MAX + more; i++)
            to = stpcpy(to, "\\begin{a}");
        cr_expect_eq(count_of(input, LEXER_ISSUE_UNCLOSED_ENVIRONMENT), LEXER_ENV_DEPTH_MAX);
        cr_expect_eq(count_of(input, LEXER_ISSUE_ENVIRONMENT_TOO_DEEP), more > 0, "once");
        if (more > 0)
            expect_at(input, LEXER_ISSUE_ENVIRONMENT_TOO_DEEP, LEXER_ENV_DEPTH_MAX * 9, 9);
    }
}

/* What ends a group may be another character: names do not go on to the next }. */
Test(lexer_issues, names_end_with_another_brace)
{
    expect_issues("\\catcode93=2 \\begin{a]", "unclosed-environment 13-22");
    expect_issues("\\catcode93=2 \\begin{a]\\end{a}", "");
    expect_issues("\\catcode93=2 \\begin{a]\\end{b]", "environment-mismatch 22-29<13-22");
    expect_issues("\\catcode93=2 \\begin{verbatim]\n}\\end{verbatim}", "");
}

Test(lexer_issues, names_at_the_limit)
{
    for (uint32_t more = 0; more < 2; more++) {
        const int n = LEXER_ENV_NAME_BYTES_MAX + (int)more;
        char input[1024];
        snprintf(input, sizeof input, "\\begin{%0*d}\\end{%0*d}\\begin{%0*d}", n, 1, n, 1, n, 2);
        cr_expect_eq(count_of(input, LEXER_ISSUE_UNCLOSED_ENVIRONMENT), 1 - more);
        cr_expect_eq(count_of(input, LEXER_ISSUE_NAME_TOO_LONG), 3 * more);
        if (more > 0)
            expect_at(input, LEXER_ISSUE_NAME_TOO_LONG, 0, (uint32_t)n + 8);
    }
}

/* Names and texts are there for every id, and names differ. */
Test(lexer_issues, catalogue)
{
    for (unsigned id = 1; id < LEXER_ISSUE_ID_END; id++) {
        cr_expect(strlen(lexer_issue_name(id)) > 0 && strlen(lexer_issue_text(id)) > 0);
        cr_expect_not_null(lexer_severity_name(lexer_issue_severity(id)));
        for (unsigned other = 1; other < id; other++)
            cr_expect_str_neq(lexer_issue_name(id), lexer_issue_name(other));
    }
}

/* Beyond the capacity only the count goes on. */
Test(lexer_issues, capacity)
{
    struct lexer_issue issues[3];
    uint8_t kinds[8];
    uint32_t starts[9];
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    const struct lexer_out out = {
        .kinds = kinds, .starts = starts, .span_cap = 8, .issues = issues, .issue_cap = 2};
    struct lexer_counts counts;
    memset(issues, 0xEE, sizeof issues);
    cr_assert_eq(lexer_run(&options, (const uint8_t *)"}}}}{{{{", 8, &out, &counts), 0);
    cr_expect_eq(counts.n_issues, 8u);
    cr_expect_eq(issues[1].start, 1u);
    cr_expect_eq(issues[2].id, 0xEEEE);
}
