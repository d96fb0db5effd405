#!/bin/bash
# The flows that people call (make ci, verify, soak, …), each run small against its own service in
# its own directory, socket and port.
#   test_flows.sh service|ci|verify|soak|bench|install|oracle
# Exit 77: what the flow needs is not installed.
set -eu -o pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

ORACLE_FILES_MAX=20
ORACLE_RANDOM_FILES=120
SMALL=edit_window_4kb.tex

work_dir=$(mktemp -d "${TMPDIR:-/tmp}/l0_flow.XXXXXX")
foreign_pid=
cleanup() {
    [ -z "$foreign_pid" ] || kill "$foreign_pid" 2>/dev/null || true
    scripts/service.sh stop >/dev/null 2>&1 || true
    rm -rf "$work_dir"
}
trap cleanup EXIT

# A port on which nothing listens now, from a random place on.
free_port() {
    local port=$((20000 + RANDOM % 10000))
    while grep -q "$(printf ':%04X .* 0A ' $port)" /proc/net/tcp; do
        port=$((port + 1))
    done
    echo $port
}

export BIN RUN_DIR=$work_dir/run L0_UNIX=$work_dir/l0.sock OUT=$work_dir/raw TAIL=$work_dir/tail.csv
L0_PROM_ADDR=127.0.0.1:$(free_port)
export L0_PROM_ADDR FILE=$SMALL

expect_status() { # EXPECTED WHAT COMMAND…
    local expected=$1 what=$2 status=0
    shift 2
    "$@" || status=$?
    [ "$status" -eq "$expected" ] || die "$what: exit code $status, expected $expected"
}

expect_stopped() {
    expect_status 3 'the service should be stopped' scripts/service.sh status
    [ ! -e "$L0_UNIX" ] || die "$L0_UNIX was left behind"
}

flow_service() {
    expect_status 3 'status without a service' scripts/service.sh status
    expect_status 0 'stop without a service' scripts/service.sh stop
    expect_status 0 start scripts/service.sh start
    expect_status 0 'status of a service' scripts/service.sh status
    expect_status 1 'a second start' scripts/service.sh start
    [ "$(http_status "$L0_PROM_ADDR" /healthz)" = 200 ] || die '/healthz does not answer 200'
    expect_status 0 stop scripts/service.sh stop
    expect_stopped
    [ -s "$TAIL" ] || die "$TAIL was not written at the end"

    # A pid file that names somebody else's process: left alone.
    sleep 60 &
    foreign_pid=$!
    echo $foreign_pid >"$RUN_DIR/l0-lexd.pid"
    expect_status 0 'stop with a stale pid file' scripts/service.sh stop
    kill -0 $foreign_pid || die 'a process that is not ours was ended'

    expect_status 78 'a bad option' env L0_MAX_CONNS=abc scripts/service.sh start
    expect_stopped
}

flow_ci() {
    # Everything passes but the number of samples.
    expect_status 3 'ci with 2000 requests' env NREQ=2000 scripts/ci.sh
    expect_stopped
    [ "$(wc -l <"$OUT")" -eq 2000 ] || die "$OUT does not hold 2000 values"
    expect_status 2 'ci without its document' env FILE=no-such.tex scripts/ci.sh
    expect_stopped
}

flow_verify() {
    NREQ_KEEPALIVE=5000 NREQ_ONESHOT=200 scripts/verify.sh
    expect_stopped
}

flow_soak() {
    SOAK_S=1 ROUND_REQS=500 scripts/soak.sh | tee "$work_dir/soak.log"
    grep -q '^round    3 ' "$work_dir/soak.log" || die 'no line for the third round'
    expect_stopped
}

flow_bench() {
    SMOKE=1 scripts/bench.sh
}

flow_install() {
    local compile
    DESTDIR=$work_dir/root PREFIX=/usr SYSCONFDIR=/etc scripts/install.sh
    cat >"$work_dir/user.c" <<'END'
#include "lexer/lexer.h"
#include "proto/client.h"

#include <stdio.h>

int main(void)
{
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    if (lexer_init(NULL) != 0 || lexer_run(&options, (const uint8_t *)"a b", 3, NULL, &counts) != 0)
        return 1;
    printf("%u tokens, %d\n", counts.n_tokens, l0_connect("", 0) < 0);
    return 0;
}
END
    mapfile -t compile < <(
        export PKG_CONFIG_SYSROOT_DIR=$work_dir/root PKG_CONFIG_PATH=$work_dir/root/usr/lib/pkgconfig
        pkg-config --cflags --libs lexer l0 | tr ' ' '\n' | grep .
    )
    gcc -o "$work_dir/user" "$work_dir/user.c" "${compile[@]}"
    # a, space, b, and the space of the line end that TeX supplies.
    [ "$("$work_dir/user")" = '4 tokens, 1' ] || die 'a program made with the installed library is wrong'
    "$work_dir/root/usr/bin/l0-lexd" --version
    grep -q '^ExecStart=/usr/bin/l0-lexd --config /etc/l0-lex/l0-lex.conf' \
        "$work_dir/root/usr/lib/systemd/system/l0-lex.service"
    echo '# changed' >>"$work_dir/root/etc/l0-lex/l0-lex.conf"
    DESTDIR=$work_dir/root PREFIX=/usr SYSCONFDIR=/etc scripts/install.sh
    grep -q '^# changed' "$work_dir/root/etc/l0-lex/l0-lex.conf" || die 'install overwrote a configuration'
}

# The lexer beside LuaTeX and pdfTeX themselves: our corpus, and a sample of the real files that are
# installed; the context layer beside LaTeX (where that is installed) and beside the static tokens.
flow_oracle() {
    command -v luatex >/dev/null || {
        echo 'luatex is not installed (package texlive-binaries)'
        exit 77
    }
    local files
    mapfile -t files < <(
        find build/corpus -name '*.tex' | sort
        find /usr/share/texlive /usr/share/texmf /usr/share/pari /usr/share/doc/pari-doc \
            \( -name '*.tex' -o -name '*.sty' -o -name '*.cls' -o -name '*.ltx' -o -name '*.dtx' \) \
            -type f 2>/dev/null | sort | awk -v max=$ORACLE_FILES_MAX '
            { file[NR] = $0 }
            END { for (i = 0; i < max && i < NR; i++) print file[int(i * NR / (NR < max ? NR : max)) + 1] }'
    )
    scripts/oracle_random.sh $ORACLE_RANDOM_FILES 1 "$work_dir/random"
    scripts/oracle.sh "${files[@]}" "$work_dir/random"
    scripts/oracle.sh --engine pdftex "${files[@]}" "$work_dir/random"
    scripts/oracle_layer.sh "${files[@]}"
    scripts/oracle_groups.sh || [ $? -eq 77 ]
}

make -s -j"$(nproc)" all corpus
"flow_${1:?usage: test_flows.sh NAME}"
