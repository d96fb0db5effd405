#include "bench/service_metrics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The value of a sample line "NAME[{labels}] VALUE" if it belongs to that name; else negative. */
static double value_of(const char *line, size_t line_bytes, const char *name)
{
    size_t name_bytes = strlen(name);
    if (line_bytes <= name_bytes || strncmp(line, name, name_bytes) != 0)
        return -1;
    const char *at = line + name_bytes;
    if (*at == '{') {
        /* Label values of the series read here hold no braces. */
        at = memchr(at, '}', line_bytes - name_bytes);
        if (at == NULL)
            return -1;
        at++;
    }
    if (*at != ' ' || at >= line + line_bytes)
        return -1;
    char *end;
    errno = 0;
    double value = strtod(at, &end);
    return end == at || errno != 0 || !isfinite(value) ? -1 : value;
}

bool service_metrics_sum(const char *text, const char *name, double *total)
{
    bool found = false;
    *total = 0;
    while (*text != '\0') {
        size_t line_bytes = strcspn(text, "\n");
        double value = value_of(text, line_bytes, name);
        if (value >= 0 && value < 1e18) {
            *total += value;
            found = true;
        }
        text += line_bytes + (text[line_bytes] == '\n');
    }
    return found;
}

/* Whole numbers are exact in a double up to 2^53. */
static bool sum(const char *text, const char *name, uint64_t *total)
{
    double value = 0;
    bool found = service_metrics_sum(text, name, &value);
    *total = (uint64_t)value;
    return found;
}

struct service_metrics service_metrics_parse(const char *text)
{
    struct service_metrics m = {0};
    m.known = sum(text, "l0_requests_total", &m.requests) &&
              sum(text, "l0_hedge_fired_total", &m.hedges_fired) &&
              sum(text, "l0_hedge_wins_total", &m.hedge_wins);
    return m;
}

struct service_metrics service_metrics_difference(const struct service_metrics *before,
                                                  const struct service_metrics *after,
                                                  uint64_t n_requests)
{
    if (!before->known || !after->known || after->requests < before->requests ||
        after->requests - before->requests != n_requests ||
        after->hedges_fired < before->hedges_fired || after->hedge_wins < before->hedge_wins)
        return (struct service_metrics){.known = false};
    return (struct service_metrics){
        .known = true,
        .requests = n_requests,
        .hedges_fired = after->hedges_fired - before->hedges_fired,
        .hedge_wins = after->hedge_wins - before->hedge_wins,
    };
}
