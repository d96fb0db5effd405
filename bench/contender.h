/* A server that is started for a run and ended after it: a command of the shell that listens on the
 * Unix socket named in L0_UNIX and ends on SIGTERM. */
#ifndef L0_BENCH_CONTENDER_H
#define L0_BENCH_CONTENDER_H

#include <stdbool.h>
#include <sys/types.h>

struct contender {
    pid_t pid; /* leader of a process group of its own; 0: none */
};

/* SIGINT and SIGTERM wait, from here on in this process: whoever starts contenders ends them before
 * it goes. contender_interrupted tells whether one has come. */
void contender_hold_signals(void);
bool contender_interrupted(void);

/* Starts the command with L0_UNIX=socket_path, its output going to log_path, and waits until it
 * listens. 0; -EINTR when interrupted, -ECHILD when it ended by itself, -ETIMEDOUT when it did not
 * listen in time, or another negative errno: then it is gone. */
int contender_start(struct contender *contender, const char *command, const char *socket_path,
                    const char *log_path);

/* SIGTERM, and after some seconds SIGKILL, to all of its group. 0, or -EIO when the command did not
 * end by itself with exit code 0 or by that SIGTERM. */
int contender_stop(struct contender *contender);

#endif
