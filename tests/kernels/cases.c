#include "tests/kernels/cases.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tests/kernels/words.h"
#include "tests/kernels/difference.h"

/* What the bytes under test stand in: text, math, a name, a comment, a control word, UTF-8; the
 * last one is valid UTF-8 alone, so dense that vector code looks at all of it at once. */
static const char *const contexts[] = {
    "a {b} $c$ \\word d 1 2  e\n\nf",
    "\\begin{x}$a_{b}^{c}$ \\\\\n  % \\begin{y} }\n\\end{x}\\",
    "\r\n \r\n\\foo\r\n^a ^^41 ~&#\t\tx\\ y\\  \n\\\n z",
    "\xC3\xA9t\xC3\xA9 \xE4\xB8\xAD\xE6 \xE2\x80\x94 \\\xC3\xA9 \xF0\x9D\x92\x9C\xEF\xBB\xBF",
    "\xC3\xA9\xCE\xB1\xE4\xB8\xAD\xE3\x81\x82\xE2\x80\x94\xD0\xB6\xE2\x80\x9C",
};
#define N_CONTEXTS   (sizeof contexts / sizeof contexts[0])
#define UTF8_CONTEXT (N_CONTEXTS - 1)

#define TEXT_BYTES 208u

static char failure[256];

static void fill(uint8_t *text, uint32_t n, size_t context)
{
    const size_t period = strlen(contexts[context]);
    for (uint32_t i = 0; i < n; i++)
        text[i] = (uint8_t)contexts[context][i % period];
}

static const char *differs(const char *kernel, unsigned regime, const char *what, uint64_t where,
                           const char *difference)
{
    snprintf(failure, sizeof failure, "%s, %s, at %llu, regime %u: %s", kernel, what,
             (unsigned long long)where, regime, difference);
    return failure;
}

void cases_choose_way(unsigned way)
{
    lexed_choose_way(way);
}

const char *cases_difference(unsigned regime, const uint8_t *in, uint32_t n, const char *what,
                             uint64_t where)
{
    for (size_t i = 0; lexer_kernel_list(i); i++) {
        const char *const name = lexer_kernel_list(i);
        if (!kernels_to_compare(i))
            continue;
        const char *const difference = kernels_difference(name, (enum lexer_regime)regime, in, n);
        if (difference)
            return differs(name, regime, what, where, difference);
    }
    return NULL;
}

const char *cases_difference_in_both(const uint8_t *in, uint32_t n, const char *what,
                                     uint64_t where)
{
    const char *const difference = cases_difference(LEXER_LUALATEX, in, n, what, where);
    return difference ? difference : cases_difference(LEXER_PDFLATEX, in, n, what, where);
}

/* P02, in pieces too. */
const char *case_every_byte(struct cases_sample sample)
{
    uint8_t text[TEXT_BYTES];
    const char *difference = NULL;
    for (size_t context = 0; context < N_CONTEXTS; context++) {
        for (uint32_t byte = 0; byte < 256 && !difference; byte++) {
            const uint32_t at = 64 + (byte * 7 + (uint32_t)context * 13) % 64;
            fill(text, sizeof text, context);
            text[at] = (uint8_t)byte;
            difference = cases_difference_in_both(text, sizeof text, "a byte", byte);
        }
        for (uint32_t at = 60; at < 200 && !difference; at++) {
            for (size_t i = (at + sample.first) % sample.every; i < 16 && !difference;
                 i += sample.every) {
                fill(text, sizeof text, context);
                text[at] = (uint8_t) "\\{}$%^ \r\n\t\x7F\xC3\x80~e"[i];
                difference = cases_difference(LEXER_LUALATEX, text, sizeof text, "a byte", at);
            }
        }
    }
    return difference;
}

/* A kernel and the portable one on inputs of up to as many bytes as there is room for, without
 * allocating for each of millions. */
struct couple {
    struct lexed portable, other;
    struct lexer_out portable_out, other_out;
    const char *kernel;
};

static struct couple couple_of(const char *kernel, enum lexer_regime regime, uint32_t n_bytes_max)
{
    struct couple c = {.portable = {.regime = regime}, .other = {.regime = regime}};
    c.portable_out = lexed_out(&c.portable, n_bytes_max);
    c.other_out = lexed_out(&c.other, n_bytes_max);
    c.kernel = kernel;
    return c;
}

static void couple_free(struct couple *c)
{
    lexed_free(&c->portable);
    lexed_free(&c->other);
}

static void spans_into(struct lexed *lexed, const struct lexer_out *out, const char *kernel,
                       const uint8_t *in, uint32_t n)
{
    const struct lexer_options options = lexed_options_of(lexed->regime);
    kernels_choose(kernel);
    if (lexer_run(&options, in, n, out, &lexed->counts) != 0)
        abort();
}

static const char *couple_differs(struct couple *c, const uint8_t *in, uint32_t n)
{
    spans_into(&c->portable, &c->portable_out, "portable", in, n);
    spans_into(&c->other, &c->other_out, c->kernel, in, n);
    return lexed_difference(&c->portable, &c->other);
}

/* Whole, and in some twenty pieces. */
static const char *whole_differs(struct couple *c, const uint8_t *in, uint32_t n)
{
    const char *difference = couple_differs(c, in, n);
    if (difference)
        return difference;
    kernels_choose(c->kernel);
    struct lexed cut = lexed_cut(c->portable.regime, in, n, n / 10 + 1, n | 1);
    difference = lexed_difference(&c->portable, &cut);
    lexed_free(&cut);
    return difference;
}

const char *cases_long_difference(const uint8_t *in, uint32_t n, uint64_t where)
{
    const char *difference = NULL;
    for (unsigned regime = LEXER_LUALATEX; regime <= LEXER_PDFLATEX; regime++) {
        for (size_t i = 0; lexer_kernel_list(i) && !difference; i++) {
            if (!kernels_to_compare(i))
                continue;
            struct couple c = couple_of(lexer_kernel_list(i), (enum lexer_regime)regime, n);
            difference = whole_differs(&c, in, n);
            if (difference)
                difference = differs(c.kernel, regime, "a long document", where, difference);
            couple_free(&c);
        }
    }
    return difference;
}

/* P02: all pairs at all 64 offsets, whole. */
static const char *pairs_with(const char *kernel, enum lexer_regime regime,
                              struct cases_sample sample)
{
    uint8_t text[TEXT_BYTES];
    struct couple c = couple_of(kernel, regime, sizeof text);
    const char *difference = NULL;
    for (uint32_t pair = 0; pair < 65536 && !difference; pair++) {
        for (uint32_t offset = (pair + sample.first) % sample.every; offset < 64 && !difference;
             offset += sample.every) {
            fill(text, sizeof text, (pair + offset) % N_CONTEXTS);
            text[64 + offset] = (uint8_t)(pair >> 8);
            text[65 + offset] = (uint8_t)pair;
            difference = couple_differs(&c, text, sizeof text);
            if (difference)
                difference = differs(kernel, regime, "pair times 64, and offset",
                                     pair * 64 + offset, difference);
        }
    }
    couple_free(&c);
    return difference;
}

static const char *pairs(enum lexer_regime regime, struct cases_sample sample)
{
    const char *difference = NULL;
    for (size_t i = 0; lexer_kernel_list(i) && !difference; i++)
        if (kernels_to_compare(i))
            difference = pairs_with(lexer_kernel_list(i), regime, sample);
    return difference;
}

const char *case_every_pair_lualatex(struct cases_sample sample)
{
    return pairs(LEXER_LUALATEX, sample);
}

const char *case_every_pair_pdflatex(struct cases_sample sample)
{
    return pairs(LEXER_PDFLATEX, sample);
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

/* Code points from code on, behind so many other bytes each: n of them. Not ASCII, behind whose %
 * all would be a comment. */
static const char *code_points_differ(uint8_t *text, uint32_t code, uint32_t n, uint32_t apart)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < apart; k++)
            text[at++] = (uint8_t) "so far "[k % 7];
        if (code + i >= 0x80)
            at += put_utf8(text + at, code + i);
    }
    return cases_difference(LEXER_LUALATEX, text, at, "code points from", code);
}

/* Those that the vector code takes for letters without looking at the table, and all others;
 * surrogates, which are invalid, among them: many of them together, and few and far between, which
 * vector code takes one by one. */
const char *case_every_code_point(struct cases_sample sample)
{
    enum { CHUNK = 1024, FEW = 32, APART = 47 };
    uint8_t *const text = lexed_alloc(CHUNK, 4);
    uint8_t *const far_text = lexed_alloc(FEW, APART + 4);
    const char *difference = NULL;
    for (uint32_t code = 0; code < 0x110000 + CHUNK && !difference; code += CHUNK) {
        /* Beyond the first planes there is nothing that vector code knows. */
        if (code >= 0x30000 && code / CHUNK % sample.every != sample.first)
            continue;
        difference = code_points_differ(text, code, CHUNK, 0);
        for (uint32_t few = 0; few < CHUNK && code < 0x11000 && !difference; few += FEW)
            if (code < 0x3400 || few / FEW % sample.every == sample.first)
                difference = code_points_differ(far_text, code + few, FEW, APART);
    }
    free(text);
    free(far_text);
    return difference;
}

/* Lead bytes with every two bytes behind them (P05). */
const char *case_every_utf8_lead(struct cases_sample sample)
{
    static const uint8_t seconds[] = {'a',  0x7F, 0x80, 0x8F, 0x90, 0x97, 0x9F, 0xA0, 0xA2, 0xA3,
                                      0xB5, 0xB6, 0xB7, 0xB8, 0xBE, 0xBF, 0xC0, 0xC3, 0xE4, 0xFF};
    uint8_t text[TEXT_BYTES];
    const char *difference = NULL;
    for (uint32_t lead = 0x80; lead < 256; lead++) {
        for (uint32_t i = 0; i < sizeof seconds; i++) {
            for (uint32_t j = (lead + i + sample.first) % sample.every;
                 j < sizeof seconds && !difference; j += sample.every) {
                const uint32_t at = 64 + (lead + i * 20 + j) % 64;
                fill(text, sizeof text, (lead + i + j) % 3 ? UTF8_CONTEXT : 0);
                text[at] = (uint8_t)lead;
                text[at + 1] = seconds[i];
                text[at + 2] = seconds[j];
                difference =
                    cases_difference(LEXER_LUALATEX, text, sizeof text, "a lead byte", lead);
            }
        }
    }
    return difference;
}

uint32_t cases_put_text(uint8_t *to, const char *from)
{
    uint32_t n = 0;
    for (; from[n]; n++)
        to[n] = (uint8_t)from[n];
    return n;
}

const char *case_random_words(struct cases_sample sample)
{
    uint8_t text[1200];
    uint64_t seed = 42 + sample.first;
    const char *difference = NULL;
    for (uint32_t turn = 0; turn < 4000 / sample.every && !difference; turn++) {
        const uint32_t n_max = 1 + draw(&seed, (uint32_t)sizeof text);
        const uint32_t n = words_text(text, n_max, &(struct words){0}, &seed);
        cases_choose_way(turn % LEXED_WAYS);
        difference = cases_difference_in_both(text, n, "random words", turn);
    }
    cases_choose_way(1);
    return difference;
}

/* Many braces and formulas, so that what is counted in batches goes below and above the guard. */
const char *case_dense_nesting(struct cases_sample sample)
{
    static const char bytes[] = "{{{}}}$\\n ";
    uint8_t text[500];
    uint64_t seed = 7 + sample.first;
    const char *difference = NULL;
    for (uint32_t turn = 0; turn < 4000 / sample.every && !difference; turn++) {
        const uint32_t n = 100 + draw(&seed, 400);
        const uint32_t n_kinds = 3 + draw(&seed, (uint32_t)(sizeof bytes - 3));
        for (uint32_t i = 0; i < n; i++)
            text[i] = (uint8_t)bytes[draw(&seed, n_kinds)];
        difference = cases_difference(LEXER_LUALATEX, text, n, "braces", turn);
    }
    return difference;
}

/* P01: nothing before or behind the input is touched. */
const char *case_between_unreadable_pages(struct cases_sample sample)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *const pages =
        mmap(NULL, 3 * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page_bytes, page_bytes, PROT_READ | PROT_WRITE))
        abort();
    uint8_t *const page = pages + page_bytes;
    const char *difference = NULL;
    for (uint32_t n = 0; n <= 257; n++) {
        for (size_t context = (n + sample.first) % sample.every; context < N_CONTEXTS;
             context += sample.every) {
            uint8_t *const at_end = page + page_bytes - n;
            fill(at_end, n, context);
            if (!difference)
                difference = cases_difference_in_both(at_end, n, "before a page", n);
            fill(page, n, context);
            if (!difference)
                difference = cases_difference_in_both(page, n, "behind a page", n);
        }
    }
    munmap(pages, 3 * page_bytes);
    return difference;
}

/* P03, P04, P07, P08: one thing only, long. */
static const char *runs_with(const char *kernel, enum lexer_regime regime, uint8_t *text,
                             uint32_t n)
{
    static const char *const runs[] = {
        "\\",           "{",   "}",       "%",    "^^",         "^",    "$", "{}", "$ ",
        "\n",           "\\a", "\\1",     "a1",   "\\begin{a}", "\x01", " ", "\r", "\xFF",
        "\xE4\xB8\xAD", "\\ ", "\\begin", "^^41", "a"};
    struct couple c = couple_of(kernel, regime, n);
    const char *difference = NULL;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0] && !difference; i++) {
        for (uint32_t at = 0; at < n; at++)
            text[at] = (uint8_t)runs[i][at % strlen(runs[i])];
        difference = couple_differs(&c, text, n);
        if (difference)
            difference = differs(kernel, regime, "long runs", i, difference);
    }
    couple_free(&c);
    return difference;
}

const char *case_long_runs(struct cases_sample sample)
{
    (void)sample; /* there are not many */
    const uint32_t n = 20000;
    uint8_t *const text = lexed_alloc(n, 1);
    const char *difference = NULL;
    for (unsigned regime = LEXER_LUALATEX; regime <= LEXER_PDFLATEX; regime++)
        for (size_t i = 0; lexer_kernel_list(i) && !difference; i++)
            if (kernels_to_compare(i))
                difference = runs_with(lexer_kernel_list(i), (enum lexer_regime)regime, text, n);
    free(text);
    return difference;
}

/* What lexing does with room for that many spans. Sanitizers see what is written behind. */
static int run_with_room(const uint8_t *text, uint32_t n, uint32_t span_cap)
{
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    uint8_t *const kinds = lexed_alloc(span_cap, 1);
    uint32_t *const starts = lexed_alloc((size_t)span_cap + 1, sizeof *starts);
    const struct lexer_out out = {.kinds = kinds, .starts = starts, .span_cap = span_cap};
    const int rc = lexer_run(&options, text, n, &out, &counts);
    free(kinds);
    free(starts);
    return rc;
}

/* Room for fewer spans than there are is an error with every kernel, and none too few is not. */
static const char *capacity_of(const uint8_t *text, uint32_t n)
{
    kernels_choose("portable");
    struct lexed lexed = lexed_whole(LEXER_LUALATEX, text, n);
    const char *difference = NULL;
    for (size_t k = 0; lexer_kernel_list(k); k++) {
        if (!lexer_kernel_can_run(k))
            continue;
        kernels_choose(lexer_kernel_list(k));
        for (uint32_t cap = 0; cap <= n && !difference; cap++)
            if ((run_with_room(text, n, cap) == 0) != (cap >= lexed.counts.n_spans))
                difference = differs(lexer_kernel_list(k), LEXER_LUALATEX, "room for spans", cap,
                                     "is enough, or is not");
    }
    lexed_free(&lexed);
    return difference;
}

const char *case_capacity(struct cases_sample sample)
{
    static const char *const beginnings[] = {"", "\\begin{verbatim}\n", "\\endinput\n",
                                             "\\verb|a|\\verb|b|\\lstinline{x}"};
    const char *difference = NULL;
    (void)sample;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0] && !difference; i++) {
        uint8_t text[TEXT_BYTES * 2];
        const uint32_t n = (uint32_t)strlen(beginnings[i]);
        fill(text, sizeof text, 0);
        memcpy(text, beginnings[i], n);
        /* Many spans: lines in such text. */
        for (uint32_t at = n; n > 0 && at < sizeof text; at += 2)
            text[at] = '\n';
        difference = capacity_of(text, sizeof text);
    }
    return difference;
}
