/* Every kernel that this processor runs gives what the portable one gives. */
#include <criterion/criterion.h>

#include "tests/kernels/cases.h"

/* With a sanitizer a sample must do: release builds take everything. */
#ifdef L0_SANITIZED
#define EVERY 16u
#else
#define EVERY 1u
#endif

#define CASE_TEST(name)                                                                            \
    Test(lexer_kernels, name)                                                                      \
    {                                                                                              \
        const char *const difference = case_##name((struct cases_sample){.every = EVERY});         \
        cr_expect_null(difference, "%s", difference);                                              \
    }
KERNELS_CASES(CASE_TEST)
