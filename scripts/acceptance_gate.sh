#!/bin/sh
# The acceptance gates over one run; the exit code is the gate's (see `l0-gate check --help`).
#   acceptance_gate.sh RAW TAIL [RUN_JSON]
# RUN_JSON holds the run's counters and is then binding: a gate whose counter it lacks is
# inconclusive. Without it RAW.json is taken, where the bench left one; gates whose counters are not
# to be had are then reported as not judged, and the rest is judged.
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo 'usage: acceptance_gate.sh RAW TAIL [RUN_JSON]' >&2
    exit 2
fi
raw=$1
tail=$2
run=${3-}
top=$(dirname "$0")/..
gate=${BIN:-$top/bin}/l0-gate

if [ ! -x "$gate" ]; then
    echo "acceptance_gate.sh: $gate is not there: build it with make" >&2
    exit 2
fi
if [ $# -eq 3 ]; then
    exec "$gate" check --raw="$raw" --tail="$tail" --run="$run"
fi
if [ -e "$raw.json" ]; then
    echo "counters: $raw.json"
    exec "$gate" check --raw="$raw" --tail="$tail" --run="$raw.json" --counters-optional
fi
echo "counters: none given and no $raw.json: hedge rate and errors are not judged"
exec "$gate" check --raw="$raw" --tail="$tail" --counters-optional
