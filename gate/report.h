/* Numbers as text and as JSON, the same in all three programs. */
#ifndef L0_GATE_REPORT_H
#define L0_GATE_REPORT_H

#include "gate/error.h"
#include "gate/quantile.h"

#include <jansson.h>
#include <stdint.h>

#define REPORT_TEXT_BYTES 128

/* A piece of a report line, returned by value so that calls can stand in a printf. */
struct report_text {
    char text[REPORT_TEXT_BYTES];
};

/* "12.345678": 6 decimals, or 9 where there is anything below a nanosecond. */
struct report_text report_ms(uint64_t value_ps);

/* a - b as "+0.000123" or "-0.000123". */
struct report_text report_ms_difference(uint64_t a_ps, uint64_t b_ps);

/* "P99.9" */
struct report_text report_quantile_name(uint32_t q_ppm);

/* "12.1 .. 12.9 ms (ranks 99880 .. 99920)", with "none" for a bound that does not exist. */
struct report_text report_interval(const struct quantile *quantile);

/* parts per million as a percentage: "2.0000 %" */
struct report_text report_percent(uint64_t ppm);

/* New references, NULL when memory is short. */
json_t *report_ms_json(uint64_t value_ps);
json_t *report_quantile_json(const struct quantile *quantile);

/* Prints the document to standard output and drops the reference. document may be NULL (memory was
 * short). 0, or -1 with *error set. */
int report_print_json(json_t *document, struct gate_error *error);

/* Flushes standard output: 0, or -1 with *error set when a report could not be written. */
int report_flush(struct gate_error *error);

#endif
