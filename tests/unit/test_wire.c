#include "proto/wire.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const uint8_t known[WIRE_REPLY_BYTES] = {
    0, 0, 0, 13, 0, 0, 0, 3, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 2,
};

Test(wire, u32_is_big_endian)
{
    static const struct {
        uint32_t value;
        uint8_t bytes[4];
    } cases[] = {
        {0, {0, 0, 0, 0}},
        {1, {0, 0, 0, 1}},
        {0x01020304, {1, 2, 3, 4}},
        {0x80000000, {0x80, 0, 0, 0}},
        {0xffffffff, {0xff, 0xff, 0xff, 0xff}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[4];
        wire_put_u32(bytes, cases[i].value);
        cr_expect_arr_eq(bytes, cases[i].bytes, 4);
        cr_expect_eq(wire_get_u32(cases[i].bytes), cases[i].value);
    }
}

Test(wire, a_reply_has_known_bytes)
{
    const struct wire_reply reply = {
        .status = WIRE_TOO_LARGE,
        .n_tokens = 0x12345678,
        .issues_len = 0x9abcdef0,
        .origin = WIRE_ORIGIN_HEDGE,
    };
    uint8_t bytes[WIRE_REPLY_BYTES];
    wire_encode_reply(bytes, &reply);
    cr_assert_arr_eq(bytes, known, sizeof known);
}

Test(wire, a_reply_is_decoded)
{
    struct wire_reply reply;
    cr_assert_eq(wire_decode_reply(known, &reply), 0);
    cr_expect_eq(reply.status, WIRE_TOO_LARGE);
    cr_expect_eq(reply.n_tokens, 0x12345678);
    cr_expect_eq(reply.issues_len, 0x9abcdef0);
    cr_expect_eq(reply.origin, WIRE_ORIGIN_HEDGE);
}

Test(wire, another_length_or_origin_is_no_reply)
{
    uint8_t bytes[WIRE_REPLY_BYTES];
    struct wire_reply reply;
    for (size_t i = 0; i < WIRE_HEADER_BYTES; i++) {
        memcpy(bytes, known, sizeof known);
        bytes[i] ^= 1;
        cr_expect_eq(wire_decode_reply(bytes, &reply), -EBADMSG, "byte %zu of the length", i);
    }
    for (unsigned origin = 0; origin < 256; origin++) {
        memcpy(bytes, known, sizeof known);
        bytes[16] = (uint8_t)origin;
        cr_expect_eq(wire_decode_reply(bytes, &reply), origin <= WIRE_ORIGIN_HEDGE ? 0 : -EBADMSG);
    }
}

Test(wire, an_unknown_status_is_decoded_as_it_is)
{
    uint8_t bytes[WIRE_REPLY_BYTES];
    struct wire_reply reply;
    memcpy(bytes, known, sizeof known);
    wire_put_u32(bytes + 4, 0xfffffffe);
    cr_assert_eq(wire_decode_reply(bytes, &reply), 0);
    cr_assert_eq(reply.status, 0xfffffffe);
    cr_assert_str_eq(wire_status_name(reply.status), "unknown");
}

Test(wire, every_status_has_its_own_name)
{
    for (uint32_t a = 0; a < WIRE_STATUS_COUNT; a++) {
        cr_expect_str_neq(wire_status_name(a), "unknown");
        for (uint32_t b = 0; b < a; b++)
            cr_expect_str_neq(wire_status_name(a), wire_status_name(b));
    }
    cr_expect_str_eq(wire_status_name(WIRE_STATUS_COUNT), "unknown");
}
