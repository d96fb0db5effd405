/* Private to options*.c: the table of options, and one option's value as text. */
#ifndef L0_ENGINE_OPTIONS_TABLE_H
#define L0_ENGINE_OPTIONS_TABLE_H

#include "engine/options.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_U32,     /* uint32_t: number times scale */
    OPTION_U64,     /* uint64_t: number times scale */
    OPTION_MS,      /* uint64_t ns: ms with up to six decimals */
    OPTION_DELAY,   /* the same, or 0 for off, or "auto"; not below LIMIT_HEDGE_US_MIN otherwise */
    OPTION_PERCENT, /* uint32_t ppm: percent with up to four decimals */
    OPTION_MODE,    /* uint32_t: permission bits in octal */
    OPTION_BOOL,    /* bool: 0 or 1; as a flag alone, 1 */
    OPTION_CHOICE,  /* an enum whose values count from 0 through the words of text */
    OPTION_TEXT,    /* char[]: printable, min to max bytes */
    OPTION_KERNEL,  /* the same, of lower-case letters, digits and '_' */
    OPTION_ADDRESS, /* the same, and engine/address.h understands it */
    OPTION_CORES,   /* cores and n_cores: "0,2-3", or "all" */
};

struct option_spec {
    const char *name; /* flag, and key of the file */
    const char *env;
    enum option_type type;
    size_t offset; /* in struct options */
    uint64_t min; /* min, max and fallback in the text's unit; bytes for texts, where min 0 means */
    uint64_t max; /* that an empty value turns the thing off */
    uint64_t fallback;
    uint64_t scale;   /* of numbers: stored is the number times scale (OPTION_MS: ns) */
    const char *unit; /* of numbers; "" for a bare one */
    const char *text; /* default of texts and cores; "off|try|require" of OPTION_CHOICE */
    const char *arg;  /* what --help calls the value */
    const char *help;
};

extern const struct option_spec options_table[];
extern const size_t options_table_count;

/* The option stored at this offset of struct options. */
size_t options_table_at(size_t offset);
/* The option that the file may set by this name; options_table_count when there is none. */
size_t options_table_find(const char *name);

enum { OPTIONS_REASON_BYTES = 160, OPTIONS_ALLOWED_BYTES = 512, OPTIONS_QUOTE_BYTES = 256 };

/* Parses text into its field. 0, or -EINVAL with what is wrong in reason, the field unchanged. */
int options_value_set(const struct option_spec *spec, struct options *options, const char *text,
                      char reason[OPTIONS_REASON_BYTES]);
/* The field as text that options_value_set takes back. */
void options_value_print(const struct option_spec *spec, const struct options *options, FILE *out);
/* The table's default as such text. */
void options_value_default(const struct option_spec *spec, char out[OPTIONS_ALLOWED_BYTES]);
/* "0 to 60000 ms" and the like. */
void options_value_allowed(const struct option_spec *spec, char out[OPTIONS_ALLOWED_BYTES]);
/* Printable ASCII of at most 60 bytes of text, the rest cut; other bytes as \xHH. */
void options_quote(const char *text, char out[OPTIONS_QUOTE_BYTES]);

/* "0,2-3" or "all" (of the CPUs this process may run on, the first LIMIT_SHARDS_MAX).
 * 0, or -EINVAL with what is wrong in reason. */
int options_cores_parse(const char *text, cpu_set_t *cores, uint32_t *n_cores,
                        char reason[OPTIONS_REASON_BYTES]);
/* "0,2-3"; cut with "..." where it does not fit. */
void options_cores_format(const cpu_set_t *cores, char *out, size_t out_bytes);
/* What this process may run on. 0 or negative errno. */
int options_cores_allowed(cpu_set_t *cores);

#endif
