#!/bin/sh
# As long as a file holds nothing that the latex context layer follows, its spans are those of
# --static: compares up to the first line that holds such a word.
#   scripts/oracle_layer.sh FILE…
# Exit: 0 all equal, 1 differences, 64 usage.
# L0_LEX names another l0-lex than bin/l0-lex.
set -eu
[ $# -gt 0 ] || {
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 64
}
lex=${L0_LEX:-$(dirname "$0")/../bin/l0-lex}
words='\\(catcode|make(atletter|atother)|ExplSyntax|ProvidesExpl|verb([^a-z]|$)|lst(inline|newenv|Make)|mintinline|MakeShortVerb|endinput|scantokens|obey(lines|spaces)|end *\{document\}|begin *(\{(verbatim|lstlisting|minted|[BL]?Verbatim|SaveVerbatim|comment|filecontents)|[^{a-zA-Z])|(def|let|command\{?)\\begin)|\^\^'
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM
equal=0 different=0 lines=0
for path; do
    LC_ALL=C sed -E "/$words/,\$d" "$path" >"$dir/part"
    lines=$((lines + $(wc -l <"$dir/part")))
    # By standard input, so that no name makes @ a letter; 1 means errors in the document.
    "$lex" --static --spans - <"$dir/part" >"$dir/static" || [ $? -eq 1 ]
    "$lex" --spans - <"$dir/part" >"$dir/layer" || [ $? -eq 1 ]
    if cmp -s "$dir/static" "$dir/layer"; then
        equal=$((equal + 1))
    else
        different=$((different + 1))
        echo "$path: the context layer changes spans without cause"
        diff "$dir/static" "$dir/layer" | head -n 4 || true
    fi
done
echo "oracle: $lines lines of $((equal + different)) files without what the layer follows; $different differ"
[ "$different" -eq 0 ]
