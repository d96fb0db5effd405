/* l0-lexd: options -> limits -> probe -> shards -> listeners -> signals -> drain. */
#include "engine/admin.h"
#include "engine/clock.h"
#include "engine/listener.h"
#include "engine/options.h"
#include "engine/shard.h"
#include "engine/supervisor.h"
#include "engine/topology.h"
#include "proto/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* Everything that main owns; torn down in one place (lexd_close), in reverse order. */
struct lexd {
    struct options options;
    struct shard_set set;
    struct conn *conns;
    uint32_t n_prepared, n_started;
    int unix_fd;           /* -1: none */
    struct stat unix_file; /* the socket's file as we made it */
    int signal_fd;
    struct admin *admin;
    struct admin_view view;
    struct supervisor supervisor;
    _Atomic bool ready; /* written by main, read by the admin thread: relaxed, it orders nothing */
};

static int lexd_fail(int exit_code, const char *what, int error)
{
    fprintf(stderr, "l0-lexd: %s: %s\n", what, strerror(-error));
    return exit_code;
}

/* ---- before anything is bound -------------------------------------------------------------- */

static int lexd_choose_kernel(const struct options *o)
{
    int rc = lexer_init(o->kernel);
    if (rc != 0) {
        fprintf(stderr, "l0-lexd: --kernel %s (L0_KERNEL): %s (allowed: auto", o->kernel,
                rc == -ENOENT ? "no such kernel is built" : "this processor cannot run it");
        for (size_t i = 0; lexer_kernel_list(i) != NULL; i++)
            if (lexer_kernel_can_run(i))
                fprintf(stderr, ", %s", lexer_kernel_list(i));
        fputs(")\n", stderr);
        return OPTIONS_EXIT_CONFIG;
    }
    if (lexer_kernel_is_simd())
        return 0;
    if (!o->allow_scalar) {
        fprintf(stderr,
                "l0-lexd: the lexer has no SIMD kernel here, only \"%s\", which is several times "
                "slower; not starting (fix: L0_ALLOW_SCALAR=1 or --allow-scalar to serve anyway)\n",
                lexer_kernel_name());
        return OPTIONS_EXIT_UNAVAILABLE;
    }
    fprintf(stderr, "l0-lexd: warning: no SIMD kernel; serving with \"%s\" (allow-scalar)\n",
            lexer_kernel_name());
    return 0;
}

/* As many descriptors as we may have; fewer than the connections need is worth a line. */
static void lexd_raise_nofile(const struct options *o)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    uint64_t need = o->max_conns + 9 * (uint64_t)o->n_cores + 32;
    if (limit.rlim_cur < need)
        fprintf(stderr,
                "l0-lexd: warning: RLIMIT_NOFILE is %llu, and max-conns %u needs %llu; more "
                "connections will have to wait (fix: ulimit -n, or LimitNOFILE= in the unit)\n",
                (unsigned long long)limit.rlim_cur, o->max_conns, (unsigned long long)need);
}

/* ---- shards -------------------------------------------------------------------------------- */

static int lexd_prepare_shards(struct lexd *d)
{
    const struct options *o = &d->options;
    struct shard_set *set = &d->set;
    set->options = o;
    set->lexer_options.regime = o->regime;
    (void)pthread_mutex_init(&set->lock, NULL);
    (void)pthread_cond_init(&set->changed, NULL);
    set->shards = aligned_alloc(64, o->n_cores * sizeof *set->shards);
    d->conns = aligned_alloc(64, o->max_conns * sizeof *d->conns);
    if (set->shards == NULL || d->conns == NULL)
        return lexd_fail(OPTIONS_EXIT_RESOURCE, "shards", -ENOMEM);
    memset(set->shards, 0, o->n_cores * sizeof *set->shards);
    memset(d->conns, 0, o->max_conns * sizeof *d->conns);
    set->n_shards = o->n_cores;

    set->conns = d->conns;
    int cpus[LIMIT_SHARDS_MAX];
    topology_ring(&o->cores, cpus);
    if (o->hedge_ns != 0 && o->n_cores > 1)
        shard_set_pair(set);
    uint32_t slot = 0;
    for (uint32_t i = 0; i < o->n_cores; i++) {
        uint32_t cap = o->max_conns / o->n_cores + (i < o->max_conns % o->n_cores ? 1 : 0);
        d->n_prepared++;
        int rc = shard_prepare(&set->shards[i], set, i, cpus[i], d->conns + slot, slot, cap);
        if (rc != 0)
            return ring_explain(rc, stderr);
        slot += cap;
    }
    return 0;
}

static int lexd_start_shards(struct lexd *d)
{
    for (; d->n_started < d->set.n_shards; d->n_started++) {
        int rc = shard_start(&d->set.shards[d->n_started]);
        if (rc != 0)
            return lexd_fail(OPTIONS_EXIT_RESOURCE, "cannot start a shard's thread", rc);
    }
    int rc = shard_set_wait(&d->set, d->n_started);
    uint64_t need_bytes = (uint64_t)d->set.n_shards * 2 * d->options.arena_mib * LIMIT_MIB;
    struct rlimit memlock = {0};
    (void)getrlimit(RLIMIT_MEMLOCK, &memlock);
    if (rc == -EPERM) {
        fprintf(
            stderr,
            "l0-lexd: --mlock require: RLIMIT_MEMLOCK is %llu bytes, the arenas need %llu "
            "(fix: ulimit -l, LimitMEMLOCK= in the unit, a smaller --arena-mb, or --mlock try)\n",
            (unsigned long long)memlock.rlim_cur, (unsigned long long)need_bytes);
        return OPTIONS_EXIT_RESOURCE;
    }
    if (rc != 0)
        return lexd_fail(OPTIONS_EXIT_RESOURCE, "a shard cannot start (fix: a smaller --arena-mb?)",
                         rc);
    for (uint32_t i = 0; i < d->set.n_shards; i++)
        if (d->set.shards[i].arenas.lock_failed) {
            fprintf(stderr,
                    "l0-lexd: warning: the arenas are not locked in memory: RLIMIT_MEMLOCK is %llu "
                    "bytes, %llu are needed (fix: ulimit -l, or LimitMEMLOCK= in the unit)\n",
                    (unsigned long long)memlock.rlim_cur, (unsigned long long)need_bytes);
            break;
        }
    return 0;
}

/* ---- admin ---------------------------------------------------------------------------------- */

static int lexd_start_admin(struct lexd *d)
{
    const struct options *o = &d->options;
    if (!o->admin_on)
        return 0;
    d->view = (struct admin_view){
        .metrics = d->supervisor.metrics,
        .tails = d->supervisor.tails,
        .n_shards = d->set.n_shards,
        .tail_k = o->tail_k,
        .tail_csv = o->tail_csv,
        .build = {.version = L0_VERSION,
                  .kernel = lexer_kernel_name(),
                  .regime = o->regime == LEXER_LUALATEX ? "lualatex" : "pdflatex"},
        .ready = &d->ready,
    };
    int rc = admin_start(&d->admin, o->admin, o->admin_allow_remote, &d->view);
    if (rc == -EADDRINUSE)
        return OPTIONS_EXIT_UNAVAILABLE;
    if (rc != 0)
        return rc == -EACCES || rc == -EINVAL ? OPTIONS_EXIT_CONFIG : OPTIONS_EXIT_RESOURCE;
    fprintf(stderr, "l0-lexd: admin on port %u (/metrics /healthz /readyz /tail.csv)\n",
            admin_port(d->admin));
    return 0;
}

/* ---- listeners ----------------------------------------------------------------------------- */

static int lexd_listen_failed(const char *kind, const char *where, const char *why, int error)
{
    if (error == -EMFILE || error == -ENFILE)
        why = "(fix: ulimit -n, or LimitNOFILE= in the unit)";
    fprintf(stderr, "l0-lexd: cannot listen on %s %s: %s%s%s\n", kind, where, strerror(-error),
            why[0] != '\0' ? ": " : "", why);
    switch (-error) {
    case EADDRINUSE:
        return OPTIONS_EXIT_UNAVAILABLE;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
        return OPTIONS_EXIT_RESOURCE;
    default:
        return OPTIONS_EXIT_CONFIG;
    }
}

static int lexd_listen_unix(struct lexd *d)
{
    const struct options *o = &d->options;
    const char *why = "";
    if (o->unix_path[0] == '\0')
        return 0;
    int fd = listener_open_unix(o->unix_path, o->unix_mode, &why);
    if (fd < 0)
        return lexd_listen_failed("unix", o->unix_path, why, fd);
    d->unix_fd = fd;
    (void)lstat(o->unix_path, &d->unix_file);
    for (uint32_t i = 0; i < d->set.n_shards; i++) {
        struct shard *s = &d->set.shards[i];
        s->listeners[s->n_listeners++] = (struct listener){.fd = fd};
    }
    fprintf(stderr, "l0-lexd: listening on unix:%s\n", o->unix_path);
    return 0;
}

static int lexd_listen_tcp(struct lexd *d)
{
    const char *address = d->options.tcp;
    const char *why = "";
    char bound[320];
    if (address[0] == '\0')
        return 0;
    for (uint32_t i = 0; i < d->set.n_shards; i++) {
        struct shard *s = &d->set.shards[i];
        int fd = listener_open_tcp(address, i == 0, &why);
        if (fd < 0)
            return lexd_listen_failed("tcp", address, why, fd);
        s->listeners[s->n_listeners++] = (struct listener){.fd = fd, .tcp = true};
        if (i == 0) { /* the others share the port that the first one got */
            listener_name_tcp(fd, bound, sizeof bound);
            address = bound;
        }
    }
    fprintf(stderr, "l0-lexd: listening on tcp:%s\n", bound);
    return 0;
}

/* ---- from start to end --------------------------------------------------------------------- */

static int lexd_open(struct lexd *d)
{
    int rc = lexd_choose_kernel(&d->options);
    if (rc != 0)
        return rc;
    rc = ring_probe();
    if (rc != 0)
        return ring_explain(rc, stderr);
    lexd_raise_nofile(&d->options);
    d->signal_fd = supervisor_block_signals();
    if (d->signal_fd < 0)
        return lexd_fail(OPTIONS_EXIT_RESOURCE, "signalfd", d->signal_fd);
    rc = lexd_prepare_shards(d);
    if (rc == 0)
        rc = lexd_start_shards(d);
    if (rc != 0)
        return rc;
    supervisor_init(&d->supervisor, &d->options, &d->set);
    rc = lexd_start_admin(d);
    if (rc == 0)
        rc = lexd_listen_unix(d);
    if (rc == 0)
        rc = lexd_listen_tcp(d);
    return rc;
}

/* The path goes first: who comes now finds nobody, and a successor may bind it while we drain. What
 * another has put there meanwhile is left alone. */
static void lexd_unlink(struct lexd *d)
{
    struct stat now;
    if (d->unix_fd >= 0 && lstat(d->options.unix_path, &now) == 0 &&
        now.st_ino == d->unix_file.st_ino && now.st_dev == d->unix_file.st_dev)
        (void)unlink(d->options.unix_path);
}

static void lexd_serve(struct lexd *d)
{
    shard_set_go(&d->set, SHARD_GO_RUN);
    atomic_store_explicit(&d->ready, true, memory_order_relaxed);
    fprintf(stderr, "l0-lexd %s: ready: %u shards, kernel %s, max-req-bytes %u\n", L0_VERSION,
            d->set.n_shards, lexer_kernel_name(), d->options.max_req_bytes);
    int rc = sd_notify(0, "READY=1");
    if (rc < 0)
        (void)lexd_fail(0, "warning: the service manager cannot be told that we are ready", rc);

    supervisor_run(&d->supervisor, d->signal_fd);

    atomic_store_explicit(&d->ready, false, memory_order_relaxed);
    (void)sd_notify(0, "STOPPING=1");
    lexd_unlink(d); /* before it is told: who reads the line finds no socket */
    fprintf(stderr, "l0-lexd: draining (at most %llu ms)\n",
            (unsigned long long)(d->options.drain_ns / CLOCK_NS_PER_MS));
    for (uint32_t i = 0; i < d->set.n_shards; i++)
        shard_control(&d->set.shards[i], SHARD_DRAIN);
    supervisor_drain(&d->supervisor, d->signal_fd);
    d->n_started = 0; /* joined */
    supervisor_finish(&d->supervisor);
}

static void lexd_close(struct lexd *d)
{
    if (d->n_started > 0) {
        shard_set_go(&d->set, SHARD_GO_ABORT);
        for (uint32_t i = 0; i < d->n_started; i++)
            (void)pthread_join(d->set.shards[i].thread, NULL);
        lexd_unlink(d);
    }
    if (d->admin != NULL)
        admin_stop(d->admin);
    for (uint32_t i = 0; i < d->n_prepared; i++)
        shard_release(&d->set.shards[i]);
    if (d->unix_fd >= 0)
        (void)close(d->unix_fd);
    if (d->signal_fd >= 0)
        (void)close(d->signal_fd);
    free(d->set.shards);
    free(d->conns);
}

int main(int argc, char **argv)
{
    static struct lexd lexd = {.unix_fd = -1, .signal_fd = -1};
    int rc = options_load(&lexd.options, argc, argv);
    if (rc != 0)
        return rc;
    rc = lexd_open(&lexd);
    if (rc == 0)
        lexd_serve(&lexd);
    lexd_close(&lexd);
    return rc;
}
