#include "gate/format_options.h"

#include "gate/decimal.h"

#include <string.h>

enum {
    OPTION_CSV = 0x100,
    OPTION_COL,
    OPTION_SKIP_HEADER,
    OPTION_DELIM,
};

static const struct argp_option options[] = {
    {"csv", OPTION_CSV, NULL, 0, "Read CSV; without it, one value in ms a line", 1},
    {"col", OPTION_COL, "N|NAME", 0,
     "The column of the latencies: a number from 1 (default 1), or a name in the first line. "
     "Implies --csv",
     1},
    {"skip-header", OPTION_SKIP_HEADER, NULL, 0, "The first line is not data", 1},
    {"delim", OPTION_DELIM, "CHAR", 0,
     "What separates columns: one character (default ','), or \\t. Implies --csv. Quotes have no "
     "meaning",
     1},
    {0},
};

uint64_t format_option_ms(const struct argp_state *state, const char *name, const char *text)
{
    uint64_t value_ps = 0;
    if (decimal_parse(text, strlen(text), GATE_PS_PER_MS_LOG10, &value_ps) != DECIMAL_OK) {
        argp_error(state, "%s: found '%s', expected a time in ms such as 20 or 0.5", name, text);
    }
    return value_ps;
}

uint64_t format_option_count(const struct argp_state *state, const char *name, const char *text)
{
    uint64_t value = 0;
    if (decimal_parse_integer(text, strlen(text), &value) != DECIMAL_OK) {
        argp_error(state, "%s: found '%s', expected a whole number", name, text);
    }
    return value;
}

uint32_t format_option_rate_ppm(const struct argp_state *state, const char *name, const char *text)
{
    size_t length = strlen(text);
    bool percent = length > 0 && text[length - 1] == '%';
    uint64_t ppm = 0;
    if (decimal_parse(text, length - percent, percent ? 4 : 6, &ppm) != DECIMAL_OK ||
        ppm > GATE_PPM) {
        argp_error(state, "%s: found '%s', expected a rate from 0%% to 100%%, such as 2%% or 0.02",
                   name, text);
    }
    return (uint32_t)ppm;
}

/* All digits: a number; anything else: a name. */
static void set_column(const struct argp_state *state, struct sample_format *format,
                       const char *text)
{
    format->csv = true;
    format->column = 0;
    format->column_name = NULL;
    if (strspn(text, "0123456789") != strlen(text)) {
        format->column_name = text;
        return;
    }
    format->column = format_option_count(state, "--col", text);
    if (format->column == 0) {
        argp_error(state, "--col: found '%s', expected a number from 1, or a name", text);
    }
}

static void set_delimiter(const struct argp_state *state, struct sample_format *format,
                          const char *text)
{
    format->csv = true;
    format->delimiter = strcmp(text, "\\t") == 0 ? '\t' : text[0];
    if (format->delimiter == '\0' || (text[1] != '\0' && format->delimiter != '\t')) {
        argp_error(state, "--delim: found '%s', expected one character, or \\t", text);
    }
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct sample_format *format = state->input;
    switch (key) {
    case OPTION_CSV:
        format->csv = true;
        return 0;
    case OPTION_COL:
        set_column(state, format, argument);
        return 0;
    case OPTION_SKIP_HEADER:
        format->skip_header = true;
        return 0;
    case OPTION_DELIM:
        set_delimiter(state, format, argument);
        return 0;
    case ARGP_KEY_END:
        if (format->csv && format->delimiter == '\0') {
            format->delimiter = ',';
        }
        if (format->csv && format->column == 0 && format->column_name == NULL) {
            format->column = 1;
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp format_options_argp = {.options = options, .parser = parse};
