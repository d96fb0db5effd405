/* Every option of the daemon: flag, environment variable and line of the configuration file, from
 * one table, in that order of precedence. */
#ifndef L0_ENGINE_OPTIONS_H
#define L0_ENGINE_OPTIONS_H

#include "engine/limits.h"
#include "lexer/lexer.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes of l0-lexd, named as in sysexits.h. */
enum {
    OPTIONS_EXIT_USAGE = 64,       /* unknown flag or argument */
    OPTIONS_EXIT_UNAVAILABLE = 69, /* io_uring is not to be had; already running; no SIMD kernel */
    OPTIONS_EXIT_RESOURCE = 71,    /* a resource limit, or the system refused memory or sockets */
    OPTIONS_EXIT_CONFIG = 78,      /* a bad value: the message names option, value and range */
};

enum options_mlock { OPTIONS_MLOCK_OFF, OPTIONS_MLOCK_TRY, OPTIONS_MLOCK_REQUIRE };
enum options_huge { OPTIONS_HUGE_OFF, OPTIONS_HUGE_THP, OPTIONS_HUGE_TLB };
enum options_fault_phase { OPTIONS_FAULT_PRE, OPTIONS_FAULT_POST };

#define OPTIONS_PATH_BYTES 4096
#define OPTIONS_HEDGE_AUTO UINT64_MAX

/* Where an option's value came from; the last one that spoke wins. */
enum options_origin {
    OPTIONS_FROM_DEFAULT,
    OPTIONS_FROM_FILE,
    OPTIONS_FROM_ENVIRONMENT,
    OPTIONS_FROM_FLAG,
    OPTIONS_FROM_RELATION, /* raised because another option needs it */
};

struct options_source {
    enum options_origin origin;
    uint32_t line; /* in the configuration file; 0 elsewhere */
};

/* Room for one source an option; options_table.c asserts that the table fits. */
#define OPTIONS_MAX 48

struct options {
    char config[OPTIONS_PATH_BYTES];

    /* where it listens */
    char unix_path[OPTIONS_PATH_BYTES]; /* "" : no Unix listener */
    uint32_t unix_mode;                 /* permission bits, octal in text */
    char tcp[256];                      /* "" : no TCP listener; "ADDR:PORT" or "[ADDR]:PORT" */

    /* cores and kernel */
    cpu_set_t cores; /* from "0,2-3"; default: all that sched_getaffinity allows */
    uint32_t n_cores;
    char kernel[32]; /* "auto" or a kernel's name */
    bool allow_scalar;
    enum lexer_regime regime;
    uint32_t spin_us;

    /* limits */
    uint32_t max_req_bytes;
    uint32_t max_conns;
    uint32_t max_inflight; /* per shard */
    uint32_t arena_mib;    /* per arena; each shard has two */
    uint32_t slice_bytes;

    /* deadlines, ns (in text: ms, fractions allowed) */
    uint64_t backpressure_ns;
    uint64_t frame_ns;
    uint64_t idle_ns; /* 0: never */
    uint64_t reply_ns;
    uint64_t drain_ns;

    /* memory */
    enum options_mlock mlock;
    enum options_huge huge;
    uint64_t rotate_bytes;     /* 0: never (text: rotate-mb) */
    uint64_t rotate_requests;  /* 0: never */
    uint64_t rss_budget_bytes; /* 0: none (text: rss-budget-mb) */

    /* tail and metrics */
    char tail_csv[OPTIONS_PATH_BYTES]; /* "" : not written */
    uint32_t tail_k;
    uint64_t tail_interval_ns; /* 0: only on signal, at exit and on GET */
    bool admin_on;
    char admin[256]; /* "127.0.0.1:9109" */
    bool admin_allow_remote;

    /* hedging */
    uint64_t hedge_ns;         /* 0: off; OPTIONS_HEDGE_AUTO (text: hedge-ms, fractions allowed) */
    uint32_t hedge_budget_ppm; /* of requests that may be duplicated (text: percent) */

    /* fault injection: stalls of the shard's own thread */
    uint64_t fault_ns; /* text: fault-ms, fractions allowed */
    uint32_t fault_rate_ppm;
    enum options_fault_phase fault_phase;
    uint32_t fault_error_rate_ppm; /* slices whose lexing fails */
    uint64_t fault_seed;

    struct options_source sources[OPTIONS_MAX]; /* in the table's order */
};

/* Reads file, environment and flags; every value is checked, also one that another overrides.
 * Prints --help, --version, --print-config itself and exits 0; an unknown flag or a stray argument
 * exits OPTIONS_EXIT_USAGE from within argp.
 * 0, or the exit code after one line on stderr that names origin, option, value and allowed range.
 * An unknown environment variable that resembles one of ours is warned about, and ignored. */
int options_load(struct options *options, int argc, char **argv);

/* The effective settings as a configuration file, each with its origin as a comment. */
void options_print(const struct options *options, FILE *out);

#endif
