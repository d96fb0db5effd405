# Shared by the scripts of this directory: . scripts/lib.sh, after cd to the top of the tree.
# shellcheck shell=bash disable=SC2034

BIN=${BIN:-bin}
RUN_DIR=${RUN_DIR:-out}
SOCKET=${L0_UNIX:-/tmp/l0_lex_svc.sock}
ADMIN=${L0_PROM_ADDR:-127.0.0.1:9109}
FILE=${FILE:-perf_smoke_big.tex}
OUT=${OUT:-/tmp/latencies_ms.txt}
TAIL=${TAIL:-/tmp/l0_service_tail.csv}
THREADS=${THREADS:-4}
SERVICE_CORES_MAX=4

say() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

die() {
    say "$1"
    exit "${2:-1}"
}

# Headings in bold, on a terminal only.
heading() {
    if [ -t 1 ]; then
        printf '\033[1m== %s\033[0m\n' "$*"
    else
        printf '== %s\n' "$*"
    fi
}

# The first cores that this process may run on, at most $1 of them: "0,1,2,3".
allowed_cores() {
    awk -v max="$1" '
        $1 == "Cpus_allowed_list:" {
            n_ranges = split($2, ranges, ",")
            for (i = 1; i <= n_ranges; i++) {
                last = split(ranges[i], ends, "-")
                for (core = ends[1]; core <= ends[last] && n < max; core++)
                    list = list (n++ ? "," : "") core
            }
            print list
        }' /proc/self/status
}

# FILE as it stands, or the document of that name in the generated corpus.
resolve_document() {
    if [ -r "$FILE" ] && [ -f "$FILE" ]; then
        printf '%s\n' "$FILE"
    elif [ -r "build/corpus/$FILE" ]; then
        printf '%s\n' "build/corpus/$FILE"
    else
        die "FILE=$FILE: no such document, neither here nor in build/corpus/ (make corpus makes those)" 2
    fi
}

# Does anything listen on the Unix socket $1?
is_listening() {
    awk -v path="$1" '
        $4 == "00010000" && substr($0, length($0) - length(path) + 1) == path { found = 1 }
        END { exit !found }' /proc/net/unix
}

# The status of GET $2 at $1 = ADDR:PORT, such as 200; nothing when it does not answer.
http_status() (
    exec 2>/dev/null
    exec 3<>"/dev/tcp/${1%:*}/${1##*:}" || exit 1
    printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
    read -r -t 5 _ status _ <&3 || exit 1
    printf '%s\n' "$status"
)

# The body of GET $2 at $1.
http_get() (
    exec 3<>"/dev/tcp/${1%:*}/${1##*:}"
    printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
    sed '1,/^\r*$/d' <&3
)

# Resident bytes and open descriptors of process $1, as "RSS_KB FDS".
process_footprint() {
    local descriptors=("/proc/$1/fd"/*)
    printf '%s %s\n' "$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status")" "${#descriptors[@]}"
}

# Whatever happens, a service that this script started is stopped, and its directories are removed.
TEMP_DIRS=()
SERVICE_STARTED=
at_exit() {
    [ -z "$SERVICE_STARTED" ] || scripts/service.sh stop || true
    [ ${#TEMP_DIRS[@]} -eq 0 ] || rm -rf "${TEMP_DIRS[@]}"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_service() {
    scripts/service.sh start
    SERVICE_STARTED=1
}

stop_service() {
    SERVICE_STARTED=
    scripts/service.sh stop
}
