#!/bin/bash
# make fault-proof: the same load on the service without faults, with stalled shards and no hedging,
# and with stalled shards and hedging; side by side, with a verdict.
#   HEDGE=2            delay in ms
#   FAULT_MS=15 FAULT_PPM=1500 FAULT_PHASE=pre   stalls: how long, of how many in a million requests
#   FAULT=hog          stalls by a real-time process instead, that takes the first shard's processor
#                      for FAULT_MS of every ten times that (needs the right to SCHED_FIFO)
#   FILE=edit_window_4kb.tex   the document
#   RATE=1000 CONNS=4  requests a second (open loop), connections
#   DURATION=8 ROUNDS=3        seconds a run; runs of each, in turn
#   TCP=1              over TCP instead of a Unix socket
#   SCHED='chrt -f 1'  put before service and load, where the machine's own noise drowns the figures
# Runs, report.html and proof.svg (with gnuplot) stay in out/fault-proof/.
# Exit code: 0 bounded; 4 not; 3 cannot tell (the machine stalls too much by itself, or too few
# requests); 1 when something failed.
set -euo pipefail
cd "$(dirname "$0")/.."
FILE=${FILE:-edit_window_4kb.tex}
. scripts/lib.sh

: "${HEDGE:=2}" "${FAULT:=sleep}" "${FAULT_MS:=15}" "${FAULT_PPM:=1500}" "${FAULT_PHASE:=pre}"
: "${RATE:=1000}" "${CONNS:=4}" "${DURATION:=8}" "${ROUNDS:=3}" "${TCP:=}" "${SCHED:=}"
RESULT=$RUN_DIR/fault-proof
KINDS=(quiet stalled hedged)
# Every quantile of the table, as the bench's JSON names it.
QUANTILES=(P50 P99 P99.9)

case $FAULT in
sleep) STALLS="stalls of $FAULT_MS ms in $FAULT_PPM ppm" ;;
hog)
    STALLS="a real-time hog, $FAULT_MS ms of every $((10 * FAULT_MS))"
    chrt -f 50 true 2>/dev/null || die 'FAULT=hog needs the right to run real-time processes (root, or ulimit -r 50)'
    ;;
*) die "FAULT=$FAULT is neither sleep nor hog" ;;
esac
document=$(resolve_document)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/l0-proof.XXXXXX")
TEMP_DIRS+=("$WORK")
rm -rf "$RESULT"
mkdir -p "$RESULT"

SERVER='' HOG=''
stop_server() {
    [ -z "$HOG" ] || kill "$HOG" 2>/dev/null || true
    HOG=
    [ -n "$SERVER" ] || return 0
    kill -TERM "$SERVER" 2>/dev/null || true
    wait "$SERVER" || true
    SERVER=
}
trap 'stop_server; at_exit' EXIT

shard_cpu() { # INDEX: the processor it is pinned to
    local task
    task=$(grep -l "^l0-shard-$1\$" /proc/"$SERVER"/task/*/comm) || die 'FAULT=hog needs two shards'
    sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' "${task%comm}status"
}

start_hog() {
    local cpu
    cpu=$(shard_cpu 0)
    # shellcheck disable=SC2016 # expanded by the hog
    chrt -f 50 taskset -c "$cpu" bash -c 'while kill -0 "$2" 2>/dev/null; do
            end=$((${EPOCHREALTIME/./} + 1000 * $1))
            while ((${EPOCHREALTIME/./} < end)); do :; done
            sleep "$(($1 * 9 / 1000)).$(printf %03d $(($1 * 9 % 1000)))"
        done' _ "$FAULT_MS" "$SERVER" &
    HOG=$!
}

# start_server KIND: sets TARGET and ADMIN_AT.
start_server() {
    local options=(--unix "$WORK/s" --tail-csv "$RESULT/$1.tail.csv" --admin 127.0.0.1:0)
    local faults=()
    [ "$FAULT" = hog ] ||
        faults=(--fault-ms "$FAULT_MS" --fault-rate-ppm "$FAULT_PPM" --fault-phase "$FAULT_PHASE")
    [ -z "$TCP" ] || options+=(--tcp 127.0.0.1:0)
    case $1 in
    quiet) options+=(--hedge-ms "$HEDGE") ;;
    stalled) options+=("${faults[@]}" --hedge-ms 0) ;;
    hedged) options+=("${faults[@]}" --hedge-ms "$HEDGE") ;;
    esac
    # shellcheck disable=SC2086 # SCHED is a list of words
    L0_ALLOW_SCALAR=1 $SCHED "$BIN/l0-lexd" "${options[@]}" 2>"$WORK/log" &
    SERVER=$!
    for _ in $(seq 100); do
        grep -q ': ready:' "$WORK/log" && break
        kill -0 "$SERVER" 2>/dev/null || break
        sleep 0.1
    done
    grep -q ': ready:' "$WORK/log" || {
        cat "$WORK/log" >&2
        die 'the service did not start'
    }
    ADMIN_AT=127.0.0.1:$(sed -n 's/.*admin on port \([0-9]*\).*/\1/p' "$WORK/log")
    TARGET=unix:$WORK/s
    [ -z "$TCP" ] || TARGET=tcp:$(sed -n 's/.*listening on tcp:\(.*\)/\1/p' "$WORK/log")
    [ "$FAULT" != hog ] || [ "$1" = quiet ] || start_hog
}

metric() { # NAME: its sum over the shards
    http_get "$ADMIN_AT" /metrics | awk -v name="$1" 'index($1, name) == 1 { sum += $2 } END { print sum + 0 }'
}

run() { # KIND ROUND
    local dir=$RESULT/$1-$2 status=0 cores=()
    start_server "$1"
    [ "$FAULT" != hog ] || cores=(--cores "$(shard_cpu 1)") # the load itself is not to be stalled
    # shellcheck disable=SC2086
    $SCHED "$BIN/l0-bench" open --quiet --rate "$RATE" --duration "$DURATION" --conns "$CONNS" "${cores[@]}" \
        --admin "$ADMIN_AT" --target "$TARGET" --out "$dir" "$document" >"$dir.log" 2>&1 || status=$?
    # 3: a machine that stalls makes the client late, too; the table shows it.
    [ $status -eq 0 ] || [ $status -eq 3 ] || {
        cat "$dir.log" >&2
        die "the bench failed (exit code $status)"
    }
    {
        metric l0_fault_stalled_seconds_total
        metric l0_fault_both_stalled_seconds_total
        metric l0_hedge_claimed_first_total
    } | paste -sd ' ' >"$dir.stalls"
    stop_server
}

for round in $(seq "$ROUNDS"); do
    for kind in "${KINDS[@]}"; do
        [ ! -t 2 ] || printf '\rfault-proof: round %s of %s, %-8s' "$round" "$ROUNDS" "$kind" >&2
        run "$kind" "$round"
    done
done
[ ! -t 2 ] || printf '\r%60s\r' '' >&2

# ---- the table ---------------------------------------------------------------------------------

# All round trips of a kind in ms, sorted. (From when a request was sent: how late the client itself
# was says nothing about the service. run.json has both.)
sorted_ms() { # KIND
    awk -F, 'FNR == 1 {
            for (i = 1; i <= NF; i++)
                column[$i] = i
            next
        }
        { printf "%.6f\n", ($column["done_ns"] - $column["sent_ns"]) / 1e6 }' "$RESULT/$1"-*/rows.csv | sort -g
}

json_sum() { # KEY FILE...: sum of a number over the runs' summaries
    local key=$1
    shift
    awk -F'[:,]' -v key="\"$key\"" '$1 ~ key && !seen[FILENAME]++ { sum += $2 } END { print sum + 0 }' "$@"
}

for kind in "${KINDS[@]}"; do
    sorted_ms "$kind" >"$WORK/$kind.ms"
    [ -s "$WORK/$kind.ms" ] || die "no rows of $kind"
done

quantile() { # KIND NAME: nearest rank
    awk -v q="${2#P}" -v n="$(wc -l <"$WORK/$1.ms")" '
        BEGIN { rank = int(q * n / 100); if (rank < q * n / 100) rank++ }
        NR == rank { printf "%.3f", $1; exit }' "$WORK/$1.ms"
}

heading "$document, $RATE requests/s over $CONNS connections, $ROUNDS x $DURATION s each; $STALLS; delay $HEDGE ms"
printf '%-32s' 'round trip, ms'
printf '%10s' "${QUANTILES[@]}" max
printf '%10s%8s%9s%9s%14s\n' hedged wins claimed stalled 'both stalled'
for kind in "${KINDS[@]}"; do
    case $kind in
    quiet) name='no faults, hedging on' ;;
    stalled) name='faults, hedging off' ;;
    hedged) name='faults, hedging on' ;;
    esac
    printf '%-32s' "$name"
    for q in "${QUANTILES[@]}"; do
        printf '%10s' "$(quantile "$kind" "$q")"
    done
    requests=$(json_sum requests "$RESULT/$kind"-*/run.json)
    fired=$(json_sum hedges_fired "$RESULT/$kind"-*/run.json)
    awk -v max="$(tail -n 1 "$WORK/$kind.ms")" -v n="$requests" -v fired="$fired" \
        -v wins="$(json_sum hedge_wins "$RESULT/$kind"-*/run.json)" -v seconds=$((DURATION * ROUNDS)) '
        { stalled += $1; both += $2; claimed += $3 }
        END {
            printf "%10.3f%9.3f%%%8d%9d%8.2f%%%13.2f%%\n", max, n ? 100 * fired / n : 0, wins, claimed,
                100 * stalled / seconds, 100 * both / seconds
        }' "$RESULT/$kind"-*.stalls
done
[ "$FAULT" = hog ] ||
    printf 'stalled: of the time, shards summed up; both: a shard and its sibling at once, which no hedging can help\n'

# ---- the verdict -------------------------------------------------------------------------------

if command -v gnuplot >/dev/null; then
    for kind in "${KINDS[@]}"; do
        # Steps of 1 %, which is less than a line is wide.
        awk -v n="$(wc -l <"$WORK/$kind.ms")" '
            n / (n - NR + 1) >= 1.01 * last || NR == n { last = n / (n - NR + 1); print last, $1 }' \
            "$WORK/$kind.ms" >"$WORK/$kind.curve"
    done
    gnuplot <<-END
	set terminal svg size 900,520 background rgb 'white'
	set output '$RESULT/proof.svg'
	set logscale xy
	set grid
	set key left top
	set xlabel 'one in so many requests takes longer (1000: P99.9)'
	set ylabel 'round trip in ms'
	set title '${STALLS^}, delay $HEDGE ms'
	plot '$WORK/quiet.curve' with steps lw 2 title 'no faults', \
	     '$WORK/stalled.curve' with steps lw 2 title 'faults, hedging off', \
	     '$WORK/hedged.curve' with steps lw 2 title 'faults, hedging on'
	END
    echo "plot: $RESULT/proof.svg"
fi
runs=() bases=()
for round in $(seq "$ROUNDS"); do
    runs+=("$RESULT/hedged-$round")
    bases+=(--base "$RESULT/stalled-$round")
done
"$BIN/l0-gate" report --title 'stalls, hedged (base: not hedged)' --html "$RESULT/report.html" \
    "${bases[@]}" "${runs[@]}" >/dev/null && echo "report: $RESULT/report.html"

status=0
awk -v quiet="$(quantile quiet P99.9)" -v stalled="$(quantile stalled P99.9)" -v hedged="$(quantile hedged P99.9)" \
    -v n="$(wc -l <"$WORK/hedged.ms")" -v delay="$HEDGE" -v fault="$FAULT_MS" '
    BEGIN {
        bound = delay + 1 + quiet
        if (n < 3700 || quiet > fault / 3 || stalled < fault * 0.9) {
            printf "verdict: cannot tell: "
            if (n < 3700)
                printf "%d requests are too few for P99.9\n", n
            else if (quiet > fault / 3)
                printf "without faults P99.9 is %s ms already: this machine stalls by itself (SCHED=\"chrt -f 1\" may help)\n", quiet
            else
                printf "the stalls do not show at P99.9 without hedging (%s ms): more FAULT_PPM\n", stalled
            exit 3
        }
        held = hedged <= bound
        printf "verdict: %s: P99.9 %s ms, %s the delay + 1 ms + P99.9 without faults (%.3f ms); %s ms without hedging\n",
            held ? "bounded" : "NOT bounded", hedged, held ? "within" : "above", bound, stalled
        exit held ? 0 : 4
    }' || status=$?
exit $status
