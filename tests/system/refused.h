/* A start that must be refused: which exit code, and what the message must say. */
#ifndef L0_TESTS_SYSTEM_REFUSED_H
#define L0_TESTS_SYSTEM_REFUSED_H

#include "tests/system/daemon.h"

/* In a prepared directory, whose log is emptied first. says: NULL-terminated texts that the log
 * must contain. */
void refused_start(struct daemon *d, const char *const *args, const char *const *env, int exit_code,
                   const char *const *says);

#define ARGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* The log contains text. */
bool log_says(const struct daemon *d, const char *text);
/* Waits for it, at most 20 s; false: it never came. */
bool log_await(const struct daemon *d, const char *text);

#endif
