/* Decimal text to scaled integers. */
#include "gate/decimal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void expect_ps(const char *text, uint64_t expected_ps)
{
    uint64_t value = 0;
    enum decimal_status status = decimal_parse(text, strlen(text), GATE_PS_PER_MS_LOG10, &value);
    cr_expect_eq(status, DECIMAL_OK, "'%s'", text);
    cr_expect_eq(value, expected_ps, "'%s' gave %llu", text, (unsigned long long)value);
}

static void expect_status(const char *text, enum decimal_status expected)
{
    uint64_t value = 77;
    enum decimal_status status = decimal_parse(text, strlen(text), GATE_PS_PER_MS_LOG10, &value);
    cr_expect_eq(status, expected, "'%s' gave %d", text, (int)status);
    cr_expect_eq(value, 77, "'%s' touched the value", text);
}

Test(gate_decimal, exact_values)
{
    expect_ps("0", 0);
    expect_ps("0.000001", 1000);
    expect_ps("0.000000001", 1);
    expect_ps("20", UINT64_C(20000000000));
    expect_ps("20.000001", UINT64_C(20000001000));
    expect_ps("0.1", UINT64_C(100000000)); /* not a binary fraction */
    expect_ps("007.5", UINT64_C(7500000000));
    expect_ps(".5", UINT64_C(500000000));
    expect_ps("5.", UINT64_C(5000000000));
    expect_ps("1.000000000000000000000000000000", GATE_PS_PER_MS);
    expect_ps("9223372036.854775807", GATE_DECIMAL_MAX);
}

Test(gate_decimal, exponents)
{
    expect_ps("1e3", UINT64_C(1000000000000));
    expect_ps("1.5E+1", UINT64_C(15000000000));
    expect_ps("2.5e-1", UINT64_C(250000000));
    expect_ps("123e-12", 1); /* 0.123 ps rounds up */
    expect_ps("0e999999999999999999999", 0);
    expect_ps("1e-999999999999999999999", 1);
}

Test(gate_decimal, below_the_last_place_rounds_up)
{
    expect_ps("20.0000000000", UINT64_C(20000000000));
    expect_ps("20.0000000001", UINT64_C(20000000001));
    expect_ps("0.30000000000000004", UINT64_C(300000001));
    expect_ps("0.0000000009", 1);
}

Test(gate_decimal, malformed)
{
    static const char *const texts[] = {
        "",    ".",     "-1",  "+1",  "-0", "nan", "NaN", "inf",   "Infinity", "0x10", "0x1p3",
        "1,5", "1.2.3", "1 2", "1ms", "1e", "1e+", "e5",  "1e1.5", "1f",       " 1",   "1 ",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_status(texts[i], DECIMAL_MALFORMED);
    }
}

Test(gate_decimal, nul_bytes_are_not_an_end)
{
    uint64_t value;
    cr_expect_eq(decimal_parse("1\0", 2, 0, &value), DECIMAL_MALFORMED);
    cr_expect_eq(decimal_parse("12345", 2, 0, &value), DECIMAL_OK);
    cr_expect_eq(value, 12);
}

Test(gate_decimal, out_of_range)
{
    expect_status("9223372036.854775808", DECIMAL_OUT_OF_RANGE);
    expect_status("9223372036.8547758071", DECIMAL_OUT_OF_RANGE); /* only rounding goes beyond */
    expect_status("99999999999999999999", DECIMAL_OUT_OF_RANGE);
    expect_status("1e999999999999999999", DECIMAL_OUT_OF_RANGE);
}

Test(gate_decimal, integers)
{
    uint64_t value = 0;
    cr_expect_eq(decimal_parse_integer("9223372036854775807", 19, &value), DECIMAL_OK);
    cr_expect_eq(value, GATE_DECIMAL_MAX);
    cr_expect_eq(decimal_parse_integer("9223372036854775808", 19, &value), DECIMAL_OUT_OF_RANGE);
    cr_expect_eq(decimal_parse_integer("", 0, &value), DECIMAL_MALFORMED);
    cr_expect_eq(decimal_parse_integer("1.0", 3, &value), DECIMAL_MALFORMED);
    cr_expect_eq(decimal_parse_integer("1e3", 3, &value), DECIMAL_MALFORMED);
    cr_expect_eq(decimal_parse_integer("-1", 2, &value), DECIMAL_MALFORMED);
}

/* Every ns value round-trips through its 6 decimals. */
Test(gate_decimal, six_decimals_round_trip)
{
    uint64_t ns = 1;
    for (int i = 0; i < 20000; i++) {
        char text[48];
        ns = ns * 6364136223846793005u + 1442695040888963407u;
        uint64_t value_ns = ns >> 14;
        snprintf(text, sizeof text, "%llu.%06llu", (unsigned long long)(value_ns / 1000000),
                 (unsigned long long)(value_ns % 1000000));
        if (value_ns < GATE_DECIMAL_MAX / GATE_PS_PER_NS) {
            expect_ps(text, value_ns * GATE_PS_PER_NS);
        }
    }
}
