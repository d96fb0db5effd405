/* The AVX2 kernel: the parts of the vector kernels that are made of AVX2, BMI1 and BMI2
 * instructions. This file alone is compiled for them: nothing in it runs before avx2_can_run() said
 * that the processor and the operating system support them. */
#include "lexer/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "lexer/simd_passes.h"
#include "lexer/simd_set_bits.h"

#define HALF_BYTES 32u

SIMD_INLINE __m256i load(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* Tables for 16 values, as a shuffle looks them up: the same in both lanes. */
struct tables {
    _Alignas(32) uint8_t specials[32], special_classes[32], seconds[32], second_classes[32];
    uint8_t watched[4][32]; /* see avx2_watched() */
};

#define TWICE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__, __VA_ARGS__                                                                   \
    }
static const struct tables avx2_tables = {
    .specials = TWICE(' ', 0x7F, 0x7F, '#', '$', '%', '&', 0x7F, 0x7F, '\t', '\n', '{', '\\', '}',
                      '~', '_'),
    .special_classes = TWICE(SIMD_BLANK, 0, 0, SIMD_PARAMETER, SIMD_MATH_SHIFT, SIMD_COMMENT,
                             SIMD_ALIGNMENT, 0, 0, SIMD_BLANK, SIMD_LF, SIMD_BEGIN_GROUP,
                             SIMD_ESCAPE, SIMD_END_GROUP, SIMD_ACTIVE, SIMD_SUBSCRIPT),
    .seconds = TWICE(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\r', '^', 0x7F),
    .second_classes =
        TWICE(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, SIMD_CR, SIMD_SUPERSCRIPT, SIMD_HARD),
    .watched = {TWICE(128, 0, 5, 144, 0, 134, 32, 0, 0, 0, 0, 0, 64, 136, 0, 128),
                TWICE(0, 24, 128, 192, 0, 33, 0, 4, 128, 128, 0, 0, 0, 0, 2, 0),
                TWICE(128, 128, 36, 0, 82, 128, 0, 1, 0, 0, 0, 8, 0, 0, 128, 128),
                TWICE(0, 0, 32, 16, 128, 8, 128, 0, 0, 193, 0, 0, 128, 64, 192, 4)},
};

SIMD_INLINE __m256i bytes_of(uint8_t value)
{
    return _mm256_set1_epi8((char)value);
}

/* Classes of 32 bytes. A shuffle by the low four bits proposes the special character that the byte
 * could be and a second one its class; three characters share these bits with another one and have
 * tables of their own. What is none of them is told by range. */
SIMD_INLINE __m256i classes_of(__m256i in, unsigned regime, bool at_is_letter)
{
    const struct tables *const t = &avx2_tables;
    /* As signed bytes, those from the lowest on. */
    const __m256i from_a =
        _mm256_add_epi8(_mm256_or_si256(in, bytes_of(0x20)), bytes_of(0x80 - 'a'));
    __m256i is_letter = _mm256_cmpgt_epi8(bytes_of(0x80 + 'z' - 'a' + 1), from_a);
    if (at_is_letter)
        is_letter = _mm256_or_si256(is_letter, _mm256_cmpeq_epi8(in, bytes_of('@')));
    const __m256i is_graphic = _mm256_cmpgt_epi8(in, bytes_of(' ')); /* high bytes are negative */
    const __m256i is_special = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(load(t->specials), in), in);
    const __m256i is_second = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(load(t->seconds), in), in);

    __m256i class = _mm256_or_si256(_mm256_andnot_si256(is_letter, bytes_of(SIMD_OTHER)),
                                    _mm256_andnot_si256(is_graphic, bytes_of(SIMD_HARD)));
    if (regime == LEXER_PDFLATEX)
        class =
            _mm256_or_si256(class, _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_setzero_si256(), in),
                                                    bytes_of(SIMD_ACTIVE)));
    class =
        _mm256_blendv_epi8(class, _mm256_shuffle_epi8(load(t->special_classes), in), is_special);
    return _mm256_blendv_epi8(class, _mm256_shuffle_epi8(load(t->second_classes), in), is_second);
}

SIMD_INLINE uint64_t signs(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << HALF_BYTES;
}

SIMD_INLINE __m256i at_least(__m256i in, uint8_t value)
{
    return _mm256_cmpeq_epi8(_mm256_max_epu8(in, bytes_of(value)), in);
}

SIMD_INLINE __m256i equal(__m256i in, uint8_t value)
{
    return _mm256_cmpeq_epi8(in, bytes_of(value));
}

/* 0xE5-0xE8: U+5000-8FFF; 0xEB, 0xEC: U+B000-CFFF; from 0xE4 0xB8 on: U+4E00-4FFF; up to 0xE9 0xBE:
 * U+9000-9FBF. */
SIMD_INLINE __m256i is_cjk_lead(__m256i in, __m256i next)
{
    const __m256i from_e5 = _mm256_sub_epi8(in, bytes_of(0xE5));
    const __m256i plain = _mm256_cmpeq_epi8(_mm256_min_epu8(from_e5, bytes_of(3)), from_e5);
    const __m256i eb_ec = _mm256_or_si256(equal(in, 0xEB), equal(in, 0xEC));
    const __m256i e4 = _mm256_and_si256(equal(in, 0xE4), at_least(next, 0xB8));
    const __m256i e9 = _mm256_andnot_si256(at_least(next, 0xBF), equal(in, 0xE9));
    return _mm256_or_si256(_mm256_or_si256(plain, eb_ec), _mm256_or_si256(e4, e9));
}

/* 0xE3 0x81 from 0x81 on: U+3041-307F; 0xE3 0x82 up to 0x96 and from 0xA1 on: U+3080-3096 and
 * U+30A1-30BF; 0xE3 0x83 but for 0xBB: U+30C0-30FF without the middle dot. */
SIMD_INLINE __m256i is_kana_lead(__m256i in, __m256i next, __m256i third)
{
    const __m256i hiragana = _mm256_and_si256(equal(next, 0x81), at_least(third, 0x81));
    const __m256i between = _mm256_andnot_si256(at_least(third, 0xA1), at_least(third, 0x97));
    const __m256i both = _mm256_andnot_si256(between, equal(next, 0x82));
    const __m256i katakana = _mm256_andnot_si256(equal(third, 0xBB), equal(next, 0x83));
    return _mm256_and_si256(equal(in, 0xE3),
                            _mm256_or_si256(hiragana, _mm256_or_si256(both, katakana)));
}

/* 0xE2 0x80: U+2000-203F; 0xE2 0x87 to 0xAF: U+21C0-2BFF; 0xE3 0x80 up to 0x84 and from 0x88 to
 * 0xA0: U+3000-3004 and U+3008-3020; 0xEF 0xBC up to 0xA0: U+FF00-FF20. */
SIMD_INLINE __m256i is_sign_lead(__m256i in, __m256i next, __m256i third)
{
    const __m256i symbols = _mm256_andnot_si256(at_least(next, 0xB0), at_least(next, 0x87));
    const __m256i e2 =
        _mm256_and_si256(equal(in, 0xE2), _mm256_or_si256(equal(next, 0x80), symbols));
    const __m256i marks = _mm256_andnot_si256(at_least(third, 0x85), equal(next, 0x80));
    const __m256i brackets = _mm256_and_si256(at_least(third, 0x88), equal(next, 0x80));
    const __m256i e3 = _mm256_and_si256(equal(in, 0xE3), _mm256_or_si256(marks, brackets));
    const __m256i ef = _mm256_and_si256(equal(in, 0xEF), equal(next, 0xBC));
    const __m256i low = _mm256_andnot_si256(at_least(third, 0xA1), _mm256_or_si256(e3, ef));
    return _mm256_or_si256(e2, low);
}

/* 0xC3 but for 0x97 and 0xB7: U+00C0-00FF without the signs for times and division; 0xC4-0xCA:
 * U+0100-02BF; 0xD0, 0xD1: U+0400-047F; 0xCE from 0x90 on but for 0xA2, 0xCF up to 0xB5:
 * U+0390-03F5 without the unassigned U+03A2. */
SIMD_INLINE __m256i is_european_lead(__m256i in, __m256i next)
{
    const __m256i sign = equal(_mm256_or_si256(next, bytes_of(0x20)), 0xB7);
    const __m256i from_c4 = _mm256_sub_epi8(in, bytes_of(0xC4));
    const __m256i extended = _mm256_cmpeq_epi8(_mm256_min_epu8(from_c4, bytes_of(6)), from_c4);
    const __m256i latin = _mm256_or_si256(_mm256_andnot_si256(sign, equal(in, 0xC3)), extended);
    const __m256i cyrillic = equal(_mm256_and_si256(in, bytes_of(0xFE)), 0xD0);
    const __m256i ce = _mm256_andnot_si256(equal(next, 0xA2),
                                           _mm256_and_si256(equal(in, 0xCE), at_least(next, 0x90)));
    const __m256i cf = _mm256_andnot_si256(at_least(next, 0xB6), equal(in, 0xCF));
    return _mm256_or_si256(_mm256_or_si256(latin, cyrillic), _mm256_or_si256(ce, cf));
}

SIMD_INLINE __m256i is_continuation(__m256i in)
{
    return _mm256_cmpgt_epi8(bytes_of(0xC0), in); /* as signed bytes */
}

SIMD_INLINE uint64_t bits_of(__m256i signs_of_bytes, uint32_t half)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(signs_of_bytes) << half;
}

SIMD_INLINE uint64_t avx2_equal(const uint8_t *in, uint8_t byte)
{
    return signs(equal(load(in), byte), equal(load(in + HALF_BYTES), byte));
}

SIMD_INLINE uint64_t avx2_at_least(const uint8_t *in, uint8_t byte)
{
    return signs(at_least(load(in), byte), at_least(load(in + HALF_BYTES), byte));
}

SIMD_INLINE uint64_t avx2_leads(const uint8_t *in)
{
    const __m256i low = load(in), high = load(in + HALF_BYTES);
    return signs(_mm256_and_si256(low, at_least(low, 0xC0)),
                 _mm256_and_si256(high, at_least(high, 0xC0)));
}

/* Of half a lane; shifted there. Scripts seldom change, so what is not there is not looked for. */
SIMD_INLINE void utf8_half(const uint8_t *in, uint32_t half, struct simd_utf8_bytes *bytes)
{
    const __m256i first = load(in), second = load(in + 1);
    const __m256i two = is_continuation(second);
    const __m256i wide = at_least(first, 0xE0); /* first bytes of three or four */
    if (!_mm256_testc_si256(wide, at_least(first, 0xC0)))
        bytes->two |= bits_of(_mm256_and_si256(two, is_european_lead(first, second)), half);
    if (_mm256_testz_si256(wide, wide))
        return;
    const __m256i third = load(in + 2);
    const __m256i three = _mm256_and_si256(two, is_continuation(third));
    const __m256i e3 = equal(first, 0xE3);
    const __m256i others =
        _mm256_or_si256(e3, _mm256_or_si256(equal(first, 0xE2), equal(first, 0xEF)));
    __m256i letters = is_cjk_lead(first, second);
    if (!_mm256_testz_si256(others, others)) {
        letters = _mm256_or_si256(letters, is_kana_lead(first, second, third));
        bytes->three_others |=
            bits_of(_mm256_and_si256(three, is_sign_lead(first, second, third)), half);
    }
    bytes->three |= bits_of(_mm256_and_si256(three, letters), half);
}

SIMD_INLINE struct simd_utf8_bytes avx2_utf8(const uint8_t *in)
{
    struct simd_utf8_bytes bytes = {0};
    utf8_half(in, 0, &bytes);
    utf8_half(in + HALF_BYTES, HALF_BYTES, &bytes);
    return bytes;
}

/* Eight sets of names, a bit each, by their first four letters: begi; end and anything but c, as in
 * endcsname; bgro and egro; make (and Make); catc; verb; lsti, lstn, lstM; and Expl, Prov, obey,
 * mint, scan. A name is in one of them if all its letters are, which the tables tell by the lower
 * half of a byte alone: names that are in none may seem to be, and are told later. */
#define WATCHED_END 2

SIMD_INLINE __m256i is_watched(const uint8_t *at)
{
    const struct tables *const t = &avx2_tables;
    const __m256i first = _mm256_shuffle_epi8(load(t->watched[0]), load(at));
    const __m256i second = _mm256_shuffle_epi8(load(t->watched[1]), load(at + 1));
    const __m256i third = _mm256_shuffle_epi8(load(t->watched[2]), load(at + 2));
    const __m256i next = load(at + 3);
    const __m256i fourth =
        _mm256_or_si256(_mm256_shuffle_epi8(load(t->watched[3]), next), bytes_of(WATCHED_END));
    const __m256i csname =
        _mm256_and_si256(_mm256_cmpeq_epi8(next, bytes_of('c')), bytes_of(WATCHED_END));
    const __m256i all =
        _mm256_and_si256(_mm256_and_si256(first, second), _mm256_and_si256(third, fourth));
    return _mm256_cmpeq_epi8(_mm256_andnot_si256(csname, all), _mm256_setzero_si256());
}

/* Bits of half a lane. */
SIMD_INLINE void put_half(uint64_t *lane, uint32_t half, uint32_t bits)
{
    __builtin_memcpy((uint8_t *)lane + half / 8, &bits, sizeof bits);
}

SIMD_INLINE void avx2_classify(const uint8_t *in, unsigned regime, bool at_is_letter,
                               simd_lanes *plane, uint64_t *watched, uint32_t lane)
{
    SIMD_UNROLL
    for (uint32_t half = 0; half < SIMD_LANE_BYTES; half += HALF_BYTES) {
        /* Bit 3 to the sign, which is what can be asked for; then the lower ones after it. */
        __m256i classes = _mm256_slli_epi16(classes_of(load(in + half), regime, at_is_letter), 4);
        SIMD_UNROLL
        for (int bit = 3; bit >= 0; bit--) {
            put_half(&plane[bit][lane], half, (uint32_t)_mm256_movemask_epi8(classes));
            classes = _mm256_add_epi8(classes, classes);
        }
        put_half(&watched[lane], half, ~(uint32_t)_mm256_movemask_epi8(is_watched(in + half)));
    }
}

/* Rows of 16 characters, of which a byte's upper half tells one: less that, it is below 16, and a
 * saturated sum with 0x70 sets the sign of all others, so that a shuffle gives 0 for them. */
SIMD_INLINE __m256i classes_by(__m256i in, const struct simd_table *table)
{
    __m256i classes = bytes_of(table->beyond);
    SIMD_UNROLL
    for (int row = 0; row < 8; row++) {
        const __m256i of = _mm256_broadcastsi128_si256(
            _mm_load_si128((const __m128i *)(const void *)(table->of + (size_t)row * 16)));
        const __m256i index =
            _mm256_adds_epu8(_mm256_xor_si256(in, bytes_of((uint8_t)(row << 4))), bytes_of(0x70));
        classes = _mm256_xor_si256(classes, _mm256_shuffle_epi8(of, index));
    }
    return classes;
}

SIMD_INLINE void avx2_classify_by(const uint8_t *in, const struct simd_table *table,
                                  simd_lanes *plane, uint64_t *ignored, uint64_t *watched,
                                  uint32_t lane)
{
    SIMD_UNROLL
    for (uint32_t half = 0; half < SIMD_LANE_BYTES; half += HALF_BYTES) {
        /* Bit 4 to the sign. */
        __m256i classes = _mm256_slli_epi16(classes_by(load(in + half), table), 3);
        put_half(&ignored[lane], half, (uint32_t)_mm256_movemask_epi8(classes));
        SIMD_UNROLL
        for (int bit = 3; bit >= 0; bit--) {
            classes = _mm256_add_epi8(classes, classes);
            put_half(&plane[bit][lane], half, (uint32_t)_mm256_movemask_epi8(classes));
        }
        put_half(&watched[lane], half, ~(uint32_t)_mm256_movemask_epi8(is_watched(in + half)));
    }
}

/* C2 80-A0; E2 80 and 87, 8B-8D, AA-AF; E2 81 and A0, A6-A9; EF BB BF. What the third byte tells is
 * asked for only where the first two leave it open. */
SIMD_INLINE uint32_t suspects_half(const uint8_t *in)
{
    const __m256i first = load(in), second = load(in + 1);
    const __m256i c2 = _mm256_andnot_si256(at_least(second, 0xA1), equal(first, 0xC2));
    const __m256i e2 =
        _mm256_and_si256(equal(first, 0xE2), equal(_mm256_or_si256(second, bytes_of(1)), 0x81));
    const __m256i ef = _mm256_and_si256(equal(first, 0xEF), equal(second, 0xBB));
    const __m256i open = _mm256_or_si256(e2, ef);
    if (_mm256_testz_si256(open, open))
        return (uint32_t)_mm256_movemask_epi8(c2);
    const __m256i third = load(in + 2);
    const __m256i marks = _mm256_or_si256(
        equal(third, 0x87), _mm256_andnot_si256(at_least(third, 0x8E), at_least(third, 0x8B)));
    const __m256i embeddings = _mm256_andnot_si256(at_least(third, 0xB0), at_least(third, 0xAA));
    const __m256i isolates = _mm256_or_si256(
        equal(third, 0xA0), _mm256_andnot_si256(at_least(third, 0xAA), at_least(third, 0xA6)));
    const __m256i in_80 = _mm256_and_si256(equal(second, 0x80), _mm256_or_si256(marks, embeddings));
    const __m256i in_81 = _mm256_and_si256(equal(second, 0x81), isolates);
    const __m256i bom = _mm256_and_si256(ef, equal(third, 0xBF));
    const __m256i punctuation = _mm256_and_si256(e2, _mm256_or_si256(in_80, in_81));
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(c2, _mm256_or_si256(punctuation, bom)));
}

SIMD_INLINE __m256i may_be_suspect(const uint8_t *at)
{
    const __m256i in = load(at);
    return _mm256_or_si256(_mm256_or_si256(equal(in, 0xC2), equal(in, 0xE2)), equal(in, 0xEF));
}

SIMD_INLINE uint64_t avx2_suspects(const uint8_t *in)
{
    const __m256i any = _mm256_or_si256(may_be_suspect(in), may_be_suspect(in + HALF_BYTES));
    if (_mm256_testz_si256(any, any))
        return 0;
    return suspects_half(in) | (uint64_t)suspects_half(in + HALF_BYTES) << HALF_BYTES;
}

SIMD_INLINE uint64_t avx2_gather(uint64_t bits, uint64_t mask)
{
    return _pext_u64(bits, mask);
}

/* 0xFF in the bytes whose bits are set. */
SIMD_INLINE __m256i bytes_of_bits(uint32_t bits)
{
    const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                            2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x((int64_t)UINT64_C(0x8040201008040201));
    const __m256i copies = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), spread);
    return _mm256_cmpeq_epi8(_mm256_and_si256(copies, bit), bit);
}

/* Moved together, the bits of the kinds of up to 32 spans make them, a byte each. */
SIMD_INLINE __m256i kinds_of(const uint64_t bits[SIMD_KIND_BITS], uint32_t from)
{
    __m256i kinds = _mm256_setzero_si256();
    SIMD_UNROLL
    for (int bit = SIMD_KIND_BITS - 1; bit >= 0; bit--) /* -1 where it is set */
        kinds = _mm256_sub_epi8(_mm256_add_epi8(kinds, kinds),
                                bytes_of_bits((uint32_t)(bits[bit] >> from)));
    return kinds;
}

SIMD_INLINE void avx2_put_kinds(const uint64_t starts[SIMD_LANES],
                                const uint64_t kinds[SIMD_KIND_BITS][SIMD_LANES], uint8_t *to)
{
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        const uint64_t mask = starts[lane];
        uint64_t bits[SIMD_KIND_BITS];
        SIMD_UNROLL
        for (uint32_t bit = 0; bit < SIMD_KIND_BITS; bit++)
            bits[bit] = _pext_u64(kinds[bit][lane], mask);
        _mm256_storeu_si256((__m256i *)(void *)to, kinds_of(bits, 0));
        if (simd_count(mask) > HALF_BYTES)
            _mm256_storeu_si256((__m256i *)(void *)(to + HALF_BYTES), kinds_of(bits, HALF_BYTES));
        to += simd_count(mask);
    }
}

SIMD_INLINE void avx2_put_starts(const uint64_t starts[SIMD_LANES], uint32_t pos, uint32_t *to)
{
    __m256i first = _mm256_set1_epi32((int)pos);
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        uint64_t bits = starts[lane];
        SIMD_UNROLL
        for (uint32_t group = 0; group < SIMD_LANE_BYTES; group += 8, bits >>= 8) {
            const uint8_t mask = (uint8_t)bits;
            const __m128i at = _mm_loadl_epi64((const __m128i *)(const void *)&simd_set_bits[mask]);
            _mm256_storeu_si256((__m256i *)(void *)to,
                                _mm256_add_epi32(_mm256_cvtepu8_epi32(at), first));
            first = _mm256_add_epi32(first, _mm256_set1_epi32(8));
            to += __builtin_popcount(mask);
        }
    }
}

/* Their highest bits, each in the lane above, that of the last one in the first. */
SIMD_INLINE simd_mask avx2_over(simd_mask bits)
{
    const __m256i highest = _mm256_srli_epi64((__m256i)bits, 63);
    return (simd_mask)_mm256_alignr_epi8(highest, _mm256_permute2x128_si256(highest, highest, 0x01),
                                         sizeof(uint64_t));
}

SIMD_INLINE simd_mask avx2_next(simd_mask bits, simd_mask in)
{
    return (simd_mask)_mm256_or_si256(_mm256_slli_epi64((__m256i)bits, 1),
                                      _mm256_blend_epi32((__m256i)avx2_over(bits), (__m256i)in, 3));
}

SIMD_INLINE uint32_t lane_signs(__m256i lanes)
{
    return (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(lanes));
}

/* -1 in the lanes that get a carry: of a lane that gives one, or that passes one on and gets one.
 * (above + passing) ^ passing are these lanes. */
SIMD_SELDOM __m256i carried(__m256i gives, __m256i passes)
{
    static const _Alignas(32)
        int64_t lanes[16][4] = {{0, 0, 0, 0},   {-1, 0, 0, 0},   {0, -1, 0, 0},   {-1, -1, 0, 0},
                                {0, 0, -1, 0},  {-1, 0, -1, 0},  {0, -1, -1, 0},  {-1, -1, -1, 0},
                                {0, 0, 0, -1},  {-1, 0, 0, -1},  {0, -1, 0, -1},  {-1, -1, 0, -1},
                                {0, 0, -1, -1}, {-1, 0, -1, -1}, {0, -1, -1, -1}, {-1, -1, -1, -1}};
    const uint32_t passing = lane_signs(passes), above = lane_signs(gives) << 1;
    return load((const uint8_t *)lanes[((above + passing) ^ passing) & 0xF]);
}

/* What lanes give to the next ones, as 1. */
SIMD_INLINE simd_mask given(simd_mask gives)
{
    const __m256i highest = _mm256_srli_epi64((__m256i)gives, 63);
    return (simd_mask)_mm256_alignr_epi8(highest, _mm256_permute2x128_si256(highest, highest, 0x08),
                                         sizeof(uint64_t));
}

/* Carries that a lane passes on are rare: they need 64 equal bits. */
SIMD_INLINE simd_mask avx2_sum(simd_mask a, simd_mask b)
{
    const simd_mask sum = a + b, gives = (a & b) | ((a | b) & ~sum), in = given(gives);
    const __m256i full = _mm256_cmpeq_epi64((__m256i)sum, _mm256_set1_epi64x(-1));
    if (__builtin_expect(_mm256_testz_si256((__m256i)in, full), 1))
        return sum + in;
    return sum - (simd_mask)carried((__m256i)gives, full);
}

SIMD_INLINE simd_mask avx2_difference(simd_mask a, simd_mask b)
{
    const simd_mask difference = a - b, gives = (~a & b) | (~(a ^ b) & difference);
    const simd_mask in = given(gives);
    const __m256i empty = _mm256_cmpeq_epi64((__m256i)difference, _mm256_setzero_si256());
    if (__builtin_expect(_mm256_testz_si256((__m256i)in, empty), 1))
        return difference - in;
    return difference + (simd_mask)carried((__m256i)gives, empty);
}

SIMD_INLINE bool avx2_any(simd_mask bits)
{
    return !_mm256_testz_si256((__m256i)bits, (__m256i)bits);
}

static const struct simd_isa avx2 = {
    .classify = avx2_classify,
    .classify_by = avx2_classify_by,
    .equal = avx2_equal,
    .at_least = avx2_at_least,
    .leads = avx2_leads,
    .utf8 = avx2_utf8,
    .suspects = avx2_suspects,
    .gather = avx2_gather,
    .next = avx2_next,
    .over = avx2_over,
    .sum = avx2_sum,
    .difference = avx2_difference,
    .any = avx2_any,
    .put_starts = avx2_put_starts,
    .put_kinds = avx2_put_kinds,
};

SIMD_DEFINE_PASSES(avx2)

static int avx2_run(struct lexer *lx, const uint8_t *input, uint32_t have)
{
    return simd_run(lx, input, have, passes[lx->regime]);
}

/* The compiler's check asks the operating system's state too: whether it saves the registers. */
static bool avx2_can_run(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

const struct lexer_kernel lexer_avx2 = {
    .name = "avx2",
    .is_simd = true,
    .can_run = avx2_can_run,
    .prepare = prepare,
    .run = avx2_run,
};

#endif
