/* Wire protocol, version 1: what both ends of a socket agree on. See PROTOCOL.md.
 *
 * request: u32 big-endian length, then that many bytes of one LaTeX document
 * reply:   u32 big-endian 13, then u32 status, u32 n_tokens, u32 issues_len, u8 origin
 *
 * Pure functions over bytes; no I/O, no allocation. */
#ifndef L0_PROTO_WIRE_H
#define L0_PROTO_WIRE_H

#include <assert.h>
#include <stdint.h>

enum {
    WIRE_HEADER_BYTES = 4,
    WIRE_REPLY_BODY_BYTES = 13,
    WIRE_REPLY_BYTES = WIRE_HEADER_BYTES + WIRE_REPLY_BODY_BYTES,
};

/* No server may accept a longer document than this, whatever it is configured to. */
#define WIRE_REQ_BYTES_MAX ((UINT32_C(1) << 30) - 1)

/* Statuses are a wire format: never renumbered, only added to. */
enum wire_status {
    WIRE_OK = 0,
    WIRE_INTERNAL = 1,      /* the server failed; the request may be repeated */
    WIRE_BAD_LENGTH = 2,    /* length 0; the connection is closed after this reply */
    WIRE_TOO_LARGE = 3,     /* length above the server's limit; closed after this reply */
    WIRE_BUSY = 4,          /* waited longer than the back-pressure deadline */
    WIRE_SHUTTING_DOWN = 5, /* the server drains; closed after this reply */
    WIRE_TIMED_OUT = 6,     /* the frame did not arrive in time; closed after this reply */
    WIRE_STATUS_COUNT
};

enum wire_origin {
    WIRE_ORIGIN_ERROR = 0,   /* no lexer result: status is not WIRE_OK */
    WIRE_ORIGIN_PRIMARY = 1, /* lexed by the connection's own shard */
    WIRE_ORIGIN_HEDGE = 2,   /* lexed by the sibling shard */
};

struct wire_reply {
    uint32_t status;     /* enum wire_status; an unknown one is an error */
    uint32_t n_tokens;   /* TeX tokens in the document; 0 unless status is WIRE_OK */
    uint32_t issues_len; /* diagnostics found; 0 unless status is WIRE_OK */
    uint8_t origin;      /* enum wire_origin */
};

void wire_put_u32(uint8_t out[4], uint32_t value);
uint32_t wire_get_u32(const uint8_t in[4]);

void wire_encode_reply(uint8_t out[WIRE_REPLY_BYTES], const struct wire_reply *reply);

/* 0, or -EBADMSG when the length is not 13 or the origin is unknown. */
int wire_decode_reply(const uint8_t in[WIRE_REPLY_BYTES], struct wire_reply *reply);

/* A lower-case name such as "too_large" (also the metric's label); "unknown" for other numbers. */
const char *wire_status_name(uint32_t status);

static_assert(WIRE_REPLY_BYTES == 17, "version-1 replies are 17 bytes for ever");

#endif
