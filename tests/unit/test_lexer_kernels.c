/* Every kernel that this processor runs gives what the portable one gives. */
#include "tests/unit/test_lexer_kernels.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the bytes under test stand in: text, math, a name, a comment, a control word, UTF-8. */
static const char *const contexts[] = {
    "a {b} $c$ \\word d 1 2  e\n\nf",
    "\\begin{x}$a_{b}^{c}$ \\\\\n  % \\begin{y} }\n\\end{x}\\",
    "\r\n \r\n\\foo\r\n^a ^^41 ~&#\t\tx\\ y\\  \n\\\n z",
    "\xC3\xA9t\xC3\xA9 \xE4\xB8\xAD\xE6 \xE2\x80\x94 \\\xC3\xA9 \xF0\x9D\x92\x9C\xEF\xBB\xBF",
};
#define N_CONTEXTS (sizeof contexts / sizeof contexts[0])

#define TEXT_BYTES 208u

/* With a sanitizer a sample of the offsets must do: release builds take all of them. */
#ifdef L0_SANITIZED
#define OFFSET_STEP 16u
#else
#define OFFSET_STEP 1u
#endif

static void fill(uint8_t *text, uint32_t n, size_t context)
{
    const size_t period = strlen(contexts[context]);
    for (uint32_t i = 0; i < n; i++)
        text[i] = (uint8_t)contexts[context][i % period];
}

static void expect_equal(enum lexer_regime regime, const uint8_t *in, uint32_t n, const char *what,
                         uint32_t where)
{
    for (size_t i = 0; lexer_kernel_list(i); i++) {
        if (!kernels_to_compare(i))
            continue;
        const char *const name = lexer_kernel_list(i);
        const char *const difference = kernels_difference(name, regime, in, n);
        cr_assert_null(difference, "%s, %s, at %u, regime %d: %s", name, what, where, (int)regime,
                       difference);
    }
}

static void expect_equal_in_both(const uint8_t *in, uint32_t n, const char *what, uint32_t where)
{
    expect_equal(LEXER_LUALATEX, in, n, what, where);
    expect_equal(LEXER_PDFLATEX, in, n, what, where);
}

/* P02, in pieces too. */
Test(lexer_kernels, every_byte_at_every_block_offset)
{
    uint8_t text[TEXT_BYTES];
    for (size_t context = 0; context < N_CONTEXTS; context++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            const uint32_t at = 64 + (byte * 7 + (uint32_t)context * 13) % 64;
            fill(text, sizeof text, context);
            text[at] = (uint8_t)byte;
            expect_equal_in_both(text, sizeof text, "a byte", byte);
        }
        for (uint32_t at = 60; at < 200; at++) {
            for (size_t i = 0; i < 16; i++) {
                fill(text, sizeof text, context);
                text[at] = (uint8_t) "\\{}$%^ \r\n\t\x7F\xC3\x80~e"[i];
                expect_equal(LEXER_LUALATEX, text, sizeof text, "a byte", at);
            }
        }
    }
}

static struct lexer_counts spans_into(struct lexed *lexed, const struct lexer_out *out,
                                      const char *kernel, const uint8_t *in, uint32_t n)
{
    const struct lexer_options options = {.regime = lexed->regime};
    kernels_choose(kernel);
    cr_assert_eq(lexer_run(&options, in, n, out, &lexed->counts), 0);
    return lexed->counts;
}

/* P02: all pairs at all 64 offsets, whole, without allocating for each of the millions of runs. */
static void pairs_at_every_block_offset(const char *kernel, enum lexer_regime regime)
{
    uint8_t text[TEXT_BYTES];
    struct lexed portable = {.regime = regime}, other = {.regime = regime};
    const struct lexer_out portable_out = lexed_out(&portable, sizeof text);
    const struct lexer_out other_out = lexed_out(&other, sizeof text);
    for (uint32_t pair = 0; pair < 65536; pair++) {
        for (uint32_t offset = pair % OFFSET_STEP; offset < 64; offset += OFFSET_STEP) {
            fill(text, sizeof text, (pair + offset) % N_CONTEXTS);
            text[64 + offset] = (uint8_t)(pair >> 8);
            text[65 + offset] = (uint8_t)pair;
            spans_into(&portable, &portable_out, "portable", text, sizeof text);
            spans_into(&other, &other_out, kernel, text, sizeof text);
            const char *const difference = lexed_difference(&portable, &other);
            cr_assert_null(difference, "%s: pair %04X at %u, regime %d: %s", kernel, pair, offset,
                           (int)regime, difference);
        }
    }
    lexed_free(&portable);
    lexed_free(&other);
}

static void pairs(enum lexer_regime regime)
{
    for (size_t i = 0; lexer_kernel_list(i); i++)
        if (kernels_to_compare(i))
            pairs_at_every_block_offset(lexer_kernel_list(i), regime);
}

Test(lexer_kernels, every_pair_lualatex)
{
    pairs(LEXER_LUALATEX);
}

Test(lexer_kernels, every_pair_pdflatex)
{
    pairs(LEXER_PDFLATEX);
}

static uint32_t put_utf8(uint8_t *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    const uint32_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (uint32_t i = n - 1; i > 0; i--, code >>= 6)
        to[i] = (uint8_t)(0x80 | (code & 0x3F));
    to[0] = (uint8_t)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | code);
    return n;
}

/* Those that the vector code takes for letters without looking at the table, and all others;
 * surrogates, which are invalid, among them. */
Test(lexer_kernels, every_code_point)
{
    enum { CHUNK = 4096 };
    uint8_t *const text = lexed_alloc(CHUNK, 4);
    for (uint32_t code = 0; code < 0x110000 + CHUNK; code += CHUNK) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < CHUNK; i++)
            n += put_utf8(text + n, code + i);
        expect_equal(LEXER_LUALATEX, text, n, "code points from", code);
    }
    free(text);
}

/* Lead bytes with every two bytes behind them (P05). */
Test(lexer_kernels, every_utf8_lead)
{
    static const uint8_t seconds[] = {'a',  0x7F, 0x80, 0x8F, 0x90, 0x97, 0x9F, 0xA0, 0xA2, 0xA3,
                                      0xB5, 0xB6, 0xB7, 0xB8, 0xBE, 0xBF, 0xC0, 0xC3, 0xE4, 0xFF};
    uint8_t text[TEXT_BYTES];
    for (uint32_t lead = 0x80; lead < 256; lead++) {
        for (size_t i = 0; i < sizeof seconds; i++) {
            for (size_t j = 0; j < sizeof seconds; j++) {
                const uint32_t at = 64 + (lead + (uint32_t)(i * 20 + j)) % 64;
                fill(text, sizeof text, 0);
                text[at] = (uint8_t)lead;
                text[at + 1] = seconds[i];
                text[at + 2] = seconds[j];
                expect_equal(LEXER_LUALATEX, text, sizeof text, "a lead byte", lead);
            }
        }
    }
}

/* Words that mean something, in a random order, so that every state meets every construct (P06). */
static uint32_t random_text(uint8_t *text, uint32_t n_max, uint64_t *seed)
{
    static const char *const words[] = {
        "\\begin{a}",
        "\\end{a}",
        "\\begin{bb}",
        "\\end{bb}",
        "\\begin {a}",
        "\\beginx",
        "\\end",
        "\\emph{",
        "}",
        "{",
        "$",
        "$$",
        "%",
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "\\\\",
        "\\",
        "\\ ",
        "\\%",
        " ",
        "  ",
        "\t",
        "word",
        "x",
        "12",
        ",",
        "^",
        "^^",
        "^^41",
        "_",
        "&",
        "#",
        "~",
        "\\foo",
        "\xC3\xA9",
        "\xE2\x80\x94",
        "\xE4\xB8\xAD",
        "\xF0\x9D\x92\x9C",
        "\xEF\xBB\xBF",
        "\x7F",
        "\xFF",
        "^^^^",
        "\\fo@",
        "\\makeatletter",
        "\\makeatother ",
        "\\a@b",
        "\\catcode`\\@=11 ",
        "\\catcode`\\%=12\\relax",
        "{\\catcode`\\^=12 ",
        "\\global\\catcode`@=12 ",
        "\\catcode`\\^^M=13 ",
        "\\catcode`\\ =13 ",
        "\\ExplSyntaxOn",
        "\\ExplSyntaxOff ",
        "\\ProvidesExplPackage{}{}{}{}",
        "\\begingroup",
        "\\endgroup",
        "\\bgroup",
        "\\egroup",
        "\\verb|",
        "\\verb*+ ",
        "|",
        "\\lstinline[x]{",
        "\\mintinline{c}{",
        "\\begin{verbatim}",
        "\\end{verbatim}",
        "\\begin{listing}",
        "\\end{listing}",
        "\\endinput",
        "\\fi",
        "\\def\\x#1{",
        "\\newcommand{\\x}[1]{",
        "\\let\\x",
        "\\\t",
        "\xE2\x80\xAE\n",
        "\xE2\x80\x8B",
        "\xC2\xA0",
        "a long run of plain words that fills most of a block of text ",
    };
    uint32_t n = 0;
    for (;;) {
        const char *const word =
            words[lexed_random(seed) % (uint32_t)(sizeof words / sizeof words[0])];
        const uint32_t length = (uint32_t)strlen(word);
        if (n + length > n_max)
            return n;
        for (uint32_t i = 0; i < length; i++)
            text[n++] = (uint8_t)word[i];
    }
}

Test(lexer_kernels, random_words)
{
    uint8_t text[1200];
    uint64_t seed = 42;
    for (uint32_t turn = 0; turn < 4000; turn++) {
        const uint32_t n_max = 1 + lexed_random(&seed) % (uint32_t)sizeof text;
        const uint32_t n = random_text(text, n_max, &seed);
        lexed_choose_way(turn % LEXED_WAYS);
        expect_equal_in_both(text, n, "random words", turn);
    }
}

/* Many braces and formulas, so that what is counted in batches goes below and above the guard. */
Test(lexer_kernels, dense_nesting)
{
    static const char bytes[] = "{{{}}}$\\n ";
    uint8_t text[500];
    uint64_t seed = 7;
    for (uint32_t turn = 0; turn < 4000; turn++) {
        const uint32_t n = 100 + lexed_random(&seed) % 400;
        const uint32_t n_kinds = 3 + lexed_random(&seed) % (uint32_t)(sizeof bytes - 3);
        for (uint32_t i = 0; i < n; i++)
            text[i] = (uint8_t)bytes[lexed_random(&seed) % n_kinds];
        expect_equal(LEXER_LUALATEX, text, n, "braces", turn);
    }
}

/* P01: nothing before or behind the input is touched. */
Test(lexer_kernels, between_unreadable_pages)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *const pages =
        mmap(NULL, 3 * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)pages, MAP_FAILED);
    uint8_t *const page = pages + page_bytes;
    cr_assert_eq(mprotect(page, page_bytes, PROT_READ | PROT_WRITE), 0);
    for (uint32_t n = 0; n <= 257; n++) {
        for (size_t context = 0; context < N_CONTEXTS; context++) {
            fill(page + page_bytes - n, n, context);
            expect_equal_in_both(page + page_bytes - n, n, "before a page", n);
            fill(page, n, context);
            expect_equal_in_both(page, n, "behind a page", n);
        }
    }
    munmap(pages, 3 * page_bytes);
}

/* P03, P07, P08: one thing only, long. */
Test(lexer_kernels, long_runs)
{
    static const char *const runs[] = {
        "\\",           "{",   "}",       "%",    "^^",         "^",    "$", "{}", "$ ",
        "\n",           "\\a", "\\1",     "a1",   "\\begin{a}", "\x01", " ", "\r", "\xFF",
        "\xE4\xB8\xAD", "\\ ", "\\begin", "^^41", "a"};
    const uint32_t n = 20000;
    uint8_t *const text = lexed_alloc(n, 1);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        for (uint32_t at = 0; at < n; at++)
            text[at] = (uint8_t)runs[i][at % strlen(runs[i])];
        for (int regime = LEXER_LUALATEX; regime <= LEXER_PDFLATEX; regime++)
            for (size_t k = 0; lexer_kernel_list(k); k++) {
                if (!lexer_kernel_can_run(k))
                    continue;
                struct lexed portable, other;
                kernels_choose("portable");
                portable = lexed_whole((enum lexer_regime)regime, text, n);
                kernels_choose(lexer_kernel_list(k));
                other = lexed_whole((enum lexer_regime)regime, text, n);
                cr_expect_null(lexed_difference(&portable, &other), "%s: run of \"%s\"",
                               lexer_kernel_list(k), runs[i]);
                lexed_free(&portable);
                lexed_free(&other);
            }
    }
    free(text);
}

/* Room for fewer spans than there are is an error with every kernel, and none too few is not. */
Test(lexer_kernels, capacity)
{
    uint8_t text[TEXT_BYTES];
    fill(text, sizeof text, 0);
    kernels_choose("portable");
    struct lexed lexed = lexed_whole(LEXER_LUALATEX, text, sizeof text);
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    for (size_t k = 0; lexer_kernel_list(k); k++) {
        if (!lexer_kernel_can_run(k))
            continue;
        kernels_choose(lexer_kernel_list(k));
        for (uint32_t cap = 0; cap <= sizeof text; cap++) {
            uint8_t *const kinds = lexed_alloc(cap, 1); /* sanitizers see what is written behind */
            uint32_t *const starts = lexed_alloc((size_t)cap + 1, sizeof *starts);
            const struct lexer_out out = {.kinds = kinds, .starts = starts, .span_cap = cap};
            const int rc = lexer_run(&options, text, sizeof text, &out, &counts);
            cr_expect_eq(rc == 0, cap >= lexed.counts.n_spans, "%s: room for %u",
                         lexer_kernel_list(k), cap);
            free(kinds);
            free(starts);
        }
    }
    lexed_free(&lexed);
}
