#include "bench/cores.h"

#include <errno.h>
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

int cores_pin(const cpu_set_t *cores)
{
    return sched_setaffinity(0, sizeof *cores, cores) == 0 ? 0 : -errno;
}

int cores_pin_one(const cpu_set_t *cores, unsigned index)
{
    index %= (unsigned)CPU_COUNT(cores);
    for (size_t core = 0; core < CPU_SETSIZE; core++) {
        if (!CPU_ISSET(core, cores) || index-- > 0)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(core, &one);
        return cores_pin(&one);
    }
    return -EINVAL;
}
