#include "bench/bench.h"

#include "bench/number.h"
#include "gate/outfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int bench_complain(int exit_code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("l0-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return exit_code;
}

uint64_t bench_number(struct argp_state *state, const char *what, const char *text, uint64_t min,
                      uint64_t max)
{
    uint64_t value = 0;
    if (number_parse(text, min, max, &value) != 0)
        argp_error(state, "%s: \"%s\" is not a whole number from %llu to %llu", what, text,
                   (unsigned long long)min, (unsigned long long)max);
    return value;
}

int bench_flush(void)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        return bench_complain(BENCH_INPUT, "standard output: %s", strerror(errno));
    return BENCH_OK;
}

int bench_print_json(json_t *json)
{
    if (json == NULL)
        return bench_complain(BENCH_INPUT, "the JSON: %s (or a name that is not UTF-8)",
                              strerror(ENOMEM));
    json_dumpf(json, stdout, BENCH_JSON_FLAGS);
    json_decref(json);
    putchar('\n');
    return bench_flush();
}

int bench_write_json(json_t *json, const char *path)
{
    struct outfile out;
    int rc = json == NULL ? -ENOMEM : outfile_open(&out, path);
    if (rc == 0) {
        bool written = json_dumpf(json, out.stream, BENCH_JSON_FLAGS) == 0;
        fputc('\n', out.stream);
        rc = outfile_commit(&out);
        if (rc == 0 && !written)
            rc = -EIO;
    }
    json_decref(json);
    return rc;
}
