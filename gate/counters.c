#include "gate/counters.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int read_counter(struct counter *counter, const json_t *object, const char *key,
                        const char *path, struct gate_error *error)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value)) {
        return 0;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return gate_error_set(error, GATE_DATA,
                              "%s: \"%s\" is not a counter, expected a whole number or null", path,
                              key);
    }
    *counter = (struct counter){true, (uint64_t)json_integer_value(value)};
    return 0;
}

int counters_load(struct counters *counters, const char *path, struct gate_error *error)
{
    *counters = (struct counters){0};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return gate_error_set(error, GATE_USAGE, "%s: cannot open: %s", path, strerror(errno));
    }
    json_error_t cause;
    json_t *object = json_loadf(file, JSON_REJECT_DUPLICATES, &cause);
    bool unreadable = ferror(file) != 0;
    fclose(file);
    int result = 0;
    if (unreadable) {
        result = gate_error_set(error, GATE_USAGE, "%s: cannot read", path);
    } else if (object == NULL) {
        result = gate_error_set(error, GATE_DATA, "%s:%d: not JSON: %s, expected a run summary",
                                path, cause.line, cause.text);
    } else if (!json_is_object(object)) {
        result = gate_error_set(error, GATE_DATA, "%s: found JSON, expected an object", path);
    } else if (read_counter(&counters->requests, object, "requests", path, error) != 0 ||
               read_counter(&counters->errors, object, "errors", path, error) != 0 ||
               read_counter(&counters->hedges_fired, object, "hedges_fired", path, error) != 0) {
        result = -1;
    }
    json_decref(object);
    return result;
}
