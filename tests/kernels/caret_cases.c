/* Cases of ^^ notation. */
#include "tests/kernels/cases.h"

#include "tests/kernels/difference.h"

/* What stands before it, in lines of their own; and behind, so that nothing is near the end. */
static const char *const before[] = {"a",     "",   " ",  "\\",    "\\a",  "\\begi", "^^41",
                                     "1^^5e", "{}", "^^", "\x7F!", "$\\:", "  ",     "^^5c"};
static const char behind[] = "ef5 ^^41^^A\n x ";
#define N_BEFORE (sizeof before / sizeof before[0])

/* The middle in all surroundings. */
static uint32_t put_all(uint8_t *to, const uint8_t *middle, uint32_t n_middle)
{
    uint32_t n = 0;
    for (size_t i = 0; i < N_BEFORE; i++) {
        n += cases_put_text(to + n, before[i]);
        memcpy(to + n, middle, n_middle);
        n += n_middle;
        n += cases_put_text(to + n, behind);
    }
    return n;
}

/* ^^ with every byte behind it, and behind that one what may go on with it. */
const char *case_every_caret(struct cases_sample sample)
{
    static const char fourths[] = "^ \n\r09af:g\x7F\xC3\\e";
    uint8_t text[1024];
    const char *difference = NULL;
    for (uint32_t i = sample.first; i < 256 * sizeof fourths && !difference; i += sample.every) {
        const uint8_t caret[] = {'^', '^', (uint8_t)(i / sizeof fourths),
                                 (uint8_t)fourths[i % sizeof fourths]};
        const uint32_t n = put_all(text, caret, sizeof caret);
        difference = cases_difference_in_both(text, n, "^^ and a byte times 16", i);
    }
    return difference;
}

/* Rows of ^, and what would make a long form of them. */
const char *case_caret_rows(struct cases_sample sample)
{
    static const char *const ends[] = {"",     "a",   "0041", "01d49c", "110000", " ",   "\n",
                                       "\r\n", "5e4", "1d4",  "\\a",    "\xC3",   "\x1E"};
    enum { N_ENDS = sizeof ends / sizeof ends[0], ROW_MAX = 40 };
    uint8_t text[1500];
    const char *difference = NULL;
    for (uint32_t i = sample.first; i < ROW_MAX * N_ENDS && !difference; i += sample.every) {
        uint8_t middle[ROW_MAX + 8];
        uint32_t n = i / N_ENDS;
        memset(middle, '^', n);
        n += cases_put_text(middle + n, ends[i % N_ENDS]);
        n = put_all(text, middle, n);
        difference = cases_difference_in_both(text, n, "a row of ^ times 13", i);
    }
    return difference;
}

const char *case_caret_words(struct cases_sample sample)
{
    static const char *const pieces[] = {
        "text ",
        "\\catcode`\\^=12 ",
        "\\catcode30=12 ",
        "\\catcode30=9 \\catcode`\\!=7 ",
        "\\catcode`\\M=0 \\catcode`\\`=10 ",
        "\\ExplSyntaxOn\n",
        "^^41",
        "^^A",
        "^^5e",
        "^^5e^5e",
        "^^5e^41",
        "^^^",
        "^",
        "^^^^^^^^^^^^^^^^^^^^^^^^^",
        "^^^^0041",
        "^^^^00e9",
        "^^^^^^01d49c",
        "^^^^^^110000",
        "^^e9",
        "^^ad",
        "^^\xC3\xA9",
        "^^7b",
        "^^7d",
        "^^24",
        "^^25",
        "^^M",
        "^^J",
        "^^20",
        "^^00",
        "^^1e",
        "^^\x1E^41",
        "^^ ",
        "^^  ",
        "^^\n",
        "^^\r\n",
        "^^\r",
        "^^  \n",
        "^^5c",
        "^^5cfoo",
        "\\",
        "\\^^",
        "\\^^41",
        "\\^^@",
        "\\^^20",
        "\\f^^6f",
        "\\f^^e9",
        "\\begi^^6e",
        "\\mak^^65atletter",
        "\\foo",
        "\\^",
        "!!",
        "\\catcode`\\^=12 ",
        "\\catcode`\\^=7 ",
        "{",
        "}",
        "$",
        "%",
        "\n",
        "\n\n",
        "a",
        " ",
        "5e",
        "^^",
    };
    return cases_of_pieces(pieces, sizeof pieces / sizeof pieces[0], 6, sample, "words of carets");
}
