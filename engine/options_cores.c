#include "engine/options_table.h"

#include <errno.h>
#include <string.h>

int options_cores_allowed(cpu_set_t *cores)
{
    CPU_ZERO(cores);
    return sched_getaffinity(0, sizeof *cores, cores) == 0 ? 0 : -errno;
}

void options_cores_format(const cpu_set_t *cores, char *out, size_t out_bytes)
{
    static const char cut[] = "...";
    size_t used = 0;
    out[0] = '\0';
    for (size_t first = 0; first < CPU_SETSIZE; first++) {
        if (!CPU_ISSET(first, cores))
            continue;
        size_t last = first;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cores))
            last++;
        char run[32];
        int n = last == first
                    ? snprintf(run, sizeof run, "%s%zu", used > 0 ? "," : "", first)
                    : snprintf(run, sizeof run, "%s%zu-%zu", used > 0 ? "," : "", first, last);
        bool fits = used + (size_t)n + sizeof cut <= out_bytes;
        memcpy(out + used, fits ? run : cut, fits ? (size_t)n + 1 : sizeof cut);
        if (!fits)
            return;
        used += (size_t)n;
        first = last;
    }
}

/* The default: as many of the allowed CPUs as there may be shards. */
static void options_cores_all(const cpu_set_t *allowed, cpu_set_t *cores, uint32_t *n_cores)
{
    CPU_ZERO(cores);
    *n_cores = 0;
    for (size_t core = 0; core < CPU_SETSIZE && *n_cores < LIMIT_SHARDS_MAX; core++) {
        if (CPU_ISSET(core, allowed)) {
            CPU_SET(core, cores);
            ++*n_cores;
        }
    }
}

/* Reads a core's number, CPU_SETSIZE for any that is too large; moves *text behind it. False where
 * no digit stands. */
static bool options_cores_number(const char **text, size_t *number)
{
    const char *p = *text;
    *number = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        *number = *number * 10 + (size_t)(*p - '0');
        if (*number > CPU_SETSIZE)
            *number = CPU_SETSIZE;
    }
    bool found = p != *text;
    *text = p;
    return found;
}

int options_cores_parse(const char *text, cpu_set_t *cores, uint32_t *n_cores,
                        char reason[OPTIONS_REASON_BYTES])
{
    cpu_set_t allowed;
    int err = options_cores_allowed(&allowed);
    if (err != 0) {
        snprintf(reason, OPTIONS_REASON_BYTES, "cannot be checked: sched_getaffinity: %s",
                 strerror(-err));
        return -EINVAL;
    }
    if (strcmp(text, "all") == 0) {
        options_cores_all(&allowed, cores, n_cores);
        return 0;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    const char *p = text;
    do {
        if (p != text)
            p++; /* the comma */
        size_t first, last;
        bool good = options_cores_number(&p, &first);
        last = first;
        if (good && *p == '-') {
            p++;
            good = options_cores_number(&p, &last);
        }
        if (!good || last < first || (*p != ',' && *p != '\0')) {
            snprintf(reason, OPTIONS_REASON_BYTES, "is not a list of cores such as 0,2-3");
            return -EINVAL;
        }
        for (size_t core = first; core <= last; core++) {
            if (core >= CPU_SETSIZE || !CPU_ISSET(core, &allowed)) {
                snprintf(reason, OPTIONS_REASON_BYTES,
                         "names a core that does not exist or that this process may not run on");
                return -EINVAL;
            }
            if (CPU_ISSET(core, &set)) {
                snprintf(reason, OPTIONS_REASON_BYTES, "names core %zu twice", core);
                return -EINVAL;
            }
            CPU_SET(core, &set);
        }
    } while (*p != '\0');
    if (CPU_COUNT(&set) > LIMIT_SHARDS_MAX) {
        snprintf(reason, OPTIONS_REASON_BYTES, "names %d cores, more than there may be shards",
                 CPU_COUNT(&set));
        return -EINVAL;
    }
    *cores = set;
    *n_cores = (uint32_t)CPU_COUNT(&set);
    return 0;
}
