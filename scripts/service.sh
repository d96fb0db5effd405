#!/bin/bash
# Starts and stops the service in the background, by a pid file.
#   service.sh start|stop|status
# BIN (programs), RUN_DIR (pid file and log; default out), TAIL, HEDGE and every variable of l0-lexd
# are taken from the environment. start waits until it listens; stop until it has drained.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

PID_FILE=${PID_FILE:-$RUN_DIR/l0-lexd.pid}
LOG_FILE=${LOG_FILE:-$RUN_DIR/l0-lexd.log}
START_LIMIT_S=30
# What stop allows beyond the drain limit before it kills.
STOP_MARGIN_S=5

# A process is ours if it runs this program (or ran it before a new build replaced the file).
is_ours() {
    local exe
    exe=$(readlink "/proc/$1/exe" 2>/dev/null) || return 1
    [ "${exe% (deleted)}" = "$(realpath "$BIN")/l0-lexd" ]
}

# The pid of the running service; fails when there is none.
running_pid() {
    local pid
    [ -r "$PID_FILE" ] || return 1
    read -r pid <"$PID_FILE" || return 1
    case $pid in '' | *[!0-9]*) return 1 ;; esac
    is_ours "$pid" || return 1
    printf '%s\n' "$pid"
}

is_ready() {
    is_listening "$SOCKET" || return 1
    [ "$L0_PROM" != 1 ] || [ "$(http_status "$ADMIN" /readyz)" = 200 ]
}

service_environment() {
    export L0_UNIX=$SOCKET L0_TAIL_CSV=$TAIL L0_PROM=${L0_PROM:-1} L0_PROM_ADDR=$ADMIN
    export L0_POOL_CORES=${L0_POOL_CORES:-$(allowed_cores $SERVICE_CORES_MAX)}
    # On a processor without AVX2 only the portable kernel runs; the service then says so.
    export L0_ALLOW_SCALAR=${L0_ALLOW_SCALAR:-1}
    [ -z "${HEDGE:-}" ] || export L0_HEDGE_MS=$HEDGE
}

start() {
    local pid status=0 deadline
    [ -x "$BIN/l0-lexd" ] || die "$BIN/l0-lexd is not built: run make"
    mkdir -p "$RUN_DIR"
    exec 9>"$PID_FILE.lock"
    flock -w 10 9 || die "another start or stop is under way ($PID_FILE.lock is held)"
    if pid=$(running_pid); then
        die "already running: pid $pid; stop it with make service-stop"
    fi
    if is_listening "$SOCKET"; then
        die "something else listens on $SOCKET: stop it, or choose another path with L0_UNIX="
    fi
    service_environment

    setsid "$BIN/l0-lexd" </dev/null >"$LOG_FILE" 2>&1 9>&- &
    pid=$!
    printf '%s\n' "$pid" >"$PID_FILE"
    trap 'kill -TERM "$pid"; rm -f "$PID_FILE"; exit 130' INT TERM
    deadline=$((SECONDS + START_LIMIT_S))
    until is_ready; do
        if ! kill -0 "$pid" 2>/dev/null; then
            wait "$pid" || status=$?
            rm -f "$PID_FILE"
            cat "$LOG_FILE" >&2
            die "the service ended at start, exit code $status (its messages stand above)" "$status"
        fi
        if [ $SECONDS -ge $deadline ]; then
            kill -KILL "$pid"
            rm -f "$PID_FILE"
            cat "$LOG_FILE" >&2
            die "not ready after $START_LIMIT_S s: killed (its messages stand above)"
        fi
        sleep 0.05
    done
    say "running: pid $pid, cores $L0_POOL_CORES, socket $SOCKET, log $LOG_FILE"
}

# A process that has ended may stay as a zombie where nobody reaps it.
has_ended() {
    ! is_ours "$1" || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

stop() {
    local pid deadline limit_s
    mkdir -p "$RUN_DIR"
    exec 9>"$PID_FILE.lock"
    flock -w 60 9 || die "another start or stop is under way ($PID_FILE.lock is held)"
    if ! pid=$(running_pid); then
        rm -f "$PID_FILE"
        say 'not running'
        return 0
    fi
    limit_s=$((${L0_DRAIN_MS:-5000} / 1000 + STOP_MARGIN_S))
    kill -TERM "$pid"
    deadline=$((SECONDS + limit_s))
    until has_ended "$pid"; do
        if [ $SECONDS -ge $deadline ]; then
            kill -KILL "$pid"
            rm -f "$PID_FILE"
            die "pid $pid had not drained after $limit_s s: killed; see $LOG_FILE"
        fi
        sleep 0.02
    done
    rm -f "$PID_FILE"
    say "stopped: pid $pid"
}

case ${1:-} in
start) start ;;
stop) stop ;;
status)
    if pid=$(running_pid); then
        say "running: pid $pid"
    else
        die 'not running' 3
    fi
    ;;
*) die 'usage: service.sh start|stop|status' 64 ;;
esac
