#!/bin/bash
# Everything that scripts/oracle*.sh can ask, over all files: the LaTeX sources of the corpora
# (scripts/corpora.sh) and N random ones, with LuaTeX and with pdfTeX, and under random category
# codes; the context layer where it has nothing to follow, and in groups; the errors reported on the
# corpora.
#   scripts/oracle_all.sh
# It works in chunks on all cores, and notes in build/oracle/, under the checksum of l0-lex, what each
# came to: interrupted and begun again, alone or beside another one, it goes on with the others.
# N=20000; SEED of the random files (default: another one for each run that was finished);
# LIMIT_S: begin no chunk after so many seconds. Exit: 0 all equal, 1 differences, 75 not finished,
# 77 TeX or the corpora are not installed. L0_LEX names another l0-lex than bin/l0-lex.
set -eu
cd "$(dirname "$0")/.."
N=${N:-20000}
export L0_LEX=${L0_LEX:-bin/l0-lex}
CHUNK_FILES=1000
CHUNK_BYTES=4000000
DEADLINE=${LIMIT_S:+$((EPOCHSECONDS + LIMIT_S))}

if ! command -v luatex >/dev/null || ! command -v pdftex >/dev/null; then
    echo 'oracle: luatex and pdftex are not installed (Debian package texlive-binaries)' >&2
    exit 77
fi
[ -x "$L0_LEX" ] || {
    echo "oracle: $L0_LEX is missing: run make first" >&2
    exit 2
}
DIR=build/oracle/$(cksum <"$L0_LEX" | tr ' ' -)
mkdir -p "$DIR"

# Lists of so many files and bytes each, of the paths on standard input: DIR/KIND.NNN.
make_lists() { # KIND
    xargs -d '\n' stat -c '%s %n' |
        awk -v prefix="$DIR/$1" -v files=$CHUNK_FILES -v bytes=$CHUNK_BYTES '
            n == files || size > bytes || !list {
                close(list)
                list = sprintf("%s.%03d", prefix, ++n_lists)
                n = size = 0
            }
            {
                n++
                size += $1
                sub(/^[0-9]+ /, "")
                print >list
            }'
}

make_all_lists() {
    local seed=${SEED:-$EPOCHSECONDS}
    scripts/corpora.sh >"$DIR/paths" || return
    make_lists corpus <"$DIR/paths"
    scripts/oracle_random.sh "$N" "$seed" "$DIR/random"
    find "$DIR/random" -name '*.tex' | LC_ALL=C sort | make_lists random
    echo "$seed" >"$DIR/seed"
}
exec 8>"$DIR/lock"
flock 8
[ -e "$DIR/seed" ] || make_all_lists
flock -u 8

# One comparison of one list: what it says becomes LIST.COMMAND.ok or .bad.
compare() { # COMMAND LIST
    local result=$2.$1 outcome=ok
    [ -z "$DEADLINE" ] || [ $EPOCHSECONDS -lt "$DEADLINE" ] || return 0
    exec 7>"$result.lock"
    flock -n 7 || return 0
    [ ! -e "$result.ok" ] && [ ! -e "$result.bad" ] || return 0
    case $1 in
    luatex | pdftex) xargs -d '\n' -a "$2" scripts/oracle.sh --engine "$1" ;;
    codes) xargs -d '\n' -a "$2" scripts/oracle_codes.sh 1 "$(($(cat "$DIR/seed") + 10#${2##*.}))" ;;
    layer) xargs -d '\n' -a "$2" scripts/oracle_layer.sh ;;
    errors) scripts/oracle_errors.sh ;;
    groups-*) scripts/oracle_groups.sh "${1#groups-}" ;;
    esac >"$result.log" 2>&1 8>&- || outcome=bad
    # One that was ended has not said what it came to: it is done again.
    if tail -n 1 "$result.log" | grep -q '^oracle: '; then
        mv "$result.log" "$result.$outcome"
    fi
}

# All that there are, one a line: COMMAND LIST.
comparisons() {
    local list
    for list in "$DIR"/random.???; do
        printf '%s\n' "codes $list"
    done
    for list in "$DIR"/random.??? "$DIR"/corpus.???; do
        printf '%s\n' "luatex $list" "pdftex $list" "layer $list"
    done
    printf '%s\n' "errors $DIR/all" "groups-pdflatex $DIR/all" "groups-lualatex $DIR/all"
}

export DIR DEADLINE
export -f compare
comparisons | xargs -P "$(nproc)" -L 1 bash -c 'compare "$@"' _

n_done=$(find "$DIR" -maxdepth 1 -name '*.ok' -o -name '*.bad' | wc -l)
n_all=$(comparisons | wc -l)
[ "$n_done" -eq "$n_all" ] || {
    echo "oracle: $n_done of $n_all comparisons done: run it again to go on"
    exit 75
}
# The sums of the lines "oracle: NUMBER what, NUMBER what …" of each command.
for command in luatex pdftex layer codes groups-pdflatex groups-lualatex errors; do
    find "$DIR" -maxdepth 1 \( -name "*.$command.ok" -o -name "*.$command.bad" \) -exec cat {} + |
        awk -v command=$command '
            /^oracle: / {
                for (i = 2; i <= NF; i++)
                    if ($i ~ /^[0-9]+$/) sum[i] += $i
                $1 = ""
                text = $0
            }
            END {
                n = split(text, words, " ")
                for (i = 1; i <= n; i++)
                    line = line " " (words[i] ~ /^[0-9]+$/ ? sum[i + 1] : words[i])
                print command ":" line
            }'
done
echo "the random files: scripts/oracle_random.sh $N $(cat "$DIR/seed") DIRECTORY"
n_bad=$(find "$DIR" -maxdepth 1 -name '*.bad' -exec cat {} + | tee "$DIR/differences" | wc -l)
cat "$DIR/differences"
rm -rf build/oracle/last "$DIR/random"
mv "$DIR" build/oracle/last
[ "$n_bad" -eq 0 ]
