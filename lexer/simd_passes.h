/* The passes over a chunk, compiled for an instruction set. */
#ifndef L0_LEXER_SIMD_PASSES_H
#define L0_LEXER_SIMD_PASSES_H

#include "lexer/simd_run.h"

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

#define SIMD_DEFINE_STATE(isa, name, by_codes)                                                     \
    static struct simd_state name(const struct simd_chunk *chunk)                                  \
    {                                                                                              \
        return simd_state_at_cut(&(isa), chunk, by_codes);                                         \
    }

#define SIMD_PASSES(classify_of, rules, state)                                                     \
    {                                                                                              \
        .classify = (classify_of), .apply_rules = (rules), .nest = nest, .put_spans = put_spans,   \
        .state_at_cut = (state)                                                                    \
    }
#define SIMD_PASSES2(classify_of)                                                                  \
    {                                                                                              \
        SIMD_PASSES(classify_of, rules_counting, state_at_cut),                                    \
            SIMD_PASSES(classify_of, rules_writing, state_at_cut)                                  \
    }
#define SIMD_PASSES2_BY(classify_of)                                                               \
    {                                                                                              \
        SIMD_PASSES(classify_of, rules_counting_by_codes, state_at_cut_by_codes),                  \
            SIMD_PASSES(classify_of, rules_writing_by_codes, state_at_cut_by_codes)                \
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
    SIMD_DEFINE_STATE(isa, state_at_cut, false)                                                    \
    SIMD_DEFINE_STATE(isa, state_at_cut_by_codes, true)                                            \
    static struct simd_bulk bulk;                                                                  \
    static void prepare(void)                                                                      \
    {                                                                                              \
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
    static const struct simd_passes passes[2][3][2] = {                                            \
        [LEXER_LUALATEX] = {SIMD_PASSES2(classify_lualatex), SIMD_PASSES2(classify_lualatex_at),   \
                            SIMD_PASSES2_BY(classify_lualatex_by)},                                \
        [LEXER_PDFLATEX] = {SIMD_PASSES2(classify_pdflatex), SIMD_PASSES2(classify_pdflatex_at),   \
                            SIMD_PASSES2_BY(classify_pdflatex_by)},                                \
    };

#endif
