/* The AVX2 kernel: the parts of the vector kernels that are made of AVX2, BMI1 and BMI2
 * instructions. This file alone is compiled for them: nothing in it runs before avx2_can_run() said
 * that the processor and the operating system support them. */
#include "lexer/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "lexer/simd_passes.h"
#include "lexer/simd_scripts.h"
#include "lexer/simd_set_bits.h"
#include "lexer/simd_watched.h"

SIMD_INLINE __m256i load(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* Special characters and their classes (bits 4-7), as index_of() numbers them; what no special
 * character has as its number is none. */
static const uint8_t specials[16] = {' ', '}',  '~',  '#', '$',  '%',  '&', ' ',
                                     ' ', '\t', '\n', '{', '\\', '\r', '^', '_'};
#define CLASS(class) ((class) << 4)
static const uint8_t special_classes[16] = {CLASS(SIMD_BLANK),
                                            CLASS(SIMD_END_GROUP),
                                            CLASS(SIMD_ACTIVE),
                                            CLASS(SIMD_PARAMETER),
                                            CLASS(SIMD_MATH_SHIFT),
                                            CLASS(SIMD_COMMENT),
                                            CLASS(SIMD_ALIGNMENT),
                                            0,
                                            0,
                                            CLASS(SIMD_BLANK),
                                            CLASS(SIMD_LF),
                                            CLASS(SIMD_BEGIN_GROUP),
                                            CLASS(SIMD_ESCAPE),
                                            CLASS(SIMD_CR),
                                            CLASS(SIMD_SUPERSCRIPT),
                                            CLASS(SIMD_SUBSCRIPT)};

/* For shuffles, which take 16 values for each half of a vector. */
SIMD_INLINE __m256i table(const uint8_t values[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)values));
}

SIMD_INLINE __m256i bytes_of(uint8_t value)
{
    return _mm256_set1_epi8((char)value);
}

SIMD_INLINE __m256i equal(__m256i in, uint8_t value)
{
    return _mm256_cmpeq_epi8(in, bytes_of(value));
}

/* In bits 0-3, a number of its own for every special character: its lower half, but for those from
 * 0x7C on, which have a lower half in common with others: they are numbered from 0. */
SIMD_INLINE __m256i index_of(__m256i in)
{
    return _mm256_min_epu8(_mm256_sub_epi8(in, bytes_of(0x7C)), in);
}

/* What is no special character, xor SIMD_HARD: as slots below say, and nothing for all others. */
#define PLAIN(class) (CLASS(class) ^ CLASS(SIMD_HARD))
static const uint8_t plain_classes[16] = {[0x0] = PLAIN(SIMD_OTHER),
                                          [0x1 ... 0xD] = PLAIN(SIMD_LETTER),
                                          [0xE ... 0xF] = PLAIN(SIMD_OTHER)};

/* Classes of 32 bytes, in bits 4-7; lower bits are of no meaning.
 *
 * What is no special character is told by slots of two bytes, counted from 0x50 on, which is that
 * of the blank. All printable characters are below 0x80, others above, for which a shuffle gives 0.
 * Those of letters end with 1-D, for A-Z as for a-z, and slots up to @ are made one. */
SIMD_INLINE __m256i classes_of(__m256i in, unsigned regime, bool at_is_letter)
{
    const __m256i index = index_of(in);
    const __m256i is_special = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table(specials), index), in);
    const __m256i slots =
        _mm256_avg_epu8(_mm256_sub_epi8(in, bytes_of(' ')), bytes_of(0x100 - 0x7F + ' ' - 1));
    const __m256i plain =
        _mm256_shuffle_epi8(table(plain_classes), _mm256_max_epu8(slots, bytes_of(0x60)));
    __m256i class = _mm256_xor_si256(plain, bytes_of(CLASS(SIMD_HARD)));
    if (at_is_letter)
        class = _mm256_andnot_si256(equal(in, '@'), class);
    if (regime == LEXER_PDFLATEX)
        class = _mm256_blendv_epi8(class, bytes_of(CLASS(SIMD_ACTIVE)), in);
    return _mm256_blendv_epi8(class, _mm256_shuffle_epi8(table(special_classes), index),
                              is_special);
}

SIMD_INLINE uint64_t signs(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << SIMD_HALF_BYTES;
}

SIMD_INLINE __m256i at_least(__m256i in, uint8_t value)
{
    return _mm256_cmpeq_epi8(_mm256_max_epu8(in, bytes_of(value)), in);
}

SIMD_INLINE __m256i is_continuation(__m256i in)
{
    return _mm256_cmpgt_epi8(bytes_of(0xC0), in); /* as signed bytes */
}

/* Bytes from 0xC0 on have two signs. */
SIMD_INLINE __m256i lead_signs(__m256i in)
{
    return _mm256_and_si256(in, _mm256_add_epi8(in, in));
}

SIMD_INLINE uint64_t avx2_equal(const uint8_t *in, uint8_t byte)
{
    return signs(equal(load(in), byte), equal(load(in + SIMD_HALF_BYTES), byte));
}

SIMD_INLINE uint64_t avx2_at_least(const uint8_t *in, uint8_t byte)
{
    return signs(at_least(load(in), byte), at_least(load(in + SIMD_HALF_BYTES), byte));
}

/* The sets that are 16 values from first on agree with; none for other values. */
SIMD_INLINE __m256i index_from(__m256i in, uint8_t first)
{
    return _mm256_adds_epu8(_mm256_sub_epi8(in, bytes_of(first)), bytes_of(0x70));
}

/* Upper halves of bytes, and lower halves, where shuffles ask for those of continuations alone. */
SIMD_INLINE __m256i upper(__m256i in)
{
    return _mm256_and_si256(_mm256_srli_epi16(in, 4), bytes_of(0xF));
}

SIMD_INLINE __m256i lower(__m256i in)
{
    return _mm256_xor_si256(in, bytes_of(0x80));
}

SIMD_INLINE __m256i agreed(__m256i a, __m256i b, __m256i c)
{
    return _mm256_and_si256(_mm256_and_si256(a, b), c);
}

/* The sets of characters of two bytes. */
SIMD_INLINE __m256i two_sets(__m256i first, __m256i upper2, __m256i lower2)
{
    return agreed(_mm256_shuffle_epi8(table(simd_two_first), index_from(first, 0xC2)),
                  _mm256_shuffle_epi8(table(simd_two_upper), upper2),
                  _mm256_shuffle_epi8(table(simd_two_lower), lower2));
}

/* Bytes from here on, and one and two behind: the sets of the characters that begin there. */
SIMD_INLINE __m256i sets_of(const uint8_t *in, bool has_three)
{
    const __m256i first = load(in), upper2 = upper(load(in + 1)), lower2 = lower(load(in + 1));
    const __m256i two = two_sets(first, upper2, lower2);
    if (!has_three)
        return two;
    const __m256i third = load(in + 2), index = index_from(first, 0xE0);
    const __m256i three = agreed(_mm256_shuffle_epi8(table(simd_three_first), index),
                                 _mm256_shuffle_epi8(table(simd_three_upper), upper2),
                                 _mm256_shuffle_epi8(table(simd_three_lower), lower2));
    const __m256i sets = _mm256_or_si256(two, _mm256_and_si256(three, is_continuation(third)));
    const __m256i kana_first = _mm256_shuffle_epi8(table(simd_kana_first), index);
    if (_mm256_testz_si256(kana_first, kana_first))
        return sets;
    const __m256i kana = agreed(kana_first, _mm256_shuffle_epi8(table(simd_kana_upper), upper2),
                                _mm256_shuffle_epi8(table(simd_kana_lower), lower2));
    const __m256i all =
        agreed(kana, _mm256_shuffle_epi8(table(simd_kana_third_upper), upper(third)),
               _mm256_shuffle_epi8(table(simd_kana_third_lower), lower(third)));
    /* Bit 6 becomes bit 7. */
    const __m256i one = _mm256_and_si256(_mm256_add_epi8(all, all), bytes_of(0x80));
    return _mm256_or_si256(sets, _mm256_or_si256(one, _mm256_andnot_si256(bytes_of(1 << 6), all)));
}

SIMD_INLINE struct simd_utf8_bytes avx2_utf8(const uint8_t *in)
{
    const __m256i low = load(in), high = load(in + SIMD_HALF_BYTES);
    struct simd_utf8_bytes bytes = {.leads = signs(lead_signs(low), lead_signs(high))};
    bytes.three = bytes.leads & signs(_mm256_slli_epi16(low, 2), _mm256_slli_epi16(high, 2));
    const bool has_three = bytes.three != 0;
    const __m256i low_sets = sets_of(in, has_three);
    const __m256i high_sets = sets_of(in + SIMD_HALF_BYTES, has_three);
    const __m256i none = _mm256_setzero_si256();
    bytes.letters = signs(_mm256_cmpgt_epi8(low_sets, none), _mm256_cmpgt_epi8(high_sets, none));
    bytes.others = signs(low_sets, high_sets);
    return bytes;
}

/* Beside those of two bytes, only punctuation: U+2010-2029, E2 80 and 90-A9. */
SIMD_INLINE struct simd_utf8_bytes avx2_utf8_few(const uint8_t *in)
{
    const __m256i first = load(in), second = load(in + 1);
    const __m256i is_third = _mm256_cmpgt_epi8(bytes_of(0x80 + 0xA9 - 0x90 + 1),
                                               _mm256_add_epi8(load(in + 2), bytes_of(0xF0)));
    const __m256i marks =
        _mm256_and_si256(_mm256_and_si256(equal(first, 0xE2), equal(second, 0x80)), is_third);
    const __m256i sets = _mm256_or_si256(two_sets(first, upper(second), lower(second)), marks);
    return (struct simd_utf8_bytes){
        .leads = (uint32_t)_mm256_movemask_epi8(lead_signs(first)),
        .three = (uint32_t)_mm256_movemask_epi8(marks),
        .letters = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(sets, _mm256_setzero_si256())),
        .others = (uint32_t)_mm256_movemask_epi8(sets)};
}

/* Words from here on: those that are in no set of names. */
SIMD_INLINE __m256i is_not_watched(const uint8_t *at)
{
    const __m256i first = _mm256_shuffle_epi8(table(simd_not_watched[0]), load(at));
    const __m256i third = _mm256_shuffle_epi8(table(simd_not_watched[1]), load(at + 2));
    const __m256i fourth = _mm256_shuffle_epi8(table(simd_not_watched[2]), load(at + 3));
    return _mm256_cmpeq_epi8(_mm256_or_si256(_mm256_or_si256(first, third), fourth),
                             bytes_of(0xFF));
}

SIMD_INLINE void put_classes(__m256i low, __m256i high, simd_lanes *plane, uint32_t lane)
{
    SIMD_UNROLL
    for (int bit = 3; bit >= 0; bit--) {
        plane[bit][lane] = signs(low, high);
        low = _mm256_add_epi8(low, low);
        high = _mm256_add_epi8(high, high);
    }
}

SIMD_INLINE void avx2_classify(const uint8_t *in, unsigned regime, bool at_is_letter,
                               simd_lanes *plane, uint64_t *unwatched, uint32_t lane)
{
    const __m256i low = classes_of(load(in), regime, at_is_letter);
    const __m256i high = classes_of(load(in + SIMD_HALF_BYTES), regime, at_is_letter);
    put_classes(low, high, plane, lane);
    unwatched[lane] = signs(is_not_watched(in), is_not_watched(in + SIMD_HALF_BYTES));
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
                                  simd_lanes *plane, uint64_t *ignored, uint64_t *unwatched,
                                  uint32_t lane)
{
    /* Bit 4 to the sign. */
    const __m256i low = _mm256_slli_epi16(classes_by(load(in), table), 3);
    const __m256i high = _mm256_slli_epi16(classes_by(load(in + SIMD_HALF_BYTES), table), 3);
    ignored[lane] = signs(low, high);
    put_classes(_mm256_add_epi8(low, low), _mm256_add_epi8(high, high), plane, lane);
    unwatched[lane] = signs(is_not_watched(in), is_not_watched(in + SIMD_HALF_BYTES));
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
    const __m256i any = _mm256_or_si256(may_be_suspect(in), may_be_suspect(in + SIMD_HALF_BYTES));
    if (_mm256_testz_si256(any, any))
        return 0;
    return suspects_half(in) | (uint64_t)suspects_half(in + SIMD_HALF_BYTES) << SIMD_HALF_BYTES;
}

SIMD_INLINE uint64_t avx2_gather(uint64_t bits, uint64_t mask)
{
    return _pext_u64(bits, mask);
}

/* 0xFF in the bytes whose bits are set: of 32 bits in memory, from where they are copied in one go.
 */
SIMD_INLINE __m256i bytes_of_bits(const uint64_t *bits_of, uint32_t half)
{
    const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                            2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x((int64_t)UINT64_C(0x8040201008040201));
    int bits;
    __builtin_memcpy(&bits, (const uint8_t *)bits_of + half / 8, sizeof bits);
    return _mm256_cmpeq_epi8(
        _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(bits), spread), bit), bit);
}

/* Moved together, the bits of the kinds of up to 32 spans make them, a byte each. */
SIMD_INLINE void put_kinds(const uint64_t bits[SIMD_KIND_BITS], uint32_t half, uint8_t *to)
{
    __m256i kinds = _mm256_setzero_si256();
    SIMD_UNROLL
    for (int bit = SIMD_KIND_BITS - 1; bit >= 0; bit--) /* -1 where it is set */
        kinds = _mm256_sub_epi8(_mm256_add_epi8(kinds, kinds), bytes_of_bits(&bits[bit], half));
    _mm256_storeu_si256((__m256i *)(void *)(to + half), kinds);
}

/* The offsets of a lane, whose own is in first; that of the next one. */
SIMD_INLINE __m256i put_starts(const uint64_t *starts, __m256i first, uint32_t *to)
{
    const uint8_t *const bytes = (const uint8_t *)starts;
    SIMD_UNROLL
    for (uint32_t i = 0; i < SIMD_LANE_BYTES / 8; i++) {
        const uint64_t bits = bytes[i];
        const __m128i at = _mm_loadl_epi64((const __m128i *)(const void *)&simd_set_bits[bits]);
        _mm256_storeu_si256((__m256i *)(void *)to,
                            _mm256_add_epi32(_mm256_cvtepu8_epi32(at), first));
        first = _mm256_add_epi32(first, _mm256_set1_epi32(8));
        to += simd_count(bits);
    }
    return first;
}

/* A lane's offsets and kinds side by side: the ones wait for stores, the others for arithmetic. */
SIMD_INLINE void avx2_put_spans(const uint64_t starts[SIMD_LANES],
                                const uint64_t kinds[SIMD_KIND_BITS][SIMD_LANES], uint32_t pos,
                                uint32_t *to_starts, uint8_t *to_kinds)
{
    __m256i first = _mm256_set1_epi32((int)pos);
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++) {
        const uint32_t n = simd_count(starts[lane]);
        uint64_t bits[SIMD_KIND_BITS];
        SIMD_UNROLL
        for (uint32_t bit = 0; bit < SIMD_KIND_BITS; bit++)
            bits[bit] = _pext_u64(kinds[bit][lane], starts[lane]);
        /* To be read from memory, where a load makes the copies: from a register, shuffles would
         * have to. */
        __asm__("" : "+m"(bits));
        put_kinds(bits, 0, to_kinds);
        if (n > SIMD_HALF_BYTES)
            put_kinds(bits, SIMD_HALF_BYTES, to_kinds);
        first = put_starts(&starts[lane], first, to_starts);
        to_kinds += n;
        to_starts += n;
    }
}

SIMD_INLINE simd_mask avx2_next(simd_mask bits, simd_mask before)
{
    const __m256i halves = _mm256_permute2x128_si256((__m256i)before, (__m256i)bits, 0x21);
    const __m256i below = _mm256_alignr_epi8((__m256i)bits, halves, sizeof(uint64_t));
    return (simd_mask)_mm256_or_si256(_mm256_slli_epi64((__m256i)bits, 1),
                                      _mm256_srli_epi64(below, 63));
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
    const simd_mask sum = a + b, gives = a & (b | ~sum), in = given(gives);
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

SIMD_INLINE uint32_t avx2_halves(simd_mask bits)
{
    const __m256i none = _mm256_cmpeq_epi32((__m256i)bits, _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(none)) & 0xFF;
}

static const struct simd_isa avx2 = {
    .classify = avx2_classify,
    .classify_by = avx2_classify_by,
    .equal = avx2_equal,
    .at_least = avx2_at_least,
    .utf8 = avx2_utf8,
    .utf8_few = avx2_utf8_few,
    .suspects = avx2_suspects,
    .gather = avx2_gather,
    .next = avx2_next,
    .sum = avx2_sum,
    .difference = avx2_difference,
    .any = avx2_any,
    .halves = avx2_halves,
    .put_spans = avx2_put_spans,
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
