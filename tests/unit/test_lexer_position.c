/* Line and column of offsets. */
#include "lexer/position.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct position look_up(const char *text, uint32_t n_lines, uint32_t offset)
{
    const uint32_t n = (uint32_t)strlen(text);
    struct position_index index;
    uint32_t *const words = malloc(position_words(n, n_lines) * sizeof *words);
    position_build(&index, (const uint8_t *)text, n, n_lines, words);
    const struct position position = position_of(&index, offset);
    free(words);
    return position;
}

static void expect(const char *text, uint32_t n_lines, uint32_t offset, uint32_t line,
                   uint32_t column)
{
    const struct position position = look_up(text, n_lines, offset);
    cr_expect(position.line == line && position.column == column, "%s @%u: %u:%u", text, offset,
              position.line, position.column);
}

Test(lexer_position, lines_and_columns)
{
    expect("", 1, 0, 1, 1);
    expect("ab\ncd", 2, 1, 1, 2);
    expect("ab\ncd", 2, 2, 1, 3);
    expect("ab\ncd", 2, 3, 2, 1);
    expect("ab\ncd", 2, 5, 2, 3);
    expect("a\r\nb\rc\n\nd", 5, 3, 2, 1);
    expect("a\r\nb\rc\n\nd", 5, 5, 3, 1);
    expect("a\r\nb\rc\n\nd", 5, 8, 5, 1);
    expect("\xC3\xA9\xE2\x80\x94x", 1, 5, 1, 3);
    /* A byte-order mark at the beginning is no column, elsewhere it is one. */
    expect("\xEF\xBB\xBFxy\nz", 2, 0, 1, 1);
    expect("\xEF\xBB\xBFxy\nz", 2, 3, 1, 1);
    expect("\xEF\xBB\xBFxy\nz", 2, 4, 1, 2);
    expect("\xEF\xBB\xBFxy\nz", 2, 6, 2, 1);
    expect("x\xEF\xBB\xBFy\n\xEF\xBB\xBFz", 2, 4, 1, 3);
    expect("x\xEF\xBB\xBFy\n\xEF\xBB\xBFz", 2, 9, 2, 2);
}

/* Across the strides of the index, against counting. */
Test(lexer_position, long_lines)
{
    enum { N = 5000 };
    char text[N + 1];
    for (uint32_t i = 0; i < N; i += 2)
        memcpy(text + i, i % 1402 == 0 ? "x\n" : "\xC3\xA9", 2);
    text[N] = 0;
    uint32_t line = 1, column = 1;
    for (uint32_t i = 0; i < N; i += 2) {
        expect(text, 5, i, line, column);
        column += 1;
        if (text[i + 1] == '\n') {
            line++;
            column = 1;
        }
    }
}
