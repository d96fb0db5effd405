/* Constant numbers as TeX reads them (The TeXbook, ch. 24), for assignments of category codes. */
#ifndef L0_LEXER_NUMBER_H
#define L0_LEXER_NUMBER_H

#include "lexer/character.h"

enum number_kind {
    NUMBER_NONE,     /* no assignment: there is no second number */
    NUMBER_CONSTANT, /* left = right, both told */
    NUMBER_COMPUTED, /* an assignment, but of what only TeX can tell */
};

struct number_assignment {
    enum number_kind kind;
    uint32_t left, right;
    bool is_named; /* the second one is a command: TeX reads nothing behind it */
    uint32_t end;  /* offset behind it */
};

/* Reads "number = number" from offset at on: `c, `\c, decimal, 'octal, "hexadecimal, and for the
 * second one \active, \z@, \@ne, \tw@, \thr@@, \catcode and such a number too. False: more bytes
 * are needed (never when final). What takes more than LEXER_CATCODE_BYTES_MAX bytes is computed. */
bool number_read_assignment(const struct character_source *src, uint32_t at,
                            struct number_assignment *found);

#endif
