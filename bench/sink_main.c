/* l0-bench-sink: receives requests, throws them away and answers at once with counts of 0: what
 * copying the bytes through the socket costs by itself. */
#include "bench/server.h"
#include "proto/version.h"

#include <stdbool.h>

const char *argp_program_version = "l0-bench-sink " L0_VERSION;

#define BUFFER_BYTES ((size_t)64 << 10)

/* Where in the stream we are: within a header (body_left == 0) or a body. */
struct position {
    uint8_t header[WIRE_HEADER_BYTES];
    size_t header_had;
    uint32_t body_left;
};

/* Answers a frame whose header is complete and that has no bytes left to come. */
static bool answer(int fd, struct position *at)
{
    const struct wire_reply reply = {.status = WIRE_OK, .origin = WIRE_ORIGIN_PRIMARY};
    at->header_had = 0;
    return server_reply(fd, &reply) == 0;
}

/* Walks over n received bytes. False when the stream is over or broken. */
static bool swallow(int fd, struct position *at, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        if (at->header_had < WIRE_HEADER_BYTES) {
            at->header[at->header_had++] = *bytes++;
            n--;
            if (at->header_had < WIRE_HEADER_BYTES)
                continue;
            at->body_left = wire_get_u32(at->header);
            if (at->body_left == 0 || at->body_left > SERVER_REQ_BYTES_MAX)
                return false;
            continue;
        }
        size_t of_body = n < at->body_left ? n : at->body_left;
        bytes += of_body;
        n -= of_body;
        at->body_left -= (uint32_t)of_body;
        if (at->body_left == 0 && !answer(fd, at))
            return false;
    }
    return true;
}

static void serve(int fd)
{
    uint8_t buffer[BUFFER_BYTES];
    struct position at = {.header_had = 0};
    for (size_t n; (n = server_recv(fd, buffer, sizeof buffer)) > 0;)
        if (!swallow(fd, &at, buffer, n))
            return;
}

int main(int argc, char **argv)
{
    return server_main(argc, argv,
                       "A server that receives requests and answers without lexing: the cost of "
                       "copying alone, for make bench.",
                       serve);
}
