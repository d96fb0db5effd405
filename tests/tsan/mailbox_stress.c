/* The mailbox between its producer and two who take from it, the shard and its sibling: a million
 * messages, each once, and in order for each taker. Not a Criterion program, because those do not
 * run under the thread sanitizer. Exit 0, or 1 after a line that says what was wrong. */
#include "engine/mailbox.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 1000000, TAKERS = 2 };

static struct mailbox box;

static struct taker {
    pthread_t thread;
    int n_taken;
    bool out_of_order;
} takers[TAKERS];

static uint8_t times_taken[MESSAGES]; /* by who took it */
static _Atomic int n_taken;

static void *take(void *arg)
{
    struct taker *t = arg;
    int last = -1;
    while (atomic_load_explicit(&n_taken, memory_order_relaxed) < MESSAGES) {
        int fd = mailbox_take(&box);
        if (fd < 0) {
            (void)sched_yield();
            continue;
        }
        t->out_of_order |= fd <= last;
        last = fd;
        times_taken[fd]++;
        t->n_taken++;
        (void)atomic_fetch_add_explicit(&n_taken, 1, memory_order_relaxed);
    }
    return NULL;
}

int main(void)
{
    mailbox_init(&box);
    for (int i = 0; i < TAKERS; i++)
        if (pthread_create(&takers[i].thread, NULL, take, &takers[i]) != 0)
            return EXIT_FAILURE;
    for (int i = 0; i < MESSAGES; i++)
        while (!mailbox_post(&box, i))
            (void)sched_yield();
    for (int i = 0; i < TAKERS; i++) {
        (void)pthread_join(takers[i].thread, NULL);
        if (takers[i].out_of_order) {
            fprintf(stderr, "mailbox_stress: taker %d saw messages out of order\n", i);
            return EXIT_FAILURE;
        }
    }
    for (int i = 0; i < MESSAGES; i++)
        if (times_taken[i] != 1) {
            fprintf(stderr, "mailbox_stress: message %d was taken %d times\n", i, times_taken[i]);
            return EXIT_FAILURE;
        }
    if (mailbox_take(&box) >= 0) {
        fprintf(stderr, "mailbox_stress: a message too many\n");
        return EXIT_FAILURE;
    }
    printf("mailbox_stress: %d messages, %d and %d taken\n", MESSAGES, takers[0].n_taken,
           takers[1].n_taken);
    return EXIT_SUCCESS;
}
