#!/bin/bash
# The errors that l0-lex reports on the LaTeX sources of the corpora, which LaTeX accepts, compared with
# those that tests/data/corpus_errors.tsv lists by cause: each other one, and each that is gone, is a
# difference.
#   scripts/oracle_errors.sh           prints differences: < listed, > found
#   scripts/oracle_errors.sh --found   prints what is found, in the form of the list, without causes
# Exit: 0 as listed, 1 not, 64 usage, 77 the corpora are not installed.
# L0_LEX names another l0-lex than bin/l0-lex.
set -eu -o pipefail
list=$(dirname "$0")/../tests/data/corpus_errors.tsv
lex=${L0_LEX:-$(dirname "$0")/../bin/l0-lex}
case ${1:-} in '' | --found) ;; *)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
"$(dirname "$0")/corpora.sh" >"$dir/paths"

# "COUNT ID FILE", TAB between, of the files on standard input; FILE is below share/.
errors() { # OPTION…
    xargs -d '\n' "$lex" "$@" 2>&1 | LC_ALL=C awk '
        # FILE:LINE:COLUMN: error: TEXT [ID]
        match($0, /:[0-9]+:[0-9]+: error: /) {
            file = substr($0, 1, RSTART - 1)
            sub(/^.*\/share\//, "", file)
            id = $NF
            gsub(/[][]/, "", id)
            n[id "\t" file]++
        }
        END { for (key in n) print n[key] "\t" key }' | LC_ALL=C sort -t "$(printf '\t')" -k 3 -k 2
}

listed() { # as it is lexed: - or an option
    awk -F '\t' -v as="$1" '!/^#/ && NF && $1 == as { print $2 "\t" $3 "\t" $5 }' "$list" |
        LC_ALL=C sort -t "$(printf '\t')" -k 3 -k 2
}

# Exit codes of l0-lex below 2 are the documents'; xargs makes 123 of them.
errors <"$dir/paths" >"$dir/found" || [ $? -eq 123 ]
grep '/koma-script/doc/' "$dir/paths" >"$dir/own" || true
errors --verbatim lstcode <"$dir/own" >"$dir/found_own" || [ $? -eq 123 ]
if [ $# -gt 0 ]; then
    sed 's/^/-	/' "$dir/found"
    sed 's/^/--verbatim lstcode	/' "$dir/found_own"
    exit
fi
{
    diff <(listed -) "$dir/found" && diff <(listed '--verbatim lstcode') "$dir/found_own"
} >"$dir/differences" || {
    cat "$dir/differences"
    echo "oracle: the errors on the corpora are not those of $list"
    exit 1
}
echo "oracle: $(wc -l <"$dir/paths") files of the corpora have $(awk '{ n += $1 } END { print n + 0 }' "$dir/found") errors, all listed with their causes"
