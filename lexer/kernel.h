/* The seam between the lexer's interface and its kernels, one file each. All kernels leave the same
 * output behind, byte for byte, and the same struct lexer, as far as it means something there. */
#ifndef L0_LEXER_KERNEL_H
#define L0_LEXER_KERNEL_H

#include "lexer/lexer.h"

struct lexer_kernel {
    const char *name;
    bool is_simd;
    bool (*can_run)(void); /* processor and operating system support it */
    void (*prepare)(void); /* makes its tables, before the first run(); or NULL */
    /* Lexes from lx->pos on what the bytes [0, have) decide. 0 or -ENOSPC. */
    int (*run)(struct lexer *lx, const uint8_t *input, uint32_t have);
};

extern const struct lexer_kernel lexer_portable;
#if defined(__x86_64__)
extern const struct lexer_kernel lexer_avx2;
#endif
#if defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LEXER_HAS_NEON 1
extern const struct lexer_kernel lexer_neon;
#endif

/* The portable kernel until lx->pos >= until (<= have), for what the others have no faster way for;
 * but for watched commands, which are taken whole where that can be (lexer_take_command()).
 * LEXER_STEP_DONE, LEXER_STEP_MORE if a unit cannot be told yet, or -ENOSPC (lexer/step.h). */
int lexer_portable_until(struct lexer *lx, const uint8_t *input, uint32_t have, uint32_t until);

/* The one chosen by lexer_init(); the portable one before. */
const struct lexer_kernel *lexer_kernel(void);

#endif
