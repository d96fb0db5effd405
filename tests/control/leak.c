/* A control that must fail: shows that a leak is seen, although Criterion reports a pass. */
#include <criterion/criterion.h>

#include <stdlib.h>

Test(control, leaks)
{
    void *volatile block = malloc(64);
    cr_assert_not_null(block);
    block = NULL;
}
