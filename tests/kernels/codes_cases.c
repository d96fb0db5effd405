/* Cases of category codes that change. */
#include "tests/kernels/cases.h"

#include "tests/kernels/difference.h"

/* Every byte at many places behind changes of category codes, in text that shows them. */
static const char *const changes[] = {
    "\\ExplSyntaxOn ",
    "\\ExplSyntaxOn\n",
    "\\ExplSyntaxOn\\ExplSyntaxOff ",
    "\\catcode`\\!=9 ",
    "\\catcode`\\!=9 \\catcode`\\~=10 ",
    "\\catcode32=9 ",
    "\\catcode9=9 \\catcode`\\!=10 ",
    "\\catcode9=12 ",
    "\\catcode`\\!=9 \\catcode13=9 ",
    "\\catcode`\\!=9 \\catcode13=10 ",
    "\\catcode`\\|=0 \\catcode`\\!=14 ",
    "\\catcode`\\|=14 \\catcode`\\:=15 ",
    "\\catcode`\\^=12 \\catcode`\\_=11 ",
    "\\catcode`\\^=9 \\catcode`\\_=13 ",
    "\\catcode`\\<=1 \\catcode`\\>=2 \\catcode`\\!=3 ",
    "\\catcode`\\{=12 \\catcode`\\!=5 ",
    "\\catcode`\\e=9 \\catcode`\\d=12 ",
    "\\catcode`\\c=9 \\begin{a}x\\endc{a}",
    "\\catcode`\\#=10 \\begin{a}x\\end#{a}",
    "\\catcode0=12 \\catcode1=9 ",
    "\\catcode195=12 ",
    "\\catcode`\\%=9 {\\catcode`\\!=9 ",
    "\\catcode`\\z=12 {\\catcode`\\z=11 ",
    "\\obeylines ",
    "\\obeylines\\obeyspaces\\relax\\catcode`\\|=15 ",
    "\\catcode13=12 \\catcode`\\:=12 ",
    "\\catcode13=9 ",
    "\\catcode32=11\\relax\\catcode`\\e=12\\relax",
    "\\catcode32=12\\relax\\catcode13=10\\relax\\catcode9=12\\relax",
    "\\catcode32=15\\relax\\catcode13=13\\relax",
    "\\catcode32=14\\relax",
    "\\catcode32=0\\relax",
    "\\catcode32=2\\relax\\begin{ \n{a",
    "\\catcode9=11\\relax"};
static const char *const changed[] = {
    "a ! b!!  !\n !\n\\x_y:n ~ {b}~\n!\t \n\n|zz$d$\t!\n",
    "!  !\\begin{a}! z\\end{a} \\\\ }bzzz \\~ \\!x <c> ^^41 \\endcsname !\r\n \t!  ! x",
    "a\\\t \n\\\nb\\ \t\n\\~ \n\\~\t\nx\n\\ !\n\\\t!\n\\~!!\n ",
};
#define N_CHANGES (sizeof changes / sizeof changes[0])
#define N_CHANGED (sizeof changed / sizeof changed[0])

static void fill_changed(uint8_t *text, uint32_t n, size_t of)
{
    for (uint32_t at = 0; at < n; at++)
        text[at] = (uint8_t)changed[of][at % strlen(changed[of])];
}

const char *case_changed_codes(struct cases_sample sample)
{
    enum { N = 300 };
    uint8_t text[N];
    const char *difference = NULL;
    for (uint32_t i = sample.first; i < 256 * N_CHANGES && !difference; i += sample.every) {
        for (size_t of = 0; of < N_CHANGED && !difference; of++) {
            fill_changed(text, N, of);
            const uint32_t n = cases_put_text(text, changes[i / 256]);
            text[n + (i * 7) % (N - n)] = (uint8_t)i;
            difference = cases_difference_in_both(text, N, "a byte behind a change", i);
        }
    }
    return difference;
}

/* Two changes, the second one amid what vector code has looked at already. */
const char *case_changes_of_codes(struct cases_sample sample)
{
    enum { N = 1500, SECOND = 200 };
    uint8_t text[N];
    const char *difference = NULL;
    for (uint32_t i = sample.first; i < N_CHANGES * N_CHANGES && !difference; i += sample.every) {
        for (size_t of = 0; of < N_CHANGED && !difference; of++) {
            fill_changed(text, N, of);
            (void)cases_put_text(text, changes[i / N_CHANGES]);
            (void)cases_put_text(text + SECOND + i % 60, changes[i % N_CHANGES]);
            difference = cases_difference_in_both(text, N, "two changes", i);
        }
    }
    return difference;
}
