#!/bin/bash
# Asks LaTeX how far changes of category codes reach, and compares l0-lex:
#   scripts/oracle_groups.sh [pdflatex|lualatex [N]]       with N, only every Nth case
# Behind each case \showcodes writes the category codes of some characters to the log; l0-lex is shown
# these characters in its place. A case in which it says "not followed" is counted, not compared.
# Exit: 0 as LaTeX, 1 not, 64 usage, 77 not installed. L0_LEX names another l0-lex than bin/l0-lex.
set -eu
engine=${1:-pdflatex}
case $engine in pdflatex | lualatex) ;; *)
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
case ${2:-1} in *[!0-9]* | 0*)
    echo "oracle: $2: must be a number from 1 on" >&2
    exit 64
    ;;
esac
if ! command -v "$engine" >/dev/null || ! kpsewhich latex.ltx >/dev/null; then
    echo "oracle: $engine is not installed (Debian package texlive-latex-base): skipped" >&2
    exit 77
fi
lex=$(realpath "${L0_LEX:-$(dirname "$0")/../bin/l0-lex}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$dir"
# One case a line; ⏎ is a line end.
awk -v every="${2:-1}" 'NR % every == 1 % every' >cases <<'END'
\makeatletter
\makeatletter\makeatother
{\makeatletter}
{\makeatletter{\makeatother}
\makeatletter{\makeatother}
\begingroup\makeatletter\endgroup
\begingroup\makeatletter
\bgroup\makeatletter\egroup
\begingroup{\makeatletter}
\begingroup\bgroup\makeatletter\egroup
\bgroup\begingroup\makeatletter\endgroup
\begingroup\makeatletter{\makeatother\endgroup
\begingroup\makeatletter\lowercase{\endgroup}
\begingroup\makeatletter\lowercase{\endgroup\catcode`\:=11 }
\begingroup\makeatletter\lowercase{\endgroup\begingroup}
\begingroup\begingroup\makeatletter\lowercase{\endgroup\endgroup}
\begingroup\begingroup\makeatletter\lowercase{\endgroup}\catcode`\:=11 \endgroup
\begingroup\makeatletter\def\x{\endgroup}
\begingroup\makeatletter\toks0={\endgroup}
\toks0={\makeatletter}
\makeatletter\let\x\begingroup\makeatother
\let\x={\let\y=}\makeatletter
\let\x\begingroup{\makeatletter}
\let\x\bgroup\catcode`\:=11 \let\y\egroup
\makeatletter\let\x\endgroup
\begin{center}\makeatletter\end{center}
\begin{center}\makeatletter
\makeatletter\begin{center}\makeatother\end{center}
\begin{center}\begin{quote}\makeatletter\end{quote}
\begin{center}\begin{quote}\makeatletter\end{quote}\end{center}
\begin{center}\begin{quote}\end{quote}\makeatletter\end{center}
\begin{quote}{\makeatletter}\end{quote}
\begin{quote}\global\catcode`\@=11 \end{quote}
\begin%⏎{center}\makeatletter\end{center}
$\makeatletter$
$\makeatletter
$x$\makeatletter$x$
$$\makeatletter$$
$\hbox{$\makeatletter$}$
$\hbox{\makeatletter}
${\makeatletter}
$x_{\makeatletter}$
\[\makeatletter\]
\[\makeatletter
\(\makeatletter\)
\(x\)\makeatletter\(x\)
\[\hbox{\makeatletter}\]
\[\hbox{\(\makeatletter\)}\]
\makeatletter\[\makeatother\]
\[x\\[2pt]\]\makeatletter
\[\begingroup\makeatletter\endgroup\]
\(\makeatletter\makeatother\makeatletter\)
\(\begin{array}{l}x\end{array}\makeatletter\)
% \[⏎\makeatletter
\(\global\catcode`\@=11 \)
\hbox{\makeatletter}
\vbox{\hbox{}\makeatletter}
\hbox to 3cm{\makeatletter}
\raisebox{1pt}{\makeatletter}
{\small\makeatletter}
{\catcode`\@=11 }
\catcode`\@=11\relax
\catcode`\@=11%⏎
\catcode`\@=11⏎
\catcode`\@11 %
\catcode`\@=\active
\catcode`\@=\active\catcode`\@=11 %
\catcode`@=11 {\catcode64=12 }
\catcode64=11{}
\catcode"40='13 %
\catcode`\^^40=11 %
\catcode`\@=\catcode`\a %
{\catcode`\@=\catcode`a }
\catcode`\~=\catcode`\% \relax
\catcode`\:=\catcode`\_ %
\catcode`\:=\catcode`\: %
\catcode`\@=\catcode64 %
\global\catcode`\@=11 %
{\global\catcode`\@=11 }
{\global\catcode`\@=11 \catcode`\@=12 }
{\catcode`\@=11 \global\catcode`\@=13 }
{\makeatletter\global\catcode`\@=11 }
{{\global\catcode`\@=11 }\catcode`\@=12 }
{\makeatletter{\global\catcode`\@=13 }}
\begingroup\global\catcode`\@=11 \endgroup
\def\x{\makeatletter}
\def\x#1{\catcode`\@=11 }
\newcommand{\x}[1]{\makeatletter}
\newcommand\x{y}{\makeatletter}
\newcommand\x{y}\makeatletter
\let\x\makeatletter
\let\x=\makeatletter
\ifnum\catcode`\@=11 \fi
\ifnum\catcode`\@=12 \makeatletter\fi
\begingroup\def\x{\endgroup}\makeatletter
\verb|\makeatletter|
\verb*|\makeatletter|
\verb|{|\makeatletter
{\verb|}|\makeatletter}
x=\verb|{|\makeatletter
\begin{verbatim}⏎\makeatletter⏎\end{verbatim}
\begin{verbatim}⏎{\end{verbatim}\makeatletter
\begin{quote}\begin{verbatim}⏎}⏎\end{verbatim}\makeatletter\end{quote}
\string\makeatletter
\chardef\x=\catcode`\@ \makeatletter
\setlength\parindent{0pt}{\makeatletter}
\setlength{\parindent}{0pt}\makeatletter
\catcode`\|=0 |makeatletter
\catcode`\|=0 |def|x{|makeatletter}
\catcode`\|=0 {|makeatletter}
{\catcode`\|=0 |global|catcode`|@=11 }
\catcode`\<=1 \catcode`\>=2 <\makeatletter>
\catcode`\<=1 \catcode`\>=2 <\makeatletter}
\catcode`\<=1 \catcode`\>=2 \def\x<\makeatletter>
\begingroup\ExplSyntaxOn\makeatletter\ExplSyntaxOff\endgroup
\ExplSyntaxOn
\ExplSyntaxOn⏎
{\ExplSyntaxOn}
\begingroup\ExplSyntaxOn\endgroup
\begin{quote}\ExplSyntaxOn\end{quote}
\ExplSyntaxOn\ExplSyntaxOff
\ExplSyntaxOn{\ExplSyntaxOff}
\ExplSyntaxOn{\ExplSyntaxOff⏎}
\ExplSyntaxOn\ExplSyntaxOn\ExplSyntaxOff
{\ExplSyntaxOn\ExplSyntaxOff}
\ExplSyntaxOn\catcode`\:=12\scan_stop:
\ExplSyntaxOn\catcode`\|=13\scan_stop:\ExplSyntaxOff
\makeatletter\ExplSyntaxOn\ExplSyntaxOff
\obeylines
{\obeylines}
{\obeylines%⏎}
\begingroup\obeylines⏎\endgroup
\obeylines\makeatletter
\obeyspaces
{\obeyspaces }
\begin{quote}\obeylines\obeyspaces\end{quote}
\obeylines{\catcode13=5 }
\catcode`\^^M=13%
\catcode`\^^M=12 %
\catcode`\^^M=9 %
\catcode`\^^M=10 %
\catcode`\ =12%
\catcode`\ =9%
\catcode32=13%
\catcode`\~=12 %
\catcode`\~=14 \relax
\catcode`\:=4 %
\catcode`\:=6 %
\catcode`\:=3 %
\catcode`\:=8 %
\catcode`\:=15 %
\catcode`\_=11 %
\endinput⏎\makeatletter
{\makeatletter}\endinput⏎
{\endinput}⏎\makeatletter
\iffalse\endinput\fi⏎\makeatletter
\iftrue\endinput\fi⏎\makeatletter
\string\endinput⏎\makeatletter
\iffalse⏎\expandafter\endinput⏎\fi⏎\makeatletter
\def\x{\endinput}\makeatletter
\let\x\endinput \makeatletter
\verb|\endinput|\makeatletter
\end{document}⏎\makeatletter
\end {document}
\end%⏎{document}
{\end{document}}
\begin{quote}\end{document}
\def\x{\end{document}}\makeatletter
\verb|\end{document}|\makeatletter
% \end{document}⏎\makeatletter
\begin{verbatim}⏎\end{document}⏎\end{verbatim}\makeatletter
END

# What is asked, and what l0-lex is shown: each character behind ?, the last one is the line end. ! is
# what an escape character takes.
cat >head.tex <<'END'
\documentclass{article}
\def\showcodes{\typeout{codes=\the\catcode64,\the\catcode95,\the\catcode58,\the\catcode126,\the\catcode124,\the\catcode32,%
\ifnum\endlinechar=13 \the\catcode13\else\the\catcode32\fi.}}
\begin{document}
END
shown='?@!?_!?:!?~!?|!? !?'

ask() { # NUMBER TEXT
    local text=${2//⏎/$'\n'}
    mkdir "$1"
    cd "$1"
    {
        cat ../head.tex
        printf '%s%%\n\\showcodes\n\\csname @@end\\endcsname\n' "$text"
    } >case.tex
    "$ENGINE" -interaction=batchmode case.tex >console </dev/null || true
    sed -n 's/^codes=\([0-9,]*\)\..*/\1/p' case.log | head -n 1 >asked
    printf '%s%%\n%s\n' "$text" "$SHOWN" >text
    "$LEX" - <text >said || [ $? -eq 1 ]
    # The category code of the first token behind each ? of the last line; of a name, it is 0.
    "$LEX" --tokens - <text >tokens
    awk -F '\t' -v line="$(wc -l <text)" '
        $3 != line { next }
        $2 == "U+003F" { n++; next }
        n && !(n in code) { code[n] = $2 == "U+0021" ? "" : $1 == "cs" ? 0 : $1 }
        END { for (i = 1; i <= 7 && n; i++) printf "%s%s", code[i], i < 7 ? "," : "\n" }' tokens >ours
}
export -f ask
export ENGINE=$engine LEX=$lex SHOWN=$shown
awk '{ printf "%d%c%s%c", NR, 0, $0, 0 }' cases | xargs -0 -n 2 -P "$(nproc)" bash -c 'ask "$@"' _

n=0 wrong=0 not_followed=0
while IFS= read -r text; do
    n=$((n + 1))
    # Ignored and invalid characters give no token, comments drop the rest of the line; the end of a
    # line (5) is a blank where l0-lex is shown it.
    asked=$(awk -F , '{
        for (i = 1; i <= NF; i++) {
            dropped = dropped || $i == 14
            printf "%s%s", dropped || $i == 9 || $i == 15 ? "" : $i == 5 ? 10 : $i, i < NF ? "," : ""
        }
    }' $n/asked)
    ours=$(cat $n/ours)
    if grep -q '\[not-followed\]$' $n/said; then
        not_followed=$((not_followed + 1))
    elif [ "$asked" != "$ours" ]; then
        wrong=$((wrong + 1))
        echo "$text: the category codes of @ _ : ~ | blank, line end are ${asked:-not asked} in $engine, ${ours:-not read} here"
    fi
done <cases
echo "oracle: $n cases asked of $engine, $wrong differ, $not_followed reported as not followed"
[ "$wrong" -eq 0 ]
