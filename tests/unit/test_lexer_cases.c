/* The hand cases: what TeX reads, established with the engines themselves, and the category codes.
 */
#include "tests/unit/test_lexer_support.h"

#include <criterion/criterion.h>

struct hand_case {
    const char *input;
    uint32_t input_bytes; /* 0: up to the NUL */
    const char *tokens;   /* as lexed_show() writes them */
};

static void check_cases(enum lexer_regime regime, const struct hand_case *cases, size_t n_cases)
{
    for (size_t i = 0; i < n_cases; i++) {
        const struct hand_case *hand = &cases[i];
        const uint8_t *const in = (const uint8_t *)hand->input;
        const uint32_t n = hand->input_bytes ? hand->input_bytes : (uint32_t)strlen(hand->input);
        struct lexed lexed = lexed_whole(regime, in, n);
        const char *const broken = lexed_broken(&lexed, in, n);
        char text[512];
        lexed_show(&lexed, in, text, sizeof text);
        cr_expect_str_eq(text, hand->tokens, "\"%s\": %s, not %s", hand->input, text, hand->tokens);
        cr_expect_null(broken, "\"%s\": %s", hand->input, broken);
        lexed_free(&lexed);
    }
}
#define CHECK(regime, cases) check_cases(regime, cases, sizeof(cases) / sizeof(cases)[0])

static const struct hand_case common[] = {
    {"a  b% c\n   d\n", 0, "a_b@2 d_"},
    {"\\foo  bar \\foo\n", 0, "\\foo bar_\\foo "},
    {"x\\  y\\1  z\n", 0, "x\\<20> y\\1 _z_"},
    {"a\n\n\nb\n", 0, "a_@2 \\par @3 \\par @4 b_"},
    {"a\n \t \nb", 0, "a_@2 \\par @3 b_"},
    {"a%\n\nb", 0, "a@2 \\par @3 b_"},
    {"\\foo\n\nb", 0, "\\foo @2 \\par @3 b_"},
    {"a\\\nb", 0, "a\\<0D> @2 b_"},
    {"a\\  \nb", 0, "a\\<0D> @2 b_"},
    {"a\\  \r\nb", 0, "a\\<0D> @2 b_"},
    {"a\\\t\nb", 0, "a\\<09> @2 b_"},
    {"a\\ \t\nb", 0, "a\\<20> @2 b_"},
    {"a", 0, "a_"},
    {"a\\", 0, "a\\<0D> "},
    {"a\\   ", 0, "a\\<0D> "},
    {"\\foo", 0, "\\foo "},
    {"", 0, "\\par "},
    {"\n", 0, "\\par "},
    {"  \t ", 0, "\\par "},
    {"a  ", 0, "a_"},
    {"a\t  ", 0, "a_"},
    {"a%", 0, "a"},
    {"%\n", 0, ""},
    {"a\n  ", 0, "a_@2 \\par "},
    {"a\rb\r\rc\n", 0, "a_@2 b_@3 \\par @4 c_"},
    {"a\r\nb\r\n\r\nc\r\n", 0, "a_@2 b_@3 \\par @4 c_"},
    {"a\n\rb", 0, "a_@2 \\par @3 b_"},
    {"a^^M b c\nd", 0, "a_@2 d_"},
    {"a^^M b c", 0, "a_"},
    {"^^Mb\nc", 0, "\\par @2 c_"},
    {"\\foo ^^Mb\nc", 0, "\\foo @2 c_"},
    {"\\^^M b", 0, "\\<0D> _b_"},
    {"y^^\nc", 0, "yM@2 c_"},
    {"y^^ \nc", 0, "yM@2 c_"},
    {"y^^ \r\nc", 0, "yM@2 c_"},
    {"y^^", 0, "yM"},
    {"y^^  ", 0, "yM"},
    {"y^^ c", 0, "y`c_"},
    {"y^^  c", 0, "y`_c_"},
    {"x^\n", 0, "x^_"},
    {"x^", 0, "x^_"},
    {"x^^4\nc", 0, "xt_@2 c_"},
    {"^^41^^4A^^4a", 0, "AtAJ_"},
    {"\\f^^6f^^6f bar", 0, "\\foo bar_"},
    {"\\f^^5e^6fo x", 0, "\\foo x_"},
    {"^^5e^41", 0, "A_"},
    {"^^5cfoo", 0, "\\foo "},
    {"^^5c^^5c^^5c ", 0, "\\\\ \\<0D> "},
    {"a^^25b\nc", 0, "a@2 c_"},
    {"\\foo^^20 bar", 0, "\\foo bar_"},
    {"\\foo^^31 bar", 0, "\\foo 1_bar_"},
    {"\\foo^^\nbar", 0, "\\fooM @2 bar_"},
    {"\\^^\nbar", 0, "\\M @2 bar_"},
    {"\\^^", 0, "\\M "},
    {"\\^^41b", 0, "\\Ab "},
    {"\\^x", 0, "\\^ x_"},
    {"\\foo@bar", 0, "\\foo @bar_"},
    {"\\%a\\\\b\\{", 0, "\\% a\\\\ b\\{ _"},
    {"#1&$x_2^3$~{}", 0, "#1&$x_2^3$~{}_"},
};

static const struct hand_case lualatex[] = {
    {"^^5e^^5e41", 0, "5e41_"}, /* U+001E is invalid there */
    {"^^^^0041", 0, "A_"},
    {"^^^^^^01d49c", 0, "<1D49C>_"},
    {"^^^^005e^41", 0, "A_"},
    {"^^e9\\^^^^00e9t^^e9 x", 0, "<E9>\\<E9>t<E9> x_"},
    {"\\\xC3\xA9t\xC3\xA9 x", 0, "\\<E9>t<E9> x_"},
    {"\\\xE2\x80\x94 y", 0, "\\<2014> _y_"},
    {"^^\xC3\xA9", 0, "^^<E9>_"},
    {"a \xEF\xBB\xBF b\xEF\xBB\xBF c", 0, "a_b_c_"},
    {"\xEF\xBB\xBF\n", 0, "\\par "},
    {"\xC2\xAD", 0, "<AD>_"},
    {"a\0\n\0\n\x7F", 6, "a_@2 \\par @3 \\par "},
    {"\\\0\f\v", 4, "\\<00> <0C>_"},
    /* Malformed, as LuaTeX reads them */
    {"^^^^zz", 0, "^zz_"},
    {"^^^^^zz", 0, ":z_"},
    {"^^^^^^1234", 0, "1234_"},
    {"\\a^^^^zz", 0, "\\a :z_"},
    {"\\^^^^zz", 0, "\\: z_"},
    {"\\a^^^^1", 0, "\\aq "},
    {"\\^^^^^^^01d49c", 0, "\\<1E> 01d49c_"},
    {"\\a^^5e^^^zz", 0, "\\a :z_"},
    {"\\a^^^^\xC3\xA9", 0, "\\a ^^<E9>_"},
    {"^^^^^^110000", 0, "110000_"},
    {"^^^^d800", 0, "<D800>_"},
    /* Maximal invalid subparts */
    {"a\x80z", 0, "a<FFFD>z_"},
    {"\xC0\x80", 0, "<FFFD><FFFD>_"},
    {"\xE0\x80\x80", 0, "<FFFD><FFFD><FFFD>_"},
    {"\xED\xA0\x80", 0, "<FFFD><FFFD><FFFD>_"},
    {"\xF4\x90\x80\x80", 0, "<FFFD><FFFD><FFFD><FFFD>_"},
    {"\xE2\x80z", 0, "<FFFD>z_"},
    {"\xF0\x9D\x92", 0, "<FFFD>_"},
    {"\xE2\x80\n\xC3", 0, "<FFFD>_@2 <FFFD>_"},
    {"\\\xFFx", 0, "\\<FFFD> x_"},
    {"\xEF\xBF\xBD", 0, "<FFFD>_"},
};

static const struct hand_case pdflatex[] = {
    {"^^5e^^5e41", 0, "<1E>5e41_"},
    {"^^^^0041", 0, "<1E>^0041_"},
    {"^^^^^^01d49c", 0, "<1E><1E>01d49c_"},
    {"^^e9\xE9", 0, "<E9><E9>_"},
    {"\\\xC3\xA9 x", 0, "\\<C3> <A9>_x_"},
    {"^^\xE9", 0, "^^<E9>_"},
    {"\f\v\x01", 0, "<0C><0B><01>_"},
    {"a\0\n\0\n\x7F", 6, "a_@2 \\par @3 \\par "},
    {"\xEF\xBB\xBF\xFF", 0, "<EF><BB><BF><FF>_"},
    {"\\f^^6f^^e9", 0, "\\fo <E9>_"},
};

Test(lexer_cases, both_regimes)
{
    CHECK(LEXER_LUALATEX, common);
    CHECK(LEXER_PDFLATEX, common);
}

Test(lexer_cases, lualatex)
{
    CHECK(LEXER_LUALATEX, lualatex);
}

Test(lexer_cases, pdflatex)
{
    CHECK(LEXER_PDFLATEX, pdflatex);
}

static uint8_t catcode_in_document(enum lexer_regime regime, const char *input)
{
    const uint32_t n = (uint32_t)strlen(input);
    struct lexed lexed = lexed_whole(regime, (const uint8_t *)input, n);
    struct token_cursor cursor = lexed_tokens(&lexed, (const uint8_t *)input);
    struct token token = {0};
    token_next(&cursor, &token);
    lexed_free(&lexed);
    return token.catcode;
}

/* Spot checks over the generated table: first and last code point of ranges of the data. */
Test(lexer_cases, unicode_category_codes)
{
    static const struct {
        const char *notation;
        uint8_t catcode;
    } points[] = {
        {"^^^^00aa", 11},     {"^^^^00ab", 12},     {"^^^^00ad", 13},     {"^^^^00d7", 12},
        {"^^^^03b1", 11},     {"^^^^4e00", 11},     {"^^^^3042", 11},     {"^^^^ac00", 11},
        {"^^^^2014", 12},     {"^^^^^^01d49c", 11}, {"^^^^^^0e0100", 11}, {"^^^^^^0e01ef", 11},
        {"^^^^^^0e01f0", 12}, {"^^^^^^10ffff", 12},
    };
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        cr_expect_eq(catcode_in_document(LEXER_LUALATEX, points[i].notation), points[i].catcode,
                     "%s", points[i].notation);
}
