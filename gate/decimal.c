#include "gate/decimal.h"

#include <stdbool.h>

/* An exponent beyond this makes any non-zero number out of range or a fraction of the last place,
 * whatever its digits: a line is at most LINES_MAX_BYTES long. */
#define EXPONENT_CAP 1000000

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What the text is made of; digits lie in text[0..mantissa_end), with at most one point. */
struct shape {
    size_t mantissa_end;
    size_t n_integer_digits;
    long exponent;
};

/* `[+-]digits` in text[0..length). */
static bool parse_exponent(const char *text, size_t length, long *exponent)
{
    size_t i = 0;
    bool negative = false;
    if (i < length && (text[i] == '+' || text[i] == '-')) {
        negative = text[i] == '-';
        i++;
    }
    if (i == length) {
        return false;
    }
    long value = 0;
    for (; i < length; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
        if (value < EXPONENT_CAP) {
            value = value * 10 + (text[i] - '0');
        }
    }
    *exponent = negative ? -value : value;
    return true;
}

static bool parse_shape(const char *text, size_t length, struct shape *shape)
{
    size_t n_digits = 0;
    bool point = false;
    size_t i = 0;
    *shape = (struct shape){0};
    for (; i < length; i++) {
        if (is_digit(text[i])) {
            n_digits++;
            shape->n_integer_digits += !point;
        } else if (text[i] == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    shape->mantissa_end = i;
    if (n_digits == 0) {
        return false;
    }
    if (i == length) {
        return true;
    }
    return (text[i] == 'e' || text[i] == 'E') &&
           parse_exponent(text + i + 1, length - i - 1, &shape->exponent);
}

/* value = value * 10 + digit, or false above GATE_DECIMAL_MAX. */
static bool push_digit(uint64_t *value, unsigned digit)
{
    if (*value > (GATE_DECIMAL_MAX - digit) / 10) {
        return false;
    }
    *value = *value * 10 + digit;
    return true;
}

enum decimal_status decimal_parse(const char *text, size_t length, int scale_log10,
                                  uint64_t *scaled)
{
    struct shape shape;
    if (!parse_shape(text, length, &shape)) {
        return DECIMAL_MALFORMED;
    }
    /* The power of ten that the next digit weighs, in units of the last place. */
    long power = (long)shape.n_integer_digits - 1 + shape.exponent + scale_log10;
    uint64_t value = 0;
    bool below_last_place = false;
    for (size_t i = 0; i < shape.mantissa_end; i++) {
        if (text[i] == '.') {
            continue;
        }
        unsigned digit = (unsigned)(text[i] - '0');
        if (power < 0) {
            below_last_place |= digit != 0;
        } else if (!push_digit(&value, digit)) {
            return DECIMAL_OUT_OF_RANGE;
        }
        power--;
    }
    for (; power >= 0 && value != 0; power--) {
        if (!push_digit(&value, 0)) {
            return DECIMAL_OUT_OF_RANGE;
        }
    }
    if (below_last_place) {
        if (value == GATE_DECIMAL_MAX) {
            return DECIMAL_OUT_OF_RANGE;
        }
        value++;
    }
    *scaled = value;
    return DECIMAL_OK;
}

enum decimal_status decimal_parse_integer(const char *text, size_t length, uint64_t *value)
{
    if (length == 0) {
        return DECIMAL_MALFORMED;
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i])) {
            return DECIMAL_MALFORMED;
        }
    }
    return decimal_parse(text, length, 0, value);
}
