#include "bench/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int read_all(FILE *file, struct document *document)
{
    struct stat about;
    if (fstat(fileno(file), &about) != 0)
        return -errno;
    if (S_ISDIR(about.st_mode))
        return -EISDIR;
    if (about.st_size > LEXER_INPUT_BYTES_MAX)
        return -EFBIG;
    size_t cap = (size_t)about.st_size + 1; /* one more, so that growth is noticed */
    uint8_t *bytes = malloc(cap);
    if (bytes == NULL)
        return -ENOMEM;
    size_t had = fread(bytes, 1, cap, file);
    int rc = ferror(file) != 0 ? -EIO : had == cap ? -EFBIG : had == 0 ? -ENODATA : 0;
    if (rc != 0) {
        free(bytes);
        return rc;
    }
    document->bytes = bytes;
    document->n_bytes = (uint32_t)had;
    return 0;
}

int document_load(struct document *document, const char *path, enum lexer_regime regime)
{
    *document = (struct document){.path = path};
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    int rc = read_all(file, document);
    fclose(file);
    if (rc != 0)
        return rc;
    struct lexer_options options = {.regime = regime};
    struct lexer_counts counts;
    rc = lexer_run(&options, document->bytes, document->n_bytes, NULL, &counts);
    if (rc != 0) {
        document_free(document);
        return rc;
    }
    document->n_tokens = counts.n_tokens;
    document->issues_len = counts.n_issues;
    return 0;
}

void document_free(struct document *document)
{
    free(document->bytes);
    document->bytes = NULL;
}

uint64_t document_hash(const struct document *document)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < document->n_bytes; i++)
        hash = (hash ^ document->bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

int document_regime(const char *name)
{
    if (strcmp(name, "lualatex") == 0)
        return LEXER_LUALATEX;
    if (strcmp(name, "pdflatex") == 0)
        return LEXER_PDFLATEX;
    return -ENOENT;
}
