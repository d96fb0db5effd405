/* The tail under contention: one writer, readers, resets. Not a Criterion program, because those
 * cannot be built with -fsanitize=thread. Exit 0, or 1 after a line that says what was wrong.
 *
 * Every timestamp of a row derives from its number, so that a torn row shows. Rows that were added
 * before a reset began are stale once it has returned. */
#include "engine/tail.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_READERS = 2, ROWS_SEEN_MIN = 200000, RESETS_MIN = 200, K = 16, RESET_PAUSE_US = 200 };

static struct tail *tail;
static _Atomic bool done;
static _Atomic uint64_t added;       /* rows up to this number are in the tail */
static _Atomic uint64_t stale_until; /* rows up to this number must not be seen any more */
static _Atomic uint64_t failures, rows_seen, resets;

static void *write_rows(void *context)
{
    (void)context;
    for (uint64_t i = 1;
         atomic_load(&rows_seen) < ROWS_SEEN_MIN || atomic_load(&resets) < RESETS_MIN; i++) {
        const struct tail_row row = {
            .bracket = {i, 2 * i, 3 * i, 4 * i, 5 * i, 6 * i}, .hedged = i % 2, .origin = 'P'};
        tail_add(tail, &row);
        atomic_store(&added, i);
    }
    atomic_store(&done, true);
    return NULL;
}

static void check_row(const char *line, uint64_t stale)
{
    uint64_t ms, ns, t[6];
    unsigned hedged;
    int n = sscanf(line,
                   "%" SCNu64 ".%6" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64 ",%" SCNu64
                   ",%" SCNu64 ",%" SCNu64 ",%u,P\n",
                   &ms, &ns, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &hedged);
    bool whole = n == 9 && t[1] == 2 * t[0] && t[2] == 3 * t[0] && t[3] == 4 * t[0] &&
                 t[4] == 5 * t[0] && t[5] == 6 * t[0] && hedged == t[0] % 2 &&
                 ms * 1000000 + ns == 5 * t[0];
    bool fresh = t[0] > stale;
    if (!whole || !fresh) {
        fprintf(stderr, "tail_stress: %s row: %.*s\n", whole ? "stale" : "torn",
                (int)strcspn(line, "\n"), line);
        atomic_fetch_add(&failures, 1);
    }
    atomic_fetch_add(&rows_seen, 1);
}

static void *read_rows(void *context)
{
    (void)context;
    do {
        uint64_t stale = atomic_load(&stale_until);
        size_t bytes = 0;
        char *text = tail_format_csv(&tail, 1, K, &bytes);
        for (const char *p = strchr(text, '\n') + 1; *p != '\0'; p = strchr(p, '\n') + 1)
            check_row(p, stale);
        free(text);
    } while (!atomic_load(&done));
    return NULL;
}

static void *reset(void *context)
{
    (void)context;
    while (!atomic_load(&done)) {
        usleep(RESET_PAUSE_US);
        uint64_t before = atomic_load(&added);
        tail_reset(tail);
        atomic_store(&stale_until, before);
        atomic_fetch_add(&resets, 1);
    }
    return NULL;
}

int main(void)
{
    pthread_t writer, resetter, readers[N_READERS];
    tail = tail_new(K);
    if (tail == NULL)
        return 1;
    bool started = pthread_create(&writer, NULL, write_rows, NULL) == 0 &&
                   pthread_create(&resetter, NULL, reset, NULL) == 0;
    for (int i = 0; started && i < N_READERS; i++)
        started = pthread_create(&readers[i], NULL, read_rows, NULL) == 0;
    if (!started) {
        fprintf(stderr, "tail_stress: cannot start the threads\n");
        return 1;
    }
    pthread_join(writer, NULL);
    pthread_join(resetter, NULL);
    for (int i = 0; i < N_READERS; i++)
        pthread_join(readers[i], NULL);
    tail_free(tail);
    printf("tail_stress: %" PRIu64 " rows read, %" PRIu64 " resets, %" PRIu64 " failures\n",
           atomic_load(&rows_seen), atomic_load(&resets), atomic_load(&failures));
    return atomic_load(&failures) == 0 && atomic_load(&rows_seen) > 0 ? 0 : 1;
}
