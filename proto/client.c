#include "proto/client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* Linux lets SO_SNDTIMEO bound connect(2) too, for TCP and for a Unix listener with a full backlog,
 * so the descriptor never has to be non-blocking. */
static int set_timeouts(int fd, unsigned timeout_ms)
{
    if (timeout_ms == 0)
        return 0;
    struct timeval limit = {
        .tv_sec = (time_t)(timeout_ms / 1000),
        .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000,
    };
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
        return -errno;
    return 0;
}

/* A connect that a signal interrupted goes on in the kernel; its outcome is the socket's error. */
static int await_connect(int fd, unsigned timeout_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int n;
    do
        n = poll(&wait, 1, timeout_ms == 0 ? -1 : (int)timeout_ms);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : -ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return -errno;
    return -error;
}

static int connect_socket(int fd, const struct sockaddr *address, socklen_t size,
                          unsigned timeout_ms)
{
    for (;;) {
        if (connect(fd, address, size) == 0)
            return 0;
        if (errno == EINTR && address->sa_family == AF_UNIX)
            continue; /* a Unix connect that was interrupted has not begun */
        if (errno == EINTR)
            return await_connect(fd, timeout_ms);
        return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
    }
}

/* One try at one address. The descriptor, or negative errno. */
static int open_socket(const struct sockaddr *address, socklen_t size, unsigned timeout_ms)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = set_timeouts(fd, timeout_ms);
    if (rc == 0)
        rc = connect_socket(fd, address, size, timeout_ms);
    if (rc == 0 && address->sa_family != AF_UNIX) {
        /* Without it the last segment of a document may wait for the acknowledgement of the first.
         */
        int on = 1;
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
            rc = -errno;
    }
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

static int connect_unix(const char *path, unsigned timeout_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t path_bytes = strlen(path);
    if (path_bytes == 0)
        return -EINVAL;
    if (path_bytes >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, path_bytes + 1);
    return open_socket((const struct sockaddr *)&address, sizeof address, timeout_ms);
}

/* Splits "HOST:PORT" or "[HOST]:PORT" at the last colon, in place. */
static int split_host_port(char *text, char **host, char **port)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0')
        return -EINVAL;
    *colon = '\0';
    *port = colon + 1;
    *host = text;
    if (text[0] == '[') {
        if (colon - text < 3 || colon[-1] != ']')
            return -EINVAL;
        colon[-1] = '\0';
        *host = text + 1;
    }
    return 0;
}

static int resolve_error(int code)
{
    if (code == EAI_SYSTEM)
        return -errno;
    return code == EAI_MEMORY ? -ENOMEM : code == EAI_SERVICE ? -EINVAL : -EADDRNOTAVAIL;
}

static int connect_tcp(const char *target, unsigned timeout_ms)
{
    char *text = strdup(target);
    if (text == NULL)
        return -ENOMEM;
    char *host, *port;
    int rc = split_host_port(text, &host, &port);
    struct addrinfo *found = NULL;
    if (rc == 0) {
        struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        int code = getaddrinfo(host, port, &hints, &found);
        if (code != 0)
            rc = resolve_error(code);
    }
    if (found != NULL) {
        for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
            rc = open_socket(a->ai_addr, a->ai_addrlen, timeout_ms);
            if (rc >= 0)
                break;
        }
        freeaddrinfo(found);
    }
    free(text);
    return rc;
}

int l0_connect(const char *target, unsigned timeout_ms)
{
    if (strncmp(target, "unix:", 5) == 0)
        return connect_unix(target + 5, timeout_ms);
    if (strncmp(target, "tcp:", 4) == 0)
        return connect_tcp(target + 4, timeout_ms);
    if (strchr(target, '/') != NULL)
        return connect_unix(target, timeout_ms);
    return connect_tcp(target, timeout_ms);
}

/* Drops n sent bytes from the front of the vector. */
static void advance(struct msghdr *message, size_t n)
{
    while (message->msg_iovlen > 0 && n >= message->msg_iov->iov_len) {
        n -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen > 0) {
        message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + n;
        message->msg_iov->iov_len -= n;
    }
}

int l0_send(int fd, const void *document, uint32_t document_bytes)
{
    uint8_t header[WIRE_HEADER_BYTES];
    wire_put_u32(header, document_bytes);
    /* Header and body in one call, so that a small request is one packet and one wake-up. iovec has
     * no const; the kernel only reads. */
    struct iovec parts[2] = {
        {.iov_base = header, .iov_len = sizeof header},
        {.iov_base = (void *)(uintptr_t)document, .iov_len = document_bytes},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (message.msg_iovlen > 0) {
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (n >= 0)
            advance(&message, (size_t)n);
        else if (errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
    }
    return 0;
}

int l0_recv(int fd, struct wire_reply *reply)
{
    uint8_t bytes[WIRE_REPLY_BYTES];
    size_t had = 0;
    while (had < sizeof bytes) {
        ssize_t n = recv(fd, bytes + had, sizeof bytes - had, 0);
        if (n == 0)
            return -ENODATA;
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        }
        had += (size_t)n;
        /* Something that does not speak the protocol may send less than a reply and wait. */
        if (had >= WIRE_HEADER_BYTES && wire_get_u32(bytes) != WIRE_REPLY_BODY_BYTES)
            return -EBADMSG;
    }
    return wire_decode_reply(bytes, reply);
}

int l0_request(int fd, const void *document, uint32_t document_bytes, struct wire_reply *reply)
{
    int send_rc = l0_send(fd, document, document_bytes);
    if (send_rc == 0)
        return l0_recv(fd, reply);
    if (send_rc != -EPIPE && send_rc != -ECONNRESET)
        return send_rc;
    /* The server may have judged the header alone; its reply lies in our receive queue. */
    if (l0_recv(fd, reply) != 0)
        return send_rc;
    return reply->status == WIRE_OK ? -EBADMSG : 0;
}
