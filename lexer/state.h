/* The state of one document in work. Private to lexer/, complete only so that callers can embed it.
 *
 * Invariants between calls:
 * - the bytes [0, pos) are lexed: their spans, tokens, lines and issues are counted;
 * - every offset points into the document, never into memory, so the input may move;
 * - what was looked at behind pos without a decision is kept in ahead, so that no byte is looked at
 *   more than a fixed number of times however the input is cut. */
#ifndef L0_LEXER_STATE_H
#define L0_LEXER_STATE_H

#include "lexer/lexer.h"

#define LEXER_ENV_DEPTH_MAX      256 /* nested environments that are checked */
#define LEXER_MATH_DEPTH_MAX     32 /* formulas inside \hbox inside formulas … that are checked */
#define LEXER_ENV_NAME_BYTES_MAX 255 /* longer names are not followed */

/* What the bytes at pos are read as. */
enum lexer_mode {
    LEXER_MODE_TEXT = 0,
    LEXER_MODE_ESCAPE, /* behind an escape character */
    LEXER_MODE_WORD,   /* in a control word, behind its first letter */
    LEXER_MODE_REST,   /* dropping the rest of the line, its end included */
};

/* TeX's states N, M and S (The TeXbook, ch. 8). */
enum lexer_line_state { LEXER_LINE_NEW = 0, LEXER_LINE_MIDDLE, LEXER_LINE_SKIPPING };

/* The open span cannot be extended. */
#define LEXER_RUN_NONE 0xffu

/* How far one character that is not decided yet has been looked at. */
struct lexer_ahead {
    uint32_t caret_end; /* end of ^^ notation decoded so far to a ^ that may begin more; 0: none */
    uint32_t caret_start; /* with it: struct character's start and fault_end */
    uint32_t fault_end;
    uint32_t blanks_to; /* U+0020 all the way up to here; 0: nothing known */
};

/* An open formula or environment, and the number of braces that were open where it began. */
struct lexer_math {
    uint32_t start;
    uint32_t depth;
    bool display;
};
struct lexer_env {
    uint32_t start;      /* the \begin */
    uint32_t name_start; /* the name ends before the next } */
    uint32_t depth;
};

enum lexer_env_step { LEXER_ENV_IDLE = 0, LEXER_ENV_WANT_BRACE, LEXER_ENV_IN_NAME };

/* Nesting. math[] and env[] are stacks whose depths do not decrease upwards; no entry is deeper
 * than depth. guard is the largest depth in them: a closing brace above it ends neither. */
struct lexer_nest {
    uint32_t depth; /* open braces */
    uint32_t guard;
    uint32_t shift_token; /* n_tokens just behind a $ that a second $ would make $$; 0: none */
    bool shift_opens;     /* that $ began the formula, it did not end one */
    uint8_t env_step;
    bool env_is_end;
    bool env_too_deep; /* reported */
    uint32_t env_control_start, env_name_start;
    uint32_t env_beyond; /* environments open beyond LEXER_ENV_DEPTH_MAX */
    uint32_t n_math, n_env;
    struct lexer_math math[LEXER_MATH_DEPTH_MAX];
    struct lexer_env env[LEXER_ENV_DEPTH_MAX];
};

struct lexer {
    struct lexer_out out; /* all zero in count mode */
    bool writes;          /* there is an out */
    bool line_end_used;   /* the end of an unended last line was part of a character */
    bool word_caret;      /* the control word holds ^^ notation */
    uint8_t regime;
    uint8_t mode;
    uint8_t line_state;
    uint8_t run; /* kind of the open span if more characters may join it, or LEXER_RUN_NONE */
    int failed;  /* negative errno of an earlier call: for good */
    uint32_t pos;
    uint32_t control_start;    /* of the control sequence in work */
    uint32_t caret_fault_next; /* 1 + the last malformed ^^^^, 0: none */
    struct lexer_ahead ahead;
    uint32_t n_spans, n_tokens, n_lines, n_issues, n_errors;
    struct lexer_nest nest;
};

#endif
