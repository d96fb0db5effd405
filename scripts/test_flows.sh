#!/bin/bash
# The flows that people call (make ci, verify, soak, …), each run small against its own service in
# its own directory, socket and port.
#   test_flows.sh service|ci|verify|soak|bench|latency|report|install|oracle
# Exit 77: what the flow needs is not installed.
set -eu -o pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

ORACLE_FILES_MAX=20
ORACLE_RANDOM_FILES=120
ORACLE_GROUPS_EVERY=5
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

# Whatever the verdict on this machine, now: the three runs are made, and stand side by side.
flow_fault() {
    local status=0 dir=$RUN_DIR/fault-proof
    mkdir -p "$RUN_DIR"
    RATE=300 DURATION=1 ROUNDS=1 FAULT_PPM=20000 scripts/fault_proof.sh >"$RUN_DIR/proof.txt" || status=$?
    cat "$RUN_DIR/proof.txt"
    case $status in 0 | 3 | 4) ;; *) die "fault-proof ended with $status" ;; esac
    [ "$(grep -c '^no faults, \|^faults, ' "$RUN_DIR/proof.txt")" -eq 3 ] || die 'three lines are missing'
    grep -q '^verdict: ' "$RUN_DIR/proof.txt" || die 'there is no verdict'
    for kind in quiet stalled hedged; do
        [ -s "$dir/$kind-1/rows.csv" ] || die "$kind has left no rows"
        [ -s "$dir/$kind-1/tail.csv" ] || die "$kind has left no account of its hedges"
        [ -s "$dir/$kind.tail.csv" ] || die "$kind has left no tail"
    done
    [ -s "$dir/report.html" ] || die 'there is no report'
    ! command -v gnuplot >/dev/null || [ -s "$dir/proof.svg" ] || die 'there is no plot'
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

# The step of the CI recipe as it stands there, in a folder as the runner would lay it out: this tree
# twice, so nothing may be called worse, and the report is kept.
flow_latency() {
    local tree step
    step=$(sed -n 's/^ *run: //p' conf/latency-gate.yml)
    [ "$step" = 'candidate/scripts/latency_gate.sh base candidate report' ] || die "another step: $step"
    for tree in base candidate; do
        mkdir "$work_dir/$tree"
        tar -c --exclude=./build --exclude=./bin --exclude=./out --exclude=./.git . | tar -x -C "$work_dir/$tree"
    done
    (
        cd "$work_dir"
        unset BIN OUT
        # On a machine that is not idle: no limit on the client's lag, and a rule that it may break.
        echo 'errors==0' >candidate/conf/latency.rules
        export GITHUB_STEP_SUMMARY=$work_dir/summary.md ADMIN=$L0_PROM_ADDR
        RATE=500 DURATION=250ms WARMUP=50ms PAIRS=6 OPEN_OPTIONS='--max-lag-ms 10000' bash -c "$step"
    ) | tee "$work_dir/latency.log" || true
    grep -q '^== judge' "$work_dir/latency.log" || die 'the gate did not come to judge'
    grep -q 'l0-gate compare: \(no difference\|cannot tell\|better\|worse\)' "$work_dir/summary.md" ||
        die 'no verdict in the summary'
    grep -q 'l0-gate check: PASS' "$work_dir/summary.md" || die 'the rules did not pass'
    for kept in index.html compare.xml rules.xml runs/a/006/run.json runs/b/006/rows.csv; do
        [ -s "$work_dir/report/$kept" ] || die "report/$kept is missing"
    done
    expect_status 64 'latency_gate.sh without arguments' scripts/latency_gate.sh
}

# A page of a real run, with a probe added, in a real browser: everything that should be seen has a
# place and a size within the page, and nothing was asked of a network.
flow_report() {
    local browser
    browser=$(command -v chromium-headless-shell || command -v chromium) || {
        echo 'no chromium is installed (package chromium-headless-shell or chromium)'
        exit 77
    }
    scripts/service.sh start
    "$BIN/l0-bench" open build/corpus/$SMALL --rate 500 --duration 2 --warmup 100ms --max-lag-ms 60000 \
        --target "unix:$L0_UNIX" --admin "$L0_PROM_ADDR" --out "$work_dir/new"
    scripts/service.sh stop
    cp -r "$work_dir/new" "$work_dir/base"
    # What hedging and faults will look like.
    sed -i '100,120s/,P,ok$/,H,ok/; 300s/,[0-9]*,[0-9]*,\([0-9]*\),P,ok$/,,,\1,-,timeout/' "$work_dir/new/rows.csv"
    sed -i 's/^  "errors": 0,/  "errors": 1,/' "$work_dir/new/run.json"
    local start_ns
    start_ns=$(sed -n 's/.*"start_ns": \([0-9]*\).*/\1/p' "$work_dir/new/run.json")
    printf 't_ns,label\n%d,fault\n' $((start_ns + 1000000000)) >"$work_dir/marks.csv"
    printf 'begin_ns,end_ns,stalled_ns\n400000000,500000000,15000000\n' >"$work_dir/new/faults.csv"
    "$BIN/l0-gate" report "$work_dir/new" --base "$work_dir/base" --marks "$work_dir/marks.csv" \
        --html "$work_dir/page.html"
    cp "$work_dir/page.html" "$work_dir/probed.html"
    cat >>"$work_dir/probed.html" <<'END'
<script>
const seen = [];
for (const what of ['#quantiles', '#counts', '#legend', '.line.run', '.line.base', '.band.run',
                    '.column.run', '.column.base', '.hedge', '.lost', '.fault', '.injected', '.stall', 'svg text']) {
    const all = [...document.querySelectorAll(what)];
    const shown = all.filter(e => { const r = e.getBoundingClientRect();
        return r.width + r.height > 0 && r.left >= 0 && r.right <= innerWidth + 1; });
    const style = all.length ? getComputedStyle(all[0]) : {};
    const painted = what[0] == '#' || style.fill != 'none' || style.stroke != 'none';
    seen.push(what + (all.length && shown.length == all.length && painted ? ' seen' : ' NOT SEEN'));
}
const overlap = [...document.querySelectorAll('svg')].some((svg, i, all) => i > 0 &&
    svg.getBoundingClientRect().top < all[i - 1].getBoundingClientRect().bottom);
seen.push('charts overlap ' + overlap, 'loaded ' + performance.getEntriesByType('resource').length);
document.body.innerHTML = seen.join('\n');
</script>
END
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work_dir/profile" \
        --window-size=1100,2400 --dump-dom "file://$work_dir/probed.html" 2>/dev/null >"$work_dir/seen"
    cat "$work_dir/seen"
    [ "$(grep -c ' seen$\|^<.*> *#quantiles seen$' "$work_dir/seen")" -ge 14 ] || die 'not everything is seen'
    ! grep -q 'NOT SEEN' "$work_dir/seen" || die 'something is not seen'
    grep -q 'charts overlap false' "$work_dir/seen" || die 'the charts overlap'
    grep -q 'loaded 0' "$work_dir/seen" || die 'the page loads something'
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
        scripts/corpora.sh | awk -v max=$ORACLE_FILES_MAX '
            { file[NR] = $0 }
            END { for (i = 0; i < max && i < NR; i++) print file[int(i * NR / (NR < max ? NR : max)) + 1] }'
    )
    scripts/oracle_random.sh $ORACLE_RANDOM_FILES 1 "$work_dir/random"
    scripts/oracle.sh "${files[@]}" "$work_dir/random"
    scripts/oracle.sh --engine pdftex "${files[@]}" "$work_dir/random"
    scripts/oracle_codes.sh 4 1 "$work_dir/random"
    scripts/oracle_layer.sh "${files[@]}"
    scripts/oracle_groups.sh pdflatex $ORACLE_GROUPS_EVERY || [ $? -eq 77 ]
    scripts/oracle_errors.sh || [ $? -eq 77 ]
}

make -s -j"$(nproc)" all corpus
"flow_${1:?usage: test_flows.sh NAME}"
