#include "bench/cores.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads a processor's number at *text and moves behind it. The number, or -EINVAL. */
static int parse_number(const char **text)
{
    if (**text < '0' || **text > '9')
        return -EINVAL;
    char *end;
    unsigned long number = strtoul(*text, &end, 10);
    *text = end;
    return number < CPU_SETSIZE ? (int)number : -EINVAL;
}

int cores_parse(const char *list, cpu_set_t *cores)
{
    CPU_ZERO(cores);
    for (;;) {
        int first = parse_number(&list), last = first;
        if (*list == '-') {
            list++;
            last = parse_number(&list);
        }
        if (first < 0 || last < first)
            return -EINVAL;
        for (int core = first; core <= last; core++)
            CPU_SET((size_t)core, cores);
        if (*list == '\0')
            return 0;
        if (*list++ != ',')
            return -EINVAL;
    }
}

void cores_argument(struct argp_state *state, const char *name, const char *list, cpu_set_t *cores)
{
    cpu_set_t allowed;
    cpu_set_t both;
    if (cores_parse(list, cores) != 0)
        argp_error(state, "%s: \"%s\" is not a list of processors such as 0,2-3", name, list);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    CPU_AND(&both, &allowed, cores);
    if (!CPU_EQUAL(&both, cores))
        argp_error(state, "%s: \"%s\" names processors that this process may not use", name, list);
}

void cores_print(const cpu_set_t *cores, char *text, size_t bytes)
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t first = 0; first < CPU_SETSIZE && n < bytes; first++) {
        if (!CPU_ISSET(first, cores))
            continue;
        size_t last = first;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cores))
            last++;
        n += (size_t)snprintf(text + n, bytes - n, last > first ? "%s%zu-%zu" : "%s%zu",
                              n > 0 ? "," : "", first, last);
        first = last;
    }
}

void cores_nth(const cpu_set_t *cores, unsigned index, cpu_set_t *one)
{
    CPU_ZERO(one);
    for (size_t core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, cores) && index-- == 0) {
            CPU_SET(core, one);
            return;
        }
    }
}

void cores_remove(cpu_set_t *cores, const cpu_set_t *others)
{
    for (size_t core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, others))
            CPU_CLR(core, cores);
}

int cores_pin(const cpu_set_t *cores)
{
    return sched_setaffinity(0, sizeof *cores, cores) == 0 ? 0 : -errno;
}

int cores_pin_one(const cpu_set_t *cores, unsigned index)
{
    cpu_set_t one;
    cores_nth(cores, index % (unsigned)CPU_COUNT(cores), &one);
    return cores_pin(&one);
}
