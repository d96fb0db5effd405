#include "gate/graph.h"

#include "gate/outfile.h"
#include "gate/page_charts.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A text within single quotes of gnuplot's language, where a quote is doubled. */
static void put_quoted(const char *text, FILE *script)
{
    fputc('\'', script);
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputc('\'', script);
        }
        fputc((unsigned char)*text < ' ' ? ' ' : *text, script);
    }
    fputc('\'', script);
}

static void put_data(const char *name, const struct evidence *side, FILE *script)
{
    static struct page_curve curve;
    page_curve(&side->pooled, &curve);
    fprintf(script, "$%s << END\n", name);
    for (size_t i = 0; i < curve.n; i++) {
        const struct chart_point *low = i < curve.n_bounded ? &curve.low[i] : &curve.value[i];
        const struct chart_point *high = i < curve.n_bounded ? &curve.high[i] : &curve.value[i];
        fprintf(script, "%.9g %.9g %.9g %.9g\n", curve.value[i].x, curve.value[i].y, low->y,
                high->y);
    }
    fputs("END\n", script);
}

static void put_script(const struct page *page, enum graph_format format, FILE *script)
{
    double x_high = 1;
    double y_low = 0;
    double y_high = 0;
    put_data("run", page->run, script);
    if (page->base != NULL) {
        put_data("base", page->base, script);
    }
    page_percentile_range(page, &x_high, &y_low, &y_high);
    fputs(format == GRAPH_SVG ? "set terminal svg size 960,480 dynamic background '#ffffff'\n"
                              : "set terminal pngcairo size 960,480\n",
          script);
    fprintf(script, "set xrange [0:%.9g]\nset yrange [%.9g:%.9g]\n", x_high, y_low, y_high);
    fputs("set title ", script);
    put_quoted(page->title, script);
    fputs(" noenhanced\nset grid\nset logscale y\nset ylabel 'latency, ms'\nset key left top\n"
          "set xtics ('min' 0, 'P50' 0.30103, 'P90' 1, 'P99' 2, 'P99.9' 3, 'P99.99' 4, "
          "'P99.999' 5)\n"
          "set style fill transparent solid 0.2 noborder\nplot ",
          script);
    if (page->base != NULL) {
        fputs("$base using 1:3:4 with filledcurves lc rgb '#c46a0b' notitle, $base using 1:2 with "
              "lines lw 2 lc rgb '#c46a0b' title 'base', ",
              script);
    }
    fputs("$run using 1:3:4 with filledcurves lc rgb '#0b62c4' title '95 % interval', $run using "
          "1:2 with lines lw 2 lc rgb '#0b62c4' title 'this run'\n",
          script);
}

/* Starts gnuplot on a script, its picture going to a pipe. Its process, or negative errno;
 * *picture is the pipe's end. */
static pid_t start_gnuplot(int script, int *picture)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    char *const argv[] = {(char[]){"gnuplot"}, NULL};
    pid_t pid;
    int rc = posix_spawnp(&pid, "gnuplot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (rc != 0) {
        close(ends[0]);
        return -rc;
    }
    *picture = ends[0];
    return pid;
}

/* Copies all that comes. Bytes, or negative errno. */
static ssize_t copy_picture(int picture, FILE *out)
{
    char buffer[4096];
    ssize_t total = 0;
    for (;;) {
        ssize_t n = read(picture, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : total;
        }
        fwrite(buffer, 1, (size_t)n, out);
        total += n;
    }
}

/* Runs gnuplot on the script. 0, or -1 with *error set. */
static int draw(FILE *script, const char *path, FILE *out, struct gate_error *error)
{
    int picture = -1;
    pid_t pid = start_gnuplot(fileno(script), &picture);
    if (pid < 0) {
        return gate_error_set(error, GATE_USAGE,
                              "%s: cannot start gnuplot: %s (package gnuplot-nox)", path,
                              strerror(-pid));
    }
    ssize_t n = copy_picture(picture, out);
    close(picture);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (n <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return gate_error_set(error, GATE_USAGE, "%s: gnuplot could not draw it", path);
    }
    return 0;
}

int graph_write(const struct page *page, enum graph_format format, const char *path,
                struct gate_error *error)
{
    struct outfile out;
    FILE *script = tmpfile();
    if (script == NULL) {
        return gate_error_set(error, GATE_USAGE, "%s: no temporary file: %s", path,
                              strerror(errno));
    }
    int rc = outfile_open(&out, path);
    if (rc == 0) {
        put_script(page, format, script);
        rewind(script);
        if (draw(script, path, out.stream, error) != 0) {
            outfile_abort(&out);
        } else {
            rc = outfile_commit(&out);
        }
    }
    fclose(script);
    if (rc != 0) {
        return gate_error_set(error, GATE_USAGE, "%s: cannot write: %s", path, strerror(-rc));
    }
    return error->code == GATE_PASS ? 0 : -1;
}
