#include "engine/options_table.h"

#include <string.h>
#include <sys/un.h>

/* A path in a socket address, its final NUL not counted. */
#define UNIX_PATH_BYTES_MAX (sizeof((struct sockaddr_un *)NULL)->sun_path - 1)
#define FIELD_BYTES(f)      (sizeof((struct options *)NULL)->f)

/* One macro a type; first name, environment and field, then what the type needs, last the help. */
#define ROW(n, e, t, f, a, h)                                                                      \
    .name = n, .env = e, .type = t, .offset = offsetof(struct options, f), .arg = a, .help = h
#define NUMBER(n, e, t, f, lo, hi, def, k, u, h)                                                   \
    {                                                                                              \
        ROW(n, e, t, f, "N", h), .min = lo, .max = hi, .fallback = def, .scale = k, .unit = u      \
    }
#define U32(n, e, f, lo, hi, def, k, u, h) NUMBER(n, e, OPTION_U32, f, lo, hi, def, k, u, h)
#define U64(n, e, f, lo, hi, def, k, u, h) NUMBER(n, e, OPTION_U64, f, lo, hi, def, k, u, h)
#define MS(n, e, f, lo, hi, def, h)        NUMBER(n, e, OPTION_MS, f, lo, hi, def, 1, "ms", h)
#define MODE(n, e, f, def, h)                                                                      \
    {                                                                                              \
        ROW(n, e, OPTION_MODE, f, "MODE", h), .max = 0777, .fallback = def                         \
    }
#define SWITCH(n, e, f, h)                                                                         \
    {                                                                                              \
        ROW(n, e, OPTION_BOOL, f, "0|1", h), .max = 1                                              \
    }
#define CHOICE(n, e, f, words, def, h)                                                             \
    {                                                                                              \
        ROW(n, e, OPTION_CHOICE, f, "WORD", h), .text = words, .fallback = def                     \
    }
#define STRING(n, e, t, f, a, lo, hi, def, h)                                                      \
    {                                                                                              \
        ROW(n, e, t, f, a, h), .min = lo, .max = hi, .text = def                                   \
    }

/* The order is that of --print-config and of conf/l0-lex.conf. */
const struct option_spec options_table[] = {
    STRING("config", "L0_CONFIG", OPTION_TEXT, config, "FILE", 1, OPTIONS_PATH_BYTES - 1, "",
           "read settings from FILE, one 'key = value' a line"),

    STRING("unix", "L0_UNIX", OPTION_TEXT, unix_path, "PATH", 0, UNIX_PATH_BYTES_MAX,
           "/tmp/l0_lex_svc.sock", "listen on this Unix socket; empty: do not"),
    MODE("unix-mode", "L0_UNIX_MODE", unix_mode, 0600, "permission bits of the Unix socket"),
    STRING("tcp", "L0_TCP", OPTION_ADDRESS, tcp, "ADDR:PORT", 0, FIELD_BYTES(tcp) - 1, "",
           "listen on this TCP address; empty: do not"),

    {ROW("cores", "L0_POOL_CORES", OPTION_CORES, cores, "LIST",
         "one shard is pinned to each of these cores"),
     .text = "all"},
    STRING("kernel", "L0_KERNEL", OPTION_KERNEL, kernel, "NAME", 1, FIELD_BYTES(kernel) - 1, "auto",
           "lexer kernel; auto takes the best one for this processor"),
    SWITCH("allow-scalar", "L0_ALLOW_SCALAR", allow_scalar,
           "start even when the kernel does not use SIMD instructions"),
    CHOICE("regime", "L0_REGIME", regime, "lualatex|pdflatex", LEXER_LUALATEX,
           "category codes: Unicode characters or bytes"),
    U32("spin-us", "L0_SPIN_US", spin_us, 0, LIMIT_SPIN_US_MAX, 0, 1, "us",
        "poll for this long before sleeping; only for isolated cores"),

    U32("max-req-bytes", "L0_MAX_REQ_BYTES", max_req_bytes, 1, LIMIT_REQ_BYTES_MAX,
        LIMIT_REQ_BYTES_DEFAULT, 1, "bytes", "longest document accepted"),
    U32("max-conns", "L0_MAX_CONNS", max_conns, 1, LIMIT_CONNS_MAX, LIMIT_CONNS_DEFAULT, 1,
        "connections", "open connections, all shards together"),
    U32("max-inflight", "L0_MAX_INFLIGHT", max_inflight, 1, LIMIT_INFLIGHT_MAX,
        LIMIT_INFLIGHT_DEFAULT, 1, "requests", "requests in hand on one shard"),
    U32("arena-mb", "L0_ARENA_MB", arena_mib, 1, LIMIT_ARENA_MIB_MAX, LIMIT_ARENA_MIB_DEFAULT, 1,
        "MiB", "each of a shard's two arenas; unless given it grows to hold two requests"),
    U32("slice-kb", "L0_SLICE_KB", slice_bytes, LIMIT_SLICE_KIB_MIN, LIMIT_SLICE_KIB_MAX,
        LIMIT_SLICE_KIB_DEFAULT, LIMIT_KIB, "KiB",
        "most that one connection receives and lexes in one turn"),

    MS("backpressure-ms", "L0_BACKPRESSURE_MS", backpressure_ns, 1, LIMIT_MS_MAX,
       LIMIT_BACKPRESSURE_MS,
       "a request that waited longer for memory or its turn is answered busy"),
    MS("frame-ms", "L0_FRAME_MS", frame_ns, 1, LIMIT_MS_MAX, LIMIT_FRAME_MS,
       "a frame must be complete this long after its first byte"),
    MS("idle-ms", "L0_IDLE_MS", idle_ns, 0, LIMIT_MS_MAX, LIMIT_IDLE_MS,
       "a connection without requests is closed after this long; 0: never"),
    MS("reply-ms", "L0_REPLY_MS", reply_ns, 1, LIMIT_MS_MAX, LIMIT_REPLY_MS,
       "a client must have taken its reply after this long"),
    MS("drain-ms", "L0_DRAIN_MS", drain_ns, 0, LIMIT_MS_MAX, LIMIT_DRAIN_MS,
       "at SIGTERM, requests in hand are answered for at most this long"),

    CHOICE("mlock", "L0_MLOCK", mlock, "off|try|require", OPTIONS_MLOCK_TRY,
           "lock the arenas in memory"),
    CHOICE("huge", "L0_HUGE", huge, "off|thp|hugetlb", OPTIONS_HUGE_THP,
           "pages of the arenas: small, transparent huge, or reserved huge ones"),
    U64("rotate-mb", "L0_ROTATE_MB", rotate_bytes, 0, LIMIT_ROTATE_MIB_MAX, 0, LIMIT_MIB, "MiB",
        "rotate arenas after lexing this much; 0: never"),
    U64("rotate-requests", "L0_ROTATE_REQUESTS", rotate_requests, 0, LIMIT_ROTATE_REQUESTS_MAX, 0,
        1, "requests", "rotate arenas after this many requests; 0: never"),
    U64("rss-budget-mb", "L0_RSS_BUDGET_MB", rss_budget_bytes, 0, LIMIT_RSS_BUDGET_MIB_MAX, 0,
        LIMIT_MIB, "MiB", "rotate arenas when the process holds more than this; 0: no budget"),

    STRING("tail-csv", "L0_TAIL_CSV", OPTION_TEXT, tail_csv, "PATH", 0, OPTIONS_PATH_BYTES - 1,
           "/tmp/l0_service_tail.csv", "write the slowest requests here; empty: do not"),
    U32("tail-k", "L0_TAIL_K", tail_k, 1, LIMIT_TAIL_K_MAX, LIMIT_TAIL_K_DEFAULT, 1, "rows",
        "how many of the slowest requests are kept"),
    MS("tail-interval-ms", "L0_TAIL_INTERVAL_MS", tail_interval_ns, 0, LIMIT_MS_MAX, 0,
       "write the tail file this often; 0: only on SIGUSR1, at exit and on GET /tail.csv"),
    SWITCH("prom", "L0_PROM", admin_on, "serve metrics and health over HTTP at the admin address"),
    STRING("admin", "L0_PROM_ADDR", OPTION_ADDRESS, admin, "ADDR:PORT", 1, FIELD_BYTES(admin) - 1,
           "127.0.0.1:9109", "address of the admin server; as a flag it also turns it on"),
    SWITCH("admin-allow-remote", "L0_ADMIN_ALLOW_REMOTE", admin_allow_remote,
           "let the admin address be other than loopback"),

    {ROW("hedge-ms", "L0_HEDGE_MS", OPTION_DELAY, hedge_ns, "N",
         "a sibling shard lexes a request too, this long after its first byte, if its own shard "
         "stands still then"),
     .max = LIMIT_HEDGE_MS_MAX, .fallback = LIMIT_HEDGE_MS_DEFAULT, .unit = "ms"},
    {ROW("hedge-budget", "L0_HEDGE_BUDGET", OPTION_PERCENT, hedge_budget_ppm, "N",
         "at most this share of the requests is lexed twice"),
     .max = 100, .fallback = LIMIT_HEDGE_BUDGET_PERCENT, .unit = "%"},

    MS("fault-ms", "L0_FAULT_MS", fault_ns, 0, LIMIT_FAULT_MS_MAX, 0,
       "for tests: stall a shard's thread for this long; 0: never"),
    U32("fault-rate-ppm", "L0_FAULT_RATE_PPM", fault_rate_ppm, 0, 1000000, 0, 1, "ppm",
        "for tests: how many of a million requests are stalled"),
    CHOICE("fault-phase", "L0_FAULT_PHASE", fault_phase, "pre|post", OPTIONS_FAULT_PRE,
           "for tests: stall before or after lexing"),
    U32("fault-error-rate-ppm", "L0_FAULT_ERROR_RATE_PPM", fault_error_rate_ppm, 0, 1000000, 0, 1,
        "ppm", "for tests: how many of a million slices fail to be lexed"),
    U64("fault-seed", "L0_FAULT_SEED", fault_seed, 0, UINT64_MAX, 1, 1, "",
        "for tests: seed of the stalls"),
};

const size_t options_table_count = sizeof options_table / sizeof *options_table;

static_assert(sizeof options_table / sizeof *options_table <= OPTIONS_MAX, "room for the sources");
static_assert(sizeof(enum lexer_regime) == sizeof(unsigned) &&
                  sizeof(enum options_mlock) == sizeof(unsigned) &&
                  sizeof(enum options_huge) == sizeof(unsigned) &&
                  sizeof(enum options_fault_phase) == sizeof(unsigned),
              "OPTION_CHOICE stores an unsigned");

size_t options_table_at(size_t offset)
{
    size_t i = 0;
    while (i < options_table_count && options_table[i].offset != offset)
        i++;
    assert(i < options_table_count);
    return i;
}

size_t options_table_find(const char *name)
{
    size_t i = 0;
    while (i < options_table_count && strcmp(options_table[i].name, name) != 0)
        i++;
    /* A file cannot name the file. */
    return i == options_table_at(offsetof(struct options, config)) ? options_table_count : i;
}
