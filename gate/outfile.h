/* A file that appears whole or not at all: written beside its place, then renamed. Something that
 * is there and is not a regular file (a device, a pipe) is written to directly. */
#ifndef L0_GATE_OUTFILE_H
#define L0_GATE_OUTFILE_H

#include <stdio.h>

/* Between open and commit or abort: stream is open, and temporary names the file behind it (NULL
 * when path itself is being written). */
struct outfile {
    FILE *stream;
    const char *path; /* the caller's; must outlive this */
    char *temporary;
};

/* 0 or negative errno. */
int outfile_open(struct outfile *out, const char *path);

/* Ends the writing; also reports errors of earlier writes. 0 or negative errno: then nothing was
 * left behind, and what was at path before is still there. */
int outfile_commit(struct outfile *out);

void outfile_abort(struct outfile *out);

#endif
