#include "engine/options.h"

#include "engine/options_table.h"
#include "proto/version.h"
#include "proto/wire.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS_PROGRAM "l0-lexd"

enum {
    KEY_FIRST = 0x100, /* above every character, so that no option has a short form */
    KEY_PRINT_CONFIG = KEY_FIRST + OPTIONS_MAX,
    FILE_BYTES_MAX = 1 << 20,
    WHERE_BYTES = OPTIONS_QUOTE_BYTES + 64,
    /* An unknown name this many edits away from a known one is taken for a slip. */
    SLIP_EDITS = 2,
    SLIP_NAME_BYTES = 32,
};

/* What argp found on the command line; NULL where the flag was not given. */
struct flags {
    const char *values[OPTIONS_MAX];
    bool print_config;
};

/* ---- messages ---- */

/* How the user would name the option where its value came from: "--tcp", "L0_TCP", "FILE:3: tcp".
 */
static void describe_source(const struct options *o, size_t i, struct options_source source,
                            char out[WHERE_BYTES])
{
    const struct option_spec *spec = &options_table[i];
    char file[OPTIONS_QUOTE_BYTES];
    switch (source.origin) {
    case OPTIONS_FROM_FILE:
        options_quote(o->config, file);
        snprintf(out, WHERE_BYTES, "%s:%u: %s", file, source.line, spec->name);
        return;
    case OPTIONS_FROM_ENVIRONMENT:
        snprintf(out, WHERE_BYTES, "%s", spec->env);
        return;
    case OPTIONS_FROM_FLAG:
        snprintf(out, WHERE_BYTES, "--%s", spec->name);
        return;
    case OPTIONS_FROM_DEFAULT:
    case OPTIONS_FROM_RELATION:
        snprintf(out, WHERE_BYTES, "default of %s", spec->name);
        return;
    }
}

static int refuse_value(const struct options *o, size_t i, struct options_source source,
                        const char *value, const char *reason, const char *allowed)
{
    char where[WHERE_BYTES], quoted[OPTIONS_QUOTE_BYTES];
    describe_source(o, i, source, where);
    options_quote(value, quoted);
    fprintf(stderr, OPTIONS_PROGRAM ": %s: \"%s\" %s (allowed: %s)\n", where, quoted, reason,
            allowed);
    return OPTIONS_EXIT_CONFIG;
}

static int apply(struct options *o, size_t i, struct options_source source, const char *value)
{
    char reason[OPTIONS_REASON_BYTES], allowed[OPTIONS_ALLOWED_BYTES];
    if (options_value_set(&options_table[i], o, value, reason) != 0) {
        options_value_allowed(&options_table[i], allowed);
        return refuse_value(o, i, source, value, reason, allowed);
    }
    o->sources[i] = source;
    return 0;
}

/* Edit distance (insertions, deletions, replacements), or more than SLIP_EDITS for long names. */
static unsigned edits_between(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    if (na > SLIP_NAME_BYTES || nb > SLIP_NAME_BYTES)
        return SLIP_EDITS + 1;
    unsigned row[SLIP_NAME_BYTES + 1];
    for (size_t j = 0; j <= nb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned replace = diagonal + (a[i - 1] != b[j - 1]);
            unsigned insert = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < insert ? replace : insert;
        }
    }
    return row[nb];
}

/* The known name that this one was probably meant to be, or NULL. */
static const char *closest_name(const char *name, bool env)
{
    const char *best = NULL;
    unsigned best_edits = SLIP_EDITS + 1;
    for (size_t i = 0; i < options_table_count; i++) {
        const char *known = env ? options_table[i].env : options_table[i].name;
        unsigned edits = edits_between(name, known);
        if (edits < best_edits) {
            best = known;
            best_edits = edits;
        }
    }
    return best;
}

/* ---- the file ---- */

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r", text[n - 1]) != NULL)
        n--;
    text[n] = '\0';
    return text;
}

static int read_line(struct options *o, char *line, uint32_t number)
{
    char file[OPTIONS_QUOTE_BYTES], quoted[OPTIONS_QUOTE_BYTES];
    char *key = trim(line);
    if (key[0] == '\0' || key[0] == '#')
        return 0;
    options_quote(o->config, file);
    char *equals = strchr(key, '=');
    if (equals == NULL) {
        options_quote(key, quoted);
        fprintf(stderr, OPTIONS_PROGRAM ": %s:%u: \"%s\" is neither 'key = value' nor a comment\n",
                file, number, quoted);
        return OPTIONS_EXIT_CONFIG;
    }
    *equals = '\0';
    key = trim(key);
    size_t i = options_table_find(key);
    if (i == options_table_count) {
        const char *closest = closest_name(key, false);
        options_quote(key, quoted);
        fprintf(stderr, OPTIONS_PROGRAM ": %s:%u: \"%s\" is not an option of this file%s%s%s\n",
                file, number, quoted, closest != NULL ? " (did you mean " : "",
                closest != NULL ? closest : "", closest != NULL ? "?)" : "");
        return OPTIONS_EXIT_CONFIG;
    }
    if (o->sources[i].origin == OPTIONS_FROM_FILE) {
        fprintf(stderr, OPTIONS_PROGRAM ": %s:%u: %s is set a second time (first in line %u)\n",
                file, number, options_table[i].name, o->sources[i].line);
        return OPTIONS_EXIT_CONFIG;
    }
    return apply(o, i, (struct options_source){OPTIONS_FROM_FILE, number}, trim(equals + 1));
}

/* Reads the whole file (any kind that can be read, so that <(...) works) into a string.
 * 0 or negative errno; the caller frees. */
static int read_file(const char *path, char **text, size_t *text_bytes)
{
    int err = 0;
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -errno;
    char *buffer = malloc(FILE_BYTES_MAX + 1);
    if (buffer == NULL) {
        err = -ENOMEM;
        goto out;
    }
    errno = 0;
    size_t n = fread(buffer, 1, FILE_BYTES_MAX + 1, f);
    if (ferror(f))
        err = errno != 0 ? -errno : -EIO;
    else if (n > FILE_BYTES_MAX)
        err = -EFBIG;
    if (err != 0)
        goto out;
    buffer[n] = '\0';
    *text = buffer;
    *text_bytes = n;
    buffer = NULL;
out:
    free(buffer);
    fclose(f);
    return err;
}

static int load_file(struct options *o)
{
    char file[OPTIONS_QUOTE_BYTES];
    char *text = NULL;
    size_t text_bytes = 0;
    options_quote(o->config, file);
    int err = read_file(o->config, &text, &text_bytes);
    if (err != 0) {
        fprintf(stderr, OPTIONS_PROGRAM ": %s: cannot read the configuration file: %s\n", file,
                strerror(-err));
        return OPTIONS_EXIT_CONFIG;
    }
    int code = 0;
    uint32_t number = 1;
    for (char *line = text, *end = text + text_bytes; code == 0 && line < end; number++) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        char *line_end = newline != NULL ? newline : end;
        *line_end = '\0';
        if (strlen(line) != (size_t)(line_end - line)) {
            fprintf(stderr, OPTIONS_PROGRAM ": %s:%u: the line contains a NUL byte\n", file,
                    number);
            code = OPTIONS_EXIT_CONFIG;
        } else {
            code = read_line(o, line, number);
        }
        line = line_end + 1;
    }
    free(text);
    return code;
}

/* ---- the environment ---- */

static int load_environment(struct options *o)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < options_table_count; i++) {
        const char *value = getenv(options_table[i].env);
        if (value != NULL)
            code = apply(o, i, (struct options_source){OPTIONS_FROM_ENVIRONMENT, 0}, value);
    }
    return code;
}

/* A slip in a variable's name would otherwise go unnoticed. Other L0_ variables (of the tests, of
 * the Makefile) are none of our business. */
static void warn_environment(void)
{
    for (char **e = environ; *e != NULL; e++) {
        char name[SLIP_NAME_BYTES + 1];
        size_t n = strcspn(*e, "=");
        if (strncmp(*e, "L0_", 3) != 0 || n >= sizeof name)
            continue;
        memcpy(name, *e, n);
        name[n] = '\0';
        char quoted[OPTIONS_QUOTE_BYTES];
        options_quote(name, quoted);
        const char *closest = closest_name(name, true);
        if (closest != NULL && strcmp(closest, name) != 0)
            fprintf(stderr, OPTIONS_PROGRAM ": %s is ignored: did you mean %s?\n", quoted, closest);
    }
}

/* ---- the command line ---- */

static error_t parse_flag(int key, char *arg, struct argp_state *state)
{
    struct flags *flags = state->input;
    char quoted[OPTIONS_QUOTE_BYTES];
    if (key >= KEY_FIRST && key < KEY_PRINT_CONFIG) {
        flags->values[key - KEY_FIRST] = arg != NULL ? arg : "1";
        return 0;
    }
    if (key == KEY_PRINT_CONFIG) {
        flags->print_config = true;
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        options_quote(arg, quoted);
        argp_error(state, "unexpected argument \"%s\"", quoted);
        return EINVAL;
    }
    return ARGP_ERR_UNKNOWN;
}

/* Appends default, range and environment variable to an option's help, from the table. */
static char *filter_help(int key, const char *text, void *input)
{
    (void)input;
    if (key < KEY_FIRST || key >= KEY_PRINT_CONFIG)
        return (char *)(uintptr_t)text;
    const struct option_spec *spec = &options_table[key - KEY_FIRST];
    char fallback[OPTIONS_ALLOWED_BYTES], allowed[OPTIONS_ALLOWED_BYTES];
    options_value_default(spec, fallback);
    options_value_allowed(spec, allowed);
    char *longer = NULL;
    if (asprintf(&longer, "%s (default %s; %s; %s)", text, fallback[0] != '\0' ? fallback : "none",
                 allowed, spec->env) < 0)
        return (char *)(uintptr_t)text;
    return longer;
}

static void load_flags(struct flags *flags, int argc, char **argv)
{
    static const char about[] =
        "L0, a LaTeX lexing service: listens on sockets and lexes the documents it is sent."
        "\vEvery option is also an environment variable (last in parentheses) and, but for "
        "--config, a "
        "line 'name = value' of the configuration file. Flags win over variables, variables over "
        "the file.\n\nExit status: 0 after a drain, 64 usage, 69 io_uring or a SIMD kernel is not "
        "to be had or the service is already running, 71 a resource limit, 78 a bad value.";
    struct argp_option table[OPTIONS_MAX + 2] = {0}; /* --print-config, and the end */
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_spec *spec = &options_table[i];
        table[i] = (struct argp_option){
            .name = spec->name,
            .key = KEY_FIRST + (int)i,
            .arg = spec->arg,
            .flags = spec->type == OPTION_BOOL ? OPTION_ARG_OPTIONAL : 0,
            .doc = spec->help,
        };
    }
    table[options_table_count] = (struct argp_option){
        .name = "print-config",
        .key = KEY_PRINT_CONFIG,
        .doc = "print the effective settings as a configuration file, and exit",
    };
    const struct argp argp = {
        .options = table, .parser = parse_flag, .doc = about, .help_filter = filter_help};
    argp_err_exit_status = OPTIONS_EXIT_USAGE;
    argp_program_version = OPTIONS_PROGRAM " " L0_VERSION;
    error_t err = argp_parse(&argp, argc, argv, 0, NULL, flags);
    if (err != 0) {
        fprintf(stderr, OPTIONS_PROGRAM ": cannot read the command line: %s\n", strerror(err));
        exit(OPTIONS_EXIT_USAGE);
    }
}

/* ---- what options need of each other ---- */

/* An arena holds one request of the largest size while another one grows, in whole granules. */
static int relate_arena(struct options *o)
{
    size_t i = options_table_at(offsetof(struct options, arena_mib));
    uint64_t block_bytes = (uint64_t)o->max_req_bytes + WIRE_HEADER_BYTES;
    block_bytes =
        (block_bytes + LIMIT_GRANULE_BYTES - 1) / LIMIT_GRANULE_BYTES * LIMIT_GRANULE_BYTES;
    uint64_t need_mib = (2 * block_bytes + LIMIT_MIB - 1) / LIMIT_MIB;
    assert(need_mib <= LIMIT_ARENA_MIB_MAX);
    if (o->arena_mib >= need_mib)
        return 0;
    if (o->sources[i].origin == OPTIONS_FROM_DEFAULT) {
        o->arena_mib = (uint32_t)need_mib;
        o->sources[i].origin = OPTIONS_FROM_RELATION;
        return 0;
    }
    char value[16], reason[OPTIONS_REASON_BYTES], allowed[OPTIONS_ALLOWED_BYTES];
    snprintf(value, sizeof value, "%u", o->arena_mib);
    snprintf(reason, sizeof reason, "is too small for two requests of max-req-bytes %u",
             o->max_req_bytes);
    snprintf(allowed, sizeof allowed, "%u to %d MiB", (unsigned)need_mib, LIMIT_ARENA_MIB_MAX);
    return refuse_value(o, i, o->sources[i], value, reason, allowed);
}

static int relate(struct options *o)
{
    size_t admin = options_table_at(offsetof(struct options, admin));
    size_t prom = options_table_at(offsetof(struct options, admin_on));
    if (o->sources[admin].origin == OPTIONS_FROM_FLAG &&
        o->sources[prom].origin != OPTIONS_FROM_FLAG) {
        o->admin_on = true;
        o->sources[prom].origin = OPTIONS_FROM_RELATION;
    }
    if (o->unix_path[0] == '\0' && o->tcp[0] == '\0') {
        fprintf(stderr, OPTIONS_PROGRAM
                ": unix and tcp are both empty: nothing to listen on (allowed: at least one)\n");
        return OPTIONS_EXIT_CONFIG;
    }
    return relate_arena(o);
}

/* ---- together ---- */

static int load_config(struct options *o, const struct flags *flags)
{
    size_t i = options_table_at(offsetof(struct options, config));
    const char *env = getenv(options_table[i].env);
    int code = 0;
    if (env != NULL)
        code = apply(o, i, (struct options_source){OPTIONS_FROM_ENVIRONMENT, 0}, env);
    if (code == 0 && flags->values[i] != NULL)
        code = apply(o, i, (struct options_source){OPTIONS_FROM_FLAG, 0}, flags->values[i]);
    return code == 0 && o->config[0] != '\0' ? load_file(o) : code;
}

static int load_defaults(struct options *o)
{
    char text[OPTIONS_ALLOWED_BYTES];
    int code = 0;
    memset(o, 0, sizeof *o);
    size_t config = options_table_at(offsetof(struct options, config));
    for (size_t i = 0; code == 0 && i < options_table_count; i++) {
        if (i == config) /* none, which could not be given as a value */
            continue;
        options_value_default(&options_table[i], text);
        code = apply(o, i, (struct options_source){OPTIONS_FROM_DEFAULT, 0}, text);
    }
    return code;
}

int options_load(struct options *options, int argc, char **argv)
{
    struct flags flags = {0};
    load_flags(&flags, argc, argv);
    int code = load_defaults(options);
    if (code == 0)
        code = load_config(options, &flags);
    if (code == 0)
        code = load_environment(options);
    for (size_t i = 0; code == 0 && i < options_table_count; i++)
        if (flags.values[i] != NULL)
            code =
                apply(options, i, (struct options_source){OPTIONS_FROM_FLAG, 0}, flags.values[i]);
    if (code == 0)
        code = relate(options);
    if (code != 0)
        return code;
    warn_environment();
    if (flags.print_config) {
        options_print(options, stdout);
        exit(fflush(stdout) == 0 ? 0 : OPTIONS_EXIT_RESOURCE);
    }
    return 0;
}

void options_print(const struct options *options, FILE *out)
{
    size_t config = options_table_at(offsetof(struct options, config));
    for (size_t i = 0; i < options_table_count; i++) {
        if (i == config)
            continue;
        char where[WHERE_BYTES];
        if (options->sources[i].origin == OPTIONS_FROM_DEFAULT)
            snprintf(where, sizeof where, "default");
        else if (options->sources[i].origin == OPTIONS_FROM_RELATION)
            snprintf(where, sizeof where, "follows from another option");
        else
            describe_source(options, i, options->sources[i], where);
        fprintf(out, "# %s\n%s = ", where, options_table[i].name);
        options_value_print(&options_table[i], options, out);
        fputc('\n', out);
    }
}
