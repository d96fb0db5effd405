#include "bench/hedge_counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "l0_hedge_"

/* Where the series' name and labels end in a line of so many bytes; 0 when it is no sample. */
static size_t series_bytes(const char *line, size_t line_bytes)
{
    size_t n = strcspn(line, " {\n");
    if (n < line_bytes && line[n] == '{') {
        const char *end = memchr(line + n, '}', line_bytes - n);
        if (end == NULL)
            return 0;
        n = (size_t)(end - line) + 1;
    }
    return n < line_bytes && line[n] == ' ' ? n : 0;
}

static void add_line(json_t *counters, const char *line, size_t line_bytes)
{
    size_t n = series_bytes(line, line_bytes);
    if (n == 0)
        return;
    char *end;
    errno = 0;
    double value = strtod(line + n, &end);
    if (end == line + n || errno != 0 || !(value >= 0 && value < 1e15))
        return;
    json_object_setn_new(counters, line, n, json_integer((json_int_t)value));
}

json_t *hedge_counters_parse(const char *text)
{
    json_t *counters = json_object();
    while (counters != NULL && *text != '\0') {
        size_t line_bytes = strcspn(text, "\n");
        if (strncmp(text, PREFIX, sizeof PREFIX - 1) == 0)
            add_line(counters, text, line_bytes);
        text += line_bytes + (text[line_bytes] == '\n');
    }
    return counters;
}

json_t *hedge_counters_difference(json_t *before, json_t *after)
{
    json_t *difference = json_object();
    const char *name;
    json_t *value;
    json_object_foreach(after, name, value)
    {
        const json_t *old = json_object_get(before, name);
        json_int_t grown = json_integer_value(value) - json_integer_value(old);
        if (old != NULL && grown >= 0)
            json_object_set_new(difference, name, json_integer(grown));
    }
    return difference;
}
