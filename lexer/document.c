#include "lexer/document.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BYTES ((size_t)1 << 16)

static int read_all(struct document *doc, int fd)
{
    size_t capacity_bytes = 0;
    size_t n_bytes = 0;
    for (;;) {
        if (n_bytes == capacity_bytes) {
            const size_t larger = capacity_bytes ? 2 * capacity_bytes : FIRST_BYTES;
            uint8_t *const bytes = realloc(doc->bytes, larger);
            if (!bytes)
                return -ENOMEM;
            doc->bytes = bytes;
            capacity_bytes = larger;
        }
        const ssize_t got = read(fd, doc->bytes + n_bytes, capacity_bytes - n_bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        n_bytes += (size_t)got;
        if (n_bytes > LEXER_INPUT_BYTES_MAX)
            return -EFBIG;
    }
    doc->n_bytes = (uint32_t)n_bytes;
    return 0;
}

int document_open(struct document *doc, const char *path, const struct lexer_options *options)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    *doc = (struct document){.name = is_stdin ? "<stdin>" : path, .options = *options};
    const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = read_all(doc, fd);
    if (!is_stdin)
        close(fd);
    return rc == 0 ? lexer_run(options, doc->bytes, doc->n_bytes, NULL, &doc->counts) : rc;
}

int document_lex(struct document *doc)
{
    const struct lexer_counts counted = doc->counts;
    doc->kinds = malloc((size_t)counted.n_spans + 1);
    doc->starts = malloc(((size_t)counted.n_spans + 1) * sizeof *doc->starts);
    doc->n_issues = counted.n_issues < DOCUMENT_ISSUES_MAX ? counted.n_issues : DOCUMENT_ISSUES_MAX;
    doc->issues = malloc(((size_t)doc->n_issues + 1) * sizeof *doc->issues);
    doc->position_memory =
        malloc(position_words(doc->n_bytes, counted.n_lines) * sizeof *doc->position_memory);
    if (!doc->kinds || !doc->starts || !doc->issues || !doc->position_memory)
        return -ENOMEM;

    const struct lexer_out out = {
        .kinds = doc->kinds,
        .starts = doc->starts,
        .span_cap = counted.n_spans,
        .issues = doc->issues,
        .issue_cap = doc->n_issues,
    };
    const int rc = lexer_run(&doc->options, doc->bytes, doc->n_bytes, &out, &doc->counts);
    assert(rc == 0 && memcmp(&counted, &doc->counts, sizeof counted) == 0);
    position_build(&doc->positions, doc->bytes, doc->n_bytes, counted.n_lines,
                   doc->position_memory);
    return rc;
}

void document_close(struct document *doc)
{
    free(doc->bytes);
    free(doc->kinds);
    free(doc->starts);
    free(doc->issues);
    free(doc->position_memory);
    *doc = (struct document){0};
}
