#include "tests/system/daemon.h"

#include "lexer/lexer.h"
#include "proto/wire.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DAEMON_START_MS = 60000, DAEMON_STOP_MS = 30000, DAEMON_ARGS = 64 };

extern char **environ;

static uint64_t daemon_now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void daemon_sleep_ms(unsigned ms)
{
    (void)poll(NULL, 0, (int)ms);
}

/* ---- start --------------------------------------------------------------------------------- */

void daemon_prepare(struct daemon *d)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    *d = (struct daemon){.dir = "/tmp/l0-test-XXXXXX", .pid = -1, .notify_fd = -1};
    cr_assert_not_null(mkdtemp(d->dir));
    (void)snprintf(d->unix_path, sizeof d->unix_path, "%s/s", d->dir);
    (void)snprintf(d->tail_csv, sizeof d->tail_csv, "%s/tail.csv", d->dir);
    (void)snprintf(d->log_path, sizeof d->log_path, "%s/log", d->dir);
    (void)snprintf(addr.sun_path, sizeof addr.sun_path, "%s/notify", d->dir);
    d->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(d->notify_fd, 0);
    cr_assert_eq(bind(d->notify_fd, (struct sockaddr *)&addr, sizeof addr), 0);
}

static void daemon_set_environment(const struct daemon *d, const char *const *env)
{
    char notify[160];
    for (char **e = environ; *e != NULL;) {
        char name[64];
        size_t n = strcspn(*e, "=");
        if (strncmp(*e, "L0_", 3) == 0 && n < sizeof name) {
            memcpy(name, *e, n);
            name[n] = '\0';
            (void)unsetenv(name); /* moves the rest down */
        } else {
            e++;
        }
    }
    (void)setenv("L0_ALLOW_SCALAR", "1", 1);
    (void)snprintf(notify, sizeof notify, "%s/notify", d->dir);
    (void)setenv("NOTIFY_SOCKET", notify, 1);
    for (; env != NULL && *env != NULL; env++) {
        char *copy = strdup(*env);
        char *equals = strchr(copy, '=');
        *equals = '\0';
        (void)setenv(copy, equals + 1, 1);
        free(copy);
    }
}

static void daemon_exec(const struct daemon *d, const char *const *args, const char *const *env)
{
    const char *bin = getenv("L0_BIN");
    char program[4096];
    const char *argv[DAEMON_ARGS] = {program, "--unix", d->unix_path, "--tail-csv", d->tail_csv};
    size_t n = 5;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no daemon behind */
    (void)snprintf(program, sizeof program, "%s/l0-lexd", bin != NULL ? bin : "bin");
    for (; args != NULL && *args != NULL && n < DAEMON_ARGS - 1; args++)
        argv[n++] = *args;
    daemon_set_environment(d, env);
    int log = open(d->log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log >= 0 && dup2(log, STDERR_FILENO) >= 0)
        (void)execv(program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

char *daemon_log(const struct daemon *d)
{
    char *text = calloc(1, 1 << 20);
    int fd = open(d->log_path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, text, (1 << 20) - 1);
        (void)n;
        (void)close(fd);
    }
    return text;
}

/* Where it listens, from its own log. */
static void daemon_read_addresses(struct daemon *d)
{
    unsigned port = 0;
    char *log = daemon_log(d);
    const char *line = strstr(log, "listening on tcp:");
    if (line != NULL)
        (void)sscanf(line, "listening on tcp:%63s", d->tcp);
    line = strstr(log, "admin on port ");
    if (line != NULL && sscanf(line, "admin on port %u", &port) == 1)
        d->admin_port = (uint16_t)port;
    free(log);
}

int daemon_wait(struct daemon *d, unsigned wait_ms)
{
    uint64_t until = daemon_now_ms() + wait_ms;
    for (;;) {
        int status;
        pid_t got = waitpid(d->pid, &status, WNOHANG);
        if (got == d->pid) {
            d->pid = -1;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (daemon_now_ms() >= until)
            return -1;
        daemon_sleep_ms(2);
    }
}

bool daemon_try_start(struct daemon *d, const char *const *args, const char *const *env,
                      int *exit_code)
{
    d->pid = fork();
    cr_assert_geq(d->pid, 0);
    if (d->pid == 0)
        daemon_exec(d, args, env);
    for (uint64_t until = daemon_now_ms() + DAEMON_START_MS; daemon_now_ms() < until;) {
        char message[256] = {0};
        struct pollfd readable = {.fd = d->notify_fd, .events = POLLIN};
        if (poll(&readable, 1, 10) == 1 && recv(d->notify_fd, message, sizeof message - 1, 0) > 0 &&
            strstr(message, "READY=1") != NULL) {
            daemon_read_addresses(d);
            return true;
        }
        *exit_code = daemon_wait(d, 0);
        if (*exit_code >= 0)
            return false;
    }
    (void)kill(d->pid, SIGKILL);
    cr_assert_fail("the daemon was not ready in time");
    return false;
}

void daemon_start(struct daemon *d, const char *const *args, const char *const *env)
{
    int exit_code = -1;
    daemon_prepare(d);
    if (!daemon_try_start(d, args, env, &exit_code)) {
        char *log = daemon_log(d);
        cr_log_error("%s", log);
        free(log);
        daemon_cleanup(d);
        cr_assert_fail("the daemon ended with %d instead of becoming ready", exit_code);
    }
}

/* ---- stop ---------------------------------------------------------------------------------- */

void daemon_cleanup(struct daemon *d)
{
    DIR *dir = opendir(d->dir);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(d->dir);
    if (d->notify_fd >= 0)
        (void)close(d->notify_fd);
    d->notify_fd = -1;
}

void daemon_stop(struct daemon *d)
{
    (void)kill(d->pid, SIGTERM);
    int code = daemon_wait(d, DAEMON_STOP_MS);
    bool socket_gone = access(d->unix_path, F_OK) != 0;
    if (code != 0) {
        char *log = daemon_log(d);
        cr_log_error("%s", log);
        free(log);
    }
    if (code < 0) {
        (void)kill(d->pid, SIGKILL);
        (void)daemon_wait(d, 1000);
    }
    daemon_cleanup(d);
    cr_assert_eq(code, 0, "exit code after SIGTERM is %d", code);
    cr_assert(socket_gone, "the socket is still there");
}

/* ---- looking at it -------------------------------------------------------------------------- */

int daemon_connect(const struct daemon *d)
{
    int fd = l0_connect(d->unix_path, 20000);
    cr_assert_geq(fd, 0, "connect: %s", strerror(-fd));
    return fd;
}

char *daemon_scrape(const struct daemon *d)
{
    static const char get[] = "GET /metrics HTTP/1.0\r\n\r\n";
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons(d->admin_port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size_t cap = 1 << 20;
    size_t used = 0;
    char *text = calloc(1, cap);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_neq(d->admin_port, 0, "needs --admin 127.0.0.1:0");
    cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    cr_assert(daemon_write(fd, get, sizeof get - 1));
    for (ssize_t n; (n = read(fd, text + used, cap - 1 - used)) > 0;)
        used += (size_t)n;
    (void)close(fd);
    return text;
}

/* Adds up the values of the lines that begin with prefix and go on with one of the characters. */
static unsigned daemon_add_up(const char *text, const char *prefix, const char *then, uint64_t *sum)
{
    unsigned found = 0;
    *sum = 0;
    for (const char *line = text; line != NULL;
         line = strchr(line, '\n'), line = line != NULL ? line + 1 : NULL) {
        size_t n = strlen(prefix);
        if (strncmp(line, prefix, n) != 0 || line[n] == '\0' || strchr(then, line[n]) == NULL)
            continue;
        const char *value = line[n] == '{' ? strstr(line + n, "} ") : line + n;
        cr_assert_not_null(value);
        *sum += strtoull(value + (line[n] == '{' ? 2 : 1), NULL, 10);
        found++;
    }
    return found;
}

uint64_t daemon_metric(const struct daemon *d, const char *series)
{
    uint64_t sum;
    char *text = daemon_scrape(d);
    unsigned found = daemon_add_up(text, series, " ", &sum);
    free(text);
    cr_assert_eq(found, 1, "series %s", series);
    return sum;
}

uint64_t daemon_page_sum(const char *page, const char *name)
{
    uint64_t sum;
    cr_assert_gt(daemon_add_up(page, name, " {", &sum), 0, "metric %s", name);
    return sum;
}

uint64_t daemon_metric_sum(const struct daemon *d, const char *name)
{
    char *page = daemon_scrape(d);
    uint64_t sum = daemon_page_sum(page, name);
    free(page);
    return sum;
}

uint64_t daemon_await_metric_sum(const struct daemon *d, const char *name, uint64_t value,
                                 unsigned wait_ms)
{
    uint64_t until = daemon_now_ms() + wait_ms;
    uint64_t got;
    while ((got = daemon_metric_sum(d, name)) != value && daemon_now_ms() < until)
        daemon_sleep_ms(10);
    return got;
}

unsigned daemon_fds(const struct daemon *d)
{
    char path[64];
    unsigned n = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)d->pid);
    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

uint64_t daemon_rss_bytes(const struct daemon *d)
{
    char path[64];
    uint64_t total = 0;
    uint64_t resident = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)d->pid);
    FILE *f = fopen(path, "re");
    cr_assert_not_null(f);
    cr_assert_eq(fscanf(f, "%" SCNu64 " %" SCNu64, &total, &resident), 2);
    (void)fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- talking to it -------------------------------------------------------------------------- */

void daemon_expect_ok(int fd, const void *document, uint32_t document_bytes)
{
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    struct wire_reply reply;
    cr_assert_eq(lexer_init(NULL), 0);
    cr_assert_eq(lexer_run(&options, document, document_bytes, NULL, &counts), 0);
    int rc = l0_request(fd, document, document_bytes, &reply);
    cr_assert_eq(rc, 0, "request: %s", strerror(-rc));
    cr_assert_eq(reply.status, WIRE_OK, "status %s", wire_status_name(reply.status));
    cr_assert_eq(reply.n_tokens, counts.n_tokens);
    cr_assert_eq(reply.issues_len, counts.n_issues);
    cr_assert(reply.origin == WIRE_ORIGIN_PRIMARY || reply.origin == WIRE_ORIGIN_HEDGE);
}

void daemon_expect_well(const struct daemon *d)
{
    static const char document[] = "\\section{Well} a $x^2$ b\n\n% c\n{d}\n";
    int fd = daemon_connect(d);
    daemon_expect_ok(fd, document, sizeof document - 1);
    (void)close(fd);
}

bool daemon_write(int fd, const void *bytes, size_t n)
{
    for (const uint8_t *p = bytes; n > 0;) {
        ssize_t wrote = send(fd, p, n, MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        p += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

int64_t daemon_read_status(int fd)
{
    struct wire_reply reply;
    int rc = l0_recv(fd, &reply);
    return rc == 0 ? (int64_t)reply.status : -1;
}

bool daemon_closes(int fd, unsigned wait_ms)
{
    char scratch[4096];
    for (uint64_t until = daemon_now_ms() + wait_ms; daemon_now_ms() < until;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, 10) != 1)
            continue;
        ssize_t n = recv(fd, scratch, sizeof scratch, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return true;
    }
    return false;
}
