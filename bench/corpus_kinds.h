/* The generators behind corpus_make(), one a kind of document. */
#ifndef L0_BENCH_CORPUS_KINDS_H
#define L0_BENCH_CORPUS_KINDS_H

#include "bench/corpus_text.h"

/* A document is its head, then blocks until it is long enough, then its tail. Every part consists
 * of whole lines and is balanced by itself. */
struct corpus_source {
    const char *name;
    size_t default_bytes;
    uint64_t seed;
    void (*head)(struct corpus_text *t);
    void (*block)(struct corpus_text *t); /* at most a few KB */
    const char *tail;
};

extern const struct corpus_source corpus_perf_smoke_big;
extern const struct corpus_source corpus_edit_window_4kb;
extern const struct corpus_source corpus_macro_dense;
extern const struct corpus_source corpus_cjk_dense;

#endif
