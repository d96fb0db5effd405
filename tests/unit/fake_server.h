/* A server of the test's own on a Unix socket in a scratch directory: a thread for each connection
 * runs the test's function. That function must not use Criterion's assertions. */
#ifndef L0_TESTS_UNIT_FAKE_SERVER_H
#define L0_TESTS_UNIT_FAKE_SERVER_H

#include "proto/wire.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FAKE_SERVER_CONNS 64

struct fake_server {
    int listener;
    pthread_t acceptor;
    char target[128]; /* "unix:PATH" */
    void (*serve)(int fd);
};

struct fake_server_conn {
    const struct fake_server *server;
    int fd;
};

static inline void *fake_server_connection(void *argument)
{
    const struct fake_server_conn *conn = argument;
    conn->server->serve(conn->fd);
    close(conn->fd);
    return NULL;
}

static inline void *fake_server_accept(void *argument)
{
    struct fake_server *server = argument;
    struct fake_server_conn conns[FAKE_SERVER_CONNS];
    pthread_t threads[FAKE_SERVER_CONNS];
    size_t n = 0;
    for (int fd; n < FAKE_SERVER_CONNS && (fd = accept(server->listener, NULL, NULL)) >= 0; n++) {
        conns[n] = (struct fake_server_conn){.server = server, .fd = fd};
        if (pthread_create(&threads[n], NULL, fake_server_connection, &conns[n]) != 0) {
            close(fd);
            break;
        }
    }
    while (n > 0)
        pthread_join(threads[--n], NULL);
    return NULL;
}

/* Listens at path. */
static inline void fake_server_start(struct fake_server *server, const char *path,
                                     void (*serve)(int fd))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cr_assert_lt(strlen(path), sizeof address.sun_path);
    strcpy(address.sun_path, path);
    snprintf(server->target, sizeof server->target, "unix:%s", path);
    server->serve = serve;
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(server->listener, 0);
    cr_assert_eq(bind(server->listener, (const struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(server->listener, 128), 0);
    cr_assert_eq(pthread_create(&server->acceptor, NULL, fake_server_accept, server), 0);
}

/* Ends when all clients have left. */
static inline void fake_server_stop(struct fake_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
}

/* For the test's function: receives a whole frame and drops it. The document's length, 0 at the end
 * of the stream. */
static inline uint32_t fake_server_take(int fd)
{
    uint8_t header[WIRE_HEADER_BYTES], dropped[4096];
    if (recv(fd, header, sizeof header, MSG_WAITALL) != (ssize_t)sizeof header)
        return 0;
    uint32_t bytes = wire_get_u32(header);
    for (uint32_t left = bytes; left > 0;) {
        ssize_t n = recv(fd, dropped, left < sizeof dropped ? left : sizeof dropped, 0);
        if (n <= 0)
            return 0;
        left -= (uint32_t)n;
    }
    return bytes;
}

static inline void fake_server_reply(int fd, struct wire_reply reply)
{
    uint8_t bytes[WIRE_REPLY_BYTES];
    wire_encode_reply(bytes, &reply);
    (void)!send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
}

#endif
