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

/* All limits of what is followed. Beyond one nothing is guessed: it is not followed, and an issue
 * of severity info says so. (Sizes are the caller's: lexer.h.) */
#define LEXER_ENV_DEPTH_MAX      256 /* nested environments that are checked */
#define LEXER_MATH_DEPTH_MAX     32 /* formulas inside \hbox inside formulas … that are checked */
#define LEXER_GROUP_DEPTH_MAX    32 /* \begingroup or \bgroup inside one another */
#define LEXER_SAVES_MAX          64 /* category codes that ends of groups will bring back */
#define LEXER_ENV_NAME_BYTES_MAX 255 /* longer names are not followed */
#define LEXER_VERBATIM_NAMES_MAX 64  /* given by option */
#define LEXER_CATCODE_BYTES_MAX  64  /* from behind \catcode to the end of its value */
#define LEXER_HEAD_BYTES_MAX     256 /* arguments between a command and a brace: what it begins */

/* What the bytes at pos are read as. */
enum lexer_mode {
    LEXER_MODE_TEXT = 0,
    LEXER_MODE_ESCAPE, /* behind an escape character */
    LEXER_MODE_WORD,   /* in a control word, behind its first letter */
    LEXER_MODE_REST,   /* dropping the rest of the line, its end included */
    /* Of the context layer: */
    LEXER_MODE_VERB_OPEN, /* behind \verb and the like: blanks or *, then the delimiter */
    LEXER_MODE_VERB,      /* up to its closing delimiter */
    LEXER_MODE_VERBATIM,  /* in a verbatim environment */
    LEXER_MODE_AFTER_END, /* what TeX does not read any more */
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
    uint32_t start; /* the \begin */
    uint32_t name_start;
    uint32_t depth;
};

enum lexer_env_step { LEXER_ENV_IDLE = 0, LEXER_ENV_WANT_BRACE, LEXER_ENV_IN_NAME };

/* \begingroup or \bgroup. */
struct lexer_group {
    uint32_t start; /* of the command */
    uint32_t depth;
    uint16_t n_env; /* environments open where it began */
    uint8_t ends;   /* 1: with the braces that its \endgroup stands in; depth is theirs */
    uint32_t definition_depth; /* inside the outermost brace in it known to begin a definition; 0 */
};

/* Nesting. math[] and env[] are stacks whose depths do not decrease upwards; no entry is deeper
 * than depth. guard is the largest depth in them: a closing brace above it ends neither. */
struct lexer_nest {
    uint32_t depth; /* open braces */
    uint32_t guard;
    uint32_t shift_token; /* n_tokens just behind a $ that a second $ would make $$; 0: none */
    bool shift_opens;     /* that $ began the formula, it did not end one */
    uint8_t env_step;
    bool env_is_end;
    bool env_too_deep, math_too_deep; /* reported */
    bool math_beyond;                 /* there may be formulas beyond LEXER_MATH_DEPTH_MAX */
    uint32_t env_control_start, env_name_start;
    uint32_t env_beyond;    /* environments open beyond LEXER_ENV_DEPTH_MAX */
    uint32_t groups_beyond; /* groups open beyond LEXER_GROUP_DEPTH_MAX */
    /* From context.c, for guard: so many of the open braces, outermost first, were looked at, last
     * at offset known_to, which the others stand behind; and the depth inside the outermost of them
     * that begins a definition, or an argument, or 0. */
    uint32_t known_depth, known_to, definition_depth, argument_depth;
    uint32_t n_math, n_env, n_groups;
    struct lexer_group groups[LEXER_GROUP_DEPTH_MAX];
    struct lexer_math math[LEXER_MATH_DEPTH_MAX];
    struct lexer_env env[LEXER_ENV_DEPTH_MAX];
    uint8_t env_name_bytes[LEXER_ENV_DEPTH_MAX]; /* how long their names are */
};

/* Category codes in force, and more of that kind that groups keep local. */
enum lexer_slot {
    LEXER_SLOT_CHARACTERS = 0,  /* 0-255: raw bytes, in classes as of lexer/catcode.h */
    LEXER_SLOT_LINE_FEED = 256, /* the category codes of the characters 10 and 13, which raw */
    LEXER_SLOT_LINE_END,        /* bytes never are */
    LEXER_SLOT_END_IS_SPACE,    /* \endlinechar=32, from the next line on */
    LEXER_SLOT_EXPL,            /* \ExplSyntaxOn is in force */
    LEXER_SLOT_EXPL_OLD,        /* and what was before, one for each code that it changes */
    LEXER_SLOT_COUNT = LEXER_SLOT_EXPL_OLD + 10
};

/* A place in the nesting: what is open there. */
struct lexer_level {
    uint32_t depth;
    uint16_t n_env;
    uint8_t n_math, n_groups;
};

/* The value of a slot to be brought back when what is open falls below the level. */
struct lexer_save {
    struct lexer_level level;
    uint16_t slot;
    uint8_t value;
};

/* Why the byte-wise machine has to look at every unit: bits of lexer_context.busy. */
enum lexer_busy {
    LEXER_BUSY_CATCODE = 1,   /* a \catcode waits for the token that ends its value */
    LEXER_BUSY_VERB = 2,      /* before the delimiter of \lstinline or \mintinline */
    LEXER_BUSY_END = 4,       /* the line holds \endinput */
    LEXER_BUSY_BLANKS = 8,    /* behind an escape character and a blank */
    LEXER_BUSY_PROVIDES = 16, /* in the arguments of \ProvidesExplPackage and the like */
    LEXER_BUSY_FORMULA = 32   /* in \[…\] or \(…\), where category codes have changed */
};

enum lexer_verb_step {
    LEXER_VERB_OPTION,
    LEXER_VERB_IN_OPTION,
    LEXER_VERB_LANG,
    LEXER_VERB_IN_LANG
};

/* The context layer; busy with LEXER_BUSY_BLANKS is there without it too. */
struct lexer_context {
    bool on;
    uint8_t busy;
    bool at_is_letter;
    bool end_is_space;     /* the end of the line in work is U+0020 */
    bool begin_is_unknown; /* \begin was redefined */
    bool text_is_new;      /* on this line behind the end, only blanks so far */
    bool warns_after_end;
    bool text_found;    /* text on this line behind the end, at blanks_start */
    uint16_t n_changed; /* slots that differ from the regime's, @ as a letter not counted */
    uint16_t n_odd;     /* those of them that loops for usual ones do not know */
    uint32_t n_saves;
    uint8_t slots[LEXER_SLOT_COUNT];
    struct lexer_save saves[LEXER_SAVES_MAX];
    /* LEXER_BUSY_CATCODE: */
    struct lexer_level catcode_level;
    uint16_t catcode_slot;
    uint8_t catcode_value;
    bool catcode_is_global, catcode_is_named; /* named: no token ends the value */
    uint32_t catcode_start, catcode_end;      /* its range, the value included */
    uint32_t catcode_tokens;                  /* n_tokens there, or UINT32_MAX before */
    uint32_t end_input_start, end_input_end;  /* LEXER_BUSY_END: the \endinput */
    uint32_t provides_depth; /* LEXER_BUSY_PROVIDES: braces open before its arguments */
    bool in_argument;
    bool formula_known_in; /* formula.c: whether formula_known_to stands in a formula */
    bool formula_ends;     /* with the unit in work */
    uint8_t formula_group; /* LEXER_BUSY_FORMULA: its place in nest.groups */
    uint32_t formula_known_to;
    uint32_t formula_inner;              /* formulas open inside it */
    uint32_t command_start, command_end; /* of \verb and the like */
    uint32_t blanks_start; /* LEXER_BUSY_BLANKS; and text after the end, where it was found */
    uint32_t n_blanks;     /* verbatim: U+0020 that count if the line does not end there */
    uint32_t blanks_to;    /* U+0020 up to here are not at the line's end */
    uint32_t depth;        /* of LEXER_BUSY_VERB, and braces in \lstinline{…} */
    uint32_t delimiter;    /* of \verb and the like; '{' with balanced set: up to the matching } */
    bool balanced, takes_star, has_lang;
    uint8_t verb_step;
    uint8_t n_arguments; /* LEXER_BUSY_PROVIDES: still to come */
    const char *const *verbatim_names;
    uint32_t n_verbatim_names;
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
    uint32_t n_spans, n_tokens, n_lines, n_issues, n_errors, n_warnings;
    uint8_t line_styles;    /* bits of enum lexer_line_style: seen or reported */
    uint32_t hidden_search; /* comments up to here were searched for what they hide */
    uint32_t hidden_math_start, hidden_math_end; /* a formula whose comments hide no $ */
    struct lexer_nest nest;
    struct lexer_context context;
};

enum lexer_line_style {
    LEXER_LINES_LF = 1,
    LEXER_LINES_CRLF = 2,
    LEXER_LINES_MIXED = 4, /* reported; so is the next one */
    LEXER_LINES_LONE_CR = 8
};

#endif
