#include "bench/bench.h"

#include "bench/number.h"
#include "gate/outfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

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
