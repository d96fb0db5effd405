/* The mailbox between two threads: a million messages, each once and in order. Not a Criterion
 * program, because those do not run under the thread sanitizer. Exit 0, or 1 after a line that says
 * what was wrong. */
#include "engine/mailbox.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 1000000 };

/* The indices wrap on the way. */
static struct mailbox box = {.tail = UINT32_MAX - MESSAGES / 2, .head = UINT32_MAX - MESSAGES / 2};

static void *post_all(void *unused)
{
    (void)unused;
    for (int i = 0; i < MESSAGES; i++) {
        const struct mail mail = {.fd = i, .accepted_ns = ~(uint64_t)i};
        while (!mailbox_post(&box, &mail))
            (void)sched_yield();
    }
    return NULL;
}

int main(void)
{
    pthread_t producer;
    struct mail mail;
    if (pthread_create(&producer, NULL, post_all, NULL) != 0)
        return EXIT_FAILURE;
    for (int i = 0; i < MESSAGES; i++) {
        while (!mailbox_take(&box, &mail))
            (void)sched_yield();
        if (mail.fd != i || mail.accepted_ns != ~(uint64_t)i) {
            fprintf(stderr, "mailbox_stress: message %d where %d was due\n", mail.fd, i);
            return EXIT_FAILURE;
        }
    }
    (void)pthread_join(producer, NULL);
    if (mailbox_take(&box, &mail)) {
        fprintf(stderr, "mailbox_stress: a message too many\n");
        return EXIT_FAILURE;
    }
    printf("mailbox_stress: %d messages\n", MESSAGES);
    return EXIT_SUCCESS;
}
