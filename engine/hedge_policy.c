#include "engine/hedge_policy.h"

#include "engine/clock.h"
#include "engine/limits.h"

#include <assert.h>
#include <string.h>

#define HEDGE_TOKEN_PPM UINT64_C(1000000)

/* ---- budget -------------------------------------------------------------------------------- */

void hedge_budget_init(struct hedge_budget *b, uint32_t share_ppm)
{
    assert(share_ppm <= HEDGE_TOKEN_PPM);
    uint64_t burst_ppm = share_ppm == 0 ? 0 : LIMIT_HEDGE_BURST * HEDGE_TOKEN_PPM;
    uint64_t window_ppm = (uint64_t)share_ppm * LIMIT_HEDGE_WINDOW;
    *b = (struct hedge_budget){.share_ppm = share_ppm,
                               .tokens_ppm = burst_ppm,
                               .credit_ppm = burst_ppm,
                               .bucket_ppm = window_ppm > burst_ppm ? window_ppm : burst_ppm};
}

bool hedge_budget_take(struct hedge_budget *b, uint64_t requests)
{
    assert(requests >= b->requests);
    uint64_t earned_ppm = (requests - b->requests) * b->share_ppm;
    uint64_t repaid_ppm = earned_ppm < b->credit_ppm ? earned_ppm : b->credit_ppm;
    b->requests = requests;
    b->credit_ppm -= repaid_ppm;
    b->tokens_ppm += earned_ppm - repaid_ppm;
    if (b->tokens_ppm > b->bucket_ppm)
        b->tokens_ppm = b->bucket_ppm;
    if (b->tokens_ppm < HEDGE_TOKEN_PPM)
        return false;
    b->tokens_ppm -= HEDGE_TOKEN_PPM;
    return true;
}

void hedge_budget_refund(struct hedge_budget *b)
{
    b->tokens_ppm += HEDGE_TOKEN_PPM;
}

/* ---- automatic delay ----------------------------------------------------------------------- */

enum {
    /* What is not known yet: 2 ns a byte, a slow lexer. */
    HEDGE_RATE_FIRST_PS = 2000,
    /* Shorter ones say little about the time a byte takes. */
    HEDGE_RATE_BYTES_MIN = 1024,
    HEDGE_RATE_SHIFT = 6,
};

void hedge_history_init(struct hedge_history *h, uint32_t share_ppm)
{
    *h = (struct hedge_history){.share_ppm = share_ppm, .rate_ps = HEDGE_RATE_FIRST_PS};
}

uint64_t hedge_history_predict_ns(const struct hedge_history *h, uint32_t bytes)
{
    return bytes * h->rate_ps / 1000;
}

/* Bucket b > 0 begins at 2^((b - 1) / 4) * (1 + (b - 1) % 4 / 4) us; bucket 0 is what is less than
 * 1 us, the last one has no end. */
static uint32_t hedge_bucket(uint64_t excess_ns)
{
    uint64_t us = excess_ns / CLOCK_NS_PER_US;
    if (us == 0)
        return 0;
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(us);
    uint32_t quarter = (uint32_t)((octave >= 2 ? us >> (octave - 2) : us << (2 - octave)) & 3);
    uint32_t bucket = 1 + 4 * octave + quarter;
    return bucket < HEDGE_HISTORY_BUCKETS ? bucket : HEDGE_HISTORY_BUCKETS - 1;
}

/* Where the bucket ends. */
static uint64_t hedge_bucket_end_ns(uint32_t bucket)
{
    uint32_t octave = bucket / 4;
    return (UINT64_C(4) + bucket % 4) * CLOCK_NS_PER_US * (UINT64_C(1) << octave) / 4;
}

static uint64_t hedge_clamp_ns(uint64_t ns)
{
    if (ns < LIMIT_HEDGE_AUTO_MIN_US * CLOCK_NS_PER_US)
        return LIMIT_HEDGE_AUTO_MIN_US * CLOCK_NS_PER_US;
    if (ns > LIMIT_HEDGE_AUTO_MAX_MS * CLOCK_NS_PER_MS)
        return LIMIT_HEDGE_AUTO_MAX_MS * CLOCK_NS_PER_MS;
    return ns;
}

/* The nearest rank: the first bucket with at least ceil((1 - share) * n) at or below it. */
static uint64_t hedge_quantile_ns(const struct hedge_history *h)
{
    uint64_t above = (uint64_t)h->n * h->share_ppm / HEDGE_TOKEN_PPM;
    uint64_t rank = h->n - above;
    uint64_t seen = 0;
    uint32_t bucket = 0;
    while (bucket < HEDGE_HISTORY_BUCKETS - 1 && (seen += h->bucket[bucket]) < rank)
        bucket++;
    return hedge_clamp_ns(hedge_bucket_end_ns(bucket));
}

bool hedge_history_add(struct hedge_history *h, uint32_t bytes, uint64_t took_ns,
                       uint64_t *delay_ns)
{
    uint64_t predicted_ns = hedge_history_predict_ns(h, bytes);
    h->bucket[hedge_bucket(took_ns > predicted_ns ? took_ns - predicted_ns : 0)]++;
    h->n++;
    if (bytes >= HEDGE_RATE_BYTES_MIN) {
        /* A stall says nothing about the lexer: at most twice the prediction counts. */
        uint64_t most_ns = 2 * predicted_ns;
        uint64_t rate_ps = (took_ns < most_ns ? took_ns : most_ns) * 1000 / bytes;
        h->rate_ps = h->rate_ps - (h->rate_ps >> HEDGE_RATE_SHIFT) + (rate_ps >> HEDGE_RATE_SHIFT);
        if (h->rate_ps < 1 << HEDGE_RATE_SHIFT)
            h->rate_ps = 1 << HEDGE_RATE_SHIFT;
    }
    if (h->n < LIMIT_HEDGE_HISTORY)
        return false;
    *delay_ns = hedge_quantile_ns(h);
    memset(h->bucket, 0, sizeof h->bucket);
    h->n = 0;
    return true;
}
