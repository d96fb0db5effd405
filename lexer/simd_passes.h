/* The passes over a chunk, compiled for an instruction set. */
#ifndef L0_LEXER_SIMD_PASSES_H
#define L0_LEXER_SIMD_PASSES_H

#include "lexer/simd_classes.h"
#include "lexer/simd_run.h"
#include "lexer/simd_spans.h"

#define SIMD_DEFINE_CLASSIFY(isa, name, regime, at_is_letter)                                      \
    static void name(struct simd_chunk *chunk)                                                     \
    {                                                                                              \
        simd_classify(&(isa), chunk, regime, at_is_letter);                                        \
    }

#define SIMD_DEFINE_CLASSIFY_BY(isa, name, regime)                                                 \
    static void name(struct simd_chunk *chunk)                                                     \
    {                                                                                              \
        simd_classify_by(&(isa), chunk, regime);                                                   \
    }

#define SIMD_DEFINE_RULES(isa, name, with_codes, with_spans)                                       \
    static bool name(struct simd_chunk *chunk)                                                     \
    {                                                                                              \
        const struct simd_variant variant = {.by_codes = (with_codes), .writes = (with_spans)};    \
        return simd_apply_rules(&(isa), chunk, variant);                                           \
    }

#define SIMD_PASSES(classify_of, rules)                                                            \
    {                                                                                              \
        .classify = (classify_of), .apply_rules = (rules), .nest = nest, .put_spans = put_spans,   \
        .take_lines = take_lines                                                                   \
    }
#define SIMD_PASSES2(classify_of)                                                                  \
    {                                                                                              \
        SIMD_PASSES(classify_of, rules_counting), SIMD_PASSES(classify_of, rules_writing)          \
    }
#define SIMD_PASSES2_BY(classify_of)                                                               \
    {                                                                                              \
        SIMD_PASSES(classify_of, rules_counting_by_codes),                                         \
            SIMD_PASSES(classify_of, rules_writing_by_codes)                                       \
    }

/* Defines passes[regime][enum simd_codes_in_force][with spans], for simd_run(), and the functions
 * in it. isa: a static const struct simd_isa. */
#define SIMD_DEFINE_PASSES(isa)                                                                    \
    SIMD_DEFINE_CLASSIFY(isa, classify_lualatex, LEXER_LUALATEX, false)                            \
    SIMD_DEFINE_CLASSIFY(isa, classify_lualatex_at, LEXER_LUALATEX, true)                          \
    SIMD_DEFINE_CLASSIFY(isa, classify_pdflatex, LEXER_PDFLATEX, false)                            \
    SIMD_DEFINE_CLASSIFY(isa, classify_pdflatex_at, LEXER_PDFLATEX, true)                          \
    SIMD_DEFINE_CLASSIFY_BY(isa, classify_lualatex_by, LEXER_LUALATEX)                             \
    SIMD_DEFINE_CLASSIFY_BY(isa, classify_pdflatex_by, LEXER_PDFLATEX)                             \
    SIMD_DEFINE_RULES(isa, rules_counting, false, false)                                           \
    SIMD_DEFINE_RULES(isa, rules_writing, false, true)                                             \
    SIMD_DEFINE_RULES(isa, rules_counting_by_codes, true, false)                                   \
    SIMD_DEFINE_RULES(isa, rules_writing_by_codes, true, true)                                     \
    static struct simd_bulk bulk;                                                                  \
    static void prepare(void)                                                                      \
    {                                                                                              \
        simd_utf8_make();                                                                          \
        simd_bulk_make(&bulk);                                                                     \
    }                                                                                              \
    static bool nest(struct lexer *lx, const uint8_t *input, uint32_t pos,                         \
                     struct simd_chunk *chunk)                                                     \
    {                                                                                              \
        return simd_nest_step(&(isa), &bulk, lx, input, pos, chunk);                               \
    }                                                                                              \
    static uint32_t put_spans(const struct simd_chunk *chunk, uint32_t pos, uint32_t room,         \
                              uint8_t *kinds, uint32_t *starts)                                    \
    {                                                                                              \
        return simd_put_spans(&(isa), chunk, pos, room, kinds, starts);                            \
    }                                                                                              \
    static void take_verbatim(struct lexer *lx, const uint8_t *input, uint32_t have)               \
    {                                                                                              \
        if (lx->regime == LEXER_LUALATEX)                                                          \
            simd_take_lines(&(isa), lx, input, have, LEXER_VERBATIM, LEXER_LUALATEX);              \
        else                                                                                       \
            simd_take_lines(&(isa), lx, input, have, LEXER_VERBATIM, LEXER_PDFLATEX);              \
    }                                                                                              \
    static void take_after_end(struct lexer *lx, const uint8_t *input, uint32_t have)              \
    {                                                                                              \
        simd_take_lines(&(isa), lx, input, have, LEXER_AFTER_END, LEXER_PDFLATEX);                 \
    }                                                                                              \
    static void take_lines(struct lexer *lx, const uint8_t *input, uint32_t have)                  \
    {                                                                                              \
        if (lx->mode == LEXER_MODE_VERBATIM)                                                       \
            take_verbatim(lx, input, have);                                                        \
        else                                                                                       \
            take_after_end(lx, input, have);                                                       \
    }                                                                                              \
    static const struct simd_passes passes[2][3][2] = {                                            \
        [LEXER_LUALATEX] = {SIMD_PASSES2(classify_lualatex), SIMD_PASSES2(classify_lualatex_at),   \
                            SIMD_PASSES2_BY(classify_lualatex_by)},                                \
        [LEXER_PDFLATEX] = {SIMD_PASSES2(classify_pdflatex), SIMD_PASSES2(classify_pdflatex_at),   \
                            SIMD_PASSES2_BY(classify_pdflatex_by)},                                \
    };

#endif
