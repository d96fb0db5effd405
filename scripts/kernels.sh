#!/bin/bash
# Compares the lexer's kernels with the portable one (tests/kernels/differ): the fixed cases, the
# stored inputs, the generated corpus, and documents made at random.
#   kernels.sh native|aarch64 [OPTION…]     options of differ: see its --help
# aarch64: cross-built, and run under qemu's emulation of a processor. Exit 77 where the tools for
# that are not installed.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

target=${1:-}
[ $# -eq 0 ] || shift
run=()
case $target in
native) cross='' program=build/release/tests/kernels/differ ;;
aarch64)
    cross=aarch64-linux-gnu- program=build/release-aarch64/tests/kernels/differ
    run=(qemu-aarch64)
    for tool in ${cross}gcc qemu-aarch64; do
        command -v "$tool" >/dev/null || {
            echo "$tool is not installed (packages: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)"
            exit 77
        }
    done
    ;;
*) die 'usage: kernels.sh native|aarch64 [OPTION…]' 64 ;;
esac

env -u BIN -u MAKEFLAGS make -s -j"$(nproc)" CROSS=$cross "$program"
env -u BIN -u MAKEFLAGS make -s -j"$(nproc)" corpus
mapfile -t files < <(find tests/corpus/lexer build/corpus -type f -name '[!.]*' | sort)
"${run[@]}" "$program" --dictionary tests/fuzz/kernels.dict "$@" "${files[@]}"
