#!/bin/sh
# Asks LaTeX how far changes of category codes reach, and compares l0-lex:
#   scripts/oracle_groups.sh [pdflatex|lualatex]
# Each case is put before \showcode, which writes the category code of @ to the log, and before \a@b,
# whose name says what l0-lex takes it for. Exit: 0 as LaTeX, 1 not, 64 usage, 77 not installed.
# L0_LEX names another l0-lex than bin/l0-lex.
set -eu
engine=${1:-pdflatex}
case $engine in pdflatex | lualatex) ;; *)
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
if ! command -v "$engine" >/dev/null || ! kpsewhich latex.ltx >/dev/null; then
    echo "oracle: $engine is not installed (Debian package texlive-latex-base): skipped" >&2
    exit 77
fi
lex=$(realpath "${L0_LEX:-$(dirname "$0")/../bin/l0-lex}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM
cd "$dir"
cat >cases <<'END'
\makeatletter
\makeatletter\makeatother
{\makeatletter}
{\makeatletter{\makeatother}
\makeatletter{\makeatother}
\begingroup\makeatletter\endgroup
\begingroup\makeatletter
\bgroup\makeatletter\egroup
\begin{center}\makeatletter\end{center}
$\makeatletter$
\hbox{\makeatletter}
{\catcode`\@=11 }
\catcode`\@=11\relax
\catcode`@=11 {\catcode64=12 }
\catcode64=11{}
\catcode"40='13 %
\global\catcode`\@=11 %
{\global\catcode`\@=11 }
{\makeatletter\global\catcode`\@=11 }
\def\x{\makeatletter}
\def\x#1{\catcode`\@=11 }
\newcommand{\x}[1]{\makeatletter}
\newcommand\x{y}{\makeatletter}
\let\x\makeatletter
\ifnum\catcode`\@=11 \fi
\begingroup\def\x{\endgroup}\makeatletter
\verb|\makeatletter|
\string\makeatletter
\chardef\x=\catcode`\@ \makeatletter
\begingroup\ExplSyntaxOn\makeatletter\ExplSyntaxOff\endgroup
END
n=0 wrong=0
while IFS= read -r text; do
    n=$((n + 1))
    printf '\\documentclass{article}\\def\\showcode{\\typeout{code=\\the\\catcode64.}}\\begin{document}\n%s%%\n\\showcode\n\\csname @@end\\endcsname\n' \
        "$text" >case.tex
    "$engine" -interaction=batchmode case.tex >console </dev/null || true
    asked=$(sed -n 's/^code=\([0-9]*\)\..*/\1/p' case.log)
    ours=12
    "$lex" --tokens - >tokens <<END || [ $? -eq 1 ]
$text%
\\a@b
END
    ! grep -q '^cs	a@b	' tokens || ours=11
    if [ "$asked" != "$ours" ]; then
        wrong=$((wrong + 1))
        echo "$text: @ has category code ${asked:-?} in $engine, $ours here"
    fi
done <cases
echo "oracle: $n cases asked of $engine, $wrong differ"
[ "$wrong" -eq 0 ]
