/* Line and column of any offset, from an index that is built on demand.
 *
 * Lines count from 1 and end as TeX's do (LF, CR, CR LF). Columns count from 1 in code points: the
 * bytes of the line before the offset that are not UTF-8 continuation bytes (80-BF), in either
 * regime, as editors show the file. A byte-order mark at the beginning is none. */
#ifndef L0_LEXER_POSITION_H
#define L0_LEXER_POSITION_H

#include <stddef.h>
#include <stdint.h>

/* Every so many bytes the index notes the characters so far, so that a look-up reads no more. */
#define POSITION_STRIDE_BYTES 1024u

struct position {
    uint32_t line, column;
};

struct position_index {
    const uint8_t *input;
    uint32_t n_bytes, n_lines;
    const uint32_t *line_starts;  /* n_lines entries */
    const uint32_t *chars_before; /* one for each begun stride, and one */
};

/* Words that position_build() needs for a document of that size (lexer_counts.n_lines). */
size_t position_words(uint32_t n_bytes, uint32_t n_lines);

/* Builds the index in the caller's words, which, like input, must live as long as it. */
void position_build(struct position_index *index, const uint8_t *input, uint32_t n_bytes,
                    uint32_t n_lines, uint32_t *words);

/* offset <= n_bytes; O(log n_lines). */
struct position position_of(const struct position_index *index, uint32_t offset);

#endif
