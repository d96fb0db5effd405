#!/bin/sh
# Where a file holds nothing that the latex context layer follows, its spans and diagnostics are those
# of --static. Compares whole files in which every such command has been given another name:
#   scripts/oracle_layer.sh FILE…
# Exit: 0 all equal, 1 differences, 64 usage.
# L0_LEX names another l0-lex than bin/l0-lex.
set -eu
[ $# -gt 0 ] || {
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 64
}
lex=${L0_LEX:-$(dirname "$0")/../bin/l0-lex}
# No \begin, so no environment is verbatim, but all the others are still counted: where its name
# begins like one of theirs, where it does not stand on the same line, and where it is defined.
words='catcode|makeat(letter|other)|ExplSyntax|ProvidesExpl|verb|lst(inline|newenv|Make)|mintinline'
words="$words|MakeShortVerb|endinput|scantokens|obey(lines|spaces)|end[^a-zA-Z]*document"
words="$words|begin[^a-zA-Z]*(verb|lst|minted|[BL]?Verb|Save|comment|filecontents|\$)"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# By standard input, so that no name makes @ a letter; 1 means errors in the document. What is not
# followed, the layer alone can say.
read_by() { # OUTPUT OPTION…
    to=$1
    shift
    "$lex" "$@" --spans - <"$dir/text" >"$to" || [ $? -eq 1 ] || exit
    "$lex" "$@" - <"$dir/text" >"$dir/said" || [ $? -eq 1 ] || exit
    sed '/\[not-followed\]$/d; $d' "$dir/said" >>"$to"
}

equal=0 different=0 lines=0
for path; do
    LC_ALL=C sed -E "s/\\\\($words)/\\\\q\\1/g; s/\\\\(def|let|command\\{?) *\\\\begin/\\\\q/g" "$path" >"$dir/text"
    lines=$((lines + $(wc -l <"$dir/text")))
    read_by "$dir/static" --static
    read_by "$dir/layer"
    if cmp -s "$dir/static" "$dir/layer"; then
        equal=$((equal + 1))
    else
        different=$((different + 1))
        echo "$path: the context layer changes spans or diagnostics without cause"
        diff "$dir/static" "$dir/layer" | head -n 4 || true
    fi
done
echo "oracle: $lines lines of $((equal + different)) files without what the layer follows; $different differ"
[ "$different" -eq 0 ]
