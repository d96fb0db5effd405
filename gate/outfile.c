#include "gate/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_temporary(struct outfile *out)
{
    if (asprintf(&out->temporary, "%s.XXXXXX", out->path) < 0) {
        out->temporary = NULL;
        return -ENOMEM;
    }
    int fd = mkostemp(out->temporary, O_CLOEXEC);
    if (fd < 0) {
        int rc = -errno;
        free(out->temporary);
        out->temporary = NULL;
        return rc;
    }
    out->stream = fdopen(fd, "w");
    if (out->stream == NULL) {
        int rc = -errno;
        close(fd);
        outfile_abort(out);
        return rc;
    }
    return 0;
}

int outfile_open(struct outfile *out, const char *path)
{
    *out = (struct outfile){.path = path};
    struct stat there;
    if (stat(path, &there) != 0 || S_ISREG(there.st_mode))
        return open_temporary(out);
    out->stream = fopen(path, "we");
    return out->stream == NULL ? -errno : 0;
}

int outfile_commit(struct outfile *out)
{
    int rc = 0;
    /* ferror() tells of an earlier failure, not its cause; flushing what is left may meet it again.
     */
    bool failed = ferror(out->stream) != 0;
    if (fflush(out->stream) != 0)
        rc = -errno;
    else if (failed)
        rc = -EIO;
    if (rc == 0 && out->temporary != NULL &&
        (fchmod(fileno(out->stream), 0644) != 0 || rename(out->temporary, out->path) != 0))
        rc = -errno;
    if (rc == 0) {
        free(out->temporary);
        out->temporary = NULL;
    }
    outfile_abort(out); /* only closes, when the file has been renamed */
    return rc;
}

void outfile_abort(struct outfile *out)
{
    if (out->stream != NULL)
        fclose(out->stream);
    if (out->temporary != NULL)
        unlink(out->temporary);
    free(out->temporary);
    *out = (struct outfile){.path = out->path};
}
