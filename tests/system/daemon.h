/* Starts the real l0-lexd for a test, in a fresh temporary directory, and ends it again.
 * The program is $L0_BIN/l0-lexd (default bin/). Readiness comes through NOTIFY_SOCKET, as from
 * systemd. Nothing outlives daemon_stop: no process, no file. Failures are Criterion assertions. */
#ifndef L0_TESTS_SYSTEM_DAEMON_H
#define L0_TESTS_SYSTEM_DAEMON_H

#include "proto/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon {
    char dir[64];        /* the temporary directory */
    char unix_path[96];  /* dir/s */
    char tail_csv[96];   /* dir/tail.csv */
    char log_path[96];   /* dir/log: the daemon's stderr */
    char tcp[64];        /* "127.0.0.1:PORT" when --tcp was given, else "" */
    uint16_t admin_port; /* when --admin was given, else 0 */
    pid_t pid;
    int notify_fd;
};

/* args: NULL-terminated further arguments; env: NULL-terminated "NAME=value" added to an
 * environment that has no other L0_* variable. --unix, --tail-csv and L0_ALLOW_SCALAR=1 are always
 * given. Returns once the daemon is ready. */
void daemon_start(struct daemon *d, const char *const *args, const char *const *env);

/* Prepares the directory and paths only. */
void daemon_prepare(struct daemon *d);
/* As daemon_start in a prepared directory; false: it ended instead of becoming ready, and
 * *exit_code says how (128 + n: by signal n). */
bool daemon_try_start(struct daemon *d, const char *const *args, const char *const *env,
                      int *exit_code);

/* SIGTERM, waits, expects exit 0 and the socket gone, removes the directory. */
void daemon_stop(struct daemon *d);
/* Waits at most wait_ms for the end; returns the exit code, 128 + n for signal n, -1 if it lives.
 */
int daemon_wait(struct daemon *d, unsigned wait_ms);
/* Removes the directory (after the process has ended). */
void daemon_cleanup(struct daemon *d);

/* A connection over its Unix socket, with a 20 s timeout. */
int daemon_connect(const struct daemon *d);
/* The daemon's stderr so far (malloc). */
char *daemon_log(const struct daemon *d);
/* The value of an unlabelled metric, or one with exactly these labels: "name{a=\"b\"}". Needs
 * --admin 127.0.0.1:0. Fails the test when it is not there. */
uint64_t daemon_metric(const struct daemon *d, const char *series);
/* Sum over all series of that name. */
uint64_t daemon_metric_sum(const struct daemon *d, const char *name);
/* A page of metrics (malloc), for several values of one moment; and the sum over all series of that
 * name on it. */
char *daemon_scrape(const struct daemon *d);
uint64_t daemon_page_sum(const char *page, const char *name);
/* Waits until the metric has the value, at most wait_ms; the last value seen. */
uint64_t daemon_await_metric_sum(const struct daemon *d, const char *name, uint64_t value,
                                 unsigned wait_ms);
/* Open descriptors, and resident bytes, of the daemon. */
unsigned daemon_fds(const struct daemon *d);
uint64_t daemon_rss_bytes(const struct daemon *d);

/* One request over a fresh connection gives the in-process lexer's counts: the daemon is well. */
void daemon_expect_well(const struct daemon *d);
/* Sends the document on fd and expects status ok with the in-process lexer's counts. */
void daemon_expect_ok(int fd, const void *document, uint32_t document_bytes);
/* Raw bytes, whole; false when the peer is gone. */
bool daemon_write(int fd, const void *bytes, size_t n);
/* Reads one reply; its status, or -1 at the end of the stream. */
int64_t daemon_read_status(int fd);
/* true: the peer closes within wait_ms (what it sends before is discarded). */
bool daemon_closes(int fd, unsigned wait_ms);

#endif
