#include "bench/corpus_kinds.h"

static const char *const definitions[] = {
    "\\newif\\ifmd@@@l\n",
    "\\newcount\\md@@c@l \\md@@count=@i\\relax\n",
    "\\newdimen\\md@@w@l \\md@@width=@fpt\n",
    "\\let\\md@@@l\\relax % @a @n\n",
    "\\chardef\\md@@@l=`\\@x\\relax\n",
    "\\DeclareOption{@a-@s}{\\md@@opt{@i}\\def\\md@@@l{@fpt}}\n",
    "\\newcommand*{\\@l@n}[1][@i]{\\md@@set{@a}{#1}\\ignorespaces}\n",
    "\\def\\md@@@l#1#2\\@@nil{\\ifx\\relax#2\\md@@one{#1}\\else\\md@@two{#1}#2\\fi}\n",
    "\\edef\\md@@@l{\\the\\numexpr@i*\\md@@count+@i\\relax}%\n",
    "\\setlength{\\md@@width}{@fpt plus @ipt minus @fem}% @n\n",
    "\\define@@key{md}{@a@s}[@i]{\\md@@store{#1}{\\md@@@l}}\n",
    "\\expandafter\\let\\csname md@@@a@s\\expandafter\\endcsname\\csname md@@@n\\endcsname\n",
    "\\PackageWarning{md}{The @n @d @v\\MessageBreak the @a @n @s}\n",
    "\\AtBeginDocument{\\@@ifpackageloaded{@a@i}{\\md@@@l}{\\let\\md@@@l\\@@empty}}\n",
    "\\RequirePackage[@a=@s]{md-@a}[20@i/@i/@i]\n",
    "%% The @a @n @d @v the @n; @N, @i.\n",
};

/* Lines within a definition. */
static const char *const steps[] = {
    "  \\ifnum\\md@@count>@i\\relax\\md@@@l\\else\\md@@swap{#1}{@i}\\fi\n",
    "  \\ifdim\\md@@width<@fpt \\advance\\md@@width by -@fpt \\fi\n",
    "  \\expandafter\\expandafter\\expandafter\\md@@@l\\expandafter{\\md@@buf}%\n",
    "  \\begingroup\\lccode`\\~=`\\@x\\lowercase{\\endgroup\\def\\md@@@l{~}}%\n",
    "  \\@@ifnextchar[{\\md@@@l}{\\md@@@l[@i]}%\n",
    "  \\futurelet\\md@@token\\md@@@l % @a\n",
    "  \\@@for\\md@@item:=#2\\do{\\md@@add{\\md@@item}{@i}\\md@@@l}%\n",
    "  \\setbox\\md@@box=\\hbox{\\kern@fpt\\unhbox\\md@@box\\hskip@fem}%\n",
    "  \\global\\csname md@@@a@s\\endcsname=\\md@@count\n",
    "  \\md@@trace{@d @a}{\\string\\md@@@l}{#1:##1}%\n",
    "  \\protected@@edef\\md@@tmp{#2,\\md@@tmp,@s}%\n",
    "  \\loop\\ifnum\\md@@count<@i\\advance\\md@@count@i\\md@@@l\\repeat\n",
};

static void macros_head(struct corpus_text *t)
{
    corpus_put(t, "%% A package source for measurements; it is lexed, never loaded.\n"
                  "\\NeedsTeXFormat{LaTeX2e}\n"
                  "\\ProvidesPackage{md}[2024/01/01 macro-dense sample]\n");
}

static void macros_block(struct corpus_text *t)
{
    if (corpus_once_in(t, 3)) {
        for (uint32_t n = 1 + corpus_below(t, 6); n > 0; n--)
            corpus_expand(t, CORPUS_PICK(t, definitions));
        return;
    }
    corpus_expand(t, "\\newcommand{\\md@@@l}[2]{%\n");
    for (uint32_t n = 2 + corpus_below(t, 8); n > 0; n--)
        corpus_expand(t, CORPUS_PICK(t, steps));
    corpus_expand(t, "  \\md@@finish{@i}{\\md@@@l}}\n");
}

const struct corpus_source corpus_macro_dense = {
    .name = "macro_dense",
    .default_bytes = 1000000,
    .seed = 2,
    .head = macros_head,
    .block = macros_block,
    .tail = "\\endinput\n",
};
