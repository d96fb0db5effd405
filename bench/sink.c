#include "bench/sink.h"

#include "bench/server.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)64 << 10)

/* Where in the stream we are: within a header (body_left == 0) or a body. */
struct position {
    uint8_t header[WIRE_HEADER_BYTES];
    size_t header_had;
    uint32_t body_left;
};

/* Answers a frame whose header is complete and that has no bytes left to come. */
static bool answer(int fd, struct position *at)
{
    const struct wire_reply reply = {.status = WIRE_OK, .origin = WIRE_ORIGIN_PRIMARY};
    at->header_had = 0;
    return server_reply(fd, &reply) == 0;
}

/* Walks over n received bytes. False when the stream is over or broken. */
static bool swallow(int fd, struct position *at, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        if (at->header_had < WIRE_HEADER_BYTES) {
            at->header[at->header_had++] = *bytes++;
            n--;
            if (at->header_had < WIRE_HEADER_BYTES)
                continue;
            at->body_left = wire_get_u32(at->header);
            if (at->body_left == 0 || at->body_left > SERVER_REQ_BYTES_MAX)
                return false;
            continue;
        }
        size_t of_body = n < at->body_left ? n : at->body_left;
        bytes += of_body;
        n -= of_body;
        at->body_left -= (uint32_t)of_body;
        if (at->body_left == 0 && !answer(fd, at))
            return false;
    }
    return true;
}

/* ---- connections ---------------------------------------------------------------------------- */

static void serve_with(int fd, size_t (*receive)(int fd, void *buffer, size_t bytes))
{
    uint8_t buffer[BUFFER_BYTES];
    struct position at = {.header_had = 0};
    for (size_t n; (n = receive(fd, buffer, sizeof buffer)) > 0;)
        if (!swallow(fd, &at, buffer, n))
            return;
}

void sink_serve(int fd)
{
    serve_with(fd, server_recv);
}

void sink_serve_spinning(int fd)
{
    serve_with(fd, server_recv_spinning);
}

/* ---- as a process of its own ---------------------------------------------------------------- */

/* In the child: does not return. Ends with the parent, whatever ends that. */
static void become(const struct sink *sink, const cpu_set_t *cores, bool spinning, int ready)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(ready, STDOUT_FILENO) < 0 || cores_pin(cores) != 0)
        _exit(EXIT_FAILURE);
    _exit(server_run(sink->target, spinning ? sink_serve_spinning : sink_serve));
}

/* Whether it says that it listens; it ends otherwise. */
static bool await_ready(int from)
{
    char byte;
    ssize_t n;
    do
        n = read(from, &byte, 1);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

int sink_start(struct sink *sink, const cpu_set_t *cores, bool spinning)
{
    int ends[2];
    *sink = (struct sink){.directory = "/tmp/l0_sink.XXXXXX"};
    if (mkdtemp(sink->directory) == NULL)
        return -errno;
    snprintf(sink->target, sizeof sink->target, "%s/s", sink->directory);
    int rc = pipe(ends) != 0 ? -errno : 0;
    if (rc == 0) {
        fflush(NULL); /* what waits in a buffer is the parent's to write */
        sink->pid = fork();
        if (sink->pid == 0)
            become(sink, cores, spinning, ends[1]);
        rc = sink->pid < 0 ? -errno : 0;
        close(ends[1]);
        if (rc == 0 && !await_ready(ends[0]))
            rc = -ECHILD;
        close(ends[0]);
    }
    if (rc != 0)
        sink_stop(sink);
    return rc;
}

void sink_stop(struct sink *sink)
{
    if (sink->pid > 0 && kill(sink->pid, SIGTERM) == 0)
        while (waitpid(sink->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    unlink(sink->target);
    rmdir(sink->directory);
    *sink = (struct sink){.pid = 0};
}
