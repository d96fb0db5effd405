#!/bin/sh
# Makes N random files of what is special to TeX, a third of them with invalid UTF-8, for oracle.sh:
#   scripts/oracle_random.sh N SEED DIRECTORY
# The same N and SEED give the same files.
set -eu
[ $# -eq 3 ] || {
    echo "usage: scripts/oracle_random.sh N SEED DIRECTORY" >&2
    exit 64
}
mkdir -p "$3"
LC_ALL=C awk -v n="$1" -v seed="$2" -v dir="$3" '
function pick(n) { return pieces[int(rand() * n) + 1] }
BEGIN {
    srand(seed)
    n_pieces = split("\\ \\ \\ { } $ & # ^ ^ _ ~ % a a b M f 4 1 5 e 6 @ . ^^ ^^ ^^^ ^^5e ^5e ^^5c " \
        "^^41 ^^M ^^20 ^^25 ^^00 ^^7f ^^09 ^^? ^^@ ^^e9 ^^ad ^^^^0041 ^^^^005e ^^^^00e9 ^^^^ ^^^^^^ " \
        "^^^^^^01d49c ^^^^^^00005c ^^^^^ ^^^^4 \\foo \\foo^^6f ^^! ^^J ^^j", pieces, " ")
    for (i = 0; i < 6; i++) pieces[++n_pieces] = " "
    for (i = 0; i < 5; i++) pieces[++n_pieces] = "\n"
    more = split("  |\t|\r|\r\n|\r|\n\n|\303\251|\342\200\224|\014|\013|\177|\357\273\277|\302\255|" \
        "\302\240|\316\261|\350\252\236|\360\235\222\234|\357\277\275| \n|  \n|^^\n|^^ \n|\\\n|\\ \n|" \
        "\t\n|\001|\036", extra, "|")
    for (i = 1; i <= more; i++) pieces[++n_pieces] = extra[i]
    pieces[++n_pieces] = sprintf("%c", 0)
    n_valid = n_pieces
    more = split("\377|\200|\303|\340\237|\342\200|\355\240\200|\355\237|\360\220\200|\360\217\277\277|" \
        "\364\217\277|\364\220\200\200|\300\200|\301\277|\365|\342\202\342", extra, "|")
    for (i = 1; i <= more; i++) pieces[++n_pieces] = extra[i]
    for (file = 1; file <= n; file++) {
        path = sprintf("%s/r%06d.tex", dir, file)
        length_pieces = int(rand() * (file % 10 ? 14 : 120))
        printf "" > path
        line = ""
        for (i = 0; i < length_pieces; i++) {
            piece = pick(file % 3 ? n_valid : n_pieces)
            # In a control sequence LuaTeX spoils its own buffer at ^^ before a non-ASCII character.
            if (line ~ /(\^|5e)(\^|5e)$/ && line ~ /\\|5c/ && piece ~ /^[\200-\377]/) piece = "a" piece
            line = line piece
            if (piece ~ /[\r\n]/) line = ""
            printf "%s", piece > path
        }
        close(path)
    }
}'
