#include "engine/options.h"

#include "engine/options_table.h"
#include "proto/version.h"
#include "tests/unit/options_harness.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { TEXT_BYTES = 1 << 16 };

TestSuite(options, .init = clear_environment, .fini = free_said);

/* ---- the table ---- */

Test(options, table_is_sound)
{
    static const char *const own_env[] = {"cores", "L0_POOL_CORES", "admin", "L0_PROM_ADDR"};
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_spec *s = &options_table[i];
        char env[64] = "L0_";
        for (size_t j = 0; s->name[j] != '\0'; j++)
            env[3 + j] = s->name[j] == '-' ? '_' : (char)toupper((unsigned char)s->name[j]);
        bool own = false;
        for (size_t j = 0; j < 4; j += 2)
            own |= strcmp(s->name, own_env[j]) == 0 && strcmp(s->env, own_env[j + 1]) == 0;
        cr_expect(own || strcmp(s->env, env) == 0, "%s has variable %s", s->name, s->env);
        for (size_t j = 0; j < i; j++) {
            cr_expect_str_neq(s->name, options_table[j].name);
            cr_expect_str_neq(s->env, options_table[j].env);
            cr_expect_neq(s->offset, options_table[j].offset);
        }
        if (s->type == OPTION_U32)
            cr_expect_leq(s->max, UINT32_MAX / s->scale, "%s", s->name);
        if (s->type == OPTION_U64)
            cr_expect_leq(s->max, UINT64_MAX / s->scale, "%s", s->name);
        cr_expect_leq(s->min, s->max, "%s", s->name);
    }
}

Test(options, defaults)
{
    cpu_set_t allowed;
    cr_assert_eq(options_cores_allowed(&allowed), 0);
    cr_assert_eq(LOAD(), 0);
    cr_expect_str_empty(said);
    cr_expect_str_empty(got.config);
    cr_expect_str_eq(got.unix_path, "/tmp/l0_lex_svc.sock");
    cr_expect_eq(got.unix_mode, 0600);
    cr_expect_str_empty(got.tcp);
    cr_expect_eq(got.n_cores, (uint32_t)CPU_COUNT(&got.cores));
    cr_expect(CPU_COUNT(&allowed) > LIMIT_SHARDS_MAX || CPU_EQUAL(&allowed, &got.cores));
    cr_expect_str_eq(got.kernel, "auto");
    cr_expect_not(got.allow_scalar);
    cr_expect_eq(got.regime, LEXER_LUALATEX);
    cr_expect_eq(got.max_req_bytes, LIMIT_REQ_BYTES_DEFAULT);
    cr_expect_eq(got.max_conns, LIMIT_CONNS_DEFAULT);
    cr_expect_eq(got.max_inflight, LIMIT_INFLIGHT_DEFAULT);
    cr_expect_eq(got.arena_mib, LIMIT_ARENA_MIB_DEFAULT);
    cr_expect_eq(got.slice_bytes, 64 * 1024);
    cr_expect_eq(got.backpressure_ns, UINT64_C(30000000000));
    cr_expect_eq(got.drain_ns, UINT64_C(5000000000));
    cr_expect_eq(got.mlock, OPTIONS_MLOCK_TRY);
    cr_expect_eq(got.huge, OPTIONS_HUGE_THP);
    cr_expect_eq(got.rotate_bytes, 0);
    cr_expect_str_eq(got.tail_csv, "/tmp/l0_service_tail.csv");
    cr_expect_eq(got.tail_k, 128);
    cr_expect_not(got.admin_on);
    cr_expect_str_eq(got.admin, "127.0.0.1:9109");
    cr_expect_eq(got.fault_phase, OPTIONS_FAULT_PRE);
    for (size_t i = 0; i < options_table_count; i++)
        cr_expect_eq(got.sources[i].origin, OPTIONS_FROM_DEFAULT);
}

/* ---- where values come from ---- */

Test(options, flag_beats_environment_beats_file)
{
    struct scratch s;
    scratch_open(&s);
    static const char text[] = "# three options\n\n idle-ms=1\t\r\nframe-ms = 2\nreply-ms =3\n";
    const char *path = scratch_write(&s, "conf", text, strlen(text));
    setenv("L0_CONFIG", path, 1);
    setenv("L0_FRAME_MS", "20", 1);
    setenv("L0_REPLY_MS", "30", 1);
    cr_assert_eq(LOAD("--reply-ms=300"), 0, "%s", said);
    cr_expect_eq(got.idle_ns, UINT64_C(1000000));
    cr_expect_eq(got.frame_ns, UINT64_C(20000000));
    cr_expect_eq(got.reply_ns, UINT64_C(300000000));
    cr_expect_str_eq(got.config, path);
    size_t idle = options_table_find("idle-ms"), reply = options_table_find("reply-ms");
    cr_expect_eq(got.sources[idle].origin, OPTIONS_FROM_FILE);
    cr_expect_eq(got.sources[idle].line, 3);
    cr_expect_eq(got.sources[reply].origin, OPTIONS_FROM_FLAG);

    setenv("L0_CONFIG", "/nonexistent", 1);
    cr_expect_eq(LOAD("--config", path), 0, "the flag's file is read: %s", said);
    scratch_close(&s);
}

Test(options, a_bad_value_is_refused_even_where_another_wins)
{
    setenv("L0_TAIL_K", "0", 1);
    expect_refused(LOAD("--tail-k=5"), "L0_TAIL_K: \"0\"", "allowed: 1 to 65536 rows");
}

static const char *const bad_values[] = {"",   "abc", "-1",  "1e9", "0x10", "8 ",
                                         " 8", "+8",  "8,5", "8.",  ".5",   "99999999999999999999"};

Test(options, bad_values_of_every_type_from_everywhere)
{
    struct scratch s;
    scratch_open(&s);
    for (size_t i = 0; i < options_table_count; i++) {
        const struct option_spec *spec = &options_table[i];
        if (spec->type == OPTION_TEXT || spec->type == OPTION_KERNEL)
            continue;
        for (size_t v = 0; v < sizeof bad_values / sizeof *bad_values; v++) {
            const char *value = bad_values[v];
            char flag[128], line[128], where[400];
            if (value[0] == '\0' && spec->type == OPTION_ADDRESS && spec->min == 0)
                continue;
            snprintf(flag, sizeof flag, "--%s=%s", spec->name, value);
            snprintf(where, sizeof where, "l0-lexd: --%s: \"%s\" ", spec->name, value);
            expect_refused(LOAD(flag), where, "(allowed: ");

            setenv(spec->env, value, 1);
            snprintf(where, sizeof where, "l0-lexd: %s: \"%s\" ", spec->env, value);
            expect_refused(LOAD(), where, "(allowed: ");
            unsetenv(spec->env);

            if (strchr(value, ' ') != NULL) /* the file's values are trimmed */
                continue;
            snprintf(line, sizeof line, "#\n%s = %s\n", spec->name, value);
            int code = load_file_text(&s, line, strlen(line));
            snprintf(where, sizeof where, "%s:2: %s: \"%s\" ", s.path, spec->name, value);
            expect_refused(code, where, "(allowed: ");
        }
    }
    scratch_close(&s);
}

Test(options, ranges_are_inclusive)
{
    cr_expect_eq(LOAD("--fault-ms=60000", "--tail-k=65536", "--slice-kb=4",
                      "--fault-rate-ppm=1000000", "--fault-seed=18446744073709551615"),
                 0, "%s", said);
    cr_expect_eq(got.fault_ns, UINT64_C(60000000000));
    cr_expect_eq(got.fault_seed, UINT64_MAX);
    cr_expect_eq(got.slice_bytes, 4096);
    expect_refused(LOAD("--fault-ms=60000.000001"), "--fault-ms", "is out of range");
    expect_refused(LOAD("--fault-ms=60001"), "--fault-ms", "allowed: 0 to 60000 ms");
    expect_refused(LOAD("--slice-kb=3"), "--slice-kb", "allowed: 4 to 4096 KiB");
    expect_refused(LOAD("--max-req-bytes=1073741824"), "--max-req-bytes", "is out of range");
    expect_refused(LOAD("--fault-seed=18446744073709551616"), "--fault-seed", "is out of range");
    expect_refused(LOAD("--unix-mode=01000"), "--unix-mode", "allowed: octal 0000 to 0777");
}

Test(options, milliseconds_take_fractions)
{
    cr_assert_eq(LOAD("--fault-ms=0.5", "--frame-ms=1.000001"), 0, "%s", said);
    cr_expect_eq(got.fault_ns, 500000);
    cr_expect_eq(got.frame_ns, 1000001);
    expect_refused(LOAD("--fault-ms=0.1234567"), "--fault-ms", "six decimals");
    expect_refused(LOAD("--tail-k=1.5"), "--tail-k", "not a whole number");
}

Test(options, switches_need_no_value)
{
    cr_assert_eq(LOAD("--allow-scalar", "--prom=0"), 0, "%s", said);
    cr_expect(got.allow_scalar);
    cr_expect_not(got.admin_on);
    setenv("L0_PROM", "1", 1);
    cr_assert_eq(LOAD("--allow-scalar=0"), 0, "%s", said);
    cr_expect_not(got.allow_scalar);
    cr_expect(got.admin_on);
}

Test(options, words)
{
    cr_assert_eq(
        LOAD("--mlock=require", "--huge=hugetlb", "--regime=pdflatex", "--fault-phase=post"), 0);
    cr_expect_eq(got.mlock, OPTIONS_MLOCK_REQUIRE);
    cr_expect_eq(got.huge, OPTIONS_HUGE_TLB);
    cr_expect_eq(got.regime, LEXER_PDFLATEX);
    cr_expect_eq(got.fault_phase, OPTIONS_FAULT_POST);
    expect_refused(LOAD("--mlock=requir"), "--mlock: \"requir\"", "allowed: off|try|require");
    expect_refused(LOAD("--mlock=off|try"), "--mlock", "allowed: off|try|require");
}

Test(options, admin_flag_turns_it_on)
{
    cr_assert_eq(LOAD("--admin=[::1]:0"), 0, "%s", said);
    cr_expect(got.admin_on);
    cr_expect_str_eq(got.admin, "[::1]:0");
    cr_assert_eq(LOAD("--admin=127.0.0.1:1", "--prom=0"), 0, "%s", said);
    cr_expect_not(got.admin_on);
    setenv("L0_PROM_ADDR", "127.0.0.1:2", 1);
    cr_assert_eq(LOAD(), 0, "%s", said);
    cr_expect_not(got.admin_on, "a variable only says where");
}

Test(options, addresses)
{
    static const char *const good[] = {"127.0.0.1:0", "0.0.0.0:65535", "[::]:80", "[fe80::1]:9"};
    static const char *const bad[] = {
        "localhost:80", "127.0.0.1", ":80",          "::1:80",          "127.0.0.1:", "127.0.0.1:x",
        "[::1]",        "[::1:80",   "127.0.0.1:-1", "1.2.3.4:65536",   "[]:1",       "]:1",
        "1.2.3:4",      "*:80",      "[1.2.3.4]:1",  "127.0.0.1:000080"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_expect_eq(LOAD("--tcp", good[i]), 0, "%s", said);
        cr_expect_str_eq(got.tcp, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_refused(LOAD("--tcp", bad[i]), "--tcp", "[IPV6]:PORT");
}

Test(options, empty_turns_listeners_and_tail_off)
{
    setenv("L0_TAIL_CSV", "", 1);
    cr_assert_eq(LOAD("--unix=", "--tcp=127.0.0.1:0"), 0, "%s", said);
    cr_expect_str_empty(got.unix_path);
    cr_expect_str_empty(got.tail_csv);
    cr_assert_eq(LOAD("--tcp="), 0, "%s", said);
    expect_refused(LOAD("--unix="), "unix and tcp are both empty", "allowed: at least one");
}

Test(options, unix_path_fits_a_socket_address)
{
    char path[109];
    memset(path, 'x', sizeof path);
    path[108] = '\0';
    expect_refused(LOAD("--unix", path), "--unix: \"xxx", "is 108 bytes long (allowed: 0 to 107");
    path[107] = '\0';
    cr_assert_eq(LOAD("--unix", path), 0, "%s", said);
    cr_expect_str_eq(got.unix_path, path);
}

Test(options, messages_are_printable)
{
    expect_refused(LOAD("--tail-csv=a\x1b[31m\n\"\\\xff"), "\"a\\x1b[31m\\x0a\\\"\\\\\\xff\"",
                   "control character");
    expect_refused(LOAD("--tail-csv=a "), "--tail-csv", "begins or ends with a blank");
    char longest[5000];
    memset(longest, 'y', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    expect_refused(LOAD("--tail-csv", longest), "yyy...\"", "is 4999 bytes long");
    cr_expect_lt(strlen(said), 200);
}

/* ---- cores ---- */

Test(options, cores)
{
    cpu_set_t one;
    cr_assert_eq(LOAD(), 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &got.cores))
        first++;
    char text[32], allowed[64];
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    snprintf(text, sizeof text, "%zu", first);
    cr_assert_eq(LOAD("--cores", text), 0, "%s", said);
    cr_expect_eq(got.n_cores, 1);
    cr_expect(CPU_EQUAL(&got.cores, &one));
    cr_assert_eq(LOAD("--cores=all"), 0, "%s", said);
    cr_expect(CPU_EQUAL(&got.cores, &one));

    snprintf(allowed, sizeof allowed, "allowed: all, or at most 64 of %zu)", first);
    snprintf(text, sizeof text, "%zu", first + 1);
    expect_refused(LOAD("--cores", text), "--cores", allowed);
    snprintf(text, sizeof text, "%zu-%zu", first, first + 1);
    expect_refused(LOAD("--cores", text), "may not run on", allowed);
    snprintf(text, sizeof text, "%zu,%zu", first, first);
    expect_refused(LOAD("--cores", text), "twice", allowed);
    static const char *const bad[] = {",", "0,", "0-", "-", "2-1", "0;1", "0-1-2", "0 ", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_refused(LOAD("--cores", bad[i]), "not a list of cores", allowed);
    expect_refused(LOAD("--cores=1024"), "may not run on", allowed);
    expect_refused(LOAD("--cores=0-18446744073709551616"), "may not run on", allowed);
}

Test(options, cores_as_text)
{
    cpu_set_t set;
    char text[64];
    CPU_ZERO(&set);
    options_cores_format(&set, text, sizeof text);
    cr_expect_str_empty(text);
    CPU_SET(0, &set);
    CPU_SET(2, &set);
    CPU_SET(3, &set);
    CPU_SET(1023, &set);
    options_cores_format(&set, text, sizeof text);
    cr_expect_str_eq(text, "0,2-3,1023");
    options_cores_format(&set, text, 8);
    cr_expect_str_eq(text, "0...");
}

/* ---- relations ---- */

Test(options, arena_holds_two_requests)
{
    cr_assert_eq(LOAD("--max-req-bytes=1073741823"), 0, "%s", said);
    cr_expect_eq(got.arena_mib, 2049);
    cr_assert_eq(LOAD("--arena-mb=9"), 0, "%s", said);
    cr_expect_eq(got.arena_mib, 9);
    expect_refused(LOAD("--arena-mb=8"), "--arena-mb: \"8\"", "allowed: 9 to 4096 MiB");
    setenv("L0_ARENA_MB", "32", 1);
    expect_refused(LOAD("--max-req-bytes=20000000"), "L0_ARENA_MB: \"32\"",
                   "max-req-bytes 20000000");
}

/* ---- other variables, other arguments ---- */

Test(options, unknown_variables_are_ignored)
{
    setenv("L0_HEDGE_MSS", "x", 1);
    setenv("L0_POOL_CORE", "x", 1);
    setenv("L0_BIN", "x", 1);
    setenv("L0_SOMETHING_ELSE", "x", 1);
    cr_assert_eq(LOAD(), 0, "%s", said);
    cr_expect_not_null(strstr(said, "L0_HEDGE_MSS is ignored: did you mean L0_HEDGE_MS?"));
    cr_expect_not_null(strstr(said, "L0_POOL_CORE is ignored: did you mean L0_POOL_CORES?"));
    cr_expect_null(strstr(said, "L0_BIN"));
    cr_expect_null(strstr(said, "L0_SOMETHING_ELSE"));
}

Test(options, unknown_flag, .exit_code = 64)
{
    LOAD("--no-such-flag");
}

Test(options, stray_argument, .exit_code = 64)
{
    LOAD("stray");
}

Test(options, missing_value, .exit_code = 64)
{
    LOAD("--tcp");
}

/* Ends the child before the exit handlers of its parent's test framework and sanitizers, which
 * expect their own threads. */
static void leave(int status, void *context)
{
    (void)context;
    _exit(fflush(stdout) == 0 ? status : 1);
}

/* Runs in a child, because options_load exits itself. */
static void expect_printed(const char *flag, const char *what)
{
    int ends[2], status = 0;
    cr_assert_eq(pipe(ends), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        on_exit(leave, NULL);
        LOAD(flag);
        _exit(1);
    }
    close(ends[1]);
    static char text[TEXT_BYTES];
    FILE *out = fdopen(ends[0], "r");
    cr_assert_not_null(out);
    size_t n = fread(text, 1, sizeof text - 1, out);
    text[n] = '\0';
    fclose(out);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x", flag,
              (unsigned)status);
    cr_expect_not_null(strstr(text, what), "%s printed \"%s\"", flag, text);
}

Test(options, help_version_and_settings_are_printed)
{
    expect_printed("--help", "--fault-rate-ppm=N");
    expect_printed("--help", "L0_FAULT_RATE_PPM");
    expect_printed("--version", "l0-lexd " L0_VERSION "\n");
    expect_printed("--print-config", "\nmax-req-bytes = 4194304\n");
    expect_printed("--print-config", "# default\ntail-k = 128\n");
}
