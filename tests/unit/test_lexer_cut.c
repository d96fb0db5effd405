/* Any cutting gives the identical result, and nothing outside the input is read. */
#include "tests/unit/test_lexer_support.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const samples[] = {
    "a  b% c\n   d\n\n\\foo  bar\\1 x\n",
    "\\  \n\\ x\\\n\\\t\n\\  ",
    "y^^ \r\nc^^   x^^\r\n^^  ",
    "^^5e^5e^5e^41\\f^^6f^^5e^6f o\\^^5e^41",
    "^^^^0041^^^^^^01d49c^^^^^zz^^^^^^12\\a^^^^zz\\^^^^^^^0 \\a^^^^",
    "a\r\n\r\r\n\rb\r",
    "\xC3\xA9\xE2\x80\x94\xF0\x9D\x92\x9C\xE2\x80\xC3\xED\xA0\x80\xF4\x90\xEF\xBB\xBF\\\xC3\xA9t",
    "\\begin{a}{$x$$y$$ $\n\n}}\\begin {b}\\end{a}\\begin% x\n{c}\\end\n{c}\\end{d} $$ x",
    "a^^M b c\r\n^^M\n\\x ^^Mq\n%comment^^5e\r\n",
    "{\\makeatletter\\a@b}\\a@b\\catcode`\\@=11 \\a@b\\catcode`\\^^M=13%\n\n\\catcode`\\ =12 x \n ",
    "\\ExplSyntaxOn \\a_b:n{~ x}\n\n\\ExplSyntaxOff\n_ \\verb|a\\|x\\verb*+b\n\\lstinline[x]{a{}}$",
    "\\begin{verbatim} %{\n  \\end{verb\n x \n\\end{verbatim}\\mintinline{c}|}|\\endinput a\nb",
    "{\\begingroup\\catcode`\\%12}%\\endgroup\n\\def\\x#1{\\verb}\\end{document} \n",
    "{\\def\\x{}}\\end{document} \n x\xE2\x80\xAE\n",
    "\\\t \n\\\t x\\ \t\n%\xE2\x81\xA6\n\xC2\xA0\xE2\x80\x8B\r\n\xEF\xBB\xBF",
    "\\catcode`\\\x40 = 11\n\\a@",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\bbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccc",
    "\\catcode32=0\\relax xxx xxx xxxxxxxxxxxxxxxxxxxxx",
    "\\catcode32=14\\relax1 \n.foo^^41 \\foo^^ \n\\f",
    "{\\obeylines a  \nb \\x \n\\obeyspaces c  d\\  \n  \n%  \n}\\catcode13=12 a\\b  \n1 \n1",
};

static void expect_same(enum lexer_regime regime, const uint8_t *in, uint32_t n, uint32_t max_piece,
                        uint64_t seed)
{
    struct lexed whole = lexed_whole(regime, in, n);
    struct lexed cut = lexed_cut(regime, in, n, max_piece, seed);
    const char *const difference = lexed_difference(&whole, &cut);
    const char *const broken = lexed_broken(&whole, in, n);
    cr_expect_null(difference, "%.*s: pieces of at most %u: %s", (int)n, (const char *)in,
                   max_piece, difference);
    cr_expect_null(broken, "%.*s: %s", (int)n, (const char *)in, broken);
    lexed_free(&whole);
    lexed_free(&cut);
}

Test(lexer_cut, byte_by_byte_and_in_random_pieces)
{
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const uint32_t n = (uint32_t)strlen(samples[i]);
        for (int regime = LEXER_LUALATEX; regime <= LEXER_PDFLATEX; regime++)
            for (uint32_t max_piece = 1; max_piece <= 32; max_piece++)
                expect_same((enum lexer_regime)regime, (const uint8_t *)samples[i], n, max_piece,
                            i + max_piece);
    }
}

/* Every pair of cut points, so that any state meets any amount of what follows. */
Test(lexer_cut, every_two_cuts)
{
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const uint8_t *const in = (const uint8_t *)samples[i];
        const uint32_t n = (uint32_t)strlen(samples[i]);
        const struct lexer_counts whole = lexed_counts(LEXER_LUALATEX, in, n);
        for (uint32_t first = 0; first <= n; first++) {
            for (uint32_t second = first; second <= n; second++) {
                struct lexer lx;
                struct lexer_counts counts;
                lexer_begin(&lx, &options, NULL);
                lexer_feed(&lx, in, first);
                lexer_feed(&lx, in, second);
                lexer_finish(&lx, in, n, &counts);
                cr_assert(memcmp(&whole, &counts, sizeof whole) == 0, "%s cut at %u and %u",
                          samples[i], first, second);
            }
        }
    }
}

/* All of the samples behind one another, 64 bytes of padding shifted, so that every construct meets
 * every block edge (P05, P06). */
Test(lexer_cut, at_every_block_offset)
{
    uint8_t in[4096];
    for (uint32_t offset = 0; offset < 64; offset++) {
        uint32_t n = 0;
        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
            memset(in + n, 'x', offset);
            n += offset;
            memcpy(in + n, samples[i], strlen(samples[i]));
            n += (uint32_t)strlen(samples[i]);
        }
        expect_same(LEXER_LUALATEX, in, n, 64, offset + 1);
        expect_same(LEXER_PDFLATEX, in, n, 64, offset + 1);
    }
}

static uint8_t *map_between_guards(size_t page_bytes)
{
    uint8_t *const pages =
        mmap(NULL, 3 * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)pages, MAP_FAILED);
    cr_assert_eq(mprotect(pages + page_bytes, page_bytes, PROT_READ | PROT_WRITE), 0);
    return pages + page_bytes;
}

/* P01 */
Test(lexer_cut, between_unreadable_pages)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *const page = map_between_guards(page_bytes);
    char text[512] = "";
    for (size_t i = 0; strlen(text) < 300; i++)
        strncat(text, samples[i], sizeof text - strlen(text) - 1);
    for (uint32_t n = 0; n <= 257; n++) {
        for (uint32_t from = 0; from < 43; from += 7) {
            uint8_t *const flush = page + page_bytes - n;
            memcpy(flush, text + from, n);
            struct lexed at_end = lexed_whole(LEXER_LUALATEX, flush, n);
            expect_same(LEXER_LUALATEX, flush, n, 16, n + 1);
            memcpy(page, text + from, n);
            struct lexed at_start = lexed_whole(LEXER_LUALATEX, page, n);
            cr_expect_null(lexed_difference(&at_end, &at_start));
            lexed_free(&at_end);
            lexed_free(&at_start);
        }
    }
    munmap(page - page_bytes, 3 * page_bytes);
}

static struct lexer_counts fed_byte_by_byte(const uint8_t *in, uint32_t n)
{
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    struct lexer lx;
    lexer_begin(&lx, &options, NULL);
    for (uint32_t have = 1; have < n; have++)
        cr_assert_eq(lexer_feed(&lx, in, have), 0);
    cr_assert_eq(lexer_finish(&lx, in, n, &counts), 0);
    return counts;
}

/* What has to look far ahead must remember how far it looked: at a million bytes it would show. */
Test(lexer_cut, one_byte_at_a_time_is_linear)
{
    static const char *const openings[] = {"\\", "^^", "\\^^"};
    const uint32_t n = 1u << 20;
    uint8_t *const in = lexed_alloc(n, 1);
    struct lexer_counts counts;
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        memset(in, ' ', n);
        for (size_t at = 0; openings[i][at]; at++)
            in[at] = (uint8_t)openings[i][at];
        counts = fed_byte_by_byte(in, n);
        cr_expect_eq(counts.n_tokens, 1u);
        cr_expect_eq(counts.n_spans, 1u);
    }
    /* ^^5e^5e^5e … is one character until it ends, as text and as a name. */
    in[0] = '^';
    for (uint32_t at = 1; at < n; at++)
        in[at] = (uint8_t) "^5e"[(at - 1) % 3];
    counts = fed_byte_by_byte(in, n);
    cr_expect_eq(counts.n_spans, lexed_counts(LEXER_LUALATEX, in, n).n_spans);
    memmove(in + 1, in, n - 1);
    in[0] = '\\';
    counts = fed_byte_by_byte(in, n);
    cr_expect_eq(counts.n_spans, lexed_counts(LEXER_LUALATEX, in, n).n_spans);
    free(in);
}

/* The same of rows of blanks that have to be told from what TeX trims; in one piece, too. */
Test(lexer_cut, rows_of_blanks_are_linear)
{
    static const char *const openings[] = {"\\obeyspaces", "\\obeylines x", "\\catcode32=0\\relax",
                                           "\\catcode32=11\\relax\\x"};
    const uint32_t n = 1u << 20;
    uint8_t *const in = lexed_alloc(n, 1);
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        for (int is_trimmed = 0; is_trimmed < 2; is_trimmed++) {
            memset(in, ' ', n);
            memcpy(in, openings[i], strlen(openings[i]));
            in[n - 1] = is_trimmed ? '\n' : 'x';
            const struct lexer_counts whole = lexed_counts(LEXER_LUALATEX, in, n);
            const struct lexer_counts cut = fed_byte_by_byte(in, n);
            cr_expect(memcmp(&whole, &cut, sizeof whole) == 0, "%s", openings[i]);
        }
    }
    free(in);
}
