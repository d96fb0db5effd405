/* A client of the simulation, and what it knows: which replies its bytes are due. A plain second
 * reading of proto/PROTOCOL.md, which knows nothing of the engine but its limits. */
#ifndef L0_TESTS_SIM_FRAMES_CLIENT_H
#define L0_TESTS_SIM_FRAMES_CLIENT_H

#include "lexer/lexer.h"
#include "proto/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the server was told; times in ns. */
struct frames_limits {
    uint32_t max_req_bytes;
    uint64_t backpressure_ns, frame_ns, idle_ns, reply_ns;
    bool draining;      /* a drain has begun */
    bool conns_were_up; /* so many clients were connected that one may have been refused */
};

struct frames_due {
    uint64_t begun_ns; /* its first byte was sent */
    struct wire_reply reply;
};

struct frames_client {
    int fd; /* -1: not connected */
    bool deaf, shut, ended;
    uint64_t active_ns; /* last time it connected, sent or listened again */
    uint64_t taken_ns;  /* last time it took all that was there */

    /* to be sent, burst_bytes a turn */
    uint8_t *out;
    size_t out_bytes, out_sent, burst_bytes;

    /* the frame that is being sent */
    uint8_t header[WIRE_HEADER_BYTES];
    uint32_t header_have, body_bytes, body_have;
    uint8_t *body;
    bool lost; /* a length was refused: what follows is not looked at */

    /* due[0, n_whole) is for frames sent whole; due[n_whole], if n_whole < n_due, for one begun */
    struct frames_due *due;
    size_t n_due, n_whole, n_replied;
    uint8_t in[WIRE_REPLY_BYTES];
    size_t in_have;
    bool refused; /* a reply came after which the server closes */
};

static void frames_require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "simulation: %s\n", what);
    abort();
}

static void frames_client_close(struct frames_client *c)
{
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c->out);
    free(c->body);
    free(c->due);
    *c = (struct frames_client){.fd = -1};
}

/* ---- sending -------------------------------------------------------------------------------- */

static void frames_client_queue(struct frames_client *c, const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return;
    c->out = realloc(c->out, c->out_bytes + n);
    frames_require(c->out != NULL, "memory is short");
    memcpy(c->out + c->out_bytes, bytes, n);
    c->out_bytes += n;
}

static void frames_model_due(struct frames_client *c, const struct wire_reply *reply)
{
    c->due[c->n_due - 1].reply = *reply;
    c->n_whole++;
    c->header_have = c->body_have = 0;
    free(c->body);
    c->body = NULL;
}

static void frames_model_header(struct frames_client *c, const struct frames_limits *limits)
{
    struct wire_reply reply = {.origin = WIRE_ORIGIN_ERROR};
    c->body_bytes = wire_get_u32(c->header);
    if (c->body_bytes > 0 && c->body_bytes <= limits->max_req_bytes) {
        c->body = malloc(c->body_bytes);
        frames_require(c->body != NULL, "memory is short");
        return;
    }
    reply.status = c->body_bytes == 0 ? WIRE_BAD_LENGTH : WIRE_TOO_LARGE;
    c->lost = true;
    frames_model_due(c, &reply);
}

static void frames_model_body(struct frames_client *c)
{
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    frames_require(lexer_run(&options, c->body, c->body_bytes, NULL, &counts) == 0, "the lexer");
    const struct wire_reply reply = {.status = WIRE_OK,
                                     .n_tokens = counts.n_tokens,
                                     .issues_len = counts.n_issues,
                                     .origin = WIRE_ORIGIN_PRIMARY};
    frames_model_due(c, &reply);
}

/* These bytes are on their way. */
static void frames_model_sent(struct frames_client *c, const struct frames_limits *limits,
                              const uint8_t *bytes, size_t n, uint64_t now_ns)
{
    while (n > 0 && !c->lost) {
        if (c->header_have == 0) {
            c->due = realloc(c->due, (c->n_due + 1) * sizeof *c->due);
            frames_require(c->due != NULL, "memory is short");
            c->due[c->n_due++] = (struct frames_due){.begun_ns = now_ns};
        }
        if (c->header_have < WIRE_HEADER_BYTES) {
            c->header[c->header_have++] = *bytes++;
            n--;
            if (c->header_have == WIRE_HEADER_BYTES)
                frames_model_header(c, limits);
            continue;
        }
        size_t more = c->body_bytes - c->body_have < n ? c->body_bytes - c->body_have : n;
        memcpy(c->body + c->body_have, bytes, more);
        c->body_have += (uint32_t)more;
        bytes += more;
        n -= more;
        if (c->body_have == c->body_bytes)
            frames_model_body(c);
    }
}

/* One burst of what is queued, or a larger one where it would take for ever; true: some went. */
static bool frames_client_send(struct frames_client *c, const struct frames_limits *limits,
                               uint64_t now_ns)
{
    size_t left = c->out_bytes - c->out_sent;
    if (c->fd < 0 || c->shut || left == 0)
        return false;
    size_t least = 1 + c->out_bytes / 1000;
    size_t burst = c->burst_bytes > least ? c->burst_bytes : least;
    ssize_t n =
        send(c->fd, c->out + c->out_sent, left < burst ? left : burst, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n <= 0)
        return false;
    frames_model_sent(c, limits, c->out + c->out_sent, (size_t)n, now_ns);
    c->out_sent += (size_t)n;
    c->active_ns = now_ns;
    return true;
}

/* ---- receiving ------------------------------------------------------------------------------ */

/* May the server say this status now, without a result for the next frame? */
static bool frames_excused(const struct frames_client *c, const struct frames_limits *limits,
                           uint32_t status, uint64_t now_ns)
{
    bool begun = c->due != NULL && c->n_replied < c->n_due;
    uint64_t age_ns = begun ? now_ns - c->due[c->n_replied].begun_ns : 0;
    switch (status) {
    case WIRE_TIMED_OUT:
        return begun && age_ns >= limits->frame_ns;
    case WIRE_BUSY:
        return (limits->conns_were_up && c->n_replied == 0) || c->shut ||
               (begun && age_ns >= limits->backpressure_ns);
    case WIRE_SHUTTING_DOWN:
        return limits->draining && begun;
    default:
        return false;
    }
}

static void frames_client_replied(struct frames_client *c, const struct frames_limits *limits,
                                  uint64_t now_ns)
{
    struct wire_reply reply;
    const struct wire_reply *want = c->n_replied < c->n_whole ? &c->due[c->n_replied].reply : NULL;
    frames_require(wire_decode_reply(c->in, &reply) == 0, "not a reply");
    frames_require(!c->refused, "a reply after the last one");
    bool right = want != NULL && want->status == reply.status && want->n_tokens == reply.n_tokens &&
                 want->issues_len == reply.issues_len && want->origin == reply.origin;
    c->refused = reply.status != WIRE_OK;
    if (!right) {
        frames_require(frames_excused(c, limits, reply.status, now_ns), "a reply nobody is due");
        frames_require(reply.n_tokens == 0 && reply.issues_len == 0 &&
                           reply.origin == WIRE_ORIGIN_ERROR,
                       "an error with a result");
    }
    c->n_replied++;
}

static void frames_client_ended(struct frames_client *c, const struct frames_limits *limits,
                                uint64_t now_ns)
{
    /* What it sends does not excuse that it took no reply for so long. */
    uint64_t age_ns = now_ns - c->active_ns, deaf_ns = now_ns - c->taken_ns;
    c->ended = true;
    frames_require(c->in_have == 0, "the stream ends within a reply");
    if (c->refused || limits->draining || limits->conns_were_up || c->deaf)
        return;
    if (c->n_replied < c->n_whole)
        frames_require(age_ns >= limits->reply_ns || deaf_ns >= limits->reply_ns,
                       "the end, although a reply is due");
    else
        frames_require(c->shut || age_ns >= limits->idle_ns, "the end, for no reason");
}

/* Reads what is there; true: something was. */
static bool frames_client_receive(struct frames_client *c, const struct frames_limits *limits,
                                  uint64_t now_ns)
{
    bool any = false;
    while (c->fd >= 0 && !c->ended) {
        ssize_t n = recv(c->fd, c->in + c->in_have, sizeof c->in - c->in_have, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            c->taken_ns = now_ns;
            break;
        }
        any = true;
        if (n <= 0) {
            frames_client_ended(c, limits, now_ns);
            break;
        }
        c->in_have += (size_t)n;
        if (c->in_have == sizeof c->in) {
            c->in_have = 0;
            frames_client_replied(c, limits, now_ns);
        }
    }
    return any;
}

/* A whole frame has no answer, although it could be read. */
static bool frames_client_waits(const struct frames_client *c)
{
    return c->fd >= 0 && !c->deaf && !c->ended && !c->refused && c->n_replied < c->n_whole;
}

#endif
