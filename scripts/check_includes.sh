#!/bin/sh
# Which layer may include what (one-way flow), and how includes are written:
#   - "layer/file.h" from the top of the tree, <...> for everything else; a file's own header first;
#   - lexer and proto know libc only, gate too; bench knows proto, gate, lexer; engine knows the
#     lexer's and the wire's public headers only; tests may include everything;
#   - each library has its few places: see allowed_library.
set -eu
cd "$(dirname "$0")/.."

# shellcheck disable=SC2016 # an awk program
find lexer proto gate bench engine tests -name '*.[ch]' | sort | xargs awk '
function bad(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    n_bad++
}
# May this file include this header of ours?
function allowed_project(layer, header) {
    if (layer == "tests" || index(header, layer "/") == 1)
        return 1
    if (header == "proto/version.h") # what every program prints, and nothing else
        return FILENAME ~ /main\.c$/ || layer == "engine"
    if (layer == "bench")
        return header ~ /^(proto|gate|lexer)\//
    if (layer == "engine")
        return header == "lexer/lexer.h" || header == "proto/wire.h"
    return 0
}
# Headers of libraries, each with the files that may include it.
function allowed_library(file, header) {
    if (file ~ /^tests\//)
        return 1
    if (header == "jansson.h")
        return file ~ /^(bench|gate)\// || file ~ /^lexer\/(lex_main|print[a-z_]*)\.[ch]$/
    if (header ~ /^curl\//)
        return file ~ /^bench\//
    if (header == "liburing.h" || header ~ /^liburing\//)
        return file ~ /^engine\/ring[a-z_]*\.[ch]$/
    if (header == "microhttpd.h")
        return file ~ /^engine\/admin[a-z_]*\.c$/
    if (header == "mimalloc.h")
        return file ~ /^engine\/heap\.[ch]$/
    if (header == "hwloc.h")
        return file == "engine/topology.c"
    if (header == "systemd/sd-daemon.h")
        return file ~ /^engine\/(main|notify)\.c$/
    return 0
}
# The C library, the compiler and the kernel interface.
function is_libc(header) {
    return header ~ /^(sys|linux|netinet|arpa|net|asm|bits)\// || (header in libc)
}
BEGIN {
    n = split("argp.h assert.h ctype.h dirent.h dlfcn.h endian.h err.h errno.h fcntl.h fenv.h float.h " \
              "getopt.h glob.h immintrin.h inttypes.h libgen.h limits.h locale.h malloc.h math.h " \
              "netdb.h poll.h pthread.h sched.h setjmp.h signal.h spawn.h stdalign.h stdarg.h " \
              "stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h " \
              "strings.h sysexits.h syslog.h termios.h threads.h time.h uchar.h unistd.h wchar.h " \
              "wctype.h cpuid.h arm_neon.h elf.h link.h", names, " ")
    for (i = 1; i <= n; i++)
        libc[names[i]] = 1
}
FNR == 1 {
    layer = FILENAME
    sub(/\/.*/, "", layer)
    own = FILENAME
    is_source = sub(/\.c$/, ".h", own)
    has_own = is_source && (getline unused < own) >= 0
    close(own)
    n_includes = 0
}
/^[ \t]*#[ \t]*include/ {
    n_includes++
    if (match($0, /"[^"]*"/)) {
        header = substr($0, RSTART + 1, RLENGTH - 2)
        if (header !~ /^(lexer|proto|gate|bench|engine|tests)\//)
            bad("include \"" header "\" is not written from the top of the tree")
        else if (!allowed_project(layer, header))
            bad(layer " may not include " header)
        if (n_includes == 1 && has_own && header != own)
            bad("the first include should be \"" own "\"")
    } else if (match($0, /<[^>]*>/)) {
        header = substr($0, RSTART + 1, RLENGTH - 2)
        if (!is_libc(header) && !allowed_library(FILENAME, header))
            bad(FILENAME " may not include <" header ">")
        if (n_includes == 1 && has_own)
            bad("the first include should be \"" own "\"")
    }
}
END { exit n_bad > 0 }'
