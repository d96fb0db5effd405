#include "lexer/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* So many pieces may be ahead of the one that is due, so that memory stays bounded. */
#define AHEAD_MAX 64u

struct output {
    char *text;
    size_t n_bytes;
    int result;
    bool finished;
};

struct crew {
    const struct crew_job *job;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t next, due; /* to be begun, to be handed over */
    bool stops;
    int failed; /* negative errno */
    struct output ring[AHEAD_MAX];
};

static int do_piece(struct crew *crew, size_t index, struct output *output)
{
    *output = (struct output){0};
    FILE *const to = open_memstream(&output->text, &output->n_bytes);
    if (!to)
        return -errno;
    output->result = crew->job->work(crew->job->context, index, to);
    const bool lost = ferror(to) != 0;
    return fclose(to) != 0 || lost ? -ENOMEM : 0;
}

static void *run_thread(void *argument)
{
    struct crew *const crew = argument;
    pthread_mutex_lock(&crew->mutex);
    while (!crew->stops && crew->next < crew->job->n) {
        if (crew->next - crew->due >= AHEAD_MAX) {
            pthread_cond_wait(&crew->changed, &crew->mutex);
            continue;
        }
        const size_t index = crew->next++;
        struct output output;
        pthread_mutex_unlock(&crew->mutex);
        const int rc = do_piece(crew, index, &output);
        pthread_mutex_lock(&crew->mutex);
        if (rc < 0)
            crew->failed = rc;
        output.finished = true;
        crew->ring[index % AHEAD_MAX] = output;
        pthread_cond_broadcast(&crew->changed);
    }
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

static void hand_over(struct crew *crew)
{
    const struct crew_job *const job = crew->job;
    pthread_mutex_lock(&crew->mutex);
    while (crew->due < job->n && !crew->stops) {
        struct output *const slot = &crew->ring[crew->due % AHEAD_MAX];
        if (crew->failed < 0) {
            crew->stops = true;
        } else if (!slot->finished) {
            pthread_cond_wait(&crew->changed, &crew->mutex);
        } else {
            const struct output output = *slot;
            *slot = (struct output){0};
            pthread_mutex_unlock(&crew->mutex);
            const bool goes_on =
                job->done(job->context, crew->due, output.result, output.text, output.n_bytes);
            free(output.text);
            pthread_mutex_lock(&crew->mutex);
            crew->due++;
            crew->stops = !goes_on;
            pthread_cond_broadcast(&crew->changed);
        }
    }
    crew->stops = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->mutex);
}

int crew_run(const struct crew_job *job, unsigned n_threads)
{
    struct crew crew = {
        .job = job, .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    pthread_t threads[CREW_THREADS_MAX];
    unsigned n = 0;
    int rc = 0;
    while (rc == 0 && n < n_threads && n < CREW_THREADS_MAX && n < job->n) {
        rc = -pthread_create(&threads[n], NULL, run_thread, &crew);
        n += rc == 0;
    }
    if (n > 0) { /* fewer threads do as well */
        rc = 0;
        hand_over(&crew);
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < AHEAD_MAX; i++)
        free(crew.ring[i].text);
    return rc < 0 ? rc : crew.failed;
}
