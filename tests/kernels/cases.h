/* What kernels are compared with the portable one on, for the unit tests and for the program that
 * runs on other processors too: libc only. */
#ifndef L0_TESTS_KERNELS_CASES_H
#define L0_TESTS_KERNELS_CASES_H

#include <stdint.h>

/* Of very many things, those to take: the first one, and every so-many-th from it on. */
struct cases_sample {
    uint32_t first, every; /* first < every */
};

/* Each is a function case_NAME(): NULL, or what differs and where, in memory that the next call
 * overwrites. */
#define KERNELS_CASES(X)                                                                           \
    X(every_byte)                                                                                  \
    X(every_pair_lualatex)                                                                         \
    X(every_pair_pdflatex)                                                                         \
    X(every_code_point)                                                                            \
    X(every_utf8_lead)                                                                             \
    X(changed_codes)                                                                               \
    X(changes_of_codes)                                                                            \
    X(random_words)                                                                                \
    X(dense_nesting)                                                                               \
    X(deep_nesting)                                                                                \
    X(raw_lines)                                                                                   \
    X(inline_text)                                                                                 \
    X(every_caret)                                                                                 \
    X(caret_rows)                                                                                  \
    X(caret_words)                                                                                 \
    X(between_unreadable_pages)                                                                    \
    X(long_runs)                                                                                   \
    X(capacity)

#define CASE_DECLARE(name) const char *case_##name(struct cases_sample sample);
KERNELS_CASES(CASE_DECLARE)

/* All kernels that run here on one input and in one regime (enum lexer_regime), whole and in
 * pieces, with what is in force of lexed_choose_way(). what, where: for the text of the result. */
const char *cases_difference(unsigned regime, const uint8_t *in, uint32_t n, const char *what,
                             uint64_t where);

/* The same in both regimes. */
const char *cases_difference_in_both(const uint8_t *in, uint32_t n, const char *what,
                                     uint64_t where);

/* The same for long documents, in few pieces. */
const char *cases_long_difference(const uint8_t *in, uint32_t n, uint64_t where);

/* The same of texts of one of the first pieces, and then of the others in any order; more of the
 * last one. */
const char *cases_of_pieces(const char *const *pieces, uint32_t n_pieces, uint32_t n_first,
                            struct cases_sample sample, const char *what);

/* Copies a text without its NUL; the number of its bytes. */
uint32_t cases_put_text(uint8_t *to, const char *from);

/* Which of the LEXED_WAYS cases_difference() takes. */
void cases_choose_way(unsigned way);

#endif
