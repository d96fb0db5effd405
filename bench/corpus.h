/* The corpus: LaTeX documents made by a deterministic generator, the same bytes on every machine.
 *
 * Their lines are built combinatorially, so that nearly all of them are distinct: a file that
 * repeats a few hundred lines flatters the branch predictor. By static reading (no \verb, no
 * catcode changes) they hold no error: braces, $ and environments balance, in verbatim text too. */
#ifndef L0_BENCH_CORPUS_H
#define L0_BENCH_CORPUS_H

#include <stddef.h>

enum corpus_kind {
    CORPUS_PERF_SMOKE_BIG,  /* prose, heavy math, tables, macros, comments, UTF-8, verbatim, ^^ */
    CORPUS_EDIT_WINDOW_4KB, /* the same in small: what an editor has around its cursor */
    CORPUS_MACRO_DENSE,     /* a package source: definitions, conditionals, \expandafter */
    CORPUS_CJK_DENSE,       /* Chinese, Japanese, Korean, Greek and Cyrillic text */
    CORPUS_KIND_COUNT
};

/* The document's name, such as "perf_smoke_big"; its file is called NAME.tex. */
const char *corpus_name(enum corpus_kind kind);

size_t corpus_default_bytes(enum corpus_kind kind);

/* The kind with this name, or -ENOENT. */
int corpus_find(const char *name);

/* Makes a complete document of exactly the given number of bytes in *text (malloc; the caller
 * frees; not terminated). 0, -ERANGE when that is too small for the frame of such a document or
 * more than 1 GiB, -ENOMEM. */
int corpus_make(enum corpus_kind kind, size_t bytes, char **text);

#endif
