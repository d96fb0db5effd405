#!/bin/bash
# make model: spin looks through every interleaving of tests/model/hedge.pml, and must find each of
# the mistakes that can be compiled into it.
#   QUICK=1   the search without a mistake has one document less: a quarter of the states
# Exit code: 0; 1 where the model has a flaw or a mistake is not found; 77 where spin is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

MODEL=$PWD/tests/model/hedge.pml
DOCUMENTS=2
[ -z "${QUICK:-}" ] || DOCUMENTS=1
STATES_LOG2=26
DEPTH=1000000

command -v spin >/dev/null || {
    echo 'model: spin is not installed (Debian package spin)'
    exit 77
}

WORK=$(mktemp -d "${TMPDIR:-/tmp}/l0-model.XXXXXX")
TEMP_DIRS+=("$WORK")

# search NAME OPTION…: what pan says, into $WORK/NAME.log
search() {
    local dir=$WORK/$1
    mkdir -p "$dir"
    (
        cd "$dir"
        spin -a "${@:2}" "$MODEL" >/dev/null
        "${CC:-gcc}" -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c
        ./pan -m$DEPTH -w$STATES_LOG2
    ) >"$WORK/$1.log" 2>&1 || true
    rm -rf "${dir:?}"
}

failed=0
search flawless "-DDOCS_FIRST=$DOCUMENTS"
if grep -q 'errors: 0' "$WORK/flawless.log" && ! grep -q 'not completed\|max search depth' "$WORK/flawless.log"; then
    awk '/states, stored/ { print "model  holds in all of " $1 " states" }' "$WORK/flawless.log"
else
    failed=1
    echo 'model  does NOT hold:'
    cat "$WORK/flawless.log"
fi
while read -r bug; do
    search "$bug" "-D$bug"
    if found=$(grep -m 1 'pan:1:' "$WORK/$bug.log"); then
        echo "model  finds $bug: ${found#pan:1: }"
    else
        failed=1
        echo "model  does NOT find $bug:"
        cat "$WORK/$bug.log"
    fi
done < <(grep -o 'BUG_[A-Z_]*[A-Z]' "$MODEL" | sort -u)
exit $failed
