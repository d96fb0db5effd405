#include "engine/address.h"
#include "engine/clock.h"
#include "engine/options_table.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { MS_DECIMALS = 6, PERCENT_DECIMALS = 4, QUOTE_TEXT_BYTES = 60 };

#define PPM_PER_PERCENT 10000

static void *field(const struct option_spec *spec, struct options *options)
{
    return (char *)options + spec->offset;
}

static const void *field_const(const struct option_spec *spec, const struct options *options)
{
    return (const char *)options + spec->offset;
}

static int refuse(char reason[OPTIONS_REASON_BYTES], const char *why)
{
    snprintf(reason, OPTIONS_REASON_BYTES, "%s", why);
    return -EINVAL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Reads digits, nothing else: no sign, blank, base prefix or exponent. UINT64_MAX + 1 and above
 * give *overflow. Moves *text behind the digits. */
static uint64_t read_digits(const char **text, bool *overflow)
{
    uint64_t value = 0;
    *overflow = false;
    for (; is_digit(**text); ++*text) {
        uint64_t digit = (uint64_t)(**text - '0');
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, digit, &value))
            *overflow = true;
    }
    return value;
}

/* Decimals that a number may have, and what is stored for 1. */
static int number_decimals(const struct option_spec *spec, uint64_t *scale)
{
    switch (spec->type) {
    case OPTION_MS:
    case OPTION_DELAY:
        *scale = CLOCK_NS_PER_MS;
        return MS_DECIMALS;
    case OPTION_PERCENT:
        *scale = PPM_PER_PERCENT;
        return PERCENT_DECIMALS;
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_MODE:
    case OPTION_BOOL:
    case OPTION_CHOICE:
    case OPTION_TEXT:
    case OPTION_KERNEL:
    case OPTION_ADDRESS:
    case OPTION_CORES:
        break;
    }
    *scale = spec->scale;
    return 0;
}

/* The range is checked before scaling, so that scaling cannot overflow (the table's ranges times
 * their scales fit 64 bits). */
static int parse_number(const struct option_spec *spec, const char *text, uint64_t *stored,
                        char reason[OPTIONS_REASON_BYTES])
{
    uint64_t scale;
    int decimals = number_decimals(spec, &scale);
    bool negative = text[0] == '-';
    const char *p = text + negative;
    if (!is_digit(*p))
        return refuse(reason, "is not a number");
    bool overflow;
    uint64_t whole = read_digits(&p, &overflow), fraction = 0;
    if (decimals > 0 && p[0] == '.' && is_digit(p[1])) {
        p++;
        uint64_t weight = scale;
        for (int i = 0; i < decimals && is_digit(*p); i++) {
            weight /= 10;
            fraction += (uint64_t)(*p++ - '0') * weight;
        }
    }
    if (*p != '\0') {
        if (decimals == 0)
            return refuse(reason, "is not a whole number in decimal digits");
        snprintf(reason, OPTIONS_REASON_BYTES, "is not a number with at most %s decimals",
                 decimals == MS_DECIMALS ? "six" : "four");
        return -EINVAL;
    }
    if (negative || overflow || whole < spec->min || whole > spec->max ||
        (whole == spec->max && fraction > 0))
        return refuse(reason, "is out of range");
    *stored = whole * scale + fraction;
    return 0;
}

static int parse_delay(const struct option_spec *spec, const char *text, uint64_t *stored,
                       char reason[OPTIONS_REASON_BYTES])
{
    uint64_t ns;
    if (strcmp(text, "auto") == 0) {
        *stored = OPTIONS_HEDGE_AUTO;
        return 0;
    }
    int err = parse_number(spec, text, &ns, reason);
    if (err != 0)
        return err;
    if (ns != 0 && ns < LIMIT_HEDGE_US_MIN * CLOCK_NS_PER_US)
        return refuse(reason, "is out of range");
    *stored = ns;
    return 0;
}

static int parse_mode(const char *text, uint32_t *stored, char reason[OPTIONS_REASON_BYTES])
{
    size_t n = strspn(text, "01234567");
    if (n == 0 || text[n] != '\0')
        return refuse(reason, "is not an octal number");
    uint32_t mode = 0;
    for (const char *p = text; *p != '\0'; p++) {
        mode = mode * 8 + (uint32_t)(*p - '0');
        if (mode > 0777)
            return refuse(reason, "is out of range");
    }
    *stored = mode;
    return 0;
}

/* The index of text among "one|two|three", or -EINVAL. */
static int find_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    int index = 0;
    for (const char *p = choices; *p != '\0'; index++) {
        size_t word_bytes = strcspn(p, "|");
        if (word_bytes == n && memcmp(p, text, n) == 0)
            return index;
        p += word_bytes + (p[word_bytes] == '|');
    }
    return -EINVAL;
}

/* Texts are such that a line of the configuration file can hold them. */
static int check_text(const struct option_spec *spec, const char *text,
                      char reason[OPTIONS_REASON_BYTES])
{
    size_t n = strlen(text);
    if (n > spec->max) {
        snprintf(reason, OPTIONS_REASON_BYTES, "is %zu bytes long", n);
        return -EINVAL;
    }
    if (n == 0)
        return 0;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return refuse(reason, "contains a control character");
    if (is_blank(text[0]) || is_blank(text[n - 1]))
        return refuse(reason, "begins or ends with a blank");
    if (spec->type == OPTION_KERNEL && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
        return refuse(reason, "is not a kernel's name");
    struct sockaddr_storage address;
    socklen_t address_bytes;
    if (spec->type == OPTION_ADDRESS && address_parse(text, &address, &address_bytes) != 0)
        return refuse(reason, "is not a numeric address with a port");
    return 0;
}

int options_value_set(const struct option_spec *spec, struct options *options, const char *text,
                      char reason[OPTIONS_REASON_BYTES])
{
    uint64_t number = 0;
    int err = 0;
    bool may_be_empty =
        spec->min == 0 && (spec->type == OPTION_TEXT || spec->type == OPTION_ADDRESS);
    if (text[0] == '\0' && !may_be_empty)
        return refuse(reason, "is empty");
    switch (spec->type) {
    case OPTION_DELAY:
        return parse_delay(spec, text, field(spec, options), reason);
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_MS:
    case OPTION_PERCENT:
        err = parse_number(spec, text, &number, reason);
        if (err == 0 && (spec->type == OPTION_U32 || spec->type == OPTION_PERCENT))
            *(uint32_t *)field(spec, options) = (uint32_t)number;
        else if (err == 0)
            *(uint64_t *)field(spec, options) = number;
        return err;
    case OPTION_MODE:
        return parse_mode(text, field(spec, options), reason);
    case OPTION_BOOL:
        if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
            return refuse(reason, "is neither 0 nor 1");
        *(bool *)field(spec, options) = text[0] == '1';
        return 0;
    case OPTION_CHOICE:
        err = find_choice(spec->text, text);
        if (err < 0)
            return refuse(reason, "is none of the words allowed");
        memcpy(field(spec, options), &(unsigned){(unsigned)err}, sizeof(unsigned));
        return 0;
    case OPTION_TEXT:
    case OPTION_KERNEL:
    case OPTION_ADDRESS:
        err = check_text(spec, text, reason);
        if (err == 0)
            memcpy(field(spec, options), text, strlen(text) + 1);
        return err;
    case OPTION_CORES:
        return options_cores_parse(text, &options->cores, &options->n_cores, reason);
    }
    assert(false && "every type is handled");
    return -EINVAL;
}

static void print_decimal(const struct option_spec *spec, uint64_t stored, FILE *out)
{
    uint64_t scale;
    int decimals = number_decimals(spec, &scale);
    uint64_t fraction = stored % scale;
    for (; decimals > 0 && fraction % 10 == 0; decimals--)
        fraction /= 10;
    fprintf(out, "%" PRIu64, stored / scale);
    if (decimals > 0)
        fprintf(out, ".%0*" PRIu64, decimals, fraction);
}

/* The index-th word of "one|two|three"; its length in *bytes. */
static const char *choice_word(const char *choices, uint64_t index, int *bytes)
{
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    *bytes = (int)strcspn(choices, "|");
    return choices;
}

void options_value_print(const struct option_spec *spec, const struct options *options, FILE *out)
{
    const void *value = field_const(spec, options);
    char list[OPTIONS_ALLOWED_BYTES]; /* LIMIT_SHARDS_MAX numbers below CPU_SETSIZE fit */
    const char *word;
    int word_bytes;
    switch (spec->type) {
    case OPTION_U32:
        fprintf(out, "%" PRIu64, *(const uint32_t *)value / spec->scale);
        return;
    case OPTION_U64:
        fprintf(out, "%" PRIu64, *(const uint64_t *)value / spec->scale);
        return;
    case OPTION_DELAY:
        if (*(const uint64_t *)value == OPTIONS_HEDGE_AUTO) {
            fputs("auto", out);
            return;
        }
        print_decimal(spec, *(const uint64_t *)value, out);
        return;
    case OPTION_MS:
        print_decimal(spec, *(const uint64_t *)value, out);
        return;
    case OPTION_PERCENT:
        print_decimal(spec, *(const uint32_t *)value, out);
        return;
    case OPTION_MODE:
        fprintf(out, "%04" PRIo32, *(const uint32_t *)value);
        return;
    case OPTION_BOOL:
        fprintf(out, "%d", *(const bool *)value);
        return;
    case OPTION_CHOICE:
        word = choice_word(spec->text, *(const unsigned *)value, &word_bytes);
        fprintf(out, "%.*s", word_bytes, word);
        return;
    case OPTION_TEXT:
    case OPTION_KERNEL:
    case OPTION_ADDRESS:
        fputs(value, out);
        return;
    case OPTION_CORES:
        options_cores_format(&options->cores, list, sizeof list);
        fputs(list, out);
        return;
    }
    assert(false && "every type is handled");
}

void options_value_default(const struct option_spec *spec, char out[OPTIONS_ALLOWED_BYTES])
{
    const char *text = spec->text;
    int text_bytes = -1; /* all of it */
    switch (spec->type) {
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_MS:
    case OPTION_DELAY:
    case OPTION_PERCENT:
    case OPTION_BOOL:
        snprintf(out, OPTIONS_ALLOWED_BYTES, "%" PRIu64, spec->fallback);
        return;
    case OPTION_MODE:
        snprintf(out, OPTIONS_ALLOWED_BYTES, "%04" PRIo64, spec->fallback);
        return;
    case OPTION_CHOICE:
        text = choice_word(spec->text, spec->fallback, &text_bytes);
        break;
    case OPTION_TEXT:
    case OPTION_KERNEL:
    case OPTION_ADDRESS:
    case OPTION_CORES:
        break;
    }
    snprintf(out, OPTIONS_ALLOWED_BYTES, "%.*s", text_bytes, text);
}

void options_value_allowed(const struct option_spec *spec, char out[OPTIONS_ALLOWED_BYTES])
{
    const size_t n = OPTIONS_ALLOWED_BYTES;
    char list[OPTIONS_ALLOWED_BYTES / 2];
    cpu_set_t cores;
    switch (spec->type) {
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_MS:
    case OPTION_PERCENT:
        snprintf(out, n, "%" PRIu64 " to %" PRIu64 "%s%s", spec->min, spec->max,
                 spec->unit[0] != '\0' ? " " : "", spec->unit);
        return;
    case OPTION_DELAY:
        snprintf(out, n, "auto, 0 for off, or %g to %" PRIu64 " %s",
                 (double)LIMIT_HEDGE_US_MIN / 1000, spec->max, spec->unit);
        return;
    case OPTION_MODE:
        snprintf(out, n, "octal %04" PRIo64 " to %04" PRIo64, spec->min, spec->max);
        return;
    case OPTION_BOOL:
        snprintf(out, n, "0 or 1");
        return;
    case OPTION_CHOICE:
        snprintf(out, n, "%s", spec->text);
        return;
    case OPTION_TEXT:
        snprintf(out, n, "%" PRIu64 " to %" PRIu64 " bytes", spec->min, spec->max);
        return;
    case OPTION_KERNEL:
        snprintf(out, n, "auto, or up to %" PRIu64 " lower-case letters, digits and '_'",
                 spec->max);
        return;
    case OPTION_ADDRESS:
        snprintf(out, n, "IPV4:PORT or [IPV6]:PORT%s", spec->min == 0 ? ", or empty for off" : "");
        return;
    case OPTION_CORES:
        if (options_cores_allowed(&cores) != 0)
            CPU_ZERO(&cores);
        options_cores_format(&cores, list, sizeof list);
        snprintf(out, n, "all, or at most %d of %s", LIMIT_SHARDS_MAX, list);
        return;
    }
    assert(false && "every type is handled");
}

void options_quote(const char *text, char out[OPTIONS_QUOTE_BYTES])
{
    static_assert(QUOTE_TEXT_BYTES * 4 + 4 <= OPTIONS_QUOTE_BYTES, "the worst case fits");
    char *to = out;
    size_t i = 0;
    for (; text[i] != '\0' && i < QUOTE_TEXT_BYTES; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c >= 0x7f)
            to += snprintf(to, 5, "\\x%02x", c);
        else if (c == '"' || c == '\\')
            to += snprintf(to, 3, "\\%c", c);
        else
            *to++ = (char)c;
    }
    memcpy(to, text[i] != '\0' ? "..." : "", text[i] != '\0' ? 4 : 1);
}
