/* A document to send, and what the lexer in this process says about it. */
#ifndef L0_BENCH_DOCUMENT_H
#define L0_BENCH_DOCUMENT_H

#include "lexer/lexer.h"

#include <stdint.h>

struct document {
    const char *path;  /* the caller's */
    uint8_t *bytes;    /* owned (malloc) */
    uint32_t n_bytes;  /* at least 1 */
    uint32_t n_tokens; /* counted in process, count mode */
    uint32_t issues_len;
};

/* Reads and lexes the file; lexer_init() was called. 0 or negative errno: -ENODATA for an empty
 * file, -EFBIG above the lexer's limit. document_free is due after success only. */
int document_load(struct document *document, const char *path, enum lexer_regime regime);
void document_free(struct document *document);

/* Tells documents of the same size apart: FNV-1a (Fowler, Noll and Vo) of 64 bits. */
uint64_t document_hash(const struct document *document);

/* The regime of this name ("lualatex", "pdflatex"), or -ENOENT. */
int document_regime(const char *name);

#endif
