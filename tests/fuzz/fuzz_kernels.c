/* Fuzzes every kernel that runs here against the portable one: the same output, whole and in
 * pieces, in both regimes and modes, with and without the context layer. */
#include "tests/kernels/difference.h"

static void require(const char *kernel, const char *problem)
{
    if (!problem)
        return;
    fprintf(stderr, "fuzz_kernels: %s: %s\n", kernel, problem);
    abort();
}

static void check(enum lexer_regime regime, const uint8_t *in, uint32_t n)
{
    for (size_t i = 0; lexer_kernel_list(i); i++)
        if (kernels_to_compare(i))
            require(lexer_kernel_list(i), kernels_difference(lexer_kernel_list(i), regime, in, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* The first byte says what stands before the rest: documents that are shorter than a block would
 * never reach the vector code, and its offset in the block should vary. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const char filling[] = "word \\word {word} word 1 $x$\n%\n";
    if (n_bytes == 0)
        return 0;
    const uint32_t before = data[0] & 63, behind = data[0] & 64 ? 160 : data[0] & 128 ? 70 : 0;
    const uint32_t n = before + (uint32_t)n_bytes - 1 + behind;
    /* At the exact size on the heap, so that a byte read behind it is seen. */
    uint8_t *const in = lexed_alloc(n, 1);
    for (uint32_t i = 0; i < n; i++)
        in[i] = (uint8_t)filling[(i + n) % (sizeof filling - 1)];
    memcpy(in + before, data + 1, n_bytes - 1);
    lexed_choose_way((data[0] ^ n) % LEXED_WAYS);
    check(LEXER_LUALATEX, in, n);
    check(LEXER_PDFLATEX, in, n);
    free(in);
    return 0;
}
