/* Cases of what nests deeply: more formulas inside one another than are followed, more braces
 * between them than a stack of the vector kernels has bits. */
#include "tests/kernels/cases.h"

#include "tests/draw.h"
#include "tests/unit/test_lexer_support.h"

/* What goes deeper, what comes back, and what does both or neither. */
static const char *const downs[] = {"{",           "{$",           "{$$",
                                    "\\hbox{$",    "{{{{{{{{{{{{", "{$a{$a{$a{$a{$a",
                                    "\\begin{a}{", "\\begingroup{"};
static const char *const ups[] = {"}",          "$}",        "$$}",         "}}", "}}}}}}}}}}}}",
                                  "$}$}$}$}$}", "}\\end{a}", "}\\endgroup "};
static const char *const others[] = {
    "$",      "$$",     "$$$",  "$%{\n$", "$a$",       "\n\n",     "\r\n\r\n",          "%}\n",
    "{}",     "}{",     "$ $",  "a",      "\\verb|$|", "$\n\n$\n", "\\catcode`\\~=12 ", "}$}$}",
    "}a}a}a", "%$\n\n", "^^7b", "{%\n}"};
#define COUNT_OF(words) ((uint32_t)(sizeof(words) / sizeof *(words)))

static uint32_t put_one(uint8_t *to, const char *const *words, uint32_t n_words, uint64_t *seed)
{
    return cases_put_text(to, words[draw(seed, n_words)]);
}

/* A formula around so many braces, and what stands behind these in it. */
static uint32_t put_pillar(uint8_t *to, uint64_t *seed)
{
    static const char *const behind[] = {"$", "\n\n", "$$", "}", "{$", "a"};
    const uint32_t n_braces = 30 + draw(seed, 60);
    uint32_t n = cases_put_text(to, draw(seed, 2) ? "$" : "$$");
    for (uint32_t i = 0; i < 2 * n_braces; i++)
        to[n++] = i < n_braces ? '{' : '}';
    return n + put_one(to + n, behind, COUNT_OF(behind), seed);
}

/* As many formulas as are followed, some more, back so far, down again; then what is followed only
 * where all that is open is known. */
static uint32_t put_limit(uint8_t *to, uint64_t *seed)
{
    const uint32_t n_down = 30 + draw(seed, 5), n_up = draw(seed, 4), n_again = draw(seed, 4);
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_down + n_up + n_again; i++)
        n += cases_put_text(to + n, i >= n_down && i < n_down + n_up ? "}" : "{$");
    n += cases_put_text(to + n, "\\catcode`\\~=12 ~");
    for (uint32_t i = 0; i < n_down; i++)
        n += cases_put_text(to + n, draw(seed, 2) ? "$}" : "}");
    return n;
}

/* What closes nothing, and comments that hide what is missing. */
static uint32_t put_closes(uint8_t *to, uint64_t *seed)
{
    static const char *const words[] = {"}", "}}", "}a", "$}", "%{\n}", "%{}\n}", "\\%{}}"};
    uint32_t n = 0;
    while (n < 200)
        n += put_one(to + n, words, draw(seed, 2) ? COUNT_OF(words) : 3, seed);
    return n;
}

/* Goes down, moves about there, and comes back, further than it came from or not. */
static uint32_t put_nesting(uint8_t *text, uint32_t n_max, uint64_t *seed)
{
    enum { WORD_MAX = 32, WORDS_MAX = 256 };
    uint32_t n = 0;
    while (n + WORDS_MAX < n_max) {
        const uint32_t kind = draw(seed, 6);
        if (kind < 3) {
            n += kind == 0   ? put_pillar(text + n, seed)
                 : kind == 1 ? put_limit(text + n, seed)
                             : put_closes(text + n, seed);
            continue;
        }
        const uint32_t n_words = 1 + draw(seed, 150), down = 1 + draw(seed, 9);
        const bool only_braces = draw(seed, 4) == 0;
        for (uint32_t i = 0; i < n_words && n + WORD_MAX < n_max; i++) {
            const uint32_t turn = draw(seed, 12);
            if (only_braces)
                text[n++] = turn < down ? '{' : '}';
            else if (turn < down)
                n += put_one(text + n, downs, COUNT_OF(downs), seed);
            else if (turn < 10)
                n += put_one(text + n, ups, COUNT_OF(ups), seed);
            else
                n += put_one(text + n, others, COUNT_OF(others), seed);
        }
    }
    return n;
}

const char *case_deep_nesting(struct cases_sample sample)
{
    uint8_t text[5000];
    uint64_t seed = 11 + sample.first;
    const char *difference = NULL;
    for (uint32_t turn = 0; turn < 1000 / sample.every && !difference; turn++) {
        const uint32_t n = put_nesting(text, 400 + draw(&seed, sizeof text - 400), &seed);
        cases_choose_way(turn % LEXED_WAYS);
        difference = turn % 4 ? cases_long_difference(text, n, turn)
                              : cases_difference_in_both(text, n, "deep nesting", turn);
    }
    cases_choose_way(1);
    return difference;
}
