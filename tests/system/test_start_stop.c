/* The socket's path at start (S01-S05), values from three sources (S06), and the plain life of a
 * daemon: ready, signals, end. */
#include "tests/system/daemon.h"

#include "tests/system/deny.h"
#include "tests/system/refused.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(start_stop);

/* A Unix socket bound to path; listens unless backlog < 0. The caller closes it. */
static int bind_unix(const char *path, int type, int backlog)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    cr_assert_lt(strlen(path), sizeof addr.sun_path);
    strcpy(addr.sun_path, path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0, "bind: %s", strerror(errno));
    if (backlog >= 0)
        cr_assert_eq(listen(fd, backlog), 0);
    return fd;
}

static void start_prepared(struct daemon *d, const char *const *args)
{
    int code;
    bool ready = daemon_try_start(d, args, NULL, &code);
    cr_assert(ready, "the daemon ended with %d", code);
}

/* ---- S01, S02: a socket is there ------------------------------------------------------------ */

Test(start_stop, s01_stale_socket_is_replaced)
{
    struct daemon d;
    daemon_prepare(&d);
    (void)close(bind_unix(d.unix_path, SOCK_STREAM, 1));
    start_prepared(&d, NULL);
    daemon_expect_well(&d);
    daemon_stop(&d);
}

Test(start_stop, s01_socket_of_a_killed_daemon_is_replaced)
{
    struct daemon d;
    daemon_start(&d, NULL, NULL);
    cr_assert_eq(kill(d.pid, SIGKILL), 0);
    cr_assert_eq(daemon_wait(&d, 20000), 128 + SIGKILL);
    cr_assert_eq(access(d.unix_path, F_OK), 0, "a killed daemon leaves its socket");
    start_prepared(&d, NULL);
    daemon_expect_well(&d);
    daemon_stop(&d);
}

Test(start_stop, s02_live_instance_is_left_alone)
{
    struct daemon first;
    struct daemon second;
    struct stat before;
    struct stat after;
    daemon_start(&first, NULL, NULL);
    daemon_prepare(&second);
    cr_assert_eq(lstat(first.unix_path, &before), 0);
    int held = daemon_connect(&first);
    refused_start(&second, ARGS("--unix", first.unix_path), NULL, 69,
                  ARGS("already running", first.unix_path, "fix:"));
    cr_expect_eq(lstat(first.unix_path, &after), 0);
    cr_expect_eq(before.st_ino, after.st_ino);
    daemon_expect_ok(held, "a", 1);
    (void)close(held);
    daemon_expect_well(&first);
    daemon_cleanup(&second);
    daemon_stop(&first);
}

Test(start_stop, s02_live_socket_with_a_full_backlog_is_left_alone)
{
    struct daemon d;
    struct stat before;
    struct stat after;
    enum { CLIENTS = 8 };
    int clients[CLIENTS];
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    daemon_prepare(&d);
    strcpy(addr.sun_path, d.unix_path);
    int server = bind_unix(d.unix_path, SOCK_STREAM, 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(clients[i], (struct sockaddr *)&addr, sizeof addr);
    }
    cr_assert_eq(lstat(d.unix_path, &before), 0);
    refused_start(&d, NULL, NULL, 69, ARGS("already running", d.unix_path));
    cr_expect_eq(lstat(d.unix_path, &after), 0);
    cr_expect_eq(before.st_ino, after.st_ino);
    for (int i = 0; i < CLIENTS; i++)
        (void)close(clients[i]);
    (void)close(server);
    daemon_cleanup(&d);
}

/* ---- S03: something else is there ----------------------------------------------------------- */

/* What is at the path keeps its inode and its kind. */
static void expect_left_alone(struct daemon *d)
{
    struct stat before;
    struct stat after;
    cr_assert_eq(lstat(d->unix_path, &before), 0);
    refused_start(d, NULL, NULL, 78, ARGS(d->unix_path, "left alone", "fix:"));
    cr_assert_eq(lstat(d->unix_path, &after), 0, "it was removed");
    cr_expect_eq(before.st_ino, after.st_ino);
    cr_expect_eq(before.st_mode, after.st_mode);
    cr_expect_eq(before.st_size, after.st_size);
}

Test(start_stop, s03_regular_file_is_left_alone)
{
    struct daemon d;
    daemon_prepare(&d);
    FILE *f = fopen(d.unix_path, "we");
    cr_assert_not_null(f);
    cr_assert_geq(fputs("precious", f), 0);
    cr_assert_eq(fclose(f), 0);
    expect_left_alone(&d);
    daemon_cleanup(&d);
}

Test(start_stop, s03_symlinks_are_left_alone)
{
    struct daemon d;
    char other[160];
    daemon_prepare(&d);
    (void)snprintf(other, sizeof other, "%s/other", d.dir);
    cr_assert_eq(symlink(other, d.unix_path), 0);
    expect_left_alone(&d); /* dangling */

    int server = bind_unix(other, SOCK_STREAM, 1);
    expect_left_alone(&d); /* to a live socket */
    (void)close(server);
    expect_left_alone(&d); /* to a stale one */
    cr_expect_eq(access(other, F_OK), 0);
    daemon_cleanup(&d);
}

Test(start_stop, s03_directory_is_left_alone)
{
    struct daemon d;
    daemon_prepare(&d);
    cr_assert_eq(mkdir(d.unix_path, 0700), 0);
    expect_left_alone(&d);
    cr_assert_eq(rmdir(d.unix_path), 0);
    daemon_cleanup(&d);
}

Test(start_stop, s03_datagram_socket_is_left_alone)
{
    struct daemon d;
    daemon_prepare(&d);
    int fd = bind_unix(d.unix_path, SOCK_DGRAM, -1);
    expect_left_alone(&d);
    (void)close(fd);
    daemon_cleanup(&d);
}

Test(start_stop, s03_missing_directory_is_named)
{
    struct daemon d;
    daemon_prepare(&d);
    refused_start(&d, ARGS("--unix", "/nonexistent-l0/s"), NULL, 78,
                  ARGS("/nonexistent-l0/s", strerror(ENOENT)));
    daemon_cleanup(&d);
}

/* ---- S04: the longest path ------------------------------------------------------------------ */

static void make_path(const struct daemon *d, size_t bytes, char *path)
{
    int n = sprintf(path, "%s/", d->dir);
    memset(path + n, 'p', bytes - (size_t)n);
    path[bytes] = '\0';
}

Test(start_stop, s04_path_of_107_bytes)
{
    struct daemon d;
    char path[128];
    daemon_prepare(&d);
    make_path(&d, 107, path);
    start_prepared(&d, ARGS("--unix", path));
    int fd = l0_connect(path, 20000);
    cr_assert_geq(fd, 0);
    daemon_expect_ok(fd, "a", 1);
    (void)close(fd);
    (void)kill(d.pid, SIGTERM);
    cr_expect_eq(daemon_wait(&d, 30000), 0);
    cr_expect_neq(access(path, F_OK), 0);
    daemon_cleanup(&d);
}

Test(start_stop, s04_path_of_108_bytes)
{
    struct daemon d;
    char path[128];
    daemon_prepare(&d);
    make_path(&d, 108, path);
    refused_start(&d, ARGS("--unix", path), NULL, 78, ARGS("--unix", "107"));
    path[107] = '\0';
    cr_expect_neq(access(path, F_OK), 0, "the path was truncated");
    daemon_cleanup(&d);
}

/* ---- S05: the mode from birth --------------------------------------------------------------- */

/* With chmod(2) made to do nothing, the mode that is seen is the one the file was born with;
 * without that, it is the final one. */
static void expect_mode(mode_t mask, bool at_birth, const char *const *args, mode_t mode)
{
    struct daemon d;
    struct stat st;
    if (at_birth) {
#ifdef __NR_chmod
        deny_call(__NR_chmod, 0);
#endif
        deny_call(__NR_fchmodat, 0);
    }
    daemon_prepare(&d);
    mode_t old = umask(mask);
    start_prepared(&d, args);
    (void)umask(old);
    cr_assert_eq(lstat(d.unix_path, &st), 0);
    cr_expect(S_ISSOCK(st.st_mode));
    cr_expect_eq(st.st_mode & 07777, mode, "mode %o", st.st_mode & 07777);
    daemon_stop(&d);
}

Test(start_stop, s05_umask_0_at_birth)
{
    expect_mode(0, true, NULL, 0600);
}

Test(start_stop, s05_umask_0)
{
    expect_mode(0, false, NULL, 0600);
}

Test(start_stop, s05_umask_0_wider_mode_at_birth)
{
    expect_mode(0, true, ARGS("--unix-mode", "0660"), 0660);
}

Test(start_stop, s05_narrow_umask_wider_mode_at_birth)
{
    expect_mode(077, true, ARGS("--unix-mode", "0660"), 0600);
}

Test(start_stop, s05_narrow_umask_wider_mode)
{
    expect_mode(077, false, ARGS("--unix-mode", "0660"), 0660);
}

/* ---- S06: bad values, from every source ----------------------------------------------------- */

static const char *const bad_values[] = {
    "", "abc", "-1", "1e9", "0x10", "8 ", "99999999999999999999", NULL,
};

Test(start_stop, s06_bad_value_in_the_environment)
{
    struct daemon d;
    daemon_prepare(&d);
    for (size_t i = 0; bad_values[i] != NULL; i++) {
        char env[64];
        (void)snprintf(env, sizeof env, "L0_MAX_CONNS=%s", bad_values[i]);
        refused_start(&d, NULL, ARGS(env), 78, ARGS("L0_MAX_CONNS", bad_values[i], "1 to 65536"));
    }
    daemon_cleanup(&d);
}

Test(start_stop, s06_bad_value_of_a_flag)
{
    struct daemon d;
    daemon_prepare(&d);
    for (size_t i = 0; bad_values[i] != NULL; i++)
        refused_start(&d, ARGS("--max-conns", bad_values[i]), NULL, 78,
                      ARGS("--max-conns", bad_values[i], "1 to 65536"));
    daemon_cleanup(&d);
}

static void write_config(const char *path, const char *value)
{
    FILE *f = fopen(path, "we");
    cr_assert_not_null(f);
    cr_assert_gt(fprintf(f, "# limits\nmax-conns = %s\n", value), 0);
    cr_assert_eq(fclose(f), 0);
}

Test(start_stop, s06_bad_value_in_the_file)
{
    struct daemon d;
    char path[128];
    daemon_prepare(&d);
    (void)snprintf(path, sizeof path, "%s/conf", d.dir);
    for (size_t i = 0; bad_values[i] != NULL; i++) {
        if (strcmp(bad_values[i], "8 ") == 0)
            continue; /* blanks around a value of the file are layout */
        write_config(path, bad_values[i]);
        refused_start(&d, ARGS("--config", path), NULL, 78,
                      ARGS("max-conns", "conf:2", bad_values[i], "1 to 65536"));
    }
    daemon_cleanup(&d);
}

Test(start_stop, s06_a_good_flag_does_not_hide_a_bad_variable)
{
    struct daemon d;
    daemon_prepare(&d);
    refused_start(&d, ARGS("--max-conns", "8"), ARGS("L0_MAX_CONNS=0"), 78,
                  ARGS("L0_MAX_CONNS", "\"0\"", "1 to 65536"));
    daemon_cleanup(&d);
}

/* ---- readiness and signals ------------------------------------------------------------------ */

/* The next datagram at NOTIFY_SOCKET that contains text, within 20 s. */
static bool await_notification(const struct daemon *d, const char *text)
{
    struct pollfd readable = {.fd = d->notify_fd, .events = POLLIN};
    while (poll(&readable, 1, 20000) == 1) {
        char message[256] = {0};
        if (recv(d->notify_fd, message, sizeof message - 1, 0) > 0 && strstr(message, text) != NULL)
            return true;
    }
    return false;
}

Test(start_stop, systemd_is_told)
{
    struct daemon d;
    daemon_start(&d, NULL, NULL); /* returns at READY=1 */
    cr_expect(log_says(&d, "ready: "));
    (void)kill(d.pid, SIGTERM);
    cr_expect(await_notification(&d, "STOPPING=1"));
    cr_expect_eq(daemon_wait(&d, 30000), 0);
    daemon_cleanup(&d);
}

/* Rows of the tail file without its header; -1: there is none. */
static int tail_rows(const struct daemon *d)
{
    char line[512];
    int lines = 0;
    FILE *f = fopen(d->tail_csv, "re");
    if (f == NULL)
        return -1;
    while (fgets(line, sizeof line, f) != NULL)
        lines++;
    (void)fclose(f);
    return lines - 1;
}

/* Asks for the file until it has so many rows: a row is added a moment after its reply is out. */
static bool await_tail_rows(const struct daemon *d, int signal_number, int rows)
{
    for (int i = 0; i < 1000; i++) {
        (void)kill(d->pid, signal_number);
        (void)poll(NULL, 0, 20);
        if (tail_rows(d) == rows)
            return true;
    }
    return false;
}

static void request_times(const struct daemon *d, int n)
{
    int fd = daemon_connect(d);
    for (int i = 0; i < n; i++)
        daemon_expect_ok(fd, "a\n\nb", 4);
    (void)close(fd);
}

Test(start_stop, usr1_writes_the_tail_and_usr2_begins_anew)
{
    struct daemon d;
    daemon_start(&d, NULL, NULL);
    cr_expect_eq(tail_rows(&d), -1);
    request_times(&d, 3);
    cr_expect(await_tail_rows(&d, SIGUSR1, 3));
    cr_expect(await_tail_rows(&d, SIGUSR1, 3), "written again, not emptied");

    cr_assert_eq(unlink(d.tail_csv), 0);
    (void)kill(d.pid, SIGUSR2);
    for (int i = 0; i < 1000 && tail_rows(&d) < 0; i++)
        (void)poll(NULL, 0, 10);
    cr_expect_eq(tail_rows(&d), 3, "SIGUSR2 writes before it begins anew");
    cr_expect(await_tail_rows(&d, SIGUSR1, 0));
    request_times(&d, 2);
    cr_expect(await_tail_rows(&d, SIGUSR1, 2));
    (void)kill(d.pid, SIGTERM);
    cr_expect_eq(daemon_wait(&d, 30000), 0);
    cr_expect_eq(tail_rows(&d), 2, "the end writes it once more");
    daemon_cleanup(&d);
}
