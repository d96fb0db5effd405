/* The files that a command line names: directories stand for the LaTeX sources below them. */
#ifndef L0_LEXER_FILES_H
#define L0_LEXER_FILES_H

#include <stddef.h>

struct files {
    char **paths; /* each its own allocation, as is the array */
    size_t n, cap;
    size_t n_unreadable; /* directories that could not be read, or held no source: said on stderr */
};

/* In the order given, sorted within a directory; symbolic links are followed where they are named,
 * not below directories. 0 or -ENOMEM; files_free() is due in either case. */
int files_list(struct files *files, char *const *names, size_t n_names);

void files_free(struct files *files);

#endif
