/* The NEON kernel: the parts of the vector kernels that are made of the vector instructions that
 * every 64-bit Arm processor has. */
#include "lexer/kernel.h"

#if defined(LEXER_HAS_NEON)

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include "lexer/simd_passes.h"
#include "lexer/simd_scripts.h"
#include "lexer/simd_set_bits.h"
#include "lexer/simd_watched.h"

#define VECTOR_BYTES 16u
#define VECTORS      (SIMD_LANE_BYTES / VECTOR_BYTES) /* in a lane */

/* The classes of ASCII characters; without @, which may be a letter. */
static const uint8_t neon_classes[128] = {
    [0x00 ... 0x08] = SIMD_HARD,
    ['\t'] = SIMD_BLANK,
    ['\n'] = SIMD_LF,
    [0x0B ... 0x0C] = SIMD_HARD,
    ['\r'] = SIMD_CR,
    [0x0E ... 0x1F] = SIMD_HARD,
    [' '] = SIMD_BLANK,
    ['!' ... '"'] = SIMD_OTHER,
    ['#'] = SIMD_PARAMETER,
    ['$'] = SIMD_MATH_SHIFT,
    ['%'] = SIMD_COMMENT,
    ['&'] = SIMD_ALIGNMENT,
    ['\'' ... '@'] = SIMD_OTHER,
    ['A' ... 'Z'] = SIMD_LETTER,
    ['['] = SIMD_OTHER,
    ['\\'] = SIMD_ESCAPE,
    [']'] = SIMD_OTHER,
    ['^'] = SIMD_SUPERSCRIPT,
    ['_'] = SIMD_SUBSCRIPT,
    ['`'] = SIMD_OTHER,
    ['a' ... 'z'] = SIMD_LETTER,
    ['{'] = SIMD_BEGIN_GROUP,
    ['|'] = SIMD_OTHER,
    ['}'] = SIMD_END_GROUP,
    ['~'] = SIMD_ACTIVE,
    [0x7F] = SIMD_HARD,
};

SIMD_INLINE uint8x16_t equal(uint8x16_t in, uint8_t value)
{
    return vceqq_u8(in, vdupq_n_u8(value));
}

SIMD_INLINE uint8x16_t at_least(uint8x16_t in, uint8_t value)
{
    return vcgeq_u8(in, vdupq_n_u8(value));
}

/* low … high, both included. */
SIMD_INLINE uint8x16_t within(uint8x16_t in, uint8_t low, uint8_t high)
{
    return vcleq_u8(vsubq_u8(in, vdupq_n_u8(low)), vdupq_n_u8(high - low));
}

/* A bit for each byte of a lane that is 0xFF; the others are 0. */
SIMD_INLINE uint64_t bits_of(const uint8x16_t bytes[VECTORS])
{
    const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(UINT64_C(0x8040201008040201)));
    const uint8x16_t low = vpaddq_u8(vandq_u8(bytes[0], bit), vandq_u8(bytes[1], bit));
    const uint8x16_t high = vpaddq_u8(vandq_u8(bytes[2], bit), vandq_u8(bytes[3], bit));
    const uint8x16_t both = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(both, both)), 0);
}

/* 0xFF in the bytes whose bits are set: of bits 16 * vector … 16 * vector + 15. */
SIMD_INLINE uint8x16_t bytes_of(uint64_t bits, unsigned vector)
{
    const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(UINT64_C(0x8040201008040201)));
    const uint8x8_t spread = vcreate_u8(bits);
    const uint8x16_t index =
        vcombine_u8(vdup_n_u8((uint8_t)(2 * vector)), vdup_n_u8((uint8_t)(2 * vector + 1)));
    return vtstq_u8(vqtbl1q_u8(vcombine_u8(spread, spread), index), bit);
}

/* The four bit planes of codes of four bits: a transposition of 64 × 4 bits. In each group of eight
 * bytes, byte k + 4 first joins byte k, as its upper half; then every other one of these changes
 * bits with its neighbour, one bit wide, and what comes out of that, two bits wide:
 *
 *   pairs      bytes of 0 and 4, 1 and 5, 2 and 6, 3 and 7: bits 0123 of both
 *   low        0 and 2 of 0, 1, 0, 1 | of 4, 5, 4, 5;   the same of 2, 3, 2, 3 | 6, 7, 6, 7
 *   high       1 and 3, likewise
 *   planes     bit 0 of 0, 1, 2, 3, 4, 5, 6, 7;  bit 1;  bit 2;  bit 3 */
SIMD_INLINE void put_planes(const uint8x16_t codes[VECTORS], simd_lanes *plane, uint32_t lane)
{
    const uint8x16_t ones = vdupq_n_u8(0x55), twos = vdupq_n_u8(0x33);
    uint32x4_t joined[VECTORS];
    SIMD_UNROLL
    for (unsigned i = 0; i < VECTORS; i++) {
        const uint64x2_t groups = vreinterpretq_u64_u8(codes[i]);
        joined[i] = vreinterpretq_u32_u64(vsraq_n_u64(groups, groups, 28));
    }
    const uint8x16_t first = vreinterpretq_u8_u32(vuzp1q_u32(joined[0], joined[1]));
    const uint8x16_t last = vreinterpretq_u8_u32(vuzp1q_u32(joined[2], joined[3]));
    const uint8x16_t even = vuzp1q_u8(first, last), odd = vuzp2q_u8(first, last);
    const uint8x16_t low = vbslq_u8(ones, even, vshlq_n_u8(odd, 1));
    const uint8x16_t high = vbslq_u8(ones, vshrq_n_u8(even, 1), odd);
    const uint8x16_t begin = vuzp1q_u8(low, high), end = vuzp2q_u8(low, high);
    const uint64x2_t planes01 = vreinterpretq_u64_u8(vbslq_u8(twos, begin, vshlq_n_u8(end, 2)));
    const uint64x2_t planes23 = vreinterpretq_u64_u8(vbslq_u8(twos, vshrq_n_u8(begin, 2), end));
    vst1q_lane_u64(&plane[0][lane], planes01, 0);
    vst1q_lane_u64(&plane[1][lane], planes01, 1);
    vst1q_lane_u64(&plane[2][lane], planes23, 0);
    vst1q_lane_u64(&plane[3][lane], planes23, 1);
}

/* The bytes of a lane for which a comparison holds. */
#define DEFINE_FIND(name, compare)                                                                 \
    SIMD_INLINE uint64_t name(const uint8_t *in, uint8_t byte)                                     \
    {                                                                                              \
        uint8x16_t found[VECTORS];                                                                 \
        SIMD_UNROLL                                                                                \
        for (unsigned i = 0; i < VECTORS; i++)                                                     \
            found[i] = compare(vld1q_u8(in + (size_t)i * VECTOR_BYTES), byte);                     \
        return bits_of(found);                                                                     \
    }
DEFINE_FIND(neon_equal, equal)
DEFINE_FIND(neon_at_least, at_least)

/* What a table says of the values; nothing beyond 15. */
SIMD_INLINE uint8x16_t look_up(const uint8_t values[16], uint8x16_t index)
{
    return vqtbl1q_u8(vld1q_u8(values), index);
}

/* Halves of bytes; the lower ones of continuations alone. */
SIMD_INLINE uint8x16_t upper(uint8x16_t in)
{
    return vshrq_n_u8(in, 4);
}

SIMD_INLINE uint8x16_t lower(uint8x16_t in)
{
    return vandq_u8(in, vdupq_n_u8(0xF));
}

SIMD_INLINE uint8x16_t agreed(uint8x16_t a, uint8x16_t b, uint8x16_t c)
{
    return vandq_u8(vandq_u8(a, b), c);
}

/* Bytes from here on, and one and two behind: the sets of the characters that begin there. Tables
 * of upper halves see to it that continuations are what is behind. */
SIMD_INLINE uint8x16_t sets_of(const uint8_t *in)
{
    const uint8x16_t first = vld1q_u8(in), second = vld1q_u8(in + 1), third = vld1q_u8(in + 2);
    const uint8x16_t index = vsubq_u8(first, vdupq_n_u8(0xE0));
    const uint8x16_t two =
        agreed(look_up(simd_two_first, vsubq_u8(first, vdupq_n_u8(0xC2))),
               look_up(simd_two_upper, upper(second)), look_up(simd_two_lower, lower(second)));
    const uint8x16_t three =
        agreed(look_up(simd_three_first, index), look_up(simd_three_upper, upper(second)),
               look_up(simd_three_lower, lower(second)));
    const uint8x16_t kana = agreed(
        agreed(look_up(simd_kana_first, index), look_up(simd_kana_upper, upper(second)),
               look_up(simd_kana_lower, lower(second))),
        look_up(simd_kana_third_upper, upper(third)), look_up(simd_kana_third_lower, lower(third)));
    const uint8x16_t one = vandq_u8(vaddq_u8(kana, kana), vdupq_n_u8(0x80)); /* bit 6 */
    const uint8x16_t sets = vorrq_u8(two, vandq_u8(three, within(third, 0x80, 0xBF)));
    return vorrq_u8(sets, vorrq_u8(one, vbicq_u8(kana, vdupq_n_u8(1 << 6))));
}

/* Of so many vectors. */
SIMD_INLINE struct simd_utf8_bytes utf8_of(const uint8_t *in, unsigned n)
{
    uint8x16_t leads[VECTORS] = {0}, three[VECTORS] = {0};
    uint8x16_t letters[VECTORS] = {0}, others[VECTORS] = {0};
    SIMD_UNROLL
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *const at = in + (size_t)i * VECTOR_BYTES;
        const int8x16_t sets = vreinterpretq_s8_u8(sets_of(at));
        leads[i] = at_least(vld1q_u8(at), 0xC0);
        three[i] = at_least(vld1q_u8(at), 0xE0);
        letters[i] = vcgtzq_s8(sets);
        others[i] = vcltzq_s8(sets);
    }
    return (struct simd_utf8_bytes){bits_of(leads), bits_of(three), bits_of(letters),
                                    bits_of(others)};
}

SIMD_SELDOM struct simd_utf8_bytes neon_utf8(const uint8_t *in)
{
    return utf8_of(in, VECTORS);
}

SIMD_SELDOM struct simd_utf8_bytes neon_utf8_few(const uint8_t *in)
{
    return utf8_of(in, VECTORS / 2);
}

/* Words from here on: those that are in no set of names. */
SIMD_INLINE uint8x16_t is_not_watched(const uint8_t *at)
{
    const uint8x16_t first = look_up(simd_not_watched[0], lower(vld1q_u8(at)));
    const uint8x16_t third = look_up(simd_not_watched[1], lower(vld1q_u8(at + 2)));
    const uint8x16_t fourth = look_up(simd_not_watched[2], lower(vld1q_u8(at + 3)));
    return equal(vorrq_u8(vorrq_u8(first, third), fourth), 0xFF);
}

SIMD_INLINE void neon_classify(const uint8_t *in, unsigned regime, bool at_is_letter,
                               simd_lanes *plane, uint64_t *unwatched, uint32_t lane)
{
    const uint8x16x4_t lower = vld1q_u8_x4(neon_classes);
    uint8x16x4_t upper = vld1q_u8_x4(neon_classes + 64);
    const uint8x16_t beyond = vdupq_n_u8(regime == LEXER_LUALATEX ? SIMD_HARD : SIMD_ACTIVE);
    uint8x16_t classes[VECTORS], not_watched_at[VECTORS];
    if (at_is_letter)
        upper.val[0] = vsetq_lane_u8(SIMD_LETTER, upper.val[0], '@' - 64);
    SIMD_UNROLL
    for (unsigned i = 0; i < VECTORS; i++) {
        const uint8_t *const at = in + (size_t)i * VECTOR_BYTES;
        const uint8x16_t bytes = vld1q_u8(at);
        /* Indices that are too large leave what is there. */
        const uint8x16_t below = vqtbx4q_u8(beyond, lower, bytes);
        classes[i] = vqtbx4q_u8(below, upper, veorq_u8(bytes, vdupq_n_u8(64)));
        not_watched_at[i] = is_not_watched(at);
    }
    put_planes(classes, plane, lane);
    unwatched[lane] = bits_of(not_watched_at);
}

SIMD_INLINE void neon_classify_by(const uint8_t *in, const struct simd_table *table,
                                  simd_lanes *plane, uint64_t *ignored, uint64_t *unwatched,
                                  uint32_t lane)
{
    const uint8x16x4_t lower = vld1q_u8_x4(table->of), upper = vld1q_u8_x4(table->of + 64);
    uint8x16_t classes[VECTORS], is_ignored[VECTORS], not_watched_at[VECTORS];
    SIMD_UNROLL
    for (unsigned i = 0; i < VECTORS; i++) {
        const uint8_t *const at = in + (size_t)i * VECTOR_BYTES;
        const uint8x16_t bytes = vld1q_u8(at);
        const uint8x16_t below = vqtbl4q_u8(lower, bytes);
        const uint8x16_t ascii = vqtbx4q_u8(below, upper, veorq_u8(bytes, vdupq_n_u8(64)));
        classes[i] = veorq_u8(ascii, vdupq_n_u8(table->beyond));
        is_ignored[i] = vtstq_u8(classes[i], vdupq_n_u8(1 << SIMD_CLASS_BITS));
        classes[i] = vandq_u8(classes[i], vdupq_n_u8(0x0F));
        not_watched_at[i] = is_not_watched(at);
    }
    put_planes(classes, plane, lane);
    ignored[lane] = bits_of(is_ignored);
    unwatched[lane] = bits_of(not_watched_at);
}

/* C2 80-A0; E2 80 and 87, 8B-8D, AA-AF; E2 81 and A0, A6-A9; EF BB BF. */
SIMD_INLINE uint8x16_t is_suspect(const uint8_t *at)
{
    const uint8x16_t first = vld1q_u8(at), second = vld1q_u8(at + 1), third = vld1q_u8(at + 2);
    const uint8x16_t c2 = vbicq_u8(equal(first, 0xC2), at_least(second, 0xA1));
    const uint8x16_t marks = vorrq_u8(
        equal(third, 0x87), vorrq_u8(within(third, 0x8B, 0x8D), within(third, 0xAA, 0xAF)));
    const uint8x16_t isolates = vorrq_u8(equal(third, 0xA0), within(third, 0xA6, 0xA9));
    const uint8x16_t e2 =
        vandq_u8(equal(first, 0xE2), vorrq_u8(vandq_u8(equal(second, 0x80), marks),
                                              vandq_u8(equal(second, 0x81), isolates)));
    const uint8x16_t bom = vandq_u8(equal(first, 0xEF), equal(second, 0xBB));
    return vorrq_u8(c2, vorrq_u8(e2, bom));
}

SIMD_INLINE uint8x16_t may_be_suspect(const uint8_t *at)
{
    const uint8x16_t in = vld1q_u8(at);
    return vorrq_u8(equal(in, 0xC2), vorrq_u8(equal(in, 0xE2), equal(in, 0xEF)));
}

SIMD_SELDOM uint64_t neon_suspects(const uint8_t *in)
{
    uint8x16_t any = vdupq_n_u8(0), suspects[VECTORS];
    SIMD_UNROLL
    for (unsigned i = 0; i < VECTORS; i++)
        any = vorrq_u8(any, may_be_suspect(in + (size_t)i * VECTOR_BYTES));
    if (vmaxvq_u8(any) == 0)
        return 0;
    SIMD_UNROLL
    for (unsigned i = 0; i < VECTORS; i++)
        suspects[i] = is_suspect(in + (size_t)i * VECTOR_BYTES);
    return bits_of(suspects);
}

/* There is no instruction for it; masks hold few bits, seldom more than four. */
SIMD_INLINE uint64_t neon_gather(uint64_t bits, uint64_t mask)
{
    uint64_t gathered = 0;
    for (unsigned n = 0; mask; mask &= mask - 1, n++)
        gathered |= (bits >> __builtin_ctzll(mask) & 1) << n;
    return gathered;
}

/* How many of the bits are set before each group of eight, a byte for each. */
SIMD_INLINE uint64_t bits_before(uint64_t bits)
{
    const uint64_t counts = vget_lane_u64(vreinterpret_u64_u8(vcnt_u8(vcreate_u8(bits))), 0);
    return counts * UINT64_C(0x0101010101010101) << 8;
}

SIMD_INLINE uint8x8_t set_bits_of(uint64_t bits, unsigned group)
{
    return vcreate_u8(simd_set_bits[bits >> 8 * group & 0xFF]);
}

SIMD_INLINE void put_starts(uint64_t bits, uint64_t before, uint32_t pos, uint32_t *to)
{
    uint32x4_t first = vdupq_n_u32(pos);
    SIMD_UNROLL
    for (unsigned group = 0; group < SIMD_LANE_BYTES / 8; group++) {
        uint32_t *const at = to + (before >> 8 * group & 0xFF);
        const uint16x8_t index = vmovl_u8(set_bits_of(bits, group));
        vst1q_u32(at, vaddw_u16(first, vget_low_u16(index)));
        vst1q_u32(at + 4, vaddw_high_u16(first, index));
        first = vaddq_u32(first, vdupq_n_u32(8));
    }
}

SIMD_INLINE uint8x16_t pair_of(uint64_t low, uint64_t high)
{
    return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)));
}

/* What put_planes() takes apart, and a fifth plane. */
SIMD_INLINE void kinds_of(const uint64_t planes[SIMD_KIND_BITS][SIMD_LANES], uint32_t lane,
                          uint8x16_t kinds[VECTORS])
{
    const uint8x16_t ones = vdupq_n_u8(0x55), twos = vdupq_n_u8(0x33), fours = vdupq_n_u8(0x0F);
    const uint8x16_t planes01 = pair_of(planes[0][lane], planes[1][lane]);
    const uint8x16_t planes23 = pair_of(planes[2][lane], planes[3][lane]);
    const uint8x16_t begin = vbslq_u8(twos, planes01, vshlq_n_u8(planes23, 2));
    const uint8x16_t end = vbslq_u8(twos, vshrq_n_u8(planes01, 2), planes23);
    const uint8x16_t low = vzip1q_u8(begin, end), high = vzip2q_u8(begin, end);
    const uint8x16_t even = vbslq_u8(ones, low, vshlq_n_u8(high, 1));
    const uint8x16_t odd = vbslq_u8(ones, vshrq_n_u8(low, 1), high);
    const uint8x16_t joined[2] = {vzip1q_u8(even, odd), vzip2q_u8(even, odd)};
    SIMD_UNROLL
    for (unsigned i = 0; i < VECTORS; i++) {
        const uint32x4_t lower = vreinterpretq_u32_u8(vandq_u8(joined[i / 2], fours));
        const uint32x4_t upper = vreinterpretq_u32_u8(vshrq_n_u8(joined[i / 2], 4));
        const uint8x16_t four =
            vreinterpretq_u8_u32(i % 2 ? vzip2q_u32(lower, upper) : vzip1q_u32(lower, upper));
        kinds[i] = vbslq_u8(vdupq_n_u8(1 << 4), bytes_of(planes[4][lane], i), four);
    }
}

SIMD_INLINE void put_kinds(uint64_t bits, uint64_t before, const uint8x16_t kinds[VECTORS],
                           uint8_t *to)
{
    SIMD_UNROLL
    for (unsigned group = 0; group < SIMD_LANE_BYTES / 8; group++) {
        const uint8x16_t both = kinds[group / 2];
        const uint8x8_t bytes = group % 2 ? vget_high_u8(both) : vget_low_u8(both);
        vst1_u8(to + (before >> 8 * group & 0xFF), vtbl1_u8(bytes, set_bits_of(bits, group)));
    }
}

SIMD_INLINE void neon_put_spans(const uint64_t starts[SIMD_LANES],
                                const uint64_t kinds[SIMD_KIND_BITS][SIMD_LANES], uint32_t pos,
                                uint32_t *to_starts, uint8_t *to_kinds)
{
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++, pos += SIMD_LANE_BYTES) {
        const uint64_t bits = starts[lane], before = bits_before(bits);
        uint8x16_t kind[VECTORS];
        kinds_of(kinds, lane, kind);
        put_kinds(bits, before, kind, to_kinds);
        put_starts(bits, before, pos, to_starts);
        to_kinds += simd_count(bits);
        to_starts += simd_count(bits);
    }
}

/* The lanes of a mask: 0 and 1, 2 and 3. */
struct lanes {
    uint64x2_t low, high;
};

SIMD_INLINE struct lanes lanes_of(simd_mask mask)
{
    struct lanes lanes;
    memcpy(&lanes, &mask, sizeof lanes);
    return lanes;
}

SIMD_INLINE simd_mask mask_of(uint64x2_t low, uint64x2_t high)
{
    const struct lanes lanes = {low, high};
    simd_mask mask;
    memcpy(&mask, &lanes, sizeof mask);
    return mask;
}

SIMD_INLINE simd_mask neon_next(simd_mask bits, simd_mask before)
{
    const struct lanes b = lanes_of(bits);
    const uint64x2_t low = vshrq_n_u64(vextq_u64(lanes_of(before).high, b.low, 1), 63);
    const uint64x2_t high = vshrq_n_u64(vextq_u64(b.low, b.high, 1), 63);
    return mask_of(vsliq_n_u64(low, b.low, 1), vsliq_n_u64(high, b.high, 1));
}

/* -1 in the lanes that get a carry from the one below, which gives one by itself, or passes on what
 * it gets: first over one lane, then over two. */
SIMD_INLINE struct lanes carried(struct lanes gives, struct lanes passes)
{
    const uint64x2_t none = vdupq_n_u64(0);
    const uint64x2_t low =
        vorrq_u64(gives.low, vandq_u64(passes.low, vextq_u64(none, gives.low, 1)));
    const uint64x2_t high =
        vorrq_u64(gives.high, vandq_u64(passes.high, vextq_u64(gives.low, gives.high, 1)));
    const uint64x2_t passes_two = vandq_u64(passes.high, vextq_u64(passes.low, passes.high, 1));
    const uint64x2_t all = vorrq_u64(high, vandq_u64(passes_two, low));
    return (struct lanes){vextq_u64(none, low, 1), vextq_u64(low, all, 1)};
}

SIMD_INLINE simd_mask neon_sum(simd_mask first, simd_mask second)
{
    const struct lanes a = lanes_of(first), b = lanes_of(second);
    const uint64x2_t low = vaddq_u64(a.low, b.low), high = vaddq_u64(a.high, b.high);
    const uint64x2_t full = vdupq_n_u64(UINT64_MAX);
    const struct lanes carries =
        carried((struct lanes){vcltq_u64(low, a.low), vcltq_u64(high, a.high)},
                (struct lanes){vceqq_u64(low, full), vceqq_u64(high, full)});
    return mask_of(vsubq_u64(low, carries.low), vsubq_u64(high, carries.high));
}

SIMD_INLINE simd_mask neon_difference(simd_mask first, simd_mask second)
{
    const struct lanes a = lanes_of(first), b = lanes_of(second);
    const struct lanes borrows =
        carried((struct lanes){vcltq_u64(a.low, b.low), vcltq_u64(a.high, b.high)},
                (struct lanes){vceqq_u64(a.low, b.low), vceqq_u64(a.high, b.high)});
    return mask_of(vaddq_u64(vsubq_u64(a.low, b.low), borrows.low),
                   vaddq_u64(vsubq_u64(a.high, b.high), borrows.high));
}

SIMD_INLINE bool neon_any(simd_mask bits)
{
    const struct lanes b = lanes_of(bits);
    return vmaxvq_u32(vreinterpretq_u32_u64(vorrq_u64(b.low, b.high))) != 0;
}

SIMD_INLINE uint32_t neon_halves(simd_mask bits)
{
    uint32_t halves = 0;
    for (uint32_t i = 0; i < SIMD_HALVES; i++)
        halves |= (uint32_t)((uint32_t)(bits[i / 2] >> i % 2 * SIMD_HALF_BYTES) != 0) << i;
    return halves;
}

static const struct simd_isa neon = {
    .classify = neon_classify,
    .classify_by = neon_classify_by,
    .equal = neon_equal,
    .at_least = neon_at_least,
    .utf8 = neon_utf8,
    .utf8_few = neon_utf8_few,
    .suspects = neon_suspects,
    .gather = neon_gather,
    .next = neon_next,
    .sum = neon_sum,
    .difference = neon_difference,
    .any = neon_any,
    .halves = neon_halves,
    .put_spans = neon_put_spans,
};

SIMD_DEFINE_PASSES(neon)

static int neon_run(struct lexer *lx, const uint8_t *input, uint32_t have)
{
    return simd_run(lx, input, have, passes[lx->regime]);
}

/* Processors without it exist in the architecture only. */
static bool neon_can_run(void)
{
    return getauxval(AT_HWCAP) & HWCAP_ASIMD;
}

const struct lexer_kernel lexer_neon = {
    .name = "neon",
    .is_simd = true,
    .can_run = neon_can_run,
    .prepare = prepare,
    .run = neon_run,
};

#endif
