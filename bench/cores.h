/* Lists of processors such as "0,2-3", and pinning to them. */
#ifndef L0_BENCH_CORES_H
#define L0_BENCH_CORES_H

#include <argp.h>
#include <sched.h>
#include <stddef.h>

/* Reads a list. 0, or -EINVAL when it is not one or names a processor that cannot exist. */
int cores_parse(const char *list, cpu_set_t *cores);

/* The value of an option such as --cores: a list of processors that this process may use, or
 * argp_error. */
void cores_argument(struct argp_state *state, const char *name, const char *list, cpu_set_t *cores);

/* The list as text such as "0,2-3", as much of it as has room. */
void cores_print(const cpu_set_t *cores, char *text, size_t bytes);

/* *one is the index-th of them alone, index < CPU_COUNT. */
void cores_nth(const cpu_set_t *cores, unsigned index, cpu_set_t *one);

/* Takes those of `others` out of *cores. */
void cores_remove(cpu_set_t *cores, const cpu_set_t *others);

/* The calling thread (and the threads it will start) runs on these only. 0 or negative errno. */
int cores_pin(const cpu_set_t *cores);

/* The calling thread runs on the index-th of them, counted in a circle. 0 or negative errno. */
int cores_pin_one(const cpu_set_t *cores, unsigned index);

#endif
