/* Whole numbers in arguments. */
#ifndef L0_BENCH_NUMBER_H
#define L0_BENCH_NUMBER_H

#include <stdint.h>

/* Digits only, the value within [min, max]. 0, or -EINVAL or -ERANGE with *value untouched. */
int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value);

#endif
