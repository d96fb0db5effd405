#!/bin/bash
# make test: every check and every test, one line a step; details only where something failed.
#   test.sh [PATTERN]     only the steps whose name contains PATTERN, such as check, unit or asan
# Logs stay under build/test/. The last line is "N passed, M failed, K skipped"; exit 1 if M > 0.
# Each Criterion test counts as one, and so does each step that is not a Criterion run.
set -u
cd "$(dirname "$0")/.." || exit 1
# What make hands down is for the run that it started, not for the builds and services of the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MODE CC V BIN CFLAGS LDFLAGS
unset FILE OUT TAIL THREADS NREQ HEDGE SOAK_S DESTDIR PREFIX SYSCONFDIR
while read -r variable; do
    unset "$variable"
done < <(compgen -v L0_)

WORK=build/test
PATTERN=${1:-}
PROGRAM_LIMIT_S=240
# What is run against a daemon with the thread sanitizer: where threads meet, not what limits do.
TSAN_SYSTEM_TESTS='test_connections test_framing test_start_stop'
JOBS=$(nproc)
passed=0 failed=0 skipped=0

mkdir -p $WORK
exec 8>$WORK/.lock
flock -n 8 || {
    echo 'test: another make test runs in this tree' >&2
    exit 1
}

# ---- running one step --------------------------------------------------------------------------

# step NAME COMMAND…: the command's last line may be "@counts PASSED FAILED SKIPPED"; otherwise it
# counts as one test, by its exit status (77: skipped).
step() {
    local name=$1 log=$WORK/$1.log status=0 p=0 f=0 s=0 counts began
    shift
    [[ $name == *"$PATTERN"* ]] || return 0
    began=${EPOCHREALTIME/./}
    "$@" >"$log" 2>&1 </dev/null 8>&- || status=$?
    counts=$(tail -n 1 "$log")
    if [[ $counts =~ ^@counts\ ([0-9]+)\ ([0-9]+)\ ([0-9]+)$ ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
        [ $status -eq 0 ] || [ "$f" -gt 0 ] || f=1
    elif [ $status -eq 0 ]; then
        p=1
    elif [ $status -eq 77 ]; then
        s=1
    else
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    report "$name" $((${EPOCHREALTIME/./} - began)) "$p" "$f" "$s" "$log"
}

report() { # NAME ELAPSED_US PASSED FAILED SKIPPED LOG
    local mark='ok  ' tenths=$(($2 / 100000)) text="$3 passed"
    [ "$4" -eq 0 ] || mark=FAIL text="$text, $4 failed"
    [ "$5" -eq 0 ] || text="$text, $5 skipped"
    [ "$3$4" != 00 ] || mark=skip
    if [ -t 1 ]; then
        case $mark in
        FAIL) mark=$'\033[31mFAIL\033[0m' ;;
        skip) mark=$'\033[33mskip\033[0m' ;;
        esac
    fi
    printf '%s  %-16s %4d.%d s  %s\n' "$mark" "$1" $((tenths / 10)) $((tenths % 10)) "$text"
    [ "$5" -eq 0 ] || grep -v '^@' "$6" | tail -n 3 | sed 's/^/        /'
    [ "$4" -eq 0 ] || {
        echo "      --- the end of $6"
        tail -n 80 "$6" | sed 's/^/      /'
    }
}

build() {
    nice make -s -j"$JOBS" "$@"
}

# ---- Criterion ---------------------------------------------------------------------------------

# One test program: its counts into DIR/NAME.counts, its output into DIR/NAME.log. A sanitizer's log
# file is a failure, because Criterion calls a leaking test passed; so is a program without a test.
criterion_program() { # PROGRAM DIR JOBS
    local program=$1 dir=$2 name status=0 p=0 f=0 s=0
    name=$(basename "$program")
    local sanitizer_log=$PWD/$dir/$name.sanitizer group
    ASAN_OPTIONS=log_path=$sanitizer_log:detect_stack_use_after_return=1 \
        UBSAN_OPTIONS=log_path=$sanitizer_log:print_stacktrace=1 \
        TSAN_OPTIONS=log_path=$sanitizer_log \
        timeout -k 10 "$PROGRAM_LIMIT_S" "$program" --jobs "$3" --json="$dir/$name.json" \
        >"$dir/$name.log" 2>&1 &
    group=$!
    wait $group || status=$?
    # timeout leads a process group of its own: what a test has forked and left behind is in it.
    if kill -KILL -- -$group 2>/dev/null; then
        echo "$name left processes behind" >>"$dir/$name.log"
        [ $status -ne 0 ] || status=1
    fi
    if [ -s "$dir/$name.json" ]; then
        read -r p f s < <(awk -F '[:,]' '
            /"(passed|failed|skipped)"/ && !seen[$1]++ { value[++n] = $2 }
            END { print value[1] + 0, value[2] + 0, value[3] + 0 }' "$dir/$name.json")
    fi
    [ $status -eq 0 ] || [ "$f" -gt 0 ] || {
        echo "$name ended with exit code $status" >>"$dir/$name.log"
        f=1
    }
    [ $((p + f + s)) -gt 0 ] || {
        echo "$name ran no test" >>"$dir/$name.log"
        f=1
    }
    # A child that a threaded test forked makes the leak checker say that it is not sure: no finding.
    if cat "$sanitizer_log".* 2>/dev/null |
        grep -v 'was not suspended. False leaks are possible' >>"$dir/$name.log"; then
        # Criterion itself leaks the text of a failed assertion: that is no second failure.
        [ "$f" -gt 0 ] || f=1
    fi
    echo "$p $f $s" >"$dir/$name.counts"
    [ "$f" -eq 0 ] || {
        echo "--- $name: $f failed"
        tail -n 60 "$dir/$name.log"
    }
}
export -f criterion_program
export PROGRAM_LIMIT_S

# criterion LABEL unit|system PROGRAMS_MODE BIN_MODE AT_A_TIME [NAME…]: the test programs of that kind,
# or those named. They find the programs under test by L0_BIN, and how those were built by
# L0_BIN_MODE (some limits cannot be tested under a sanitizer).
criterion() {
    local dir=$WORK/$1 programs=build/$3/tests/$2 bin=bin at_a_time=$5 mode=$4 name
    [ "$mode" = release ] || bin=build/$mode/bin
    [ $# -gt 5 ] || mapfile -t < <(basename -s .c tests/"$2"/test_*.c)
    [ $# -le 5 ] || MAPFILE=("${@:6}")
    rm -rf "$dir"
    mkdir -p "$dir"
    for name in "${MAPFILE[@]}"; do
        printf '%s\0' "$programs/$name"
    done | L0_BIN=$PWD/$bin L0_BIN_MODE=$mode xargs -0 -P "$at_a_time" -I '{}' bash -c 'criterion_program "$@"' _ '{}' "$dir" "$JOBS"
    cat "$dir"/*.counts | awk '{ p += $1; f += $2; s += $3 } END { print "@counts", p + 0, f + 0, s + 0 }'
}

tests_release() { # unit|system AT_A_TIME
    build all "$1-tests" && criterion "$1-release" "$1" release release "$2"
}

tests_asan() { # unit|system AT_A_TIME
    build MODE=asan all "$1-tests" && criterion "$1-asan" "$1" asan asan "$2"
}

# Criterion itself cannot be a TSan program: the release tests drive a TSan daemon.
# shellcheck disable=SC2086 # a list of words
tests_tsan() {
    build all system-tests && build MODE=tsan all &&
        criterion system-tsan system release tsan 1 $TSAN_SYSTEM_TESTS
}

# Threaded programs of their own: exit code 0, and nothing to say for the sanitizer.
stress() { # release|tsan
    local mode=$1 dir=$WORK/stress-$1 n=0 n_failed=0 source name log
    build MODE="$mode" tsan-tests || return 1
    rm -rf "$dir"
    mkdir -p "$dir"
    for source in tests/tsan/*.c; do
        name=$(basename "$source" .c)
        log=$dir/$name.sanitizer
        n=$((n + 1))
        if ! TSAN_OPTIONS=log_path=$log timeout -k 10 "$PROGRAM_LIMIT_S" \
            "build/$mode/tests/tsan/$name" || cat "$log".* 2>/dev/null; then
            echo "--- $name failed"
            n_failed=$((n_failed + 1))
        fi
    done
    echo "@counts $((n - n_failed)) $n_failed 0"
}

# ---- the sanitizers must bite ------------------------------------------------------------------

control_leak() {
    build MODE=asan build/asan/tests/control/leak || return 1
    rm -rf $WORK/control && mkdir -p $WORK/control
    criterion_program build/asan/tests/control/leak $WORK/control 1
    grep -q LeakSanitizer $WORK/control/leak.log && [ "$(cat $WORK/control/leak.counts)" = '1 1 0' ]
}

control_race() {
    build MODE=tsan build/tsan/tests/control/race || return 1
    rm -f $WORK/race.sanitizer*
    ! TSAN_OPTIONS=log_path=$WORK/race.sanitizer build/tsan/tests/control/race &&
        grep -q 'data race' $WORK/race.sanitizer*
}

# ---- checks ------------------------------------------------------------------------------------

has() {
    command -v "$1" >/dev/null || {
        echo "$1 is not installed"
        return 77
    }
}

check_format() {
    has clang-format || return
    find lexer proto gate bench engine tests -name '*.[ch]' -not -path '*/data/*' -print0 |
        xargs -0 clang-format --dry-run -Werror
}

check_shell() {
    has shellcheck || return
    shellcheck -x .ci/run scripts/*.sh
}

check_symbols() {
    build all && scripts/check_symbols.sh build/release
}

check_unit_file() {
    build all && scripts/check_unit.sh bin/l0-lexd
}

build_clang() {
    has clang || return
    build CC=clang all unit-tests system-tests
}

fuzz() {
    local status=0
    scripts/fuzz.sh || status=$?
    [ $status -ne 77 ] || return 77
    [ $status -eq 0 ] && echo "@counts $(find tests/fuzz -name 'fuzz_*.c' | wc -l) 0 0"
}

step build-release build all unit-tests system-tests
step check-format check_format
step check-headers scripts/check_headers.sh
step check-includes scripts/check_includes.sh
step check-symbols check_symbols
step check-tidy scripts/tidy.sh
step check-shell check_shell
step check-lint nice scripts/lint.sh
step check-unit-file check_unit_file
step build-asan build MODE=asan all unit-tests system-tests
step build-tsan build MODE=tsan all tsan-tests
step build-debug build MODE=debug all
step build-clang build_clang
step control-leak control_leak
step control-race control_race
step unit-release tests_release unit "$JOBS"
step unit-asan tests_asan unit "$JOBS"
step stress-release stress release
step stress-tsan stress tsan
step system-release tests_release system 1
step system-asan tests_asan system 1
step system-tsan tests_tsan
step model env QUICK=1 nice scripts/model.sh
step kernels-native scripts/kernels.sh native --every 64 --seconds 5
step kernels-aarch64 scripts/kernels.sh aarch64 --every 64 --seconds 10
step fuzz fuzz
step oracle scripts/test_flows.sh oracle
for flow in service ci verify fault soak bench latency report install; do
    step flow-$flow scripts/test_flows.sh $flow
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
