#!/bin/sh
# Installs the Debian packages that are missing: deps.sh SET [STAMP]. STAMP is touched when all of
# the set is there, so that make need not ask again.
#   deps.sh build    what compiling, the service and `make ci` need: without them it fails
#   deps.sh tools    what `make test` needs besides: a step whose tool is missing is skipped
#   deps.sh corpora  real LaTeX files for the tests and the comparison with LuaTeX: only on demand
set -eu

BUILD='gcc make pkg-config libc6-dev liburing-dev libmimalloc-dev libcriterion-dev
       libmicrohttpd-dev libsystemd-dev libhwloc-dev libjansson-dev libcurl4-openssl-dev'
TOOLS='clang clang-format clang-tidy libclang-rt-14-dev shellcheck texlive-binaries systemd spin gnuplot-nox
       gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user'
CORPORA='texlive-latex-base texlive-latex-recommended pari-doc'

say() {
    printf 'deps: %s\n' "$*" >&2
}

# Prints those of the arguments that dpkg does not list as installed.
missing_packages() {
    for package in "$@"; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
        [ "$status" = installed ] || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    elif command -v sudo >/dev/null && [ -t 0 ] && [ -t 2 ]; then
        sudo "$@"
    else
        return 1
    fi
}

install_packages() {
    set -- env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
    as_root "$@" >&2 || {
        as_root apt-get update -q >&2 && as_root "$@" >&2
    }
}

# Without apt-get: is everything there all the same? Says what is not.
check_libraries() {
    lost=
    while read -r header library; do
        printf '#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <%s>\nint main(void) { return 0; }\n' "$header" |
            "${CC:-gcc}" -x c - -o /dev/null -l"$library" 2>/dev/null || lost="$lost $header(-l$library)"
    done <<-END
	liburing.h uring
	mimalloc.h mimalloc
	criterion/criterion.h criterion
	microhttpd.h microhttpd
	systemd/sd-daemon.h systemd
	hwloc.h hwloc
	jansson.h jansson
	curl/curl.h curl
	END
    [ -z "$lost" ] && return 0
    say "this is not a Debian system (no apt-get), and these were not found:$lost"
    say 'install a C11 compiler and the development files of liburing 2.3, mimalloc 2, Criterion 2.4,'
    say 'libmicrohttpd 0.9.7, libsystemd, hwloc 2.9, jansson 2.14 and libcurl 7.88, then run make again'
    return 1
}

all_there() {
    [ -z "$stamp" ] || {
        mkdir -p "$(dirname "$stamp")"
        touch "$stamp"
    }
    exit 0
}

set_name=${1:-build}
stamp=${2:-}
case $set_name in
build) packages=$BUILD ;;
tools) packages=$TOOLS ;;
corpora) packages=$CORPORA ;;
*)
    say "unknown set \"$set_name\" (build, tools or corpora)"
    exit 64
    ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    [ "$set_name" != build ] || check_libraries
    all_there
fi

# shellcheck disable=SC2086 # a list of words
missing=$(missing_packages $packages)
[ -n "$missing" ] || all_there

say "installing: $missing"
# shellcheck disable=SC2086
if install_packages $missing; then
    all_there
fi

say 'the packages above could not be installed from here. As root, run:'
say "    apt-get update && apt-get install --no-install-recommends $missing"
if [ "$set_name" = tools ]; then
    say 'going on without them: the steps that need them are skipped and counted'
    exit 0
fi
exit 1
