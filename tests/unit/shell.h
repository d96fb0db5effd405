/* For tests of programs: a command line of the shell, and what it says. */
#ifndef L0_TESTS_UNIT_SHELL_H
#define L0_TESTS_UNIT_SHELL_H

#include <stddef.h>

/* Runs it and reads its standard output to the end; output gets as much as fits, with a NUL. The
 * exit code, or -1 when a signal ended it. */
int shell_run(const char *line, char *output, size_t bytes);

#endif
