#!/bin/bash
# House rules that are no compiler's business. Prints FILE:LINE: what is wrong; exit 1 if anything is.
set -eu
cd "$(dirname "$0")/.."

LINES_MAX=500
TOP_LEVEL='Makefile LICENSE README.md engine lexer proto gate bench tests scripts conf'

list_files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard
    else
        find . -type f -not -path './build/*' -not -path './bin/*' -not -path './out/*' \
            -not -path './.git/*' -printf '%P\n'
    fi
}

mapfile -t files < <(list_files | while read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done)
# What people write: not the stored inputs of tests, nor data and what is generated from it.
mapfile -t written < <(printf '%s\n' "${files[@]}" |
    grep -Ev '^tests/corpus/|/data/|_generated\.[ch]$|^LICENSE$')
mapfile -t code < <(printf '%s\n' "${written[@]}" | grep -E '\.[ch]$')
mapfile -t text < <(printf '%s\n' "${written[@]}" | grep -Ev '(^|/)Makefile$')

problems=$(
    for file in "${files[@]}"; do
        top=${file%%/*}
        case $top in .*) continue ;; esac
        case " $TOP_LEVEL " in *" $top "*) ;; *) echo "$file: $top does not belong at the top level" ;; esac
    done
    for file in "${written[@]}"; do
        lines=$(wc -l <"$file")
        [ "$lines" -le $LINES_MAX ] || echo "$file: $lines lines, more than $LINES_MAX: split it by concept"
        [ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at the end"
    done
    for file in "${files[@]}"; do
        case $file in
        scripts/*.sh | .ci/run)
            case $(head -n 1 "$file") in
            '#!'*) [ -x "$file" ] || echo "$file: has an interpreter line but is not executable" ;;
            esac
            ;;
        esac
    done
    # The class in each pattern keeps this file from matching itself.
    grep -nHE '\b(TOD[O]|FIXM[E]|XX[X])\b' "${written[@]}" | sed 's/$/   <- unfinished/'
    grep -nHE '\b(pkil[l]|killal[l])\b' "${written[@]}" | sed 's/$/   <- end processes by their id/'
    grep -nHE '[[:blank:]]+$' "${written[@]}" | sed 's/$/   <- blanks at the line end/'
    grep -nHP '\t' "${code[@]}" | sed 's/$/   <- tab/'
    grep -nHP '\r' "${text[@]}" | sed 's/$/   <- carriage return/'
    grep -nHE '^[[:blank:]]*//.*;[[:blank:]]*$' "${code[@]}" | sed 's/$/   <- commented-out code/'
    grep -nHE '^[[:blank:]]*#[[:blank:]]*if[[:blank:]]+[01]\b' "${code[@]}" | sed 's/$/   <- dead code/'
    grep -nHE '\batomic_thread_fenc[e]\b' "${code[@]}" | sed 's/$/   <- order by the atomics themselves/'
    true
)
[ -z "$problems" ] || {
    printf '%s\n' "$problems"
    exit 1
}
