#!/bin/bash
# make bench: the service beside a blocking server with the same lexer, and beside a server that
# only receives; the service with 1000 idle connections beside itself without them; the lexer alone.
# Everything in one run on one machine, the servers in turn. Text on standard output, figures in
# out/bench.json.
#   ROUNDS=5        rounds of each comparison
#   CLIENT_CORES=0,1  where the load's threads run (default: all processors, in turn)
#   NREQ=800        requests a round for the 1.1 MB document; the 4 KB one gets 30 times as
#                   many (P99.9 over all rounds has a 95 % interval from 3688 requests on)
#   THREADS=4       connections
#   SMOKE=1         all of it as small as it gets, so that the tests keep it from rotting
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

ROUNDS=${ROUNDS:-5}
NREQ=${NREQ:-800}
SMALL_FACTOR=30
IDLE=1000
MICRO="--seconds 2"
CORPUS=build/corpus
RESULT=$RUN_DIR/bench.json
if [ -n "${SMOKE:-}" ]; then
    ROUNDS=2 NREQ=4 SMALL_FACTOR=5 IDLE=20 MICRO="--samples 2"
fi

WORK=$(mktemp -d "${TMPDIR:-/tmp}/l0-bench.XXXXXX")
TEMP_DIRS+=("$WORK")
PIDS=()
stop_servers() {
    local pid
    for pid in "${PIDS[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in "${PIDS[@]}"; do
        wait "$pid" || true
    done
    PIDS=()
}
trap 'stop_servers; at_exit' EXIT

# start NAME COMMAND…: a server that will listen at $WORK/NAME.
start() {
    local name=$1
    shift
    "$@" --unix "$WORK/$name" >"$WORK/$name.log" 2>&1 &
    PIDS+=($!)
    for _ in $(seq 100); do
        is_listening "$WORK/$name" && return
        kill -0 "${PIDS[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    cat "$WORK/$name.log" >&2
    die "$1 did not start"
}

# side NAME FILE REQUESTS CONNECTIONS CONTENDER…
side() {
    local name=$1 contenders=()
    local load=("$2" "$3" "$4")
    shift 4
    for contender; do
        contenders+=(--contender "$contender")
    done
    "$BIN/l0-bench" side "${load[@]}" --cores "$CLIENT_CORES" --rounds "$ROUNDS" --out "$WORK/$name.json" "${contenders[@]}"
    echo
}

# The load's threads are pinned, evenly, so that where the scheduler puts them is not measured.
CLIENT_CORES=${CLIENT_CORES:-$(allowed_cores 64)}
ulimit -n "$(ulimit -Hn)"
mkdir -p "$RUN_DIR"
start engine env L0_ALLOW_SCALAR=1 "$BIN/l0-lexd" --tail-csv ''
start blocking "$BIN/l0-bench-blocking"
start sink "$BIN/l0-bench-sink"
engine=engine=unix:$WORK/engine
others=("blocking=unix:$WORK/blocking" "sink=unix:$WORK/sink,expect=0:0")
small=$((NREQ * SMALL_FACTOR))

heading "$(uname -sr), $(nproc) processors, $(date -u +%FT%TZ)"
side large $CORPUS/perf_smoke_big.tex "$NREQ" "$THREADS" "$engine" "${others[@]}"
side small $CORPUS/edit_window_4kb.tex $small "$THREADS" "$engine" "${others[@]}"
heading "one busy connection, with $IDLE idle ones beside it and without"
side idle $CORPUS/edit_window_4kb.tex $small 1 "with=unix:$WORK/engine,idle=$IDLE" \
    "without=unix:$WORK/engine"
heading 'the lexer alone'
# shellcheck disable=SC2086 # options, to be split
"$BIN/l0-bench" micro $MICRO --out "$WORK/micro.json" $CORPUS/*.tex

for server in "${PIDS[@]}"; do
    kill -0 "$server" 2>/dev/null || die 'a server did not survive the run'
done
{
    printf '{"kernel": "%s", "processors": %d' "$(uname -sr)" "$(nproc)"
    for part in large small idle micro; do
        printf ',\n"%s": ' $part
        cat "$WORK/$part.json"
    done
    printf '}\n'
} >"$WORK/bench.json"
mv "$WORK/bench.json" "$RESULT"
echo "figures: $RESULT"
