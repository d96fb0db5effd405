/* The lexer: bytes of one LaTeX source in; spans, token count and diagnostics out.
 *
 * Pure functions: no I/O, no allocation, no globals after lexer_init(), re-entrant. The input is
 * never modified, and nothing at or behind input + have_bytes is read.
 *
 * Spans are a structure of arrays in the caller's memory, kinds[i] and starts[i]; span i ends where
 * span i + 1 begins, and starts[n_spans] equals the input length. They tile the input: no gap, no
 * overlap, none empty. See lexer/LEXING.md for the rules and their sources in The TeXbook. */
#ifndef L0_LEXER_LEXER_H
#define L0_LEXER_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Documents are shorter than 1 GiB, so that offsets and token counts fit 32 bits. */
#define LEXER_INPUT_BYTES_MAX ((UINT32_C(1) << 30) - 1)

enum lexer_regime {
    LEXER_LUALATEX = 0, /* characters are Unicode code points (UTF-8) */
    LEXER_PDFLATEX = 1, /* characters are bytes */
};

/* Span kinds are a wire format: never renumbered, only added to. */
enum lexer_kind {
    LEXER_LETTERS = 0,        /* run of catcode 11: one token a character */
    LEXER_OTHERS = 1,         /* run of catcode 12: one token a character */
    LEXER_SPACE = 2,          /* run of blanks that gives one space token */
    LEXER_SKIPPED = 3,        /* blanks and ignored characters that give none */
    LEXER_EOL_SPACE = 4,      /* line end that gives a space token */
    LEXER_EOL_PAR = 5,        /* line end that gives \par */
    LEXER_EOL_NONE = 6,       /* line end that gives nothing */
    LEXER_CONTROL_WORD = 7,   /* escape and letters */
    LEXER_CONTROL_SYMBOL = 8, /* escape and one other character, or the line end */
    LEXER_BEGIN_GROUP = 9,    /* catcode 1, one character (so are the next ones) */
    LEXER_END_GROUP = 10,
    LEXER_MATH_SHIFT = 11,
    LEXER_ALIGNMENT = 12,
    LEXER_PARAMETER = 13,
    LEXER_SUPERSCRIPT = 14,
    LEXER_SUBSCRIPT = 15,
    LEXER_ACTIVE = 16,
    LEXER_COMMENT = 17,   /* comment character to the line end inclusive */
    LEXER_INVALID = 18,   /* run of catcode 15: no token */
    LEXER_VERBATIM = 19,  /* context layer only */
    LEXER_AFTER_END = 20, /* context layer only */
    LEXER_KIND_COUNT
};

/* Set in kinds[i] where the span holds ^^ notation: its value must be decoded, not read. */
#define LEXER_CARET     0x80u
#define LEXER_KIND_MASK 0x7fu

const char *lexer_kind_name(unsigned kind); /* such as "control-word"; kind < LEXER_KIND_COUNT */

enum lexer_severity { LEXER_ERROR = 0, LEXER_WARNING = 1, LEXER_INFO = 2 };

struct lexer_issue {
    uint32_t start, end;         /* byte range, end exclusive */
    uint32_t rel_start, rel_end; /* a second range, or both 0 */
    uint16_t id;                 /* enum lexer_issue_id in lexer/issue.h */
};

/* Where the output goes; all memory is the caller's. */
struct lexer_out {
    uint8_t *kinds;    /* span_cap entries */
    uint32_t *starts;  /* span_cap + 1 entries: the last is the sentinel */
    uint32_t span_cap; /* lexer_span_cap(input length) always suffices */
    struct lexer_issue *issues;
    uint32_t issue_cap; /* issues beyond it are counted, not stored */
};

struct lexer_counts {
    uint32_t n_bytes;
    uint32_t n_spans;
    uint32_t n_tokens;
    uint32_t n_lines;
    uint32_t n_issues; /* all of them, stored or not: the wire's issues_len */
    uint32_t n_errors; /* those of severity error */
    uint32_t n_warnings;
    /* What the line end that TeX adds to a last line without one gives: LEXER_EOL_SPACE,
     * LEXER_EOL_PAR or LEXER_EOL_NONE; where \catcode made it a character, LEXER_ACTIVE or
     * LEXER_OTHERS. It has no bytes, and so no span. */
    uint32_t added_end;
};

/* All zero: lualatex with the context layer, for a document. */
struct lexer_options {
    enum lexer_regime regime;
    bool is_static;    /* no context layer: category codes never change, nothing is verbatim */
    bool at_is_letter; /* @ is a letter from the beginning, as LaTeX reads packages */
    /* More names of verbatim environments, up to LEXER_VERBATIM_NAMES_MAX; array and strings must
     * live as long as the lexer works. Names beyond are reported (info) and not known. */
    const char *const *verbatim_names;
    uint32_t n_verbatim_names;
};

/* Whether LaTeX reads a file of this name with @ as a letter: .sty .cls .def .ltx .dtx. */
bool lexer_name_has_at_letter(const char *file_name);

/* Chooses the kernel for this processor and builds tables. name: a kernel's name, or NULL or "auto"
 * for the best one. Call once, before threads start. 0, or -ENOENT for a kernel that is not built,
 * -ENOTSUP for one that this processor cannot run. */
int lexer_init(const char *kernel_name);

const char *lexer_kernel_name(void); /* the chosen one, such as "portable" */
bool lexer_kernel_is_simd(void);
const char *lexer_kernel_list(size_t index); /* names of those built in, best first; then NULL */
bool lexer_kernel_can_run(size_t index);     /* this processor supports that one */

/* The state of one document in work; resumable. Its fields are private (lexer/state.h would say
 * more); it holds no pointers into itself and may be moved while no call is running. */
struct lexer;

/* Spans that n bytes of input can give at most; exact: some input of that length reaches it. */
uint32_t lexer_span_cap(uint32_t input_bytes);

/* Begins a document. out == NULL: count mode, the same counts without writing anything. */
void lexer_begin(struct lexer *lx, const struct lexer_options *options,
                 const struct lexer_out *out);

/* Lexes as far as the bytes [0, have_bytes) of the document allow. input points at the document's
 * first byte; it may have moved since the last call, its content not. have_bytes never decreases.
 * 0, or -ENOSPC when span_cap ran out, -EFBIG above LEXER_INPUT_BYTES_MAX. */
int lexer_feed(struct lexer *lx, const uint8_t *input, uint32_t have_bytes);

/* The document is complete with have_bytes: lexes the rest and reports the counts. */
int lexer_finish(struct lexer *lx, const uint8_t *input, uint32_t have_bytes,
                 struct lexer_counts *counts);

/* One-shot: begin, feed, finish. */
int lexer_run(const struct lexer_options *options, const uint8_t *input, uint32_t input_bytes,
              const struct lexer_out *out, struct lexer_counts *counts);

/* The complete type, so that callers can embed one; nothing in it is for them. */
#include "lexer/state.h"

#endif
