/* Fuzzes the lexer in both regimes, with and without the context layer: what must hold for any
 * input, and that cuts change nothing. */
#include "tests/unit/test_lexer_support.h"

static void require(const char *problem)
{
    if (!problem)
        return;
    fprintf(stderr, "fuzz_lexer: %s\n", problem);
    abort();
}

static void check(enum lexer_regime regime, const uint8_t *in, uint32_t n)
{
    uint64_t seed = 1;
    for (uint32_t i = 0; i < n; i++)
        seed = (seed << 7 | seed >> 57) ^ in[i];
    struct lexed whole = lexed_whole(regime, in, n);
    require(lexed_broken(&whole, in, n));
    const uint32_t max_pieces[] = {1, 7, 100};
    for (size_t i = 0; i < sizeof max_pieces / sizeof max_pieces[0]; i++) {
        struct lexed cut = lexed_cut(regime, in, n, max_pieces[i], seed | 1);
        require(lexed_difference(&whole, &cut));
        lexed_free(&cut);
    }
    lexed_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    /* At the exact size on the heap, so that a byte read behind it is seen. */
    uint8_t *const in = lexed_alloc(n_bytes, 1);
    if (n_bytes > 0)
        memcpy(in, data, n_bytes);
    lexed_choose_way((unsigned)n_bytes % LEXED_WAYS);
    check(LEXER_LUALATEX, in, (uint32_t)n_bytes);
    check(LEXER_PDFLATEX, in, (uint32_t)n_bytes);
    free(in);
    return 0;
}
