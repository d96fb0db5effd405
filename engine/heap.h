/* Objects of one shard: a mimalloc heap that only its own thread uses, freed as a whole.
 * (Sanitizer builds use calloc underneath, since sanitizers do not see into mimalloc.) */
#ifndef L0_ENGINE_HEAP_H
#define L0_ENGINE_HEAP_H

#include <stddef.h>

struct heap;

/* For the calling thread. NULL when memory is short. */
struct heap *heap_new(void);

/* Zeroed, aligned to a cache line; lives until heap_destroy. NULL when memory is short. */
void *heap_zalloc(struct heap *heap, size_t count, size_t size);

/* Frees every object; by the thread that made the heap. */
void heap_destroy(struct heap *heap);

#endif
