/* A blocking server with a thread per connection: the frame of the two baselines. */
#ifndef L0_BENCH_SERVER_H
#define L0_BENCH_SERVER_H

#include "proto/wire.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Connections beyond it are closed at once. */
#define SERVER_CONNS_MAX 4096

/* The largest document, as the engine's default. */
#define SERVER_REQ_BYTES_MAX (UINT32_C(4) << 20)

/* Serves one connection until the peer leaves or the stream is broken; does not close fd. Runs on a
 * thread of its own. */
typedef void server_serve(int fd);

/* Main of such a program: parses --unix PATH, --cores LIST and --help, listens, prints "ready" and
 * a line end on standard output, serves until SIGTERM or SIGINT, removes its socket. The exit code:
 * 0 after a signal, 2 when it could not listen, 64 usage. */
int server_main(int argc, char **argv, const char *doc, server_serve *serve);

/* Listens on the path, prints "ready" as above, and serves until SIGTERM or SIGINT; its threads run
 * where the caller does. The exit code. Once a process. */
int server_run(const char *unix_path, server_serve *serve);

/* recv without EINTR: bytes received, 0 at the end of the stream or an error. */
size_t server_recv(int fd, void *buffer, size_t bytes);

/* The same without ever sleeping, for a thread with a processor of its own. */
size_t server_recv_spinning(int fd, void *buffer, size_t bytes);

/* Sends a reply in one call. 0, or -1 when the peer is gone. */
int server_reply(int fd, const struct wire_reply *reply);

#endif
