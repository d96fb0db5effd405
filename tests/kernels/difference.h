/* One kernel against the portable one on one input. Header only, for tests and the fuzz target. */
#ifndef L0_TESTS_KERNELS_DIFFERENCE_H
#define L0_TESTS_KERNELS_DIFFERENCE_H

#include "tests/unit/test_lexer_support.h"

static inline void kernels_choose(const char *name)
{
    if (lexer_init(name) != 0)
        abort();
}

/* Whether the kernel at index runs here and is another one than the portable. */
static inline bool kernels_to_compare(size_t index)
{
    return lexer_kernel_can_run(index) && strcmp(lexer_kernel_list(index), "portable") != 0;
}

/* Whether it differs where there is room for so few issues. */
static inline bool kernels_list_differs(const char *kernel, enum lexer_regime regime,
                                        const uint8_t *in, uint32_t n, uint32_t issue_cap)
{
    kernels_choose("portable");
    struct lexed portable = lexed_listing(regime, in, n, issue_cap);
    kernels_choose(kernel);
    struct lexed other = lexed_listing(regime, in, n, issue_cap);
    const bool differs = lexed_difference(&portable, &other) != NULL;
    lexed_free(&other);
    lexed_free(&portable);
    return differs;
}

/* What differs when the kernel lexes the input whole, counting, and in pieces of several sizes;
 * NULL if nothing does. */
static inline const char *kernels_difference(const char *kernel, enum lexer_regime regime,
                                             const uint8_t *in, uint32_t n)
{
    static const uint32_t max_pieces[] = {5, 100, 300};
    uint64_t seed = 1;
    for (uint32_t i = 0; i < n; i++)
        seed = (seed << 7 | seed >> 57) ^ in[i];
    kernels_choose("portable");
    struct lexed portable = lexed_whole(regime, in, n);
    kernels_choose(kernel);
    struct lexed whole = lexed_whole(regime, in, n);
    const char *difference = lexed_difference(&portable, &whole);
    const struct lexer_counts counted = lexed_counts(regime, in, n);
    if (!difference && memcmp(&counted, &portable.counts, sizeof counted) != 0)
        difference = "counts without spans differ";
    if (!difference && kernels_list_differs(kernel, regime, in, n, (uint32_t)(seed >> 8) % 40))
        difference = "with a short list of issues the result differs";
    for (size_t i = 0; i < sizeof max_pieces / sizeof max_pieces[0] && !difference; i++) {
        struct lexed cut = lexed_cut(regime, in, n, max_pieces[i], seed | 1);
        if (lexed_difference(&portable, &cut))
            difference = "in pieces the result differs";
        lexed_free(&cut);
    }
    lexed_free(&whole);
    lexed_free(&portable);
    kernels_choose("portable");
    return difference;
}

#endif
