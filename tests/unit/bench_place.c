#include "tests/unit/bench_place.h"

#include "tests/unit/shell.h"

#include <criterion/criterion.h>
#include <stdarg.h>

static const char text[] = "\\section{One} $x^2$ % c\n\nTwo.\n";

struct bench_place place;

void bench_place_open(void)
{
    const char *bin = getenv("L0_BIN");
    cr_assert_not_null(realpath(bin != NULL ? bin : "bin", place.bin), "no built programs");
    scratch_open(&place.scratch);
    strcpy(place.document, scratch_write(&place.scratch, "d.tex", text, sizeof text - 1));
    strcpy(place.raw, scratch_path(&place.scratch, "raw"));
    strcpy(place.socket, scratch_path(&place.scratch, "s"));
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    cr_assert_eq(lexer_init(NULL), 0);
    cr_assert_eq(lexer_run(&options, (const uint8_t *)text, sizeof text - 1, NULL, &place.counts),
                 0);
    cr_assert_gt(place.counts.n_tokens, 0);
}

void bench_place_close(void)
{
    scratch_close(&place.scratch);
}

struct bench_outcome bench_run(const char *format, ...)
{
    char arguments[2 * PATH_MAX], line[4 * PATH_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(arguments, sizeof arguments, format, list);
    va_end(list);
    struct bench_outcome outcome = {.code = -1};
    snprintf(line, sizeof line, "%s/%s 2>&1", place.bin, arguments);
    outcome.code = shell_run(line, outcome.output, sizeof outcome.output);
    return outcome;
}

void bench_expect_said(const struct bench_outcome *outcome, const char *part)
{
    cr_expect_not_null(strstr(outcome->output, part), "\"%s\" is missing in:\n%s", part,
                       outcome->output);
}
