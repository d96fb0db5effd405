#include "tests/system/hedging.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

void hedge_start(struct daemon *d, int shards, const char *const *more, const char *const *env)
{
    char cores[64];
    if (!traffic_cores(cores, sizeof cores, shards))
        cr_skip_test("needs more processors");
    const char *args[24] = {"--admin", "127.0.0.1:0", "--cores", cores, "--tail-k", "512"};
    for (int n = 6; *more != NULL; more++)
        args[n++] = *more;
    daemon_start(d, args, env);
}

uint64_t hedge_count(const struct daemon *d, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "l0_hedge_%s_total", name);
    return daemon_metric_sum(d, full);
}

void hedge_expect_settled(const struct daemon *d)
{
    traffic_expect_settled(d, 0);
    uint64_t fired = hedge_count(d, "fired");
    uint64_t ended = 0;
    for (uint64_t until_ns = traffic_now_ns() + UINT64_C(20000000000);
         ended != fired && traffic_now_ns() < until_ns;)
        ended = hedge_count(d, "wins") + hedge_count(d, "lost") + hedge_count(d, "abandoned");
    cr_assert_eq(ended, fired, "%" PRIu64 " hedges begun, %" PRIu64 " ended", fired, ended);
}

unsigned hedge_rows(const struct daemon *d, struct row *rows)
{
    unsigned n = 0;
    char line[512];
    traffic_sleep_ms(300); /* the shards have recorded what they have answered */
    (void)unlink(d->tail_csv);
    cr_assert_eq(kill(d->pid, SIGUSR1), 0);
    FILE *f = NULL;
    for (int i = 0; i < 1000 && f == NULL; i++) {
        traffic_sleep_ms(10);
        f = fopen(d->tail_csv, "re");
    }
    cr_assert_not_null(f);
    cr_assert_not_null(fgets(line, sizeof line, f));
    while (n < ROWS_MAX && fgets(line, sizeof line, f) != NULL) {
        struct row *r = &rows[n++];
        cr_assert_eq(sscanf(line,
                            "%*[0-9.],%" SCNu64 ",%*u,%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64
                            ",%u,%c",
                            &r->in_start, &r->proc_start, &r->hedge_fire, &r->first_reply,
                            &r->reply_ready, &r->hedged, &r->origin),
                     7, "%s", line);
        cr_assert_eq(r->hedged, r->hedge_fire != 0);
        cr_assert(r->origin == 'P' || r->origin == 'H');
    }
    (void)fclose(f);
    return n;
}

/* ---- clients -------------------------------------------------------------------------------- */

void *load_main(void *arg)
{
    struct load *l = arg;
    int fd = daemon_connect(l->d);
    for (unsigned i = 0; i < l->n && l->failure == NULL; i++) {
        l->failure = traffic_doc_request(fd, l->doc);
    }
    (void)close(fd);
    return NULL;
}

void run_load(const struct daemon *d, const struct traffic_doc *doc, unsigned n)
{
    struct load loads[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        loads[i] = (struct load){.d = d, .doc = doc, .n = n};
        cr_assert_eq(pthread_create(&loads[i].thread, NULL, load_main, &loads[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        (void)pthread_join(loads[i].thread, NULL);
        cr_assert_null(loads[i].failure, "%s", loads[i].failure);
    }
}
