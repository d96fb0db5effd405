#!/bin/bash
# A latency gate for CI (conf/latency-gate.yml): builds two trees, measures their services in turn
# (A B B A ...) with the candidate's load generator, judges the candidate by conf/latency.rules and
# by the comparison, and keeps a report.
#   latency_gate.sh BASE_TREE CANDIDATE_TREE REPORT_DIR
#   RATE=2000 DURATION=5 WARMUP=1 PAIRS=48    the load of each run; 48 pairs find a shift of 10 %
#   P999_EFFECT=30%                           the smallest change of P99.9 that matters (else 5 %)
#   FILE=edit_window_4kb.tex                  the document
#   ADMIN=127.0.0.1:9109                      where the services' counters are read
#   OPEN_OPTIONS=                             more options of l0-bench open, such as '--cores 2,3'
#   STRICT=                                   1: what cannot be told fails, too
# Exit code: 0 pass, also when a difference cannot be told, unless STRICT; else that of l0-gate
# (3 cannot tell or bad data, 4 worse or a rule broken, 5 no valid runs), or of l0-bench, or of make.
set -eu -o pipefail

if [ $# -ne 3 ]; then
    echo 'usage: latency_gate.sh BASE_TREE CANDIDATE_TREE REPORT_DIR' >&2
    exit 64
fi
base=$(realpath "$1")
candidate=$(realpath "$2")
mkdir -p "$3"
report=$(realpath "$3")
: "${RATE:=2000}" "${DURATION:=5}" "${WARMUP:=1}" "${PAIRS:=48}" "${P999_EFFECT:=30%}" "${FILE:=edit_window_4kb.tex}"
: "${ADMIN:=127.0.0.1:9109}" "${OPEN_OPTIONS:=}" "${STRICT:=}"
summary=${GITHUB_STEP_SUMMARY:-$report/summary.md}

echo "== build: $base and $candidate"
make -s -C "$base" -j"$(nproc)" bin/l0-lexd
make -s -C "$candidate" -j"$(nproc)" bin/l0-lexd bin/l0-bench bin/l0-gate corpus
bench=$candidate/bin/l0-bench
gate=$candidate/bin/l0-gate
document=$FILE
[ -r "$document" ] || document=$candidate/build/corpus/$FILE

# The command of one side's server; what it lacks of a SIMD kernel is lacked by both.
serve() {
    printf "L0_PROM=1 L0_PROM_ADDR=%q L0_ALLOW_SCALAR=1 exec %q --tail-csv ''" "$ADMIN" "$1/bin/l0-lexd"
}

echo "== measure: $PAIRS pairs of $DURATION s at $RATE requests/s"
rm -rf "$report/runs"
# shellcheck disable=SC2086 # options, to be split
"$bench" ab --a "$(serve "$base")" --b "$(serve "$candidate")" --pairs "$PAIRS" --rate "$RATE" \
    --duration "$DURATION" --warmup "$WARMUP" --admin "$ADMIN" --out "$report/runs" $OPEN_OPTIONS "$document"

status=0
judge() { # NAME COMMAND...: keeps the verdict in files, and the worst exit code
    local name=$1 code=0
    shift
    "$@" --markdown "$report/$name.md" --junit "$report/$name.xml" --annotations || code=$?
    [ ! -r "$report/$name.md" ] || [ "$summary" = "$report/$name.md" ] || cat "$report/$name.md" >>"$summary"
    [ "$code" -ne 3 ] || [ -n "$STRICT" ] || code=0
    [ "$code" -le "$status" ] || status=$code
}

echo '== judge'
judge compare "$gate" compare --drop-invalid --min-effect "p99.9=$P999_EFFECT" "$report/runs/a" "$report/runs/b"
judge rules "$gate" check --rules "$candidate/conf/latency.rules" "$report/runs/b"
base_runs=()
for run in "$report"/runs/a/*; do
    base_runs+=(--base "$run")
done
"$gate" report "$report/runs/b" "${base_runs[@]}" --title 'candidate against base' --html "$report/index.html"
echo "report: $report/index.html"
exit "$status"
