#!/bin/bash
# Every tests/fuzz/fuzz_NAME.c for FUZZ_S seconds, side by side, beginning with the stored inputs of
# tests/corpus/NAME and the words of tests/fuzz/NAME.dict. What is found stays under build/fuzz/.
# First the canary: a bug that must be found, or the set-up is blind.
#   fuzz.sh [NAME…]
# Exit 77 where clang or its fuzzer runtime is not installed. One line a target: its executions.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

FUZZ_S=${FUZZ_S:-30}
PROGRAMS=build/fuzz-clang/tests
FOUND=build/fuzz

command -v clang >/dev/null || {
    echo 'clang is not installed'
    exit 77
}
env -u BIN -u MAKEFLAGS make -s -j"$(nproc)" MODE=fuzz CC=clang fuzzers
mkdir -p $FOUND
rm -f $FOUND/canary-*

if $PROGRAMS/control/fuzz_canary -max_total_time=30 -artifact_prefix=$FOUND/canary- \
    >$FOUND/canary.log 2>&1 || ! grep -q 'unsigned integer overflow' $FOUND/canary.log; then
    die "the canary's bug was not found: see $FOUND/canary.log"
fi

names=("$@")
if [ $# -eq 0 ]; then
    mapfile -t names < <(find tests/fuzz -name 'fuzz_*.c' -printf '%f\n' | sed 's/^fuzz_//; s/\.c$//' | sort)
fi
[ ${#names[@]} -gt 0 ] || die 'there is no fuzz target in tests/fuzz/'

declare -A pid_of
for name in "${names[@]}"; do
    arguments=(-max_total_time="$FUZZ_S" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256
        -print_final_stats=1 -artifact_prefix="$FOUND/$name-")
    [ ! -r "tests/fuzz/$name.dict" ] || arguments+=(-dict="tests/fuzz/$name.dict")
    # The first directory takes what is new; the stored inputs are only read.
    mkdir -p "$FOUND/$name"
    arguments+=("$FOUND/$name")
    [ ! -d "tests/corpus/$name" ] || arguments+=("tests/corpus/$name")
    "$PROGRAMS/fuzz/fuzz_$name" "${arguments[@]}" >"$FOUND/$name.log" 2>&1 &
    pid_of[$name]=$!
done
trap 'kill "${pid_of[@]}" 2>/dev/null || true' EXIT

status=0
for name in "${names[@]}"; do
    if wait "${pid_of[$name]}"; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$FOUND/$name.log")
        [ "${runs:-0}" -gt 0 ] || die "$name: nothing was executed: see $FOUND/$name.log"
        echo "$name: $runs executions"
    else
        status=1
        echo "$name: FAILED; the input lies in $FOUND/$name-*; the end of $FOUND/$name.log:"
        tail -n 40 "$FOUND/$name.log"
    fi
done
exit $status
