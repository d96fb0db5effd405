/* Many pieces of work on all cores, whose output comes in their order. */
#ifndef L0_LEXER_CREW_H
#define L0_LEXER_CREW_H

#include <stddef.h>
#include <stdio.h>

#define CREW_THREADS_MAX 256u

struct crew_job {
    size_t n; /* pieces */
    /* Does piece index, in any thread, writing to its own stream; returns what done() is told. */
    int (*work)(void *context, size_t index, FILE *to);
    /* In the caller's thread, in order: the piece's result and all that it wrote. False: no more is
     * wanted. */
    _Bool (*done)(void *context, size_t index, int result, const char *text, size_t n_bytes);
    void *context;
};

/* 0, or negative errno: no thread could be started, or no memory for what was written. */
int crew_run(const struct crew_job *job, unsigned n_threads);

#endif
