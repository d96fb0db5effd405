#!/bin/bash
# make verify: in a few minutes what make ci and make bench do at length. Self-tests of the lexer and
# of the gate on known answers, micro-benchmark, keep-alive and one-shot round trips, the tail.
# Variables: FILE OUT TAIL THREADS HEDGE, NREQ_KEEPALIVE (10000), NREQ_ONESHOT (4000).
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

NREQ_KEEPALIVE=${NREQ_KEEPALIVE:-10000}
NREQ_ONESHOT=${NREQ_ONESHOT:-4000}
TAIL_ROWS_SHOWN=10

document=$(resolve_document)
work_dir=$(mktemp -d)
TEMP_DIRS+=("$work_dir")

expect() { # WHAT EXPECTED FOUND
    [ "$2" = "$3" ] || die "self-test \"$1\" failed: expected
$2
found
$3"
    printf 'ok  %s\n' "$1"
}

heading 'self-tests'
# a, space, b; the comment takes its line end; blanks at a line's start give nothing; d, space.
expect 'l0-lex --static --tokens' \
    $'11\tU+0061\t1\n10\tU+0020\t1\n11\tU+0062\t1\n11\tU+0064\t2\n10\tU+0020\t2' \
    "$(printf 'a  b%% c\n   d\n' | "$BIN/l0-lex" --static --tokens -)"
expect 'l0-lex sees an error' 1 "$(
    printf 'a}\n' | "$BIN/l0-lex" --static - >"$work_dir/errors"
    echo $?
)"
# 1 .. 1000 in no order: the nearest rank of P99.9 is the 999th.
seq 1 1000 | awk '{ print $1 * 617 % 1001 }' >"$work_dir/known"
expect 'l0-gate verify' 'P99.9        999.000000 ms, rank 999' \
    "$("$BIN/l0-gate" verify "$work_dir/known" | grep '^P99.9 ' | cut -d , -f 1,2)"

heading "lexer alone: $document"
"$BIN/l0-bench" micro "$document"

rm -f "$OUT" "$OUT.json" "$TAIL"
start_service
heading "keep-alive: $NREQ_KEEPALIVE requests, $THREADS connections"
"$BIN/l0-bench" keepalive "$document" "$NREQ_KEEPALIVE" "$THREADS" --out "$OUT" \
    --target "unix:$SOCKET" --admin "$ADMIN"
stop_service
heading "the slowest $TAIL_ROWS_SHOWN of $TAIL"
head -n $((TAIL_ROWS_SHOWN + 1)) "$TAIL" | tr , '\t'
heading 'gate'
"$BIN/l0-gate" check --raw "$OUT" --tail "$TAIL" --run "$OUT.json" --n-min "$NREQ_KEEPALIVE" \
    --counters-optional

# A service of its own, so that each tail belongs to one run.
start_service
heading "one-shot: $NREQ_ONESHOT requests, each with its own connection"
"$BIN/l0-bench" oneshot "$document" "$NREQ_ONESHOT" "$THREADS" --out "$OUT.oneshot" \
    --target "unix:$SOCKET" --admin "$ADMIN"
stop_service
heading 'verify: all of it passed'
