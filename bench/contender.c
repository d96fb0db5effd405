#include "bench/contender.h"

#include "bench/clock.h"
#include "proto/client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_NS UINT64_C(15000000000)
#define STOP_NS  UINT64_C(10000000000)
#define LOOK_NS  UINT64_C(10000000)

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

void contender_hold_signals(void)
{
    sigset_t set;
    stop_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool contender_interrupted(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

/* In the child: does not return. */
static void become(const char *command, const char *socket_path, const char *log_path)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log >= 0 && null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
        dup2(log, STDERR_FILENO) >= 0 && setenv("L0_UNIX", socket_path, 1) == 0)
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Has it ended? Then it is reaped. */
static bool has_ended(struct contender *contender, int *status)
{
    if (waitpid(contender->pid, status, WNOHANG) != contender->pid)
        return false;
    /* What it may have started and left behind goes, too. */
    kill(-contender->pid, SIGKILL);
    contender->pid = 0;
    return true;
}

int contender_start(struct contender *contender, const char *command, const char *socket_path,
                    const char *log_path)
{
    contender->pid = fork();
    if (contender->pid < 0) {
        contender->pid = 0;
        return -errno;
    }
    if (contender->pid == 0)
        become(command, socket_path, log_path);
    setpgid(contender->pid, contender->pid); /* both sides do it: whoever comes first */
    uint64_t until_ns = bench_now_ns() + START_NS;
    int status;
    while (!has_ended(contender, &status)) {
        int fd = l0_connect(socket_path, 1000);
        if (fd >= 0) {
            close(fd);
            return 0;
        }
        bool interrupted = contender_interrupted();
        if (interrupted || bench_now_ns() > until_ns) {
            contender_stop(contender);
            return interrupted ? -EINTR : -ETIMEDOUT;
        }
        bench_sleep_until(bench_now_ns() + LOOK_NS);
    }
    return -ECHILD;
}

int contender_stop(struct contender *contender)
{
    int status = 0;
    if (contender->pid == 0)
        return 0;
    kill(-contender->pid, SIGTERM);
    uint64_t until_ns = bench_now_ns() + STOP_NS;
    while (!has_ended(contender, &status)) {
        if (bench_now_ns() > until_ns) {
            kill(-contender->pid, SIGKILL);
            waitpid(contender->pid, &status, 0);
            contender->pid = 0;
            return -EIO;
        }
        bench_sleep_until(bench_now_ns() + LOOK_NS);
    }
    bool ended_well = (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                      (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    return ended_well ? 0 : -EIO;
}
