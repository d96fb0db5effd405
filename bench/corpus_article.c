#include "bench/corpus_kinds.h"

static const char *const sentences[] = {
    "The @a @n @d @v every @a @n.",
    "Since $@m @r @m$, the @n of the @a @n @v the @n.",
    "By a result of @N, $@M @r @m$ whenever the @n is @a.",
    "Let $@x$ be such that $@m @r @M$; then each @a @n @d @v $@M$.",
    "This @n, due to @N and @N~\\cite{ref@i}, @v the @a @n up to @i\\,\\%.",
    "In contrast, no @a @n of order @i @v its @n, as \\emph{@a @n} shows.",
    "We write $@M$ for the @a @n and $@g_{@x}$ for its @n (Section~\\ref{sec:@i}).",
    "It was @N who saw that the “@a @n” @d @v $@m$ --- and nothing else.",
    "Equation~\\eqref{eq:@i} @v the @n with error at most $@f \\times 10^{-@i}$.",
    "For @a @n{}s the @n @v $@M @r @M$, so that $@m$ remains @a.",
    "Nevertheless, the @n \\textbf{@v} some @a @n; compare @N (19@i, p.~@i).",
    "A naïve @n – or, worse, a @a façade of it – @v the @n in @i of @i cases.",
    "One may ask whether $@M @o @M @r @M$ @d; the @a answer of @N is “rarely”.",
    "Here \\verb|f@l(@x,@i)| @v the @n, while \\texttt{@n} @v its @n.",
    "If the @n is @a and the @n @a, then the @n @v $@m @o @m$.",
    "Both the @n\\footnote{The @a @n of @N @d @v it.} and the @n stay @a.",
};

static void put_comment(struct corpus_text *t)
{
    static const char *const comments[] = {
        "%% @N: the @a @n @v this, see p. @i\n",
        "% compare $@m$ with the @n in {@n}\n",
        "% \\begin{remark} the @n @v @i @n \\end{remark} was here\n",
        "%-- @n @s: @a, @a, @d @a ---------------------\n",
    };
    corpus_expand(t, CORPUS_PICK(t, comments));
}

/* Rare notation that sends a lexer onto its slow path. */
static void put_caret(struct corpus_text *t)
{
    static const char *const carets[] = {
        "The caf^^65 of @N @v the @n.",
        "So ^^5cemph{the @a @n} @v @i @n{}s.",
        "Thus $@x^^3d@f$ holds @d.",
        "An ^^41@a @n of @N @v it @d.",
    };
    corpus_expand(t, CORPUS_PICK(t, carets));
}

static void put_sentences(struct corpus_text *t, uint32_t n)
{
    size_t from = t->len;
    for (uint32_t i = 0; i < n; i++) {
        if (corpus_once_in(t, 60))
            put_caret(t);
        else
            corpus_expand(t, CORPUS_PICK(t, sentences));
        if (i + 1 < n && corpus_once_in(t, 12)) {
            corpus_wrap(t, from, 66 + corpus_below(t, 14));
            corpus_put(t, " ");
            put_comment(t);
            from = t->len;
        } else {
            corpus_put(t, i + 1 < n ? " " : "\n");
        }
    }
    corpus_wrap(t, from, 66 + corpus_below(t, 14));
}

static void put_paragraph(struct corpus_text *t)
{
    put_sentences(t, 5 + corpus_below(t, 7));
    corpus_put(t, "\n");
}

static void put_section(struct corpus_text *t)
{
    static const char *const headings[] = {
        "\\section{On the @a @n of @N}\\label{sec:@s}\n",
        "\\subsection{The @a @n and its @n}\\label{sec:@s}\n",
        "\\subsection*{How the @n @v a @a @n (@s)}\n",
        "\\paragraph{A @a @n: @N, @i.}\n",
    };
    corpus_expand(t, CORPUS_PICK(t, headings));
    put_paragraph(t);
}

static void put_display(struct corpus_text *t)
{
    static const char *const displays[] = {
        "\\begin{equation}\\label{eq:@s}\n  @m @o @m\n  @r @m @o @M.\\end{equation}\n",
        "\\begin{equation*} @m\n  @r \\sum_{@x=@i}^{@i} @m @o @f.\\end{equation*}\n",
        "\\[ @m @o @m @r @f @o @m, \\qquad\n   @m @r @m @o @M. \\]\n",
        "\\[ @x = \\begin{pmatrix} @i & @f & @M \\\\\n @M & -@i & @m \\\\\n"
        " @f & @M & @i \\end{pmatrix}, \\quad \\det @x @r @f. \\]\n",
        "\\[ @x(@g) = \\begin{cases} @m & \\text{if $@M @r @M$ is @a,} \\\\\n"
        " @f @o @M & \\text{for a @a @n.} \\end{cases} \\]\n",
    };
    put_sentences(t, 1 + corpus_below(t, 3));
    corpus_expand(t, CORPUS_PICK(t, displays));
    put_sentences(t, 2 + corpus_below(t, 3));
    corpus_put(t, "\n");
}

static void put_align(struct corpus_text *t)
{
    put_sentences(t, 2);
    corpus_expand(t, "\\begin{align} @M @o @M &@r @m @o @m \\label{eq:@s}\\\\\n");
    for (uint32_t rows = 2 + corpus_below(t, 6); rows > 0; rows--)
        corpus_expand(t, corpus_once_in(t, 3) ? "    &@r @m @o @m @o @m \\notag\\\\\n"
                                              : "  @M &@r @m @o @m \\label{eq:@s}\\\\\n");
    corpus_expand(t, "    &@r @m @o @f.\\end{align}\n");
    put_paragraph(t);
}

static void put_table(struct corpus_text *t)
{
    corpus_expand(t, "\\begin{center} % @a @n, @s\n");
    corpus_expand(t, "\\begin{tabular}{l|rrr} @a @n & @n & $@M$ & $@M$ \\\\ \\hline\n");
    for (uint32_t rows = 4 + corpus_below(t, 12); rows > 0; rows--)
        corpus_expand(t, corpus_once_in(t, 5)
                             ? "\\multicolumn{2}{l|}{@a @n} & $@f$ & $@M @o @M$ \\\\\n"
                             : "  @N, @n & @i & @f & $@f \\pm @f$ \\\\\n");
    corpus_expand(t, "  \\textit{@a} & @i & @f & @i \\end{tabular} \\end{center}\n");
    put_paragraph(t);
}

static void put_list(struct corpus_text *t)
{
    corpus_expand(t, "The @a @n @v @i things, namely:\n");
    corpus_expand(t, "\\begin{itemize} % @n @s\n");
    for (uint32_t items = 3 + corpus_below(t, 4); items > 0; items--) {
        corpus_expand(t, "  \\item[@N] ");
        put_sentences(t, 1 + corpus_below(t, 2));
    }
    corpus_expand(t, "  \\item the @a @n, @d. \\end{itemize}\n\n");
}

static void put_theorem(struct corpus_text *t)
{
    corpus_expand(t, "\\begin{theorem}[@N]\\label{thm:@s}\n");
    put_sentences(t, 2 + corpus_below(t, 2));
    corpus_expand(t, "Then $@m @r @m$ for the @a @n. \\end{theorem}\n");
    put_paragraph(t);
}

static void put_macros(struct corpus_text *t)
{
    for (uint32_t n = 1 + corpus_below(t, 3); n > 0; n--) {
        uint32_t name = t->serial++;
        corpus_put(t, "\\newcommand{\\mx");
        corpus_put_letters(t, name);
        corpus_expand(t, "}[2]{\\mathrm{@x}_{#1}^{\\,#2} @o @m} % @a @n\n");
        corpus_expand(t, "The @n $\\mx");
        corpus_put_letters(t, name);
        corpus_expand(t, "{@M}{@i} @r @m$ @v the @a @n.\n");
    }
    corpus_put(t, "\n");
}

static void put_verbatim(struct corpus_text *t)
{
    static const char *const lines[] = {
        "int f@l(int @x) { return @i * @x + @i; }\n",
        "  for (i = @i; i < n_@l; i++) { sum[i] += @f * @x[i - @i]; }\n",
        "$ cp data/@a.@s $HOME/run-@i/out.txt\n",
        "# @i % of the @n is @a (@d)\n",
        "if (p_@l != NULL && *p == '@x') { printf(\"@n: @i\\n\"); } /* @a */\n",
        "    @x_@l := map(@x -> @x^@i + @f, [@i .. @i]);  -- @n\n",
    };
    corpus_put(t, "\\begin{verbatim}\n");
    for (uint32_t n = 4 + corpus_below(t, 8); n > 0; n--)
        corpus_expand(t, CORPUS_PICK(t, lines));
    corpus_put(t, "\\end{verbatim}\n");
    put_paragraph(t);
}

static void put_comments(struct corpus_text *t)
{
    for (uint32_t n = 2 + corpus_below(t, 5); n > 0; n--)
        put_comment(t);
    put_paragraph(t);
}

static void article_head(struct corpus_text *t)
{
    corpus_put(t, "\\documentclass[11pt]{article}\n"
                  "\\usepackage[utf8]{inputenc}\n"
                  "\\usepackage{amsmath,amssymb}\n"
                  "\\newtheorem{theorem}{Theorem}\n"
                  "\\newcommand{\\norm}[1]{\\left\\lVert #1 \\right\\rVert}\n");
    corpus_expand(t, "\\title{The @a @n\\thanks{For @N.}}\n"
                     "\\author{@N \\and @N}\n"
                     "\\date{}\n"
                     "\\begin{document}\n"
                     "\\maketitle\n\n");
}

static void article_block(struct corpus_text *t)
{
    /* Weights in thirtieths. */
    uint32_t kind = corpus_below(t, 30);
    if (kind < 9)
        put_paragraph(t);
    else if (kind < 15)
        put_display(t);
    else if (kind < 18)
        put_align(t);
    else if (kind < 20)
        put_table(t);
    else if (kind < 22)
        put_list(t);
    else if (kind < 24)
        put_theorem(t);
    else if (kind < 26)
        put_macros(t);
    else if (kind < 27)
        put_verbatim(t);
    else if (kind < 28)
        put_comments(t);
    else
        put_section(t);
}

const struct corpus_source corpus_perf_smoke_big = {
    .name = "perf_smoke_big",
    .default_bytes = 1100000,
    .seed = 1,
    .head = article_head,
    .block = article_block,
    .tail = "\\end{document}\n",
};

const struct corpus_source corpus_edit_window_4kb = {
    .name = "edit_window_4kb",
    .default_bytes = 4096,
    .seed = 4,
    .head = article_head,
    .block = article_block,
    .tail = "\\end{document}\n",
};
