#include "bench/calibrate.h"

#include "bench/bare.h"
#include "bench/calibrate_verdict.h"
#include "gate/decimal.h"
#include "gate/quantile.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLOOD_TIMEOUT_MS 600000u /* they are all due at once, on a machine that may be busy */

const char *calibrate_figure_name(enum calibrate_figure figure)
{
    static const char *const names[] = {
        [CALIBRATE_BARE_P50] = "bare_p50_us",
        [CALIBRATE_BARE_P99] = "bare_p99_us",
        [CALIBRATE_OPEN_P50] = "generator_p50_us",
        [CALIBRATE_OPEN_P99] = "generator_p99_us",
        [CALIBRATE_BARE_LAG_P99] = "bare_lag_p99_us",
        [CALIBRATE_BARE_LAG_P999] = "bare_lag_p999_us",
        [CALIBRATE_OPEN_LAG_P999] = "generator_lag_p999_us",
        [CALIBRATE_STALL_P999] = "machine_p999_us",
        [CALIBRATE_BARE_RPS] = "bare_rps",
        [CALIBRATE_OPEN_RPS] = "generator_rps",
        [CALIBRATE_VERDICT_S] = "verdict_s",
    };
    return names[figure];
}

const char *calibrate_verdict_text(enum calibrate_verdict verdict)
{
    static const char *const texts[] = {"met", "missed", "cannot tell"};
    return texts[verdict];
}

/* ---- a round -------------------------------------------------------------------------------- */

static double us_at(const struct sample *sample, uint32_t q_ppm)
{
    return sample->n == 0 ? 0 : (double)quantile_of(sample, q_ppm).value_ps / 1e6;
}

static int bare_trips(const struct calibrate *c, const struct document *document, double *figures)
{
    struct sample trips = {0}, lags = {0};
    int rc = bare_ping_pong(&c->load, document, &trips, &lags);
    figures[CALIBRATE_BARE_P50] = us_at(&trips, 500000);
    figures[CALIBRATE_BARE_P99] = us_at(&trips, 990000);
    figures[CALIBRATE_BARE_LAG_P99] = us_at(&lags, 990000);
    figures[CALIBRATE_BARE_LAG_P999] = us_at(&lags, QUANTILE_P999_PPM);
    sample_free(&trips);
    sample_free(&lags);
    return rc;
}

/* Whether the run was what it should be. */
static int check(int rc, const struct open_result *result, char failure[512])
{
    memcpy(failure, result->failure, sizeof result->failure);
    return rc != 0 ? rc : result->interrupted ? -EINTR : result->n_errors > 0 ? -EPROTO : 0;
}

/* The generator over the same one connection at the same rate: its service times. */
static int open_trips(const struct calibrate *c, const struct document *document, double *figures,
                      char failure[512])
{
    struct open_options o = c->load;
    struct open_result result;
    struct sample service = {0};
    o.n_conns = o.n_threads = 1;
    int rc = check(open_run(&o, document, &result), &result, failure);
    for (size_t i = 0; i < result.n_rows && rc == 0; i++) {
        const struct open_row *row = &result.rows[i];
        rc = sample_add(&service, (row->done_ns - row->sent_ns) * GATE_PS_PER_NS, i);
    }
    sample_sort(&service);
    figures[CALIBRATE_OPEN_P50] = us_at(&service, 500000);
    figures[CALIBRATE_OPEN_P99] = us_at(&service, 990000);
    figures[CALIBRATE_OPEN_LAG_P999] = (double)result.lag_p999_ns / 1e3;
    figures[CALIBRATE_STALL_P999] = us_at(&result.jitter.stalls, QUANTILE_P999_PPM);
    sample_free(&service);
    open_free(&result);
    return rc;
}

static int bare_flood(const struct calibrate *c, const struct document *document, double *figures)
{
    struct open_options o = c->load;
    o.target = c->flood_target;
    return bare_saturate(&o, document, c->n_flood, &figures[CALIBRATE_BARE_RPS]);
}

/* More than anything can take is due at once: how many are answered a second. */
static int open_flood(const struct calibrate *c, const struct document *document, double *figures,
                      char failure[512])
{
    struct open_options o = c->load;
    struct open_result result;
    o.target = c->flood_target;
    o.rate = OPEN_RATE_MAX;
    o.duration_ns = (uint64_t)c->n_flood * 1000000000u / OPEN_RATE_MAX;
    o.timeout_ms = FLOOD_TIMEOUT_MS;
    o.warmup_ns = 0;
    o.n_threads = 1;
    int rc = check(open_run(&o, document, &result), &result, failure);
    uint64_t last_ns = result.start_ns;
    for (size_t i = 0; i < result.n_rows && rc == 0; i++)
        if (result.rows[i].done_ns > last_ns)
            last_ns = result.rows[i].done_ns;
    figures[CALIBRATE_OPEN_RPS] =
        (double)result.n_rows * 1e9 / (double)(last_ns - result.start_ns + 1);
    open_free(&result);
    return rc;
}

int calibrate_round(struct calibrate *c, const struct document *document, unsigned r,
                    char failure[512])
{
    double *figures = c->rounds[r];
    int rc = 0;
    failure[0] = '\0';
    for (unsigned turn = 0; turn < 2 && rc == 0; turn++) {
        bool bare = (turn ^ r) % 2 == 0;
        rc = bare ? bare_trips(c, document, figures) : open_trips(c, document, figures, failure);
    }
    for (unsigned turn = 0; turn < 2 && rc == 0; turn++) {
        bool bare = (turn ^ r) % 2 == 0;
        rc = bare ? bare_flood(c, document, figures) : open_flood(c, document, figures, failure);
    }
    if (rc == 0 && c->n_samples > 0)
        rc = calibrate_verdict_s(c->n_samples, &figures[CALIBRATE_VERDICT_S]);
    return rc;
}

/* ---- over the rounds ------------------------------------------------------------------------ */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

struct calibrate_median calibrate_median(const struct calibrate *c, enum calibrate_figure figure,
                                         enum calibrate_how how, enum calibrate_figure other)
{
    double values[CALIBRATE_ROUNDS_MAX];
    assert(c->n_rounds >= 1 && c->n_rounds <= CALIBRATE_ROUNDS_MAX);
    for (unsigned r = 0; r < c->n_rounds; r++) {
        values[r] = c->rounds[r][figure];
        values[r] -= how == CALIBRATE_MINUS ? c->rounds[r][other] : 0;
        values[r] /= how == CALIBRATE_OVER ? c->rounds[r][other] : 1;
    }
    qsort(values, c->n_rounds, sizeof values[0], compare_doubles);
    struct interval_ranks ranks = interval_of_quantile(c->n_rounds, 500000);
    struct calibrate_median median = {.value = values[sample_rank(c->n_rounds, 500000) - 1],
                                      .bounded = ranks.low != 0 && ranks.high != 0};
    if (median.bounded) {
        median.low = values[ranks.low - 1];
        median.high = values[ranks.high - 1];
    }
    return median;
}

static void judge(struct calibrate_target *t)
{
    bool low_keeps = t->at_least ? t->median.low >= t->limit : t->median.low <= t->limit;
    bool high_keeps = t->at_least ? t->median.high >= t->limit : t->median.high <= t->limit;
    t->note = "";
    if (!t->median.bounded) {
        t->verdict = CALIBRATE_CANNOT_TELL;
        t->note = "fewer than 6 rounds";
    } else if (low_keeps != high_keeps) {
        t->verdict = CALIBRATE_CANNOT_TELL;
        t->note = "the interval reaches over the limit: more --rounds, or a quieter machine";
    } else {
        t->verdict = low_keeps ? CALIBRATE_MET : CALIBRATE_MISSED;
    }
}

/* A client that does nothing else is late by more than the limit: that is the machine. */
static void excuse(struct calibrate_target *t, double bare_lag_us)
{
    if (t->median.bounded && t->verdict != CALIBRATE_MET && bare_lag_us > t->limit) {
        t->verdict = CALIBRATE_CANNOT_TELL;
        t->note = "the machine is too noisy: the bare client itself sends later than that";
    }
}

unsigned calibrate_judge(const struct calibrate *c,
                         struct calibrate_target targets[CALIBRATE_TARGETS])
{
    const enum calibrate_figure none = CALIBRATE_FIGURES;
    targets[CALIBRATE_ADDS] = (struct calibrate_target){
        .name = "adds_p99_us",
        .what = "adds to the P99 of a round trip",
        .unit = "us",
        .limit = 5,
        .median = calibrate_median(c, CALIBRATE_OPEN_P99, CALIBRATE_MINUS, CALIBRATE_BARE_P99),
    };
    targets[CALIBRATE_LAG] = (struct calibrate_target){
        .name = "lag_p999_us",
        .what = "sends late by, P99.9",
        .unit = "us",
        .limit = 50,
        .median = calibrate_median(c, CALIBRATE_OPEN_LAG_P999, CALIBRATE_PLAIN, none),
    };
    targets[CALIBRATE_RATE] = (struct calibrate_target){
        .name = "rps_ratio",
        .what = "requests/s beside the bare client's",
        .unit = "",
        .limit = 0.8,
        .at_least = true,
        .median = calibrate_median(c, CALIBRATE_OPEN_RPS, CALIBRATE_OVER, CALIBRATE_BARE_RPS),
    };
    targets[CALIBRATE_JUDGES] = (struct calibrate_target){
        .name = "verdict_s",
        .what = "a verdict on a stored run takes",
        .unit = "s",
        .limit = 1,
        .median = calibrate_median(c, CALIBRATE_VERDICT_S, CALIBRATE_PLAIN, none),
    };
    unsigned n = c->n_samples > 0 ? CALIBRATE_TARGETS : CALIBRATE_JUDGES;
    for (unsigned i = 0; i < n; i++)
        judge(&targets[i]);
    excuse(&targets[CALIBRATE_ADDS],
           calibrate_median(c, CALIBRATE_BARE_LAG_P99, CALIBRATE_PLAIN, none).value);
    excuse(&targets[CALIBRATE_LAG],
           calibrate_median(c, CALIBRATE_BARE_LAG_P999, CALIBRATE_PLAIN, none).value);
    return n;
}
