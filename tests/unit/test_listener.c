/* Opening listening sockets: what may stand at the path, the mode, the addresses. */
#include "engine/listener.h"

#include "proto/client.h"
#include "tests/unit/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct scratch scratch;

static void begin(void)
{
    scratch_open(&scratch);
}

static void end(void)
{
    scratch_close(&scratch);
}

TestSuite(listener_unix, .init = begin, .fini = end);

static void expect_refused(const char *path, int error, const char *because)
{
    const char *why = NULL;
    cr_expect_eq(listener_open_unix(path, 0600, &why), error);
    cr_assert_not_null(why);
    cr_expect_not_null(strstr(why, because), "'%s' lacks '%s'", why, because);
}

Test(listener_unix, accepts_clients_with_the_mode_asked_for)
{
    static const mode_t modes[] = {0600, 0660, 0666, 0700};
    const char *path = scratch_path(&scratch, "s");
    const char *why;
    for (size_t i = 0; i < 8; i++) {
        struct stat st;
        mode_t old = umask(i < 4 ? 0 : 077);
        int fd = listener_open_unix(path, modes[i % 4], &why); /* replaces the last one's */
        (void)umask(old);
        cr_assert_geq(fd, 0, "%s", strerror(-fd));
        cr_assert_eq(lstat(path, &st), 0);
        cr_expect_eq(st.st_mode, S_IFSOCK | modes[i % 4], "mode %o", st.st_mode);
        int client = l0_connect(path, 1000);
        cr_assert_geq(client, 0);
        int server = accept(fd, NULL, NULL);
        cr_expect_geq(server, 0);
        (void)close(server);
        (void)close(client);
        (void)close(fd);
    }
}

Test(listener_unix, a_live_one_is_left_alone)
{
    const char *path = scratch_path(&scratch, "s");
    const char *why;
    int fd = listener_open_unix(path, 0600, &why);
    cr_assert_geq(fd, 0);
    expect_refused(path, -EADDRINUSE, "already running");
    int client = l0_connect(path, 1000);
    cr_expect_geq(client, 0);
    (void)close(client);
    (void)close(fd);
}

Test(listener_unix, anything_else_is_left_alone)
{
    const char *path = scratch_write(&scratch, "s", "precious", 8);
    struct stat st;
    expect_refused(path, -EEXIST, "not a socket");
    cr_assert_eq(lstat(path, &st), 0);
    cr_expect_eq(st.st_size, 8);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    expect_refused(path, -EEXIST, "not a socket");
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(symlink("nowhere", path), 0);
    expect_refused(path, -EEXIST, "not a socket");
    cr_expect_eq(scratch_count(&scratch), 1);
}

Test(listener_unix, the_longest_path)
{
    struct sockaddr_un addr;
    char name[sizeof addr.sun_path];
    const char *why;
    size_t room = sizeof addr.sun_path - strlen(scratch.dir) - 1;
    memset(name, 'n', sizeof name);
    name[room] = '\0';
    expect_refused(scratch_path(&scratch, name), -ENAMETOOLONG, "107");
    cr_expect_eq(scratch_count(&scratch), 0, "nothing was created under a shorter name");
    name[room - 1] = '\0';
    int fd = listener_open_unix(scratch_path(&scratch, name), 0600, &why);
    cr_expect_geq(fd, 0, "%s", strerror(-fd));
    cr_expect_eq(access(scratch.path, F_OK), 0);
    (void)close(fd);
}

Test(listener_unix, a_directory_that_is_not_there)
{
    const char *why;
    cr_expect_eq(listener_open_unix(scratch_path(&scratch, "no/s"), 0600, &why), -ENOENT);
}

/* ---- TCP ------------------------------------------------------------------------------------ */

Test(listener_tcp, port_0_gets_a_port_that_others_can_share_or_not)
{
    char name[128];
    char again[128];
    const char *why;
    int first = listener_open_tcp("127.0.0.1:0", true, &why);
    cr_assert_geq(first, 0, "%s", strerror(-first));
    listener_name_tcp(first, name, sizeof name);
    cr_expect_eq(strncmp(name, "127.0.0.1:", 10), 0, "%s", name);
    cr_expect_neq(strtol(name + 10, NULL, 10), 0);

    cr_expect_eq(listener_open_tcp(name, true, &why), -EADDRINUSE);
    cr_expect_not_null(strstr(why, "already running"));
    int second = listener_open_tcp(name, false, &why);
    cr_assert_geq(second, 0, "%s", strerror(-second));
    listener_name_tcp(second, again, sizeof again);
    cr_expect_str_eq(again, name);

    int client = l0_connect(name, 1000);
    cr_expect_geq(client, 0);
    (void)close(client);
    (void)close(second);
    (void)close(first);
}

Test(listener_tcp, a_port_whose_connections_linger_is_free)
{
    char name[128];
    const char *why;
    int fd = listener_open_tcp("127.0.0.1:0", true, &why);
    cr_assert_geq(fd, 0);
    listener_name_tcp(fd, name, sizeof name);
    int client = l0_connect(name, 1000);
    int server = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    (void)close(server); /* first: it keeps the port in TIME_WAIT */
    (void)close(client);
    (void)close(fd);
    fd = listener_open_tcp(name, true, &why);
    cr_expect_geq(fd, 0, "%s", strerror(-fd));
    (void)close(fd);
}

Test(listener_tcp, ipv6)
{
    char name[128];
    const char *why;
    int fd = listener_open_tcp("[::1]:0", true, &why);
    if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)
        cr_skip_test("there is no IPv6 here");
    cr_assert_geq(fd, 0, "%s", strerror(-fd));
    listener_name_tcp(fd, name, sizeof name);
    cr_expect_eq(strncmp(name, "[::1]:", 6), 0, "%s", name);
    (void)close(fd);
}

Test(listener_tcp, bad_addresses)
{
    static const char *const bad[] = {"",        ":",   "127.0.0.1",       "localhost:1", "[::1:1",
                                      "1.2.3:x", "a:1", "127.0.0.1:70000", "[1.2.3.4]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = NULL;
        int fd = listener_open_tcp(bad[i], true, &why);
        cr_expect_lt(fd, 0, "'%s' was taken", bad[i]);
        if (fd >= 0)
            (void)close(fd);
    }
}
