#include "lexer/position.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "lexer/step.h"

size_t position_words(uint32_t n_bytes, uint32_t n_lines)
{
    return (size_t)n_lines + n_bytes / POSITION_STRIDE_BYTES + 1;
}

static uint32_t count_chars(const uint8_t *input, uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < to; i++)
        n += (input[i] & 0xC0) != 0x80;
    return n;
}

void position_build(struct position_index *index, const uint8_t *input, uint32_t n_bytes,
                    uint32_t n_lines, uint32_t *words)
{
    uint32_t *line_starts = words;
    uint32_t *chars_before = words + n_lines;
    uint32_t at = 0;
    for (uint32_t line = 0; line < n_lines; line++) {
        line_starts[line] = at;
        at = lexer_find_line_end(input, at, n_bytes);
        if (at < n_bytes)
            at += at + 1 < n_bytes && input[at] == '\r' && input[at + 1] == '\n' ? 2 : 1;
    }
    assert(at == n_bytes);
    uint32_t n_chars = 0;
    for (uint32_t i = 0; i <= n_bytes / POSITION_STRIDE_BYTES; i++) {
        const uint32_t from = i * POSITION_STRIDE_BYTES;
        const uint32_t left = n_bytes - from;
        chars_before[i] = n_chars;
        n_chars += count_chars(
            input, from, from + (left < POSITION_STRIDE_BYTES ? left : POSITION_STRIDE_BYTES));
    }
    *index = (struct position_index){.input = input,
                                     .n_bytes = n_bytes,
                                     .n_lines = n_lines,
                                     .line_starts = line_starts,
                                     .chars_before = chars_before};
}

/* A byte-order mark at the beginning, which is no column. */
static bool has_mark(const uint8_t *input, uint32_t n_bytes)
{
    return n_bytes >= 3 && memcmp(input, "\xEF\xBB\xBF", 3) == 0;
}

static uint32_t chars_before(const struct position_index *index, uint32_t offset)
{
    const uint32_t stride = offset / POSITION_STRIDE_BYTES;
    return index->chars_before[stride] +
           count_chars(index->input, stride * POSITION_STRIDE_BYTES, offset);
}

struct position position_of(const struct position_index *index, uint32_t offset)
{
    uint32_t low = 0, high = index->n_lines; /* the line is one of low … high - 1 */
    assert(offset <= index->n_bytes && index->n_lines > 0);
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (index->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    const bool behind_mark = low == 0 && offset > 0 && has_mark(index->input, index->n_bytes);
    return (struct position){
        .line = low + 1,
        .column = 1 + chars_before(index, offset) - chars_before(index, index->line_starts[low]) -
                  behind_mark,
    };
}
