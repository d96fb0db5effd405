/* l0-bench-blocking: what a straightforward server does, as a baseline. One thread a connection:
 * receive the frame into a buffer that is kept, lex it, send the reply. */
#include "bench/server.h"
#include "lexer/lexer.h"
#include "proto/version.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "l0-bench-blocking " L0_VERSION;

/* had <= cap bytes of the stream, beginning with a frame. */
struct inbox {
    uint8_t *bytes;
    size_t had, cap;
};

#define INBOX_BYTES_MIN ((size_t)64 << 10)

/* Receives until at least `need` bytes are there. 0, or -1 when the peer left or memory is short.
 */
static int await(int fd, struct inbox *inbox, size_t need)
{
    if (need > inbox->cap) {
        uint8_t *grown = realloc(inbox->bytes, need);
        if (grown == NULL)
            return -1;
        inbox->bytes = grown;
        inbox->cap = need;
    }
    while (inbox->had < need) {
        size_t n = server_recv(fd, inbox->bytes + inbox->had, inbox->cap - inbox->had);
        if (n == 0)
            return -1;
        inbox->had += n;
    }
    return 0;
}

/* Receives, lexes and answers one frame. Whether another may follow. */
static bool serve_frame(int fd, struct inbox *inbox)
{
    if (await(fd, inbox, WIRE_HEADER_BYTES) != 0)
        return false;
    uint32_t bytes = wire_get_u32(inbox->bytes);
    if (bytes == 0 || bytes > SERVER_REQ_BYTES_MAX) {
        struct wire_reply bad = {.status = bytes == 0 ? WIRE_BAD_LENGTH : WIRE_TOO_LARGE};
        server_reply(fd, &bad);
        return false;
    }
    size_t frame = WIRE_HEADER_BYTES + (size_t)bytes;
    if (await(fd, inbox, frame) != 0)
        return false;
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    struct wire_reply reply = {.status = WIRE_INTERNAL};
    if (lexer_run(&options, inbox->bytes + WIRE_HEADER_BYTES, bytes, NULL, &counts) == 0)
        reply = (struct wire_reply){
            .n_tokens = counts.n_tokens,
            .issues_len = counts.n_issues,
            .origin = WIRE_ORIGIN_PRIMARY,
        };
    inbox->had -= frame;
    memmove(inbox->bytes, inbox->bytes + frame, inbox->had); /* pipelined: the next one's start */
    return server_reply(fd, &reply) == 0;
}

static void serve(int fd)
{
    struct inbox inbox = {.bytes = malloc(INBOX_BYTES_MIN), .cap = INBOX_BYTES_MIN};
    if (inbox.bytes != NULL)
        while (serve_frame(fd, &inbox))
            continue;
    free(inbox.bytes);
}

int main(int argc, char **argv)
{
    if (lexer_init(getenv("L0_KERNEL")) != 0) {
        fputs("l0-bench-blocking: L0_KERNEL names a kernel that cannot be used here\n", stderr);
        return 64;
    }
    return server_main(argc, argv,
                       "A blocking thread-per-connection server with the service's protocol and "
                       "lexer: the baseline of make bench.",
                       serve);
}
