/* The passes over a chunk, compiled for an instruction set. */
#ifndef L0_LEXER_SIMD_PASSES_H
#define L0_LEXER_SIMD_PASSES_H

#include "lexer/simd_run.h"

#define SIMD_DEFINE_CLASSIFY(isa, name, regime, at_is_letter)                                      \
    static void name(struct simd_chunk *chunk)                                                     \
    {                                                                                              \
        simd_classify(&(isa), chunk, regime, at_is_letter);                                        \
    }

#define SIMD_DEFINE_RULES(isa, name, writes)                                                       \
    static bool name(struct simd_chunk *chunk)                                                     \
    {                                                                                              \
        return simd_apply_rules(&(isa), chunk, writes);                                            \
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

/* Defines passes[regime][@ is a letter][with spans], for simd_run(), and the functions in it. isa:
 * a static const struct simd_isa. */
#define SIMD_DEFINE_PASSES(isa)                                                                    \
    SIMD_DEFINE_CLASSIFY(isa, classify_lualatex, LEXER_LUALATEX, false)                            \
    SIMD_DEFINE_CLASSIFY(isa, classify_lualatex_at, LEXER_LUALATEX, true)                          \
    SIMD_DEFINE_CLASSIFY(isa, classify_pdflatex, LEXER_PDFLATEX, false)                            \
    SIMD_DEFINE_CLASSIFY(isa, classify_pdflatex_at, LEXER_PDFLATEX, true)                          \
    SIMD_DEFINE_RULES(isa, rules_counting, false)                                                  \
    SIMD_DEFINE_RULES(isa, rules_writing, true)                                                    \
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
    static const struct simd_passes passes[2][2][2] = {                                            \
        [LEXER_LUALATEX] = {SIMD_PASSES2(classify_lualatex), SIMD_PASSES2(classify_lualatex_at)},  \
        [LEXER_PDFLATEX] = {SIMD_PASSES2(classify_pdflatex), SIMD_PASSES2(classify_pdflatex_at)},  \
    };

#endif
