#include "lexer/look.h"

#include <string.h>

#include "lexer/state.h"

#define ARGUMENTS_MAX 4u /* in braces, of the commands below */

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

static bool is_name_byte(uint8_t byte)
{
    const uint8_t lower = byte | 0x20;
    return (lower >= 'a' && lower <= 'z') || byte == '@' || byte == '_' || byte == ':';
}

/* An odd number of escape characters stands before offset at. */
static bool is_escaped(const uint8_t *input, uint32_t at)
{
    uint32_t n = 0;
    while (at > n && input[at - n - 1] == '\\')
        n++;
    return n % 2 == 1;
}

struct look_word look_before(const uint8_t *input, uint32_t at)
{
    while (at > 0 && is_blank(input[at - 1]))
        at--;
    if (at == 0 || is_line_end(input[at - 1]))
        return (struct look_word){.start = at};
    uint32_t start = at;
    while (start > 0 && is_name_byte(input[start - 1]))
        start--;
    if (start < at && is_escaped(input, start))
        return (struct look_word){.start = start, .n_bytes = at - start};
    return (struct look_word){.start = at - 1, .byte = input[at - 1]};
}

static bool is_one_of(const uint8_t *input, struct look_word word, const char *const *names)
{
    for (; *names; names++)
        if (strlen(*names) == word.n_bytes && memcmp(*names, input + word.start, word.n_bytes) == 0)
            return true;
    return false;
}

static const char *const plain_definers[] = {"def", "edef", "gdef", "xdef", NULL};

/* The beginnings of the names of those whose braces hold what is only executed later, and how many
 * arguments in braces they have at most. */
static const struct {
    const char *name;
    unsigned n_arguments;
} latex_definers[] = {
    {"newcommand", 2},         {"renewcommand", 2},     {"providecommand", 2},
    {"newenvironment", 3},     {"renewenvironment", 3}, {"NewDocumentC", 3},
    {"RenewDocumentC", 3},     {"ProvideDocumentC", 3}, {"NewDocumentE", 4},
    {"RenewDocumentE", 4},     {"ProvideDocumentE", 4}, {"DeclareDocumentC", 3},
    {"DeclareDocumentE", 4},   {"DeclareRobust", 2},    {"DeclareOption", 2},
    {"AtBeginEnvironment", 2}, {"AtEndEnvironment", 2}, {"AtBeginDocument", 1},
    {"AtEndDocument", 1},      {"AtEndOf", 1},
};

static unsigned n_arguments_of(const uint8_t *input, struct look_word word)
{
    for (size_t i = 0; i < sizeof latex_definers / sizeof latex_definers[0]; i++) {
        const size_t n = strlen(latex_definers[i].name);
        if (n <= word.n_bytes && memcmp(latex_definers[i].name, input + word.start, n) == 0)
            return latex_definers[i].n_arguments;
    }
    return 0;
}

static bool is_definer(const uint8_t *input, struct look_word word)
{
    return is_one_of(input, word, plain_definers) || n_arguments_of(input, word) > 0;
}

/* The command before the control sequence whose escape character is at offset at. */
static bool follows_definer(const uint8_t *input, uint32_t at)
{
    struct look_word before = look_before(input, at);
    if (before.byte == '*')
        before = look_before(input, before.start);
    return is_definer(input, before);
}

bool look_is_defined(const uint8_t *input, uint32_t at)
{
    static const char *const let[] = {"let", NULL};
    const struct look_word before = look_before(input, at);
    if (before.n_bytes == 0 && before.byte != '{' && before.byte != '*')
        return false;
    if (before.byte == '{')
        return follows_definer(input, before.start);
    return is_one_of(input, before, let) || follows_definer(input, at);
}

bool look_is_mention(const uint8_t *input, uint32_t at)
{
    static const char *const one_before[] = {"let",       "string",   "noexpand", "meaning",
                                             "show",      "newif",    "ifx",      "protected@edef",
                                             "futurelet", "undefine", NULL};
    static const char *const two_before[] = {"let", "ifx", "futurelet", NULL};
    const struct look_word before = look_before(input, at);
    if (before.n_bytes == 0 && before.byte != '{' && before.byte != '=' && before.byte != '*')
        return false;
    if (before.byte == '{')
        return follows_definer(input, before.start);
    if (before.byte == '=' || is_one_of(input, before, one_before) ||
        is_one_of(input, before, plain_definers) || follows_definer(input, at))
        return true;
    return before.n_bytes > 0 && is_one_of(input, look_before(input, before.start - 1), two_before);
}

bool look_is_read(const uint8_t *input, uint32_t at)
{
    static const char *const readers[] = {"the",    "number",  "romannumeral", "ifnum", "ifodd",
                                          "ifcase", "showthe", "numexpr",      NULL};
    const struct look_word before = look_before(input, at);
    return before.byte == '=' || before.byte == '<' || before.byte == '>' ||
           is_one_of(input, before, readers);
}

bool look_is_global(const uint8_t *input, uint32_t at)
{
    static const char *const global[] = {"global", NULL};
    return is_one_of(input, look_before(input, at), global);
}

/* Back from behind a closing brace or bracket to its other one; false if that is below low. */
static bool skip_argument(const uint8_t *input, uint32_t low, uint32_t *at)
{
    const uint8_t close = input[*at - 1], open = close == '}' ? '{' : '[';
    uint32_t n = 0;
    while (*at > low) {
        const uint8_t byte = input[--*at];
        if ((byte != close && byte != open) || is_escaped(input, *at))
            continue;
        if (byte == close)
            n++;
        else if (--n == 0)
            return true;
    }
    return false;
}

/* Back over blanks, a line end, and arguments in brackets and braces; counts the latter. False:
 * some of them stand below low. */
static bool skip_arguments(const uint8_t *input, uint32_t low, uint32_t *at, unsigned *n_braces)
{
    bool line_ended = false;
    while (*at > 0 && *n_braces < ARGUMENTS_MAX) {
        const uint8_t byte = input[*at - 1];
        const bool is_end = is_line_end(byte), is_blank_or_star = is_blank(byte) || byte == '*';
        if (is_end && line_ended && !(byte == '\r' && input[*at] == '\n'))
            break; /* a blank line is no part of a command */
        if (!is_end && !is_blank_or_star && byte != '}' && byte != ']')
            break;
        if (*at <= low)
            return false;
        if (is_end || is_blank_or_star) {
            line_ended |= is_end;
            --*at;
        } else if (is_escaped(input, *at - 1)) {
            break;
        } else {
            if (!skip_argument(input, low, at))
                return low == 0; /* there, it begins nowhere */
            *n_braces += byte == '}';
            line_ended = false;
        }
    }
    return true;
}

/* \def\x#1…{: nothing but its parameters stands between. (However long they are: no byte is looked
 * at for two braces.) */
static bool is_plain_body(const uint8_t *input, uint32_t at)
{
    while (at > 0) {
        const uint8_t byte = input[at - 1];
        if ((byte == '{' || byte == '}') && !is_escaped(input, at - 1))
            return false;
        at--;
        if (byte != '\\')
            continue;
        struct look_word word = {.start = at + 1};
        while (is_name_byte(input[word.start + word.n_bytes]))
            word.n_bytes++; /* the brace ends it at the latest */
        const bool defines = is_one_of(input, word, plain_definers) ||
                             (word.n_bytes > 3 && memcmp(input + word.start, "cs_", 3) == 0);
        if (defines && !is_escaped(input, at))
            return true;
    }
    return false;
}

/* Primitives whose braces are groups, and commands that have no arguments. */
static const char *const groupers[] = {
    "hbox",         "vbox",          "vtop",        "vcenter",      "noalign",
    "insert",       "vadjust",       "par",         "relax",        "noindent",
    "indent",       "leavevmode",    "fi",          "else",         "begingroup",
    "bgroup",       "egroup",        "endgroup",    "item",         "centering",
    "raggedright",  "tiny",          "small",       "footnotesize", "scriptsize",
    "normalsize",   "large",         "Large",       "LARGE",        "huge",
    "Huge",         "bfseries",      "itshape",     "ttfamily",     "sffamily",
    "rmfamily",     "makeatletter",  "makeatother", "maketitle",    "tableofcontents",
    "bigskip",      "medskip",       "smallskip",   "newpage",      "clearpage",
    "ExplSyntaxOn", "ExplSyntaxOff", NULL};

enum brace { BRACE_GROUP, BRACE_ARGUMENT, BRACE_DEFINITION };

/* What the brace at offset at begins. */
static enum brace brace_at(const uint8_t *input, uint32_t at)
{
    static const char *const environments[] = {"begin", "end", NULL};
    if (is_plain_body(input, at))
        return BRACE_DEFINITION;
    const uint32_t low = at > LEXER_HEAD_BYTES_MAX ? at - LEXER_HEAD_BYTES_MAX : 0;
    unsigned n_before = 0;
    uint32_t head_end = at;
    if (!skip_arguments(input, low, &head_end, &n_before))
        return BRACE_DEFINITION; /* for all we know */
    struct look_word word = look_before(input, head_end);
    if (word.n_bytes == 0)
        return BRACE_GROUP;
    if (n_before < n_arguments_of(input, word))
        return BRACE_DEFINITION;
    /* \newcommand\x, whose first argument has no braces */
    struct look_word first = look_before(input, word.start - 1);
    if (first.byte == '*')
        first = look_before(input, first.start);
    if (n_before + 1 < n_arguments_of(input, first))
        return BRACE_DEFINITION;
    const bool is_group = is_one_of(input, word, groupers) ||
                          (n_before > 0 && is_one_of(input, word, environments)) ||
                          (n_before > 0 && is_definer(input, first)) ||
                          (n_before > 0 && is_definer(input, word));
    return is_group ? BRACE_GROUP : BRACE_ARGUMENT;
}

/* Where the comment begins on the line from offset at on, or its end. */
static uint32_t text_end(const uint8_t *input, uint32_t at, uint32_t end)
{
    while (at < end && input[at] != '%')
        at += input[at] == '\\' ? 2 : 1;
    return at < end ? at : end;
}

struct look_braces look_at_braces(const uint8_t *input, uint32_t at, uint32_t n)
{
    struct look_braces found = {0};
    uint32_t n_found = 0, n_closed = 0;
    while (at > 0 && n_found < n) {
        const uint8_t byte = input[--at];
        if (is_line_end(byte)) {
            uint32_t line = at;
            while (line > 0 && !is_line_end(input[line - 1]))
                line--;
            at = text_end(input, line, at);
        } else if ((byte != '{' && byte != '}') || is_escaped(input, at)) {
            continue;
        } else if (byte == '}') {
            n_closed++;
        } else if (n_closed > 0) {
            n_closed--;
        } else {
            const enum brace brace = brace_at(input, at);
            n_found++;
            if (brace == BRACE_DEFINITION)
                found.definition = n - n_found + 1;
            else if (brace == BRACE_ARGUMENT)
                found.argument = n - n_found + 1;
        }
    }
    return found;
}
