/* What the writers of JSON share. */
#ifndef L0_LEXER_PRINT_JSON_H
#define L0_LEXER_PRINT_JSON_H

#include <jansson.h>

/* JSON is Unicode, file names are bytes: what is not UTF-8 in them becomes U+FFFD. NULL: no memory.
 */
json_t *print_json_text(const char *name);

#endif
