#include "bench/load_report.h"

#include "bench/fingerprint.h"
#include "bench/summary.h"
#include "gate/outfile.h"
#include "gate/quantile.h"
#include "gate/report.h"

#include <argp.h>
#include <errno.h>
#include <sys/utsname.h>
#include <unistd.h>

static uint64_t latency_at(const struct load_result *result, uint64_t i)
{
    return atomic_load_explicit(&result->latency_ns[i], memory_order_relaxed);
}

int load_report_write_raw(const struct load_report *report)
{
    struct outfile out;
    int rc = outfile_open(&out, report->raw_path);
    if (rc != 0)
        return rc;
    for (uint64_t i = 0; i < report->options->n_requests; i++) {
        uint64_t ns = latency_at(report->result, i);
        if (ns > 0)
            fprintf(out.stream, "%llu.%06llu\n", (unsigned long long)(ns / 1000000),
                    (unsigned long long)(ns % 1000000));
    }
    return outfile_commit(&out);
}

/* The right replies' times, sorted. */
static int to_sample(const struct load_report *report, bool connect, struct sample *sample)
{
    for (uint64_t i = 0; i < report->options->n_requests; i++) {
        uint64_t latency_ns = latency_at(report->result, i);
        uint64_t ns = connect ? report->result->connect_ns[i] : latency_ns;
        if (latency_ns > 0 && sample_add(sample, ns * 1000, i + 1) != 0)
            return -ENOMEM;
    }
    sample_sort(sample);
    return 0;
}

static double ms(uint64_t ps)
{
    return (double)ps / 1e9;
}

/* {"n", "min", "mean", "max", "P50", …, "P99.99"} in ms; all but n null when there is no value. */
static json_t *quantiles_json(const struct sample *sample)
{
    json_t *json = json_pack("{s:I}", "n", (json_int_t)sample->n);
    if (json == NULL || sample->n == 0)
        return json;
    json_object_set_new(json, "min", json_real(ms(sample_at_rank(sample, 1))));
    json_object_set_new(json, "mean", json_real(ms(sample_mean_ps(sample))));
    json_object_set_new(json, "max", json_real(ms(sample_at_rank(sample, sample->n))));
    for (size_t i = 0; i < QUANTILES_REPORTED; i++) {
        struct report_text name = report_quantile_name(quantiles_reported_ppm[i]);
        json_object_set_new(json, name.text,
                            json_real(ms(quantile_of(sample, quantiles_reported_ppm[i]).value_ps)));
    }
    return json;
}

static json_t *known(const struct service_metrics *metrics, uint64_t value)
{
    return metrics->known ? json_integer((json_int_t)value) : json_null();
}

static double per_second(const struct load_report *report)
{
    uint64_t ns = report->result->elapsed_ns;
    return ns == 0 ? 0 : (double)report->result->n_right * 1e9 / (double)ns;
}

static json_t *system_json(void)
{
    struct utsname about;
    if (uname(&about) != 0)
        return json_null();
    return json_pack("{s:s, s:s, s:I}", "release", about.release, "machine", about.machine,
                     "processors", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN));
}

/* What two runs must have in common to be compared. */
static json_t *workload_json(const struct load_report *report)
{
    const struct load_options *o = report->options;
    char hash[17];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)document_hash(report->document));
    return json_pack("{s:s, s:I, s:I, s:I, s:s}", "mode", o->oneshot ? "oneshot" : "keepalive",
                     "threads", (json_int_t)o->n_threads, "idle", (json_int_t)o->n_idle, "bytes",
                     (json_int_t)report->document->n_bytes, "document", hash);
}

json_t *load_report_json(const struct load_report *report)
{
    const struct load_options *o = report->options;
    const struct load_result *r = report->result;
    const struct document *d = report->document;
    struct sample round_trips = {0}, connects = {0};
    json_t *json = NULL;
    if (to_sample(report, false, &round_trips) != 0 ||
        (o->oneshot && to_sample(report, true, &connects) != 0))
        goto done;
    json = json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:o}",    //
                     "mode", o->oneshot ? "oneshot" : "keepalive", "file", d->path,          //
                     "bytes", (json_int_t)d->n_bytes, "target", o->target,                   //
                     "threads", (json_int_t)o->n_threads, "idle", (json_int_t)o->n_idle,     //
                     "tokens", (json_int_t)o->n_tokens, "issues", (json_int_t)o->issues_len, //
                     "warmup", (json_int_t)o->n_warmup, "requests", (json_int_t)r->n_right,  //
                     "errors", (json_int_t)r->n_errors, "kernel", lexer_kernel_name(),       //
                     "system", system_json());
    if (json == NULL)
        goto done;
    json_object_set_new(json, "hedges_fired",
                        known(report->metrics, report->metrics->hedges_fired));
    json_object_set_new(json, "hedge_wins", known(report->metrics, report->metrics->hedge_wins));
    json_object_set_new(json, "origins",
                        json_pack("{s:I, s:I}", "primary",
                                  (json_int_t)r->origins[WIRE_ORIGIN_PRIMARY], "hedge",
                                  (json_int_t)r->origins[WIRE_ORIGIN_HEDGE]));
    json_object_set_new(json, "started_s", json_real(report->started_s));
    json_object_set_new(json, "machine", fingerprint_machine());
    json_object_set_new(json, "workload", workload_json(report));
    json_object_set_new(
        json, "build",
        json_pack("{s:s?, s:s}", "program", argp_program_version, "id", fingerprint_build_id()));
    if (report->jitter != NULL)
        json_object_set_new(json, "jitter", summary_jitter_json(report->jitter));
    json_object_set_new(json, "elapsed_s", json_real((double)r->elapsed_ns / 1e9));
    json_object_set_new(json, "throughput_rps", json_real(per_second(report)));
    json_object_set_new(json, "throughput_bytes_per_s",
                        json_real(per_second(report) * (double)d->n_bytes));
    json_object_set_new(json, "round_trip_ms", quantiles_json(&round_trips));
    if (o->oneshot)
        json_object_set_new(json, "connect_ms", quantiles_json(&connects));
    if (r->n_errors > 0)
        json_object_set_new(json, "failure", json_string(r->failure));
done:
    sample_free(&round_trips);
    sample_free(&connects);
    return json;
}

static void print_quantiles(const struct sample *sample, const char *what, FILE *out)
{
    fprintf(out, "%-10s", what);
    for (size_t i = 0; i < QUANTILES_REPORTED; i++)
        fprintf(out, "  %s %.3f", report_quantile_name(quantiles_reported_ppm[i]).text,
                ms(quantile_of(sample, quantiles_reported_ppm[i]).value_ps));
    fprintf(out, "  max %.3f ms\n", ms(sample_at_rank(sample, sample->n)));
}

void load_report_print(const struct load_report *report, FILE *out)
{
    const struct load_options *o = report->options;
    const struct load_result *r = report->result;
    const struct document *d = report->document;
    fprintf(out, "%s  %s (%u bytes, %u tokens, %u issues)  to %s  %u thread%s\n",
            o->oneshot ? "oneshot" : "keepalive", d->path, d->n_bytes, o->n_tokens, o->issues_len,
            o->target, o->n_threads, o->n_threads == 1 ? "" : "s");
    fprintf(out, "%llu replies checked, %llu errors, %.3f s, %.1f requests/s, %.3f GB/s\n",
            (unsigned long long)r->n_right, (unsigned long long)r->n_errors,
            (double)r->elapsed_ns / 1e9, per_second(report),
            per_second(report) * (double)d->n_bytes / 1e9);
    struct sample round_trips = {0}, connects = {0};
    if (r->n_right > 0 && to_sample(report, false, &round_trips) == 0)
        print_quantiles(&round_trips, "round trip", out);
    if (r->n_right > 0 && o->oneshot && to_sample(report, true, &connects) == 0)
        print_quantiles(&connects, "  connect", out);
    sample_free(&round_trips);
    sample_free(&connects);
    if (report->metrics->known)
        fprintf(out, "hedges: %llu fired, %llu won\n",
                (unsigned long long)report->metrics->hedges_fired,
                (unsigned long long)report->metrics->hedge_wins);
    else
        fputs("hedges: not known (the service's metrics could not be read, or counted others' "
              "requests too)\n",
              out);
    fprintf(out, "raw round trips: %s   summary: %s.json\n", report->raw_path, report->raw_path);
}
