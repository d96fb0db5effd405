#include "bench/micro.h"

#include "bench/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A sample covers at least so many bytes of input. */
#define BATCH_BYTES 16384u

#define SAMPLES_MIN 32u
#define SAMPLES_MAX 1000000u

/* What the runs write into; faulted in once, before any timing. */
struct workspace {
    const struct document *document;
    enum lexer_regime regime;
    struct lexer_out out;
    uint8_t *copy;
    uint32_t static_tokens, static_issues; /* of the first run without the context layer */
    bool has_static;
};

const char *micro_work_name(enum micro_work work)
{
    static const char *const names[] = {"memcpy", "count", "spans"};
    return names[work];
}

static int workspace_open(struct workspace *w, const struct document *document,
                          enum lexer_regime regime)
{
    uint32_t cap = lexer_span_cap(document->n_bytes);
    *w = (struct workspace){
        .document = document,
        .regime = regime,
        .out = {.kinds = malloc(cap),
                .starts = malloc(((size_t)cap + 1) * sizeof *w->out.starts),
                .span_cap = cap},
        .copy = malloc(document->n_bytes),
    };
    if (w->out.kinds == NULL || w->out.starts == NULL || w->copy == NULL)
        return -ENOMEM;
    memset(w->out.kinds, 1, cap);
    memset(w->out.starts, 1, ((size_t)cap + 1) * sizeof *w->out.starts);
    memset(w->copy, 1, document->n_bytes);
    return 0;
}

static void workspace_close(struct workspace *w)
{
    free(w->out.kinds);
    free(w->out.starts);
    free(w->copy);
}

/* The counts are those of the document, or of all runs without the context layer. */
static bool counts_agree(struct workspace *w, bool is_static, const struct lexer_counts *counts)
{
    const struct document *d = w->document;
    if (!is_static)
        return counts->n_tokens == d->n_tokens && counts->n_issues == d->issues_len;
    if (!w->has_static) {
        w->static_tokens = counts->n_tokens;
        w->static_issues = counts->n_issues;
        w->has_static = true;
    }
    return counts->n_tokens == w->static_tokens && counts->n_issues == w->static_issues;
}

/* One run over the document. */
static int run_once(struct workspace *w, struct micro_variant *v)
{
    const struct document *d = w->document;
    const struct lexer_options options = {.regime = w->regime, .is_static = v->is_static};
    if (v->work == MICRO_MEMCPY) {
        memcpy(w->copy, d->bytes, d->n_bytes);
        __asm__ volatile("" ::"r"(w->copy) : "memory"); /* the copy counts as used */
        return 0;
    }
    struct lexer_counts counts;
    int rc =
        lexer_run(&options, d->bytes, d->n_bytes, v->work == MICRO_SPANS ? &w->out : NULL, &counts);
    if (rc != 0)
        return rc;
    if (!counts_agree(w, v->is_static, &counts))
        return -EBADMSG;
    v->n_tokens = counts.n_tokens;
    v->n_spans = v->work == MICRO_SPANS ? counts.n_spans : 0;
    return 0;
}

/* Times one batch of one variant. */
static int time_once(struct workspace *w, struct micro *micro, struct micro_variant *v)
{
    assert(micro->batch > 0);
    int rc = v->kernel == NULL ? 0 : lexer_init(v->kernel);
    uint64_t begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < micro->batch && rc == 0; i++)
        rc = run_once(w, v);
    uint64_t ps = (bench_now_ns() - begin_ns) * 1000;
    return rc != 0 ? rc : sample_add(&v->times, ps / micro->batch, v->times.n + 1);
}

static int all_once(struct workspace *w, struct micro *micro)
{
    for (size_t i = 0; i < micro->n_variants; i++) {
        int rc = time_once(w, micro, &micro->variants[i]);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Caches, branch predictors and the processor's clock get a tenth of the time; nothing is kept. */
static int warm_up(struct workspace *w, struct micro *micro, uint64_t until_ns)
{
    int rc;
    do
        rc = all_once(w, micro);
    while (rc == 0 && bench_now_ns() < until_ns);
    for (size_t i = 0; i < micro->n_variants; i++)
        micro->variants[i].times.n = 0;
    return rc;
}

static int measure(struct workspace *w, struct micro *micro, const struct micro_options *options)
{
    uint64_t begin_ns = bench_now_ns();
    uint64_t budget_ns = options->n_samples > 0 ? 0 : (uint64_t)(options->seconds * 1e9);
    uint32_t at_least = options->n_samples > 0 ? options->n_samples : SAMPLES_MIN;
    uint32_t at_most = options->n_samples > 0 ? options->n_samples : SAMPLES_MAX;
    int rc = warm_up(w, micro, begin_ns + budget_ns / 10);
    for (uint32_t n = 0; rc == 0 && n < at_most; n++) {
        if (n >= at_least && bench_now_ns() - begin_ns >= budget_ns)
            break;
        rc = all_once(w, micro);
    }
    for (size_t i = 0; i < micro->n_variants; i++)
        sample_sort(&micro->variants[i].times);
    return rc;
}

static void add_variant(struct micro *micro, enum micro_work work, const char *kernel,
                        bool is_static)
{
    assert(micro->n_variants < MICRO_VARIANTS_MAX);
    micro->variants[micro->n_variants++] =
        (struct micro_variant){.work = work, .kernel = kernel, .is_static = is_static};
}

const struct micro_variant *micro_static_of(const struct micro *micro,
                                            const struct micro_variant *variant)
{
    if (variant->kernel == NULL || variant->is_static)
        return NULL;
    for (size_t i = 0; i < micro->n_variants; i++) {
        const struct micro_variant *other = &micro->variants[i];
        if (other->kernel == variant->kernel && other->work == variant->work && other->is_static)
            return other;
    }
    return NULL;
}

int micro_run(struct micro *micro, const struct micro_options *options,
              const struct document *document)
{
    static const char *const kernels[] = {"portable", "avx2", "avx512", "neon"};
    *micro = (struct micro){.batch = (BATCH_BYTES + document->n_bytes - 1) / document->n_bytes};
    const char *chosen = lexer_kernel_name();
    add_variant(micro, MICRO_MEMCPY, NULL, false);
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        if (lexer_init(kernels[i]) != 0)
            continue; /* not built, or not for this processor */
        for (int is_static = 0; is_static <= 1; is_static++) {
            add_variant(micro, MICRO_COUNT, kernels[i], is_static != 0);
            add_variant(micro, MICRO_SPANS, kernels[i], is_static != 0);
        }
    }
    struct workspace w;
    int rc = workspace_open(&w, document, options->regime);
    if (rc == 0)
        rc = measure(&w, micro, options);
    workspace_close(&w);
    int restored = lexer_init(chosen);
    assert(restored == 0);
    return rc != 0 ? rc : restored;
}

void micro_free(struct micro *micro)
{
    for (size_t i = 0; i < micro->n_variants; i++)
        sample_free(&micro->variants[i].times);
}
