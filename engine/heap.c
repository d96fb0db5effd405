#include "engine/heap.h"

#include <mimalloc.h>
#include <stdint.h>
#include <stdlib.h>

#define HEAP_ALIGN_BYTES 64

#ifdef L0_SANITIZED

struct heap_node {
    struct heap_node *next;
    _Alignas(HEAP_ALIGN_BYTES) unsigned char object[];
};

struct heap {
    struct heap_node *nodes;
};

struct heap *heap_new(void)
{
    return calloc(1, sizeof(struct heap));
}

void *heap_zalloc(struct heap *heap, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    bytes =
        (sizeof(struct heap_node) + bytes + HEAP_ALIGN_BYTES - 1) & ~(size_t)(HEAP_ALIGN_BYTES - 1);
    struct heap_node *node = aligned_alloc(HEAP_ALIGN_BYTES, bytes);
    if (node == NULL)
        return NULL;
    __builtin_memset(node, 0, bytes);
    node->next = heap->nodes;
    heap->nodes = node;
    return node->object;
}

void heap_destroy(struct heap *heap)
{
    if (heap == NULL)
        return;
    while (heap->nodes != NULL) {
        struct heap_node *next = heap->nodes->next;
        free(heap->nodes);
        heap->nodes = next;
    }
    free(heap);
}

#else

struct heap {
    mi_heap_t *objects;
};

struct heap *heap_new(void)
{
    mi_heap_t *objects = mi_heap_new();
    if (objects == NULL)
        return NULL;
    struct heap *heap = mi_heap_zalloc(objects, sizeof *heap);
    if (heap == NULL)
        mi_heap_destroy(objects);
    else
        heap->objects = objects;
    return heap;
}

void *heap_zalloc(struct heap *heap, size_t count, size_t size)
{
    return mi_heap_calloc_aligned(heap->objects, count, size, HEAP_ALIGN_BYTES);
}

void heap_destroy(struct heap *heap)
{
    if (heap != NULL)
        mi_heap_destroy(heap->objects); /* heap itself lives in it */
}

#endif
