#include "bench/corpus_kinds.h"

#include "bench/corpus_words.h"

#include <string.h>

static void put_han(struct corpus_text *t, uint32_t n)
{
    for (; n > 0; n--) {
        /* Now and then one outside the common ones: an extension block, or beyond the BMP. */
        if (corpus_once_in(t, 40))
            corpus_put_char(t, corpus_once_in(t, 4) ? 0x20000 + corpus_below(t, 0xa000)
                                                    : 0x4e00 + corpus_below(t, 0x5000));
        else
            corpus_put_bytes(
                t, corpus_han + (size_t)3 * corpus_below(t, (uint32_t)strlen(corpus_han) / 3), 3);
    }
}

static void put_chinese(struct corpus_text *t)
{
    for (uint32_t lines = 3 + corpus_below(t, 6); lines > 0; lines--) {
        for (uint32_t clauses = 1 + corpus_below(t, 3); clauses > 0; clauses--) {
            put_han(t, 5 + corpus_below(t, 12));
            if (corpus_once_in(t, 6))
                corpus_expand(t, " $@m @r @M$ ");
            corpus_put(t, clauses > 1 ? "，" : "。");
        }
        corpus_put(t, "\n");
    }
    corpus_put(t, "\n");
}

static void put_japanese(struct corpus_text *t)
{
    for (uint32_t lines = 3 + corpus_below(t, 6); lines > 0; lines--) {
        for (uint32_t words = 4 + corpus_below(t, 5); words > 0; words--) {
            put_han(t, 1 + corpus_below(t, 2));
            for (uint32_t kana = 1 + corpus_below(t, 4); kana > 0; kana--)
                corpus_put_char(t, 0x3041 + corpus_below(t, 0x56));
            if (corpus_once_in(t, 5))
                for (uint32_t kana = 2 + corpus_below(t, 4); kana > 0; kana--)
                    corpus_put_char(t, 0x30a1 + corpus_below(t, 0x5a));
            corpus_put(t, words > 1 && corpus_once_in(t, 3) ? "、" : "");
        }
        corpus_put(t, "。\n");
    }
    corpus_put(t, "\n");
}

static void put_korean(struct corpus_text *t)
{
    size_t from = t->len;
    for (uint32_t words = 20 + corpus_below(t, 50); words > 0; words--) {
        for (uint32_t syllables = 1 + corpus_below(t, 4); syllables > 0; syllables--)
            corpus_put_char(t, 0xac00 + corpus_below(t, 11172));
        corpus_put(t, words > 1 ? corpus_once_in(t, 8) ? ", " : " " : ".\n");
    }
    corpus_wrap(t, from, 100);
    corpus_put(t, "\n");
}

static void put_words(struct corpus_text *t, const char *const *list, size_t n)
{
    size_t from = t->len;
    for (uint32_t words = 25 + corpus_below(t, 60); words > 0; words--) {
        corpus_put(t, corpus_pick(t, list, n));
        if (corpus_once_in(t, 12))
            corpus_expand(t, " $@m$");
        else if (corpus_once_in(t, 40))
            corpus_expand(t, " «\\emph{@N}»");
        corpus_put(t, words > 1 ? corpus_once_in(t, 7) ? ", " : " " : ".\n");
    }
    corpus_wrap(t, from, 110);
    corpus_put(t, "\n");
}

static void put_structure(struct corpus_text *t)
{
    corpus_put(t, "\\section{");
    put_han(t, 3 + corpus_below(t, 6));
    corpus_expand(t, "}\\label{sec:@s}\n\\begin{equation}\\label{eq:@s} @m @r \\text{");
    put_han(t, 2 + corpus_below(t, 3));
    corpus_expand(t, "} @o @f.\\end{equation}\n% @N: ");
    put_han(t, 8 + corpus_below(t, 10));
    corpus_put(t, "\n\n");
}

static void cjk_head(struct corpus_text *t)
{
    corpus_put(t, "\\documentclass{article}\n"
                  "\\usepackage{fontspec}\n"
                  "\\usepackage{amsmath,amssymb}\n"
                  "\\begin{document}\n\n");
}

static void cjk_block(struct corpus_text *t)
{
    switch (corpus_below(t, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        put_chinese(t);
        break;
    case 4:
    case 5:
        put_japanese(t);
        break;
    case 6:
    case 7:
        put_korean(t);
        break;
    case 8:
    case 9:
        put_words(t, corpus_russian, CORPUS_RUSSIAN);
        break;
    case 10:
        put_words(t, corpus_hellenic, CORPUS_HELLENIC);
        break;
    default:
        put_structure(t);
    }
}

const struct corpus_source corpus_cjk_dense = {
    .name = "cjk_dense",
    .default_bytes = 1000000,
    .seed = 3,
    .head = cjk_head,
    .block = cjk_block,
    .tail = "\\end{document}\n",
};
