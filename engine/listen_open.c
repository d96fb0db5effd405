#include "engine/listener.h"

#include "engine/address.h"
#include "engine/limits.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* 0: nothing is in the way any more. */
static int listener_clear_path(const struct sockaddr_un *addr, const char **why)
{
    struct stat st;
    if (lstat(addr->sun_path, &st) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode)) {
        *why = "something that is not a socket is there, and is left alone "
               "(fix: another --unix path, or remove it yourself)";
        return -EEXIST;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 ? 0 : errno;
    (void)close(fd);
    if (rc == ECONNREFUSED) /* its process is dead */
        return unlink(addr->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
    if (rc == ENOENT)
        return 0;
    if (rc == 0 || rc == EAGAIN) { /* EAGAIN: alive with a full backlog */
        *why = "already running: a live server answers there "
               "(fix: stop it, or give another --unix path)";
        return -EADDRINUSE;
    }
    *why = "a socket is there that cannot be probed, and is left alone "
           "(fix: another --unix path, or remove it yourself)";
    return -EEXIST;
}

int listener_open_unix(const char *path, uint32_t mode, const char **why)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof addr.sun_path) {
        *why = "a Unix socket's path has at most 107 bytes";
        return -ENAMETOOLONG;
    }
    memcpy(addr.sun_path, path, strlen(path) + 1);
    *why = "";
    int rc = listener_clear_path(&addr, why);
    if (rc != 0)
        return rc;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* The file gets the socket's own mode less the umask: never a moment wider than asked for. */
    if (fchmod(fd, mode) != 0 || bind(fd, (const struct sockaddr *)&addr, sizeof addr) != 0)
        goto failed;
    /* A umask may have taken bits away that were asked for. */
    if (chmod(path, mode) != 0 || listen(fd, LIMIT_LISTEN_BACKLOG) != 0) {
        int error = errno;
        (void)unlink(path);
        errno = error;
        goto failed;
    }
    return fd;
failed:
    rc = -errno;
    (void)close(fd);
    return rc;
}

/* A bound stream socket, or negative errno. */
static int listener_bind_tcp(const struct sockaddr_storage *addr, socklen_t addr_bytes,
                             bool reuse_port)
{
    const int on = 1;
    int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!reuse_port || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
        bind(fd, (const struct sockaddr *)addr, addr_bytes) == 0)
        return fd;
    int rc = -errno;
    (void)close(fd);
    return rc;
}

int listener_open_tcp(const char *address, bool exclusive, const char **why)
{
    struct sockaddr_storage addr;
    socklen_t addr_bytes;
    *why = "";
    if (address_parse(address, &addr, &addr_bytes) != 0) {
        *why = "not a numeric ADDR:PORT or [ADDR]:PORT";
        return -EINVAL;
    }
    int rc = 0;
    if (exclusive && (rc = listener_bind_tcp(&addr, addr_bytes, false)) >= 0)
        (void)close(rc); /* only a probe: without SO_REUSEPORT it fails where anyone listens */
    if (rc >= 0)
        rc = listener_bind_tcp(&addr, addr_bytes, true);
    if (rc >= 0 && listen(rc, LIMIT_LISTEN_BACKLOG) != 0) {
        int error = errno;
        (void)close(rc);
        rc = -error;
    }
    if (rc == -EADDRINUSE)
        *why =
            "already running: another socket listens there (fix: stop it, or another --tcp port)";
    return rc;
}

void listener_name_tcp(int fd, char *text, size_t text_bytes)
{
    struct sockaddr_storage addr = {0};
    socklen_t addr_bytes = sizeof addr;
    char host[INET6_ADDRSTRLEN + 16] = "?";
    char port[16] = "?";
    if (getsockname(fd, (struct sockaddr *)&addr, &addr_bytes) == 0)
        (void)getnameinfo((const struct sockaddr *)&addr, addr_bytes, host, sizeof host, port,
                          sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(text, text_bytes, addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
