#include "gate/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

int gate_error_set(struct gate_error *error, enum gate_exit code, const char *format, ...)
{
    assert(code != GATE_PASS);
    if (error->code != GATE_PASS) {
        return -1;
    }
    error->code = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return -1;
}
