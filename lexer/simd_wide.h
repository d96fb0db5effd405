/* TeX's rules on the bit masks of a group. What is worked out for a byte depends on bytes up to it
 * alone, but for cuts: so a group can be cut anywhere, and the masks below the cut stay right. */
#ifndef L0_LEXER_SIMD_WIDE_H
#define L0_LEXER_SIMD_WIDE_H

#include "lexer/simd_isa.h"

/* What comes into a group. The first two are bits of its first byte, or of the entry; the others
 * are masks of the group before, of which the last byte counts, or the entry's bit. */
struct simd_carry {
    simd_mask comment, word; /* in a comment, in a word */
    simd_mask escape;        /* the next byte is escaped */
    simd_mask middle, fresh; /* state M; state N */
    simd_mask run[3];        /* such a run may be joined: see simd_find_spans(); the last one by
                              * codes only */
    simd_mask crs, carets;   /* CR; ^, or an escaped blank */
    simd_mask trimmed;       /* blanks that may be; by codes only */
    simd_mask shifts;        /* a $ */
};

/* Where in a group work begins: bytes before are of no class, and what comes in does so there. */
struct simd_entry {
    bool is_amid;    /* not with the first byte: known when compiled */
    simd_mask first; /* the entry's bit */
    simd_mask live;  /* that and all above */
};

/* One byte on; in: of what comes into the group. */
SIMD_INLINE simd_mask simd_next(const struct simd_isa *isa, const struct simd_entry *entry,
                                simd_mask bits, simd_mask in)
{
    if (entry->is_amid)
        return (isa->next(bits, (simd_mask){0}) & ~entry->first) | in;
    return isa->next(bits, in);
}

/* The classes of a group, and what its characters that are not ASCII change. */
struct simd_group {
    simd_mask plane[SIMD_CLASS_BITS];
    bool by_codes; /* category codes differ from the regime's: known when compiled */
    simd_mask ignored, raw_blanks;
    bool has_high;
    simd_mask letters, others, continued;
};

struct simd_sets {
    simd_mask letters, others, blanks, hard, lfs, crs, comments, actives, escapes;
    simd_mask begin_groups, end_groups, math_shifts, superscripts;
    simd_mask singles; /* each a token and a span by itself */
    simd_mask wide_letters, wide_others, continued;
    bool by_codes;
    /* If so: and U+0020 that has to be told from what TeX trims from lines, whatever its class. */
    simd_mask ignored, raw_blanks;
};

/* Line ends at which suspect.c has something to say, and so the kernel has to stop. */
struct simd_line_stops {
    simd_mask lfs, crlfs, lone_crs; /* all bits or none */
    /* By codes: escaped ones are stops too; what they give otherwise. */
    simd_mask escaped, pars, spaces, actives, others;
};

struct simd_wide {
    struct simd_sets sets;
    simd_mask line_ends;   /* their first bytes */
    simd_mask second_half; /* LF behind CR */
    simd_mask escape;      /* escape characters that are not escaped themselves */
    simd_mask escaped;     /* what follows these */
    simd_mask comment;     /* in a comment, its beginning and the line end's first byte included */
    simd_mask comment_start;
    simd_mask word; /* letters of control words */
    simd_mask word_first;
    /* Where bytes may be left to the byte-wise machine: before here, and one before behind, which
     * is behind one of carets. */
    simd_mask stop_here, stop_behind, carets;
    /* The spans. */
    simd_mask starts, tokens, pars, skipped, nones;
    simd_mask plain; /* neither escaped nor in a comment */
    /* Of enum simd_symbol: their lower and higher bits, and all of them. Behind a $: another one,
     * or what is no token, behind which there may be one. */
    simd_mask shifts, low, high, symbols, follows, loose;
    simd_mask plain_letters, plain_others, plain_blanks, leaves_middle, fresh;
    simd_mask plain_skipped; /* by codes: of skipped runs; plain_blanks is of the others then */
    simd_mask active_ends, other_ends; /* by codes: line ends that are such characters */
};

SIMD_INLINE struct simd_sets simd_sets_of(const struct simd_group *group,
                                          const struct simd_entry *entry)
{
    simd_mask d = group->plane[0], c = group->plane[1], b = group->plane[2], a = group->plane[3];
    if (entry->is_amid) { /* hard, for now */
        d |= ~entry->live;
        c |= ~entry->live;
        b &= entry->live;
        a &= entry->live;
    }
    const simd_mask none = ~(a | b), only_a = a & ~b, only_b = b & ~a, both = a & b;
    const simd_mask zero = ~(c | d), one = d & ~c, two = c & ~d, three = c & d;
    struct simd_sets s = {
        .letters = none & zero,
        .others = none & one,
        .blanks = none & two,
        .hard = none & three,
        .lfs = only_b & zero,
        .crs = only_b & one,
        .comments = only_b & two,
        .actives = only_b & three,
        .escapes = only_a & zero,
        .begin_groups = only_a & one,
        .end_groups = only_a & two,
        .math_shifts = only_a & three,
        .superscripts = both & two,
        .by_codes = group->by_codes,
    };
    if (group->by_codes) {
        s.ignored = entry->is_amid ? group->ignored & entry->live : group->ignored;
        s.raw_blanks = entry->is_amid ? group->raw_blanks & entry->live : group->raw_blanks;
        s.hard &= ~s.ignored;
    }
    s.singles = (a & ~s.escapes) | s.actives;
    if (group->has_high) {
        s.wide_letters = group->letters;
        s.wide_others = group->others;
        s.continued = group->continued;
        s.letters |= group->letters;
        s.others |= group->others;
        s.hard &= ~(group->letters | group->others);
    }
    if (entry->is_amid) {
        s.hard &= entry->live;
        s.letters &= entry->live;
        s.others &= entry->live;
        s.wide_letters &= entry->live;
        s.wide_others &= entry->live;
    }
    return s;
}

/* Line ends are LF, CR and CR LF; stops: where the kernel has to. */
SIMD_INLINE void simd_find_lines(const struct simd_isa *isa, const struct simd_entry *entry,
                                 struct simd_wide *w, const struct simd_carry *carry,
                                 const struct simd_line_stops *stops, uint64_t next_is_lf)
{
    const struct simd_sets *s = &w->sets;
    w->line_ends = s->lfs;
    w->stop_here = s->lfs & stops->lfs;
    w->second_half = (simd_mask){0};
    if (__builtin_expect(!isa->any(s->crs | carry->crs), 1))
        return;
    w->second_half = s->lfs & simd_next(isa, entry, s->crs, carry->crs);
    w->line_ends = s->crs | (s->lfs & ~w->second_half);
    /* What is said of a CR depends on the next byte, in the last lane on one behind it. */
    uint64_t lfs[SIMD_LANES + 1] = {[SIMD_LANES] = next_is_lf};
    simd_mask followed;
    simd_store(lfs, s->lfs);
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++)
        followed[lane] = lfs[lane] >> 1 | lfs[lane + 1] << 63;
    w->stop_here = (s->lfs & ~w->second_half & stops->lfs) | (s->crs & followed & stops->crlfs) |
                   (s->crs & ~followed & stops->lone_crs);
}

/* Escapes. In a run of escape characters every other one escapes what follows it, whichever of the
 * two parities the run begins at. The subtraction finds the parity of all runs at once (as in
 * simdjson): with ODD set, borrows run through a run from its second bit on to behind its end.
 *
 *   text      a \ \ \ b \ { \ \ c      (first byte left)
 *   escape    . 1 . 1 . 1 . 1 . .
 *   escaped   . . 1 . 1 . 1 . 1 .
 */
SIMD_INLINE void simd_find_escapes(const struct simd_isa *isa, const struct simd_entry *entry,
                                   const struct simd_carry *carry, simd_mask escapes,
                                   simd_mask *escape, simd_mask *escaped)
{
    *escape = escapes;
    *escaped = simd_next(isa, entry, escapes, carry->escape);
    if (__builtin_expect(!isa->any(escapes & *escaped), 1)) /* no run of them */
        return;
    const simd_mask odd = simd_all(UINT64_C(0xAAAAAAAAAAAAAAAA));
    const simd_mask lowest = entry->is_amid ? entry->first : simd_lowest(true);
    const simd_mask first_escaped = *escaped & lowest, run = escapes & ~first_escaped;
    const simd_mask parity = isa->difference(isa->next(run, (simd_mask){0}) | odd, run) ^ odd;
    *escape = parity & escapes;
    *escaped = parity ^ (escapes | first_escaped);
}

/* Comments, from an unescaped comment character to the line end. A sum carries from the first one
 * through all that is no line end.
 *
 *   text      a % b % c ⏎ d
 *   rest      1 1 1 1 1 . 1
 *   opens     . 1 . 1 . . .
 *   sum       1 . . 1 . 1 1    (rest + opens)
 *   comment   . 1 1 1 1 1 .
 *
 * Control words: runs of letters from an escaped one on, by the same addition. */
SIMD_INLINE void simd_find_commands(const struct simd_isa *isa, const struct simd_entry *entry,
                                    struct simd_wide *w, const struct simd_carry *carry)
{
    const struct simd_sets *s = &w->sets;
    simd_mask escape, escaped;
    simd_find_escapes(isa, entry, carry, s->escapes, &escape, &escaped);
    const simd_mask rest = ~w->line_ends;
    const simd_mask opens = s->comments & ~escaped;
    const simd_mask sum = isa->sum(rest, opens | carry->comment);
    w->comment = (sum ^ rest) | opens | carry->comment;
    w->comment_start = opens & ~sum & ~carry->comment;
    w->escape = escape & ~w->comment;
    w->escaped = escaped & ~w->comment;
    w->word_first = w->escaped & s->letters;
    w->word = s->letters & ~isa->sum(s->letters, w->word_first | carry->word);
}

/* What more has to be seen of: ^, and escaped blanks. */
SIMD_INLINE simd_mask simd_carets(const struct simd_wide *w)
{
    const struct simd_sets *s = &w->sets;
    const simd_mask blanks = s->by_codes ? s->blanks | s->raw_blanks : s->blanks;
    return (s->superscripts & ~w->comment) | (w->escaped & blanks);
}

/* By codes: U+0020 that TeX would trim before a line end, but in comments that do not begin with
 * such. */
SIMD_INLINE simd_mask simd_trimmed(const struct simd_wide *w)
{
    return w->sets.raw_blanks & (w->sets.comments | ~w->comment);
}

/* The first thing that the byte-wise machine has to look at. Blanks behind an escape character may
 * be trimmed with the line end, which is then escaped. Where trimming makes a difference, the step
 * is cut before the line end, and then before the blanks. */
SIMD_INLINE void simd_find_stops(const struct simd_isa *isa, const struct simd_entry *entry,
                                 struct simd_wide *w, const struct simd_carry *carry,
                                 const struct simd_line_stops *stops)
{
    const struct simd_sets *s = &w->sets;
    w->carets = simd_carets(w);
    const simd_mask behind = simd_next(isa, entry, w->carets, carry->carets);
    w->stop_here |= (s->hard & ~w->comment) | (w->escaped & (s->hard | s->wide_others));
    w->stop_behind = behind & (s->superscripts | s->blanks | w->line_ends);
    if (!s->by_codes)
        return;
    /* Ignored ones may be U+0020, and trimmed. */
    w->stop_here |= w->escaped & (s->ignored | (w->line_ends & stops->escaped));
    w->stop_behind |= behind & (s->ignored | s->raw_blanks);
    w->stop_here |= w->line_ends & simd_next(isa, entry, simd_trimmed(w), carry->trimmed);
}

/* Spans and tokens. Runs: letters are 1, others 2, blanks 3; what goes on has the number of the
 * byte before.
 *
 * TeX's states before each byte: M behind what gives a token; N at the beginning of lines and
 * behind blanks from there on, which again is a sum that carries through them. */
SIMD_INLINE void simd_find_spans(const struct simd_isa *isa, const struct simd_entry *entry,
                                 struct simd_wide *w, const struct simd_carry *carry)
{
    const struct simd_sets *s = &w->sets;
    const simd_mask ends = w->line_ends | w->second_half;
    w->plain = ~(w->escaped | w->comment);
    w->plain_letters = s->letters & ~(w->word | w->comment);
    w->plain_others = s->others & w->plain;
    w->plain_blanks = s->blanks & w->plain;
    const simd_mask run[2] = {w->plain_letters | w->plain_blanks,
                              w->plain_others | w->plain_blanks};
    const simd_mask run_starts =
        (run[0] | run[1]) & ((run[0] ^ simd_next(isa, entry, run[0], carry->run[0])) |
                             (run[1] ^ simd_next(isa, entry, run[1], carry->run[1])));
    w->leaves_middle = ~(s->blanks | ends | w->word | w->comment);
    const simd_mask in_middle = simd_next(isa, entry, w->leaves_middle, carry->middle);
    const simd_mask line_starts = simd_next(isa, entry, ends, carry->fresh);
    const simd_mask sum = isa->sum(w->plain_blanks, line_starts & w->plain_blanks);
    const simd_mask line_ends = w->line_ends & w->plain;
    w->fresh = ends | (w->plain_blanks & ~sum);
    w->pars = line_ends & (line_starts | sum);
    w->nones = line_ends & ~(in_middle | w->pars);
    w->skipped = run_starts & w->plain_blanks & ~in_middle;
    const simd_mask alone = (s->singles & w->plain) | w->escape | line_ends;
    w->starts = run_starts | alone | w->comment_start;
    w->tokens = (w->plain_letters & ~s->continued) | (w->plain_others & ~s->continued) |
                (run_starts & w->plain_blanks & in_middle) | (alone & ~w->nones);
}

/* The same where characters may be ignored, which give nothing and leave TeX's state as it is, and
 * where line ends may be read as something else. Runs of ignored characters, and of blanks that
 * give no space, are one ("skipped", 4); blanks behind a space go on with it (3) up to the first
 * ignored one. _: blank, !: ignored.
 *
 *   text      a _ _ ! _ b ! ! _ ! c
 *   run       1 3 3 4 4 1 4 4 3 4 1
 *   starts    1 1 . 1 . 1 1 . 1 1 1 */
SIMD_INLINE void simd_find_spans_by_codes(const struct simd_isa *isa,
                                          const struct simd_entry *entry, struct simd_wide *w,
                                          const struct simd_carry *carry,
                                          const struct simd_line_stops *stops)
{
    const struct simd_sets *s = &w->sets;
    const simd_mask ends = w->line_ends | w->second_half;
    w->plain = ~(w->escaped | w->comment);
    w->plain_letters = s->letters & ~(w->word | w->comment);
    w->plain_others = s->others & w->plain;
    const simd_mask blanks = s->blanks & w->plain, ignored = s->ignored & w->plain;
    const simd_mask gives = ~(s->blanks | s->ignored | ends | w->word | w->comment);
    const simd_mask kept = ignored & simd_next(isa, entry, gives, carry->middle);
    w->leaves_middle = gives | (ignored & ~isa->sum(ignored, kept));
    const simd_mask in_middle = simd_next(isa, entry, w->leaves_middle, carry->middle);
    const simd_mask spaces = blanks & in_middle;
    const simd_mask goes_on =
        simd_next(isa, entry, (simd_mask){0}, carry->run[0] & carry->run[1]) & blanks;
    w->plain_blanks = blanks & ~isa->sum(blanks, spaces | goes_on);
    w->plain_skipped = ignored | (blanks & ~w->plain_blanks);
    const simd_mask run[3] = {w->plain_letters | w->plain_blanks, w->plain_others | w->plain_blanks,
                              w->plain_skipped};
    const simd_mask before[2] = {simd_next(isa, entry, run[0], carry->run[0]),
                                 simd_next(isa, entry, run[1], carry->run[1])};
    const simd_mask run_starts =
        (run[0] | run[1] | run[2]) & ((run[0] ^ before[0]) | (run[1] ^ before[1]) |
                                      (run[2] ^ simd_next(isa, entry, run[2], carry->run[2])));
    const simd_mask line_starts = simd_next(isa, entry, ends, carry->fresh);
    const simd_mask nothing = blanks | ignored;
    const simd_mask sum = isa->sum(nothing, line_starts & nothing);
    const simd_mask line_ends = w->line_ends & w->plain;
    w->fresh = ends | (nothing & ~sum);
    w->pars = line_ends & (line_starts | sum) & stops->pars;
    w->active_ends = line_ends & stops->actives;
    w->other_ends = line_ends & stops->others; /* go on with a run, but nothing with them */
    w->nones =
        line_ends & ~((in_middle & stops->spaces) | w->pars | w->active_ends | w->other_ends);
    w->skipped = run_starts & w->plain_skipped;
    const simd_mask alone = (s->singles & w->plain) | w->escape | line_ends;
    const simd_mask joined = w->other_ends & before[1] & ~before[0];
    w->starts = run_starts | (alone & ~joined) | w->comment_start;
    w->tokens = (w->plain_letters & ~s->continued) | (w->plain_others & ~s->continued) | spaces |
                (alone & ~w->nones);
}

/* Braces, $ and blank lines. */
SIMD_INLINE void simd_find_symbols(const struct simd_isa *isa, const struct simd_entry *entry,
                                   struct simd_wide *w, const struct simd_carry *carry)
{
    const struct simd_sets *s = &w->sets;
    w->shifts = s->math_shifts & w->plain;
    w->low = (s->end_groups & w->plain) | w->pars;
    w->high = w->shifts | w->pars;
    w->symbols = (s->begin_groups & w->plain) | w->low | w->high;
    const simd_mask behind = simd_next(isa, entry, w->shifts, carry->shifts);
    w->follows = behind & w->shifts;
    w->loose = behind & ~w->tokens;
}

SIMD_INLINE void simd_find(const struct simd_isa *isa, const struct simd_entry *entry,
                           const struct simd_group *group, const struct simd_carry *carry,
                           const struct simd_line_stops *stops, bool next_is_lf,
                           struct simd_wide *w)
{
    w->sets = simd_sets_of(group, entry);
    simd_find_lines(isa, entry, w, carry, stops, next_is_lf);
    simd_find_commands(isa, entry, w, carry);
    simd_find_stops(isa, entry, w, carry, stops);
    if (w->sets.by_codes)
        simd_find_spans_by_codes(isa, entry, w, carry, stops);
    else
        simd_find_spans(isa, entry, w, carry);
    simd_find_symbols(isa, entry, w, carry);
}

/* The same comes in, behind a whole group. Of the runs, two tell the third: what is ignored is
 * never of another one. */
SIMD_INLINE bool simd_same_carry(const struct simd_isa *isa, const struct simd_carry *a,
                                 const struct simd_carry *b)
{
    const simd_mask first = (a->comment ^ b->comment) | (a->word ^ b->word);
    const simd_mask last = (a->escape ^ b->escape) | (a->middle ^ b->middle) |
                           (a->fresh ^ b->fresh) | (a->run[0] ^ b->run[0]) |
                           (a->run[1] ^ b->run[1]) | (a->crs ^ b->crs) | (a->carets ^ b->carets) |
                           (a->shifts ^ b->shifts);
    return !isa->any(first | (last & simd_mask_bit(SIMD_GROUP_BYTES - 1)));
}

#endif
