#include "bench/open_store.h"

#include "bench/bench.h"
#include "bench/cores.h"
#include "bench/fingerprint.h"
#include "bench/summary.h"
#include "gate/decimal.h"
#include "gate/hgrm.h"
#include "gate/outfile.h"
#include "gate/quantile.h"
#include "gate/report.h"
#include "gate/rows_binary.h"
#include "proto/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Times of the run, sorted. */
struct figures {
    struct sample latency; /* right replies, from when they were due */
    struct sample service; /* the same, from when they were sent */
    struct sample lag;     /* of all that were sent */
    uint64_t n_hedge, n_errors;
};

static void figures_free(struct figures *figures)
{
    sample_free(&figures->latency);
    sample_free(&figures->service);
    sample_free(&figures->lag);
}

static int figures_of(struct figures *figures, const struct open_result *result)
{
    int rc = 0;
    *figures = (struct figures){.n_hedge = 0};
    for (size_t i = 0; i < result->n_rows && rc == 0; i++) {
        const struct open_row *row = &result->rows[i];
        if (row->sent_ns != 0)
            rc = sample_add(&figures->lag, row->lag_ns * GATE_PS_PER_NS, i + 1);
        figures->n_errors += row->status != OPEN_OK;
        if (rc != 0 || row->status != OPEN_OK)
            continue;
        figures->n_hedge += row->origin == WIRE_ORIGIN_HEDGE;
        rc = sample_add(&figures->latency, (row->done_ns - row->due_ns) * GATE_PS_PER_NS, i + 1);
        if (rc == 0)
            rc = sample_add(&figures->service, (row->done_ns - row->sent_ns) * GATE_PS_PER_NS,
                            i + 1);
    }
    sample_sort(&figures->latency);
    sample_sort(&figures->service);
    sample_sort(&figures->lag);
    return rc;
}

/* ---- files ---------------------------------------------------------------------------------- */

/* A request as it is stored: times since the run's start. */
static struct row row_of(const struct open_store *store, size_t i)
{
    static const char origins[] = {
        [WIRE_ORIGIN_ERROR] = '-', [WIRE_ORIGIN_PRIMARY] = 'P', [WIRE_ORIGIN_HEDGE] = 'H'};
    const struct open_row *from = &store->result->rows[i];
    uint64_t start_ns = store->result->start_ns;
    return (struct row){
        .intended_ns = from->due_ns - start_ns,
        .sent_ns = from->sent_ns == 0 ? 0 : from->sent_ns - start_ns,
        .first_ns = from->first_ns == 0 ? 0 : from->first_ns - start_ns,
        .done_ns = from->done_ns == 0 ? 0 : from->done_ns - start_ns,
        .bytes = store->document->n_bytes,
        .origin = origins[from->origin],
        .ok = from->status == OPEN_OK,
    };
}

static void write_rows(const struct open_store *store, const struct figures *figures, FILE *out)
{
    (void)figures;
    fputs(ROWS_HEADER "\n", out);
    for (size_t i = 0; i < store->result->n_rows; i++) {
        struct row row = row_of(store, i);
        rows_print(&row, open_status_name(store->result->rows[i].status), out);
    }
}

static void write_binary(const struct open_store *store, const struct figures *figures, FILE *out)
{
    struct rows_binary state = {0};
    (void)figures;
    rows_binary_begin(out);
    for (size_t i = 0; i < store->result->n_rows; i++) {
        struct row row = row_of(store, i);
        rows_binary_print(&state, &row, open_status_name(store->result->rows[i].status), out);
    }
    rows_binary_end(&state, out);
}

static void write_latency(const struct open_store *store, const struct figures *figures, FILE *out)
{
    (void)store;
    if (figures->latency.n > 0)
        hgrm_print(&figures->latency, figures->n_errors, out);
}

static void write_service(const struct open_store *store, const struct figures *figures, FILE *out)
{
    (void)store;
    if (figures->service.n > 0)
        hgrm_print(&figures->service, figures->n_errors, out);
}

static void write_jitter(const struct open_store *store, const struct figures *figures, FILE *out)
{
    const struct jitter_result *jitter = &store->result->jitter;
    uint64_t start_ns = store->result->start_ns;
    (void)figures;
    fputs("begin_ns,worst_stall_ns\n", out);
    for (size_t i = 0; i < jitter->n_slots; i++)
        if (jitter->slots[i].begin_ns >= start_ns)
            fprintf(out, "%llu,%llu\n", (unsigned long long)(jitter->slots[i].begin_ns - start_ns),
                    (unsigned long long)jitter->slots[i].worst_ns);
}

static void write_tail(const struct open_store *store, const struct figures *figures, FILE *out)
{
    (void)figures;
    fputs(store->tail, out);
}

/* Times since the run's start; a fault of the warm-up is not in it. */
static void write_faults(const struct open_store *store, const struct figures *figures, FILE *out)
{
    uint64_t start_ns = store->result->start_ns;
    (void)figures;
    fputs(FAULTS_HEADER "\n", out);
    for (size_t i = 0; i < store->faults->n; i++) {
        const struct fault_span *span = &store->faults->spans[i];
        if (span->begin_ns >= start_ns)
            fprintf(out, "%llu,%llu,%llu\n", (unsigned long long)(span->begin_ns - start_ns),
                    (unsigned long long)(span->end_ns - start_ns),
                    (unsigned long long)span->stalled_ns);
    }
}

static bool is_text(const struct open_store *store)
{
    return !store->binary;
}

static bool is_binary(const struct open_store *store)
{
    return store->binary;
}

static bool has_tail(const struct open_store *store)
{
    return store->tail != NULL;
}

static bool has_faults(const struct open_store *store)
{
    return store->faults->n > 0;
}

static const struct {
    const char *name;
    void (*write)(const struct open_store *, const struct figures *, FILE *);
    bool (*wanted)(const struct open_store *); /* NULL: always */
} files[] = {
    {RUN_ROWS_NAME, write_rows, is_text},        {RUN_BINARY_NAME, write_binary, is_binary},
    {"latency.hgrm", write_latency, NULL},       {"service.hgrm", write_service, NULL},
    {RUN_JITTER_NAME, write_jitter, NULL},       {RUN_TAIL_NAME, write_tail, has_tail},
    {RUN_FAULTS_NAME, write_faults, has_faults},
};

static char *path_in(const char *directory, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

int open_store_begin(const char *directory)
{
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return -errno;
    char *summary = path_in(directory, RUN_SUMMARY_NAME);
    if (summary == NULL)
        return -ENOMEM;
    int rc = unlink(summary) == 0 || errno == ENOENT ? 0 : -errno;
    free(summary);
    return rc;
}

/* 0, or negative errno with *what naming the file (malloc). */
static int write_files(const struct open_store *store, const char *directory, json_t *summary,
                       char **what)
{
    struct figures figures;
    char *path = NULL;
    int rc = figures_of(&figures, store->result);
    for (size_t i = 0; i < sizeof files / sizeof files[0] && rc == 0; i++) {
        struct outfile out;
        free(path);
        path = path_in(directory, files[i].name);
        if (files[i].wanted != NULL && !files[i].wanted(store)) {
            rc = path == NULL ? -ENOMEM : unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
            continue; /* nor is an earlier run's left */
        }
        rc = path == NULL ? -ENOMEM : outfile_open(&out, path);
        if (rc == 0) {
            files[i].write(store, &figures, out.stream);
            rc = outfile_commit(&out);
        }
    }
    figures_free(&figures);
    if (rc == 0) {
        free(path);
        path = path_in(directory, RUN_SUMMARY_NAME);
        rc = path == NULL ? -ENOMEM : bench_write_json(json_incref(summary), path);
    }
    *what = path;
    return rc;
}

int open_store_keep(const struct open_store *store, const char *directory, json_t *summary)
{
    char *what = NULL;
    int rc = summary == NULL ? -ENOMEM : write_files(store, directory, summary, &what);
    if (rc != 0)
        bench_complain(BENCH_INPUT, "%s: %s", what != NULL ? what : directory, strerror(-rc));
    free(what);
    return rc == 0 ? BENCH_OK : BENCH_INPUT;
}

/* ---- summary -------------------------------------------------------------------------------- */

/* What two runs must have in common to be compared. */
static json_t *workload_json(const struct open_store *store)
{
    const struct open_options *o = store->options;
    char cores[128] = "", hash[17];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)document_hash(store->document));
    if (o->cores != NULL)
        cores_print(o->cores, cores, sizeof cores);
    return json_pack("{s:s, s:I, s:f, s:f, s:s, s:I, s:I, s:b, s:I, s:s, s:I, s:I, s:s, s:s}",
                     "mode", "open", "rate", (json_int_t)o->rate, "duration_s",
                     (double)o->duration_ns / 1e9, "warmup_s", (double)o->warmup_ns / 1e9,
                     "arrivals", o->poisson ? "poisson" : "fixed", "conns", (json_int_t)o->n_conns,
                     "threads", (json_int_t)o->n_threads, "busy_poll", o->busy_poll, "spin_us",
                     (json_int_t)(o->spin_ns / 1000), "cores", cores, "timeout_ms",
                     (json_int_t)o->timeout_ms, "bytes", (json_int_t)store->document->n_bytes,
                     "document", hash, "framing", o->any_reply ? "length" : "l0");
}

static json_t *known(const struct service_metrics *metrics, uint64_t value)
{
    return metrics->known ? json_integer((json_int_t)value) : json_null();
}

static double achieved_rps(const struct open_store *store, const struct figures *figures)
{
    return (double)figures->latency.n * 1e9 / (double)store->options->duration_ns;
}

static json_t *validity_json(const struct open_result *result)
{
    json_t *reasons = json_array();
    if (result->why_invalid[0] != '\0')
        json_array_append_new(reasons, json_string(result->why_invalid));
    return reasons;
}

json_t *open_store_json(const struct open_store *store)
{
    const struct open_result *r = store->result;
    struct figures figures;
    json_t *json = NULL;
    if (figures_of(&figures, r) != 0)
        goto done;
    json = json_pack("{s:s, s:b, s:o, s:I, s:I, s:I, s:o, s:o, s:I}", "format", "l0-run 1", "valid",
                     r->why_invalid[0] == '\0', "invalid", validity_json(r), "rows",
                     (json_int_t)r->n_rows, "requests", (json_int_t)r->n_rows, "errors",
                     (json_int_t)figures.n_errors, "hedges_fired",
                     known(store->metrics, store->metrics->hedges_fired), "hedge_wins",
                     known(store->metrics, store->metrics->hedge_wins), "hedge_replies",
                     (json_int_t)figures.n_hedge);
    if (json == NULL)
        goto done;
    if (store->hedge_counters != NULL)
        json_object_set(json, "hedge_counters", store->hedge_counters);
    if (r->failure[0] != '\0')
        json_object_set_new(json, "failure", json_string(r->failure));
    if (store->server != NULL)
        json_object_set_new(json, "server", json_string(store->server));
    json_object_set_new(json, "reconnects", json_integer((json_int_t)r->n_reconnects));
    json_object_set_new(json, "started_s", json_real(store->started_s));
    json_object_set_new(json, "start_ns", json_integer((json_int_t)r->start_ns));
    json_object_set_new(json, "workload", workload_json(store));
    json_object_set_new(json, "machine", fingerprint_machine());
    json_object_set_new(json, "build",
                        json_pack("{s:s?, s:s, s:s}", "program", argp_program_version, "id",
                                  fingerprint_build_id(), "options", store->command_line));
    json_object_set_new(json, "file", json_string(store->document->path));
    json_object_set_new(json, "target", json_string(store->options->target));
    json_object_set_new(json, "achieved_rps", json_real(achieved_rps(store, &figures)));
    json_object_set_new(json, "busy_share", json_real(r->busy_share));
    json_object_set_new(json, "latency", summary_sample_json(&figures.latency));
    json_object_set_new(json, "service", summary_sample_json(&figures.service));
    json_object_set_new(json, "lag", summary_sample_json(&figures.lag));
    json_object_set_new(json, "jitter", summary_jitter_json(&r->jitter));
done:
    figures_free(&figures);
    return json;
}

/* ---- text ----------------------------------------------------------------------------------- */

static double ms(uint64_t ps)
{
    return (double)ps / (double)GATE_PS_PER_MS;
}

static void print_sample(const char *what, const struct sample *sample, FILE *out)
{
    fprintf(out, "%-12s", what);
    for (size_t i = 0; i < QUANTILES_REPORTED && sample->n > 0; i++) {
        if (quantiles_reported_ppm[i] == 950000 || quantiles_reported_ppm[i] == 995000)
            continue;
        struct quantile q = quantile_of(sample, quantiles_reported_ppm[i]);
        fprintf(out, "  %s %.3f", report_quantile_name(q.q_ppm).text, ms(q.value_ps));
        if (q.interval.high != 0)
            fprintf(out, " (%.3f-%.3f)", ms(q.interval.low != 0 ? q.low_ps : 0), ms(q.high_ps));
        else
            fputs(" (no upper bound)", out);
    }
    fprintf(out, "  max %.3f ms\n", sample->n > 0 ? ms(sample_at_rank(sample, sample->n)) : 0.0);
}

int open_store_print(const struct open_store *store, FILE *out)
{
    const struct open_options *o = store->options;
    const struct open_result *r = store->result;
    struct figures figures;
    int rc = figures_of(&figures, r);
    if (rc == 0) {
        fprintf(out,
                "open loop  %s (%u bytes)  to %s  %u requests/s %s for %.3g s, %u connections, %u "
                "threads\n",
                store->document->path, store->document->n_bytes, o->target, o->rate,
                o->poisson ? "poisson" : "fixed", (double)o->duration_ns / 1e9, o->n_conns,
                o->n_threads);
        fprintf(out, "%zu due, %zu right replies (%.1f/s), %llu errors, %llu replies by a hedge\n",
                r->n_rows, figures.latency.n, achieved_rps(store, &figures),
                (unsigned long long)figures.n_errors, (unsigned long long)figures.n_hedge);
        fputs("with 95 % intervals; latency counts from when a request was due, service from when "
              "it was sent:\n",
              out);
        print_sample("latency", &figures.latency, out);
        print_sample("service", &figures.service, out);
        print_sample("client's lag", &figures.lag, out);
        print_sample("machine", &r->jitter.stalls, out);
        if (r->jitter.behind_others)
            fputs("machine: measured at ordinary priority, so what busy threads take is in it\n",
                  out);
        if (r->why_invalid[0] != '\0')
            fprintf(out, "INVALID: %s\n", r->why_invalid);
        else
            fprintf(
                out,
                "valid: the generator was busy, or waited for a processor, %.0f %% of the time\n",
                r->busy_share * 100);
    }
    figures_free(&figures);
    return rc;
}
