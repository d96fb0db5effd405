/* Rules from text. */
#include "gate/rule.h"

#include "gate/decimal.h"
#include "gate/lines.h"

#include <stdio.h>
#include <string.h>

#define RATE_LOG10 9

static const struct {
    const char *name;
    enum rule_metric metric;
} metrics[] = {
    {"min", RULE_MIN},
    {"max", RULE_MAX},
    {"n", RULE_N},
    {"requests", RULE_REQUESTS},
    {"errors", RULE_ERRORS},
    {"hedges", RULE_HEDGES},
    {"hedge_wins", RULE_WINS},
    {"error_rate", RULE_ERROR_RATE},
    {"hedge_rate", RULE_HEDGE_RATE},
};

static const struct {
    const char *text;
    enum rule_relation relation;
} relations[] = {
    /* the longer ones first */
    {"<=", RULE_LE}, {">=", RULE_GE}, {"==", RULE_EQ},
    {"!=", RULE_NE}, {"<", RULE_LT},  {">", RULE_GT},
};

static const struct {
    const char *unit;
    int log10; /* ps in one, as a power of ten */
} units[] = {{"ns", 3}, {"us", 6}, {"ms", 9}, {"s", 12}};

#define N(array) (sizeof(array) / sizeof(array)[0])

/* The text without its blanks, which may stand anywhere. false when it is too long. */
static bool squeeze(const char *text, char out[RULE_TEXT_BYTES])
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ' || *text == '\t') {
            continue;
        }
        if (n == RULE_TEXT_BYTES - 1) {
            return false;
        }
        out[n++] = *text;
    }
    out[n] = '\0';
    return true;
}

/* More than 0, less than 100, at most 4 decimals. */
uint32_t rule_quantile_ppm(const char *name, size_t length)
{
    const char *point = memchr(name, '.', length);
    uint64_t q_ppm;
    if (length < 2 || (name[0] != 'p' && name[0] != 'P') ||
        strspn(name + 1, "0123456789.") < length - 1 ||
        (point != NULL && (size_t)(name + length - point) > 5) ||
        decimal_parse(name + 1, length - 1, 4, &q_ppm) != DECIMAL_OK || q_ppm >= GATE_PPM) {
        return 0;
    }
    return (uint32_t)q_ppm;
}

static bool parse_metric(const char *name, size_t length, struct rule *rule)
{
    for (size_t i = 0; i < N(metrics); i++) {
        if (strlen(metrics[i].name) == length && memcmp(metrics[i].name, name, length) == 0) {
            rule->metric = metrics[i].metric;
            return true;
        }
    }
    rule->metric = RULE_QUANTILE;
    rule->q_ppm = rule_quantile_ppm(name, length);
    return rule->q_ppm != 0;
}

/* The length of the relation at text, 0 if there is none. */
static size_t parse_relation(const char *text, struct rule *rule)
{
    for (size_t i = 0; i < N(relations); i++) {
        size_t length = strlen(relations[i].text);
        if (strncmp(text, relations[i].text, length) == 0) {
            rule->relation = relations[i].relation;
            return length;
        }
    }
    return 0;
}

/* NULL, or what was expected. */
static const char *parse_time(const char *text, struct rule *rule)
{
    size_t number = strspn(text, "0123456789.");
    for (size_t i = 0; i < N(units); i++) {
        if (strcmp(text + number, units[i].unit) == 0 &&
            decimal_parse(text, number, units[i].log10, &rule->limit) == DECIMAL_OK) {
            return rule->relation == RULE_EQ || rule->relation == RULE_NE
                       ? "<=, <, >= or > before a time: no two runs have the same"
                       : NULL;
        }
    }
    return "a time with its unit, such as 20ms, 500us or 1.5s";
}

static const char *parse_rate(const char *text, struct rule *rule)
{
    size_t length = strlen(text);
    bool percent = length > 0 && text[length - 1] == '%';
    if (decimal_parse(text, length - percent, percent ? RATE_LOG10 - 2 : RATE_LOG10,
                      &rule->limit) != DECIMAL_OK ||
        rule->limit > UINT64_C(1000000000)) {
        return "a rate from 0% to 100%, such as 2% or 0.02";
    }
    return rule->relation == RULE_EQ || rule->relation == RULE_NE
               ? "<=, <, >= or > before a rate (errors==0 asks for a count)"
               : NULL;
}

static const char *parse_limit(const char *text, struct rule *rule)
{
    switch (rule->metric) {
    case RULE_QUANTILE:
    case RULE_MIN:
    case RULE_MAX:
        return parse_time(text, rule);
    case RULE_ERROR_RATE:
    case RULE_HEDGE_RATE:
        return parse_rate(text, rule);
    case RULE_N:
    case RULE_REQUESTS:
    case RULE_ERRORS:
    case RULE_HEDGES:
    case RULE_WINS:
        break;
    }
    return decimal_parse_integer(text, strlen(text), &rule->limit) == DECIMAL_OK ? NULL
                                                                                 : "a whole number";
}

/* The beginning of the text, fit for a message. */
static void show(const char *text, char shown[RULE_TEXT_BYTES])
{
    size_t n = 0;
    for (; text[n] != '\0' && n < RULE_TEXT_BYTES - 1; n++) {
        shown[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    }
    shown[n] = '\0';
}

int rule_add(struct rules *rules, const char *text, const char *where, struct gate_error *error)
{
    struct rule rule = {.limit = 0};
    const char *expected = "a rule such as p99.9<=20ms";
    if (rules->n == RULES_MAX) {
        return gate_error_set(error, GATE_USAGE, "%s: more than %d rules", where, RULES_MAX);
    }
    if (squeeze(text, rule.text)) {
        size_t length = strcspn(rule.text, "<>=!");
        size_t n = parse_relation(rule.text + length, &rule);
        if (n == 0) {
            expected = "METRIC, then one of <= < >= > == !=, then a limit";
        } else if (!parse_metric(rule.text, length, &rule)) {
            expected = "p50 to p99.9999, min, max, n, requests, errors, hedges, hedge_wins, "
                       "error_rate or hedge_rate before the relation";
        } else {
            expected = parse_limit(rule.text + length + n, &rule);
        }
    }
    if (expected != NULL) {
        char shown[RULE_TEXT_BYTES];
        show(text, shown);
        return gate_error_set(error, GATE_USAGE, "%s: found '%s', expected %s", where, shown,
                              expected);
    }
    rules->rules[rules->n++] = rule;
    return 0;
}

/* One line of a file of rules. */
static int add_line(struct rules *rules, const struct lines *lines, struct text_span line,
                    struct gate_error *error)
{
    char text[512];
    char where[512];
    line = text_span_trim(line);
    if (line.length == 0 || line.bytes[0] == '#') {
        return 0;
    }
    if (line.length >= sizeof text || memchr(line.bytes, '\0', line.length) != NULL) {
        return lines_bad(lines, line, "a rule such as p99.9<=20ms", error);
    }
    memcpy(text, line.bytes, line.length);
    text[line.length] = '\0';
    snprintf(where, sizeof where, "%.480s:%llu", lines->path, (unsigned long long)lines->number);
    return rule_add(rules, text, where, error);
}

int rule_add_file(struct rules *rules, const char *path, struct gate_error *error)
{
    struct lines lines;
    struct text_span line;
    if (lines_open(&lines, path, error) != 0) {
        return -1;
    }
    int got;
    while ((got = lines_next(&lines, &line, error)) > 0 &&
           add_line(rules, &lines, line, error) == 0) {
    }
    lines_close(&lines);
    return got == 0 ? 0 : -1;
}
