/* A chunk of a document in vector kernels, small enough to stay near the processor, and the second
 * pass over it. The first one, of lexer/simd_classes.h, tells the classes of its bytes, once; then,
 * step by step, the rules give masks; lexer/simd_nest.h and lexer/simd_spans.h are what comes
 * behind. Where the byte-wise machine has to take something, the next step begins behind it, in the
 * same chunk. */
#ifndef L0_LEXER_SIMD_CHUNK_H
#define L0_LEXER_SIMD_CHUNK_H

#include "lexer/simd_utf8.h"
#include "lexer/simd_wide.h"

#define SIMD_CHUNK_BYTES (SIMD_GROUPS_MAX * SIMD_GROUP_BYTES)

/* Groups that are taken together. */
#define SIMD_STEP_GROUPS SIMD_GROUPS_MAX

struct simd_chunk {
    /* What is looked at: so many groups from in on, followed by SIMD_AHEAD_BYTES. Below limit it
     * may be decided. */
    const uint8_t *in;
    uint32_t n_groups, limit;
    /* The step: from begin on, up to end, which is cut where the next step, or the byte-wise
     * machine, has to go on. */
    uint32_t begin, end;
    /* The rules were applied up to that end, which is a stop or not; 0: to nothing yet. */
    uint32_t ruled_end;
    bool ruled_stop;
    struct simd_line_stops line_stops;
    simd_lanes plane[SIMD_CLASS_BITS];
    simd_lanes unwatched;
    bool by_codes;                  /* the rules are those */
    const struct simd_table *table; /* by codes: the classes; what is ignored; see simd_sets */
    simd_lanes ignored, raw_blanks;
    bool has_high; /* these masks are set, which are for characters beyond ASCII */
    struct simd_utf8 utf8;
    simd_lanes suspects;
    struct simd_carry entry; /* what comes in at begin, where that is amid a group */
    simd_lanes starts, tokens, lines, skipped;
    simd_lanes all_starts; /* those behind the step's end too */
    /* What is handed on behind each byte, as struct simd_carry has it. */
    union simd_behind comment, word, escape, middle, fresh, run[3], crs, carets, trimmed, shifts;
    simd_lanes low, high, symbols, follows; /* see struct simd_wide */
    simd_lanes events; /* first letters of words that may be watched, suspects, what is loose */
    simd_lanes kind[SIMD_KIND_BITS]; /* of starts; escape characters are control symbols */
    /* First letters; a lane without follows. */
    uint64_t word_first[SIMD_LANES_MAX + 1] __attribute__((aligned(32)));
    struct simd_utf8_list utf8_list; /* of pass 1 alone */
};

SIMD_INLINE bool simd_lane_bit(const uint64_t *lanes, uint32_t index)
{
    return lanes[index / SIMD_LANE_BYTES] >> index % SIMD_LANE_BYTES & 1;
}

SIMD_INLINE uint32_t simd_count_lanes(const uint64_t lanes[SIMD_LANES])
{
    return simd_count(lanes[0]) + simd_count(lanes[1]) + simd_count(lanes[2]) +
           simd_count(lanes[3]);
}

SIMD_INLINE struct simd_group simd_group_of(const struct simd_chunk *chunk, uint32_t group,
                                            bool by_codes)
{
    const uint32_t lane = group * SIMD_LANES;
    struct simd_group g = {.has_high = chunk->has_high, .by_codes = by_codes};
    SIMD_UNROLL
    for (uint32_t bit = 0; bit < SIMD_CLASS_BITS; bit++)
        g.plane[bit] = simd_load(chunk->plane[bit] + lane);
    if (by_codes) {
        g.ignored = simd_load(chunk->ignored + lane);
        g.raw_blanks = simd_load(chunk->raw_blanks + lane);
    }
    if (g.has_high) {
        g.letters = simd_load(chunk->utf8.letters + lane);
        g.others = simd_load(chunk->utf8.others + lane);
        g.continued = (g.letters | g.others) & ~simd_load(chunk->utf8.leads + lane);
    }
    return g;
}

/* The kinds of spans, bit by bit: those of the classes but for what the rules make of them. */
SIMD_INLINE void simd_put_kind_bits(const struct simd_group *group, const struct simd_wide *w,
                                    struct simd_chunk *chunk, uint32_t lane)
{
    const struct simd_sets *s = &w->sets;
    simd_mask above = s->comments | s->actives; /* 16 and 17 */
    simd_mask d = group->plane[0], c = group->plane[1], b = group->plane[2];
    if (group->has_high) {
        c &= ~(s->wide_letters | s->wide_others);
        d &= ~s->wide_letters;
    }
    d &= ~(s->crs | s->actives);
    if (s->by_codes) {
        above |= w->active_ends;
        d |= w->other_ends;
        b &= ~w->other_ends;
    }
    simd_store(chunk->kind[0] + lane, d | s->comments | w->skipped | w->pars);
    simd_store(chunk->kind[1] + lane, (c & ~above) | w->nones);
    simd_store(chunk->kind[2] + lane, b & ~above);
    simd_store(chunk->kind[3] + lane, group->plane[3]);
    simd_store(chunk->kind[4] + lane, above);
}

/* The index of the first bit, or SIMD_GROUP_BYTES. */
SIMD_SELDOM uint32_t simd_first_of(const uint64_t lanes[SIMD_LANES])
{
    for (uint32_t lane = 0; lane < SIMD_LANES; lane++)
        if (lanes[lane])
            return lane * SIMD_LANE_BYTES + simd_first(lanes[lane]);
    return SIMD_GROUP_BYTES;
}

/* The cut before the first of these stops; escape characters are not left alone. */
SIMD_INLINE uint32_t simd_cut_of(const struct simd_wide *w, uint32_t group)
{
    uint64_t here[SIMD_LANES], behind[SIMD_LANES];
    simd_store(here, w->stop_here);
    simd_store(behind, w->stop_behind);
    const uint32_t first = simd_first_of(here), second = simd_first_of(behind);
    const uint32_t begin = group * SIMD_GROUP_BYTES;
    return first < second ? begin + first : begin + second - 1;
}

/* Everything about the group but where it is cut. */
SIMD_INLINE void simd_put_group(const struct simd_group *group, const struct simd_wide *w,
                                struct simd_chunk *chunk, uint32_t lane, bool writes)
{
    simd_store(chunk->starts + lane, w->starts);
    simd_store(chunk->all_starts + lane, w->starts);
    simd_store(chunk->tokens + lane, w->tokens);
    simd_store(chunk->lines + lane, w->line_ends);
    simd_store(chunk->skipped + lane, w->skipped);
    simd_store(chunk->escape.of + lane, w->escape);
    simd_store(chunk->comment.of + lane, w->comment & ~w->line_ends);
    simd_store(chunk->word.of + lane, w->word);
    simd_store(chunk->middle.of + lane, w->leaves_middle);
    simd_store(chunk->fresh.of + lane, w->fresh);
    simd_store(chunk->run[0].of + lane, w->plain_letters | w->plain_blanks);
    simd_store(chunk->run[1].of + lane, w->plain_others | w->plain_blanks);
    if (w->sets.by_codes)
        simd_store(chunk->run[2].of + lane, w->plain_skipped);
    simd_store(chunk->crs.of + lane, w->sets.crs);
    simd_store(chunk->carets.of + lane, w->carets);
    if (w->sets.by_codes)
        simd_store(chunk->trimmed.of + lane, simd_trimmed(w));
    simd_store(chunk->shifts.of + lane, w->shifts);
    simd_store(chunk->low + lane, w->low);
    simd_store(chunk->high + lane, w->high);
    simd_store(chunk->symbols + lane, w->symbols);
    simd_store(chunk->follows + lane, w->follows);
    simd_mask events = (w->word_first & ~simd_load(chunk->unwatched + lane)) | w->loose;
    if (group->has_high)
        events |= simd_load(chunk->suspects + lane);
    simd_store(chunk->events + lane, events);
    if (writes) {
        simd_store(chunk->word_first + lane, w->word_first);
        simd_put_kind_bits(group, w, chunk, lane);
    }
}

/* Of what is before the end, and of that alone, simd_settle_end() looks at so many bytes, behind
 * blanks. */
#define SIMD_SETTLED_BYTES 3u

/* Cuts so that what is left begins with what has to be seen together with what follows it; and
 * before blanks that may have to be trimmed. */
SIMD_INLINE void simd_settle_end(struct simd_chunk *chunk)
{
    const uint8_t *const in = chunk->in + chunk->begin;
    const uint64_t *const escapes = chunk->escape.of;
    uint32_t n = chunk->end - chunk->begin;
    n -= simd_utf8_begun(in, n);
    if (n > 0 && ((in[n - 1] == '^' && in[n] == '^') || (in[n - 1] == '\r' && in[n] == '\n')))
        n--;
    while (n > 0 && chunk->by_codes && chunk->table->tells_blanks && in[n - 1] == ' ')
        n--;
    if (n > 1 && simd_lane_bit(escapes, chunk->begin + n - 2) &&
        (in[n - 1] == ' ' || in[n - 1] == '\t'))
        n--;
    if (n > 0 && simd_lane_bit(escapes, chunk->begin + n - 1))
        n--;
    chunk->end = chunk->begin + n;
}

/* What comes into a group in which the step does not begin, but for its first byte. */
SIMD_INLINE struct simd_carry simd_carry_into(const struct simd_chunk *chunk, uint32_t group,
                                              bool by_codes)
{
    const uint32_t lane = group * SIMD_LANES, last = lane + SIMD_LANES - 1;
    struct simd_carry carry = {
        .comment = {chunk->comment.all[last] >> (SIMD_LANE_BYTES - 1)},
        .word = {chunk->word.all[last] >> (SIMD_LANE_BYTES - 1)},
        .escape = simd_load(chunk->escape.all + lane),
        .middle = simd_load(chunk->middle.all + lane),
        .fresh = simd_load(chunk->fresh.all + lane),
        .run = {simd_load(chunk->run[0].all + lane), simd_load(chunk->run[1].all + lane)},
        .crs = simd_load(chunk->crs.all + lane),
        .carets = simd_load(chunk->carets.all + lane),
        .shifts = simd_load(chunk->shifts.all + lane)};
    if (by_codes) {
        carry.run[2] = simd_load(chunk->run[2].all + lane);
        carry.trimmed = simd_load(chunk->trimmed.all + lane);
    }
    return carry;
}

/* The same for a group that the step begins with. */
SIMD_INLINE void simd_put_carry(struct simd_chunk *chunk, uint32_t group,
                                const struct simd_carry *carry)
{
    const uint32_t lane = group * SIMD_LANES;
    simd_store(chunk->comment.all + lane, carry->comment);
    simd_store(chunk->word.all + lane, carry->word);
    simd_store(chunk->escape.all + lane, carry->escape);
    simd_store(chunk->middle.all + lane, carry->middle);
    simd_store(chunk->fresh.all + lane, carry->fresh);
    for (int i = 0; i < 3; i++)
        simd_store(chunk->run[i].all + lane, carry->run[i]);
    simd_store(chunk->crs.all + lane, carry->crs);
    simd_store(chunk->carets.all + lane, carry->carets);
    simd_store(chunk->trimmed.all + lane, carry->trimmed);
    simd_store(chunk->shifts.all + lane, carry->shifts);
}

SIMD_INLINE struct simd_entry simd_entry_of(const struct simd_chunk *chunk, bool is_amid)
{
    const uint32_t index = chunk->begin % SIMD_GROUP_BYTES;
    if (!is_amid)
        return (struct simd_entry){.is_amid = false};
    return (struct simd_entry){
        .is_amid = true, .first = simd_mask_bit(index), .live = simd_mask_from(index)};
}

/* What the rules are compiled for. */
struct simd_variant {
    bool by_codes; /* category codes differ from the regime's */
    bool writes;   /* spans are asked for */
};

/* The group's masks. True: it has a stop, and the step's end is cut there. */
SIMD_INLINE bool simd_apply_rules_to(const struct simd_isa *isa, struct simd_chunk *chunk,
                                     uint32_t group, bool is_amid, struct simd_variant variant)
{
    const struct simd_entry entry = simd_entry_of(chunk, is_amid);
    const struct simd_carry carry =
        is_amid ? chunk->entry : simd_carry_into(chunk, group, variant.by_codes);
    const struct simd_group g = simd_group_of(chunk, group, variant.by_codes);
    const uint32_t next = (group + 1) * SIMD_GROUP_BYTES;
    const bool next_is_lf = chunk->in[next] == '\n';
    struct simd_wide w;
    simd_find(isa, &entry, &g, &carry, &chunk->line_stops, next_is_lf, &w);
    simd_put_group(&g, &w, chunk, group * SIMD_LANES, variant.writes);
    if (__builtin_expect(!isa->any(w.stop_here | w.stop_behind), 1))
        return false;
    const uint32_t cut = simd_cut_of(&w, group);
    if (cut >= chunk->end)
        return false;
    chunk->end = cut;
    return true;
}

SIMD_INLINE bool simd_apply_rules_at_begin(const struct simd_isa *isa, struct simd_chunk *chunk,
                                           struct simd_variant variant)
{
    const uint32_t group = chunk->begin / SIMD_GROUP_BYTES;
    return chunk->begin % SIMD_GROUP_BYTES != 0
               ? simd_apply_rules_to(isa, chunk, group, true, variant)
               : simd_apply_rules_to(isa, chunk, group, false, variant);
}

/* From begin on: the masks of the step, which ends before limit, or before the first stop: whether
 * there is one. Behind a cut, groups whose masks are there keep them if what comes in is the same
 * again; not where the step ends in the first one, since the end was settled by what escaped what
 * before. */
SIMD_INLINE bool simd_apply_rules(const struct simd_isa *isa, struct simd_chunk *chunk,
                                  struct simd_variant variant)
{
    uint32_t group = chunk->begin / SIMD_GROUP_BYTES;
    if (chunk->ruled_end > (group + 1) * SIMD_GROUP_BYTES) {
        const struct simd_carry known = simd_carry_into(chunk, group + 1, variant.by_codes);
        chunk->end = chunk->ruled_end;
        if (!simd_apply_rules_at_begin(isa, chunk, variant)) {
            const struct simd_carry now = simd_carry_into(chunk, group + 1, variant.by_codes);
            chunk->end = chunk->ruled_end;
            if (simd_same_carry(isa, &known, &now))
                return chunk->ruled_stop;
        }
    }
    uint32_t end_group = group + SIMD_STEP_GROUPS;
    end_group = end_group < chunk->n_groups ? end_group : chunk->n_groups;
    chunk->end = end_group * SIMD_GROUP_BYTES;
    chunk->end = chunk->end < chunk->limit ? chunk->end : chunk->limit;
    bool stopped = simd_apply_rules_at_begin(isa, chunk, variant);
    for (group++; group < end_group && !stopped; group++)
        stopped = simd_apply_rules_to(isa, chunk, group, false, variant);
    const uint32_t end_lane = group * SIMD_LANES;
    chunk->word_first[end_lane] = 0;
    simd_settle_end(chunk);
    chunk->ruled_end = chunk->end;
    chunk->ruled_stop = stopped || chunk->end == chunk->begin; /* nothing but blanks */
    return chunk->ruled_stop;
}

/* What struct lexer is to become at the cut, as bits. */
struct simd_state {
    bool comment, word, middle, fresh, letters, others, blanks;
    bool shift;   /* the last token was a $; what follows it may belong to it */
    bool skipped; /* by codes: the blanks, or what is ignored, are a run of these */
};

/* Behind the byte of that index. */
SIMD_INLINE struct simd_state simd_state_behind(const struct simd_chunk *chunk, uint32_t index)
{
    const bool skipped = chunk->by_codes && simd_lane_bit(chunk->run[2].of, index);
    const bool low = simd_lane_bit(chunk->run[0].of, index);
    const bool high = simd_lane_bit(chunk->run[1].of, index);
    return (struct simd_state){.comment = simd_lane_bit(chunk->comment.of, index),
                               .word = simd_lane_bit(chunk->word.of, index),
                               .middle = simd_lane_bit(chunk->middle.of, index),
                               .fresh = simd_lane_bit(chunk->fresh.of, index),
                               .letters = low && !high,
                               .others = high && !low,
                               .blanks = skipped || (low && high),
                               .shift = simd_lane_bit(chunk->shifts.of, index),
                               .skipped = skipped};
}

/* What comes in with that state, as this bit. (Each for itself: a compiler fills and copies a
 * struct of this size by instructions that take long to start.) */
SIMD_INLINE void simd_set_carry(struct simd_carry *carry, const struct simd_state *state,
                                simd_mask bit)
{
    const simd_mask none = {0};
    const bool spaces = state->blanks && !state->skipped;
    carry->comment = state->comment ? bit : none;
    carry->word = state->word ? bit : none;
    carry->escape = none;
    carry->middle = state->middle ? bit : none;
    carry->fresh = state->fresh ? bit : none;
    carry->run[0] = state->letters || spaces ? bit : none;
    carry->run[1] = state->others || spaces ? bit : none;
    carry->run[2] = state->skipped ? bit : none;
    carry->crs = carry->carets = carry->trimmed = none;
    carry->shifts = state->shift ? bit : none;
}

/* The next step's entry: amid a group its bit says what comes in, else the last one of the group
 * before, but for what struct simd_carry has for the first byte. */
SIMD_INLINE void simd_begin_at(struct simd_chunk *chunk, uint32_t begin,
                               const struct simd_state *state)
{
    const uint32_t index = begin % SIMD_GROUP_BYTES;
    struct simd_carry carry;
    chunk->begin = begin;
    if (index > 0) {
        simd_set_carry(&chunk->entry, state, simd_mask_bit(index));
    } else {
        simd_set_carry(&carry, state, simd_mask_bit(SIMD_GROUP_BYTES - 1));
        simd_put_carry(chunk, begin / SIMD_GROUP_BYTES, &carry);
    }
}

/* In the masks, the byte goes on with a run of letters (low) or others (high); maybe as a line end
 * that is an other. */
SIMD_INLINE bool simd_joins(const struct simd_chunk *chunk, uint32_t index, bool low, bool high)
{
    if (chunk->by_codes && simd_lane_bit(chunk->lines, index))
        return high && !low;
    return low != high && simd_lane_bit(chunk->run[0].of, index) == low &&
           simd_lane_bit(chunk->run[1].of, index) == high;
}

/* The masks from begin on, where the state is given, hold, since they were made with that state
 * there: then the step goes from there to their end. The state is not in the middle of a word.
 * Nothing but a span that ends there, which the byte-wise machine took, may go on in the masks. */
SIMD_INLINE bool simd_resume_at(struct simd_chunk *chunk, uint32_t begin,
                                const struct simd_state *state)
{
    if (begin == 0 || begin + SIMD_SETTLED_BYTES > chunk->ruled_end ||
        simd_lane_bit(chunk->escape.of, begin - 1))
        return false;
    const struct simd_state known = simd_state_behind(chunk, begin - 1);
    const bool same = known.letters == state->letters && known.others == state->others &&
                      known.blanks == state->blanks && known.skipped == state->skipped;
    const bool none = !state->letters && !state->others && !state->blanks && !known.blanks;
    if (known.comment != state->comment || known.middle != state->middle ||
        known.fresh != state->fresh || known.shift != state->shift || !(same || none) ||
        simd_lane_bit(chunk->word.of, begin))
        return false;
    const uint32_t index = begin % SIMD_GROUP_BYTES, lane = (begin - index) / SIMD_LANE_BYTES;
    const bool joins = !same && simd_joins(chunk, begin, known.letters, known.others);
    const simd_mask from = simd_mask_from(index);
    const simd_mask first = joins ? simd_mask_bit(index) : (simd_mask){0};
    simd_store(chunk->starts + lane, (simd_load(chunk->all_starts + lane) & from) | first);
    simd_store(chunk->tokens + lane, simd_load(chunk->tokens + lane) & from);
    simd_store(chunk->lines + lane, simd_load(chunk->lines + lane) & from);
    chunk->begin = begin;
    chunk->end = chunk->ruled_end;
    return true;
}

#endif
