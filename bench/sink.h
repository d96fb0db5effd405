/* A server that throws requests away and answers at once with counts of 0: what is left is the cost
 * of copying bytes through a socket, and of the client. */
#ifndef L0_BENCH_SINK_H
#define L0_BENCH_SINK_H

#include "bench/cores.h"

#include <stdbool.h>
#include <sys/types.h>

/* Serves one connection (server_serve): sleeping while nothing comes, or never. */
void sink_serve(int fd);
void sink_serve_spinning(int fd);

/* One that this process has started as its child. */
struct sink {
    pid_t pid; /* 0: none */
    char directory[32];
    char target[64]; /* its socket's path */
};

/* Starts it, with a thread a connection on these processors, and waits until it listens; no threads
 * may run yet. 0, or negative errno: -ECHILD when it could not (it has said why). */
int sink_start(struct sink *sink, const cpu_set_t *cores, bool spinning);

/* Ends it; one that was never started is left alone. */
void sink_stop(struct sink *sink);

#endif
