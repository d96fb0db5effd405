#!/bin/sh
# Prints the paths of the LaTeX sources of the Debian packages that the lexer is compared with TeX on,
# one a line, sorted: scripts/corpora.sh [PACKAGE…] (default: those of scripts/deps.sh corpora).
# Exit: 0 done, 77 one of them is not installed.
set -eu
[ $# -gt 0 ] || set -- texlive-latex-base texlive-latex-recommended pari-doc
for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || {
        echo "corpora: $package is not installed (scripts/deps.sh corpora)" >&2
        exit 77
    }
done
dpkg-query -L "$@" | LC_ALL=C sort -u | while IFS= read -r path; do
    case $path in
    *.tex | *.sty | *.cls | *.dtx | *.ltx | *.def | *.fd) [ ! -f "$path" ] || [ -L "$path" ] || printf '%s\n' "$path" ;;
    esac
done
