/* The latex context layer: what is followed, how far, and what is not. */
#include "tests/unit/test_lexer_support.h"

#include <criterion/criterion.h>

#include "lexer/context.h"

/* The caller frees. What holds for every input is expected here. */
static struct lexed lex(const char *input)
{
    const uint32_t n = (uint32_t)strlen(input);
    const struct lexed lexed = lexed_whole(LEXER_LUALATEX, (const uint8_t *)input, n);
    const char *const broken = lexed_broken(&lexed, (const uint8_t *)input, n);
    cr_expect_null(broken, "%s: %s", input, broken);
    return lexed;
}

static void expect_tokens(const char *input, const char *expected)
{
    struct lexed lexed = lex(input);
    char text[1024];
    lexed_show(&lexed, (const uint8_t *)input, text, sizeof text);
    cr_expect_str_eq(text, expected, "%s: %s", input, text);
    lexed_free(&lexed);
}

/* Only the commands' names, each with a blank behind it. */
static void expect_commands(const char *input, const char *expected)
{
    struct lexed lexed = lex(input);
    struct token_cursor cursor = lexed_tokens(&lexed, (const uint8_t *)input);
    struct token token;
    char text[1024] = "";
    size_t length = 0;
    while (token_next(&cursor, &token)) {
        struct token_name name;
        uint32_t code;
        if (token.type != TOKEN_CONTROL)
            continue;
        token_name_begin(&name, &cursor, &token);
        while (token_name_next(&name, &code))
            text[length++] = (char)code;
        text[length++] = ' ';
    }
    text[length] = 0;
    cr_expect_str_eq(text, expected, "%s: %s", input, text);
    lexed_free(&lexed);
}

static uint32_t count_issues(const char *input, unsigned id)
{
    struct lexed lexed = lex(input);
    uint32_t n_found = 0;
    for (uint32_t i = 0; i < lexed.counts.n_issues && i < LEXED_ISSUE_CAP; i++)
        n_found += lexed.issues[i].id == id;
    lexed_free(&lexed);
    return n_found;
}

#define NOT_FOLLOWED(input) count_issues(input, LEXER_ISSUE_NOT_FOLLOWED)

Test(lexer_context, at_letter_until_the_group_ends)
{
    expect_commands("\\a@b\\makeatletter\\a@b\\makeatother\\a@b",
                    "a makeatletter a@b makeatother a ");
    expect_commands("{\\makeatletter\\a@b}\\a@b", "makeatletter a@b a ");
    expect_commands("{\\makeatletter{\\a@b}\\a@b x{\\makeatother\\a@b}\\a@b}\\a@b",
                    "makeatletter a@b a@b makeatother a a@b a ");
    expect_commands("\\begingroup\\makeatletter\\endgroup\\a@b",
                    "begingroup makeatletter endgroup a ");
    expect_commands("\\bgroup\\makeatletter\\a@b\\egroup\\a@b",
                    "bgroup makeatletter a@b egroup a ");
    expect_commands("\\begin{x}\\makeatletter\\a@b\\end{x}\\a@b", "begin makeatletter a@b end a ");
    expect_commands("$\\makeatletter\\a@b$\\a@b", "makeatletter a@b a ");
    expect_commands("\\makeatletter}\\a@b", "makeatletter a@b ");
    expect_commands("\\makeatletter\\def\\x{\\endgroup}\\a@b", "makeatletter def x endgroup a@b ");
    expect_commands("\\makeatletters\\a@b", "makeatletters a ");
    expect_commands("\\string\\makeatletter\\a@b", "string makeatletter a ");
}

Test(lexer_context, catcode_assignments)
{
    expect_commands("\\catcode`\\@=11\\relax\\a@b", "catcode @ relax a@b ");
    expect_commands("\\catcode`@=11 \\a@b", "catcode a@b ");
    expect_commands("\\catcode64=11 \\a@b", "catcode a@b ");
    expect_commands("\\catcode\"40 = '13 \\a@b", "catcode a@b ");
    expect_commands("\\catcode`\\@11\n\\a@b", "catcode @ a@b ");
    expect_commands("\\catcode `^^40=11 \\a@b", "catcode a@b ");
    /* TeX reads one token more to see the number's end, and reads that one as before. */
    expect_commands("\\catcode`\\@=11\\a@b\\a@b", "catcode @ a a@b ");
    expect_commands("{\\catcode`\\@=11}\\a@b", "catcode @ a ");
    expect_commands("{\\global\\catcode`\\@=11 }\\a@b", "global catcode @ a@b ");
    expect_commands("{\\catcode`\\@=11 {\\catcode`\\@=12 }\\a@b}\\a@b",
                    "catcode @ catcode @ a@b a ");
    expect_commands("\\catcode`\\|=0 |foo", "catcode | foo ");
    expect_commands("\\catcode`\\|=\\z@|foo", "catcode | z ");
}

Test(lexer_context, catcodes_of_all_kinds)
{
    expect_tokens("\\catcode`\\%=12 a%b", "\\catcode `\\% =12_a%b_");
    expect_tokens("{\\catcode`\\%12 %}%", "{\\catcode `\\% 12_%}");
    expect_tokens("\\catcode`\\^=12 ^^41", "\\catcode `\\^ =12_^^41_");
    expect_tokens("\\catcode`\\ =12 a  b  \n", "\\catcode `\\<20> =12_a<20><20>b_");
    expect_tokens("\\catcode`\\^^M=13 a\n\nb", "\\catcode `\\<0D> =13_a<0D>@2 <0D>@3 b<0D>");
    expect_tokens("\\catcode`\\<=1 \\catcode`\\>=2 <a>",
                  "\\catcode `\\< =1_\\catcode `\\> =2_<a>_");
    expect_tokens("\\obeylines a\nb\n", "\\obeylines a<0D>@2 b<0D>");
}

/* TeX takes U+0020 from before the line end; the same was asked of LuaTeX (oracle_codes.sh). */
Test(lexer_context, trimmed_blanks_are_no_tokens)
{
    expect_tokens("\\obeylines a  \nb c \n", "\\obeylines a<0D>@2 b_c<0D>");
    expect_tokens("\\obeylines a\t\n", "\\obeylines a_<0D>");
    expect_tokens("\\obeylines\\x \n\n", "\\obeylines \\x <0D>@2 <0D>");
    expect_tokens("\\catcode13=12 a \nb", "\\catcode 13=12_a<0D>@2 b<0D>");
    expect_tokens("\\catcode13=9 a \n b\n", "\\catcode 13=9_a@2 b");
    expect_tokens("\\catcode32=11\\relax\\a b  \nc", "\\catcode 32=11\\relax \\a<20>b @2 c_");
    /* And the line end that TeX adds is what others are. */
    expect_tokens("\\obeylines a", "\\obeylines a<0D>");
    expect_tokens("\\obeylines a\\x", "\\obeylines a\\x <0D>");
    expect_tokens("\\obeylines a%", "\\obeylines a");
    /* Another character with the code of line ends gives what these usually do. */
    expect_tokens("\\catcode`\\!=5 \\obeylines a!b\nc\n",
                  "\\catcode `\\! =5_\\obeylines a_@2 c<0D>");
}

Test(lexer_context, catcodes_that_are_not_followed)
{
    cr_expect_eq(NOT_FOLLOWED("\\catcode`\\@=\\x "), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\catcode\\x=11 "), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\catcode`\\\xC3\xA9=11 "), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\catcode`\\*=7 "), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\catcode`\\*=16 "), 1u);
    /* U+0020 that ends lines has become a character. */
    cr_expect_eq(NOT_FOLLOWED("\\ExplSyntaxOn\\catcode32=12~"), 0u);
    cr_expect_eq(NOT_FOLLOWED("\\ExplSyntaxOn\n\\obeyspaces%\n"), 0u);
    cr_expect_eq(NOT_FOLLOWED("\\ExplSyntaxOn\n\\catcode32=12~a\nb"), 2u);
    cr_expect_eq(NOT_FOLLOWED("\\ExplSyntaxOn\n\\ExplSyntaxOff\\obeyspaces\na"), 1u);
    cr_expect_eq(NOT_FOLLOWED("{\\ExplSyntaxOn\n}\\obeyspaces"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\ExplSyntaxOn\\catcode32=10~\\catcode`\\|=12~"), 0u);
    cr_expect_eq(NOT_FOLLOWED("\\scantokens{x}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\def\\begin#1{}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\renewcommand{\\begin}{}"), 1u);
    /* Reads, and mentions, change nothing. */
    cr_expect_eq(NOT_FOLLOWED("\\the\\catcode`\\@ \\ifnum\\catcode`\\@=11 \\fi \\x=\\catcode`\\@ "),
                 0u);
    cr_expect_eq(NOT_FOLLOWED("\\string\\scantokens \\let\\x\\scantokens "), 0u);
    expect_commands("\\ifnum\\catcode`\\@=11 \\a@b", "ifnum catcode @ a ");
    /* What is defined or passed as an argument is not executed there. */
    cr_expect_eq(NOT_FOLLOWED("\\def\\x#1{\\makeatletter}"), 1u);
    expect_commands("\\def\\x#1{\\makeatletter\\a@b}", "def x makeatletter a ");
    expect_commands("\\newcommand{\\x}[1][]{\\catcode`\\{=12 }\\a@b", "newcommand x catcode { a ");
    expect_commands("\\foo{\\makeatletter\\a@b}", "foo makeatletter a ");
    expect_commands("\\newcommand\\x{y}\n{\\makeatletter\\a@b}", "newcommand x makeatletter a@b ");
    expect_commands("% {\n{\\makeatletter\\a@b}\\a@b", "makeatletter a@b a ");
    expect_commands("\\hbox{\\makeatletter\\a@b}", "hbox makeatletter a@b ");
}

/* What escapes and opens groups is a matter of category codes, in definitions and mentions too. */
Test(lexer_context, other_escapes_and_braces)
{
    expect_commands("\\catcode`\\|=0 |def|x#1{|makeatletter}\\a@b",
                    "catcode | def x makeatletter a ");
    expect_commands("\\catcode`\\<=1 \\catcode`\\>=2 \\def\\x#1<\\makeatletter>\\a@b",
                    "catcode < catcode > def x makeatletter a ");
    expect_commands("\\catcode`\\<=1 \\catcode`\\>=2 <\\makeatletter\\a@b>\\a@b",
                    "catcode < catcode > makeatletter a@b a ");
    expect_commands("\\catcode`\\Q=1 \\catcode`\\W=2 \\def\\x\\yQ\\makeatletter W\\a@b",
                    "catcode Q catcode W def x y makeatletter a ");
    expect_commands("\\catcode`\\|=0 |string|makeatletter |a@b |let|x|makeatletter |a@b ",
                    "catcode | string makeatletter a let x makeatletter a ");
    expect_commands("\\catcode`\\|=0 {|global|catcode`|@=11 }|a@b",
                    "catcode | global catcode @ a@b ");
    expect_tokens("\\catcode`\\|=0 |let|x|verb|%", "\\catcode `\\| =0_\\let \\x \\verb \\% _");
}

Test(lexer_context, catcodes_of_other_characters)
{
    expect_tokens("\\catcode`\\^^A=\\catcode`\\% ^^Ax\n", "\\catcode `\\<01> =\\catcode `\\% _");
    expect_tokens("\\catcode`\\/=\\catcode`\\\\/foo", "\\catcode `\\/ =\\catcode `\\\\ /foo_");
    expect_commands("\\catcode`\\/\\catcode 92 /foo", "catcode / catcode foo ");
    expect_commands("{\\catcode`\\@=\\catcode`a \\a@b}\\a@b", "catcode @ catcode a@b a ");
    cr_expect_eq(NOT_FOLLOWED("\\catcode`\\@=\\catcode\\x "), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\catcode`<=\\catcode`{ \\catcode`>=\\catcode`} "), 2u);
    cr_expect_eq(NOT_FOLLOWED("\\catcode`<=\\catcode`\\{ \\catcode`}=12 "), 0u);
    cr_expect_eq(NOT_FOLLOWED("\\catcode`\\@=\\catcode`\\\xC3\xA9 "), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\catcode`\\@=\\catcode`\\^ "), 1u); /* 7 is for ^ alone */
    cr_expect_eq(NOT_FOLLOWED("\\catcode`\\@=\\catcodes`\\^ "), 1u);
}

Test(lexer_context, arguments_and_groups)
{
    expect_commands("\\setlength\\x{\\y}\n{\\makeatletter\\a@b}\\a@b",
                    "setlength x y makeatletter a@b a ");
    expect_commands("\\setlength{\\x}{\\y}{\\makeatletter\\a@b}",
                    "setlength x y makeatletter a@b ");
    expect_commands("\\usepackage[x]{y} {\\makeatletter\\a@b}", "usepackage makeatletter a@b ");
    cr_expect_eq(NOT_FOLLOWED("\\setlength{\\x}{\\makeatletter}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\setlength\\x{\\makeatletter}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\usepackage{\\makeatletter}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\setlengths\\x{\\y}{\\makeatletter}"), 1u);
}

/* \\[…\\] and \\(…\\) are groups, where category codes change in them. */
Test(lexer_context, formulas_in_brackets)
{
    expect_commands("\\[\\makeatletter\\a@b\\]\\a@b", "[ makeatletter a@b ] a ");
    expect_commands("\\(\\catcode`\\@=11 \\a@b\n\\)\\a@b", "( catcode @ a@b ) a ");
    expect_commands("\\[\\catcode`\\@=11\\]\\a@b", "[ catcode @ ] a ");
    expect_commands("\\[\\global\\catcode`\\@=11 \\]\\a@b", "[ global catcode @ ] a@b ");
    expect_commands("\\(\\makeatletter\\makeatother\\makeatletter\\)\\a@b",
                    "( makeatletter makeatother makeatletter ) a ");
    expect_commands("\\makeatletter\\[\\makeatother\\a@b\\]\\a@b",
                    "makeatletter [ makeatother a ] a@b ");
    expect_commands("\\[{\\makeatletter\\a@b}\\a@b\\makeatletter\\a@b\\]\\a@b",
                    "[ makeatletter a@b a makeatletter a@b ] a ");
    expect_commands("{\\(\\makeatletter}\\a@b\\)", "( makeatletter a ) ");
    expect_commands("\\[\\hbox{\\(\\makeatletter\\)\\a@b}\\a@b\\]",
                    "[ hbox ( makeatletter ) a a ] ");
    cr_expect_eq(NOT_FOLLOWED("\\[\\makeatletter\\hbox{\\(\\makeatother\\)}\\]"), 1u);
    /* Constants, mentions, and halves in braces are no brackets */
    expect_commands("\\catcode`\\(=1 \\catcode`\\)=2 \\makeatletter\\a@b\\)\\a@b",
                    "catcode ( catcode ) makeatletter a@b ) a@b ");
    expect_commands("\\let\\x\\( \\string\\( \\makeatletter\\)\\a@b",
                    "let x ( string ( makeatletter ) a@b ");
    expect_commands("\\(\\makeatletter\\catcode`\\)=12 \\a@b\\)\\a@b",
                    "( makeatletter catcode ) a@b ) a ");
    expect_commands("\\x{\\(}\\makeatletter\\)\\a@b", "x ( makeatletter ) a@b ");
    expect_commands("\\({x}\\makeatletter\\)\\a@b", "( makeatletter ) a ");
    /* No such formulas: line breaks, comments, those that ended, those that a blank line ends */
    expect_commands("x\\\\[2pt]\\makeatletter\\]\\a@b", "\\ makeatletter ] a@b ");
    expect_commands("% \\[\n\\makeatletter\\]\\a@b", "makeatletter ] a@b ");
    expect_commands("\\(\\)\\makeatletter\\)\\a@b", "( ) makeatletter ) a@b ");
    expect_commands("\\(\n \n\\makeatletter\\)\\a@b", "( makeatletter ) a@b ");
    expect_commands("\\[\r\n%\r\n\\makeatletter\\]\\a@b", "[ makeatletter ] a ");
    expect_commands("\\[\\makeatletter\n\n\\)\\a@b", "[ makeatletter ) a@b ");
}

/* In expl3 syntax a name tells which arguments are single tokens. */
Test(lexer_context, mentions_by_signature)
{
    expect_commands("\\ExplSyntaxOn\\a:N\\ExplSyntaxOff\\x_y",
                    "ExplSyntaxOn a:N ExplSyntaxOff x_y ");
    expect_commands("\\ExplSyntaxOn\\a:NN \\b \\ExplSyntaxOff\\x_y",
                    "ExplSyntaxOn a:NN b ExplSyntaxOff x_y ");
    expect_commands("\\ExplSyntaxOn\\a:Npn\\ExplSyntaxOff\\x_y",
                    "ExplSyntaxOn a:Npn ExplSyntaxOff x_y ");
    expect_commands("\\ExplSyntaxOn\\a:n\\ExplSyntaxOff\\x_y", "ExplSyntaxOn a:n ExplSyntaxOff x ");
    expect_commands("\\ExplSyntaxOn\\a:\\ExplSyntaxOff\\x_y", "ExplSyntaxOn a: ExplSyntaxOff x ");
    expect_commands("\\ExplSyntaxOn\\N\\ExplSyntaxOff\\x_y", "ExplSyntaxOn N ExplSyntaxOff x ");
    expect_commands("\\ExplSyntaxOn\\a:nN\\ExplSyntaxOff\\x_y",
                    "ExplSyntaxOn a:nN ExplSyntaxOff x ");
    expect_commands("\\ExplSyntaxOn\\a:Nn\\b\\ExplSyntaxOff\\x_y",
                    "ExplSyntaxOn a:Nn b ExplSyntaxOff x ");
    /* Where : is no letter, it is no part of the name. */
    expect_commands("\\a:N\\makeatletter\\x@", "a makeatletter x@ ");
}

/* \\endgroup in an argument is executed when TeX has read all of it; in a definition or a list of
 * tokens it is not. */
Test(lexer_context, groups_end_with_arguments)
{
    static const char begin[] = "\\begingroup\\makeatletter";
    static const struct {
        const char *input, *tokens;
    } cases[] = {
        {"\\x{\\endgroup\\y@}\\z@", "\\x {\\endgroup \\y@ }\\z @_"},
        {"\\x{\\y{\\endgroup}\\y@}\\z@", "\\x {\\y {\\endgroup }\\y@ }\\z @_"},
        {"\\x{\\endgroup}\\z@\\endgroup\\z@", "\\x {\\endgroup }\\z @\\endgroup \\z @_"},
        {"\\begingroup\\x{\\endgroup\\endgroup}\\z@",
         "\\begingroup \\x {\\endgroup \\endgroup }\\z @_"},
        {"\\begingroup\\x{\\endgroup}\\z@", "\\begingroup \\x {\\endgroup }\\z@ "},
        {"\\def\\x{\\endgroup}\\z@", "\\def \\x {\\endgroup }\\z@ "},
        {"\\toks0={\\endgroup}\\z@", "\\toks 0={\\endgroup }\\z@ "},
        {"\\let\\x\\endgroup\\z@", "\\let \\x \\endgroup \\z@ "},
    };
    char input[128], tokens[128];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(input, sizeof input, "%s%s\n", begin, cases[i].input);
        snprintf(tokens, sizeof tokens, "\\begingroup \\makeatletter %s", cases[i].tokens);
        expect_tokens(input, tokens);
    }
}

/* Behind = a command is mentioned where \let has given the name before it, and nowhere else. */
Test(lexer_context, what_let_gives)
{
    expect_tokens("a=\\verb|%|", "a=\\verb |%|_");
    expect_tokens("\\x=\\verb|%|", "\\x =\\verb |%|_");
    expect_tokens("\\let\\x=\\verb|", "\\let \\x =\\verb |_");
    expect_tokens("\\let\\|= \\verb|", "\\let \\| =_\\verb |_");
    expect_tokens("\\let~=\\verb|", "\\let ~=\\verb |_");
    expect_commands("\\let\\x=\\makeatletter \\a@b", "let x makeatletter a ");
}

Test(lexer_context, expl_syntax)
{
    expect_tokens("\\ExplSyntaxOn\n\\a_b:n { ~x }\n\n\\ExplSyntaxOff _ a\n",
                  "\\ExplSyntaxOn @2 \\a_b:n {_x}@4 \\ExplSyntaxOff __a_");
    expect_commands("{\\ExplSyntaxOn\\a_b}\\a_b", "ExplSyntaxOn a_b a ");
    cr_expect_eq(NOT_FOLLOWED("\\ExplSyntaxOn\n\\\na\\  \n^^\n"), 3u);
    cr_expect_eq(NOT_FOLLOWED("\\ExplSyntaxOn\\\n\\ExplSyntaxOff\\\n\\\n"), 1u);
    expect_commands("\\ProvidesExplPackage{a}{b}\n{c}{d_e}\\a_b:n", "ProvidesExplPackage a_b:n ");
    expect_commands("\\ExplSyntaxOn\\ExplSyntaxOn\\ExplSyntaxOff\\a_b",
                    "ExplSyntaxOn ExplSyntaxOn ExplSyntaxOff a ");
}

/* Long enough for loops that take several units. */
#define FILLING " and so on and so on and so on"

Test(lexer_context, groups_that_end_amid_text)
{
    expect_tokens(
        "\\catcode`\\z=12 {\\catcode`\\z=11 \\z}\\zz" FILLING,
        "\\catcode `\\z =12_{\\catcode `\\z =11_\\z }\\z z_and_so_on_and_so_on_and_so_on_");
    expect_tokens("\\catcode32=9 {\\catcode32=10 a  b}a  b~c" FILLING,
                  "\\catcode 32=9_{\\catcode 32=10a_b}ab~candsoonandsoonandsoon_");
    expect_tokens("{\\ExplSyntaxOn a ~ b}a \n\nb" FILLING,
                  "{\\ExplSyntaxOn a_b}a_@2 \\par @3 b_and_so_on_and_so_on_and_so_on_");
}

Test(lexer_context, ignored_characters)
{
    expect_tokens("\\catcode`\\!=9 a!!b !! !c\\x! y\\!! !d\n! !\n" FILLING,
                  "\\catcode `\\! =9_ab_c\\x y\\! _d_@2 \\par @3 and_so_on_and_so_on_and_so_on_");
    expect_tokens("\\ExplSyntaxOn\na\\ \tb\\~ ~ c ~ ~\n ~ d" FILLING,
                  "\\ExplSyntaxOn @2 a\\<20> b\\~ c_@3 dandsoonandsoonandsoon");
}

Test(lexer_context, inline_verbatim)
{
    expect_tokens("\\verb|a%{$\\x| b", "\\verb |a%{$\\x|_b_");
    expect_tokens("\\verb*+ +x", "\\verb *+<20>+x_");
    expect_tokens("\\verb |x|y", "\\verb |x|y_");
    expect_tokens("\\verb{x{y", "\\verb {x{y_");
    expect_tokens("\\lstinline|%|y", "\\lstinline |%|y_");
    expect_tokens("\\lstinline[a={b}]{%{}}y", "\\lstinline [a={b}]{%{}}y_");
    expect_tokens("\\mintinline{c}{%}y", "\\mintinline {c}{%}y_");
    expect_tokens("\\mintinline[x]{c}|%|y", "\\mintinline [x]{c}|%|y_");
    expect_tokens("{\\small\\verb|}|}", "{\\small \\verb |}|}_");
    expect_tokens("\\verbose|%", "\\verbose |");
    expect_tokens("\\let\\x\\verb|%", "\\let \\x \\verb |");
    expect_tokens("\\def\\x{\\verb}%", "\\def \\x {\\verb }");
    cr_expect_eq(count_issues("a \\verb|x\ny|", LEXER_ISSUE_VERB_BROKEN), 1u);
    cr_expect_eq(count_issues("a \\verb|x", LEXER_ISSUE_VERB_BROKEN), 1u);
    cr_expect_eq(count_issues("a \\verb\nx", LEXER_ISSUE_VERB_BROKEN), 1u);
    cr_expect_eq(count_issues("a \\verb|x| \\verb*!y!\n", LEXER_ISSUE_VERB_BROKEN), 0u);
}

Test(lexer_context, verbatim_environments)
{
    static const char *const names[] = {"verbatim", "verbatim*",    "lstlisting",   "minted",
                                        "Verbatim", "BVerbatim",    "LVerbatim",    "SaveVerbatim",
                                        "comment",  "filecontents", "filecontents*"};
    char input[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(input, sizeof input, "\\begin{%s}\n}%%$ \\end{x}\n\\end{%s}", names[i], names[i]);
        cr_expect_eq(count_issues(input, LEXER_ISSUE_UNOPENED_BRACE), 0u, "%s", names[i]);
        cr_expect_eq(count_issues(input, LEXER_ISSUE_ENVIRONMENT_MISMATCH), 0u, "%s", names[i]);
    }
    expect_tokens("\\begin{verbatim}\n %\n\\end{verbatim}%", "\\begin {verbatim}<0D>@2 <20>%<0D>@3 "
                                                             "\\end {verbatim}");
    expect_tokens("\\begin{verbatims}%", "\\begin {verbatims}");
    cr_expect_eq(count_issues("\\begin{verbatim}\nx", LEXER_ISSUE_UNCLOSED_VERBATIM), 1u);
    cr_expect_eq(count_issues("\\begin{verbatim}\n\\end {verbatim}", LEXER_ISSUE_UNCLOSED_VERBATIM),
                 1u);
    cr_expect_eq(NOT_FOLLOWED("\\newenvironment{x}{\\begin{verbatim}}{\\end{verbatim}}"), 1u);
}

Test(lexer_context, names_by_option)
{
    enum { N = LEXER_VERBATIM_NAMES_MAX + 1 };
    static char texts[N][8];
    static const char *names[N];
    for (uint32_t i = 0; i < N; i++) {
        snprintf(texts[i], sizeof texts[i], "v%u", i);
        names[i] = texts[i];
    }
    lexed_options.verbatim_names = names;
    lexed_options.n_verbatim_names = N - 1;
    expect_tokens("\\begin{v0}%\\end{v0}\\begin{v63}%\\end{v63}",
                  "\\begin {v0}%\\end {v0}\\begin {v63}%\\end {v63}_");
    cr_expect_eq(NOT_FOLLOWED("x"), 0u);
    lexed_options.n_verbatim_names = N;
    cr_expect_eq(NOT_FOLLOWED("x"), 1u);
    expect_tokens("\\begin{v64}%\\end{v64}", "\\begin {v64}");
}

Test(lexer_context, behind_the_end)
{
    expect_tokens("a\\endinput b\n} c\n", "a\\endinput b_");
    expect_tokens("\\end{document} } c\n", "\\end {document}");
    expect_tokens("\\ifx\\x\\y\\endinput\\fi\nb", "\\ifx \\x \\y \\endinput \\fi @2 b_");
    cr_expect_eq(NOT_FOLLOWED("\\ifx\\x\\y\\endinput\\fi\nb"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\x{\\endinput}\nb"), 1u);
    expect_tokens("\\ifx\\x\\y\n\\expandafter\\endinput\n\\fi\nb",
                  "\\ifx \\x \\y @2 \\expandafter \\endinput @3 \\fi @4 b_");
    cr_expect_eq(NOT_FOLLOWED("\\expandafter\\endinput\n\\fi\nb"), 1u);
    expect_tokens("\\endinputs\nb", "\\endinputs @2 b_");
    cr_expect_eq(count_issues("\\end{document}\n % x\n\n", LEXER_ISSUE_TEXT_AFTER_END), 0u);
    cr_expect_eq(count_issues("\\end{document}\n\n x\ny", LEXER_ISSUE_TEXT_AFTER_END), 1u);
    cr_expect_eq(count_issues("\\endinput\nx", LEXER_ISSUE_TEXT_AFTER_END), 0u);
}

static char *repeated(const char *head, const char *unit, uint32_t n, const char *tail)
{
    char *const text = lexed_alloc(strlen(head) + n * strlen(unit) + strlen(tail) + 1, 1);
    char *to = stpcpy(text, head);
    for (uint32_t i = 0; i < n; i++)
        to = stpcpy(to, unit);
    stpcpy(to, tail);
    return text;
}

/* At each limit everything is followed, one past it nothing is guessed. */
Test(lexer_context, limits)
{
    struct {
        const char *head, *unit, *tail;
        uint32_t max;
    } limits[] = {
        {"", "\\begingroup", "\\catcode`\\@=11 ", LEXER_GROUP_DEPTH_MAX},
        {"", "\\begin{a}", "\\makeatletter ", LEXER_ENV_DEPTH_MAX},
        {"", "{\\makeatletter{\\makeatother", "", LEXER_SAVES_MAX / 2},
        {"\\catcode", " ", "`\\@=11 ", LEXER_CATCODE_BYTES_MAX - 7},
        {"", "$\\hbox{", "\\makeatletter ", LEXER_MATH_DEPTH_MAX},
        {"\\begin", " ", "{x}{\\makeatletter ", LEXER_HEAD_BYTES_MAX - 3},
        {"\\begin[", "x", "]{x}{\\makeatletter ", LEXER_HEAD_BYTES_MAX - 5},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        for (uint32_t more = 0; more < 2; more++) {
            char *const text =
                repeated(limits[i].head, limits[i].unit, limits[i].max + more, limits[i].tail);
            cr_expect_eq(NOT_FOLLOWED(text) > 0, more == 1, "limit %zu, %u more: %u", i, more,
                         NOT_FOLLOWED(text));
            free(text);
        }
    }
}

/* However far the head of a definition reaches, it is seen; so are long names. */
Test(lexer_context, heads_without_limit)
{
    char *const parameters = repeated("\\def\\x", "#1 ", 1000, "{\\makeatletter");
    char *const name = repeated("\\a", "b", 1000, "{\\makeatletter");
    char *const escapes = repeated("", "\\\\", 1000, "def{\\makeatletter");
    cr_expect_eq(NOT_FOLLOWED(parameters), 1u);
    cr_expect_eq(NOT_FOLLOWED(name), 1u);
    cr_expect_eq(NOT_FOLLOWED(escapes), 0u);
    cr_expect_eq(NOT_FOLLOWED("]{\\makeatletter"), 0u);
    free(parameters);
    free(name);
    free(escapes);
}

Test(lexer_context, names_in_caret_notation)
{
    cr_expect_eq(NOT_FOLLOWED("\\make^^61tletter "), 1u);
    cr_expect_eq(NOT_FOLLOWED("^^5cmakeatletter^^20"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\ProvidesExplPackag^^65{a}{b}{c}{d}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\b^^65gin{verbatim}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\begin^^7bverbatim}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\begin{verb^^61tim}"), 1u);
    cr_expect_eq(NOT_FOLLOWED("\\mak^^61tletter \\make^^61tlette^^7f "), 0u);
    cr_expect_eq(NOT_FOLLOWED("\\ProvidesExplPackage^^65{a}"), 0u);
    lexed_options.is_static = true;
    cr_expect_eq(NOT_FOLLOWED("\\make^^61tletter \\begin{verb^^61tim}"), 0u);
}

Test(lexer_context, static_and_file_types)
{
    static const char *const with[] = {"a.sty", "x/b.cls", "c.def", "d.ltx", "e.dtx"};
    static const char *const without[] = {"a.tex", "sty", ".sty", "a.sty.tex", "-", ""};
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++)
        cr_expect(lexer_name_has_at_letter(with[i]), "%s", with[i]);
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
        cr_expect_not(lexer_name_has_at_letter(without[i]), "%s", without[i]);
    lexed_options.at_is_letter = true;
    expect_commands("\\a@b x{\\makeatother\\a@b}\\a@b", "a@b makeatother a a@b ");
    lexed_options.is_static = true;
    expect_commands("\\a@b\\makeatletter\\a@b", "a makeatletter a ");
    expect_tokens("\\verb|%|", "\\verb |");
}
