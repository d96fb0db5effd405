#include "lexer/kernel.h"

#include <errno.h>
#include <string.h>

/* The best one first. */
static const struct lexer_kernel *const kernels[] = {
#if defined(__x86_64__)
    &lexer_avx2,
#endif
#if defined(LEXER_HAS_NEON)
    &lexer_neon,
#endif
    &lexer_portable,
};
#define N_KERNELS (sizeof kernels / sizeof kernels[0])

static const struct lexer_kernel *chosen = &lexer_portable;

static const struct lexer_kernel *best_kernel(void)
{
    for (size_t i = 0; i < N_KERNELS; i++)
        if (kernels[i]->can_run())
            return kernels[i];
    return &lexer_portable;
}

static void choose(const struct lexer_kernel *kernel)
{
    if (kernel->prepare)
        kernel->prepare();
    chosen = kernel;
}

int lexer_init(const char *kernel_name)
{
    if (!kernel_name || strcmp(kernel_name, "auto") == 0) {
        choose(best_kernel());
        return 0;
    }
    for (size_t i = 0; i < N_KERNELS; i++) {
        if (strcmp(kernel_name, kernels[i]->name) != 0)
            continue;
        if (!kernels[i]->can_run())
            return -ENOTSUP;
        choose(kernels[i]);
        return 0;
    }
    return -ENOENT;
}

const char *lexer_kernel_name(void)
{
    return chosen->name;
}

bool lexer_kernel_is_simd(void)
{
    return chosen->is_simd;
}

bool lexer_kernel_can_run(size_t index)
{
    return index < N_KERNELS && kernels[index]->can_run();
}

const char *lexer_kernel_list(size_t index)
{
    return index < N_KERNELS ? kernels[index]->name : NULL;
}

const struct lexer_kernel *lexer_kernel(void)
{
    return chosen;
}
