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

void cores_argument(struct argp_state *state, const char *list, cpu_set_t *cores)
{
    cpu_set_t allowed;
    cpu_set_t both;
    if (cores_parse(list, cores) != 0)
        argp_error(state, "--cores: \"%s\" is not a list of processors such as 0,2-3", list);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    CPU_AND(&both, &allowed, cores);
    if (!CPU_EQUAL(&both, cores))
        argp_error(state, "--cores: \"%s\" names processors that this process may not use", list);
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
