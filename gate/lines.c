#include "gate/lines.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for one line of the allowed length and its end. */
#define BUFFER_BYTES (LINES_MAX_BYTES + 2)

/* A message shows this many bytes of what was found. */
#define SHOWN_BYTES 40

int lines_open(struct lines *lines, const char *path, struct gate_error *error)
{
    *lines = (struct lines){.path = path, .fd = -1};
    lines->buffer = malloc(BUFFER_BYTES);
    if (lines->buffer == NULL) {
        return gate_error_set(error, GATE_USAGE, "%s: out of memory", path);
    }
    bool standard_input = strcmp(path, "-") == 0;
    lines->fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (lines->fd < 0) {
        int cause = errno;
        free(lines->buffer);
        lines->buffer = NULL;
        return gate_error_set(error, GATE_USAGE, "%s: cannot open: %s", path, strerror(cause));
    }
    return 0;
}

void lines_close(struct lines *lines)
{
    if (lines->fd > STDIN_FILENO) {
        close(lines->fd);
    }
    free(lines->buffer);
    *lines = (struct lines){.fd = -1};
}

/* Reads more behind buffer[begin..end), which it moves to the front. 0 or -1. */
static int lines_fill(struct lines *lines, struct gate_error *error)
{
    memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
    lines->end -= lines->begin;
    lines->begin = 0;
    assert(lines->end < BUFFER_BYTES);
    ssize_t n_read;
    do {
        n_read = read(lines->fd, lines->buffer + lines->end, BUFFER_BYTES - lines->end);
    } while (n_read < 0 && errno == EINTR);
    if (n_read < 0) {
        return gate_error_set(error, GATE_USAGE, "%s: cannot read: %s", lines->path,
                              strerror(errno));
    }
    lines->at_end = n_read == 0;
    lines->end += (size_t)n_read;
    return 0;
}

static int lines_too_long(const struct lines *lines, struct gate_error *error)
{
    return gate_error_set(error, GATE_DATA,
                          "%s:%llu: found a line of more than %zu bytes, expected a line of text",
                          lines->path, (unsigned long long)lines->number, LINES_MAX_BYTES);
}

int lines_next(struct lines *lines, struct text_span *line, struct gate_error *error)
{
    size_t searched = 0;
    size_t length;
    size_t taken;
    for (;;) {
        const char *start = lines->buffer + lines->begin;
        size_t had = lines->end - lines->begin;
        const char *newline = memchr(start + searched, '\n', had - searched);
        if (newline != NULL) {
            length = (size_t)(newline - start);
            taken = length + 1;
            break;
        }
        if (lines->at_end) {
            if (had == 0) {
                return 0;
            }
            length = taken = had;
            break;
        }
        if (had == BUFFER_BYTES) {
            lines->number++;
            return lines_too_long(lines, error);
        }
        searched = had;
        if (lines_fill(lines, error) != 0) {
            return -1;
        }
    }
    lines->number++;
    *line = (struct text_span){lines->buffer + lines->begin, length};
    lines->begin += taken;
    if (line->length > 0 && line->bytes[line->length - 1] == '\r') {
        line->length--;
    }
    return line->length > LINES_MAX_BYTES ? lines_too_long(lines, error) : 1;
}

int lines_bad(const struct lines *lines, struct text_span found, const char *expected,
              struct gate_error *error)
{
    char shown[SHOWN_BYTES * 4 + 1];
    size_t used = 0;
    size_t n_shown = found.length < SHOWN_BYTES ? found.length : SHOWN_BYTES;
    for (size_t i = 0; i < n_shown; i++) {
        unsigned char c = (unsigned char)found.bytes[i];
        if (c >= 0x20 && c < 0x7f) {
            shown[used++] = (char)c;
        } else {
            used += (size_t)snprintf(shown + used, sizeof shown - used, "\\x%02x", c);
        }
    }
    shown[used] = '\0';
    return gate_error_set(error, GATE_DATA, "%s:%llu: found %s'%s'%s, expected %s", lines->path,
                          (unsigned long long)lines->number, found.length == 0 ? "nothing " : "",
                          shown, found.length > n_shown ? "..." : "", expected);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct text_span text_span_trim(struct text_span span)
{
    while (span.length > 0 && is_blank(span.bytes[0])) {
        span.bytes++;
        span.length--;
    }
    while (span.length > 0 && is_blank(span.bytes[span.length - 1])) {
        span.length--;
    }
    return span;
}

size_t text_span_split(struct text_span line, char delimiter, struct text_span *fields,
                       size_t n_max)
{
    const char *end = line.bytes + line.length;
    const char *start = line.bytes;
    for (size_t n = 1;; n++) {
        const char *stop = memchr(start, delimiter, (size_t)(end - start));
        if (n <= n_max) {
            fields[n - 1] = (struct text_span){start, (size_t)((stop ? stop : end) - start)};
        }
        if (stop == NULL) {
            return n;
        }
        start = stop + 1;
    }
}

bool text_span_equals(struct text_span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.bytes, text, span.length) == 0;
}
