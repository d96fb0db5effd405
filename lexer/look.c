#include "lexer/look.h"

#include <string.h>

#include "lexer/catcode.h"
#include "lexer/look_text.h"
#include "lexer/state.h"

#define ARGUMENTS_MAX 4u /* in braces, of the commands below */

static bool is_name_byte(uint8_t byte)
{
    static const bool are[256] = {
        ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['@'] = true, ['_'] = true, [':'] = true};
    return are[byte];
}

/* A brace, or what has its category code. */
static bool is_open(const struct look_text *text, struct look_word word)
{
    return word.n_bytes == 0 && word.byte != 0 && text->slots[word.byte] == CATCODE_BEGIN_GROUP;
}

struct look_word look_before(const struct look_text *text, uint32_t at)
{
    while (at > 0 && look_is_blank(text->bytes[at - 1]))
        at--;
    if (at == 0 || look_is_line_end(text->bytes[at - 1]))
        return (struct look_word){.start = at};
    uint32_t start = at;
    while (start > 0 && is_name_byte(text->bytes[start - 1]))
        start--;
    if (start < at && look_is_escaped(text, start))
        return (struct look_word){.start = start, .n_bytes = at - start};
    return (struct look_word){.start = at - 1, .byte = text->bytes[at - 1]};
}

/* A name, or the beginning of one; and what is known of it. */
struct look_name {
    const char *bytes;
    uint8_t n_bytes, n_arguments;
};
#define NAME(text)                                                                                 \
    {                                                                                              \
        .bytes = (text), .n_bytes = sizeof(text) - 1                                               \
    }
#define NAME_WITH(text, n)                                                                         \
    {                                                                                              \
        .bytes = (text), .n_bytes = sizeof(text) - 1, .n_arguments = (n)                           \
    }

/* The word begins with the name. */
static bool begins_with(const struct look_text *text, struct look_word word,
                        const struct look_name *name)
{
    const uint8_t *const bytes = text->bytes + word.start;
    return name->n_bytes <= word.n_bytes && (uint8_t)name->bytes[0] == bytes[0] &&
           memcmp(name->bytes, bytes, name->n_bytes) == 0;
}

static bool is_one_of(const struct look_text *text, struct look_word word,
                      const struct look_name *names)
{
    for (; names->bytes; names++)
        if (names->n_bytes == word.n_bytes && begins_with(text, word, names))
            return true;
    return false;
}

static const struct look_name plain_definers[] = {
    NAME("def"), NAME("edef"), NAME("gdef"), NAME("xdef"), {0}};

/* The beginnings of the names of those whose braces hold what is only executed later, and how many
 * arguments in braces they have at most. Their first letters stand in n_arguments_of(). */
static const struct look_name definers[] = {NAME_WITH("newcommand", 2),
                                            NAME_WITH("renewcommand", 2),
                                            NAME_WITH("providecommand", 2),
                                            NAME_WITH("newenvironment", 3),
                                            NAME_WITH("renewenvironment", 3),
                                            NAME_WITH("NewDocumentC", 3),
                                            NAME_WITH("RenewDocumentC", 3),
                                            NAME_WITH("ProvideDocumentC", 3),
                                            NAME_WITH("NewDocumentE", 4),
                                            NAME_WITH("RenewDocumentE", 4),
                                            NAME_WITH("ProvideDocumentE", 4),
                                            NAME_WITH("DeclareDocumentC", 3),
                                            NAME_WITH("DeclareDocumentE", 4),
                                            NAME_WITH("DeclareRobust", 2),
                                            NAME_WITH("DeclareOption", 2),
                                            NAME_WITH("AtBeginEnvironment", 2),
                                            NAME_WITH("AtEndEnvironment", 2),
                                            NAME_WITH("AtBeginDocument", 1),
                                            NAME_WITH("AtEndDocument", 1),
                                            NAME_WITH("AtEndOf", 1),
                                            {0}};

static unsigned n_arguments_of(const struct look_text *text, struct look_word word)
{
    static const bool may_begin[256] = {['n'] = true, ['r'] = true, ['p'] = true, ['N'] = true,
                                        ['R'] = true, ['P'] = true, ['D'] = true, ['A'] = true};
    if (word.n_bytes == 0 || !may_begin[text->bytes[word.start]])
        return 0;
    for (const struct look_name *name = definers; name->bytes; name++)
        if (begins_with(text, word, name))
            return name->n_arguments;
    return 0;
}

static bool is_definer(const struct look_text *text, struct look_word word)
{
    return is_one_of(text, word, plain_definers) || n_arguments_of(text, word) > 0;
}

/* The command before the control sequence whose escape character is at offset at. */
static bool follows_definer(const struct look_text *text, uint32_t at)
{
    struct look_word before = look_before(text, at);
    if (before.byte == '*')
        before = look_before(text, before.start);
    return is_definer(text, before);
}

/* What is at offset at is given to a command or an active character: \let\x=, \let~=. */
static bool follows_let(const struct look_text *text, uint32_t at)
{
    static const struct look_name let[] = {NAME("let"), {0}};
    const struct look_word name = look_before(text, at);
    const bool is_word = name.n_bytes > 0 || look_is_escaped(text, name.start);
    return (name.n_bytes > 0 || name.byte != 0) &&
           is_one_of(text, look_before(text, name.start - is_word), let);
}

bool look_is_defined(const struct look_text *text, uint32_t at)
{
    static const struct look_name let[] = {NAME("let"), {0}};
    const struct look_word before = look_before(text, at);
    if (is_open(text, before))
        return follows_definer(text, before.start);
    if (before.n_bytes == 0 && before.byte != '*')
        return false;
    return is_one_of(text, before, let) || follows_definer(text, at);
}

/* The first n arguments of the command are single tokens: \cs_new_eq:NN in expl3 syntax. */
static bool takes_tokens(const struct look_text *text, struct look_word word, uint32_t n)
{
    const uint8_t *const name = text->bytes + word.start;
    const uint8_t *at = text->slots[':'] == CATCODE_LETTER ? memchr(name, ':', word.n_bytes) : NULL;
    while (at && n > 0 && ++at < name + word.n_bytes && *at == 'N')
        n--;
    return n == 0;
}

bool look_is_mention(const struct look_text *text, uint32_t at)
{
    static const struct look_name one_before[] = {
        NAME("let"),       NAME("string"),   NAME("noexpand"),   NAME("meaning"),
        NAME("show"),      NAME("newif"),    NAME("ifx"),        NAME("protected@edef"),
        NAME("futurelet"), NAME("undefine"), NAME("MakeRobust"), {0}};
    static const struct look_name two_before[] = {NAME("let"), NAME("ifx"), NAME("futurelet"), {0}};
    const struct look_word before = look_before(text, at);
    if (is_open(text, before))
        return follows_definer(text, before.start);
    if (before.byte == '=')
        return follows_let(text, before.start);
    if (before.n_bytes == 0 && before.byte != '*')
        return false;
    if (is_one_of(text, before, one_before) || is_one_of(text, before, plain_definers) ||
        takes_tokens(text, before, 1) || follows_definer(text, at))
        return true;
    if (before.n_bytes == 0)
        return false;
    const struct look_word first = look_before(text, before.start - 1);
    return is_one_of(text, first, two_before) || takes_tokens(text, first, 2);
}

bool look_is_read(const struct look_text *text, uint32_t at)
{
    static const struct look_name readers[] = {
        NAME("the"),     NAME("number"),  NAME("romannumeral"),
        NAME("ifnum"),   NAME("ifodd"),   NAME("ifcase"),
        NAME("showthe"), NAME("numexpr"), {0}};
    const struct look_word before = look_before(text, at);
    return before.byte == '=' || before.byte == '<' || before.byte == '>' ||
           is_one_of(text, before, readers);
}

bool look_is_global(const struct look_text *text, uint32_t at)
{
    static const struct look_name global[] = {NAME("global"), {0}};
    return is_one_of(text, look_before(text, at), global);
}

bool look_is_expanded_after(const struct look_text *text, uint32_t at)
{
    static const struct look_name expandafter[] = {NAME("expandafter"), {0}};
    return is_one_of(text, look_before(text, at), expandafter);
}

/* Back from behind a closing brace or bracket to its other one; false if that is below low. */
static bool skip_argument(const struct look_text *text, uint32_t low, uint32_t *at)
{
    const bool in_brackets = text->bytes[*at - 1] == ']';
    uint32_t n = 0;
    while (*at > low) {
        const uint8_t byte = text->bytes[--*at], catcode = text->slots[byte];
        const bool closes = in_brackets ? byte == ']' : catcode == CATCODE_END_GROUP;
        const bool opens = in_brackets ? byte == '[' : catcode == CATCODE_BEGIN_GROUP;
        if ((!closes && !opens) || look_is_escaped(text, *at))
            continue;
        if (closes)
            n++;
        else if (--n == 0)
            return true;
    }
    return false;
}

/* Back over blanks, a line end, and arguments in brackets and braces; counts the latter. False:
 * some of them stand below low. */
static bool skip_arguments(const struct look_text *text, uint32_t low, uint32_t *at,
                           unsigned *n_braces)
{
    bool line_ended = false;
    while (*at > 0 && *n_braces < ARGUMENTS_MAX) {
        const uint8_t byte = text->bytes[*at - 1];
        const bool is_end = look_is_line_end(byte),
                   is_blank_or_star = look_is_blank(byte) || byte == '*';
        if (is_end && line_ended && !(byte == '\r' && text->bytes[*at] == '\n'))
            break; /* a blank line is no part of a command */
        const bool is_close = look_has_catcode(text, *at - 1, CATCODE_END_GROUP);
        if (!is_end && !is_blank_or_star && !is_close && byte != ']')
            break;
        if (*at <= low)
            return false;
        if (is_end || is_blank_or_star) {
            line_ended |= is_end;
            --*at;
        } else if (look_is_escaped(text, *at - 1)) {
            break;
        } else {
            if (!skip_argument(text, low, at))
                return low == 0; /* there, it begins nowhere */
            *n_braces += is_close;
            line_ended = false;
        }
    }
    return true;
}

/* \def\x#1…, from offset low on: nothing but parameters stands between that and offset at. */
static bool is_parameter(const struct look_text *text, uint32_t low, uint32_t at)
{
    const uint32_t end = at;
    while (at > low) {
        const uint8_t catcode = text->slots[text->bytes[--at]];
        if ((catcode == CATCODE_BEGIN_GROUP || catcode == CATCODE_END_GROUP) &&
            !look_is_escaped(text, at))
            return false;
        if (catcode != CATCODE_ESCAPE)
            continue;
        struct look_word word = {.start = at + 1};
        while (word.start + word.n_bytes < end &&
               is_name_byte(text->bytes[word.start + word.n_bytes]))
            word.n_bytes++;
        const bool defines = is_one_of(text, word, plain_definers) ||
                             (word.n_bytes > 3 && memcmp(text->bytes + word.start, "cs_", 3) == 0);
        if (defines && !look_is_escaped(text, at))
            return true;
    }
    return false;
}

bool look_is_no_formula(const struct look_text *text, uint32_t at)
{
    return is_parameter(text, look_line_start(text->bytes, at), at) || look_is_mention(text, at);
}

/* Primitives whose braces are groups, and commands that have no arguments. */
static const struct look_name groupers[] = {
    NAME("hbox"),         NAME("vbox"),         NAME("vtop"),          NAME("vcenter"),
    NAME("noalign"),      NAME("insert"),       NAME("vadjust"),       NAME("par"),
    NAME("relax"),        NAME("noindent"),     NAME("indent"),        NAME("leavevmode"),
    NAME("fi"),           NAME("else"),         NAME("begingroup"),    NAME("bgroup"),
    NAME("egroup"),       NAME("endgroup"),     NAME("item"),          NAME("centering"),
    NAME("raggedright"),  NAME("tiny"),         NAME("small"),         NAME("footnotesize"),
    NAME("scriptsize"),   NAME("normalsize"),   NAME("large"),         NAME("Large"),
    NAME("LARGE"),        NAME("huge"),         NAME("Huge"),          NAME("bfseries"),
    NAME("itshape"),      NAME("ttfamily"),     NAME("sffamily"),      NAME("rmfamily"),
    NAME("makeatletter"), NAME("makeatother"),  NAME("maketitle"),     NAME("tableofcontents"),
    NAME("bigskip"),      NAME("medskip"),      NAME("smallskip"),     NAME("newpage"),
    NAME("clearpage"),    NAME("ExplSyntaxOn"), NAME("ExplSyntaxOff"), {0}};

/* Commands whose arguments are so many: what stands in braces behind them is none of theirs. */
static const struct look_name complete[] = {
    NAME_WITH("setlength", 2),       NAME_WITH("addtolength", 2),
    NAME_WITH("setcounter", 2),      NAME_WITH("addtocounter", 2),
    NAME_WITH("newlength", 1),       NAME_WITH("newcounter", 1),
    NAME_WITH("stepcounter", 1),     NAME_WITH("refstepcounter", 1),
    NAME_WITH("usepackage", 1),      NAME_WITH("RequirePackage", 1),
    NAME_WITH("documentclass", 1),   NAME_WITH("LoadClass", 1),
    NAME_WITH("input", 1),           NAME_WITH("include", 1),
    NAME_WITH("ProvidesPackage", 1), NAME_WITH("ProvidesClass", 1),
    NAME_WITH("label", 1),           NAME_WITH("hspace", 1),
    NAME_WITH("vspace", 1),          {0}};

static bool has_all(const struct look_text *text, struct look_word word, unsigned n_arguments)
{
    for (const struct look_name *name = complete; name->bytes; name++)
        if (name->n_bytes == word.n_bytes && begins_with(text, word, name))
            return n_arguments >= name->n_arguments;
    return false;
}

enum brace { BRACE_GROUP, BRACE_ARGUMENT, BRACE_DEFINITION };

/* What the brace at offset at begins. */
static enum brace brace_at(const struct look_text *text, uint32_t at)
{
    static const struct look_name environments[] = {NAME("begin"), NAME("end"), {0}};
    /* However long its parameters are: no byte is looked at for two braces. */
    if (is_parameter(text, 0, at))
        return BRACE_DEFINITION;
    const uint32_t low = at > LEXER_HEAD_BYTES_MAX ? at - LEXER_HEAD_BYTES_MAX : 0;
    unsigned n_before = 0;
    uint32_t head_end = at;
    if (!skip_arguments(text, low, &head_end, &n_before))
        return BRACE_DEFINITION; /* for all we know */
    struct look_word word = look_before(text, head_end);
    if (word.n_bytes == 0) /* \toks0={…} is executed later */
        return word.byte == '=' ? BRACE_DEFINITION : BRACE_GROUP;
    if (n_before < n_arguments_of(text, word))
        return BRACE_DEFINITION;
    /* \newcommand\x, whose first argument has no braces */
    struct look_word first = look_before(text, word.start - 1);
    if (first.byte == '*')
        first = look_before(text, first.start);
    if (n_before + 1 < n_arguments_of(text, first))
        return BRACE_DEFINITION;
    const bool is_group =
        is_one_of(text, word, groupers) || (n_before > 0 && is_one_of(text, word, environments)) ||
        (n_before > 0 && is_definer(text, first)) || (n_before > 0 && is_definer(text, word)) ||
        has_all(text, word, n_before) || has_all(text, first, n_before + 1);
    return is_group ? BRACE_GROUP : BRACE_ARGUMENT;
}

/* Where the comment begins on the line from offset at on, or its end. */
static uint32_t text_end(const struct look_text *text, uint32_t at, uint32_t end)
{
    while (at < end) {
        const uint8_t catcode = text->slots[text->bytes[at]];
        if (catcode == CATCODE_COMMENT)
            return at;
        at += catcode == CATCODE_ESCAPE ? 2 : 1;
    }
    return end;
}

/* Back from the line end at offset at over it and the comment before it, if there is one. */
static uint32_t skip_line_end(const struct look_text *text, uint32_t at)
{
    return text_end(text, look_line_start(text->bytes, at), at);
}

struct look_braces look_at_braces(const struct look_text *text, uint32_t low, uint32_t at,
                                  uint32_t n)
{
    struct look_braces found = {0};
    uint32_t n_found = 0, n_closed = 0;
    while (at > low && n_found < n) {
        const uint8_t byte = text->bytes[--at], catcode = text->slots[byte];
        if (look_is_line_end(byte)) {
            at = skip_line_end(text, at);
        } else if ((catcode != CATCODE_BEGIN_GROUP && catcode != CATCODE_END_GROUP) ||
                   look_is_escaped(text, at)) {
            continue;
        } else if (catcode == CATCODE_END_GROUP) {
            n_closed++;
        } else if (n_closed > 0) {
            n_closed--;
        } else {
            const enum brace brace = brace_at(text, at);
            n_found++;
            if (brace == BRACE_DEFINITION)
                found.definition = n - n_found + 1;
            else if (brace == BRACE_ARGUMENT)
                found.argument = n - n_found + 1;
        }
    }
    return found;
}
