#include "engine/record.h"

#include "engine/shard.h"

static void record_maybe_rotate(struct shard *s, uint32_t body_bytes)
{
    s->arenas.requests++;
    s->arenas.lexed_bytes += body_bytes;
    bool due =
        (s->options->rotate_bytes != 0 && s->arenas.lexed_bytes >= s->options->rotate_bytes) ||
        (s->options->rotate_requests != 0 && s->arenas.requests >= s->options->rotate_requests);
    if (due && arena_rotate(&s->arenas))
        metric_add(&s->metrics.rotations, 1);
}

void record_answered(struct shard *s, const struct request *r)
{
    const struct tail_row row = {.bracket = r->bracket,
                                 .hedged = r->bracket.t_hedge_fire != 0,
                                 .origin = r->by_sibling ? 'H' : 'P'};
    tail_add(s->tail, &row);
    metrics_observe(&s->metrics, bracket_total_ns(&r->bracket));
    metric_add(&s->metrics.bytes_lexed, r->body_bytes);
    metric_add(&s->metrics.tokens, r->counts.n_tokens);
    metric_add(&s->metrics.issues, r->counts.n_issues);
    record_maybe_rotate(s, r->body_bytes);
}
