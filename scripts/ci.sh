#!/bin/bash
# make ci: the service on up to 4 cores, NREQ keep-alive round trips, the gate's verdict.
# Variables: FILE OUT TAIL THREADS NREQ HEDGE, and those of service.sh. Exit code: the gate's
# (0 pass; 2 usage; 3 data insufficient or inconsistent; 4 a gate failed), or 1 when the service or
# the bench failed before there was anything to judge.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

document=$(resolve_document)
rm -f "$OUT" "$OUT.json" "$TAIL"

start_service
heading "keep-alive: $document, ${NREQ:=100000} requests, $THREADS connections"
"$BIN/l0-bench" keepalive "$document" "$NREQ" "$THREADS" --out "$OUT" \
    --target "unix:$SOCKET" --admin "$ADMIN" || die "the bench failed (exit code $?)" 1
# The tail file is written when the service ends.
stop_service

heading "gate: $OUT and $TAIL"
exec scripts/acceptance_gate.sh "$OUT" "$TAIL"
