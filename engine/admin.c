#include "engine/admin.h"

#include "engine/address.h"
#include "engine/clock.h"
#include "engine/limits.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* MHD runs inside our own loop (its external epoll mode), not in a thread of its own: its timeout
 * is one of inactivity, which a byte now and then renews, and only the thread that runs MHD may cut
 * a connection without racing against the close and reuse of its descriptor. For the same reason we
 * accept: the loop knows when a connection began, and leaves the others in the backlog when full.
 */

/* fd is -1 while the place is free. From STARTED to CLOSED of MHD's notification fd is open. */
struct admin_conn {
    int fd;
    bool cut;
    uint64_t deadline_ns;
};

struct admin {
    struct admin_view view;
    struct MHD_Daemon *http;
    pthread_t thread;
    int listener;
    int wake;  /* eventfd: the thread shall end */
    int epoll; /* MHD's */
    uint16_t port;
    uint32_t n_conns;
    struct admin_conn conns[LIMIT_ADMIN_CONNS];
    uint64_t accept_again_ns; /* after a failed accept */
    int tail_err;             /* the last one reported */
};

/* A reply under construction. text belongs to it when owned, else it is a constant. */
struct answer {
    unsigned status;
    const char *type;
    const char *text;
    size_t bytes;
    bool owned;
};

struct route {
    const char *path;
    bool post; /* POST, else GET and HEAD */
    void (*fill)(struct admin *admin, const char *method, struct answer *answer);
};

/* ---- what each path answers ---- */

static void set_text(struct answer *answer, unsigned status, const char *text)
{
    *answer = (struct answer){status, "text/plain; charset=utf-8", text, strlen(text), false};
}

/* Takes text, from malloc; NULL means that memory was short. */
static void set_owned(struct answer *answer, const char *type, char *text, size_t bytes)
{
    if (text == NULL)
        set_text(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
    else
        *answer = (struct answer){MHD_HTTP_OK, type, text, bytes, true};
}

static void fill_metrics(struct admin *admin, const char *method, struct answer *answer)
{
    (void)method;
    const struct admin_view *view = &admin->view;
    size_t bytes = 0;
    char *text = metrics_format(view->metrics, view->n_shards, &view->build, &bytes);
    set_owned(answer, "text/plain; version=0.0.4; charset=utf-8", text, bytes);
}

static void fill_healthz(struct admin *admin, const char *method, struct answer *answer)
{
    (void)admin;
    (void)method;
    set_text(answer, MHD_HTTP_OK, "ok\n");
}

static void fill_readyz(struct admin *admin, const char *method, struct answer *answer)
{
    (void)method;
    if (atomic_load_explicit(admin->view.ready, memory_order_acquire))
        set_text(answer, MHD_HTTP_OK, "ready\n");
    else
        set_text(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n");
}

/* A failure to write the file is reported once, not at every request. */
static void write_tail_file(struct admin *admin)
{
    const struct admin_view *view = &admin->view;
    if (view->tail_csv == NULL || view->tail_csv[0] == '\0')
        return;
    int err = tail_write_csv(view->tails, view->n_shards, view->tail_k, view->tail_csv);
    if (err != 0 && err != admin->tail_err)
        fprintf(stderr, "l0-lexd: cannot write the tail file %s: %s\n", view->tail_csv,
                strerror(-err));
    admin->tail_err = err;
}

static void fill_tail(struct admin *admin, const char *method, struct answer *answer)
{
    const struct admin_view *view = &admin->view;
    size_t bytes = 0;
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0)
        write_tail_file(admin);
    char *text = tail_format_csv(view->tails, view->n_shards, view->tail_k, &bytes);
    set_owned(answer, "text/csv; charset=utf-8; header=present", text, bytes);
}

static void fill_reset(struct admin *admin, const char *method, struct answer *answer)
{
    (void)method;
    for (uint32_t i = 0; i < admin->view.n_shards; i++)
        tail_reset(admin->view.tails[i]);
    set_text(answer, MHD_HTTP_OK, "reset\n");
}

static const struct route routes[] = {
    {"/metrics", false, fill_metrics}, {"/healthz", false, fill_healthz},
    {"/readyz", false, fill_readyz},   {"/tail.csv", false, fill_tail},
    {"/tail/reset", true, fill_reset},
};

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}

static bool method_fits(const struct route *route, const char *method)
{
    if (route->post)
        return strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* ---- what MHD calls ---- */

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct answer *answer,
                                   const char *allow)
{
    /* MHD's parameter is not const for either mode; a persistent buffer is only read. */
    void *text = (void *)(uintptr_t)answer->text;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->bytes, text, answer->owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        if (answer->owned)
            free(text);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_NO;
    if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type) == MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES &&
        (allow == NULL ||
         MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow) == MHD_YES))
        result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response); /* drops our reference */
    return result;
}

/* First called when the headers are in, then for each piece of a body, last without one. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **request)
{
    struct admin *admin = context;
    (void)version;
    (void)upload;
    if (*request == NULL) {
        *request = admin; /* seen */
        return MHD_YES;
    }
    if (*upload_bytes > 0) {
        *upload_bytes = 0; /* discarded */
        return MHD_YES;
    }
    struct answer answer;
    const char *allow = NULL;
    const struct route *route = find_route(url);
    if (route == NULL) {
        set_text(&answer, MHD_HTTP_NOT_FOUND, "not found\n");
    } else if (!method_fits(route, method)) {
        allow = route->post ? "POST" : "GET, HEAD";
        set_text(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n");
    } else {
        route->fill(admin, method, &answer);
    }
    return send_answer(connection, &answer, allow);
}

/* Leaves %-sequences as they are: decoded, "/metrics%00x" would compare equal to "/metrics". */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct admin *admin = context;
    struct admin_conn *conn = *socket_context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        assert(conn != NULL && conn->fd >= 0);
        conn->fd = -1;
        admin->n_conns--;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    assert(info != NULL && admin->n_conns < LIMIT_ADMIN_CONNS);
    for (conn = admin->conns; conn->fd >= 0;)
        conn++;
    assert(conn < admin->conns + LIMIT_ADMIN_CONNS);
    *conn = (struct admin_conn){
        .fd = info->connect_fd,
        .deadline_ns = clock_now_ns() + LIMIT_ADMIN_CONN_MS * CLOCK_NS_PER_MS,
    };
    admin->n_conns++;
    *socket_context = conn;
}

/* ---- the thread ---- */

/* MHD sees the shutdown as the end of the connection and closes it; linger 0 makes that a reset, so
 * that no unread reply stays in the kernel. */
static void cut_overdue(struct admin *admin, uint64_t now_ns)
{
    for (struct admin_conn *c = admin->conns; c < admin->conns + LIMIT_ADMIN_CONNS; c++) {
        if (c->fd < 0 || c->cut || now_ns < c->deadline_ns)
            continue;
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        (void)shutdown(c->fd, SHUT_RDWR);
        c->cut = true;
    }
}

/* ms that poll may wait: until the next deadline, or as long as MHD says. */
static int wait_ms(struct admin *admin, uint64_t now_ns)
{
    uint64_t until_ns = UINT64_MAX;
    for (const struct admin_conn *c = admin->conns; c < admin->conns + LIMIT_ADMIN_CONNS; c++)
        if (c->fd >= 0 && !c->cut && c->deadline_ns < until_ns)
            until_ns = c->deadline_ns;
    if (admin->accept_again_ns > now_ns && admin->accept_again_ns < until_ns)
        until_ns = admin->accept_again_ns;
    MHD_UNSIGNED_LONG_LONG http_ms = 0;
    if (MHD_get_timeout(admin->http, &http_ms) == MHD_YES) {
        uint64_t http_ns = now_ns + (uint64_t)http_ms * CLOCK_NS_PER_MS;
        if (http_ns < until_ns)
            until_ns = http_ns;
    }
    if (until_ns == UINT64_MAX)
        return -1;
    if (until_ns <= now_ns)
        return 0;
    uint64_t ms = (until_ns - now_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS;
    return (int)(ms < LIMIT_ADMIN_CONN_MS ? ms : LIMIT_ADMIN_CONN_MS);
}

/* What a slow reader leaves unread stays with MHD, whose connection we cut, but for a small rest in
 * the kernel, which gives up by itself. Advisory: without them the connection only lingers longer.
 */
static void bound_unread(int fd)
{
    const int send_bytes = LIMIT_ADMIN_CONN_BYTES;
    const unsigned timeout_ms = LIMIT_ADMIN_CONN_MS;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static void accept_some(struct admin *admin)
{
    while (admin->n_conns < LIMIT_ADMIN_CONNS) {
        struct sockaddr_storage peer;
        socklen_t peer_bytes = sizeof peer;
        int fd = accept4(admin->listener, (struct sockaddr *)&peer, &peer_bytes,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                admin->accept_again_ns = clock_now_ns() + LIMIT_ACCEPT_BACKOFF_MS * CLOCK_NS_PER_MS;
            return;
        }
        bound_unread(fd);
        /* MHD owns fd now, and has closed it if it refuses. */
        (void)MHD_add_connection(admin->http, fd, (struct sockaddr *)&peer, peer_bytes);
    }
}

static void *serve(void *context)
{
    struct admin *admin = context;
    for (;;) {
        uint64_t now_ns = clock_now_ns();
        cut_overdue(admin, now_ns);
        bool may_accept = admin->n_conns < LIMIT_ADMIN_CONNS && now_ns >= admin->accept_again_ns;
        struct pollfd fds[] = {
            {.fd = admin->wake, .events = POLLIN},
            {.fd = admin->epoll, .events = POLLIN},
            {.fd = may_accept ? admin->listener : -1, .events = POLLIN},
        };
        (void)poll(fds, sizeof fds / sizeof *fds, wait_ms(admin, now_ns));
        if (fds[0].revents != 0)
            return NULL;
        if (fds[2].revents != 0)
            accept_some(admin);
        (void)MHD_run(admin->http);
    }
}

/* ---- start and stop ---- */

static int open_listener(struct admin *admin, const struct sockaddr_storage *address,
                         socklen_t address_bytes)
{
    const int on = 1;
    int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    admin->listener = socket(address->ss_family, type, 0);
    if (admin->listener < 0 ||
        setsockopt(admin->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return -errno;
    if (address->ss_family == AF_INET6 &&
        setsockopt(admin->listener, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
        return -errno;
    struct sockaddr_storage bound = {0};
    socklen_t bound_bytes = sizeof bound;
    if (bind(admin->listener, (const struct sockaddr *)address, address_bytes) != 0 ||
        listen(admin->listener, LIMIT_ADMIN_CONNS) != 0 ||
        getsockname(admin->listener, (struct sockaddr *)&bound, &bound_bytes) != 0)
        return -errno;
    admin->port = address_port(&bound);
    return 0;
}

static int start_http(struct admin *admin)
{
    admin->http =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, admin,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_ADMIN_CONNS,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_ADMIN_CONN_BYTES,
                         MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
                         MHD_OPTION_NOTIFY_CONNECTION, on_connection, admin, MHD_OPTION_END);
    if (admin->http == NULL)
        return -ENOMEM;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(admin->http, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL)
        return -ENOTSUP;
    admin->epoll = info->epoll_fd;
    return 0;
}

/* The thread takes no signals: they are for those who wait for them. */
static int start_thread(struct admin *admin)
{
    sigset_t all;
    pthread_attr_t attr;
    sigfillset(&all);
    int err = pthread_attr_init(&attr);
    if (err != 0)
        return -err;
    err = pthread_attr_setsigmask_np(&attr, &all);
    if (err == 0)
        err = pthread_create(&admin->thread, &attr, serve, admin);
    pthread_attr_destroy(&attr);
    if (err == 0)
        (void)pthread_setname_np(admin->thread, "l0-admin");
    return -err;
}

/* Everything but the thread; what was not opened is NULL or -1. */
static void destroy(struct admin *admin)
{
    if (admin->http != NULL)
        MHD_stop_daemon(admin->http);
    if (admin->listener >= 0)
        close(admin->listener);
    if (admin->wake >= 0)
        close(admin->wake);
    free(admin);
}

int admin_start(struct admin **out, const char *address, bool allow_remote,
                const struct admin_view *view)
{
    struct sockaddr_storage parsed;
    socklen_t parsed_bytes;
    if (address_parse(address, &parsed, &parsed_bytes) != 0) {
        fprintf(stderr, "l0-lexd: the admin address is not numeric with a port "
                        "(allowed: IPV4:PORT or [IPV6]:PORT)\n");
        return -EINVAL;
    }
    if (!allow_remote && !address_is_loopback(&parsed)) {
        fprintf(stderr,
                "l0-lexd: the admin address %s is not loopback, and the admin server asks "
                "for no password: give --admin-allow-remote if this is meant\n",
                address);
        return -EACCES;
    }
    struct admin *admin = calloc(1, sizeof *admin);
    int err = -ENOMEM;
    if (admin == NULL)
        goto out;
    admin->view = *view;
    admin->listener = -1;
    for (int i = 0; i < LIMIT_ADMIN_CONNS; i++)
        admin->conns[i].fd = -1;
    admin->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    err = admin->wake < 0 ? -errno : open_listener(admin, &parsed, parsed_bytes);
    if (err == 0)
        err = start_http(admin);
    if (err == 0)
        err = start_thread(admin);
    if (err != 0)
        destroy(admin);
    else
        *out = admin;
out:
    if (err != 0)
        fprintf(stderr, "l0-lexd: cannot serve the admin address %s: %s\n", address,
                strerror(-err));
    return err;
}

uint16_t admin_port(const struct admin *admin)
{
    return admin->port;
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL)
        return;
    const uint64_t one = 1;
    ssize_t n = write(admin->wake, &one, sizeof one);
    assert(n == sizeof one);
    (void)n;
    pthread_join(admin->thread, NULL);
    destroy(admin);
}
