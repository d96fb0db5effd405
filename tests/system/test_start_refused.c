/* Starts that must be refused: no io_uring (S08), no memory to lock, no address, no kernel; and the
 * flags that only print. */
#include "tests/system/daemon.h"

#include "tests/system/deny.h"
#include "tests/system/refused.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(start_refused);

static void expect_nothing_left(struct daemon *d)
{
    cr_expect_neq(access(d->unix_path, F_OK), 0, "a socket was left behind");
    cr_expect_neq(access(d->tail_csv, F_OK), 0, "a tail file was left behind");
    daemon_cleanup(d);
}

/* ---- S08 ------------------------------------------------------------------------------------ */

static void expect_denied(unsigned error, int exit_code, const char *const *says)
{
    struct daemon d;
    deny_call(__NR_io_uring_setup, error);
    daemon_prepare(&d);
    refused_start(&d, NULL, NULL, exit_code, says);
    expect_nothing_left(&d);
}

/* The sysctl is looked at before the filter, since it is the more general cause. */
Test(start_refused, s08_eperm)
{
    char disabled = '0';
    int fd = open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        cr_assert_eq(read(fd, &disabled, 1), 1);
        (void)close(fd);
    }
    expect_denied(EPERM, 69,
                  disabled == '0' ? ARGS("io_uring is not available", "seccomp", "Seccomp: 2",
                                         "fix: allow io_uring_setup")
                                  : ARGS("io_uring is not available", "io_uring_disabled"));
}

Test(start_refused, s08_enosys)
{
    expect_denied(ENOSYS, 69, ARGS("io_uring is not available", "ENOSYS", "6.1 or newer", "fix:"));
}

Test(start_refused, s08_einval)
{
    expect_denied(EINVAL, 69, ARGS("io_uring is not available", "6.1 or newer", "fix:"));
}

Test(start_refused, s08_enomem)
{
    expect_denied(ENOMEM, 71, ARGS("ENOMEM", "RLIMIT_MEMLOCK is", "are needed", "LimitMEMLOCK="));
}

Test(start_refused, s08_emfile)
{
    expect_denied(EMFILE, 71, ARGS("io_uring_setup", strerror(EMFILE), "LimitNOFILE="));
}

/* ---- limits --------------------------------------------------------------------------------- */

enum { SMALL_MEMLOCK_BYTES = 1 << 20 };

/* The capability would lift the limit; without it in the bounding set, exec does not give it back.
 */
static void limit_memlock(void)
{
    const struct rlimit small = {.rlim_cur = SMALL_MEMLOCK_BYTES, .rlim_max = SMALL_MEMLOCK_BYTES};
    if (prctl(PR_CAPBSET_READ, CAP_IPC_LOCK, 0, 0, 0) == 1 && geteuid() == 0 &&
        prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0) != 0)
        cr_skip_test("CAP_IPC_LOCK cannot be dropped here: %s", strerror(errno));
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &small), 0);
}

/* Bytes that the daemon has locked. */
static unsigned long locked_bytes(const struct daemon *d)
{
    char path[64];
    char line[256];
    unsigned long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)d->pid);
    FILE *f = fopen(path, "re");
    cr_assert_not_null(f);
    while (fgets(line, sizeof line, f) != NULL && sscanf(line, "VmLck: %lu", &kib) != 1)
        ;
    (void)fclose(f);
    return kib * 1024;
}

/* In a build whose sanitizer makes mlock do nothing and succeed, there is nothing to refuse. */
static void skip_if_locking_is_faked(void)
{
    struct daemon d;
    daemon_start(&d, ARGS("--mlock", "try", "--max-conns", "64"), NULL);
    bool faked = locked_bytes(&d) == 0 && !log_says(&d, "the arenas are not locked");
    daemon_stop(&d);
    if (faked)
        cr_skip_test("mlock does nothing in this build");
}

Test(start_refused, memory_that_must_be_locked_and_cannot)
{
    struct daemon d;
    limit_memlock();
    skip_if_locking_is_faked();
    daemon_prepare(&d);
    refused_start(&d, ARGS("--mlock", "require", "--max-conns", "64"), NULL, 71,
                  ARGS("--mlock require", "RLIMIT_MEMLOCK is 1048576 bytes", "the arenas need",
                       "LimitMEMLOCK="));
    expect_nothing_left(&d);
}

Test(start_refused, memory_that_may_be_unlocked_is_worth_a_line)
{
    struct daemon d;
    limit_memlock();
    skip_if_locking_is_faked();
    daemon_start(&d, ARGS("--mlock", "try"), NULL);
    cr_expect(log_says(&d, "warning: the arenas are not locked"));
    daemon_expect_well(&d);
    daemon_stop(&d);
}

/* Starts it in a process group that may open only so many descriptors; its exit code, or 0 when it
 * said that it is ready (it is killed then: without a descriptor left it cannot tell systemd). */
static int start_with_descriptors(struct daemon *d, rlim_t descriptors)
{
    const struct rlimit few = {.rlim_cur = descriptors, .rlim_max = descriptors};
    int status;
    (void)unlink(d->log_path);
    pid_t group = fork();
    cr_assert_geq(group, 0);
    if (group == 0) {
        int code = -1;
        if (d->notify_fd != 3)
            d->notify_fd = dup3(d->notify_fd, 3, O_CLOEXEC);
        if (close_range(4, ~0U, 0) == 0 && setpgid(0, 0) == 0 &&
            setrlimit(RLIMIT_NOFILE, &few) == 0)
            (void)daemon_try_start(d, NULL, NULL, &code);
        _exit(code < 0 ? 255 : code);
    }
    while (waitpid(group, &status, WNOHANG) == 0) {
        if (log_says(d, "ready: ")) {
            (void)kill(-group, SIGKILL);
            while (waitpid(-group, &status, 0) > 0)
                ;
            return 0;
        }
        (void)poll(NULL, 0, 5);
    }
    cr_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* One descriptor more each time, so that each one it needs is refused once. */
Test(start_refused, too_few_descriptors)
{
    enum { NOT_LOADED = 127, DESCRIPTORS_MAX = 256 };
    struct daemon d;
    int refused = 0;
    int code = -1;
    daemon_prepare(&d);
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0); /* the daemon itself is reaped */
    for (rlim_t n = 4; n < DESCRIPTORS_MAX && code != 0; n++) {
        code = start_with_descriptors(&d, n);
        if (code == 0 || code == NOT_LOADED)
            continue;
        refused++;
        cr_expect_eq(code, 71, "exit code %d with %d descriptors", code, (int)n);
        cr_expect(log_says(&d, strerror(EMFILE)), "with %d descriptors", (int)n);
        cr_expect_neq(access(d.unix_path, F_OK), 0, "a socket was left with %d", (int)n);
    }
    cr_expect_eq(code, 0);
    cr_expect_gt(refused, 2);
    daemon_cleanup(&d);
}

/* ---- kernels and addresses ------------------------------------------------------------------ */

Test(start_refused, scalar_kernel_needs_permission)
{
    struct daemon d;
    daemon_prepare(&d);
    refused_start(&d, ARGS("--kernel", "portable"), ARGS("L0_ALLOW_SCALAR=0"), 69,
                  ARGS("no SIMD kernel", "\"portable\"", "L0_ALLOW_SCALAR=1"));
    expect_nothing_left(&d);
}

Test(start_refused, unknown_kernel)
{
    struct daemon d;
    daemon_prepare(&d);
    refused_start(&d, ARGS("--kernel", "quantum"), NULL, 78,
                  ARGS("--kernel", "quantum", "allowed"));
    expect_nothing_left(&d);
}

Test(start_refused, tcp_port_of_a_live_instance)
{
    struct daemon first;
    struct daemon second;
    daemon_start(&first, ARGS("--tcp", "127.0.0.1:0"), NULL);
    cr_assert_neq(first.tcp[0], '\0');
    daemon_prepare(&second);
    refused_start(&second, ARGS("--tcp", first.tcp), NULL, 69, ARGS("already running", first.tcp));
    expect_nothing_left(&second);
    int fd = l0_connect(first.tcp, 20000);
    cr_assert_geq(fd, 0);
    daemon_expect_ok(fd, "a", 1);
    (void)close(fd);
    daemon_stop(&first);
}

Test(start_refused, bad_tcp_addresses)
{
    static const char *const addresses[] = {
        "localhost:7000",    "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "300.300.300.300:0", "[::1:7000", "7000",       "127.0.0.1:http",
    };
    struct daemon d;
    daemon_prepare(&d);
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        refused_start(&d, ARGS("--tcp", addresses[i]), NULL, 78, ARGS("tcp", addresses[i]));
    refused_start(&d, ARGS("--tcp", "203.0.113.1:0"), NULL, 78,
                  ARGS("203.0.113.1:0", strerror(EADDRNOTAVAIL)));
    expect_nothing_left(&d);
}

Test(start_refused, remote_admin_address_needs_a_flag)
{
    struct daemon d;
    daemon_prepare(&d);
    refused_start(&d, ARGS("--admin", "0.0.0.0:0"), NULL, 78, ARGS("0.0.0.0", "loopback"));
    expect_nothing_left(&d);
}

/* ---- flags that only print ------------------------------------------------------------------ */

/* What it wrote to stdout (malloc). */
static char *printed(struct daemon *d, const char *flag, int expected_code)
{
    char path[128];
    int code = -1;
    char *text = calloc(1, 1 << 20);
    (void)snprintf(path, sizeof path, "%s/out", d->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int stdout_fd = dup(STDOUT_FILENO);
    cr_assert_geq(dup2(fd, STDOUT_FILENO), 0);
    bool ready = daemon_try_start(d, ARGS(flag), NULL, &code);
    cr_assert_geq(dup2(stdout_fd, STDOUT_FILENO), 0);
    (void)close(stdout_fd);
    cr_expect_not(ready);
    cr_expect_eq(code, expected_code, "exit code %d", code);
    cr_assert_geq(pread(fd, text, (1 << 20) - 1, 0), 0);
    (void)close(fd);
    return text;
}

Test(start_refused, help_and_version)
{
    struct daemon d;
    daemon_prepare(&d);
    char *text = printed(&d, "--help", 0);
    cr_expect_not_null(strstr(text, "--unix"));
    cr_expect_not_null(strstr(text, "L0_POOL_CORES"));
    free(text);
    text = printed(&d, "--version", 0);
    cr_expect_eq(strncmp(text, "l0-lexd ", 8), 0, "%s", text);
    free(text);
    expect_nothing_left(&d);
}

Test(start_refused, unknown_flag)
{
    struct daemon d;
    daemon_prepare(&d);
    free(printed(&d, "--no-such-flag", 64));
    cr_expect(log_says(&d, "no-such-flag"));
    free(printed(&d, "stray", 64));
    cr_expect(log_says(&d, "stray"));
    expect_nothing_left(&d);
}
