#!/bin/bash
# make soak: SOAK_S seconds of load in rounds of ROUND_REQS requests, each with its percentiles and
# the service's memory and descriptors; at the end the percentiles over all of them.
# Fails when a request fails, when memory or descriptors grow after the second round, or when the
# service does not drain.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

SOAK_S=${SOAK_S:-3600}
ROUND_REQS=${ROUND_REQS:-10000}
RSS_GROWTH_MAX_KB=8192

document=$(resolve_document)
mkdir -p "$RUN_DIR"
work_dir=$(mktemp -d "$RUN_DIR/soak.XXXXXX")
TEMP_DIRS+=("$work_dir")
all_values=$RUN_DIR/soak_latencies_ms.txt
: >"$all_values"

start_service
read -r pid <"$RUN_DIR/l0-lexd.pid"

heading "soak: $document, $SOAK_S s, $THREADS connections, rounds of $ROUND_REQS"
round=0 rss_base=0 fds_base=0 rss=0 fds=0
while [ "$SECONDS" -lt "$SOAK_S" ] || [ $round -lt 3 ]; do
    round=$((round + 1))
    "$BIN/l0-bench" keepalive "$document" "$ROUND_REQS" "$THREADS" --out "$work_dir/round" \
        --target "unix:$SOCKET" --admin "$ADMIN" >"$work_dir/report" 2>&1 || {
        cat "$work_dir/report" >&2
        die "round $round failed"
    }
    cat "$work_dir/round" >>"$all_values"
    read -r rss fds <<<"$(process_footprint "$pid")"
    [ -n "$rss" ] || die "the service (pid $pid) is gone: see $RUN_DIR/l0-lexd.log"
    # The first two rounds warm everything up.
    if [ $round -eq 2 ]; then
        rss_base=$rss fds_base=$fds
    fi
    sort -n "$work_dir/round" | awk -v round=$round -v elapsed="$SECONDS" -v rss="$rss" -v fds="$fds" '
        # Nearest rank, counted in integers: the smallest whole rank >= q N.
        function rank(ppm) { return int((ppm * NR + 999999) / 1000000) }
        { value[NR] = $1 }
        END {
            printf "round %4d  %6d s  P50 %s  P99 %s  P99.9 %s  max %s ms  RSS %d KiB  %d fds\n",
                round, elapsed, value[rank(500000)], value[rank(990000)], value[rank(999000)],
                value[NR], rss, fds
        }'
done
stop_service

heading "all $round rounds"
"$BIN/l0-gate" verify "$all_values"
status=0
if [ $((rss - rss_base)) -gt $RSS_GROWTH_MAX_KB ]; then
    say "resident memory grew from $rss_base to $rss KiB (at most $RSS_GROWTH_MAX_KB more is allowed)"
    status=1
fi
if [ "$fds" -gt "$fds_base" ]; then
    say "open descriptors grew from $fds_base to $fds"
    status=1
fi
exit $status
