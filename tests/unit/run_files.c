#include "tests/unit/run_files.h"

#include "gate/rows.h"
#include "tests/unit/gate_files.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void make_folders(const char *path)
{
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0777);
        *slash = '/';
    }
    mkdir(part, 0777);
}

static void write_rows(const struct run_file *run, FILE *file)
{
    fputs(ROWS_HEADER "\n", file);
    for (size_t i = 0; i < run->n; i++) {
        uint64_t latency_ns = i < run->n - run->n_slow ? run->fast_ns : run->slow_ns;
        struct row row = {
            .intended_ns = i * 1000000,
            .sent_ns = i * 1000000 + 100,
            .first_ns = i * 1000000 + latency_ns,
            .done_ns = i * 1000000 + latency_ns,
            .bytes = 7,
            .origin = i < run->n - run->n_hedged ? 'P' : 'H',
            .ok = i >= run->n_lost,
        };
        if (!row.ok) {
            row.first_ns = row.done_ns = 0;
        }
        rows_print(&row, row.ok ? "ok" : "timeout", file);
    }
}

void run_files_write(const struct run_file *run)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", gate_files_dir(), run->name);
    make_folders(path);
    snprintf(path, sizeof path, "%s/%s/rows.csv", gate_files_dir(), run->name);
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file, "%s", path);
    write_rows(run, file);
    cr_assert_eq(fclose(file), 0);
    snprintf(path, sizeof path, "%s/%s/run.json", gate_files_dir(), run->name);
    file = fopen(path, "we");
    cr_assert_not_null(file);
    fprintf(file, "{\"format\":\"l0-run 1\",\"rows\":%zu%s%s}", run->n,
            run->summary != NULL ? "," : "", run->summary != NULL ? run->summary : "");
    cr_assert_eq(fclose(file), 0);
}

void run_files_write_sides(const char *dir, size_t n_runs, unsigned percent)
{
    for (size_t i = 0; i < n_runs; i++) {
        for (size_t side = 0; side < 2; side++) {
            char name[128];
            char summary[160];
            uint64_t wobble = 1000 + i * 7919 % 31 + side * (i * 104729 % 13);
            uint64_t scale = side == 0 ? 100 : 100 + percent;
            snprintf(name, sizeof name, "%s/%c/%03zu", dir, "ab"[side], i + 1);
            snprintf(summary, sizeof summary,
                     "\"valid\":true,\"started_s\":%zu,\"machine\":{\"cpu\":\"abacus\"}",
                     100 + 20 * i + 10 * ((side + i) % 2));
            run_files_write(&(struct run_file){
                .name = name,
                .n = 4000,
                .fast_ns = 1000 * wobble * scale / 100,
                .slow_ns = 5000 * wobble * scale / 100,
                .n_slow = 60,
                .summary = summary,
            });
        }
    }
}
