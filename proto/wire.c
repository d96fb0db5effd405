#include "proto/wire.h"

#include <errno.h>

void wire_put_u32(uint8_t out[4], uint32_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
}

uint32_t wire_get_u32(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

void wire_encode_reply(uint8_t out[WIRE_REPLY_BYTES], const struct wire_reply *reply)
{
    wire_put_u32(out, WIRE_REPLY_BODY_BYTES);
    wire_put_u32(out + 4, reply->status);
    wire_put_u32(out + 8, reply->n_tokens);
    wire_put_u32(out + 12, reply->issues_len);
    out[16] = reply->origin;
}

int wire_decode_reply(const uint8_t in[WIRE_REPLY_BYTES], struct wire_reply *reply)
{
    if (wire_get_u32(in) != WIRE_REPLY_BODY_BYTES || in[16] > WIRE_ORIGIN_HEDGE)
        return -EBADMSG;
    reply->status = wire_get_u32(in + 4);
    reply->n_tokens = wire_get_u32(in + 8);
    reply->issues_len = wire_get_u32(in + 12);
    reply->origin = in[16];
    return 0;
}

const char *wire_status_name(uint32_t status)
{
    static const char *const names[WIRE_STATUS_COUNT] = {
        [WIRE_OK] = "ok",
        [WIRE_INTERNAL] = "internal",
        [WIRE_BAD_LENGTH] = "bad_length",
        [WIRE_TOO_LARGE] = "too_large",
        [WIRE_BUSY] = "busy",
        [WIRE_SHUTTING_DOWN] = "shutting_down",
        [WIRE_TIMED_OUT] = "timed_out",
    };
    return status < WIRE_STATUS_COUNT ? names[status] : "unknown";
}
