/* A connection's word between two claimants: each transition has one winner, seq never goes back,
 * and what the last owner wrote is there for the next. Not a Criterion program, because those do
 * not run under the thread sanitizer. Exit 0, or 1 after a line that says what was wrong. */
#include "engine/conn.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CLAIMANTS = 2, ROUNDS = 100000 };

static struct conn conn;
static uint64_t replies; /* under the word: no atomic, so that the sanitizer checks the order */
static _Atomic int inside;

struct claimant {
    pthread_t thread;
    uint8_t me;
    uint64_t won, replied, last_seq;
    const char *failure;
    struct request request;
};

/* In RECV: one of the ways back to IDLE. */
static void go_round(struct claimant *c, uint64_t seq)
{
    unsigned way = (unsigned)(c->won % 3);
    if (way == 0) {
        conn_yield(&conn, c->me);
        return;
    }
    if (way == 1) {
        conn_begin(&conn, c->me, &c->request, 1);
        if (conn_decide(&conn, c->me, c->request.word) != CONN_WON_ALONE)
            c->failure = "nobody else may have decided";
    } else {
        conn_reject(&conn, c->me);
    }
    replies++;
    c->replied++;
    c->last_seq = seq;
    (void)atomic_fetch_sub(&inside, 1);
    conn_finish(&conn, c->me);
}

static void *claim(void *arg)
{
    struct claimant *c = arg;
    while (c->won < ROUNDS && c->failure == NULL) {
        if (!conn_claim(&conn, c->me)) {
            (void)sched_yield();
            continue;
        }
        uint64_t word = atomic_load_explicit(&conn.word, memory_order_relaxed);
        uint64_t seq = conn_word_seq(word);
        if (conn_word_owner(word) != c->me || conn_word_state(word) != CONN_RECV)
            c->failure = "a claim that somebody else overwrote";
        if (atomic_fetch_add(&inside, 1) != 0)
            c->failure = "two owners at a time";
        if (seq != replies || (c->replied > 0 && seq <= c->last_seq))
            c->failure = "a sequence number that does not count the replies";
        if (c->won % 3 == 0)
            (void)atomic_fetch_sub(&inside, 1); /* the yield below is the release */
        go_round(c, seq);
        c->won++;
    }
    return NULL;
}

int main(void)
{
    struct claimant claimants[CLAIMANTS];
    uint64_t replied = 0;
    int status = EXIT_SUCCESS;
    atomic_init(&conn.word, conn_word_make(0, CONN_FREE, CONN_OWNER_NONE));
    deadline_init(&conn.deadline);
    conn_adopt(&conn, eventfd(0, EFD_CLOEXEC));
    for (int i = 0; i < CLAIMANTS; i++) {
        claimants[i] = (struct claimant){.me = (uint8_t)i};
        if (pthread_create(&claimants[i].thread, NULL, claim, &claimants[i]) != 0)
            return EXIT_FAILURE;
    }
    for (int i = 0; i < CLAIMANTS; i++) {
        (void)pthread_join(claimants[i].thread, NULL);
        replied += claimants[i].replied;
        if (claimants[i].failure != NULL) {
            fprintf(stderr, "conn_stress: %s\n", claimants[i].failure);
            status = EXIT_FAILURE;
        }
    }
    if (replied != replies || conn_word_seq(atomic_load(&conn.word)) != replies) {
        fprintf(stderr, "conn_stress: %llu replies were counted, %llu were made\n",
                (unsigned long long)replies, (unsigned long long)replied);
        status = EXIT_FAILURE;
    }
    (void)close(conn.fd);
    printf("conn_stress: %llu replies\n", (unsigned long long)replies);
    return status;
}
