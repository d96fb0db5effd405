#!/bin/sh
# Compares "l0-lex --static --tokens" with a TeX engine, token by token:
#   scripts/oracle.sh [--engine luatex|pdftex] FILE-OR-DIRECTORY…
#   scripts/oracle.sh --codes 13=13,32=12 FILE-OR-DIRECTORY…
#       (of directories: .tex .sty .cls .dtx .ltx .def .fd)
# LuaTeX (default) is compared in the regime lualatex, pdfTeX in pdflatex. With --codes, "l0-lex
# --tokens" reads a line of \catcode before each file, and LuaTeX has those codes from the start.
# Prints each file that differs with the first lines of the difference, then a summary. Of invalid
# UTF-8, which LuaTeX reads in its own way, it is given what we make of it: U+FFFD (lexer/LEXING.md).
# Exit: 0 all equal, 1 differences, 2 could not run, 64 usage, 77 the engine is not installed.
# L0_LEX names another l0-lex than bin/l0-lex.
set -eu
usage() {
    sed -n '2,12s/^# \{0,1\}//p' "$0" >&2
    exit 64
}
engine=luatex regime=lualatex codes=
if [ "${1:-}" = --engine ]; then
    case ${2:-} in
    luatex) ;;
    pdftex) engine=pdftex regime=pdflatex ;;
    *) usage ;;
    esac
    shift 2
elif [ "${1:-}" = --codes ]; then
    case ${2:-} in '' | *[!0-9=,]*) usage ;; esac
    codes=$2
    shift 2
fi
[ $# -gt 0 ] || usage
here=$(cd "$(dirname "$0")" && pwd)
lex=${L0_LEX:-$here/../bin/l0-lex}
command -v $engine >/dev/null || {
    echo "oracle: $engine is not installed (Debian package texlive-binaries): skipped" >&2
    exit 77
}
[ -x "$lex" ] || {
    echo "oracle: $lex is missing: run make first" >&2
    exit 2
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

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
    # Behind the line of \catcode, nothing is no line.
    [ -z "$codes" ] || [ -s "$path" ] || continue
    n=$((n + 1))
    printf '%s\n' "$path" >>"$dir/compared"
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
export buf_size=50000000 hash_extra=2000000 max_strings=9000000 pool_size=90000000 openin_any=a
export openout_any=a max_print_line=1000000

run_luatex() {
    {
        cat "$here/../lexer/data/catcodes-lualatex.txt"
        printf '%s' "$codes" | tr , '\n' | awk -F = '{ print $1, $1, $2 }'
    } >oracle_catcodes.txt
    ORACLE_LUA=$here/oracle_luatex.lua ORACLE_LIST=list \
        ORACLE_CATCODES=oracle_catcodes.txt \
        luatex --ini --interaction=batchmode "$here/oracle_luatex.tex"
}

# "\NAME" and a definition of it that sets the category codes of standard input, "character code".
catcodes_macro() {
    awk -v name="$1" -v end="$2" '{ set = set "\\catcode" $1 "=" $2 " " }
        END { print "\\def\\" name "{\\endlinechar=" end " " set "}" }'
}

# Tokens as oracle_pdftex.tex writes them ("c.\name.LINE", "CATCODE.CHARACTER.LINE"; what TeX calls
# unprintable as ^^X or ^^xx) from raw/N.tok to N.tok in our format. Names are ASCII letters, or one
# character.
spell_tokens() {
    # shellcheck disable=SC2016 # an awk program
    find raw -name '*.tok' -print0 | LC_ALL=C xargs -0 awk '
    function value_of(text,    third) {
        if (length(text) == 1)
            return code[text]
        third = substr(text, 3)
        return length(third) == 2 ? index(HEX, substr(third, 1, 1)) * 16 + index(HEX, substr(third, 2)) - 17 \
                                  : (code[third] < 64 ? code[third] + 64 : code[third] - 64)
    }
    function spell(text,    value) {
        if (text ~ /^[A-Za-z]+$/)
            return text
        value = text == "" ? 0 : value_of(text)
        return value <= 32 || value == 37 || value == 127 ? sprintf("%%%02X", value) : sprintf("%c", value)
    }
    BEGIN {
        HEX = "0123456789abcdef"
        for (i = 0; i < 256; i++)
            code[sprintf("%c", i)] = i
        split("1 2 3 4 6 7 8 10", catcodes, " ")
        split("123 125 36 38 35 94 95 32", characters, " ")
        for (i in catcodes)
            only[catcodes[i]] = characters[i]
    }
    FNR == 1 {
        if (out)
            close(out)
        out = substr(FILENAME, 5)
    }
    {
        match($0, /\.[0-9]*$/)
        line = substr($0, RSTART + 1)
        kind = substr($0, 1, index($0, ".") - 1)
        text = substr($0, index($0, ".") + 1, RSTART - index($0, ".") - 1)
        if (kind != "c")
            printf "%s\tU+%04X\t%s\n", kind, text == "" ? only[kind] : text, line >out
        else if (substr(text, 1, 1) == "\\" && text != "\\")
            printf "cs\t%s\t%s\n", spell(substr(text, 2)), line >out
        else
            printf "13\tU+%04X\t%s\n", value_of(text), line >out
    }'
}

# Invalid characters (15) are read as ignored ones (9), which give no token either, but no error.
run_pdftex() {
    {
        awk '/^[0-9]/ { print $1, $2 == 15 ? 9 : $2 }' "$here/../lexer/data/catcodes-pdflatex.txt" |
            catcodes_macro @document 13
        awk '/^[0-9]/ { print $1, $1 == 64 ? 11 : $2 }' "$here/../lexer/data/catcodes-pdflatex.txt" |
            catcodes_macro @loop 32
    } >oracle_catcodes.tex
    awk -F '\t' '{ print "\\@file{" $1 "}{raw/" $2 "}" }' list >oracle_files.tex
    mkdir raw
    pdftex -ini -etex -interaction=batchmode "$here/oracle_pdftex.tex"
    # One of a file without tokens holds nothing that spell_tokens() would see.
    find raw -name '*.tok' -empty -exec mv -t . {} +
    spell_tokens
}

(cd "$dir" && run_$engine </dev/null >console 2>&1) || {
    echo "oracle: $engine stopped early:" >&2
    tail -n 5 "$dir"/oracle_$engine.log "$dir/console" >&2
}

# The tokens of the file, as we see them.
lex_file() { # PATH
    if [ -z "$codes" ]; then
        "$lex" --static --regime $regime --tokens "$1"
        return
    fi
    {
        printf '%s' "$codes" | sed 's/[0-9]*=[0-9]*/\\catcode&\\relax/g; s/,//g'
        printf '.\n'
        cat "$1"
    } >"$dir/coded.tex"
    "$lex" --tokens "$dir/coded.tex" >"$dir/coded" || [ $? -eq 1 ] || return
    awk -F '\t' -v OFS='\t' '$3 > 1 { $3--; print }' "$dir/coded"
}

i=0 differing=0
while IFS= read -r path; do
    i=$((i + 1))
    if [ ! -e "$dir/$i.tok" ]; then
        echo "$path: $engine did not come to it"
        differing=$((differing + 1))
        continue
    fi
    # 1 means errors in the document, which do not matter here.
    lex_file "$path" >"$dir/ours" || [ $? -eq 1 ] || exit 2
    if ! cmp -s "$dir/ours" "$dir/$i.tok"; then
        differing=$((differing + 1))
        line=$(cmp "$dir/ours" "$dir/$i.tok" 2>&1 | sed -n 's/.*line \([0-9]*\).*/\1/p')
        source_line=$(sed -n "${line:-1}p" "$dir/ours" | cut -f3)
        echo "$path:${source_line:-?}: differs (< l0-lex, > $engine)"
        diff "$dir/ours" "$dir/$i.tok" | head -n 8 || true
    fi
done <"$dir/compared"
tokens=$(find "$dir" -maxdepth 1 -name '*.tok' -exec cat {} + | wc -l)
repaired=$(find "$dir" -maxdepth 1 -name '*.repaired.tex' | wc -l)
echo "oracle: $n files, $tokens tokens compared with $engine; $differing files differ; $repaired had invalid UTF-8"
[ "$differing" -eq 0 ]
