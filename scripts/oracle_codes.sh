#!/bin/bash
# Compares "l0-lex --tokens" with LuaTeX where category codes have changed, by oracle.sh --codes:
#   scripts/oracle_codes.sh N SEED FILE…     N sets of up to three changes, others for each SEED
# Changes are those that the context layer follows (lexer/LEXING.md). Prints what differs, and a
# summary. Exit: 0 all equal, 1 differences, 64 usage, 77 LuaTeX is not installed.
set -eu
[ $# -ge 3 ] || {
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 64
}
n=$1 seed=$2
shift 2

# One set a line. Weighted: what TeX itself looks at by its code comes oftener. The escape character
# and the a of \catcode change last, since nothing can be changed behind them; no other escape
# characters, because of what LuaTeX makes of ^^ behind them (oracle_random.sh); and no names with NUL,
# at which Lua ends them.
sets() {
    awk -v n="$n" -v seed="$seed" '
    BEGIN {
        srand(seed)
        n_characters = split("13 13 13 32 32 32 9 94 37 92 97 123 125 36 38 35 95 126 64 77 46 0 127 12 10",
            characters, " ")
        n_ends = split("5 9 10 12 13", line_ends, " ")
        while (n-- > 0) {
            set = last = ""
            split("", changed)
            for (i = int(rand() * 3); i >= 0; i--) {
                character = characters[int(rand() * n_characters) + 1]
                if (character in changed || (last != "" && (character == 92 || character == 97)))
                    continue
                changed[character]
                code = character == 13 ? line_ends[int(rand() * n_ends) + 1] : int(rand() * 16)
                if ((code == 7 && character != 94) || (code == 0 && character != 92) ||
                    (code == 11 && character == 0))
                    code = 12
                if (character == 92 || character == 97)
                    last = character "=" code
                else
                    set = set "," character "=" code
            }
            print substr(set (last != "" ? "," last : ""), 2)
        }
    }'
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
differing=0 tokens=0
while IFS= read -r set; do
    status=0
    "$(dirname "$0")"/oracle.sh --codes "$set" "$@" >"$dir/out" || status=$?
    [ $status -le 1 ] || exit $status
    tokens=$((tokens + $(sed -n 's/^oracle: .* files, \([0-9]*\) tokens.*/\1/p' "$dir/out")))
    if [ $status -eq 1 ]; then
        differing=$((differing + 1))
        echo "with category codes $set:"
        head -n 12 "$dir/out"
    fi
done < <(sets)
echo "oracle: $n sets of category codes, $tokens tokens compared with luatex; $differing sets differ"
[ "$differing" -eq 0 ]
