/* Decimal text to scaled integers, exactly: no floating point between a file and a verdict. */
#ifndef L0_GATE_DECIMAL_H
#define L0_GATE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* Latencies are integers of picoseconds: 9 decimals of a millisecond. */
#define GATE_PS_PER_MS_LOG10 9
#define GATE_PS_PER_MS       UINT64_C(1000000000)
#define GATE_PS_PER_NS       UINT64_C(1000)

/* Largest value handed out, so that every value is also a JSON integer: 106 days in ps. */
#define GATE_DECIMAL_MAX ((uint64_t)INT64_MAX)

enum decimal_status {
    DECIMAL_OK = 0,
    DECIMAL_MALFORMED,    /* not an unsigned decimal number */
    DECIMAL_OUT_OF_RANGE, /* above GATE_DECIMAL_MAX once scaled */
};

/* Reads all of text[0..length) as `digits[.digits][e[+-]digits]` and stores number *
 * 10^scale_log10. Digits below the last place round up, so that rounding never turns a miss into a
 * pass. No sign, blanks, hexadecimal, nan or inf. *scaled is untouched unless DECIMAL_OK. */
enum decimal_status decimal_parse(const char *text, size_t length, int scale_log10,
                                  uint64_t *scaled);

/* Whole numbers only: digits and nothing else. */
enum decimal_status decimal_parse_integer(const char *text, size_t length, uint64_t *value);

#endif
