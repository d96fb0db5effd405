#include "engine/tail.h"

#include "tests/unit/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER                                                                                     \
    "ms_total,t_in_start,t_in_done,t_proc_start,t_hedge_fire,t_first_reply,t_reply_ready,hedged,"  \
    "origin\n"

static void add(struct tail *tail, uint64_t start_ns, uint64_t total_ns)
{
    const struct tail_row row = {
        .bracket = {.t_in_start = start_ns, .t_reply_ready = start_ns + total_ns}, .origin = 'P'};
    tail_add(tail, &row);
}

static char *format(struct tail *const *tails, uint32_t n_tails, uint32_t k)
{
    size_t bytes = 0;
    char *text = tail_format_csv(tails, n_tails, k, &bytes);
    cr_assert_not_null(text);
    cr_assert_eq(bytes, strlen(text));
    cr_assert_eq(strncmp(text, HEADER, strlen(HEADER)), 0);
    return text;
}

/* Reads the rows' totals in ns back into totals; returns their number. */
static size_t parse_totals(const char *text, uint64_t *totals, size_t room)
{
    size_t n = 0;
    for (const char *line = strchr(text, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1) {
        uint64_t ms, ns;
        cr_assert_eq(sscanf(line, "%" SCNu64 ".%6" SCNu64 ",", &ms, &ns), 2);
        cr_assert_lt(n, room);
        totals[n++] = ms * 1000000 + ns;
    }
    return n;
}

Test(tail, empty_is_a_header)
{
    struct tail *tail = tail_new(3);
    char *text = format(&tail, 1, 3);
    cr_expect_str_eq(text, HEADER);
    free(text);
    text = format(NULL, 0, 3);
    cr_expect_str_eq(text, HEADER);
    free(text);
    tail_free(tail);
    tail_free(NULL);
}

Test(tail, every_column)
{
    struct tail *tail = tail_new(2);
    const struct tail_row hedged = {
        .bracket = {1, 2, 3, 4, 5, UINT64_C(20000000) + 1}, .hedged = 1, .origin = 'H'};
    const struct tail_row longest = {
        .bracket = {.t_in_start = 0, .t_reply_ready = UINT64_MAX}, .hedged = 0, .origin = 'P'};
    tail_add(tail, &hedged);
    tail_add(tail, &longest);
    char *text = format(&tail, 1, 2);
    cr_expect_str_eq(text, HEADER "18446744073709.551615,0,0,0,0,0,18446744073709551615,0,P\n"
                                  "20.000000,1,2,3,4,5,20000001,1,H\n");
    free(text);
    tail_free(tail);
}

Test(tail, milliseconds_are_exact)
{
    struct tail *tail = tail_new(4);
    add(tail, 5, 0);
    add(tail, 6, 1);
    add(tail, 7, 999999);
    add(tail, 8, UINT64_C(123456789012345678));
    char *text = format(&tail, 1, 4);
    cr_expect_not_null(strstr(text, "\n0.000000,5,"));
    cr_expect_not_null(strstr(text, "\n0.000001,6,"));
    cr_expect_not_null(strstr(text, "\n0.999999,7,"));
    cr_expect_not_null(strstr(text, "\n123456789012.345678,8,"));
    free(text);
    tail_free(tail);
}

static int slowest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* Against sorting everything: random, rising, falling and equal durations, every small k, two
 * shards. */
Test(tail, keeps_the_slowest)
{
    enum { N = 500 };
    uint64_t state = 1, kept[2 * N];
    for (uint32_t k = 1; k <= 40; k += 3) {
        for (int order = 0; order < 4; order++) {
            struct tail *tails[2] = {tail_new(k), tail_new(k)};
            uint64_t all[N];
            for (uint32_t i = 0; i < N; i++) {
                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                const uint64_t durations[] = {state >> 54, i, N - i, 7};
                all[i] = durations[order];
                add(tails[state >> 63], i, all[i]);
            }
            qsort(all, N, sizeof *all, slowest_first);
            char *text = format(tails, 2, k);
            cr_assert_eq(parse_totals(text, kept, sizeof kept / sizeof *kept), k);
            cr_expect_arr_eq(kept, all, k * sizeof *all, "k %u order %d", k, order);
            free(text);
            tail_free(tails[0]);
            tail_free(tails[1]);
        }
    }
}

Test(tail, ties_are_ordered_by_time_then_by_the_rest)
{
    struct tail *tails[2] = {tail_new(4), tail_new(4)};
    const struct tail_row plain = {.bracket = {.t_in_start = 1, .t_reply_ready = 11},
                                   .origin = 'P'};
    struct tail_row hedged = plain;
    hedged.hedged = 1;
    tail_add(tails[0], &hedged);
    add(tails[0], 3, 10);
    tail_add(tails[1], &plain);
    add(tails[1], 2, 10);
    char *text = format(tails, 2, 4);
    cr_expect_str_eq(text, HEADER "0.000010,1,0,0,0,0,11,0,P\n0.000010,1,0,0,0,0,11,1,P\n"
                                  "0.000010,2,0,0,0,0,12,0,P\n0.000010,3,0,0,0,0,13,0,P\n");
    free(text);
    tail_free(tails[0]);
    tail_free(tails[1]);
}

Test(tail, reset_hides_what_was_before)
{
    struct tail *tail = tail_new(2);
    for (uint64_t i = 0; i < 5; i++)
        add(tail, i, 100 + i);
    tail_reset(tail);
    char *text = format(&tail, 1, 2);
    cr_expect_str_eq(text, HEADER, "hidden before the shard adds another");
    free(text);
    add(tail, 7, 1);
    text = format(&tail, 1, 2);
    cr_expect_str_eq(text, HEADER "0.000001,7,0,0,0,0,8,0,P\n");
    free(text);
    tail_reset(tail);
    tail_reset(tail);
    for (uint64_t i = 0; i < 5; i++)
        add(tail, i, i);
    uint64_t totals[2];
    text = format(&tail, 1, 2);
    cr_expect_eq(parse_totals(text, totals, 2), 2);
    cr_expect(totals[0] == 4 && totals[1] == 3);
    free(text);
    tail_free(tail);
}

Test(tail, file_is_replaced_whole)
{
    struct scratch s;
    scratch_open(&s);
    struct tail *tail = tail_new(2);
    const char *path = scratch_write(&s, "tail.csv", "old", 3);
    add(tail, 1, 1);
    cr_assert_eq(tail_write_csv(&tail, 1, 2, path), 0);
    char text[256] = "";
    struct stat info;
    FILE *f = fopen(path, "re");
    cr_assert_not_null(f);
    cr_assert_gt(fread(text, 1, sizeof text - 1, f), 0);
    cr_expect_eq(fstat(fileno(f), &info), 0);
    fclose(f);
    cr_expect_str_eq(text, HEADER "0.000001,1,0,0,0,0,2,0,P\n");
    cr_expect_eq(info.st_mode & 07777, 0644);
    cr_expect_eq(scratch_count(&s), 1, "no temporary file is left");
    tail_free(tail);
    scratch_close(&s);
}

Test(tail, file_name_may_be_relative_or_as_long_as_can_be)
{
    struct scratch s;
    scratch_open(&s);
    struct tail *tail = tail_new(1);
    cr_assert_eq(chdir(s.dir), 0);
    cr_expect_eq(tail_write_csv(&tail, 1, 1, "tail.csv"), 0);
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    cr_expect_eq(tail_write_csv(&tail, 1, 1, name), 0);
    cr_expect_eq(scratch_count(&s), 2);
    tail_free(tail);
    scratch_close(&s);
}

Test(tail, a_link_is_replaced_not_followed)
{
    struct scratch s;
    scratch_open(&s);
    struct tail *tail = tail_new(1);
    char victim[384];
    strcpy(victim, scratch_write(&s, "victim", "keep", 4));
    const char *path = scratch_path(&s, "tail.csv");
    cr_assert_eq(symlink(victim, path), 0);
    cr_expect_eq(tail_write_csv(&tail, 1, 1, path), 0);
    struct stat info;
    cr_assert_eq(lstat(path, &info), 0);
    cr_expect(S_ISREG(info.st_mode));
    cr_assert_eq(stat(victim, &info), 0);
    cr_expect_eq(info.st_size, 4);
    tail_free(tail);
    scratch_close(&s);
}

Test(tail, failures_leave_nothing_behind)
{
    struct scratch s;
    scratch_open(&s);
    struct tail *tail = tail_new(1);
    cr_expect_eq(tail_write_csv(&tail, 1, 1, scratch_path(&s, "none/tail.csv")), -ENOENT);
    const char *path = scratch_path(&s, "directory");
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(tail_write_csv(&tail, 1, 1, path), -EISDIR);
    cr_expect_eq(scratch_count(&s), 1, "the temporary file is removed");
    cr_expect_eq(tail_write_csv(&tail, 1, 1, "/dev/full/x"), -ENOTDIR);
    tail_free(tail);
    scratch_close(&s);
}
