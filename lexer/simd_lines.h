/* Text that TeX's rules do not apply to, in vector kernels: verbatim environments, and what stands
 * behind the end. There a span is a line, and what has to be told is where lines end. */
#ifndef L0_LEXER_SIMD_LINES_H
#define L0_LEXER_SIMD_LINES_H

#include <string.h>

#include "lexer/context.h"
#include "lexer/simd_utf8.h"
#include "lexer/verbatim.h"

/* Line ends of which suspect.c says nothing; none before it has seen the first. */
struct simd_quiet_ends {
    uint64_t lfs, crlfs; /* all bits or none */
};

/* Once both were seen it was said that they are mixed. */
SIMD_INLINE struct simd_quiet_ends simd_quiet_ends_of(const struct lexer *lx)
{
    return (struct simd_quiet_ends){.lfs = lx->line_styles & LEXER_LINES_LF ? ~UINT64_C(0) : 0,
                                    .crlfs = lx->line_styles & LEXER_LINES_CRLF ? ~UINT64_C(0) : 0};
}

/* Lanes from lx->pos on, as far as they are taken. */
struct simd_lines {
    const uint8_t *input;
    uint32_t begin;    /* U+0020 from here to lx->pos, in an environment, are not counted yet */
    uint32_t pos, end; /* of the lane; where a byte of it has to be left to the byte-wise machine */
    uint32_t n_lines, n_tokens, n_spans;
    uint32_t line; /* offset behind the last line end, or lx->pos */
    struct simd_quiet_ends quiet;
    uint64_t utf8_behind[2]; /* of characters that began in the lane before; its last byte: */
    uint64_t cr, blank;
};

/* What a lane holds. */
struct simd_line_bytes {
    uint64_t lfs, crs;
    uint64_t ends; /* the first bytes of line ends */
    uint64_t bad;  /* these, and what follows them, are left */
};

SIMD_INLINE struct simd_line_bytes simd_line_ends(const struct simd_isa *isa,
                                                  const struct simd_lines *lines, const uint8_t *in)
{
    struct simd_line_bytes b = {.lfs = isa->equal(in, '\n'), .crs = isa->equal(in, '\r')};
    b.ends = b.lfs;
    b.bad = b.lfs & ~lines->quiet.lfs;
    if ((b.crs | lines->cr) == 0)
        return b;
    const uint64_t next_is_lf = in[SIMD_LANE_BYTES] == '\n';
    const uint64_t followed = b.crs & (b.lfs >> 1 | next_is_lf << (SIMD_LANE_BYTES - 1));
    const uint64_t halves = b.lfs & (b.crs << 1 | lines->cr);
    b.ends = b.crs | (b.lfs & ~halves);
    b.bad = (b.lfs & ~halves & ~lines->quiet.lfs) | (b.crs & ~(followed & lines->quiet.crlfs));
    return b;
}

/* Tokens in an environment. All bytes are one but the first half of CR LF, continuation bytes, and
 * U+0020 before line ends; what else is none, or reported, is bad. */
SIMD_INLINE uint64_t simd_line_tokens(const struct simd_isa *isa, struct simd_lines *lines,
                                      const uint8_t *in, unsigned regime, struct simd_line_bytes *b)
{
    const uint64_t low = ~isa->at_least(in, ' '), high = isa->at_least(in, 0x7F);
    uint64_t none = b->crs, odd = low & ~(b->lfs | b->crs);
    if (__builtin_expect(odd != 0, 0))
        odd &= ~isa->equal(in, '\t');
    if (__builtin_expect(high != 0, 0)) {
        const uint64_t leads = isa->at_least(in, 0xC0), deletes = isa->equal(in, 0x7F);
        if (regime == LEXER_LUALATEX) {
            uint64_t suspects = 0;
            const uint64_t valid = simd_utf8_of_lane(isa, in, lines->utf8_behind, &suspects);
            odd |= (high & ~valid) | suspects;
            none |= valid & ~leads;
        } else {
            odd |= deletes | isa->suspects(in);
        }
    }
    b->bad |= odd;
    return ~none;
}

/* The first "\e" of the lane, below the bits of bad, that may end the environment becomes bad. */
SIMD_INLINE void simd_find_line_stop(const struct simd_isa *isa, const struct lexer *lx,
                                     const struct simd_lines *lines, const uint8_t *in,
                                     uint32_t have, struct simd_line_bytes *b)
{
    uint64_t escapes = isa->equal(in, '\\');
    if (escapes == 0)
        return;
    for (escapes &= isa->equal(in + 1, 'e'); escapes; escapes &= escapes - 1) {
        const uint32_t at = simd_first(escapes);
        if (b->bad & (simd_bit(at) - 1))
            return;
        if (verbatim_may_end(lx, lines->input, lines->pos + at, have)) {
            b->bad |= simd_bit(at);
            return;
        }
    }
}

/* U+0020 directly before offset at, from begin on. */
SIMD_INLINE uint32_t simd_blanks_before(const struct simd_lines *lines, uint32_t at)
{
    uint32_t n = 0;
    while (at - n > lines->begin && lines->input[at - n - 1] == ' ')
        n++;
    return n;
}

/* Those before the line ends of the lane are no tokens. */
SIMD_INLINE void simd_drop_blanks(const struct simd_isa *isa, struct simd_lines *lines,
                                  const uint8_t *in, const struct simd_line_bytes *b,
                                  uint64_t valid)
{
    const uint64_t blanks = isa->equal(in, ' ');
    uint64_t trimmed = b->ends & (blanks << 1 | lines->blank) & valid;
    for (; __builtin_expect(trimmed != 0, 0); trimmed &= trimmed - 1)
        lines->n_tokens -= simd_blanks_before(lines, lines->pos + simd_first(trimmed));
    lines->blank = blanks >> (SIMD_LANE_BYTES - 1);
}

/* The offsets behind line ends, of which a lane mostly has one or two: four without a decision. */
SIMD_INLINE void simd_put_lines(uint64_t lfs, uint32_t pos, uint32_t *to)
{
    uint32_t *const end = to + simd_count(lfs);
    do {
        SIMD_UNROLL
        for (uint32_t i = 0; i < 4; i++) {
            *to++ = pos + 1 + (lfs ? simd_first(lfs) : 0);
            lfs &= lfs - 1;
        }
    } while (__builtin_expect(to < end, 0));
}

/* What was taken is lexed. The last line may go on. */
SIMD_INLINE void simd_save_lines(struct lexer *lx, struct simd_lines *lines, unsigned kind)
{
    const uint32_t end = lines->end;
    const bool in_line = end > lines->line;
    if (kind == LEXER_VERBATIM) {
        lx->context.n_blanks = simd_blanks_before(lines, end);
        lx->n_tokens += lines->n_tokens - lx->context.n_blanks;
    }
    lines->n_spans -= !in_line; /* it would have begun behind the last line end */
    if (lx->writes)
        memset(lx->out.kinds + lx->n_spans, (int)kind, lines->n_spans);
    lx->n_spans += lines->n_spans;
    lx->n_lines += lines->n_lines;
    lx->run = in_line ? (uint8_t)kind : LEXER_RUN_NONE;
    lx->pos = end;
    if (lines->n_lines == 0)
        return;
    lx->line_state = LEXER_LINE_NEW;
    context_line_end(lx);
}

/* The step ends at the lane's first bad byte, or behind it; but not in the middle of a character or
 * of CR LF. The bits before that. */
SIMD_INLINE uint64_t simd_end_lines(struct simd_lines *lines, uint64_t bad, bool is_last)
{
    uint32_t n = bad ? simd_first(bad) : SIMD_LANE_BYTES;
    const uint8_t *const in = lines->input + lines->pos;
    if (is_last && !bad) {
        n -= simd_utf8_begun(in, n);
        n -= in[n - 1] == '\r';
    }
    lines->end = lines->pos + n;
    return simd_below(n);
}

/* The lexer is in such text, where its ends of lines mean nothing else. */
SIMD_INLINE bool simd_lines_apply(const struct lexer *lx, const uint8_t *input)
{
    return (lx->mode == LEXER_MODE_VERBATIM ||
            (lx->mode == LEXER_MODE_AFTER_END && !lx->context.warns_after_end)) &&
           lx->context.busy == 0 && lx->nest.env_step == LEXER_ENV_IDLE &&
           simd_utf8_begun(input, lx->pos) == 0;
}

/* Takes what it can of the lanes that are there from lx->pos on, SIMD_AHEAD_BYTES behind them:
 * where a character begins, in mode LEXER_MODE_VERBATIM or LEXER_MODE_AFTER_END, with spans of that
 * kind.
 */
SIMD_INLINE void simd_take_lines(const struct simd_isa *isa, struct lexer *lx, const uint8_t *input,
                                 uint32_t have, unsigned kind, unsigned regime)
{
    const bool is_verbatim = kind == LEXER_VERBATIM, begins = lx->run != kind;
    const uint32_t n_pending = is_verbatim ? lx->context.n_blanks : 0;
    struct simd_lines lines = {.input = input,
                               .begin = lx->pos - n_pending,
                               .pos = lx->pos,
                               .end = lx->pos,
                               .n_tokens = n_pending,
                               .n_spans = begins,
                               .line = begins ? lx->pos : lx->pos - 1,
                               .quiet = simd_quiet_ends_of(lx),
                               .blank = n_pending > 0};
    uint32_t *const starts = lx->writes ? lx->out.starts + lx->n_spans : NULL;
    const uint32_t room = lx->writes ? lx->out.span_cap - lx->n_spans : UINT32_MAX;
    if (lx->writes && begins && room > 0)
        starts[0] = lx->pos;
    bool goes_on = true;
    while (goes_on && have - lines.pos >= SIMD_LANE_BYTES + SIMD_AHEAD_BYTES &&
           lines.n_spans + SIMD_LANE_BYTES < room) {
        const uint8_t *const in = input + lines.pos;
        struct simd_line_bytes b = simd_line_ends(isa, &lines, in);
        uint64_t tokens = 0;
        if (is_verbatim) {
            tokens = simd_line_tokens(isa, &lines, in, regime, &b);
            simd_find_line_stop(isa, lx, &lines, in, have, &b);
        } else {
            const uint64_t leads = isa->equal(in, 0xE2);
            if (__builtin_expect(leads != 0, 0))
                b.bad |= leads & isa->suspects(in);
        }
        const bool is_last = have - lines.pos < 2 * SIMD_LANE_BYTES + SIMD_AHEAD_BYTES ||
                             lines.n_spans + 2 * SIMD_LANE_BYTES >= room;
        const uint64_t valid = simd_end_lines(&lines, b.bad, is_last);
        const uint64_t lfs = b.lfs & valid;
        if (is_verbatim) {
            lines.n_tokens += simd_count(tokens & valid);
            simd_drop_blanks(isa, &lines, in, &b, valid);
        }
        if (lx->writes)
            simd_put_lines(lfs, lines.pos, starts + lines.n_spans);
        lines.n_lines += simd_count(lfs);
        lines.n_spans += simd_count(lfs);
        lines.line = lfs ? lines.pos + simd_last(lfs) + 1 : lines.line;
        lines.cr = b.crs >> (SIMD_LANE_BYTES - 1);
        goes_on = b.bad == 0 && !is_last;
        lines.pos += SIMD_LANE_BYTES;
    }
    if (lines.end > lx->pos)
        simd_save_lines(lx, &lines, kind);
}

#endif
