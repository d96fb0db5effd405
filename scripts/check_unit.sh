#!/bin/sh
# conf/l0-lex.service: systemd accepts it, and its exposure stays below the threshold.
#   check_unit.sh PROGRAM     (a built l0-lexd, put in place of the installed one)
# Exit 77 where systemd-analyze is not installed.
set -eu
cd "$(dirname "$0")/.."
program=$(realpath "${1:?usage: check_unit.sh PROGRAM}")
# In tenths: 2.0 of 10.
EXPOSURE_MAX=20

command -v systemd-analyze >/dev/null || {
    echo 'systemd-analyze is not installed'
    exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sed "s|^ExecStart=/usr/bin/l0-lexd|ExecStart=$program|" conf/l0-lex.service >"$dir/l0-lex.service"
systemd-analyze verify --man=no "$dir/l0-lex.service" >"$dir/complaints" 2>&1 || {
    cat "$dir/complaints"
    exit 1
}
# It also prints warnings (an unknown line) without failing. Other units are not our business.
if grep l0-lex "$dir/complaints"; then
    exit 1
fi
systemd-analyze security --no-pager --offline=true --threshold=$EXPOSURE_MAX "$dir/l0-lex.service" \
    >"$dir/exposure" 2>&1 || {
    cat "$dir/exposure"
    exit 1
}
tail -n 1 "$dir/exposure"
