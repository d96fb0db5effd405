#include "bench/server.h"

#include "bench/cores.h"

#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { EXIT_LISTEN = 2, EXIT_USAGE = 64, KEY_UNIX = 256, KEY_CORES };

struct server;

/* fd is -1 while the slot is free. A connection's thread closes its fd and frees the slot under the
 * lock, so that shutting down never meets a number that was used again. */
struct slot {
    struct server *server;
    int fd;
};

struct server {
    const char *program;
    const char *unix_path;
    server_serve *serve;
    pthread_mutex_t lock;
    pthread_cond_t left; /* a connection has ended */
    unsigned n_live;
    struct slot slots[SERVER_CONNS_MAX];
};

size_t server_recv(int fd, void *buffer, size_t bytes)
{
    ssize_t n;
    do
        n = recv(fd, buffer, bytes, 0);
    while (n < 0 && errno == EINTR);
    return n > 0 ? (size_t)n : 0;
}

size_t server_recv_spinning(int fd, void *buffer, size_t bytes)
{
    ssize_t n;
    do
        n = recv(fd, buffer, bytes, MSG_DONTWAIT);
    while (n < 0 && (errno == EINTR || errno == EAGAIN));
    return n > 0 ? (size_t)n : 0;
}

int server_reply(int fd, const struct wire_reply *reply)
{
    uint8_t bytes[WIRE_REPLY_BYTES];
    wire_encode_reply(bytes, reply);
    for (size_t sent = 0; sent < sizeof bytes;) {
        ssize_t n = send(fd, bytes + sent, sizeof bytes - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            sent += (size_t)n;
    }
    return 0;
}

static void end_connection(struct slot *slot)
{
    struct server *server = slot->server;
    pthread_mutex_lock(&server->lock);
    close(slot->fd);
    slot->fd = -1;
    server->n_live--;
    pthread_cond_signal(&server->left);
    pthread_mutex_unlock(&server->lock);
}

static void *connection(void *argument)
{
    struct slot *slot = argument;
    slot->server->serve(slot->fd);
    end_connection(slot);
    return NULL;
}

static struct slot *take_slot(struct server *server, int fd)
{
    struct slot *found = NULL;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < SERVER_CONNS_MAX && found == NULL; i++)
        if (server->slots[i].fd < 0)
            found = &server->slots[i];
    if (found != NULL) {
        found->fd = fd;
        server->n_live++;
    }
    pthread_mutex_unlock(&server->lock);
    return found;
}

static void accept_one(struct server *server, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return; /* the peer is gone, or descriptors are short: poll asks again */
    struct slot *slot = take_slot(server, fd);
    if (slot == NULL) {
        close(fd);
        return;
    }
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (pthread_create(&thread, &detached, connection, slot) != 0)
        end_connection(slot);
    pthread_attr_destroy(&detached);
}

static int fail(const struct server *server, const char *what)
{
    fprintf(stderr, "%s: %s: %s%s\n", server->program, what, strerror(errno),
            errno == EADDRINUSE ? " (remove it, or choose another --unix PATH)" : "");
    return -1;
}

/* The listening socket, or -1 after a message. */
static int listen_unix(const struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t path_bytes = strlen(server->unix_path);
    if (path_bytes >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return fail(server, server->unix_path);
    }
    memcpy(address.sun_path, server->unix_path, path_bytes + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(server, "socket");
    mode_t old = umask(0177);
    int rc = bind(fd, (const struct sockaddr *)&address, sizeof address);
    umask(old);
    if (rc != 0 || listen(fd, 1024) != 0) {
        fail(server, server->unix_path);
        if (rc == 0)
            unlink(server->unix_path);
        close(fd);
        return -1;
    }
    return fd;
}

/* Accepts until a signal arrives. */
static void accept_all(struct server *server, int listener, int signals)
{
    struct pollfd events[2] = {{.fd = listener, .events = POLLIN},
                               {.fd = signals, .events = POLLIN}};
    for (;;) {
        if (poll(events, 2, -1) < 0 && errno != EINTR)
            return;
        if (events[1].revents != 0)
            return;
        if (events[0].revents != 0)
            accept_one(server, listener);
    }
}

/* Wakes every connection's thread and waits until all have ended. */
static void end_all(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < SERVER_CONNS_MAX; i++)
        if (server->slots[i].fd >= 0)
            shutdown(server->slots[i].fd, SHUT_RDWR);
    while (server->n_live > 0)
        pthread_cond_wait(&server->left, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

int server_run(const char *unix_path, server_serve *serve)
{
    static struct server one = {
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .left = PTHREAD_COND_INITIALIZER,
    };
    struct server *server = &one;
    server->program = program_invocation_short_name;
    server->unix_path = unix_path;
    server->serve = serve;
    for (size_t i = 0; i < SERVER_CONNS_MAX; i++)
        server->slots[i] = (struct slot){.server = server, .fd = -1};
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    int signals = signalfd(-1, &stop, SFD_CLOEXEC);
    if (signals < 0) {
        fail(server, "signalfd");
        return EXIT_LISTEN;
    }
    int listener = listen_unix(server);
    if (listener >= 0) {
        puts("ready");
        fflush(stdout);
        accept_all(server, listener, signals);
        unlink(server->unix_path);
        close(listener);
        end_all(server);
    }
    close(signals);
    return listener >= 0 ? 0 : EXIT_LISTEN;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    const char **unix_path = state->input;
    cpu_set_t cores;
    switch (key) {
    case KEY_UNIX:
        *unix_path = arg;
        return 0;
    case KEY_CORES:
        if (cores_parse(arg, &cores) != 0 || cores_pin(&cores) != 0)
            argp_error(state, "--cores: \"%s\" is not a list of processors of this process", arg);
        return 0;
    case ARGP_KEY_END:
        if (*unix_path == NULL)
            argp_error(state, "--unix PATH is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int server_main(int argc, char **argv, const char *doc, server_serve *serve)
{
    static const struct argp_option options[] = {
        {.name = "unix", .key = KEY_UNIX, .arg = "PATH", .doc = "Listen on this Unix socket"},
        {.name = "cores",
         .key = KEY_CORES,
         .arg = "LIST",
         .doc = "Run on these processors only, such as 0,2-3"},
        {0},
    };
    const struct argp argp = {.options = options, .parser = parse, .doc = doc};
    const char *unix_path = NULL;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &unix_path);
    return server_run(unix_path, serve);
}
