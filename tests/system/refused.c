#include "tests/system/refused.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool log_says(const struct daemon *d, const char *text)
{
    char *log = daemon_log(d);
    bool found = strstr(log, text) != NULL;
    free(log);
    return found;
}

bool log_await(const struct daemon *d, const char *text)
{
    for (int i = 0; i < 4000; i++) {
        if (log_says(d, text))
            return true;
        (void)poll(NULL, 0, 5);
    }
    return false;
}

void refused_start(struct daemon *d, const char *const *args, const char *const *env, int exit_code,
                   const char *const *says)
{
    int got = -1;
    (void)unlink(d->log_path);
    if (daemon_try_start(d, args, env, &got)) {
        (void)kill(d->pid, SIGKILL);
        (void)daemon_wait(d, 10000);
        daemon_cleanup(d);
        cr_assert_fail("the daemon started, expected exit code %d", exit_code);
    }
    char *log = daemon_log(d);
    cr_expect_eq(got, exit_code, "exit code %d instead of %d: %s", got, exit_code, log);
    for (; *says != NULL; says++)
        cr_expect_not_null(strstr(log, *says), "\"%s\" is not in: %s", *says, log);
    free(log);
}
