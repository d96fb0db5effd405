#!/bin/sh
# Compares "l0-lex --static --tokens" with LuaTeX, token by token:
#   scripts/oracle.sh FILE-OR-DIRECTORY…       (of directories: .tex .sty .cls .dtx .ltx .def .fd)
# Prints each file that differs with the first lines of the difference, then a summary. Files that
# are not valid UTF-8 are skipped with a note: LuaTeX reads those in its own way (lexer/LEXING.md).
# Exit: 0 all equal, 1 differences, 2 could not run, 64 usage, 77 LuaTeX is not installed.
# L0_LEX names another l0-lex than bin/l0-lex.
set -eu
[ $# -gt 0 ] || {
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 64
}
here=$(cd "$(dirname "$0")" && pwd)
lex=${L0_LEX:-$here/../bin/l0-lex}
command -v luatex >/dev/null || {
    echo "oracle: luatex is not installed (Debian package texlive-binaries): skipped" >&2
    exit 77
}
[ -x "$lex" ] || {
    echo "oracle: $lex is missing: run make first" >&2
    exit 2
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM

for path; do
    if [ -d "$path" ]; then
        find "$path" -type f \( -name '*.tex' -o -name '*.sty' -o -name '*.cls' -o -name '*.dtx' \
            -o -name '*.ltx' -o -name '*.def' -o -name '*.fd' \) | LC_ALL=C sort
    else
        printf '%s\n' "$path"
    fi
done >"$dir/paths"

n=0
while IFS= read -r path; do
    [ -r "$path" ] || {
        echo "oracle: $path: cannot be read" >&2
        exit 2
    }
    n=$((n + 1))
    case $path in /*) ;; *) path=$PWD/$path ;; esac
    case $path in
    *[!A-Za-z0-9_./-]*) # TeX cannot open every name
        ln -s "$path" "$dir/$n.tex"
        path=$n.tex
        ;;
    esac
    printf '%s\t%s\n' "$path" "$n.tok"
done <"$dir/paths" >"$dir/list"
[ "$n" -gt 0 ] || {
    echo "oracle: nothing to compare" >&2
    exit 2
}

# Room for long lines and many names; nothing is typeset.
(cd "$dir" && ORACLE_LUA=$here/oracle_luatex.lua ORACLE_LIST=list \
    ORACLE_CATCODES=$here/../lexer/data/catcodes-lualatex.txt \
    buf_size=50000000 hash_extra=2000000 max_strings=9000000 openin_any=a \
    luatex --ini --interaction=batchmode "$here/oracle_luatex.tex" </dev/null >console 2>&1) || {
    echo "oracle: LuaTeX stopped early:" >&2
    tail -n 5 "$dir"/oracle_luatex.log "$dir/console" >&2
}

i=0 compared=0 differing=0 skipped=0
while IFS= read -r path; do
    i=$((i + 1))
    if [ -e "$dir/$i.tok.skipped" ]; then
        echo "$path: not valid UTF-8, skipped"
        skipped=$((skipped + 1))
        continue
    fi
    [ -e "$dir/$i.tok" ] || : >"$dir/$i.tok"
    # 1 means errors in the document, which do not matter here.
    "$lex" --static --tokens "$path" >"$dir/ours" || [ $? -eq 1 ] || exit 2
    compared=$((compared + 1))
    if ! cmp -s "$dir/ours" "$dir/$i.tok"; then
        differing=$((differing + 1))
        line=$(cmp "$dir/ours" "$dir/$i.tok" 2>&1 | sed -n 's/.*line \([0-9]*\).*/\1/p')
        source_line=$(sed -n "${line:-1}p" "$dir/ours" | cut -f3)
        echo "$path:${source_line:-?}: differs (< l0-lex, > LuaTeX)"
        diff "$dir/ours" "$dir/$i.tok" | head -n 8 || true
    fi
done <"$dir/paths"
tokens=$(find "$dir" -name '*.tok' -exec cat {} + | wc -l)
echo "oracle: $compared files, $tokens tokens compared; $differing files differ, $skipped skipped"
[ "$differing" -eq 0 ]
