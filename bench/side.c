#include "bench/side.h"

#include "gate/quantile.h"
#include "gate/report.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const figure_names[SIDE_FIGURES] = {"P50", "P99", "P99.9", "requests/s"};
static const uint32_t figure_ppm[SIDE_RPS] = {500000, 990000, QUANTILE_P999_PPM};

/* Over the rounds; the median is that of the nearest rank. */
struct spread {
    double median, min, max;
};

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of one figure of a contender, or where `to` is given of its ratio to that one's. */
static struct spread spread_of(const struct side *side, const struct side_contender *of,
                               const struct side_contender *to, enum side_figure figure)
{
    double values[SIDE_ROUNDS_MAX];
    for (uint32_t r = 0; r < side->n_rounds; r++)
        values[r] = of->rounds[r][figure] / (to == NULL ? 1 : to->rounds[r][figure]);
    qsort(values, side->n_rounds, sizeof values[0], compare_doubles);
    return (struct spread){
        .median = values[(side->n_rounds - 1) / 2],
        .min = values[0],
        .max = values[side->n_rounds - 1],
    };
}

/* Keeps a round's figures, and its round trips for the pool. */
static int keep(struct side_contender *c, uint32_t round, const struct load_options *options,
                const struct load_result *result)
{
    struct sample trips = {0};
    int rc = 0;
    for (uint64_t i = 0; i < options->n_requests && rc == 0; i++) {
        uint64_t ps = 1000 * atomic_load_explicit(&result->latency_ns[i], memory_order_relaxed);
        rc = sample_add(&trips, ps, i + 1);
        if (rc == 0)
            rc = sample_add(&c->pooled, ps, c->pooled.n + 1);
    }
    if (rc == 0) {
        sample_sort(&trips);
        for (size_t f = 0; f < SIDE_RPS; f++)
            c->rounds[round][f] = (double)quantile_of(&trips, figure_ppm[f]).value_ps / 1e9;
        c->rounds[round][SIDE_RPS] =
            (double)options->n_requests * 1e9 / (double)(result->elapsed_ns + 1);
    }
    sample_free(&trips);
    return rc;
}

static int run_one(const struct side *side, struct side_contender *c, uint32_t round,
                   const struct document *document, char failure[640])
{
    struct load_options options = side->load;
    options.target = c->target;
    options.n_idle = c->n_idle;
    options.n_tokens = c->expected ? c->n_tokens : document->n_tokens;
    options.issues_len = c->expected ? c->issues_len : document->issues_len;
    struct load_result result;
    int rc = load_run(&options, document, &result);
    if (rc == 0 && result.n_errors > 0)
        rc = -EPROTO;
    if (rc != 0)
        snprintf(failure, 640, "%s: %s", c->name, result.failure);
    else if ((rc = keep(c, round, &options, &result)) != 0)
        snprintf(failure, 640, "%s: %s", c->name, strerror(-rc));
    load_free(&result);
    return rc;
}

int side_run(struct side *side, const struct document *document, char failure[640])
{
    assert(side->n_contenders >= 1 && side->n_contenders <= SIDE_CONTENDERS_MAX);
    assert(side->n_rounds >= 1 && side->n_rounds <= SIDE_ROUNDS_MAX);
    for (size_t i = 0; i < side->n_contenders; i++) {
        struct side_contender *c = &side->contenders[i];
        c->rounds = calloc(side->n_rounds, sizeof *c->rounds);
        if (c->rounds == NULL) {
            snprintf(failure, 640, "%s", strerror(ENOMEM));
            return -ENOMEM;
        }
    }
    for (uint32_t round = 0; round < side->n_rounds; round++) {
        for (size_t i = 0; i < side->n_contenders; i++) {
            size_t turn = round % 2 == 0 ? i : side->n_contenders - 1 - i;
            int rc = run_one(side, &side->contenders[turn], round, document, failure);
            if (rc != 0)
                return rc;
        }
    }
    for (size_t i = 0; i < side->n_contenders; i++)
        sample_sort(&side->contenders[i].pooled);
    return 0;
}

void side_free(struct side *side)
{
    for (size_t i = 0; i < side->n_contenders; i++) {
        sample_free(&side->contenders[i].pooled);
        free(side->contenders[i].rounds);
        side->contenders[i].rounds = NULL;
    }
}

/* ---- the report --------------------------------------------------------------------------------
 */

static void print_row(const struct side *side, const struct side_contender *of,
                      const struct side_contender *to, FILE *out)
{
    char name[64], cell[64];
    snprintf(name, sizeof name, "%s%s%s", of->name, to == NULL ? "" : " / ",
             to == NULL ? "" : to->name);
    fprintf(out, "  %-20s", name);
    for (int f = 0; f < SIDE_FIGURES; f++) {
        struct spread s = spread_of(side, of, to, (enum side_figure)f);
        int decimals = to == NULL && f == SIDE_RPS ? 0 : 3;
        snprintf(cell, sizeof cell, "%.*f (%.*f-%.*f)", decimals, s.median, decimals, s.min,
                 decimals, s.max);
        fprintf(out, " %-26s", cell);
    }
    fputc('\n', out);
}

void side_print(const struct side *side, const struct document *document, FILE *out)
{
    fprintf(out,
            "%s: %u bytes, %u connections, %llu requests a round, %u rounds; ms and requests/s, "
            "median over the rounds (min-max)\n",
            document->path, document->n_bytes, side->load.n_threads,
            (unsigned long long)side->load.n_requests, side->n_rounds);
    fprintf(out, "  %-20s", "");
    for (int f = 0; f < SIDE_FIGURES; f++)
        fprintf(out, " %-26s", figure_names[f]);
    fputc('\n', out);
    for (size_t i = 0; i < side->n_contenders; i++)
        print_row(side, &side->contenders[i], NULL, out);
    for (size_t i = 1; i < side->n_contenders; i++)
        print_row(side, &side->contenders[0], &side->contenders[i], out);
    for (size_t i = 0; i < side->n_contenders; i++) {
        const struct side_contender *c = &side->contenders[i];
        struct quantile p999 = quantile_of(&c->pooled, QUANTILE_P999_PPM);
        fprintf(out, "  %-20s P99.9 of all rounds %s ms, 95 %% interval %s\n", c->name,
                report_ms(p999.value_ps).text, report_interval(&p999).text);
    }
}

static json_t *spreads_json(const struct side *side, const struct side_contender *of,
                            const struct side_contender *to)
{
    json_t *json = json_object();
    for (int f = 0; f < SIDE_FIGURES; f++) {
        struct spread s = spread_of(side, of, to, (enum side_figure)f);
        json_object_set_new(
            json, figure_names[f],
            json_pack("{s:f, s:f, s:f}", "median", s.median, "min", s.min, "max", s.max));
    }
    return json;
}

static json_t *contender_json(const struct side *side, const struct side_contender *c)
{
    json_t *rounds = json_array(), *pooled = json_array();
    for (uint32_t r = 0; r < side->n_rounds; r++) {
        json_t *round = json_object();
        for (int f = 0; f < SIDE_FIGURES; f++)
            json_object_set_new(round, figure_names[f], json_real(c->rounds[r][f]));
        json_array_append_new(rounds, round);
    }
    for (size_t i = 0; i < QUANTILES_REPORTED; i++) {
        struct quantile q = quantile_of(&c->pooled, quantiles_reported_ppm[i]);
        json_array_append_new(pooled, report_quantile_json(&q));
    }
    return json_pack("{s:s, s:I, s:o, s:o, s:o}", "name", c->name, "idle", (json_int_t)c->n_idle,
                     "over_rounds", spreads_json(side, c, NULL), "rounds", rounds, "all_rounds",
                     pooled);
}

json_t *side_json(const struct side *side, const struct document *document)
{
    json_t *contenders = json_array(), *ratios = json_array();
    for (size_t i = 0; i < side->n_contenders; i++)
        json_array_append_new(contenders, contender_json(side, &side->contenders[i]));
    for (size_t i = 1; i < side->n_contenders; i++)
        json_array_append_new(
            ratios, json_pack("{s:s, s:s, s:o}", "of", side->contenders[0].name, "to",
                              side->contenders[i].name, "over_rounds",
                              spreads_json(side, &side->contenders[0], &side->contenders[i])));
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "file", document->path, "bytes",
                     (json_int_t)document->n_bytes, "threads", (json_int_t)side->load.n_threads,
                     "requests_a_round", (json_int_t)side->load.n_requests, "rounds",
                     (json_int_t)side->n_rounds, "contenders", contenders, "ratios", ratios);
}
