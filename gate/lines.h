/* A file as a stream of lines in constant memory. */
#ifndef L0_GATE_LINES_H
#define L0_GATE_LINES_H

#include "gate/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_MAX_BYTES ((size_t)64 * 1024)

/* A piece of a line; not NUL-terminated, may hold NUL bytes. */
struct text_span {
    const char *bytes;
    size_t length;
};

/* Invariant: buffer[begin..end) was read and not yet handed out. */
struct lines {
    const char *path; /* for messages; the caller keeps it alive */
    int fd;
    bool at_end;     /* read returned 0 */
    uint64_t number; /* 1-based number of the line handed out last */
    size_t begin;
    size_t end;
    char *buffer;
};

/* Opens path, "-" for standard input. 0, or -1 with *error set (GATE_USAGE). On success lines_close
 * must follow. */
int lines_open(struct lines *lines, const char *path, struct gate_error *error);
void lines_close(struct lines *lines);

/* The next line without its end (LF or CR LF; the last line may lack it), valid until the next
 * call. 1 with *line set, 0 at the end, -1 with *error set. */
int lines_next(struct lines *lines, struct text_span *line, struct gate_error *error);

/* Sets "PATH:LINE: found 'what' ..., expected ...". `expected` ends the sentence. Returns -1. */
int lines_bad(const struct lines *lines, struct text_span found, const char *expected,
              struct gate_error *error);

/* The span without blanks (space, tab) at its ends. */
struct text_span text_span_trim(struct text_span span);

/* Splits at `delimiter` into at most n_max fields; returns how many there are, even beyond n_max.
 */
size_t text_span_split(struct text_span line, char delimiter, struct text_span *fields,
                       size_t n_max);

bool text_span_equals(struct text_span span, const char *text);

#endif
