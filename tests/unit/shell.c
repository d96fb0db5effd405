#include "tests/unit/shell.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/wait.h>

int shell_run(const char *line, char *output, size_t bytes)
{
    FILE *pipe = popen(line, "re");
    cr_assert_not_null(pipe);
    size_t n = fread(output, 1, bytes - 1, pipe);
    output[n] = '\0';
    while (fgetc(pipe) != EOF)
        continue;
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
