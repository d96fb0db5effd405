/* l0-bench-blocking, l0-bench-sink and l0-corpus as built. */
#include "proto/client.h"

#include "tests/unit/bench_place.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

TestSuite(bench_servers, .init = bench_place_open, .fini = bench_place_close);

/* ---- the baseline servers ----------------------------------------------------------------------
 */

/* Starts a server program on the place's socket and waits until it says that it is ready. */
static pid_t start(const char *program)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", place.bin, program);
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(path, program, "--unix", place.socket, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    char ready[6];
    cr_assert_eq(read(ends[0], ready, sizeof ready), (ssize_t)sizeof ready);
    cr_assert_arr_eq(ready, "ready\n", 6);
    close(ends[0]);
    return pid;
}

static void stop(pid_t pid)
{
    int status;
    cr_assert_eq(kill(pid, SIGTERM), 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %d", status);
    cr_expect_neq(access(place.socket, F_OK), 0, "the socket was left behind");
}

Test(bench_servers, the_blocking_server_lexes)
{
    pid_t pid = start("l0-bench-blocking");
    struct bench_outcome o =
        bench_run("l0-bench keepalive %s 200 4 --out %s --target %s --admin ''", place.document,
                  place.raw, place.socket);
    cr_expect_eq(o.code, 0, "%s", o.output);
    o = bench_run("l0-bench oneshot %s 20 2 --out %s --target %s --admin ''", place.document,
                  place.raw, place.socket);
    cr_expect_eq(o.code, 0, "%s", o.output);

    int fd = l0_connect(place.socket, 20000); /* two frames in one write, then a bad one */
    cr_assert_geq(fd, 0);
    cr_assert_eq(send(fd, "\0\0\0\1a\0\0\0\2ab\0\0\0\0", 15, MSG_NOSIGNAL), 15);
    struct wire_reply reply;
    cr_expect(l0_recv(fd, &reply) == 0 && reply.n_tokens == 2);
    cr_expect(l0_recv(fd, &reply) == 0 && reply.n_tokens == 3);
    cr_expect(l0_recv(fd, &reply) == 0 && reply.status == WIRE_BAD_LENGTH);
    cr_expect_eq(l0_recv(fd, &reply), -ENODATA);
    close(fd);
    fd = l0_connect(place.socket, 20000);
    cr_assert_geq(fd, 0);
    cr_assert_eq(send(fd, "L0v2", 4, MSG_NOSIGNAL), 4);
    cr_expect(l0_recv(fd, &reply) == 0 && reply.status == WIRE_TOO_LARGE);
    close(fd);
    int open_fd = l0_connect(place.socket, 20000); /* a connection that is there when it stops */
    stop(pid);
    close(open_fd);
}

Test(bench_servers, the_sink_swallows)
{
    pid_t pid = start("l0-bench-sink");
    struct bench_outcome o =
        bench_run("l0-bench keepalive %s 200 4 --out %s --target %s --admin '' "
                  "--expect 0,0",
                  place.document, place.raw, place.socket);
    cr_expect_eq(o.code, 0, "%s", o.output);
    o = bench_run("l0-bench keepalive %s 5 1 --out %s --target %s --admin ''", place.document,
                  place.raw, place.socket);
    cr_expect_eq(o.code, 1, "its counts were taken for right: %s", o.output);
    int fd = l0_connect(place.socket, 20000); /* frames cut and joined in odd places */
    cr_assert_geq(fd, 0);
    cr_assert_eq(send(fd, "\0\0", 2, MSG_NOSIGNAL), 2);
    cr_assert_eq(send(fd, "\0\3ab", 4, MSG_NOSIGNAL), 4);
    cr_assert_eq(send(fd, "c\0\0\0\1x\0\0\0\1", 10, MSG_NOSIGNAL), 10);
    struct wire_reply reply;
    cr_expect_eq(l0_recv(fd, &reply), 0);
    cr_expect_eq(l0_recv(fd, &reply), 0);
    cr_assert_eq(send(fd, "y", 1, MSG_NOSIGNAL), 1);
    cr_expect_eq(l0_recv(fd, &reply), 0);
    close(fd);
    stop(pid);
}

Test(bench_servers, servers_refuse_nonsense)
{
    static const char *const programs[] = {"l0-bench-blocking", "l0-bench-sink"};
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(bench_run("%s", programs[i]).code, 64);
        cr_expect_eq(bench_run("%s --unix %s --cores x", programs[i], place.socket).code, 64);
        cr_expect_eq(bench_run("%s --unix %s/none/s", programs[i], place.scratch.dir).code, 2);
        struct bench_outcome o = bench_run("%s --unix %s", programs[i], place.document);
        cr_expect_eq(o.code, 2);
        bench_expect_said(&o, "d.tex: Address already in use");
        cr_expect_eq(access(place.document, F_OK), 0, "a file of somebody else was removed");
    }
}

/* ---- l0-corpus ---------------------------------------------------------------------------------
 */

Test(bench_servers, corpus_files)
{
    cr_expect_eq(bench_run("l0-corpus --all %s/corpus", place.scratch.dir).code, 0);
    cr_expect_eq(bench_run("l0-corpus --all %s/corpus", place.scratch.dir).code, 0,
                 "a second time");
    cr_expect_eq(bench_run("l0-corpus edit_window_4kb | cmp - %s/corpus/edit_window_4kb.tex",
                           place.scratch.dir)
                     .code,
                 0);
    static const char *const names[] = {"perf_smoke_big", "edit_window_4kb", "macro_dense",
                                        "cjk_dense"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/corpus/%s.tex", place.scratch.dir, names[i]);
        cr_expect_eq(unlink(path), 0, "%s", path);
    }
    struct bench_outcome o = bench_run("l0-corpus cjk_dense 5000 | wc -c");
    cr_expect_str_eq(o.output, "5000\n");
    static const char *const nonsense[] = {
        "", "poem", "cjk_dense x", "cjk_dense 10", "a b c", "cjk_dense --all /tmp"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
        cr_expect_eq(bench_run("l0-corpus %s", nonsense[i]).code, 64, "%s", nonsense[i]);
    cr_expect_eq(bench_run("l0-corpus --all %s/none/corpus", place.scratch.dir).code, 2);
    cr_expect_eq(bench_run("l0-corpus cjk_dense >/dev/full").code, 2);
}
