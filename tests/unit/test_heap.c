/* Objects of one shard. */
#include "engine/heap.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(heap, objects_are_zeroed_aligned_and_apart)
{
    enum { N = 500 };
    struct heap *heap = heap_new();
    unsigned char *objects[N];
    cr_assert_not_null(heap);
    for (size_t i = 0; i < N; i++) {
        size_t bytes = 1 + i * 37 % 5000;
        objects[i] = heap_zalloc(heap, 1, bytes);
        cr_assert_not_null(objects[i]);
        cr_assert_eq((uintptr_t)objects[i] % 64, 0);
        for (size_t j = 0; j < bytes; j++)
            cr_assert_eq(objects[i][j], 0);
        memset(objects[i], (int)i, bytes);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 1 + i * 37 % 5000; j++)
            cr_assert_eq(objects[i][j], (unsigned char)i);
    heap_destroy(heap);
}

Test(heap, arrays)
{
    struct heap *heap = heap_new();
    cr_assert_not_null(heap);
    unsigned char *array = heap_zalloc(heap, 1000, 128);
    cr_assert_not_null(array);
    memset(array, 1, 128000);
    heap_destroy(heap);
}

Test(heap, a_product_that_overflows_is_refused)
{
    struct heap *heap = heap_new();
    volatile size_t half = SIZE_MAX / 2 + 2;
    cr_assert_not_null(heap);
    cr_expect_null(heap_zalloc(heap, half, 2));
    cr_expect_null(heap_zalloc(heap, 2, half));
    cr_expect_not_null(heap_zalloc(heap, 1, 1), "it still works");
    heap_destroy(heap);
}

Test(heap, several_at_a_time_and_none)
{
    struct heap *a = heap_new();
    struct heap *b = heap_new();
    char *of_b = heap_zalloc(b, 1, 100);
    cr_assert_not_null(heap_zalloc(a, 1, 100));
    strcpy(of_b, "still here");
    heap_destroy(a);
    cr_expect_str_eq(of_b, "still here");
    heap_destroy(b);
    heap_destroy(NULL);
}
