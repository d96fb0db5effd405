#include "bench/calibrate_verdict.h"

#include "bench/clock.h"
#include "gate/random.h"
#include "gate/rule.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NAMES 2
static const char *const names[NAMES] = {RUN_ROWS_NAME, RUN_SUMMARY_NAME};

static void write_rows(uint32_t n, FILE *out)
{
    struct random random = {.state = 1};
    fputs(ROWS_HEADER "\n", out);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t due_ns = (uint64_t)i * 100000;
        uint64_t done_ns = due_ns + 200000 + (uint64_t)(-300000 * log(random_unit(&random)));
        const struct row row = {.intended_ns = due_ns,
                                .sent_ns = due_ns + 1000,
                                .first_ns = done_ns - 500,
                                .done_ns = done_ns,
                                .bytes = 4096,
                                .origin = 'P',
                                .ok = true};
        rows_print(&row, "ok", out);
    }
}

static int write_run(const char *directory, uint32_t n)
{
    for (int i = 0; i < NAMES; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        FILE *out = fopen(path, "we");
        if (out == NULL)
            return -errno;
        if (i == 0)
            write_rows(n, out);
        else
            fprintf(out,
                    "{\"format\":\"l0-run 1\",\"valid\":true,\"rows\":%u,\"requests\":%u,"
                    "\"errors\":0,\"hedges_fired\":%u}\n",
                    n, n, n / 100);
        if (fclose(out) != 0)
            return -errno;
    }
    return 0;
}

/* 0, or -EPROTO when the gate does not take the run. */
static int load_and_judge(const char *directory, struct gate_error *error)
{
    static const char *const texts[] = {"p99.9<=20ms", "hedge_rate<=2%", "errors==0", "n>=1"};
    static struct rules rules;
    struct evidence evidence = {0};
    int rc = evidence_add(&evidence, directory, error);
    rules.n = 0;
    if (rc == 0)
        rc = evidence_pool(&evidence, error);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && rc == 0; i++) {
        struct judgement judgement;
        rc = rule_add(&rules, texts[i], "rule", error);
        if (rc == 0)
            rc = rule_judge(&rules.rules[i], &evidence, &judgement, error);
    }
    evidence_free(&evidence);
    return rc == 0 ? 0 : -EPROTO;
}

int calibrate_verdict_s(uint32_t n_samples, double *seconds)
{
    char directory[] = "/tmp/l0_verdict.XXXXXX";
    struct gate_error error = {0};
    if (mkdtemp(directory) == NULL)
        return -errno;
    int rc = write_run(directory, n_samples);
    uint64_t begin_ns = bench_now_ns();
    if (rc == 0)
        rc = load_and_judge(directory, &error);
    *seconds = (double)(bench_now_ns() - begin_ns) / 1e9;
    for (int i = 0; i < NAMES; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
    return rc;
}
