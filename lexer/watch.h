/* The control words that mean something to the lexer itself. Kernels look for them: a word's length
 * and first letter decide nearly always. */
#ifndef L0_LEXER_WATCH_H
#define L0_LEXER_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WATCH_NAME_BYTES_MAX 19u /* the longest of them, \ProvidesExplPackage */

enum watch {
    WATCH_NONE = 0,
    WATCH_BEGIN,
    WATCH_END,
    WATCH_FIRST_OF_CONTEXT,                     /* from here on: of the context layer only */
    WATCH_BEGIN_GROUP = WATCH_FIRST_OF_CONTEXT, /* \begingroup, \bgroup */
    WATCH_END_GROUP,
    WATCH_CATCODE,
    WATCH_AT_LETTER,
    WATCH_AT_OTHER,
    WATCH_EXPL_ON,
    WATCH_EXPL_OFF,
    WATCH_PROVIDES, /* \ProvidesExplPackage and the like: \ExplSyntaxOn behind four arguments */
    WATCH_OBEY_LINES,
    WATCH_OBEY_SPACES,
    WATCH_VERB,
    WATCH_LSTINLINE,
    WATCH_MINTINLINE,
    WATCH_END_INPUT,
    WATCH_UNKNOWABLE, /* changes what cannot be followed */
};

static inline enum watch watch_if(const uint8_t *name, const char *word, uint32_t n,
                                  enum watch watch)
{
    return memcmp(name, word, n) == 0 ? watch : WATCH_NONE;
}

static inline enum watch watch_of_context(const uint8_t *name, uint32_t n)
{
    switch (n << 8 | name[0]) {
    case 4 << 8 | 'v':
        return watch_if(name, "verb", n, WATCH_VERB);
    case 6 << 8 | 'b':
        return watch_if(name, "bgroup", n, WATCH_BEGIN_GROUP);
    case 6 << 8 | 'e':
        return watch_if(name, "egroup", n, WATCH_END_GROUP);
    case 7 << 8 | 'c':
        return watch_if(name, "catcode", n, WATCH_CATCODE);
    case 8 << 8 | 'e':
        return name[3] == 'g' ? watch_if(name, "endgroup", n, WATCH_END_GROUP)
                              : watch_if(name, "endinput", n, WATCH_END_INPUT);
    case 9 << 8 | 'l':
        return watch_if(name, "lstinline", n, WATCH_LSTINLINE);
    case 9 << 8 | 'o':
        return watch_if(name, "obeylines", n, WATCH_OBEY_LINES);
    case 10 << 8 | 'b':
        return watch_if(name, "begingroup", n, WATCH_BEGIN_GROUP);
    case 10 << 8 | 'm':
        return watch_if(name, "mintinline", n, WATCH_MINTINLINE);
    case 10 << 8 | 'o':
        return watch_if(name, "obeyspaces", n, WATCH_OBEY_SPACES);
    case 10 << 8 | 's':
        return watch_if(name, "scantokens", n, WATCH_UNKNOWABLE);
    case 11 << 8 | 'm':
        return watch_if(name, "makeatother", n, WATCH_AT_OTHER);
    case 12 << 8 | 'm':
        return watch_if(name, "makeatletter", n, WATCH_AT_LETTER);
    case 12 << 8 | 'E':
        return watch_if(name, "ExplSyntaxOn", n, WATCH_EXPL_ON);
    case 13 << 8 | 'E':
        return watch_if(name, "ExplSyntaxOff", n, WATCH_EXPL_OFF);
    case 13 << 8 | 'M':
        return watch_if(name, "MakeShortVerb", n, WATCH_UNKNOWABLE);
    case 16 << 8 | 'P':
        return watch_if(name, "ProvidesExplFile", n, WATCH_PROVIDES);
    case 17 << 8 | 'P':
        return watch_if(name, "ProvidesExplClass", n, WATCH_PROVIDES);
    case 17 << 8 | 'l':
        return watch_if(name, "lstnewenvironment", n, WATCH_UNKNOWABLE);
    case 18 << 8 | 'l':
        return watch_if(name, "lstMakeShortInline", n, WATCH_UNKNOWABLE);
    case 19 << 8 | 'P':
        return watch_if(name, "ProvidesExplPackage", n, WATCH_PROVIDES);
    default:
        return WATCH_NONE;
    }
}

/* What the control word of these n >= 1 bytes (without the escape character) is; context: the layer
 * is on. */
static inline enum watch watch_name(const uint8_t *name, uint32_t n, bool context)
{
    if (n == 5 && memcmp(name, "begin", n) == 0)
        return WATCH_BEGIN;
    if (n == 3)
        return memcmp(name, "end", n) == 0 ? WATCH_END : WATCH_NONE;
    return context ? watch_of_context(name, n) : WATCH_NONE;
}

#endif
