#include "gate/report.h"

#include "gate/decimal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct report_text report_ms(uint64_t value_ps)
{
    struct report_text out;
    unsigned long long whole = value_ps / GATE_PS_PER_MS;
    unsigned long long rest = value_ps % GATE_PS_PER_MS;
    if (rest % GATE_PS_PER_NS == 0) {
        snprintf(out.text, sizeof out.text, "%llu.%06llu", whole,
                 rest / (unsigned long long)GATE_PS_PER_NS);
    } else {
        snprintf(out.text, sizeof out.text, "%llu.%09llu", whole, rest);
    }
    return out;
}

struct report_text report_ms_difference(uint64_t a_ps, uint64_t b_ps)
{
    struct report_text size = report_ms(a_ps >= b_ps ? a_ps - b_ps : b_ps - a_ps);
    struct report_text out;
    snprintf(out.text, sizeof out.text, "%c%.*s", a_ps >= b_ps ? '+' : '-', REPORT_TEXT_BYTES - 2,
             size.text);
    return out;
}

struct report_text report_quantile_name(uint32_t q_ppm)
{
    struct report_text out;
    unsigned rest = q_ppm % 10000;
    int n = snprintf(out.text, sizeof out.text, "P%u", q_ppm / 10000);
    if (rest != 0) {
        n += snprintf(out.text + n, sizeof out.text - (size_t)n, ".%04u", rest);
        while (out.text[n - 1] == '0') {
            out.text[--n] = '\0';
        }
    }
    return out;
}

struct report_text report_interval(const struct quantile *quantile)
{
    struct report_text out;
    char low_rank[24] = "none";
    char high_rank[24] = "none";
    struct report_text low = {"none"};
    struct report_text high = {"none"};
    if (quantile->interval.low != 0) {
        low = report_ms(quantile->low_ps);
        snprintf(low_rank, sizeof low_rank, "%llu", (unsigned long long)quantile->interval.low);
    }
    if (quantile->interval.high != 0) {
        high = report_ms(quantile->high_ps);
        snprintf(high_rank, sizeof high_rank, "%llu", (unsigned long long)quantile->interval.high);
    }
    snprintf(out.text, sizeof out.text, "%.24s .. %.24s ms (ranks %s .. %s)", low.text, high.text,
             low_rank, high_rank);
    return out;
}

struct report_text report_percent(uint64_t ppm)
{
    struct report_text out;
    snprintf(out.text, sizeof out.text, "%llu.%04llu %%", (unsigned long long)(ppm / 10000),
             (unsigned long long)(ppm % 10000));
    return out;
}

json_t *report_ms_json(uint64_t value_ps)
{
    return json_real((double)value_ps / (double)GATE_PS_PER_MS);
}

static json_t *rank_or_null(uint64_t rank)
{
    return rank != 0 ? json_integer((json_int_t)rank) : json_null();
}

static json_t *ms_or_null(uint64_t rank, uint64_t value_ps)
{
    return rank != 0 ? report_ms_json(value_ps) : json_null();
}

json_t *report_quantile_json(const struct quantile *quantile)
{
    struct report_text name = report_quantile_name(quantile->q_ppm);
    return json_pack("{s:s, s:i, s:I, s:o, s:o, s:o, s:o, s:o}", "name", name.text, "q_ppm",
                     (int)quantile->q_ppm, "rank", (json_int_t)quantile->rank, "ms",
                     report_ms_json(quantile->value_ps), "low_rank",
                     rank_or_null(quantile->interval.low), "low_ms",
                     ms_or_null(quantile->interval.low, quantile->low_ps), "high_rank",
                     rank_or_null(quantile->interval.high), "high_ms",
                     ms_or_null(quantile->interval.high, quantile->high_ps));
}

int report_print_json(json_t *document, struct gate_error *error)
{
    if (document == NULL) {
        return gate_error_set(error, GATE_USAGE,
                              "cannot write JSON: out of memory, or a name that is not UTF-8");
    }
    /* 15 digits are what a double keeps of any decimal: 0.123456 stays 0.123456. */
    int failed = json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    json_decref(document);
    if (failed == 0) {
        putchar('\n');
    }
    return report_flush(error);
}

int report_flush(struct gate_error *error)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return gate_error_set(error, GATE_USAGE, "cannot write the report: %s", strerror(errno));
    }
    return 0;
}
