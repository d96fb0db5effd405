/* UTF-8 by the letter of The Unicode Standard 15, section 3.9, table 3-7. */
#ifndef L0_LEXER_UTF8_H
#define L0_LEXER_UTF8_H

#include <stdbool.h>
#include <stdint.h>

struct utf8_char {
    uint32_t code_point; /* U+FFFD for a maximal invalid subpart */
    uint32_t n_bytes;    /* 0: more bytes are needed to tell */
    bool invalid;
};

#define UTF8_REPLACEMENT UINT32_C(0xFFFD)

/* Decodes the character at in, where have >= 1 bytes are there and the first is >= 0x80. final: no
 * more bytes will come, so that a cut sequence is an invalid one. */
static inline struct utf8_char utf8_decode(const uint8_t *in, uint32_t have, bool final)
{
    const uint8_t lead = in[0];
    const uint32_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    /* The second byte's range depends on the lead: no overlong forms, no surrogates, no value
     * above U+10FFFF. */
    const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;

    if (lead < 0xC2 || lead > 0xF4)
        return (struct utf8_char){UTF8_REPLACEMENT, 1, true};
    uint32_t code_point = lead & (0x7Fu >> want);
    for (uint32_t i = 1; i < want; i++) {
        if (i >= have)
            return (struct utf8_char){UTF8_REPLACEMENT, final ? i : 0, true};
        if (in[i] < (i == 1 ? low : 0x80) || in[i] > (i == 1 ? high : 0xBF))
            return (struct utf8_char){UTF8_REPLACEMENT, i, true};
        code_point = code_point << 6 | (in[i] & 0x3Fu);
    }
    return (struct utf8_char){code_point, want, false};
}

#endif
