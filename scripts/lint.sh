#!/bin/bash
# clang-tidy over every C file (.clang-tidy says which checks), as many at a time as there are cores;
# not over tests/control/, whose defects are there on purpose.
#   lint.sh [FILE…]
# A file is looked at again only when it, a header or the check list has changed (build/lint/).
set -eu
cd "$(dirname "$0")/.."

command -v clang-tidy >/dev/null || {
    echo 'clang-tidy is not installed'
    exit 77
}
[ $# -gt 0 ] || mapfile -t < <(find lexer proto gate bench engine tests -name '*.c' -not -path 'tests/control/*' | sort)
[ $# -gt 0 ] || set -- "${MAPFILE[@]}"
mkdir -p build/lint

# Any header may change what any file means.
headers=$(find .clang-tidy scripts/lint.sh lexer proto gate bench engine tests \
    \( -name '*.h' -o -name 'lint.sh' -o -name .clang-tidy \) -print0 | sort -z | xargs -0 cat | cksum)
export headers

lint_file() {
    local file=$1 stamp key log
    stamp=build/lint/${file//\//-}.ok
    key="$headers $(cksum <"$file")"
    [ ! -r "$stamp" ] || [ "$(cat "$stamp")" != "$key" ] || return 0
    if log=$(clang-tidy --quiet "$file" -- -std=gnu11 -D_GNU_SOURCE -DL0_DEBUG=1 -I. 2>&1); then
        printf '%s\n' "$key" >"$stamp"
    else
        printf '%s\n' "$log"
        return 1
    fi
}
export -f lint_file

# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" bash -c 'lint_file "$1"' lint
