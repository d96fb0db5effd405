#include "bench/jitter.h"

#include "bench/clock.h"
#include "bench/cores.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>

struct probe {
    struct jitter *jitter;
    pthread_t thread;
    unsigned index;
    uint64_t *stall_ns; /* cap of them */
    size_t n;
};

struct jitter {
    cpu_set_t allowed;
    uint64_t begin_ns;
    size_t cap; /* looks a processor */
    _Atomic bool behind_others;
    _Atomic bool stop;
    unsigned n_probes;
    struct probe probes[JITTER_PROCESSORS_MAX];
};

static void *look(void *argument)
{
    struct probe *probe = argument;
    struct jitter *jitter = probe->jitter;
    const struct sched_param least = {.sched_priority = 1};
    cores_pin_one(&jitter->allowed, probe->index);
    /* Ahead of every ordinary thread: else it would wait behind a busy client or service, and call
     * that a stall of the machine. */
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &least) != 0)
        atomic_store_explicit(&jitter->behind_others, true, memory_order_relaxed);
    prctl(PR_SET_TIMERSLACK, 1UL);
    while (probe->n < jitter->cap && !atomic_load_explicit(&jitter->stop, memory_order_relaxed)) {
        uint64_t due_ns = bench_now_ns() + JITTER_PERIOD_NS;
        bench_sleep_until(due_ns);
        uint64_t now_ns = bench_now_ns();
        probe->stall_ns[probe->n++] = now_ns > due_ns ? now_ns - due_ns : 0;
    }
    return NULL;
}

static int start_probe(struct jitter *jitter, unsigned index)
{
    struct probe *probe = &jitter->probes[index];
    *probe = (struct probe){.jitter = jitter, .index = index};
    probe->stall_ns = malloc(jitter->cap * sizeof *probe->stall_ns);
    if (probe->stall_ns == NULL)
        return -1;
    if (pthread_create(&probe->thread, NULL, look, probe) != 0) {
        free(probe->stall_ns);
        return -1;
    }
    jitter->n_probes++;
    return 0;
}

struct jitter *jitter_start(uint64_t max_ns)
{
    struct jitter *jitter = calloc(1, sizeof *jitter);
    if (jitter == NULL)
        return NULL;
    jitter->begin_ns = bench_now_ns();
    jitter->cap = (size_t)(max_ns / JITTER_PERIOD_NS) + 1;
    if (sched_getaffinity(0, sizeof jitter->allowed, &jitter->allowed) != 0) {
        free(jitter);
        return NULL;
    }
    unsigned n = (unsigned)CPU_COUNT(&jitter->allowed);
    n = n < JITTER_PROCESSORS_MAX ? n : JITTER_PROCESSORS_MAX;
    for (unsigned i = 0; i < n && start_probe(jitter, i) == 0; i++)
        continue;
    return jitter;
}

/* A look's time is the sum of those before it: periods and stalls. 0 or -1 (memory). */
static int collect(const struct jitter *jitter, const struct probe *probe,
                   struct jitter_result *result)
{
    uint64_t at_ns = jitter->begin_ns;
    for (size_t i = 0; i < probe->n; i++) {
        at_ns += JITTER_PERIOD_NS + probe->stall_ns[i];
        size_t slot = (size_t)((at_ns - jitter->begin_ns) / JITTER_SLOT_NS);
        if (sample_add(&result->stalls, probe->stall_ns[i] * 1000, i) != 0)
            return -1;
        if (result->slots != NULL && slot < result->n_slots &&
            probe->stall_ns[i] > result->slots[slot].worst_ns)
            result->slots[slot].worst_ns = probe->stall_ns[i];
    }
    return 0;
}

void jitter_stop(struct jitter *jitter, struct jitter_result *result)
{
    *result = (struct jitter_result){0};
    if (jitter == NULL)
        return;
    atomic_store_explicit(&jitter->stop, true, memory_order_relaxed);
    for (unsigned i = 0; i < jitter->n_probes; i++)
        pthread_join(jitter->probes[i].thread, NULL);
    uint64_t length_ns = bench_now_ns() - jitter->begin_ns;
    size_t n_slots = (size_t)(length_ns / JITTER_SLOT_NS) + 1;
    result->slots = calloc(n_slots, sizeof *result->slots);
    for (size_t i = 0; result->slots != NULL && i < n_slots; i++) {
        result->slots[i].begin_ns = jitter->begin_ns + i * JITTER_SLOT_NS;
        result->n_slots = n_slots;
    }
    for (unsigned i = 0; i < jitter->n_probes; i++) {
        if (collect(jitter, &jitter->probes[i], result) == 0)
            result->n_processors++;
        free(jitter->probes[i].stall_ns);
    }
    sample_sort(&result->stalls);
    result->behind_others = jitter->behind_others;
    free(jitter);
}

void jitter_result_free(struct jitter_result *result)
{
    free(result->slots);
    sample_free(&result->stalls);
    *result = (struct jitter_result){0};
}
