/* What open, find-max, ab and calibrate share: the options of what is sent, how often and from
 * where, and how such a command begins. */
#ifndef L0_BENCH_OPEN_SETTINGS_H
#define L0_BENCH_OPEN_SETTINGS_H

#include "bench/fault_watch.h"
#include "bench/open.h"
#include "bench/open_store.h"

#include <argp.h>
#include <sched.h>
#include <stdbool.h>

struct open_settings {
    struct open_options load;
    cpu_set_t cores;
    const char *file;
    const char *admin; /* "": the service's counters are not read */
    enum lexer_regime regime;
    bool expected; /* --expect or --framing length was given */
    bool has_rate, has_duration;
    bool needs_schedule; /* --rate and --duration must be given */
    bool binary;         /* --binary */
    bool quiet;          /* --quiet; then load.progress is NULL as well */
    bool json;           /* --json: print the result as JSON */
};

/* A child parser; its input is a struct open_settings * that open_settings_default has filled. */
extern const struct argp open_settings_argp;

struct open_settings open_settings_default(void);

/* "10", "2.5", "500ms": seconds unless it says ms; from 1 ms to a week. argp_error else. */
uint64_t open_settings_duration_ns(struct argp_state *state, const char *name, const char *text);

/* Begins a command: parses its arguments with its own parser, whose input is `command` and whose
 * first child is open_settings_argp, loads the document and sets what every reply must say. 0, or
 * an exit code after a message; document_free is due after 0. */
int open_settings_begin(const struct argp *argp, int argc, char **argv, void *command,
                        struct open_settings *settings, struct document *document);

/* A run with what the service counted meanwhile, ready to be stored. */
struct open_session {
    struct open_result result;
    struct service_metrics metrics;
    json_t *hedge_counters;
    char *tail; /* what the service says of its slowest requests (CSV); NULL: it does not */
    struct fault_spans faults;
    double started_s;
};

/* Runs it, reading the service's counters before and after. 0, or an exit code after a message.
 * open_session_free is due either way. */
int open_session_run(struct open_session *session, const struct open_settings *settings,
                     const struct document *document);
void open_session_free(struct open_session *session);

/* Refers to all three. */
struct open_store open_session_store(const struct open_session *session,
                                     const struct open_settings *settings,
                                     const struct document *document);

#endif
