/* Cases of text that TeX's rules do not apply to. */
#include "tests/kernels/cases.h"

#include "tests/kernels/difference.h"

/* Appends the piece; crlf: with CR before each LF. False: there is no room. */
static bool put_piece(uint8_t *text, uint32_t n_max, uint32_t *n, const char *piece, bool crlf)
{
    for (; *piece; piece++) {
        if (n_max - *n < 2)
            return false;
        if (crlf && *piece == '\n' && (*n == 0 || text[*n - 1] != '\r'))
            text[(*n)++] = '\r';
        text[(*n)++] = (uint8_t)*piece;
    }
    return true;
}

const char *cases_of_pieces(const char *const *pieces, uint32_t n_pieces, uint32_t n_first,
                            struct cases_sample sample, const char *what)
{
    uint8_t text[1500];
    uint64_t seed = 11 + sample.first;
    const char *difference = NULL;
    for (uint32_t turn = 0; turn < 3000 / sample.every && !difference; turn++) {
        const uint32_t n_kinds = 2 + draw(&seed, n_pieces - n_first - 1);
        const uint32_t n_max = 100 + draw(&seed, (uint32_t)(sizeof text - 100));
        const char *piece = pieces[draw(&seed, n_first)];
        uint32_t n = 0;
        while (put_piece(text, n_max, &n, piece, turn % 3 == 0)) {
            const uint32_t choice = draw(&seed, 2 * n_kinds);
            piece = pieces[choice < n_kinds ? n_pieces - 1 - choice : n_pieces - 1];
        }
        cases_choose_way(turn % LEXED_WAYS);
        difference = cases_difference_in_both(text, n, what, turn);
    }
    cases_choose_way(1);
    return difference;
}

/* Verbatim environments, and what stands behind the end. */
const char *case_raw_lines(struct cases_sample sample)
{
    static const char *const pieces[] = {
        "\\begin{verbatim}\n",
        "a\n\\endinput\n",
        "\\begin{document}\nx\\end{document}",
        "x\r\n\\begin{lstlisting}\r\n",
        "\\begin{listing}% a\n\r\n",
        "\x01",
        "\x7F",
        "\xFF",
        "\r",
        "\xE2\x80\xAE\n",
        "\xC2\xA0",
        "\xEF\xBB\xBF",
        "\f",
        "\\end{verbatim}",
        "\\end{lstlisting}\r\n\\verb|x|\\begin{lstlisting}",
        "\\end{listing}\n\\begin{verbatim*}",
        "\r\n",
        "\\end{verbati",
        "\\e",
        "\\",
        "\xC3\xA9",
        "\xE4\xB8\xAD",
        "\xE2\x80\x94",
        "\xF0\x9D\x92\x9C",
        "\xC3\xA9\xC3\xA8\xD0\xB6\xCE\xB1\xE4\xB8\xAD\xE2\x80\x94\xE3\x81\x82\xC4\x80",
        "\t",
        "   \n",
        "  ",
        " a line of text that is neither too short nor too long, {and} $more% \n",
        "\n",
        "some text",
    };
    return cases_of_pieces(pieces, sizeof pieces / sizeof pieces[0], 5, sample, "raw lines");
}

/* \verb and its like, among what may and may not go on behind them. */
const char *case_inline_text(struct cases_sample sample)
{
    static const char *const pieces[] = {
        "a {b $c$} ",
        "{",
        "$",
        "\\makeatletter ",
        "a \\makeatother\\makeatletter@b ",
        "\\let",
        "\\def\\x#1{",
        "\\string",
        "\\verb*|a b|",
        "\\verb |a|",
        "\\verb| ",
        "\\verb\\a\\",
        "\\verb}a}",
        "\\verb|\\|",
        "\\verb|%|\n",
        "\\verb$a{$",
        "\\verb^^^",
        "\\verb|\t|",
        "\\verb|\xC3\xA9|",
        "\\mintinline {c}|x|",
        "\\mintinline{c++}{x{y}z}",
        "\\lstinline[a]|b|",
        "\\lstinline{a{b}c}",
        "\\lstinline|$x|",
        "\\verb@a@",
        "\\verbx",
        "%",
        "\r\n",
        "\\begin{a}",
        "\\end{a}",
        "^",
        "~",
        "}",
        "$",
        " ",
        "\n",
        "12",
        "\xC3\xA9",
        "\\a",
        "\\verb+\\a{$x$} }&_+",
        "\\verb|x|",
        "plain text of some words ",
    };
    return cases_of_pieces(pieces, sizeof pieces / sizeof pieces[0], 5, sample, "inline text");
}
