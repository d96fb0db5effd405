#include "engine/tail.h"

#include "engine/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CSV_HEADER                                                                                 \
    "ms_total,t_in_start,t_in_done,t_proc_start,t_hedge_fire,t_first_reply,t_reply_ready,hedged,"  \
    "origin\n"

/* The words of a row as a slot keeps them. */
enum {
    WORD_GENERATION,
    WORD_IN_START,
    WORD_IN_DONE,
    WORD_PROC_START,
    WORD_HEDGE_FIRE,
    WORD_FIRST_REPLY,
    WORD_REPLY_READY,
    WORD_FLAGS, /* hedged << 8 | origin */
    WORD_COUNT
};

/* Invariant: sequence is odd while the words are being changed, and never goes back. A row counts
 * only if its generation is at least the tail's: 0, from calloc, is before the first. */
struct tail_slot {
    _Atomic uint64_t sequence;
    _Atomic uint64_t words[WORD_COUNT];
};

/* One entry of the writer's heap. */
struct tail_key {
    uint64_t total_ns;
    uint32_t slot;
};

/* Invariants, writer's part: heap[0, n_rows) is a min-heap by total_ns over the slots [0, n_rows),
 * each of them once, all of generation own_generation. */
struct tail {
    uint32_t k;
    _Atomic uint64_t generation; /* counts resets, from 1 */

    uint64_t own_generation;
    uint32_t n_rows;
    struct tail_key *heap;
    struct tail_slot *slots;
};

struct tail *tail_new(uint32_t k)
{
    assert(k > 0);
    struct tail *tail = calloc(1, sizeof *tail);
    if (tail == NULL)
        return NULL;
    tail->k = k;
    tail->own_generation = 1;
    atomic_init(&tail->generation, 1);
    tail->heap = calloc(k, sizeof *tail->heap);
    tail->slots = calloc(k, sizeof *tail->slots);
    if (tail->heap == NULL || tail->slots == NULL) {
        tail_free(tail);
        return NULL;
    }
    return tail;
}

void tail_free(struct tail *tail)
{
    if (tail == NULL)
        return;
    free(tail->heap);
    free(tail->slots);
    free(tail);
}

/* ---- the writer ---- */

/* A reader that sees one of the new words has, by that word's release and its own acquire, also the
 * odd sequence before it, so its second look at the sequence differs from its first. */
static void slot_write(struct tail_slot *slot, uint64_t generation, const struct tail_row *row)
{
    const struct bracket *b = &row->bracket;
    const uint64_t words[WORD_COUNT] = {
        [WORD_GENERATION] = generation,
        [WORD_IN_START] = b->t_in_start,
        [WORD_IN_DONE] = b->t_in_done,
        [WORD_PROC_START] = b->t_proc_start,
        [WORD_HEDGE_FIRE] = b->t_hedge_fire,
        [WORD_FIRST_REPLY] = b->t_first_reply,
        [WORD_REPLY_READY] = b->t_reply_ready,
        [WORD_FLAGS] = (uint64_t)row->hedged << 8 | (uint8_t)row->origin,
    };
    uint64_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
    assert(sequence % 2 == 0);
    atomic_store_explicit(&slot->sequence, sequence + 1, memory_order_relaxed);
    for (int i = 0; i < WORD_COUNT; i++)
        atomic_store_explicit(&slot->words[i], words[i], memory_order_release);
    atomic_store_explicit(&slot->sequence, sequence + 2, memory_order_release);
}

static void heap_up(struct tail_key *heap, uint32_t i, struct tail_key key)
{
    while (i > 0 && heap[(i - 1) / 2].total_ns > key.total_ns) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = key;
}

static void heap_down(struct tail_key *heap, uint32_t n, struct tail_key key)
{
    uint64_t i = 0, child;
    while ((child = 2 * i + 1) < n) {
        if (child + 1 < n && heap[child + 1].total_ns < heap[child].total_ns)
            child++;
        if (heap[child].total_ns >= key.total_ns)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = key;
}

void tail_add(struct tail *tail, const struct tail_row *row)
{
    assert(row->bracket.t_reply_ready >= row->bracket.t_in_start);
    assert(row->hedged <= 1 && (row->origin == 'P' || row->origin == 'H'));
    uint64_t generation = atomic_load_explicit(&tail->generation, memory_order_acquire);
    if (generation != tail->own_generation) {
        tail->own_generation = generation;
        tail->n_rows = 0;
    }
    struct tail_key key = {.total_ns = bracket_total_ns(&row->bracket), .slot = tail->n_rows};
    if (tail->n_rows < tail->k) {
        slot_write(&tail->slots[key.slot], generation, row);
        heap_up(tail->heap, tail->n_rows++, key);
    } else if (key.total_ns > tail->heap[0].total_ns) {
        key.slot = tail->heap[0].slot;
        slot_write(&tail->slots[key.slot], generation, row);
        heap_down(tail->heap, tail->n_rows, key);
    }
}

void tail_reset(struct tail *tail)
{
    atomic_fetch_add_explicit(&tail->generation, 1, memory_order_acq_rel);
}

/* ---- readers ---- */

/* False for a slot without a row of this generation or a later one. */
static bool slot_read(const struct tail_slot *slot, uint64_t generation, struct tail_row *row)
{
    uint64_t words[WORD_COUNT], before, after;
    for (;;) {
        before = atomic_load_explicit(&slot->sequence, memory_order_acquire);
        for (int i = 0; i < WORD_COUNT; i++)
            words[i] = atomic_load_explicit(&slot->words[i], memory_order_acquire);
        after = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
        if (before % 2 == 0 && before == after)
            break;
        sched_yield(); /* the writer may be off its core in mid-row */
    }
    *row = (struct tail_row){
        .bracket = {.t_in_start = words[WORD_IN_START],
                    .t_in_done = words[WORD_IN_DONE],
                    .t_proc_start = words[WORD_PROC_START],
                    .t_hedge_fire = words[WORD_HEDGE_FIRE],
                    .t_first_reply = words[WORD_FIRST_REPLY],
                    .t_reply_ready = words[WORD_REPLY_READY]},
        .hedged = (uint8_t)(words[WORD_FLAGS] >> 8),
        .origin = (char)(words[WORD_FLAGS] & 0xff),
    };
    return words[WORD_GENERATION] >= generation;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Slowest first, then by time; rows that are equal in all of this come from the same instant of two
 * shards, and their last difference is the remaining timestamps. */
static int compare_rows(const void *left, const void *right)
{
    const struct tail_row *a = left, *b = right;
    int order = compare_u64(bracket_total_ns(&b->bracket), bracket_total_ns(&a->bracket));
    if (order == 0)
        order = compare_u64(a->bracket.t_in_start, b->bracket.t_in_start);
    if (order == 0)
        order = memcmp(&a->bracket, &b->bracket, sizeof a->bracket);
    if (order == 0)
        order = a->hedged - b->hedged;
    return order != 0 ? order : a->origin - b->origin;
}

/* The rows of all tails in order; malloc. NULL when memory is short. */
static struct tail_row *collect(struct tail *const *tails, uint32_t n_tails, size_t *n_rows)
{
    size_t room = 1; /* not 0, for which malloc may return NULL */
    for (uint32_t t = 0; t < n_tails; t++)
        room += tails[t]->k;
    struct tail_row *rows = calloc(room, sizeof *rows);
    if (rows == NULL)
        return NULL;
    size_t n = 0;
    for (uint32_t t = 0; t < n_tails; t++) {
        uint64_t generation = atomic_load_explicit(&tails[t]->generation, memory_order_acquire);
        for (uint32_t i = 0; i < tails[t]->k; i++)
            n += slot_read(&tails[t]->slots[i], generation, &rows[n]);
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    *n_rows = n;
    return rows;
}

static void print_row(FILE *out, const struct tail_row *row)
{
    const struct bracket *b = &row->bracket;
    uint64_t total_ns = bracket_total_ns(b);
    fprintf(out,
            "%" PRIu64 ".%06" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
            ",%" PRIu64 ",%u,%c\n",
            total_ns / CLOCK_NS_PER_MS, total_ns % CLOCK_NS_PER_MS, b->t_in_start, b->t_in_done,
            b->t_proc_start, b->t_hedge_fire, b->t_first_reply, b->t_reply_ready, row->hedged,
            row->origin);
}

char *tail_format_csv(struct tail *const *tails, uint32_t n_tails, uint32_t k, size_t *bytes)
{
    char *text = NULL;
    size_t n_rows = 0;
    struct tail_row *rows = collect(tails, n_tails, &n_rows);
    FILE *out = rows != NULL ? open_memstream(&text, bytes) : NULL;
    if (out == NULL)
        goto out;
    fputs(CSV_HEADER, out);
    for (size_t i = 0; i < n_rows && i < k; i++)
        print_row(out, &rows[i]);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        text = NULL;
    }
out:
    free(rows);
    return text;
}

static int write_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, text, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text += n;
        bytes -= (size_t)n;
    }
    return 0;
}

/* The name of a temporary file in path's directory, for mkostemp; malloc. Its length does not
 * depend on the last component, which may be as long as the file system allows. */
static char *temporary_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    int directory_bytes = slash != NULL ? (int)(slash - path) + 1 : 0;
    char *name = NULL;
    return asprintf(&name, "%.*s.l0_tail.XXXXXX", directory_bytes, path) < 0 ? NULL : name;
}

int tail_write_csv(struct tail *const *tails, uint32_t n_tails, uint32_t k, const char *path)
{
    int err = -ENOMEM, fd = -1;
    size_t bytes = 0;
    char *text = tail_format_csv(tails, n_tails, k, &bytes);
    char *name = temporary_name(path);
    if (text == NULL || name == NULL)
        goto out;
    /* mkostemp opens with O_EXCL a name that nobody can guess: in /tmp, a link left by someone else
     * is not followed. rename replaces a link at path itself, not what it points to. */
    fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) {
        err = -errno;
        goto out;
    }
    err = write_all(fd, text, bytes);
    if (err == 0 && fchmod(fd, 0644) != 0)
        err = -errno;
    if (close(fd) != 0 && err == 0)
        err = -errno;
    if (err == 0 && rename(name, path) != 0)
        err = -errno;
    if (err != 0)
        (void)unlink(name);
out:
    free(name);
    free(text);
    return err;
}
